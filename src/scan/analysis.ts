import type { Limits } from '../limits.js';
import type { ContentWanted } from './entry-content.js';
import type { Seeds } from './name-table.js';
import type { WalkLimits } from './tar-walk.js';

/** What is the same for all blobs of a scan. Plain data: worker threads are started with it. */
export interface Analysis {
  readonly limits: WalkLimits &
    Pick<
      Limits,
      | 'unpackedFree'
      | 'unpackedRatio'
      | 'layerBytes'
      | 'archiveBytes'
      | 'layerEntries'
      | 'layerEntryBytes'
      | 'keptContentBytes'
      | 'seconds'
    >;
  /** Whether the entries of layers are kept, or only counted. */
  readonly files: boolean;
  /** What is wanted of the content of layers' files, where their entries are kept. */
  readonly contents?: ContentWanted | undefined;
  /** Seeds of the hashes of names. Default: those of this thread, which it passes on to other threads. */
  readonly seeds?: Seeds | undefined;
  /** When `limits.seconds` are over, on the clock of `source/deadline.ts`. */
  readonly deadline?: number | undefined;
  /** What all threads together have unpacked, in bytes; see `Unpacked`. Left out where it is not counted. */
  readonly unpacked?: SharedArrayBuffer | undefined;
}

/** Counts what all threads unpack of what the user named, and how much of that there is, in memory that they share. */
export class UnpackedTotal {
  readonly memory: SharedArrayBuffer;
  private readonly counts: BigInt64Array;

  /** @param memory  of a count that has begun */
  constructor(memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(16);
    this.counts = new BigInt64Array(this.memory);
    if (memory === undefined) this.counts[1] = UNKNOWN;
  }

  /** @returns the sum so far */
  add(bytes: number): number {
    return Number(Atomics.add(this.counts, 0, BigInt(bytes))) + bytes;
  }

  /** @param bytes  of what the user named; of a pipe those that came so far */
  hasStored(bytes: number): void {
    Atomics.store(this.counts, 1, BigInt(bytes));
  }

  /** Infinite where it is unknown. */
  get stored(): number {
    const stored = Atomics.load(this.counts, 1);
    return stored === UNKNOWN ? Number.POSITIVE_INFINITY : Number(stored);
  }
}

const UNKNOWN = -1n;
