import { fstatSync } from 'node:fs';
import { type ConnectOpts, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { Readable } from 'node:stream';
import { readAhead } from './read-ahead.js';
import { BLOCK_BYTES, Blocks, release } from './tar-file.js';

/** Blocks that wait to be read, while one is filled and one is processed. */
const AHEAD = 2;

/**
 * Reads an open descriptor that can only be read once, from its position, and closes it in the end. A chunk is valid
 * until the next one is asked for; a caller that needs it for longer holds its block.
 */
export const readOnce = (fd: number): AsyncIterableIterator<Uint8Array> => readForward(fd, true);

function readForward(fd: number, closes: boolean): AsyncIterableIterator<Uint8Array> {
  const stats = fstatSync(fd);
  try {
    if (stats.isFIFO() || stats.isSocket()) return new PipeReader(fd);
  } catch {
    // Node cannot make a stream of some descriptors, such as a datagram socket.
  }
  return readAhead(fd, null, { closes });
}

const inherited = new Set<number>();

/**
 * The same of what the process was started with. Standard input stays open: were its number free, the next pipe or
 * thread would get it, and libuv ends the process when it is to close one of the numbers 0 to 2 (`uv__close`). A socket
 * of Node's keeps to that by itself. Nothing is read from a descriptor a second time: its number may be another file's
 * by then.
 */
export function readInherited(fd: number): AsyncIterable<Uint8Array> {
  if (inherited.has(fd)) return Readable.from([]);
  inherited.add(fd);
  return readForward(fd, false);
}

/**
 * A pipe gives 64 KiB at a time. The event loop reads it directly, which takes half the time of a read in Node's thread
 * pool; and unlike such a read, it does not wait for a writer that sends nothing more.
 */
class PipeReader implements AsyncIterableIterator<Uint8Array> {
  private readonly blocks = new Blocks();
  private readonly ready: Uint8Array[] = [];
  private block: Uint8Array = this.blocks.take();
  private filled = 0;
  private isFirst = true;
  /** The block that the caller is processing. */
  private current: Uint8Array | null = null;
  private isOver = false;
  private error: Error | null = null;
  private readonly socket: Socket;
  private wake: () => void = () => {};

  constructor(fd: number) {
    const onread: OnReadOpts = {
      buffer: () => this.block.subarray(this.filled),
      callback: count => this.take(count),
    };
    // Node's types know `onread` of connections only.
    const options: SocketConstructorOpts & ConnectOpts = { fd, readable: true, writable: false, onread };
    this.socket = new Socket(options);
    this.socket.on('error', error => this.close(error)).on('close', () => this.close());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.letGo();
    this.socket.resume();
    while (this.ready.length === 0 && !this.isOver)
      await new Promise<void>(resolve => {
        this.wake = resolve;
      });
    const chunk = this.ready.shift();
    if (chunk === undefined) {
      if (this.error !== null) throw this.error;
      return { done: true, value: undefined };
    }
    this.current = chunk;
    return { done: false, value: chunk };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.letGo();
    this.isOver = true;
    for (const chunk of this.ready.splice(0)) release(chunk);
    this.socket.destroy();
    this.wake();
    return { done: true, value: undefined };
  }

  /** @returns whether to go on reading */
  private take(count: number): boolean {
    this.filled += count;
    // The first bytes may show that the rest is not needed, and the rest may take long to arrive.
    if (this.isFirst || this.filled === BLOCK_BYTES) this.turn();
    this.isFirst = false;
    return this.ready.length < AHEAD;
  }

  private turn(): void {
    this.ready.push(this.block.subarray(0, this.filled));
    this.block = this.blocks.take();
    this.filled = 0;
    this.wake();
  }

  private close(error: Error | null = null): void {
    if (this.isOver) return;
    if (this.filled > 0) this.turn();
    this.isOver = true;
    this.error = error;
    this.wake();
  }

  private letGo(): void {
    if (this.current !== null) release(this.current);
    this.current = null;
  }
}
