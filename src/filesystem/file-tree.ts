import type { Entry, EntryTable, EntryType } from '../scan/entries/table.js';

import { TreeBuilder } from './tree-builder.js';
import { NONE } from './tree-columns.js';
import { type Followed, followPath } from './tree-path.js';
import { TreeNodes } from './tree-store.js';

/**
 * One name in the file system that results from an image's layers. Paths and names are bytes, one per character
 * (latin1).
 */
export interface TreeNode {
  /** Without a leading slash; empty for the root. */
  readonly path: string;
  /** `hardlink` for a further name of a file that already has one, and for a hard link whose target does not exist. */
  readonly type: EntryType;
  /**
   * The entry in the tar. For a hard link it is the entry of the linked file, which has the size, mode and times. For a
   * directory that no entry names it has the attributes that engines give such a directory.
   */
  readonly entry: Entry;
  /** Size of the content, in bytes, from `entry`. */
  readonly size: number;
  /** True if no entry names this directory. */
  readonly isImplied: boolean;
  /** Number of names of the same inode. */
  readonly links: number;
  /** The layer that added this name, or that last set a directory's attributes: an index into the image's layers. */
  readonly layer: number;
  /** For a further name of a file: the path of the first name that still exists. */
  readonly linkedTo: string | null;
  readonly inode: Inode;
  /** Children by name, in no order; null if this is not a directory. */
  readonly children: ReadonlyMap<string, TreeNode> | null;
}

/** A file, directory or other object with one or more names. All names of one file share one object. */
export interface Inode {
  /** The layer that has the content; `index` is the entry in that layer's table. */
  readonly layer: number;
  /** -1 for a directory that no entry names. */
  readonly index: number;
  readonly type: EntryType;
  /** Number of names in this tree; above 1 for a file with hard links. */
  readonly links: number;
  /**
   * Hard links to it whose entries have another mode or owner than the file, or extended attributes; also those whose
   * names were removed later. Docker, containerd and podman give these to the file (`os.Chmod`, `os.Lchown` and
   * `setxattr` after `os.Link`), umoci does not.
   */
  readonly linkEntries: readonly Pick<Inode, 'layer' | 'index'>[];
}

/** The file system that results from applying layers one upon the other. */
export interface FileTree {
  readonly root: TreeNode;
  /** All nodes except the root: a directory is followed by its contents, names in byte order. */
  readonly nodes: readonly TreeNode[];
  /** The same for one pass: every pass makes each node anew and keeps none. Those of a million names take 100 MB. */
  readonly passing: Passing<TreeNode>;
  /** The node at exactly this path; links on the way are not followed. */
  get(path: string): TreeNode | null;
  /** The node that a program in the image would find at this path: links are followed, inside the root. */
  follow(path: string): Followed;
  /** Indexes of layers whose entries are not all known: absent, not a tar, or cut short by a limit. */
  readonly incomplete: readonly number[];
  readonly oddities: readonly Oddity[];
  /** Files with `linkEntries`. */
  readonly relinked: readonly Inode[];
}

/** Elements that need not all exist at the same time. An array is one too. */
export interface Passing<T> extends Iterable<T> {
  readonly length: number;
}

export type OddityKind =
  | 'whiteout-of-nothing'
  | 'whiteout-invalid'
  | 'whiteout-of-directory'
  | 'hard-link-to-nothing'
  | 'duplicate-name'
  | 'parent-replaced'
  | 'root-replaced'
  | 'link-leaves-root'
  | 'unknown-type'
  | 'too-many-directories';

/** Entries that no engine writes, or that engines interpret in different ways. */
export interface Oddity {
  readonly kind: OddityKind;
  /** Number of occurrences. */
  readonly count: number;
  /** The first occurrences. */
  readonly places: readonly { readonly layer: number; readonly path: string }[];
}

/**
 * Applies layers in their order. A whiteout hides entries of lower layers, wherever it is in its own layer. A directory
 * that already exists gets the attributes of the new entry; any other entry replaces the one of its name, with
 * everything below it. https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
 *
 * @param layers  base first; null for a layer whose entries are not known
 */
export function squash(layers: readonly (EntryTable | null)[]): FileTree {
  const builder = new TreeBuilder(layers);
  for (const table of layers) builder.apply(table);
  return treeOf(builder);
}

/** The tree in its current state; the builder must not be used afterwards. */
export function treeOf(builder: TreeBuilder): FileTree {
  const order = builder.finish();
  const { store } = builder;
  const all = new TreeNodes(store);
  const nodeAt = (id: number) => (id === NONE ? null : all.node(id));
  let nodes: readonly TreeNode[] | null = null;
  return {
    get root() {
      return all.root;
    },
    get nodes() {
      nodes ??= Array.from(order, id => all.node(id));
      return nodes;
    },
    passing: { length: order.length, [Symbol.iterator]: () => all.passing(order) },
    get: path => nodeAt(store.find(path)),
    follow: path => followPath(all.root, path),
    incomplete: builder.incomplete,
    oddities: builder.oddities.all(),
    relinked: store.relinked().map(id => all.inode(id)),
  };
}
