import { type BigIntStats, readdirSync, realpathSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sniff } from '../codec/registry.js';
import { InputError, isSystemError } from '../errors.js';
import { isTarOrZipName } from '../spec/archive-name.js';
import { type BytePath, nameBytes, pathBuffer, shownPath } from '../spec/byte-path.js';
import { rootOf } from '../spec/markers.js';
import { withFileName } from './file-name.js';
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
  | WalkedRest<string>;

/** The same by bytes: the identity of files is not looked up. */
export type WalkedPath =
  | { readonly kind: 'archive'; readonly file: BytePath; readonly inside: boolean }
  | WalkedRest<BytePath>;

type WalkedRest<Path> =
  /** A file that is not opened, such as a socket. */
  | { readonly kind: 'other'; readonly file: Path; readonly reason: string }
  /** A folder that was walked by another path. */
  | { readonly kind: 'again'; readonly what: 'folder'; readonly file: Path; readonly first: Path }
  | { readonly kind: 'unreadable'; readonly file: Path; readonly error: InputError };

/**
 * All files below a folder that may be archives, in the order of names, symlinks last. Symlinks are followed, except to
 * a folder that contains them; a folder that is reached twice is walked once. FIFOs and sockets are not opened, because
 * that would block. A name that is not UTF-8 is given as text, by which it cannot be opened.
 */
export async function* walkArchives(root: string): AsyncGenerator<WalkedItem> {
  for await (const found of walkPaths(nameBytes(root))) {
    const file = textOf(found.file);
    if (found.kind === 'archive') yield await withKey(file, found.inside);
    else if (found.kind === 'again') yield { ...found, file, first: textOf(found.first) };
    else yield { ...found, file };
  }
}

/** As `join` writes it: without `./` and doubled slashes. */
const textOf = (path: BytePath): string => join(pathBuffer(path).toString('utf8'));

async function withKey(file: string, inside: boolean): Promise<WalkedItem> {
  try {
    return { kind: 'archive', file, key: identity(await stat(file, { bigint: true })), inside };
  } catch (error) {
    return { ...failure(nameBytes(file), error), file };
  }
}

/** As `walkArchives`, by the bytes of paths. */
export async function* walkPaths(root: BytePath): AsyncGenerator<WalkedPath> {
  const visited: Visited = new Map();
  let folder: OpenFolder;
  try {
    folder = { file: root, key: identity(statOf(root)), entries: entriesOf(root), inside: false };
  } catch (error) {
    yield failure(root, error);
    return;
  }
  yield* enter(folder, visited);
}

/** Paths of folders by device and inode. */
type Visited = Map<string, BytePath>;

interface OpenFolder {
  readonly file: BytePath;
  readonly key: string;
  readonly entries: readonly FolderEntry[];
  /** It lies in an image folder. */
  readonly inside: boolean;
}

/** A path below a folder. */
const below = (folder: BytePath, name: string): BytePath =>
  folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;

interface FolderEntry {
  /** Bytes, one a character. */
  readonly name: string;
  readonly isFile: boolean;
  readonly isLink: boolean;
}

/** Synchronously: of thousands of folders, waiting for each would take most of the time. */
const statOf = (file: BytePath): BigIntStats => statSync(pathBuffer(file), { bigint: true });

/** Sorted by name, symlinks last: a file that a symlink leads to is reported by its own name. */
function entriesOf(folder: BytePath): FolderEntry[] {
  const found = readdirSync(pathBuffer(folder), { withFileTypes: true, encoding: 'buffer' });
  const entries = found
    .map(entry => ({
      name: entry.name.toString('latin1'),
      isFile: entry.isFile(),
      isLink: entry.isSymbolicLink(),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...entries.filter(({ isLink }) => !isLink), ...entries.filter(({ isLink }) => isLink)];
}

/** Device and inode, which identify a file on this machine. */
const identity = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`;

/** The same of a path; null where nothing is there. */
export async function fileKey(file: string): Promise<string | null> {
  const stats = await stat(file, { bigint: true }).catch(() => null);
  return stats === null ? null : identity(stats);
}

function failure(file: BytePath, error: unknown): WalkedRest<BytePath> {
  const refused = unreadable(error, shownPath(file));
  if (!(refused instanceof InputError)) throw refused;
  return { kind: 'unreadable', file, error: refused };
}

async function* look(entry: FolderEntry, place: OpenFolder, visited: Visited): AsyncGenerator<WalkedPath> {
  const file = below(place.file, entry.name);
  if (entry.isFile) {
    yield { kind: 'archive', file, inside: place.inside };
    return;
  }
  const other = (reason: string): WalkedPath => ({ kind: 'other', file, reason });
  let stats: BigIntStats;
  try {
    stats = statOf(file);
  } catch (error) {
    const reason = DEAD_LINKS[(error as NodeJS.ErrnoException).code ?? ''];
    if (reason === undefined) yield failure(file, error);
    else if (!isTarOrZipName(entry.name)) yield other(reason);
    else {
      const refused = new InputError(reason, shownPath(file), null, { cause: error, damaged: true });
      yield { kind: 'unreadable', file, error: refused };
    }
    return;
  }
  const key = identity(stats);
  const first = visited.get(key);
  if (stats.isFile()) yield { kind: 'archive', file, inside: place.inside };
  else if (!stats.isDirectory()) yield other(kindOf(stats));
  else if (entry.isLink && leadsBack(file, place.file)) yield other('a symlink to a folder that it lies in');
  else if (first !== undefined) yield { kind: 'again', what: 'folder', file, first };
  else yield* open(file, key, place.inside, visited);
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

function leadsBack(file: BytePath, folder: BytePath): boolean {
  const [target, here] = [file, folder].map(path => {
    try {
      return realpathSync(pathBuffer(path), 'buffer').toString('latin1');
    } catch {
      return path;
    }
  });
  return target === here || here!.startsWith(below(target!, ''));
}

async function* open(
  file: BytePath,
  key: string,
  inside: boolean,
  visited: Visited,
): AsyncGenerator<WalkedPath> {
  let entries: readonly FolderEntry[];
  try {
    entries = entriesOf(file);
  } catch (error) {
    visited.set(key, file);
    yield failure(file, error);
    return;
  }
  yield* enter({ file, key, entries, inside }, visited);
}

/** The entries of a folder that belong to its image; null if it is not an image. */
const imageMembers = async (name: string, names: readonly string[]): Promise<ReadonlySet<string> | null> =>
  (await isImageFolder(name, names)) ? membersOf(name, names) : null;

async function* enter(folder: OpenFolder, visited: Visited): AsyncGenerator<WalkedPath> {
  const { file, key, entries, inside } = folder;
  visited.set(key, file);
  const names = entries.map(({ name }) => textOf(name));
  let own: ReadonlySet<string> | null;
  try {
    own = names.length === 0 ? null : await withFileName(file, name => imageMembers(name, names));
  } catch (error) {
    yield failure(file, error);
    return;
  }
  if (own === null) {
    for (const entry of entries) yield* look(entry, folder, visited);
    return;
  }
  yield { kind: 'archive', file, inside };
  for (const entry of entries)
    if (!own.has(textOf(entry.name))) yield* look(entry, { ...folder, inside: true }, visited);
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
export function beginsArchive(file: string): boolean {
  try {
    const head = readHead({ file, start: 0, length: HEAD, deflated: false }, HEAD);
    return isZip(head) || isTar(head) || sniff(head) !== 'none';
  } catch {
    return true;
  }
}
