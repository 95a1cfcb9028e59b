import { createHmac, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readBytes } from '../containers/text-file.js';
import { InputError, isSystemError, reasonOf } from '../errors.js';

/** In DIR: entries in 256 folders, files that are being written, the key, and what is known about its size. */
export const ENTRIES = 'entries';
export const UNFINISHED = 'unfinished';
export const USAGE = 'usage';
const KEY = 'key';
/** https://bford.info/cachedir/: programs that make backups leave the directory out. */
const TAG = 'CACHEDIR.TAG';
const TAG_TEXT = `Signature: 8a477f597d28d172789f06886806bc55
# This directory is a cache of waybill. It can be deleted at any time.
`;

const KEY_BYTES = 32;
/** Fewer bytes could be guessed. */
const LEAST_KEY_BYTES = 16;

/** Most bytes of the file of a secret. */
const MOST_KEY_BYTES = 64 * 1024;
const MAKE_KEY = 'Make one: `head -c 32 /dev/urandom > FILE`.';

/** The secret in a file that the user names. @throws InputError for one that cannot be read */
export async function readSecret(file: string): Promise<Uint8Array> {
  const read = await readBytes(file, MOST_KEY_BYTES);
  if ('reason' in read) throw new InputError(`--cache-key: ${read.reason}`, file, MAKE_KEY);
  const { bytes } = read;
  if (bytes.length >= LEAST_KEY_BYTES) return bytes;
  throw new InputError(
    `--cache-key: expected at least ${LEAST_KEY_BYTES} bytes, found ${bytes.length}`,
    file,
    MAKE_KEY,
  );
}

/** The secret that signs the entries of a cache. Who knows it can write entries. */
export interface CacheSecret {
  readonly secret: Uint8Array;
  /** Whether a file of the user's holds it: then others may read and write the directory. */
  readonly isGiven: boolean;
}

/** A directory that can be used, or the reason why the run goes on without it. */
export type OpenedDirectory =
  | { readonly dir: string; readonly secret: CacheSecret }
  | { readonly problem: string };

const isOurSystem = process.getuid !== undefined;

/** Files that may lie in a new file system, and those of the system. */
const isIgnored = (name: string): boolean => name === 'lost+found' || name.startsWith('.');

/**
 * Makes and checks a cache's directory.
 * @param given  what `readSecret` gave; null without `--cache-key`
 * @throws InputError for a directory that is none, holds other files, or into which others may write
 */
export function openDirectory(dir: string, given: Uint8Array | null): OpenedDirectory {
  try {
    return opened(dir, given);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOTDIR' || error.code === 'EEXIST') throw notDirectory(dir);
    return { problem: `the cache ${dir} is not used: ${reasonOf(error)}` };
  }
}

const notDirectory = (dir: string) =>
  new InputError('expected a directory, found something else', dir, 'Name a directory with --cache.');

function opened(dir: string, given: Uint8Array | null): OpenedDirectory {
  const mode = given === null ? 0o700 : 0o777;
  makeFolders(resolve(dir), mode);
  const real = realpathSync(dir);
  const stats = statSync(real);
  if (!stats.isDirectory()) throw notDirectory(dir);
  const names = readdirSync(real).filter(name => !isIgnored(name));
  if (names.length > 0 && !names.includes(TAG))
    throw new InputError(
      `expected an empty directory or a cache, found other files (${names.slice(0, 3).join(', ')})`,
      dir,
      'Name a directory of its own with --cache.',
    );
  if (given === null) refuseOthers(dir, stats);
  if (!names.includes(TAG)) createOnce(real, TAG, Buffer.from(TAG_TEXT), given === null ? 0o600 : 0o666);
  for (const folder of [ENTRIES, UNFINISHED])
    if (!names.includes(folder)) makeFolder(join(real, folder), mode);
  const secret = given ?? keyIn(real, dir);
  return { dir: real, secret: { secret, isGiven: given !== null } };
}

