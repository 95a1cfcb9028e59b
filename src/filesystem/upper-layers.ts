import { rootedPath } from '../scan/entries/name.js';
import { type EntryTable, nameAt, typeAt } from '../scan/entries/table.js';
import { type FileTree, squash } from './file-tree.js';
import { hiddenPart } from './tree-builder.js';

/**
 * The file system as far as some upper layers determine it, if they determine what a path leads to, whatever the layers
 * below them have; otherwise null.
 * @param layers  base first; null for the layers below, and for a layer whose entries are not known
 * @param lowest  index of the lowest layer that is known
 * @param path    bytes, one per character
 */
export function decidingTree(
  layers: readonly (EntryTable | null)[],
  lowest: number,
  path: string,
): FileTree | null {
  if (!areClosed(layers.slice(lowest))) return null;
  const tree = squash(layers);
  const { node } = tree.follow(path);
  // A hard link without a target here is one to a file of a lower layer.
  return node === null || node.inode.type === 'hardlink' ? null : tree;
}

/**
 * True if every entry is in a directory that these layers name as such before it. Otherwise a link of a lower layer may
 * lead the entry elsewhere. Layers that engines write name the directories of their files.
 */
function areClosed(layers: readonly (EntryTable | null)[]): boolean {
  const directories = new Set<string>(['']);
  for (const table of layers) {
    if (table === null || table.truncated !== null) return false;
    const whiteouts: string[] = [];
    for (let index = 0; index < table.count; index++) {
      const path = rootedPath(nameAt(table, index));
      if (hiddenPart(path) !== null) whiteouts.push(path);
      else if (path !== '' && !directories.has(folderOf(path))) return false;
      else if (typeAt(table, index) === 'directory') directories.add(path);
      else if (directories.has(path)) return false;
    }
    // A whiteout applies to the layers below, wherever it is in its layer.
    if (!whiteouts.every(path => directories.has(folderOf(path)))) return false;
  }
  return true;
}

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
