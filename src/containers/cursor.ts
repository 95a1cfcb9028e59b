import { HEAD } from './kind.js';

/** Reads chunks forward as they arrive. A short result means the end of the stream; it is never an error. */
export class StreamCursor {
  /** Bytes from the start of the stream. */
  position = 0;
  /** How long the stream was; infinite until that is known. */
  length = Number.POSITIVE_INFINITY;
  private chunk: Uint8Array = new Uint8Array(0);
  private readonly chunks: AsyncIterator<Uint8Array>;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** Bytes at a position that have arrived in one piece; null where they have not. Valid until more is asked for. */
  arrived(at: number, length: number): Uint8Array | null {
    const from = at - this.position;
    if (from < 0 || from + length > this.chunk.length) return null;
    return this.take(from, length);
  }

  /** Up to `length` bytes at a position from here on; fewer only at the end. */
  async read(at: number, length: number): Promise<Uint8Array> {
    while (at - this.position > this.chunk.length) {
      this.position += this.chunk.length;
      if (!(await this.next())) return this.chunk;
    }
    const piece = this.take(at - this.position, length);
    if (piece.length === length) return piece;
    const out = new Uint8Array(length);
    out.set(piece);
    let filled = piece.length;
    while (filled < length && (await this.next())) {
      const more = this.take(0, length - filled);
      out.set(more, filled);
      filled += more.length;
    }
    return out.subarray(0, filled);
  }

  /** Ends the reading: the source may close its file. */
  async close(): Promise<void> {
    await this.chunks.return?.();
  }

  /** Everything up to `length` bytes, in pieces that are valid until the next one is asked for. */
  async *pieces(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      if (this.chunk.length === 0 && !(await this.next())) return;
      const piece = this.take(0, left);
      left -= piece.length;
      yield piece;
    }
  }

  private take(from: number, length: number): Uint8Array {
    const piece = this.chunk.subarray(from, from + length);
    this.chunk = this.chunk.subarray(from + length);
    this.position += from + piece.length;
    return piece;
  }

  /** Replaces the current chunk by the next one that is not empty. */
  private async next(): Promise<boolean> {
    do {
      const next = await this.chunks.next();
      this.chunk = next.done === true ? NOTHING : next.value;
      if (next.done === true) {
        this.length = this.position;
        return false;
      }
    } while (this.chunk.length === 0);
    return true;
  }
}

const NOTHING = new Uint8Array(0);

/** A copy with memory of its own. `slice` will not do: a Buffer's shares the memory, and decoders reuse theirs. */
export const copyOf = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

/** Counts bytes as they are read. */
export class Counter {
  private bytes = 0;
  readonly add = (bytes: number): void => {
    this.bytes += bytes;
  };
  readonly read = (): number => this.bytes;
}

/** Passes chunks on, and counts them. */
export async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  counter: Counter,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    counter.add(chunk.length);
    yield chunk;
  }
}

/** Reads the first block, and returns it with a stream that still begins with it. */
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
