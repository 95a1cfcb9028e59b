// Pseudo-random numbers: the same for the same seed, on every machine.
import { createHash } from 'node:crypto';

export interface Random {
  /** An integer from 0 to `count - 1`. */
  readonly below: (count: number) => number;
  readonly pick: <T>(list: readonly T[]) => T;
  /** True once in `times` calls on average. */
  readonly oneIn: (times: number) => boolean;
}

/** A separate sequence for each seed, so that removing one move does not change the others. */
export function randomFrom(seed: string): Random {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  const next = (): number => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number) => Math.floor(next() * count);
  return {
    below,
    pick: list => list[below(list.length)]!,
    oneIn: times => below(times) === 0,
  };
}
