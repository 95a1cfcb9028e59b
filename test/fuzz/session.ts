// One target with a sequence of inputs that follow from a seed.
import { mutated, spliced } from './mutate.js';
import { Random } from './random.js';
import type { Target } from './target.js';

export interface Failure {
  readonly target: string;
  readonly input: Uint8Array;
  readonly error: Error;
}

/** Maximum number of inputs with a new outcome that are kept, in addition to the seeds. */
const POOL = 300;

export interface Session {
  /** Tries the next input. */
  readonly next: () => Promise<Failure | null>;
  readonly outcomes: () => number;
}

/** @param before  called with every input before it is tried, so that one that hangs is not lost */
export async function openSession(
  target: Target,
  seed: number,
  before: (input: Uint8Array) => void = () => {},
): Promise<Session> {
  const random = new Random(seed);
  const seeds = await target.seeds();
  const pool: Uint8Array[] = [];
  const known = new Set<string>();
  let tried = 0;
  const made = async (): Promise<Uint8Array> => {
    if (tried < seeds.length) return seeds[tried]!;
    const all = pool.length > 0 && random.once(2) ? pool : seeds;
    if (target.make !== undefined) return target.make(all, random);
    const input = random.pick(all);
    return random.once(10)
      ? spliced(input, random.pick(seeds), random)
      : mutated(input, random, target.tokens);
  };
  return {
    outcomes: () => known.size,
    next: async () => {
      const input = await made();
      tried++;
      before(input);
      try {
        const outcome = await target.check(input);
        if (!known.has(outcome)) {
          known.add(outcome);
          if (tried > seeds.length) pool.push(input);
          if (pool.length > POOL) pool.splice(random.below(POOL), 1);
        }
        return null;
      } catch (error) {
        return { target: target.name, input, error: error as Error };
      }
    },
  };
}

/** The kind of a failure: inputs that fail in the same way are one failure. */
export const kindOf = (error: Error): string =>
  `${error.name}: ${error.message}`
    .replace(/\d+/g, 'n')
    .replace(/"[^"]*"|'[^']*'/g, 's')
    .slice(0, 120);

/** Finds a smaller input that fails in the same way, within a time limit. */
export async function shrunk(
  target: Target,
  { input, error }: Failure,
  milliseconds: number,
): Promise<Uint8Array> {
  const end = performance.now() + milliseconds;
  const kind = kindOf(error);
  let smallest = input;
  const fails = async (smaller: Uint8Array): Promise<boolean> => {
    try {
      await target.check(smaller);
      return false;
    } catch (other) {
      return kindOf(other as Error) === kind;
    }
  };
  for (let size = smallest.length >> 1; size > 0 && performance.now() < end; size >>= 1) {
    for (let at = 0; at < smallest.length && performance.now() < end; ) {
      const smaller = new Uint8Array(Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)]));
      if (await fails(smaller)) smallest = smaller;
      else at += size;
    }
  }
  for (let at = 0; at < smallest.length && performance.now() < end; at++) {
    if (smallest[at] === 0) continue;
    const simpler = smallest.slice();
    simpler[at] = 0;
    if (await fails(simpler)) smallest = simpler;
  }
  return smallest;
}
