import { type FileTree, type Inode, squash, treeOf } from '../filesystem/file-tree.js';
import { tablesOf } from '../filesystem/layer-tables.js';
import { TreeBuilder } from '../filesystem/tree-builder.js';
import { NONE, ROOT } from '../filesystem/tree-columns.js';
import type { TreeStore } from '../filesystem/tree-store.js';
import type { Image } from '../link/graph.js';
import { contentKey } from '../scan/entries/content.js';
import { rootedPath } from '../scan/entries/name.js';
import { type EntryTable, nameAt, typeAt } from '../scan/entries/table.js';
import type { Scan } from '../scan/scan.js';

/** The last image of a scan whose files were unpacked: one of a hundred images is enough to hold. */
interface LastUnpacked {
  image: Image | null;
  files: ImageFiles | null;
}

const lastUnpacked = (_scan: Scan): LastUnpacked => ({ image: null, files: null });

/** The files of an image, which are kept until those of another image are asked for. */
export function unpackImage(scan: Scan, image: Image): ImageFiles {
  const last = scan.once(lastUnpacked, scan);
  if (last.image !== image || last.files === null) {
    last.files = unpack(tablesOf(scan, image));
    last.image = image;
  }
  return last.files;
}

/** The file system of an image, without the files that it hides: that of `unpackImage`, if it is at hand. */
export function treeOfImage(scan: Scan, image: Image): FileTree {
  const { image: known, files } = scan.once(lastUnpacked, scan);
  return known === image && files !== null ? files.tree : squash(tablesOf(scan, image));
}

/** The entries of layers, base first; null for a layer whose entries are not known. */
type Tables = readonly (EntryTable | null)[];

/** A regular file in a layer that the final file system does not show. Paths are bytes, one per character. */
export interface Stowaway {
  /** The file's path when it was hidden; if it had several names, the last one that was removed. */
  readonly path: string;
  readonly bytes: number;
  /** The layer that ships the file: an index into the image's layers. */
  readonly layer: number;
  /** Index of its entry in that layer. */
  readonly index: number;
  /** The layer that hides the file; the same layer if it has another entry of that name. */
  readonly hiddenBy: number;
  /** `overwritten` if another entry has its path once that layer is applied, otherwise `deleted`. */
  readonly how: 'overwritten' | 'deleted';
  /**
   * True if it was overwritten with the same bytes, so that only metadata (mode, owner, times ...) differs. False if
   * digests were not read.
   */
  readonly metadataOnly: boolean;
}

/** The file system that results from applying layers, and the files that it hides. */
export interface ImageFiles {
  readonly tables: Tables;
  readonly tree: FileTree;
  /** In the order of the layers and of their entries; empty files are left out. */
  readonly stowaways: readonly Stowaway[];
}

/**
 * Applies layers in their order, as `squash` does, and records the files that become hidden. A file with several names
 * is hidden when the last one is gone. The bytes of the tree's files and of the hidden files together are the content
 * of all layers.
 */
export function unpack(tables: Tables): ImageFiles {
  const lost: EntryPlace[] = [];
  const builder: TreeBuilder = new TreeBuilder(tables, id => {
    const { store } = builder;
    const { layer, index } = store.place(id);
    if (store.is(id, 'file') && tables[layer]!.sizes[index]! > 0)
      lost.push({ layer, index, path: store.columns.path(id) });
  });
  const found: (EntryPlace & Stowaway)[] = [];
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

/** An entry of a layer, and the path that its file has or had. */
interface EntryPlace {
  readonly layer: number;
  readonly index: number;
  readonly path: string;
}

/** Files that were never visible: in place of the root, or beyond a limit of the tree. */
function neverSeen(tree: FileTree, found: readonly EntryPlace[], tables: Tables): EntryPlace[] {
  const seen = tables.map(table => new Uint8Array(table?.count ?? 0));
  for (const { inode } of tree.passing) if (inode.index >= 0) seen[inode.layer]![inode.index] = 1;
  for (const { layer, index } of found) seen[layer]![index] = 1;
  return tables.flatMap((table, layer) => {
    const places: EntryPlace[] = [];
    for (let index = 0; index < (table?.count ?? 0); index++) {
      const isFile =
        seen[layer]![index] === 0 && typeAt(table!, index) === 'file' && table!.sizes[index]! > 0;
      if (isFile) places.push({ layer, index, path: rootedPath(nameAt(table!, index)) });
    }
    return places;
  });
}

/** @param now  the node that now has the file's path, if there is one */
function hidden(
  place: EntryPlace,
  hiddenBy: number,
  now: Pick<Inode, 'layer' | 'index'> | null,
  tables: Tables,
): EntryPlace & Stowaway {
  const { layer, index, path } = place;
  const table = tables[layer]!;
  // A hostile image has millions of these, and destructuring into a new object takes ten times as long.
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

/**
 * Returns a function that finds the node at a path, without following links. Fast for a path beside the previous one.
 */
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
