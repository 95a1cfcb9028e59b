import { fstatSync } from 'node:fs';
import { type ConnectOpts, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { Readable } from 'node:stream';
import { readAhead } from './read-ahead.js';
import { BLOCK_BYTES, Blocks, release } from './tar-file.js';

/** Blocks that wait to be asked for, while another is filled and another worked on. */
const AHEAD = 2;

/**
 * Reads what was opened and can only be read once, from where it stands, and closes it in the end. A chunk is valid until
 * the next one is asked for; who needs it for longer holds its block.
 */
export const readOnce = (fd: number): AsyncIterableIterator<Uint8Array> => readForward(fd, true);

function readForward(fd: number, closes: boolean): AsyncIterableIterator<Uint8Array> {
  const stats = fstatSync(fd);
  try {
    if (stats.isFIFO() || stats.isSocket()) return new PipeReader(fd);
  } catch {
    // Of what no stream of Node's can be made, such as a socket of datagrams.
  }
  return readAhead(fd, null, { closes });
}

const inherited = new Set<number>();

/**
 * The same of what the process was started with. Standard input stays open: were its number free, the next pipe or thread
 * would get it, and libuv ends the process when it is to close one of the numbers 0 to 2 (`uv__close`). A socket of Node's
 * keeps to that by itself. Nothing is read from a descriptor a second time: its number may be another file's by then.
 */
export function readInherited(fd: number): AsyncIterable<Uint8Array> {
  if (inherited.has(fd)) return Readable.from([]);
  inherited.add(fd);
  return readForward(fd, false);
}

/**
 * A pipe gives 64 KiB at a time. The event loop reads that where it is, which takes half the time of a turn through a thread
 * of its own; and unlike such a thread, it does not have to wait for a writer that says nothing any more.
 */
class PipeReader implements AsyncIterableIterator<Uint8Array> {
  private readonly blocks = new Blocks();
  private readonly ready: Uint8Array[] = [];
  private block: Uint8Array = this.blocks.take();
  private filled = 0;
  private isFirst = true;
  /** What the caller is working on. */
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
    // The first bytes may show that the rest is not wanted, and that may be long in coming.
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
