import type { BigIntStats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { sniff } from '../codec/registry.js';
import { InputError, isSystemError } from '../errors.js';
import { rootOf } from '../spec/markers.js';
import { isImageFolder, membersOf, namesTwoLevelsDown } from './image-folder.js';
import { HEAD, isTar, isZip } from './kind.js';

import { readHead } from './read.js';
import { unreadable } from './unreadable.js';

/** A file or folder that a walk found. */
export type WalkedItem =
  /**
   * A file that may be an archive, or a folder that is an image. `inside` an image folder, whose members it is not one
   * of.
   */
  | { readonly kind: 'archive'; readonly file: string; readonly key: string; readonly inside: boolean }
  /** A file that is not opened, such as a socket. */
  | { readonly kind: 'other'; readonly file: string; readonly reason: string }
  /** A folder that was walked by another path. */
  | { readonly kind: 'again'; readonly what: 'folder'; readonly file: string; readonly first: string }
  | { readonly kind: 'unreadable'; readonly file: string; readonly error: InputError };

/**
 * All files below a folder that may be archives, in the order of names, symlinks last. Symlinks are followed, except to
 * a folder that contains them; a folder that is reached twice is walked once. FIFOs and sockets are not opened, because
 * that would block.
 */
export async function* walkArchives(root: string): AsyncGenerator<WalkedItem> {
  const visited: Visited = new Map();
  const key = await fileKey(root);
  if (key === null) yield* walk({ folder: root, inside: false }, visited);
  else yield* enter(root, key, { folder: root, inside: false }, visited);
}

/** Paths of folders by device and inode. */
type Visited = Map<string, string>;

interface WalkedFolder {
  readonly folder: string;
  readonly inside: boolean;
}

async function* walk(place: WalkedFolder, visited: Visited): AsyncGenerator<WalkedItem> {
  const { folder } = place;
  let names: readonly string[];
  try {
    visited.set(identity(await stat(folder, { bigint: true })), folder);
    names = await namesIn(folder);
  } catch (error) {
    yield failure(folder, error);
    return;
  }
  for (const name of names) yield* look(join(folder, name), place, visited);
}

/** Sorted by name, symlinks last: a file that a symlink leads to is reported by its own name. */
async function namesIn(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const [links, others] = [true, false].map(isLink => entries.filter(e => e.isSymbolicLink() === isLink));
  return [...others!, ...links!].map(({ name }) => name);
}

/** Device and inode, which identify a file on this machine. */
const identity = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`;

/** The same of a path; null where nothing is there. */
export async function fileKey(file: string): Promise<string | null> {
  const stats = await stat(file, { bigint: true }).catch(() => null);
  return stats === null ? null : identity(stats);
}

function failure(file: string, error: unknown): WalkedItem {
  const refused = unreadable(error, file);
  if (!(refused instanceof InputError)) throw refused;
  return { kind: 'unreadable', file, error: refused };
}

async function* look(file: string, place: WalkedFolder, visited: Visited): AsyncGenerator<WalkedItem> {
  const other = (reason: string): WalkedItem => ({ kind: 'other', file, reason });
  let stats: BigIntStats;
  try {
    stats = await stat(file, { bigint: true });
  } catch (error) {
    const reason = DEAD_LINKS[(error as NodeJS.ErrnoException).code ?? ''];
    yield reason === undefined ? failure(file, error) : other(reason);
    return;
  }
  const key = identity(stats);
  const first = visited.get(key);
  if (stats.isFile()) yield { kind: 'archive', file, key, inside: place.inside };
  else if (!stats.isDirectory()) yield other(kindOf(stats));
  else if (await leadsBack(file, place.folder)) yield other('a symlink to a folder that it lies in');
  else if (first !== undefined) yield { kind: 'again', what: 'folder', file, first };
  else yield* enter(file, key, place, visited);
}

/** Errors of a symlink that leads nowhere. errno(3) */
const DEAD_LINKS: Readonly<Record<string, string>> = {
  ENOENT: 'a symlink to what is not there',
  ELOOP: 'a symlink to itself',
};

function kindOf(stats: BigIntStats): string {
  if (stats.isFIFO()) return 'a named pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}

async function leadsBack(file: string, folder: string): Promise<boolean> {
  const [target, here] = await Promise.all([file, folder].map(path => realpath(path).catch(() => path)));
  return !/^\.\.(\/|$)/.test(relative(target!, here!));
}

async function* enter(
  file: string,
  key: string,
  { inside }: WalkedFolder,
  visited: Visited,
): AsyncGenerator<WalkedItem> {
  const names = await namesIn(file).catch(() => []);
  if (!(await isImageFolder(file, names))) {
    yield* walk({ folder: file, inside }, visited);
    return;
  }
  visited.set(key, file);
  yield { kind: 'archive', file, key, inside };
  const own = await membersOf(file, names);
  for (const name of names)
    if (!own.has(name)) yield* look(join(file, name), { folder: file, inside: true }, visited);
}

/**
 * Whether a path names one archive: a file, standard input, a folder that is an image, or a folder that holds one image
 * folder and no other archives. Any other folder is searched for archives.
 * @throws InputError for a folder that cannot be read
 */
export async function isOneArchive(file: string): Promise<boolean> {
  const names = await namesOf(file);
  if (names === null) return true;
  if (await isImageFolder(file, names)) return !(await holdsOthers(file, file));
  const root = rootOf(await namesTwoLevelsDown(file, names));
  if (root === null || root === '') return false;
  return !(await holdsOthers(file, join(file, root.slice(0, -1))));
}

/** Whether a folder holds, besides one image folder, a file that may be an archive. */
async function holdsOthers(folder: string, own: string): Promise<boolean> {
  for await (const found of walkArchives(folder)) {
    if (found.kind === 'unreadable') return true;
    if (found.kind === 'archive' && found.file !== own && beginsArchive(found.file)) return true;
  }
  return false;
}

/** The entries of a folder; null where the path is not a folder, or does not exist. */
async function namesOf(file: string): Promise<string[] | null> {
  if (file === '-') return null;
  try {
    return await readdir(file);
  } catch (error) {
    if (!isSystemError(error) || error.code === 'ENOTDIR' || error.code === 'ENOENT') return null;
    throw unreadable(error, file);
  }
}

/** Whether a file begins as archives do, or is an image folder. */
function beginsArchive(file: string): boolean {
  try {
    const head = readHead({ file, start: 0, length: HEAD, deflated: false }, HEAD);
    return isZip(head) || isTar(head) || sniff(head) !== 'none';
  } catch {
    return true;
  }
}
