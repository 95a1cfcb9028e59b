import { closeSync, openSync, readSync } from 'node:fs';
import type { ByteRange } from './source.js';

const LEAST = 4 * 1024;
const MOST = 256 * 1024;

/**
 * Looks at places of a range of a file, one after the other. What is read at once grows while they lie close together, as
 * the headers of small members do, and shrinks while they lie far apart.
 */
export class FileWindow {
  private readonly fd: number;
  private buffer: Uint8Array = new Uint8Array(LEAST);
  /** What the buffer holds: where it starts in the range, and how many bytes. */
  private from = 0;
  private filled = 0;
  private width = LEAST;

  /** Bytes that there are. */
  length: number;

  /** @throws the system's error */
  constructor(private readonly range: ByteRange) {
    this.fd = openSync(range.file, 'r');
    this.length = range.length;
  }

  /** Up to `length` bytes at `at`, fewer only at the range's end. Valid until the next call. @throws the system's error */
  read(at: number, length: number): Uint8Array {
    if (at < this.from || at + length > this.from + this.filled) this.fill(at, length);
    const from = at - this.from;
    return this.buffer.subarray(from, Math.min(from + length, this.filled));
  }

  close(): void {
    closeSync(this.fd);
  }

  private fill(at: number, length: number): void {
    const isNear = at >= this.from && at < this.from + this.filled + this.width;
    this.width = isNear ? Math.min(MOST, this.width * 2) : Math.max(LEAST, this.width / 2);
    const most = Math.min(Math.max(length, this.width), this.length - at);
    try {
      this.load(at, most);
    } catch (error) {
      // The bytes that cannot be read may lie beyond those that were asked for.
      if (length >= most) throw error;
      this.load(at, length);
    }
  }

  private load(at: number, length: number): void {
    const wanted = Math.max(0, Math.min(length, this.length - at));
    if (this.buffer.length < wanted) this.buffer = new Uint8Array(Math.max(wanted, this.width));
    this.from = at;
    this.filled = 0;
    while (this.filled < wanted) {
      const place = this.range.start + at + this.filled;
      const count = readSync(this.fd, this.buffer, this.filled, wanted - this.filled, place);
      // The file has become shorter.
      if (count === 0) this.length = at + this.filled;
      if (count === 0) return;
      this.filled += count;
    }
  }
}
