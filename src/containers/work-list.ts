import { createReadStream, existsSync, realpathSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { sniff } from '../codec/registry.js';
import { InputError } from '../errors.js';
import { isDenial } from '../permission.js';
import { type BytePath, nameBytes, pathBuffer, shownPath } from '../spec/byte-path.js';
import { cleanPath } from '../tar/path.js';
import { type ArchiveIdentity, findArchive } from './archive-identity.js';
import { beginsArchive, walkPaths } from './archive-walk.js';
import { wholeArguments, withFileName } from './file-name.js';
import { isPattern, pathsMatching } from './file-patterns.js';
import { isImageFolder } from './image-folder.js';
import { HEAD, isTar, isZip } from './kind.js';
import { readInherited } from './pipe.js';
import { reading } from './unreadable.js';
import { timeOf } from './watch.js';

/** The archives that a run is about: the same list on every machine that has the same files. */
export interface WorkList {
  /** Absolute path of the folder that the paths are relative to. */
  readonly root: BytePath;
  /**
   * Relative to the root; absolute where they lie outside of it. Sorted by bytes, without duplicates. `.` is the root
   * itself.
   */
  readonly paths: readonly BytePath[];
  /** The paths that a walk of a folder found, and no argument or list names. */
  readonly walked: ReadonlyMap<BytePath, WalkedAs>;
  /** Paths that were named more than once, beyond their first time. */
  readonly duplicates: number;
  /** Folders that were reached by another path, and walked once. */
  readonly foldersAgain: number;
  /** Results files below folders, which are not items. */
  readonly resultsFiles: number;
}

/** How a walk found an item. */
export type WalkedAs =
  /** A file that may be an archive, or a folder that is an image. */
  | { readonly kind: 'archive' }
  /** A file that is not opened. */
  | { readonly kind: 'other'; readonly reason: string }
  /** A folder that cannot be searched, or is empty: archives may be missing. */
  | { readonly kind: 'unreadable'; readonly error: InputError };

export interface WorkListSource {
  /** Files, folders and patterns as arguments name them, relative to the current directory. */
  readonly paths: readonly string[];
  /** A file of paths, or `-` for standard input; they are relative to the root. */
  readonly filesFrom?: string | undefined;
  /** The root as an argument names it. */
  readonly root?: string | undefined;
  /** Files and folders that the run itself writes: what lies in them is no item. */
  readonly outputs?: readonly string[];
}

/** False for a file that was removed since the list was made. */
export const isStillThere = (file: BytePath): boolean => existsSync(pathBuffer(file));

/** Where Node may not look at it, its name is taken for UTF-8. */
function workingDirectory(): BytePath {
  try {
    return realpathSync('.', 'buffer').toString('latin1');
  } catch (error) {
    if (!isDenial(error)) throw error;
    return nameBytes(process.cwd());
  }
}

/**
 * Makes the work list. No content is read, but to tell folders that are images from those that hold them.
 * @throws InputError for a list that cannot be read or is none, a pattern that matches nothing, and an empty list
 */
export async function readWorkList(given: WorkListSource): Promise<WorkList> {
  const source = { ...given, paths: wholeArguments(given.paths) };
  const cwd = workingDirectory();
  const root = await rootFor(source, cwd);
  const items = new Items(
    root,
    (source.outputs ?? []).map(file => absolutePath(cwd, nameBytes(file))),
  );
  for (const path of source.paths) await items.addArgument(path, cwd);
  if (source.filesFrom !== undefined)
    for (const path of await listedIn(source.filesFrom)) items.name(relativePath(root, path));
  const list = items.list();
  if (list.paths.length === 0) throw nothingIn(source);
  const errors = list.paths.map(path => list.walked.get(path)).filter(as => as?.kind === 'unreadable');
  if (errors[0] !== undefined && errors.length === list.paths.length) throw errors[0].error;
  return list;
}

const nothingIn = ({ paths, filesFrom }: WorkListSource): InputError =>
  filesFrom === undefined
    ? new InputError(
        'nothing but files that waybill itself wrote',
        paths.join(', '),
        'Name a folder of archives.',
      )
    : new InputError('a list without a path', listName(filesFrom), 'Expected one path a line.');

const listName = (file: string) => (file === '-' ? 'standard input' : file);

async function rootFor({ root, paths, filesFrom }: WorkListSource, cwd: BytePath): Promise<BytePath> {
  if (root !== undefined) {
    const path = absolutePath(cwd, nameBytes(root));
    const stats = await reading(root, () => stat(pathBuffer(path)));
    if (!stats.isDirectory())
      throw new InputError('expected a folder, found a file', root, 'It is the --root.');
    return path;
  }
  const [only] = paths;
  if (paths.length !== 1 || only === undefined || filesFrom !== undefined) return cwd;
  const path = absolutePath(cwd, nameBytes(only));
  return (await kindOf(path)) === 'folder' ? path : cwd;
}

/** The type of a file or folder; null where there is none. */
type PathKind = 'file' | 'folder' | 'image-folder' | null;

async function kindOf(path: BytePath): Promise<PathKind> {
  const stats = await stat(pathBuffer(path)).catch(() => null);
  if (stats === null) return null;
  if (!stats.isDirectory()) return 'file';
  const names = await readdir(pathBuffer(path)).catch(() => []);
  if (names.length === 0) return 'folder';
  return (await withFileName(path, folder => isImageFolder(folder, names))) ? 'image-folder' : 'folder';
}

/** A path without `.`, `..` and doubled slashes, by its text alone: no link is followed. */
export function absolutePath(base: BytePath, path: BytePath): BytePath {
  return cleanPath(path.startsWith('/') ? path : `${base}/${path}`);
}

/** The path of an item as records have it: relative to the root, absolute outside of it. */
export function relativePath(root: BytePath, path: BytePath): BytePath {
  // Nearly every path of a list is one already: without the copies a million of them take half the time.
  if (path !== '' && !/^\/|^\.\.(\/|$)/.test(path) && cleanPath(path) === path) return path;
  const absolute = absolutePath(root, path);
  if (absolute === root) return '.';
  const start = root === '/' ? root : `${root}/`;
  return absolute.startsWith(start) ? absolute.slice(start.length) : absolute;
}

/** The items while they are gathered. */
class Items {
  private readonly named: BytePath[] = [];
  private readonly walked = new Map<BytePath, WalkedAs>();
  private duplicates = 0;
  private foldersAgain = 0;
  private resultsFiles = 0;

  constructor(
    private readonly root: BytePath,
    private readonly outputs: readonly BytePath[],
  ) {}

  name(path: BytePath): void {
    this.named.push(path);
  }

  /** A file that is not there is an item too: its record has the error. */
  async addArgument(argument: string, cwd: BytePath): Promise<void> {
    if (argument === '-')
      throw new InputError(
        'an archive on standard input has no path, and cannot be one of many',
        '-',
        'A list of paths is read from it with --files-from -.',
      );
    const path = absolutePath(cwd, nameBytes(argument));
    const found = await kindOf(path);
    if (found !== null || !isPattern(argument)) return this.addFound(path, found);
    for (const match of await pathsMatching(cwd, argument))
      if (!this.isOutput(match.path) && !(await isResultsFile(match.path)))
        await this.addFound(match.path, match.isFile ? 'file' : await kindOf(match.path));
  }

  private async addFound(path: BytePath, found: PathKind): Promise<void> {
    if (found === 'folder') await this.walk(path);
    else this.name(relativePath(this.root, path));
  }

  private async walk(folder: BytePath): Promise<void> {
    let isEmpty = true;
    for await (const found of walkPaths(folder)) {
      isEmpty = false;
      if (found.kind === 'again') this.foldersAgain++;
      else if (this.isOutput(found.file)) continue;
      else if (found.kind === 'archive' && (await isResultsFile(found.file))) this.resultsFiles++;
      else this.find(relativePath(this.root, found.file), found.kind === 'archive' ? AN_ARCHIVE : found);
    }
    if (!isEmpty) return;
    // A mount that failed is such a folder: it must not pass.
    const error = new InputError('a folder without a file', shownPath(folder), 'Is it mounted?');
    this.find(relativePath(this.root, folder), { kind: 'unreadable', error });
  }

  private find(path: BytePath, as: WalkedAs): void {
    if (this.walked.has(path)) this.duplicates++;
    this.walked.set(path, as);
  }

  private isOutput(file: BytePath): boolean {
    return this.outputs.some(
      output => file.startsWith(output) && OUTPUT_REST.test(file.slice(output.length)),
    );
  }

  list(): WorkList {
    const { root, walked, foldersAgain, resultsFiles } = this;
    for (const path of this.named) walked.delete(path) && this.duplicates++;
    const all = [...this.named, ...walked.keys()].sort();
    const paths = all.filter((path, i) => path !== all[i - 1]);
    const duplicates = this.duplicates + all.length - paths.length;
    return { root, paths, walked, duplicates, foldersAgain, resultsFiles };
  }
}

const AN_ARCHIVE: WalkedAs = { kind: 'archive' };

/** Matches the rest of a path below an output, and the ends of names that are written for it. */
const OUTPUT_REST = /^($|\/|\.partial$|\.lock(\.[0-9a-f]+)*$)/;

/** Files that other shards write while this list is made: their number differs from one shard to the next. */
const RESULTS_NAME = /\.ndjson(\.partial|\.lock[^/]*)?$|\/\.[^/]*\.unfinished$/;

/** An archive does not hide behind such a name. A file that is gone was one that another shard has completed. */
const isResultsFile = async (file: BytePath): Promise<boolean> =>
  RESULTS_NAME.test(file) &&
  (!(await withFileName(file, async name => beginsArchive(name)).catch(() => false)) || !isStillThere(file));

/** Bytes of a path. PATH_MAX of limits.h(0p) on Linux */
const LONGEST_PATH = 4096;

/** Bytes of a list. */
const LARGEST_LIST = 2 ** 30;

const [NUL, LF, CR] = [0, 10, 13];

/**
 * The paths in a list: ended by NULs if there is one, else lines, with LF or CR LF. Empty ones are left out, and
 * nothing else.
 * @param file  a path, or `-` for standard input
 */
async function listedIn(file: string): Promise<BytePath[]> {
  const where = listName(file);
  const chunks: Buffer[] = [];
  let size = 0;
  if (file !== '-' && !existsSync(file))
    throw new InputError('there is no such file', where, 'Name a list of paths, or - for standard input.');
  await reading(where, async () => {
    for await (const chunk of file === '-' ? readInherited(0) : createReadStream(file)) {
      // The block that it lies in is filled again.
      chunks.push(Buffer.from(chunk as Uint8Array));
      size += chunk.length;
      if (size > LARGEST_LIST) throw notAList(where, `more than ${LARGEST_LIST} bytes`);
    }
  });
  const [first = Buffer.alloc(0)] = chunks;
  if (/^(\xff\xfe|\xfe\xff)/.test(first.toString('latin1', 0, 2))) throw notAList(where, 'UTF-16');
  const head = first.subarray(0, HEAD);
  if (isZip(head) || isTar(head) || sniff(head) !== 'none') throw notAList(where, 'an archive');
  const end = chunks.some(chunk => chunk.includes(NUL)) ? NUL : LF;
  return pathsIn(chunks, end, where);
}

const notAList = (where: string, found: string) =>
  new InputError(
    `expected a list of paths, one a line or each ended by a NUL, found ${found}`,
    where,
    'Make it with `find … -print0`, and name archives as arguments.',
  );

/** @param chunks  are let go of one after the other */
function pathsIn(chunks: Buffer[], end: number, where: string): BytePath[] {
  const paths: BytePath[] = [];
  const add = (text: BytePath) => {
    const path = end === LF && text.charCodeAt(text.length - 1) === CR ? text.slice(0, -1) : text;
    if (path.length > LONGEST_PATH)
      throw notAList(where, `a path of ${path.length} bytes behind ${paths.length} others`);
    if (path !== '') paths.push(path);
  };
  /** The beginning of a path that ends in a later chunk. */
  let begun = '';
  for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
    let from = 0;
    for (let at = chunk.indexOf(end); at >= 0; at = chunk.indexOf(end, from)) {
      add(begun + chunk.toString('latin1', from, at));
      begun = '';
      from = at + 1;
    }
    begun += chunk.toString('latin1', from);
  }
  add(begun);
  return paths;
}

