import type { Random } from './random.js';

/** Something that is fed with bytes, and what must hold whatever they are. */
export interface Target {
  readonly name: string;
  /** Inputs to begin with: real ones, or such as are well formed. Loaded when they are wanted. */
  readonly seeds: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** A new input; where left out, a seed is mutated. */
  readonly make?: (seeds: readonly Uint8Array[], random: Random) => Uint8Array | Promise<Uint8Array>;
  /** What means something to the reader, as bytes in characters. */
  readonly tokens?: readonly string[];
  /**
   * Fails by throwing.
   * @returns what came of it, in a word or two: an input that gives something new is kept and mutated further
   */
  readonly check: (input: Uint8Array) => string | Promise<string>;
  /** Tries a second on two cores, roughly: `npm test` gives every target the same time. */
  readonly pace: number;
}

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const bytesOf = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));
export const bytesOfLatin1 = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'));

/** @throws Error where a condition that must hold does not */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** Milliseconds that nothing small may take, on any machine, whatever else it does. */
const LONG = 5000;

/** Runs what reads a text of some 100 kB at most; one that takes seconds takes the square of the length. */
export function soon<T>(what: string, run: () => T): T {
  const start = performance.now();
  const result = run();
  const took = performance.now() - start;
  must(took < LONG, `${what} took ${Math.round(took)} ms`);
  return result;
}
