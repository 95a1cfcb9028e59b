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
import { installedIn } from '../../analysis/installed.js';
import { pathFilter } from '../../containers/path-filter.js';
import { layerFaults, tablesOf } from '../../filesystem/layer-tables.js';
import type { Image } from '../../link/graph.js';
import type { DatabaseNote, Package } from '../../packages/package.js';
import { nameText } from '../../scan/entries/name.js';
import type { Scan } from '../../scan/scan.js';

export const BREAKDOWNS = ['layer', 'directory', 'file', 'extension', 'package'] as const;
export type By = (typeof BREAKDOWNS)[number];

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
  /** How many layers are those of the base, so that what is above it is told apart; null where no base is known. */
  readonly baseLayers?: number | null | undefined;
}

/** Sizes of groups of an image's files. Bytes of regular files. */
export interface BreakdownReport extends Weight {
  readonly by: By;
  /** The part of it in layers above the base; left out where no base is known. */
  readonly ours?: Weight;
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
  const { by, depth = 2, top, where, sort = 'shipped', baseLayers = null } = options;
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
  const { shares, all } = breakdown(unpacked, groupings[by], wanted, baseLayers);
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
