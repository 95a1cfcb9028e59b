import { isUtf8 } from 'node:buffer';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, reasonOf } from '../errors.js';
import { readInherited } from './pipe.js';

const STDIN_FD = 0;

type BytesRead = { readonly bytes: Uint8Array } | { readonly reason: string };
type FolderRead =
  | { readonly files: readonly FolderFile[] }
  | { readonly reason: string; readonly path: string };

/** Files that this module has read, in the order of reading, by their names. It can be sent to other threads. */
export type FilesRead = Map<string, BytesRead | FolderRead>;

/** null: each file is read when it is asked for. */
let kept: FilesRead | null = null;

/**
 * From now on each file is read once. Threads that do the work of one command read its files (policies, keys, locks)
 * from what the first thread has kept: standard input can be read once, and a file may change between two readings.
 * @param files  what another thread has read
 */
export function keepFilesRead(files: FilesRead = new Map()): FilesRead {
  kept = files;
  return files;
}

async function once<T extends BytesRead | FolderRead>(name: string, read: () => Promise<T>): Promise<T> {
  if (kept === null) return read();
  const known = kept.get(name) as T | undefined;
  if (known !== undefined) return known;
  const made = await read();
  kept.set(name, made);
  return made;
}

/**
 * A small text that a user wrote: a policy, a list. UTF-8, with or without a byte order mark.
 * @param file  a path, or `-` for standard input
 * @param most  bytes; no such text has more
 * @returns why it cannot be read, in place of the text
 */
export async function readText(
  file: string,
  most: number,
): Promise<{ readonly text: string } | { readonly reason: string }> {
  const read = await readBytes(file, most);
  if ('reason' in read) return read;
  const { bytes } = read;
  if (bytes.includes(0)) return { reason: 'expected text, found NUL bytes, as other files have them' };
  if (!isUtf8(bytes)) return { reason: 'expected text in UTF-8, found other bytes' };
  return { text: new TextDecoder().decode(bytes) };
}

/**
 * A small file that a user names: a key, a certificate.
 * @param file  a path, or `-` for standard input
 * @param most  bytes; no such file has more
 * @returns why it cannot be read, in place of the bytes
 */
export const readBytes = (file: string, most: number): Promise<BytesRead> =>
  once(`${most} ${file}`, () => bytesOf(file, most));

async function bytesOf(file: string, most: number): Promise<BytesRead> {
  try {
    const bytes = file === '-' ? await gathered(readInherited(STDIN_FD), most) : await head(file, most);
    return bytes.length > most ? { reason: `expected at most ${most} bytes of text, found more` } : { bytes };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { reason: cannotRead(error, 'file') };
  }
}

function cannotRead(error: NodeJS.ErrnoException, what: string): string {
  if (error.code === 'ENOENT') return `there is no such ${what}`;
  if (error.code === 'EISDIR') return 'expected a file, found a directory';
  return `cannot be read: ${reasonOf(error)}`;
}

/** A file below a folder that a user names. */
export interface FolderFile {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Levels of folders, and entries, of a trust store: real ones have three levels and a handful of files. */
const FOLDER_DEPTH = 5;
const FOLDER_ENTRIES = 10_000;

/**
 * The small files of some names below a folder, sorted by path. Links are followed, so that a trust store may be made
 * of them.
 * @param most  bytes, of each and of all together
 * @returns why they cannot be read, in place of the files
 */
export const readFolder = (folder: string, wanted: RegExp, most: number): Promise<FolderRead> =>
  once(`${most} ${wanted} ${folder}`, () => folderOf(folder, wanted, most));

async function folderOf(folder: string, wanted: RegExp, most: number): Promise<FolderRead> {
  const files: FolderFile[] = [];
  const todo = [{ path: '', depth: 0 }];
  let [entries, bytes] = [0, 0];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { path, depth } = next;
    const names = await namesIn(join(folder, path));
    if (typeof names === 'string') return { reason: names, path };
    if (names === null && path === '') return { reason: 'expected a folder, found a file', path };
    entries += names?.length ?? 0;
    if (depth > FOLDER_DEPTH || entries > FOLDER_ENTRIES || bytes > most)
      return { reason: 'it has more folders, files or bytes than a trust store has', path: '' };
    for (const name of names ?? [])
      todo.push({ path: path === '' ? name : `${path}/${name}`, depth: depth + 1 });
    if (names !== null || !wanted.test(path)) continue;
    const read = await bytesOf(join(folder, path), most);
    if ('reason' in read) return { reason: read.reason, path };
    bytes += read.bytes.length;
    files.push({ path, bytes: read.bytes });
  }
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

/** The names in a folder; null for a file, and for what cannot be listed the reason. */
async function namesIn(folder: string): Promise<readonly string[] | null | string> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return error.code === 'ENOTDIR' ? null : cannotRead(error, 'folder');
  }
}

/** One byte more than that tells that there is more. */
async function head(file: string, most: number): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    return await gathered(handle.createReadStream({ end: most, autoClose: false }), most);
  } finally {
    await handle.close();
  }
}

async function gathered(chunks: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    // The block that it lies in is filled again.
    parts.push(chunk.slice());
    length += chunk.length;
    if (length > most) break;
  }
  return Buffer.concat(parts);
}

/**
 * Whether a file begins with a text, white space left out. false for what cannot be opened, and for pipes: they are
 * read once.
 */
export async function isTextBeginningWith(file: string, begin: string): Promise<boolean> {
  try {
    const handle = await open(file);
    try {
      if (!(await handle.stat()).isFile()) return false;
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.toString('latin1', 0, bytesRead).trimStart().startsWith(begin);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

const HEAD_BYTES = 256;
