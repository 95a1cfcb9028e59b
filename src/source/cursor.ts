import { type FileHandle, open } from 'node:fs/promises';

/** Reads forward. Short results mean the end; a cursor never throws because something is short. */
export interface Cursor {
  /** Bytes from the start of the tar. */
  readonly position: number;
  /** Up to `length` bytes; fewer only at the end. */
  read(length: number): Promise<Uint8Array>;
  /** @returns how many of `length` bytes could be skipped. */
  skip(length: number): Promise<number>;
  /** Everything up to `length` bytes, in pieces that are valid until the next one is asked for. */
  pieces(length: number): AsyncGenerator<Uint8Array>;
}

const READ_AHEAD = 16 * 1024;

/** A cursor over a range of a file that skips by seeking. */
export class FileCursor implements Cursor {
  position = 0;
  private buffered: Uint8Array = new Uint8Array(0);
  private bufferedAt = 0;

  private constructor(
    private readonly handle: FileHandle,
    private readonly start: number,
    readonly length: number,
  ) {}

  static async open(file: string, start: number, length: number): Promise<FileCursor> {
    return new FileCursor(await open(file, 'r'), start, length);
  }

  async read(length: number): Promise<Uint8Array> {
    const wanted = Math.min(length, this.length - this.position);
    const ahead = this.position - this.bufferedAt;
    if (ahead < 0 || ahead + wanted > this.buffered.length) await this.fill(wanted);
    const from = this.position - this.bufferedAt;
    const bytes = copyOf(this.buffered.subarray(from, from + wanted));
    this.position += bytes.length;
    return bytes;
  }

  /** Headers of small members lie close together: one read serves several. */
  private async fill(wanted: number): Promise<void> {
    const buffer = new Uint8Array(Math.min(Math.max(wanted, READ_AHEAD), this.length - this.position));
    let filled = 0;
    while (filled < buffer.length) {
      const at = this.start + this.position + filled;
      const { bytesRead } = await this.handle.read(buffer, filled, buffer.length - filled, at);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    this.buffered = buffer.subarray(0, filled);
    this.bufferedAt = this.position;
  }

  async skip(length: number): Promise<number> {
    const able = Math.min(length, this.length - this.position);
    this.position += able;
    return able;
  }

  async *pieces(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      const piece = await this.read(Math.min(left, 1 << 20));
      if (piece.length === 0) return;
      left -= piece.length;
      yield piece;
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** A cursor over chunks as they come. */
export class StreamCursor implements Cursor {
  position = 0;
  private chunk: Uint8Array = new Uint8Array(0);
  private readonly chunks: AsyncIterator<Uint8Array>;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  async read(length: number): Promise<Uint8Array> {
    const out = new Uint8Array(length);
    let filled = 0;
    for await (const piece of this.pieces(length)) {
      out.set(piece, filled);
      filled += piece.length;
    }
    return out.subarray(0, filled);
  }

  /** Nobody wants the rest: whoever holds a file open for it may close it. */
  async close(): Promise<void> {
    await this.chunks.return?.();
  }

  async skip(length: number): Promise<number> {
    let skipped = 0;
    for await (const piece of this.pieces(length)) skipped += piece.length;
    return skipped;
  }

  async *pieces(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      while (this.chunk.length === 0) {
        const next = await this.chunks.next();
        if (next.done === true) return;
        this.chunk = next.value;
      }
      const piece = this.chunk.subarray(0, left);
      this.chunk = this.chunk.subarray(piece.length);
      this.position += piece.length;
      left -= piece.length;
      yield piece;
    }
  }
}

/** A copy with memory of its own. `slice` will not do: a Buffer's shares the memory, and decoders reuse theirs. */
export const copyOf = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);
