import { median } from '../report.js';

/** The measurement of one part of the work, which locates a regression. */
export interface Line {
  readonly name: string;
  readonly value: number;
  readonly unit: 'MB/s' | 'ns per entry';
  /** Another program that does the same work, and its value. */
  readonly other: string | null;
  readonly otherValue: number | null;
}

export interface Scope {
  readonly rounds: number;
  /** Uncompressed content. */
  readonly content: Uint8Array;
  /** A layer's tar with many small entries. */
  readonly tar: Uint8Array;
  /** A directory for temporary files. */
  readonly folder: string;
}

type Work = () => void | Promise<void>;

/**
 * Measures one or two pieces of work in turn.
 * @returns median seconds of each
 */
export async function compare<W extends readonly Work[]>(
  rounds: number,
  ...works: W
): Promise<{ [K in keyof W]: number }> {
  const seconds = works.map((): number[] => []);
  // Round 0 is for the compiler and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const [i, work] of works.entries()) {
      const start = performance.now();
      await work();
      if (round > 0) seconds[i]!.push((performance.now() - start) / 1000);
    }
  }
  return seconds.map(median) as { [K in keyof W]: number };
}

export const megabytesPerSecond = (bytes: number, seconds: number): number => bytes / 1e6 / seconds;
export const nanoseconds = (count: number, seconds: number): number => (seconds * 1e9) / count;

const CHUNK = 256 * 1024;

export function* chunksOf(bytes: Uint8Array, size = CHUNK): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
