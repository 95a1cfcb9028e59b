import type { Seeds } from './table.js';

/** An entry whose validity depends on a path that the layer itself does not contain. */
export interface OpenPath {
  readonly path: string;
  /** The hard link's target; the entry below a directory; or the link that leads to the path. */
  readonly other: string;
  readonly at: number;
}

/** A directory that no entry names. */
export interface ImpliedPath extends OpenPath {
  /** Length of the path up to the first directory that the layer did not have before. */
  readonly first: number;
}

/**
 * Facts from the names and types of a layer's entries about unpacking it, as moby's UnpackLayer does. Paths are
 * relative to the root; bytes, one per character.
 */
export interface NameFacts {
  /** Refusals that do not depend on the layers below. */
  readonly refusals: readonly Refusal[];
  /** True if all of its names are known. */
  readonly isWhole: boolean;
  readonly seeds: Seeds;
  /** A hash table of all names; see `lookUp`. */
  readonly table: Uint32Array;
  /** Its symbolic links; see `SymlinkTargets`. */
  readonly symlinks: Uint8Array;
  /**
   * Directories that contain entries and that no entry names. Hazard: lower layers may have another type of file there.
   */
  readonly implied: readonly ImpliedPath[];
  /** Targets of links that are parents of entries: lower layers must have a directory there. */
  readonly needed: readonly OpenPath[];
  /** Hard links whose targets had not occurred in the layer before them. */
  readonly hardLinks: readonly (OpenPath & { readonly ahead: boolean })[];
  readonly whiteouts: readonly OpenPath[];
  readonly opaque: readonly OpenPath[];
}

/** Reasons from names and types for which an engine refuses to unpack a layer. */
export type RefusalKind =
  /** A hard link whose target does not exist. */
  | 'hard-link-to-nothing'
  /** A hard link whose target comes later in the layer. */
  | 'hard-link-ahead'
  | 'hard-link-to-itself'
  | 'hard-link-to-directory'
  /** A hard link to a file of a lower layer, which drivers that unpack each layer into its own directory do not see. */
  | 'hard-link-to-lower'
  /** An entry whose parent is not a directory. */
  | 'file-as-directory'
  /** An entry whose parent is a symbolic link that leads nowhere. */
  | 'dangling-directory'
  /** An entry whose parent is a symbolic link in a circle, or in a chain that is too long. */
  | 'link-loop'
  /** An entry for the root that is not a directory. */
  | 'root-replaced'
  | 'unknown-type'
  /** `.wh.` at the top, or `.wh...` one level below: it would remove the root. */
  | 'whiteout-of-root'
  /** `.wh.` in a directory. */
  | 'whiteout-without-name'
  /** `.wh..` and `.wh...`. */
  | 'whiteout-of-dots'
  /** A whiteout after an entry of the name that it hides, in one layer. */
  | 'whiteout-of-own'
  /**
   * A whiteout, and a directory of the name that it hides. With drivers that keep layers apart, the contents of the
   * lower directory become visible.
   */
  | 'whiteout-and-directory'
  /** The same for a directory that no entry names: drivers that keep layers apart have a device in its place. */
  | 'below-whiteout'
  /** An entry below a directory that has the name of a whiteout: engines create it, readers of layers may hide it. */
  | 'whiteout-as-directory'
  /** The same for AUFS's own directories at the top, which drivers leave out that unpack layers one upon the other. */
  | 'aufs-metadata'
  /** A whiteout below a symbolic link of the same layer: engines follow the link, or some of them do. */
  | 'whiteout-through-link'
  /** A whiteout after whiteouts below the path that it hides. */
  | 'whiteout-after-below'
  /** A whiteout whose parent is not a directory. */
  | 'whiteout-below-file'
  /**
   * An opaque whiteout after entries in directories below it that no entry names: some engines remove those entries.
   */
  | 'opaque-after-own'
  /** An opaque whiteout of the root, which overlay ignores: the root is made of those of all layers. */
  | 'opaque-root'
  /**
   * An entry below a path that in lower layers is a link or a file. Drivers that keep layers apart create a directory.
   */
  | 'lower-as-directory'
  /** A device that overlay takes for a whiteout. */
  | 'overlay-whiteout'
  /** An extended attribute that overlay obeys. */
  | 'overlay-attribute'
  /** A directory with entries that is replaced by another entry or a whiteout, in one layer. */
  | 'directory-replaced'
  /** An entry whose parent is a symbolic link to a directory that only lower layers have. */
  | 'link-to-lower'
  | 'link-without-target'
  | 'name-too-long'
  | 'aufs-link'
  /**
   * An extended attribute with a name that Linux does not accept: empty, only a namespace, or longer than 255 bytes.
   */
  | 'xattr-name'
  /** An extended attribute of more than 64 KiB. */
  | 'xattr-size'
  /** A `security.capability` that the kernel does not accept. */
  | 'xattr-capability'
  /** A `user.*` attribute on an entry that is neither a file nor a directory. */
  | 'xattr-on-special'
  /** More links and implied directories than are followed: whether the layer can be unpacked is not known. */
  | 'too-intricate';

/** The first refusal of a kind in a layer. Paths are bytes, one per character. */
export interface Refusal {
  readonly kind: RefusalKind;
  /** The path of the entry that causes it; for `file-as-directory` that of the file. */
  readonly path: string;
  /** The link's target, the entry below a file or link, or the type flag; empty if the kind has none. */
  readonly other: string;
  /** Number of the entry in the layer, from 1. */
  readonly at: number;
  /** True if it depends on a lower layer. */
  readonly lower: boolean;
}

/** Keeps the first refusal of each kind. */
export class RefusalList {
  private readonly byKind = new Map<RefusalKind, Refusal>();

  add(kind: RefusalKind, path: string, at: number, other = '', lower = false): void {
    const known = this.byKind.get(kind);
    if (known === undefined || known.at > at || (known.lower && !lower))
      this.byKind.set(kind, { kind, path, other, at, lower });
  }

  /** In the order of the entries. */
  all(): Refusal[] {
    return [...this.byKind.values()].sort((a, b) => a.at - b.at);
  }
}
