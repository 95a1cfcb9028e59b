import { copyOf } from './cursor.js';
import { HEAD } from './kind.js';

/** Looks at the first block without losing it. */
export async function peek(
  chunks: AsyncIterable<Uint8Array>,
): Promise<[Uint8Array, AsyncIterable<Uint8Array>]> {
  const iterator = chunks[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let have = 0;
  while (have < HEAD) {
    const next = await iterator.next();
    if (next.done === true) break;
    held.push(copyOf(next.value));
    have += next.value.length;
  }
  const head = Buffer.concat(held).subarray(0, HEAD);
  // Not a generator: one that was never started would not pass on `return`.
  const all: AsyncIterator<Uint8Array> = {
    next: async () => {
      const value = held.shift();
      return value === undefined ? iterator.next() : { done: false, value };
    },
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
  };
  return [head, { [Symbol.asyncIterator]: () => all }];
}
