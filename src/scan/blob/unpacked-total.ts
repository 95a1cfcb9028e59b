import type { Limits } from '../../limits.js';
import type { Effort } from '../../secrets/secret.js';

/**
 * Counts, in shared memory, the bytes that all threads have unpacked, the stored bytes of the file that the user named,
 * and the effort that searching for secrets has cost.
 */
export class UnpackedTotal implements Effort {
  readonly memory: SharedArrayBuffer;
  private readonly counts: BigInt64Array;

  /** @param memory  of an existing counter */
  constructor(memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(24);
    this.counts = new BigInt64Array(this.memory);
    if (memory === undefined) this.counts[1] = UNKNOWN;
  }

  /** @returns the sum so far */
  add(bytes: number): number {
    return Number(Atomics.add(this.counts, 0, BigInt(bytes))) + bytes;
  }

  /** Takes from the effort that searching for secrets may cost: real settings are a small part of an image. */
  spend(bytes: number): boolean {
    const spent = Number(Atomics.add(this.counts, 2, BigInt(bytes))) + bytes;
    return spent <= Math.max(LEAST_EFFORT, EFFORT_RATIO * this.stored);
  }

  /**
   * Bytes that all blobs of the file may unpack to by their ratio: nested and adjacent bombs are limited together, by
   * the size of the file that the user named; one bomb does not use up the whole allowance.
   */
  allowance({ unpackedFree, unpackedRatio }: Pick<Limits, 'unpackedFree' | 'unpackedRatio'>): number {
    return BOMBS * Math.max(unpackedFree, unpackedRatio * Math.ceil(this.stored / GRID) * GRID);
  }

  /** @param bytes  size of the file that the user named; for a pipe the bytes read so far */
  hasStored(bytes: number): void {
    Atomics.store(this.counts, 1, BigInt(bytes));
  }

  /** Infinite if it is not known. */
  get stored(): number {
    const stored = Atomics.load(this.counts, 1);
    return stored === UNKNOWN ? Number.POSITIVE_INFINITY : Number(stored);
  }
}

const UNKNOWN = -1n;

/** Limits on the unpacked size are computed from the number of stored bytes, rounded up to a multiple of this. */
export const GRID = 64 * 1024;
/** All blobs together may unpack to this many times the limit of one. */
const BOMBS = 2;

/** The budget of searching for secrets: for a file of any size, and per byte of a large one; see `Effort`. */
const LEAST_EFFORT = 64 * 1024 * 1024;
const EFFORT_RATIO = 4;
