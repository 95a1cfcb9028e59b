import { createHash } from 'node:crypto';
import { diffIdOf } from '../analysis/base.js';
import { breakdown } from '../analysis/breakdown.js';
import type { Sizes } from '../analysis/weigh.js';
import type { Package } from '../packages/package.js';
import { nameText } from '../scan/entries/name.js';
import { wordsWithoutSecrets } from '../secrets/search.js';
import type { ImageSubject } from './subject.js';

/**
 * The facts of an image that a later image is compared with, without its archive. Part of `waybill check --json`.
 * Values of environment variables are not in it, for some are secrets.
 */
export interface Inventory {
  readonly version: 1;
  /** Whether the files of all layers are known; what follows from files is at least that otherwise. */
  readonly complete: boolean;
  /** Sums over all layers. */
  readonly sizes: Sizes;
  readonly layers: readonly InventoryLayer[];
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** As the config has them: `8080/tcp`. */
  readonly ports: readonly string[];
  readonly env: readonly InventoryVariable[];
  /** null where the files were not read. */
  readonly setuid: readonly InventoryFile[] | null;
  readonly directories: Directories | null;
  /** null where the package databases were not read. */
  readonly packages: readonly InventoryPackage[] | null;
}

export interface InventoryLayer {
  /** The diff_id of the unpacked bytes; the claim of the config if they were not read. */
  readonly diffId: string | null;
  /** The line of a Dockerfile that made it; empty where nothing tells. */
  readonly instruction: string;
  /** Bytes; null where not known. */
  readonly unpacked: number | null;
}

export interface InventoryVariable {
  readonly name: string;
  /**
   * The first 8 digits of the sha256 of its value: whether it is another one can be told. Hazard: a short password can
   * be guessed from it, as from the fingerprint of a secret.
   */
  readonly valueHash: string;
}

export interface InventoryFile {
  /** Without a leading slash. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface Directories {
  /** Directories that are not listed have shipped at most so many bytes each. */
  readonly unlisted: number;
  /** The largest ones, by their paths; with all that is below them. */
  readonly list: readonly InventoryDirectory[];
}

export interface InventoryDirectory {
  /** Without a leading slash; empty for the root. */
  readonly path: string;
  /** Bytes of regular files in all layers, hidden or not. */
  readonly shipped: number;
}

export interface InventoryPackage extends Pick<Package, 'manager' | 'name' | 'version' | 'arch'> {
  /** Bytes of the files that it owns, in all layers. */
  readonly shipped: number;
}

/** Directories that are kept: an image of a Debian root and a node_modules tree has some five thousand. */
const MOST_DIRECTORIES = 5000;
/** Files with setuid or setgid that are kept; a distribution with everything installed has a hundred. */
export const MOST_SETUID = 10_000;
const SPECIAL = 0o6000;

export function inventoryOf(subject: ImageSubject): Inventory {
  const { report, layerSizes, run, sizes, part } = subject;
  const isRead = part.scan.depth === 'files';
  return {
    version: 1,
    complete: isRead && subject.unread === null,
    sizes,
    layers: report.layers.map((layer, i) => ({
      diffId: diffIdOf(layer),
      instruction: subject.instructionOf(i) ?? '',
      unpacked: layerSizes[i]!.unpacked,
    })),
    user: run.user,
    entrypoint: wordsWithoutSecrets(run.entrypoint),
    cmd: wordsWithoutSecrets(run.cmd),
    ports: [...run.exposedPorts].sort(),
    env: run.env.map(variableOf),
    setuid: isRead ? setuidIn(subject).slice(0, MOST_SETUID) : null,
    directories: isRead ? directoriesOf(directorySizes(subject)) : null,
    packages: isRead ? packagesOf(subject) : null,
  };
}

function variableOf(entry: string): InventoryVariable {
  const equals = entry.indexOf('=');
  const [name, value] = equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
  return { name, valueHash: createHash('sha256').update(value).digest('hex').slice(0, 8) };
}

/** All of them, also those that are given the bits by the entry of a hard link: a path for each mode and owner. */
export function setuidIn(subject: ImageSubject): InventoryFile[] {
  return subject
    .unusualFiles('image')
    .filter(({ type, mode }) => type === 'file' && (mode & SPECIAL) !== 0)
    .map(({ path, mode, entry: { uid, gid } }) => ({ path, mode, uid, gid }));
}

/** Bytes of all that is below each directory, hidden or not, by path. */
export function directorySizes({ unpacked }: ImageSubject): Map<string, number> {
  const { shares } = breakdown(
    unpacked,
    path => [path.slice(0, Math.max(0, path.lastIndexOf('/')))],
    () => true,
  );
  const sizes = new Map<string, number>();
  for (const { name, shipped } of shares)
    for (const path of waysUp(nameText(name))) sizes.set(path, (sizes.get(path) ?? 0) + shipped);
  return sizes;
}

/** A directory and all above it, up to the root. */
export function* waysUp(path: string): Generator<string> {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) yield at;
  yield '';
}

function directoriesOf(sizes: ReadonlyMap<string, number>): Directories {
  const sorted = [...sizes].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const kept = sorted.slice(0, MOST_DIRECTORIES);
  return {
    unlisted: sorted[MOST_DIRECTORIES]?.[1] ?? 0,
    list: kept.map(([path, shipped]) => ({ path, shipped })).sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

function packagesOf({ installed, unpacked }: ImageSubject): InventoryPackage[] {
  const { packages, ownerOf } = installed;
  const { shares } = breakdown(
    unpacked,
    path => keyOf(ownerOf(path)),
    () => packages.length > 0,
  );
  const sizes = new Map(shares.map(({ name, shipped }) => [name, shipped]));
  return packages.map(one => {
    const { manager, name, version, arch } = one;
    return { manager, name, version, arch, shipped: sizes.get(keyOf(one)[0]!) ?? 0 };
  });
}

const keyOf = (owner: Package | null): string[] =>
  owner === null ? [] : [[owner.manager, owner.name, owner.version, owner.arch].join('\0')];
