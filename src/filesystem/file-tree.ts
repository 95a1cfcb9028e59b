import type { Entry, EntryTable, EntryType } from '../scan/entries/table.js';

import { TreeBuilder } from './tree-builder.js';
import { NONE } from './tree-columns.js';
import { type Followed, followPath } from './tree-path.js';
import { TreeNodes } from './tree-store.js';

/** One name in the file system that the layers of an image make. Paths and names are bytes, one per character (latin1). */
export interface TreeNode {
  /** Without a leading slash; empty for the root. */
  readonly path: string;
  /** `hardlink` for a further name of what has a name in the tree already, and for a hard link to nothing. */
  readonly type: EntryType;
  /**
   * What the tar says of it. A hard link has the entry of the file that it is a name of, whose size, mode and times are its
   * own; a directory that no entry names has one made up, as engines make such directories.
   */
  readonly entry: Entry;
  /** That of `entry`: bytes of content. */
  readonly size: number;
  /** Whether no entry names this directory. */
  readonly isImplied: boolean;
  /** Names that what this is a name of has. */
  readonly links: number;
  /** The layer that put this name here, or that was the last to set a directory's attributes: an index into the image's. */
  readonly layer: number;
  /** For a further name of a file: the path of the first one that is still there. */
  readonly linkedTo: string | null;
  readonly inode: Inode;
  /** null for what is no directory. By name, in no order. */
  readonly children: ReadonlyMap<string, TreeNode> | null;
}

/** What has one name or several. The same object for all names of one file. */
export interface Inode {
  /** Where its content lies: the layer, and the index of the entry in that layer's table. */
  readonly layer: number;
  /** -1 for a directory that no entry names. */
  readonly index: number;
  readonly type: EntryType;
  /** More than one where it has hard links in this tree. */
  readonly links: number;
}

/** The file system that layers make, one upon the other. */
export interface FileTree {
  readonly root: TreeNode;
  /** Everything but the root: a directory is followed by all that is in it, names in the order of their bytes. */
  readonly nodes: readonly TreeNode[];
  /** What has exactly this path; links on the way are not followed. */
  get(path: string): TreeNode | null;
  /** What a program in the image would find at this path: links are followed, inside the root. */
  follow(path: string): Followed;
  /** Layers, by their index, whose entries are not all here: absent, no tar, cut short by a limit. */
  readonly incomplete: readonly number[];
  readonly oddities: readonly Oddity[];
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
  | 'below-whiteout'
  | 'unknown-type'
  | 'too-many-directories';

/** What layers hold that no engine writes, or that engines take in different ways. */
export interface Oddity {
  readonly kind: OddityKind;
  /** How often it was seen. */
  readonly count: number;
  /** The first places where. */
  readonly places: readonly { readonly layer: number; readonly path: string }[];
}

/**
 * Applies layers in their order. A whiteout hides what lower layers have, wherever in its layer it stands; a directory over
 * a directory gives it its attributes; anything else replaces what has its name, with all below it.
 * https://github.com/opencontainers/image-spec/blob/main/layer.md
 *
 * @param layers  base first; null for a layer whose entries are not known
 */
export function squash(layers: readonly (EntryTable | null)[]): FileTree {
  const builder = new TreeBuilder(layers);
  for (const table of layers) builder.apply(table);
  return treeOf(builder);
}

/** The tree as it is now; the builder must not be used any more. */
export function treeOf(builder: TreeBuilder): FileTree {
  const order = builder.finish();
  const { store } = builder;
  const all = new TreeNodes(store);
  const { root } = all;
  const nodeAt = (id: number) => (id === NONE ? null : all.node(id));
  return {
    root,
    nodes: Array.from(order, id => all.node(id)),
    get: path => nodeAt(store.find(path)),
    follow: path => followPath(root, path),
    incomplete: builder.incomplete,
    oddities: builder.oddities.all(),
  };
}
