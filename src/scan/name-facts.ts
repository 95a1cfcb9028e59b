import type { Refusal } from './layer-refusal.js';
import type { Seeds } from './name-table.js';

/** An entry that is about a path that the layer itself does not settle. */
export interface OpenPath {
  readonly path: string;
  /** The hard link's target; the entry below a directory; the link that leads to the path. */
  readonly other: string;
  readonly at: number;
}

/** What names and types of a layer's entries say about unpacking it, as moby's UnpackLayer does. Paths are rooted, bytes. */
export interface NameFacts {
  /** Why engines refuse the layer, whichever layers are below it. */
  readonly refusals: readonly Refusal[];
  /** Whether all of its names are known. */
  readonly isWhole: boolean;
  readonly seeds: Seeds;
  /** Every name; see `lookUp`. */
  readonly table: Uint32Array;
  /** Its symbolic links; see `SymlinkTargets`. */
  readonly symlinks: Uint8Array;
  /** Directories that entries lie in and no entry names: lower layers may have something else there. */
  readonly implied: readonly OpenPath[];
  /** What links lead to that entries lie below: lower layers must have a directory there. */
  readonly needed: readonly OpenPath[];
  /** Hard links whose targets were not in the layer when they came. */
  readonly hardLinks: readonly (OpenPath & { readonly ahead: boolean })[];
  readonly whiteouts: readonly OpenPath[];
  readonly opaque: readonly OpenPath[];
}
