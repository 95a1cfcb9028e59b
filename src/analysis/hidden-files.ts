import { type FileTree, type Inode, treeOf } from '../filesystem/file-tree.js';
import { TreeBuilder } from '../filesystem/tree-builder.js';
import { NONE, ROOT } from '../filesystem/tree-columns.js';
import type { TreeStore } from '../filesystem/tree-store.js';
import { contentKey } from '../scan/entries/content.js';
import { rootedPath } from '../scan/entries/name.js';
import { type EntryTable, nameAt, typeAt } from '../scan/entries/table.js';

/** The entries of layers, base first; null for a layer whose entries are not known. */
type Tables = readonly (EntryTable | null)[];

/** A regular file in a layer that the final file system does not show. Paths are bytes, one per character. */
export interface Stowaway {
  /** Where it was; of several names, the last that went. */
  readonly path: string;
  readonly bytes: number;
  /** The layer that ships it: an index into the image's. */
  readonly layer: number;
  /** The layer that hides it; its own where the layer has something else of that name. */
  readonly hiddenBy: number;
  /** Whether something has its place in the file system when that layer is applied. */
  readonly how: 'overwritten' | 'deleted';
  /** It was overwritten with the same bytes: only mode, owner, times or the like differ. false where digests were not read. */
  readonly metadataOnly: boolean;
}

/** The file system that layers make, and what they ship besides. */
export interface Unpacked {
  readonly tables: Tables;
  readonly tree: FileTree;
  /** By layer, and in the layer's order; files of no bytes left out. */
  readonly stowaways: readonly Stowaway[];
}

/**
 * Applies layers in their order, as `squash` does, and notes what is hidden on the way. A file counts while it has a name: one
 * that keeps a hard link in a lower layer is not hidden. The bytes of the tree's files and of the stowaways together are what
 * all layers hold.
 */
export function unpack(tables: Tables): Unpacked {
  const lost: Place[] = [];
  const builder: TreeBuilder = new TreeBuilder(tables, id => {
    const { store } = builder;
    const { layer, index } = store.place(id);
    if (store.is(id, 'file') && tables[layer]!.sizes[index]! > 0)
      lost.push({ layer, index, path: store.columns.path(id) });
  });
  const found: (Place & Stowaway)[] = [];
  for (const [layer, table] of tables.entries()) {
    builder.apply(table);
    const idAt = lookUp(builder.store);
    for (const place of lost.splice(0)) {
      const now = idAt(place.path);
      found.push(hidden(place, layer, now === NONE ? null : builder.store.place(now), tables));
    }
  }
  const tree = treeOf(builder);
  for (const place of neverSeen(tree, found, tables)) found.push(hidden(place, place.layer, null, tables));
  found.sort((a, b) => a.layer - b.layer || a.index - b.index);
  return { tables, tree, stowaways: found };
}

/** An entry of a layer, and where its file is or was. */
interface Place {
  readonly layer: number;
  readonly index: number;
  readonly path: string;
}

/** Files that never had a name: below a whiteout, in place of the root, or where the tree has reached a limit. */
function neverSeen(tree: FileTree, found: readonly Place[], tables: Tables): Place[] {
  const seen = tables.map(table => new Uint8Array(table?.count ?? 0));
  for (const { inode } of tree.nodes) if (inode.index >= 0) seen[inode.layer]![inode.index] = 1;
  for (const { layer, index } of found) seen[layer]![index] = 1;
  return tables.flatMap((table, layer) => {
    const places: Place[] = [];
    for (let index = 0; index < (table?.count ?? 0); index++) {
      const isFile =
        seen[layer]![index] === 0 && typeAt(table!, index) === 'file' && table!.sizes[index]! > 0;
      if (isFile) places.push({ layer, index, path: rootedPath(nameAt(table!, index)) });
    }
    return places;
  });
}

/** @param now  what has the file's place in the file system */
function hidden(
  place: Place,
  hiddenBy: number,
  now: Pick<Inode, 'layer' | 'index'> | null,
  tables: Tables,
): Place & Stowaway {
  const { layer, index, path } = place;
  const table = tables[layer]!;
  // A hostile image has millions of them, and taking an object apart into another takes ten times as long.
  return {
    layer,
    index,
    path,
    bytes: table.sizes[index]!,
    hiddenBy,
    how: now === null ? 'deleted' : 'overwritten',
    metadataOnly: now !== null && isSameContent(contentKey(table, index), now, tables),
  };
}

function isSameContent(
  digest: string | null,
  { layer, index }: Pick<Inode, 'layer' | 'index'>,
  tables: Tables,
): boolean {
  const table = index < 0 ? null : (tables[layer] ?? null);
  return digest !== null && table !== null && contentKey(table, index) === digest;
}

/** Finds what has exactly a path, in a tree that stays as it is; what lies beside the last one quickly. */
function lookUp(store: TreeStore): (path: string) => number {
  let folder = '';
  let last = ROOT;
  return path => {
    const slash = Math.max(0, path.lastIndexOf('/'));
    if (slash !== folder.length || !path.startsWith(folder)) {
      folder = path.slice(0, slash);
      last = store.find(folder);
    }
    return last === NONE ? NONE : store.child(last, slash === 0 ? path : path.slice(slash + 1));
  };
}
