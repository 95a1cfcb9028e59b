import type { KnownBlobs } from '../scan/blob/known.js';
import { SEEDS, type Seeds } from '../scan/names/table.js';
import { version } from '../version.js';
import { BlobCache } from './blobs.js';
import { build } from './build.js';
import { derived, openDirectory } from './directory.js';
import { FileRecords, type RecordCache } from './records.js';
import { EntryStore, type StoreCounts, type StorePlace } from './store.js';

export { readSecret } from './directory.js';
export type { RecordCache } from './records.js';

/** Bytes that the entries of a cache may take by default. */
export const DEFAULT_CACHE_BYTES = 10 * 1024 ** 3;

export interface CacheOptions {
  /** Bytes that all entries may take on the disk; default `DEFAULT_CACHE_BYTES`. */
  readonly size?: number | undefined;
  /** Bytes of the smallest blob whose facts are kept; default 16 KiB. */
  readonly leastBlob?: number | undefined;
  /** The secret that signs entries, from `readSecret`; default one that lies in the directory. */
  readonly key?: Uint8Array | undefined;
}

/** Facts about a smaller blob are computed as fast as they are read from a file. */
const LEAST_BLOB = 16 * 1024;

/** Data with which another thread uses an open cache. */
export interface CacheSetup {
  /** null where the run goes on without a cache. */
  readonly place: StorePlace | null;
  readonly seeds: Seeds;
  /** Bytes of the smallest blob whose facts are kept. */
  readonly leastBlob: number;
}

export interface BlobCounts {
  /** Blobs that were hashed and not unpacked. */
  hits: number;
  /** Blobs that were analysed. Those that are too small to be kept do not count. */
  misses: number;
  kept: number;
}

export interface RecordCounts {
  /** Archives that were not opened. */
  hits: number;
  misses: number;
  kept: number;
  /** Records that were not kept, because the file had been written a moment before it was read. */
  tooNew: number;
  /** … because it changed while it was read. */
  changed: number;
  /** … because its file system does not set the time of a change. */
  untimed: number;
}

/** Counts of a cache. Plain data, which threads may send to each other. */
export interface CacheStatistics extends StoreCounts {
  readonly blobs: BlobCounts;
  readonly records: RecordCounts;
}

export interface Cache {
  /** For `attachCache` on another thread. */
  readonly setup: CacheSetup;
  readonly blobs: KnownBlobs;
  readonly records: RecordCache;
  /** Counts so far, on this thread and on those whose statistics were added. */
  readonly statistics: CacheStatistics;
  /** Counts since the last call, on this thread alone: for `add` of another one. */
  take(): CacheStatistics;
  /** Adds what happened on another thread. */
  add(statistics: CacheStatistics): void;
  /** Keeps the cache below its size. To be called at the end of a run, and of a thread. */
  close(): void;
}

/**
 * Opens a cache, and creates it if there is none. If its directory cannot be created or read, the cache is empty and
 * keeps nothing, and `statistics.problem` says why.
 * @throws InputError for a directory that is not one, belongs to another user, or into which others may write
 */
export function openCache(
  dir: string,
  { size = DEFAULT_CACHE_BYTES, key, leastBlob = LEAST_BLOB }: CacheOptions = {},
): Cache {
  const opened = openDirectory(dir, key ?? null);
  if ('problem' in opened) return new OpenCache({ place: null, seeds: SEEDS, leastBlob }, opened.problem);
  const { secret } = opened;
  const seeds = derived(secret, 'seeds of names');
  const place = {
    dir: opened.dir,
    key: derived(secret, 'entries'),
    program: `waybill ${version} ${build}`,
    isShared: secret.isGiven,
    mostBytes: size,
    written: new SharedArrayBuffer(8),
  };
  return new OpenCache(
    { place, seeds: [seeds.readUInt32LE(0) >>> 1, seeds.readUInt32LE(4) >>> 1], leastBlob },
    null,
  );
}

/** The cache that another thread has opened. */
export const attachCache = (setup: CacheSetup): Cache => new OpenCache(setup, null);

class OpenCache implements Cache {
  readonly blobs: KnownBlobs;
  readonly records: RecordCache;
  private readonly parts: {
    readonly store: EntryStore;
    readonly blobs: BlobCache;
    readonly records: FileRecords;
  } | null;
  private taken = NOTHING_DONE;
  private others = NOTHING_DONE;

  constructor(
    readonly setup: CacheSetup,
    private readonly problem: string | null,
  ) {
    const { place, seeds, leastBlob } = setup;
    if (place === null) {
      this.parts = null;
      this.blobs = { seeds, lookUp: () => null };
      this.records = { find: () => null, keep: () => {} };
      return;
    }
    const store = new EntryStore(place);
    this.parts = { store, blobs: new BlobCache(store, seeds, leastBlob), records: new FileRecords(store) };
    this.blobs = this.parts.blobs;
    this.records = this.parts.records;
  }

  get statistics(): CacheStatistics {
    return sum(this.own(), this.others);
  }

  take(): CacheStatistics {
    const own = this.own();
    const taken = sum(own, this.taken, -1);
    this.taken = own;
    return taken;
  }

  add(statistics: CacheStatistics): void {
    this.others = sum(this.others, statistics);
  }

  close(): void {
    this.parts?.store.close();
  }

  private own(): CacheStatistics {
    const { parts, problem } = this;
    if (parts === null) return { ...NOTHING_DONE, problem };
    const { store, blobs, records } = parts;
    return { ...store.counts, blobs: { ...blobs.counts }, records: { ...records.counts } };
  }
}

const NOTHING_DONE: CacheStatistics = {
  ignored: {},
  removed: 0,
  problem: null,
  blobs: { hits: 0, misses: 0, kept: 0 },
  records: { hits: 0, misses: 0, kept: 0, tooNew: 0, changed: 0, untimed: 0 },
};

const sum = (a: CacheStatistics, b: CacheStatistics, factor: 1 | -1 = 1): CacheStatistics => ({
  ignored: summed(a.ignored, b.ignored, factor),
  removed: a.removed + factor * b.removed,
  problem: a.problem ?? b.problem,
  blobs: summed(a.blobs, b.blobs, factor),
  records: summed(a.records, b.records, factor),
});

function summed<T extends object>(a: T, b: T, factor: 1 | -1): T {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof T>;
  const number = (of: T, name: keyof T) => Number(of[name] ?? 0);
  return Object.fromEntries([...names].map(name => [name, number(a, name) + factor * number(b, name)])) as T;
}
