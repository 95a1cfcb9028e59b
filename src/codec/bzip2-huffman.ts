import type { Bits } from './bzip2-bits.js';
import { CodecError } from './codec.js';

const LENGTH_MAX = 20;
const FAST_BITS = 10;

/**
 * One of a block's canonical Huffman codes. Lengths that fit no prefix code do no harm: every index stays within the
 * symbols, and a code that no symbol has is an error.
 */
export class HuffmanTable {
  /** For codes of at most FAST_BITS, by the next bits: symbol * 16 + length. 0 is none. */
  readonly #fast = new Uint16Array(1 << FAST_BITS);
  readonly #symbols: Uint16Array;
  readonly #first = new Int32Array(LENGTH_MAX + 1);
  readonly #limit = new Int32Array(LENGTH_MAX + 1);
  readonly #offset = new Int32Array(LENGTH_MAX + 1);

  constructor(lengths: Uint8Array) {
    this.#symbols = new Uint16Array(lengths.length);
    let code = 0;
    let placed = 0;
    for (let length = 1; length <= LENGTH_MAX; length += 1) {
      this.#first[length] = code;
      this.#offset[length] = placed;
      for (let symbol = 0; symbol < lengths.length; symbol += 1) {
        if (lengths[symbol] !== length) continue;
        this.#symbols[placed] = symbol;
        if (length <= FAST_BITS) this.#addFast(code, length, symbol);
        placed += 1;
        code += 1;
      }
      this.#limit[length] = code;
      code *= 2;
    }
  }

  next(bits: Bits): number {
    const ahead = bits.peek(LENGTH_MAX);
    const entry = this.#fast[ahead >> (LENGTH_MAX - FAST_BITS)] as number;
    if (entry !== 0) {
      bits.drop(entry & 15);
      return entry >> 4;
    }
    for (let length = 1; length <= LENGTH_MAX; length += 1) {
      const code = ahead >> (LENGTH_MAX - length);
      if (code >= (this.#limit[length] as number)) continue;
      bits.drop(length);
      const index = (this.#offset[length] as number) + code - (this.#first[length] as number);
      return this.#symbols[index] as number;
    }
    bits.drop(LENGTH_MAX);
    throw new CodecError('bzip2', 'corrupt', 'invalid Huffman code');
  }

  #addFast(code: number, length: number, symbol: number): void {
    const start = code << (FAST_BITS - length);
    this.#fast.fill(symbol * 16 + length, start, start + (1 << (FAST_BITS - length)));
  }
}

/** A block's codes: for each table a five-bit start, then per symbol any number of steps of one up or down. */
export function readTable(bits: Bits, symbolCount: number): HuffmanTable {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbolCount; symbol += 1) {
    for (;;) {
      if (length < 1 || length > LENGTH_MAX) throw new CodecError('bzip2', 'corrupt', 'invalid code length');
      // Beyond the end all bits read as zeros, so this cannot go on for ever.
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return new HuffmanTable(lengths);
}
