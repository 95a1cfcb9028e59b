import { pathFilter } from '../containers/path-filter.js';
import type { FileTree } from '../filesystem/file-tree.js';
import { type Installed, packageDatabases, type ReadDatabase, readDatabases } from '../packages/databases.js';
import { ownersOf, type Package } from '../packages/package.js';
import { contentOf } from '../scan/entries/content.js';
import type { EntryTable } from '../scan/entries/table.js';

/** The file contents that must be kept for `installedIn`. */
export const KEPT_FOR_PACKAGES = { keep: packageDatabases };

/** The packages of an image, and which of them owns a file. */
export interface InstalledIn extends Installed {
  readonly databases: readonly ReadDatabase[];
  /** @param path  as in the tree; of a file with several names the first */
  ownerOf(path: string): Package | null;
}

/** @param tables  of the image's layers, read with `KEPT_FOR_PACKAGES` */
export function installedIn(tree: FileTree, tables: readonly (EntryTable | null)[]): InstalledIn {
  const isDatabase = pathFilter(packageDatabases);
  const paths = tree.nodes
    .filter(({ inode, path }) => inode.type === 'file' && isDatabase(path))
    .map(n => n.path);
  const read = (path: string) => {
    const inode = tree.get(path)?.inode;
    const table = inode === undefined ? null : (tables[inode.layer] ?? null);
    return table === null ? null : contentOf(table, inode!.index);
  };
  const databases = [...readDatabases({ paths, read })];
  const packages = databases.flatMap(database => database.packages);
  const notes = databases.flatMap(({ path, problems }) => problems.map(reason => ({ path, reason })));
  let owners: ReturnType<typeof ownersOf> | null = null;
  const ownerOf = (path: string) => {
    owners ??= ownersOf(packages, file => locate(tree, file));
    return owners.get(path) ?? null;
  };
  return { packages, notes, databases, ownerOf };
}

/** A package may name a file through a link to its directory, or by a name that is not its first. */
function locate(tree: FileTree, path: string): string | null {
  const slash = path.lastIndexOf('/');
  const { node: directory } = tree.follow(path.slice(0, Math.max(0, slash)));
  const node = directory?.children?.get(path.slice(slash + 1));
  return node === undefined ? null : (node.linkedTo ?? node.path);
}
