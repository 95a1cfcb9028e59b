import type { Random } from './random.js';

/** A function to test with arbitrary bytes, and its invariants. */
export interface Target {
  readonly name: string;
  /** Initial inputs, real or well formed. Loaded when they are needed. */
  readonly seeds: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Makes a new input; by default a seed is mutated. */
  readonly make?: (seeds: readonly Uint8Array[], random: Random) => Uint8Array | Promise<Uint8Array>;
  /** Strings with a meaning to the reader; bytes, one per character. */
  readonly tokens?: readonly string[];
  /**
   * Throws if an invariant does not hold.
   * @returns a short description of the outcome: an input with a new outcome is kept and mutated further
   */
  readonly check: (input: Uint8Array) => string | Promise<string>;
  /** Approximate number of inputs per second on two cores, so that `npm test` gives every target the same time. */
  readonly pace: number;
}

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const bytesOf = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));
export const bytesOfLatin1 = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'));

/** @throws Error if the condition does not hold */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** Milliseconds that a small input may take, on any busy machine. */
const LONG = 5000;

/** Runs a reader on a text of at most some 100 kB; a quadratic algorithm takes seconds and fails. */
export function soon<T>(what: string, run: () => T): T {
  const start = performance.now();
  const result = run();
  const took = performance.now() - start;
  must(took < LONG, `${what} took ${Math.round(took)} ms`);
  return result;
}