/** The state of an item, by which it is known again. */
export interface ItemState {
  /** Bytes; null for a folder, and where nothing is there. */
  readonly size: number | null;
  /**
   * RFC 3339 with nanoseconds, UTC; of a folder the latest of it and all that is below. null where nothing is there.
   */
  readonly mtime: string | null;
  /** null for anything but a regular file, or a folder of such files. */
  readonly identity: ArchiveIdentity | null;
}

/** Looks an item up, through symlinks. */
export function itemState(root: BytePath, path: BytePath): ItemState {
  const found = findArchive(absolutePath(root, path));
  if (found === null) return { size: null, mtime: null, identity: null };
  const { stats, mtimeNs, identity } = found;
  return { size: stats.isDirectory() ? null : Number(stats.size), mtime: timeOf(mtimeNs), identity };
}

/** Items that are looked up before other work of this thread has its turn. */
const LOOKED_UP = 100;

/**
 * Bytes of every item of a list, in its order, to balance shards: of a folder the sum of its files, 0 where nothing is
 * there.
 */
export async function itemSizes({ root, paths }: Pick<WorkList, 'root' | 'paths'>): Promise<number[]> {
  const sizes: number[] = [];
  for (const path of paths) {
    sizes.push(Number(findArchive(absolutePath(root, path))?.bytes ?? 0));
    if (sizes.length % LOOKED_UP === 0) await setImmediate();
  }
  return sizes;
}
