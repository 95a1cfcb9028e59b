import type { Seeds } from './table.js';

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

/** What makes an engine refuse a layer when it unpacks it, of the names and types of its entries. */
export type RefusalKind =
  /** A hard link whose target is nowhere. */
  | 'hard-link-to-nothing'
  /** A hard link whose target comes later in the layer. */
  | 'hard-link-ahead'
  | 'hard-link-to-itself'
  | 'hard-link-to-directory'
  /** A hard link to a file of a lower layer, which drivers that unpack each layer into a directory of its own do not see. */
  | 'hard-link-to-lower'
  /** An entry lies below what is no directory. */
  | 'file-as-directory'
  /** An entry lies below a symbolic link that leads nowhere. */
  | 'dangling-directory'
  /** An entry lies below symbolic links that lead in a circle, or to too many others. */
  | 'link-loop'
  /** An entry that is no directory stands for the root. */
  | 'root-replaced'
  | 'unknown-type'
  /** `.wh.` at the top, or `.wh...` one below it: it would remove the root. */
  | 'whiteout-of-root'
  /** `.wh.` in a directory. */
  | 'whiteout-without-name'
  /** `.wh..` and `.wh...`. */
  | 'whiteout-of-dots'
  /** A whiteout that follows an entry of the name that it hides, in one layer. */
  | 'whiteout-of-own'
  /** A whiteout and a directory of the name that it hides: where a driver keeps layers apart, the lower directory shows through. */
  | 'whiteout-and-directory'
  /** The same where no entry names the directory: drivers that keep layers apart have a device in its place. */
  | 'below-whiteout'
  /** A whiteout that follows whiteouts below what it hides. */
  | 'whiteout-after-below'
  /** A whiteout lies below what is no directory. */
  | 'whiteout-below-file'
  /** A marker of an opaque directory that follows entries in directories below it that no entry names: some engines remove those. */
  | 'opaque-after-own'
  /** A directory that has entries gives way to something else, or to a whiteout, in one layer. */
  | 'directory-replaced'
  /** An entry lies below a symbolic link to a directory that only lower layers have. */
  | 'link-to-lower'
  | 'link-without-target'
  | 'name-too-long'
  | 'aufs-link'
  /** An extended attribute with a name that Linux does not take: empty, a namespace alone, longer than 255 bytes. */
  | 'xattr-name'
  /** One of more than 64 KiB. */
  | 'xattr-size'
  /** A `security.capability` that the kernel does not take for one. */
  | 'xattr-capability'
  /** A `user.*` attribute of what is neither file nor directory. */
  | 'xattr-on-special'
  /** More links and directories without entries than are followed: it is not known whether the layer can be unpacked. */
  | 'too-intricate';

/** The first of a kind in a layer. Paths are bytes, one per character. */
export interface Refusal {
  readonly kind: RefusalKind;
  /** What stands in the way: the entry, or of `file-as-directory` the file. */
  readonly path: string;
  /** The link's target, the entry below a file or link, or the type's flag; empty where there is no more to say. */
  readonly other: string;
  /** Which entry of the layer it is, from 1. */
  readonly at: number;
  /** Whether it takes a lower layer for it. */
  readonly lower: boolean;
}

/** The first refusal of each kind. */
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
