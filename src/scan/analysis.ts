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
  /** Of the hashes of names; those of this thread, which it hands on to others, where it is left out. */
  readonly seeds?: Seeds | undefined;
  /** When `limits.seconds` are over, on the clock of `source/deadline.ts`. */
  readonly deadline?: number | undefined;
  /** What all threads together have unpacked, in bytes; see `Unpacked`. Left out where nobody counts. */
  readonly unpacked?: SharedArrayBuffer | undefined;
}

/** Counts what all threads unpack of one archive, in memory that they share. */
export class UnpackedTotal {
  private readonly count: BigInt64Array;

  constructor(readonly memory = new SharedArrayBuffer(8)) {
    this.count = new BigInt64Array(memory);
  }

  /** @returns the sum so far */
  add(bytes: number): number {
    return Number(Atomics.add(this.count, 0, BigInt(bytes))) + bytes;
  }
}
