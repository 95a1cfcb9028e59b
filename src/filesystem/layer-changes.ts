import { rootedPath } from '../scan/entries/name.js';
import {
  type Entry,
  type EntryTable,
  type EntryType,
  entryAt,
  nameAt,
  typeAt,
} from '../scan/entries/table.js';
import { isWhiteout } from '../spec/whiteout.js';
import { type FileTree, type TreeNode, treeOf } from './file-tree.js';
import { TreeBuilder } from './tree-builder.js';
import { NONE } from './tree-columns.js';
import type { TreeStore } from './tree-store.js';

/** The changes that one layer makes to the file system below it, in the order of the tree. */
interface LayerChanges {
  readonly added: readonly TreeNode[];
  readonly modified: readonly Modification[];
  /** Nodes as they were before; for a directory also everything that was in it. */
  readonly removed: readonly TreeNode[];
}

interface Modification {
  readonly before: TreeNode;
  readonly after: TreeNode;
}

/**
 * Computes the changes that a layer makes. A file that the layer contains again counts as modified, even with the same
 * content. A directory counts as modified if its attributes changed, not if it is only listed.
 * @param before  the tree of the layers below
 * @param after   the tree with the layer
 * @param index   of the layer, from 0 for the base
 */
export function changesBetween(before: FileTree, after: FileTree, index: number): LayerChanges {
  const added: TreeNode[] = [];
  const modified: Modification[] = [];
  const old = new Map(before.nodes.map(node => [node.path, node]));
  for (const node of after.nodes) {
    const known = old.get(node.path);
    if (known === undefined) added.push(node);
    else {
      old.delete(node.path);
      if (node.layer === index && !isSameDirectory(known, node))
        modified.push({ before: known, after: node });
    }
  }
  return { added, modified, removed: [...old.values()] };
}

function isSameDirectory(before: TreeNode, after: TreeNode): boolean {
  if (before.type !== 'directory' || after.type !== 'directory') return false;
  const [a, b] = [before.entry, after.entry];
  return SHARED.every(key => a[key] === b[key]) && sameXattrs(a, b);
}

const SHARED = ['mode', 'uid', 'gid', 'mtime', 'mtimeNanos'] as const;

function sameXattrs(a: Entry, b: Entry): boolean {
  const text = ({ xattrs }: Entry) =>
    xattrs
      .map(({ name, value }) => `${name}=${Buffer.from(value).toString('hex')}`)
      .sort()
      .join('\n');
  return text(a) === text(b);
}

type Tables = readonly (EntryTable | null)[];

/** Why the final file system does not show an entry. */
export interface Gone {
  /** `replaced`: another entry has its path once that layer is applied. */
  readonly how: 'deleted' | 'replaced';
  /**
   * The layer that removed or replaced it: an index into the image's layers; the entry's own layer if it was never
   * visible.
   */
  readonly by: number;
}

/** One entry of one layer. `path` is bytes, one per character. */
export class LayerEntry
  implements Pick<TreeNode, 'path' | 'type' | 'entry' | 'size' | 'isImplied' | 'links' | 'layer' | 'linkedTo'>
{
  readonly isImplied = false;
  readonly links = 1;
  readonly linkedTo = null;
  /** null for a visible entry, and for a whiteout. */
  gone: Gone | null = null;

  constructor(
    private readonly table: EntryTable,
    private readonly index: number,
    readonly layer: number,
    readonly path: string,
    /** True for a whiteout and for an opaque whiteout. */
    readonly isWhiteout: boolean,
  ) {}

  /** Where it stands: the table of its layer, and the index in it. */
  get at(): { readonly table: EntryTable; readonly index: number } {
    return { table: this.table, index: this.index };
  }
  get type(): EntryType {
    return typeAt(this.table, this.index);
  }
  get entry(): Entry {
    return entryAt(this.table, this.index);
  }
  get size(): number {
    return this.table.sizes[this.index]!;
  }
}

/**
 * Every entry of every layer, with the reason if it is hidden, by the rules of `squash`. A directory that a later layer
 * contains again is not hidden.
 * @param wanted  returns false for the path of an entry to leave out
 * @returns the entries layer by layer in the order of the tars, and the tree that results from the layers
 */
export function layerEntries(
  tables: Tables,
  wanted: (path: string) => boolean,
): { readonly entries: LayerEntry[]; readonly tree: FileTree } {
  let names = new Int32Array(0);
  const builder = new TreeBuilder(tables, null, (index, id) => {
    names[index] = id;
  });
  const found: LayerEntry[] = [];
  let shown: Shown[] = [];
  for (const [layer, table] of tables.entries()) {
    names = new Int32Array(table?.count ?? 0).fill(NONE);
    builder.apply(table);
    const own: Shown[] = table === null ? [] : entriesIn(table, layer, names, wanted);
    for (const { entry } of own) found.push(entry);
    for (const one of own) if (!one.entry.isWhiteout) shown.push(one);
    shown = shown.filter(one => isStillThere(builder.store, one, layer));
  }
  return { entries: found, tree: treeOf(builder) };
}

/** The entries of one layer, in the order of its tar. @param layer  index of the layer, which the entries name */
export const layerEntriesOf = (table: EntryTable, layer: number): LayerEntry[] =>
  Array.from({ length: table.count }, (_, index) =>
    layerEntry(table, index, layer, rootedPath(nameAt(table, index))),
  );

const layerEntry = (table: EntryTable, index: number, layer: number, path: string): LayerEntry =>
  new LayerEntry(table, index, layer, path, isWhiteout(path));

/** An entry, and its name in the tree; `NONE` if it never had one. */
interface Shown {
  readonly entry: LayerEntry;
  readonly id: number;
}

function entriesIn(
  table: EntryTable,
  layer: number,
  names: Int32Array,
  wanted: (path: string) => boolean,
): Shown[] {
  const own: Shown[] = [];
  for (let index = 0; index < table.count; index++) {
    const path = rootedPath(nameAt(table, index));
    if (wanted(path)) own.push({ entry: layerEntry(table, index, layer, path), id: names[index]! });
  }
  return own;
}

function isStillThere(store: TreeStore, { entry, id }: Shown, layer: number): boolean {
  const { isGone } = store.columns.rows;
  if (id !== NONE && isGone[id] === 0) return true;
  const isReplaced = id !== NONE && store.find(store.columns.path(id)) !== NONE;
  entry.gone = { how: isReplaced ? 'replaced' : 'deleted', by: layer };
  return false;
}

/** The node at a path once a layer is applied. */
export interface Presence {
  readonly type: EntryType;
  /** The layer that added it: an index into the image's layers. */
  readonly layer: number;
}

/**
 * The node at exactly this path after each of the layers; null if there is none.
 * @param path  bytes, one per character
 */
export function historyOf(tables: Tables, path: string): (Presence | null)[] {
  const builder = new TreeBuilder(tables);
  const { store } = builder;
  return tables.map(table => {
    builder.apply(table);
    const id = store.find(path);
    return id === NONE ? null : { type: store.type(id), layer: store.columns.rows.layer[id]! };
  });
}
