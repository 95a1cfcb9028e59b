import { createHmac, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { isSystemError, reasonOf } from '../errors.js';
import { ENTRIES, makeFolder, UNFINISHED } from './directory.js';
import {
  HEADER_BYTES,
  MOST_ENTRY_BYTES,
  packEntry,
  type Rejection,
  type Signer,
  unpackEntry,
} from './entry.js';
import { EntrySizes, onDisk } from './sizes.js';

/** A cache's directory, as all threads of a run use it. Plain data. */
export interface StorePlace extends Signer {
  readonly dir: string;
  /** Whether other users may read entries, which their key protects. */
  readonly isShared: boolean;
  /** Bytes that all entries may take on the disk. */
  readonly mostBytes: number;
  /** Bytes that the threads of this run have written since they were added to the known size: one 64-bit number. */
  readonly written: SharedArrayBuffer;
}

/** Counts of entries. Plain data. */
export interface StoreCounts {
  /** Entries that were found and not used, by reason. */
  readonly ignored: Partial<Record<Rejection, number>>;
  readonly removed: number;
  /** Why entries are not written from some moment on; null where they are. */
  readonly problem: string | null;
}

/** An entry that was used is marked as such at most once an hour. */
const TOUCH_MS = 3600_000;

/** Errors that concern one entry only. For any other, no further entry is written. */
const OF_ONE_ENTRY: readonly string[] = ['ENOENT', 'EEXIST', 'ENOTEMPTY', 'EISDIR', 'EPERM', 'EBUSY'];

/** Entries in files, by a key. Any number of threads and processes may use a directory at the same time. */
export class EntryStore {
  private readonly ignored: Partial<Record<Rejection, number>> = {};
  private problem: string | null = null;
  private readonly sizes: EntrySizes;
  private readonly isOurs: (stats: Stats) => boolean;

  constructor(private readonly place: StorePlace) {
    this.sizes = new EntrySizes(place);
    const user = process.getuid?.();
    this.isOurs = ({ uid }) => place.isShared || user === undefined || uid === user || uid === 0;
  }

  get counts(): StoreCounts {
    return { ignored: { ...this.ignored }, removed: this.sizes.removed, problem: this.problem };
  }

  /** The name of an entry, which cannot be computed without the key. */
  nameOf(purpose: string, material: string | Uint8Array): Buffer {
    const { key, program } = this.place;
    return createHmac('sha256', key).update(`${purpose}\0${program}\0`).update(material).digest();
  }

  /** The content of an entry; null if there is none that can be used. */
  read(name: Buffer): Uint8Array | null {
    const found = this.readFile(name);
    if (found === null || typeof found !== 'string') return found;
    this.reject(found);
    return null;
  }

  /** Notes that an entry was found and is not used. */
  reject(reason: Rejection): void {
    this.ignored[reason] = (this.ignored[reason] ?? 0) + 1;
  }

  private readFile(name: Buffer): Uint8Array | Rejection | null {
    let fd: number;
    try {
      // Neither follows a symlink nor waits for the writer of a pipe.
      const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
      fd = openSync(this.fileOf(name), flags);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return null;
      return code === 'ELOOP' ? 'not a file' : 'unreadable';
    }
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return 'not a file';
      if (!this.isOurs(stats)) return 'owner';
      if (stats.size > MOST_ENTRY_BYTES) return 'too large';
      if (stats.size < HEADER_BYTES) return 'truncated';
      const content = unpackEntry(readWhole(fd, stats.size), name, this.place);
      if (typeof content !== 'string') touch(fd, stats);
      return content;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return 'unreadable';
    } finally {
      closeSync(fd);
    }
  }

  /** Writes an entry, or replaces it. @returns false where that failed */
  write(name: Buffer, content: Uint8Array): boolean {
    const bytes = HEADER_BYTES + content.length;
    if (this.problem !== null || bytes > MOST_ENTRY_BYTES || onDisk(bytes) > this.place.mostBytes)
      return false;
    const unfinished = join(this.place.dir, UNFINISHED, randomBytes(12).toString('hex'));
    try {
      writeNew(unfinished, packEntry(name, content, this.place), this.place.isShared ? 0o666 : 0o600);
      this.publish(unfinished, this.fileOf(name));
      this.sizes.add(bytes);
      return true;
    } catch (error) {
      discard(unfinished);
      if (!isSystemError(error)) throw error;
      if (!OF_ONE_ENTRY.includes(error.code))
        this.problem = `nothing more is kept in the cache ${this.place.dir}: ${reasonOf(error)}`;
      return false;
    }
  }

  /**
   * Counts what was written, and removes entries that have not been used for the longest time if there are too many.
   */
  close(): void {
    this.sizes.settle();
  }

  private publish(unfinished: string, file: string): void {
    try {
      renameSync(unfinished, file);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const folder = join(file, '..');
      if (code === 'ENOENT') makeFolder(folder, this.place.isShared ? 0o777 : 0o700);
      else if (code === 'EISDIR' || code === 'ENOTEMPTY' || code === 'EEXIST')
        rmSync(file, { recursive: true, force: true });
      else throw error;
      renameSync(unfinished, file);
    }
  }

  private fileOf(name: Buffer): string {
    const hex = name.toString('hex');
    return join(this.place.dir, ENTRIES, hex.slice(0, 2), hex.slice(2));
  }
}

/** Fewer bytes where the file has become shorter. */
function readWhole(fd: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let done = 0;
  while (done < size) {
    const read = readSync(fd, bytes, done, size - done, done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

function touch(fd: number, { mtimeMs }: Stats): void {
  const now = Date.now();
  if (now - mtimeMs < TOUCH_MS) return;
  try {
    futimesSync(fd, now / 1000, now / 1000);
  } catch {
    // A directory that can only be read.
  }
}

function writeNew(file: string, bytes: Uint8Array, mode: number): void {
  const fd = openSync(file, 'wx', mode);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
  } finally {
    closeSync(fd);
  }
}

function discard(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // It was not created.
  }
}
