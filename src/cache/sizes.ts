import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ENTRIES, UNFINISHED, USAGE } from './directory.js';
import type { StorePlace } from './store.js';

/** Bytes that a file takes on most disks are a multiple of this. */
const BLOCK = 4096;
export const onDisk = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK;

/**
 * Bytes that were written are added to the size in steps of this part of the most, so that a killed process hides
 * little.
 */
const STEPS = 16;
/** After removing, this part of the most is left. */
const LEFT = 0.9;
/** A file that is being written for longer than this was left by a process that ended. */
const ABANDONED_MS = 3600_000;
/** Larger, the list of numbers is summed up. */
const MOST_USAGE_BYTES = 64 * 1024;

/**
 * Keeps the size of all entries below its bound. `usage` has a line for each addition of any process, in bytes; its sum
 * is no less than the size, because entries that were replaced count twice. Only when the sum exceeds the bound, or is
 * not known, all entries are counted.
 */
export class EntrySizes {
  removed = 0;
  private readonly written: BigInt64Array;
  private readonly file: string;

  constructor(private readonly place: Pick<StorePlace, 'dir' | 'isShared' | 'mostBytes' | 'written'>) {
    this.written = new BigInt64Array(place.written);
    this.file = join(place.dir, USAGE);
  }

  /** @param bytes  of an entry that was written */
  add(bytes: number): void {
    const size = BigInt(onDisk(bytes));
    const sum = Number(Atomics.add(this.written, 0, size) + size);
    if (sum >= this.place.mostBytes / STEPS) this.settle();
  }

  /** Adds what this run has written, and removes entries if there are too many. */
  settle(): void {
    const written = Number(Atomics.exchange(this.written, 0, 0n));
    if (written === 0) return;
    try {
      const known = this.known();
      if (known !== null) appendFileSync(this.file, `${written}\n`, { mode: this.mode });
      if (known === null || known + written > this.place.mostBytes) this.count();
    } catch {
      // A disk that is full: writing an entry says so. What could not be added is found when entries are counted.
    }
  }

  private get mode(): number {
    return this.place.isShared ? 0o666 : 0o600;
  }

  /** null where it is not known. */
  private known(): number | null {
    let fd: number;
    try {
      const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
      fd = openSync(this.file, flags);
    } catch {
      return null;
    }
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile() || stats.size > MOST_USAGE_BYTES) return null;
      const lines = readFileSync(fd, 'latin1').split('\n').slice(0, -1);
      return lines.every(line => /^\d{1,15}$/.test(line))
        ? lines.reduce((sum, line) => sum + Number(line), 0)
        : null;
    } finally {
      closeSync(fd);
    }
  }

  private count(): void {
    this.removeAbandoned();
    const entries = this.all().sort((a, b) => a.usedMs - b.usedMs);
    let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    const least = total > this.place.mostBytes ? LEFT * this.place.mostBytes : total;
    for (const { file, bytes } of entries) {
      if (total <= least) break;
      // Another process may have removed it.
      if (remove(file)) this.removed++;
      total -= bytes;
    }
    const own = join(this.place.dir, UNFINISHED, randomBytes(12).toString('hex'));
    writeFileSync(own, `${total}\n`, { flag: 'wx', mode: this.mode });
    renameSync(own, this.file);
  }

  private all() {
    const root = join(this.place.dir, ENTRIES);
    return foldersIn(root).flatMap(folder => filesIn(join(root, folder)));
  }

  private removeAbandoned(): void {
    for (const { file, usedMs } of filesIn(join(this.place.dir, UNFINISHED)))
      if (Date.now() - usedMs > ABANDONED_MS) remove(file);
  }
}

/** The folders of entries; a symlink is none. */
const foldersIn = (root: string): string[] =>
  readdirSync(root, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && /^[0-9a-f]{2}$/.test(entry.name))
    .map(({ name }) => name);

/** Files with names of entries and of unfinished ones: nothing else is removed. */
function filesIn(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    if (!entry.isFile() || !/^[0-9a-f]{24}$|^[0-9a-f]{62}$/.test(entry.name)) return [];
    const file = join(folder, entry.name);
    try {
      const { size, mtimeMs } = lstatSync(file);
      return [{ file, bytes: onDisk(size), usedMs: mtimeMs }];
    } catch {
      return [];
    }
  });
}

function remove(file: string): boolean {
  try {
    unlinkSync(file);
    return true;
  } catch {
    return false;
  }
}