/** Another process may have made it meanwhile. */
export function makeFolder(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/**
 * A folder with those above it. Hazard: Node's own `recursive` loops for ever where a folder cannot be created and its
 * parent exists, as in /proc.
 */
function makeFolders(folder: string, mode: number): void {
  const parent = dirname(folder);
  if (!existsSync(parent)) makeFolders(parent, 0o777);
  makeFolder(folder, mode);
}

const WITH_KEY = 'or sign its entries: --cache-key FILE';

/** Hazard: who may write into the directory could replace its key, and with it every entry. */
function refuseOthers(dir: string, { uid, mode }: Stats): void {
  if (!isOurSystem) return;
  if (uid !== process.getuid!() && uid !== 0)
    throw new InputError(
      `expected a directory of this user (${process.getuid!()}) or of root, found one of user ${uid}, who could change what is kept`,
      dir,
      `Use a directory of your own, ${WITH_KEY}.`,
    );
  if ((mode & 0o022) === 0) return;
  const others = (mode & 0o002) === 0 ? 'its group' : 'every user';
  const shown = (mode & 0o7777).toString(8).padStart(4, '0');
  throw new InputError(
    `expected a directory into which no other user may write, found mode ${shown}: ${others} could change what is kept`,
    dir,
    `Take that right away, \`chmod go-w ${dir}\`, ${WITH_KEY}.`,
  );
}

/** The key of the directory, which the first process makes. */
function keyIn(real: string, dir: string): Uint8Array {
  const file = join(real, KEY);
  let key = readKey(file, dir);
  if (key === null) {
    createOnce(real, KEY, randomBytes(KEY_BYTES), 0o600);
    key = readKey(file, dir);
  }
  if (key !== null) return key;
  throw new InputError(
    `expected a key of ${KEY_BYTES} bytes`,
    file,
    'Delete the cache: its entries are worth nothing without it.',
  );
}

/** null where there is none. @throws InputError for a key that another user may know or have made */
function readKey(file: string, dir: string): Uint8Array | null {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    if ((error as NodeJS.ErrnoException).code !== 'ELOOP') throw error;
    throw new InputError('expected the key of the cache, found a symlink', file, `Delete ${dir}.`);
  }
  try {
    const stats = fstatSync(fd);
    const isOurs = !isOurSystem || stats.uid === process.getuid!() || stats.uid === 0;
    const isPrivate = !isOurSystem || (stats.mode & 0o077) === 0;
    if (!stats.isFile() || stats.size !== KEY_BYTES || !isOurs || !isPrivate)
      throw new InputError(
        `expected a file of ${KEY_BYTES} bytes that only this user may read, found ${foundKey(stats)}`,
        file,
        `Delete ${dir}: another user may know the key, and could have changed what is kept. Or sign its entries: --cache-key FILE.`,
      );
    const bytes = new Uint8Array(KEY_BYTES);
    return readSync(fd, bytes, 0, KEY_BYTES, 0) === KEY_BYTES ? bytes : null;
  } finally {
    closeSync(fd);
  }
}

const foundKey = (stats: Stats): string =>
  stats.isFile()
    ? `${stats.size} bytes, user ${stats.uid}, mode ${(stats.mode & 0o7777).toString(8).padStart(4, '0')}`
    : 'no file';

/** Creates a file with all of its content at once, unless there is one already. */
function createOnce(dir: string, name: string, bytes: Uint8Array, mode: number): void {
  const own = join(dir, `.${name}-${randomBytes(8).toString('hex')}`);
  try {
    writeFileSync(own, bytes, { flag: 'wx', mode });
    linkSync(own, join(dir, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    if (!NO_LINKS.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    // A file system without hard links: a process that reads at this moment finds too few bytes, and says so.
    writeFileSync(join(dir, name), bytes, { flag: 'wx', mode });
  } finally {
    try {
      unlinkSync(own);
    } catch {
      // It could not be created.
    }
  }
}

const NO_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** Keys for one purpose each: who knows one does not know the others. */
export const derived = ({ secret }: CacheSecret, purpose: string): Buffer =>
  createHmac('sha256', secret).update(`waybill cache: ${purpose}`).digest();
