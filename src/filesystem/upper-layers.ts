import { rootedPath } from '../scan/entries/name.js';
import { type EntryTable, nameAt, typeAt } from '../scan/entries/table.js';
import { isWhiteout } from '../spec/whiteout.js';
import { type FileTree, squash } from './file-tree.js';

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
  const prefixes = new Prefixes(path);
  if (!areClosed(layers.slice(lowest), prefixes) || prefixes.isMissing) return null;
  const tree = squash(layers);
  const { node } = tree.follow(path);
  // A hard link without a target here is one to a file of a lower layer.
  return node === null || node.inode.type === 'hardlink' ? null : tree;
}

/** Entries on the way to a path: a tree is made of many, and a path is mostly in one layer. */
class Prefixes {
  /** By prefix, from the first segment on: whether all of its entries are directories; null for no entry. */
  private readonly areDirectories = new Map<string, boolean | null>();

  constructor(path: string) {
    const segments = rootedPath(path).split('/');
    // The parent of a link is not known from its name.
    if (!path.split('/').includes('..'))
      for (const end of segments.keys()) this.areDirectories.set(segments.slice(0, end + 1).join('/'), null);
  }

  add(path: string, isDirectory: boolean): void {
    const known = this.areDirectories.get(path);
    if (known !== undefined) this.areDirectories.set(path, known !== false && isDirectory);
  }

  /** True if one has no entry, and those before it lead nowhere else, because they are no links. */
  get isMissing(): boolean {
    for (const areDirectories of this.areDirectories.values())
      if (areDirectories !== true) return areDirectories === null;
    return false;
  }
}

/**
 * True if every entry is in a directory that these layers name as such before it. Otherwise a link of a lower layer may
 * lead the entry elsewhere. Layers that engines write name the directories of their files.
 */
function areClosed(layers: readonly (EntryTable | null)[], prefixes: Prefixes): boolean {
  const directories = new Set<string>(['']);
  for (const table of layers) {
    if (table === null || table.truncated !== null) return false;
    const whiteouts: string[] = [];
    for (let index = 0; index < table.count; index++) {
      const path = rootedPath(nameAt(table, index));
      const isDirectory = typeAt(table, index) === 'directory';
      prefixes.add(path, isDirectory);
      if (isWhiteout(path)) whiteouts.push(path);
      else if (path !== '' && !directories.has(folderOf(path))) return false;
      else if (isDirectory) directories.add(path);
      else if (directories.has(path)) return false;
    }
    // A whiteout applies to the layers below, wherever it is in its layer.
    if (!whiteouts.every(path => directories.has(folderOf(path)))) return false;
  }
  return true;
}

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
