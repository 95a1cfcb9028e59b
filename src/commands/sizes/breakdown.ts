import {
  breakdown,
  byDirectory,
  byExtension,
  byFile,
  byLayer,
  type Grouping,
  type Share,
  type Weight,
} from '../../analysis/breakdown.js';
import { unpack } from '../../analysis/hidden-files.js';
import type { FileTree } from '../../filesystem/file-tree.js';
import { layerFaults, tablesOf } from '../../filesystem/layer-tables.js';
import type { Image } from '../../link/graph.js';
import { type Installed, packageDatabases, packagesOf } from '../../packages/databases.js';
import { type DatabaseNote, ownersOf, type Package } from '../../packages/package.js';
import { contentOf } from '../../scan/entries/content.js';
import { nameText } from '../../scan/entries/name.js';
import { pathFilter } from '../../scan/entries/path-filter.js';
import type { EntryTable } from '../../scan/entries/table.js';
import type { Scan } from '../../scan/scan.js';

/** The file contents that must be kept for `installedIn`. */
export const KEPT_FOR_PACKAGES = { keep: packageDatabases };

/** The packages of an image, and the owner of each file. */
interface InstalledIn extends Installed {
  /** @param path  as in the tree; for a file with several names the first */
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
  const installed = packagesOf({ paths, read });
  let owners: ReturnType<typeof ownersOf> | null = null;
  const ownerOf = (path: string) => {
    owners ??= ownersOf(installed.packages, file => locate(tree, file));
    return owners.get(path) ?? null;
  };
  return { ...installed, ownerOf };
}

/** A package may name a file through a link to its directory, or by a name that is not its first. */
function locate(tree: FileTree, path: string): string | null {
  const slash = path.lastIndexOf('/');
  const { node: directory } = tree.follow(path.slice(0, Math.max(0, slash)));
  const node = directory?.children?.get(path.slice(slash + 1));
  return node === undefined ? null : (node.linkedTo ?? node.path);
}

export type By = 'layer' | 'directory' | 'file' | 'extension' | 'package';

type SortKey = 'shipped' | 'bytes' | 'files' | 'name';

export interface BreakdownOptions {
  readonly by: By;
  /** Depth of directories: 1 for those in the root. Default 2. */
  readonly depth?: number | undefined;
  /** Maximum number of rows. */
  readonly top?: number | undefined;
  /** Only files whose paths match one of these patterns, or are below such a path. */
  readonly where?: readonly string[] | undefined;
  /** Largest first, or names from A to Z. Default `shipped`. */
  readonly sort?: SortKey | undefined;
}

/** Sizes of groups of an image's files. Bytes of regular files. */
export interface BreakdownReport extends Weight {
  readonly by: By;
  /** Number of rows, including those that are not printed. */
  readonly count: number;
  /** True if the entries of a layer are not all known, so that all sums may be too low. */
  readonly partial: boolean;
  readonly rows: readonly BreakdownRow[];
  /** Package databases that could not be read, or not to their end. */
  readonly notes: readonly DatabaseNote[];
}

export interface BreakdownRow extends Share {
  /**
   * Path without a leading slash (empty for the root), extension with its dot, name of a package, or index of a layer.
   * Empty for files that belong to no group.
   */
  readonly name: string;
  /** The package of the row, for a breakdown by package; null otherwise. */
  readonly package: Pick<Package, 'manager' | 'version' | 'arch'> | null;
}

export function breakdownOf(scan: Scan, image: Image, options: BreakdownOptions): BreakdownReport {
  const tables = tablesOf(scan, image);
  const unpacked = unpack(tables);
  const { by, depth = 2, top, where, sort = 'shipped' } = options;
  const isWanted = pathFilter(where ?? []);
  const wanted = (path: string) => where === undefined || isWanted(nameText(path));
  const installed = by === 'package' ? installedIn(unpacked.tree, tables) : null;
  const packages = new Map<string, Package>();
  const byPackage: Grouping = path => {
    const owner = installed?.ownerOf(path) ?? null;
    if (owner === null) return [''];
    const key = [owner.manager, owner.name, owner.version, owner.arch].join('\0');
    packages.set(key, owner);
    return [key];
  };
  const groupings: Readonly<Record<By, Grouping>> = {
    layer: byLayer,
    directory: byDirectory(depth),
    file: byFile,
    extension: byExtension,
    package: byPackage,
  };
  const { shares, all } = breakdown(unpacked, groupings[by], wanted);
  const rows = shares.map(share => rowOf(share, packages.get(share.name) ?? null)).sort(ORDERS[sort]);
  const partial = layerFaults(scan, image).some(({ kind }) => kind === 'incomplete');
  return { by, ...all, count: rows.length, partial, rows: rows.slice(0, top), notes: installed?.notes ?? [] };
}

function rowOf(share: Share, owner: Package | null): BreakdownRow {
  if (owner === null) return { ...share, name: nameText(share.name), package: null };
  const { manager, name, version, arch } = owner;
  return { ...share, name, package: { manager, version, arch } };
}

function byName(a: BreakdownRow, b: BreakdownRow): number {
  // Names of layers are numbers of different length.
  const isShorter = a.name.length - b.name.length;
  const order = a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
  return LAYER.test(a.name) && LAYER.test(b.name) ? isShorter || order : order;
}

const LAYER = /^\d+$/;

const ORDERS: Readonly<Record<SortKey, (a: BreakdownRow, b: BreakdownRow) => number>> = {
  shipped: (a, b) => b.shipped - a.shipped || byName(a, b),
  bytes: (a, b) => b.bytes - a.bytes || byName(a, b),
  files: (a, b) => b.files - a.files || byName(a, b),
  name: byName,
};
