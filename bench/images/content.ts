// Contents of files: text, machine code and compressed data, cut from pools that are generated from a seed.
import { Random } from './random.js';

const MiB = 1024 * 1024;
/** Larger than any compression window in use, so that repeated content is not found. */
const POOL = 32 * MiB;
const SYLLABLES = 'ba co di fe gu ha il jo ka le mi no or pe qui ra st tu un ve wi xe yo za'.split(' ');

export type Kind = 'text' | 'code' | 'packed';

const pools = new Map<Kind, Buffer>();

/** Content of a file of this kind. It is a view and must not be written to. `length` is at most a megabyte. */
export function slice(kind: Kind, random: Random, length: number): Buffer {
  let pool = pools.get(kind);
  if (pool === undefined) {
    pool = MAKERS[kind]();
    pools.set(kind, pool);
  }
  const start = random.below(pool.length - length);
  return pool.subarray(start, start + length);
}

export const LONGEST_SLICE = MiB;

const MAKERS: Readonly<Record<Kind, () => Buffer>> = {
  text: () => {
    const random = new Random(1);
    const words = Array.from({ length: 6000 }, () => Buffer.from(word(random)));
    const breaks = [' ', ' ', ' ', ' ', ', ', '.\n', ' = ', '(', ');\n', '\n    '].map(text =>
      Buffer.from(text),
    );
    return fill(random, 0.14, 48, put => {
      put(words[random.low(words.length)]!);
      put(breaks[random.low(breaks.length)]!);
    });
  },
  code: () => {
    const random = new Random(2);
    const instructions = Array.from({ length: 2500 }, () => bytes(random, 2 + random.below(6)));
    const operand = Buffer.alloc(4);
    return fill(random, 0.2, 40, put => {
      put(instructions[random.low(instructions.length)]!);
      if (!random.chance(0.22)) return;
      operand.writeInt32LE(random.low(1 << 22) - (1 << 14));
      put(operand);
    });
  },
  packed: () => bytes(new Random(3), POOL),
};

export function word(random: Random): string {
  let text = '';
  for (let i = 1 + random.below(3); i >= 0; i--) text += SYLLABLES[random.below(SYLLABLES.length)];
  return text;
}

function bytes(random: Random, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  for (let i = 0; i < length; i++) buffer[i] = random.next() >>> 24;
  return buffer;
}

/**
 * Puts token after token; with the probability `again`, a copy of at most `longest` bytes from the last 8 KiB instead.
 */
function fill(
  random: Random,
  again: number,
  longest: number,
  next: (put: (token: Buffer) => void) => void,
): Buffer {
  const pool = Buffer.alloc(POOL);
  let at = 0;
  const put = (token: Buffer) => {
    token.copy(pool, at);
    at += token.length;
  };
  while (at < POOL) {
    if (at > 8192 && random.chance(again)) {
      const start = at - 1 - random.below(8000) - longest;
      put(pool.subarray(start, start + 4 + random.below(longest - 4)));
    } else next(put);
  }
  return pool;
}
