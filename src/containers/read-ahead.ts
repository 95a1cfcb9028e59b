import { close, read } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { BLOCK_BYTES, Blocks, release } from './tar-file.js';

const readFrom = promisify(read);

/**
 * Reads a file descriptor forward: one block is filled while another is processed. A chunk is valid until the next one
 * is asked for; a caller that needs it for longer holds its block.
 * @param position  where to start; null for a file without positions, such as a device
 * @param length    how much to read at most
 * @param closes    whether it is closed in the end
 */
export function readAhead(
  fd: number,
  position: number | null,
  { length = Number.POSITIVE_INFINITY, closes = false }: ReadAheadOptions = {},
): AsyncIterableIterator<Uint8Array> {
  const reader = new BlockReader(fd, position, length, closes);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => reader.next(),
    // Not a generator: its `return` would wait for the pending read, which may be what has to end.
    return: () => reader.end(),
  };
}

export interface ReadAheadOptions {
  readonly length?: number;
  readonly closes?: boolean;
}

class BlockReader {
  private readonly blocks = new Blocks();
  private done = 0;
  private pending: Promise<Uint8Array> | null = null;
  /** The block that the caller is processing. */
  private current: Uint8Array | null = null;
  private isOver = false;

  constructor(
    private readonly fd: number,
    private readonly position: number | null,
    private readonly length: number,
    private readonly closes: boolean,
  ) {}

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.letGo();
    const chunk = this.isOver ? null : await (this.pending ?? this.fill());
    if (chunk === null || chunk.length === 0) return this.end();
    this.pending = this.fill();
    // Its error is thrown when its turn comes; until then it must not count as unhandled.
    this.pending.catch(() => {});
    this.current = chunk;
    return { done: false, value: chunk };
  }

  async end(): Promise<IteratorReturnResult<undefined>> {
    this.letGo();
    if (!this.isOver) {
      this.isOver = true;
      // A descriptor is not closed during a read. A read from a terminal may never end, and is not waited for.
      const still = Promise.resolve(this.pending).catch(() => {});
      if (this.position !== null) await still;
      else if (this.closes) void still.then(() => close(this.fd));
    }
    return { done: true, value: undefined };
  }

  private letGo(): void {
    if (this.current !== null) release(this.current);
    this.current = null;
  }

  private async fill(): Promise<Uint8Array> {
    const block = this.blocks.take();
    const wanted = Math.min(BLOCK_BYTES, this.length - this.done);
    let filled = 0;
    while (filled < wanted && !this.isOver) {
      const at = this.position === null ? null : this.position + this.done;
      const count = await this.read(block.subarray(filled, wanted), at);
      if (count === 0) break;
      filled += count;
      this.done += count;
      // The first bytes may show that the rest is not needed, and the rest may take long to arrive.
      if (this.position === null && this.done === filled) break;
    }
    return block.subarray(0, filled);
  }

  /** Some parents hand down a non-blocking standard input: EAGAIN is not the end. */
  private async read(block: Uint8Array, position: number | null): Promise<number> {
    for (;;) {
      try {
        return (await readFrom(this.fd, block, 0, block.length, position)).bytesRead;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EOF' || this.isOver) return 0;
        if (code !== 'EAGAIN') throw error;
        await setTimeout(5);
      }
    }
  }
}
