import { closeSync, openSync, readSync } from 'node:fs';
import { CodecError } from '../codec/codec.js';
import { openInflateRaw } from '../codec/inflate.js';
import { isSystemError } from '../errors.js';
import { copyOf } from './cursor.js';
import type { ByteRange } from './source.js';

/** Bytes per read. A larger size is not measurably faster; 64 KiB takes a tenth longer. */
const PIECE = 256 * 1024;

/**
 * Reads a range piece by piece, synchronously, unpacked where it is deflated. Yields after every read how many bytes
 * of the file it was.
 * @param sink  returns false to stop early
 * @returns how many bytes follow the deflate data, of a range that was read to its end
 * @throws CodecError for a bad deflate stream, or the system's error
 */
export function* readSteps(
  range: ByteRange,
  sink: (piece: Uint8Array) => boolean,
): Generator<number, number> {
  const decoder = range.deflated
    ? openInflateRaw(piece => {
        if (!sink(piece)) throw new Enough();
      })
    : null;
  const pieces = piecesOf(range);
  try {
    for (const piece of pieces) {
      if (decoder !== null) decoder.write(piece);
      else if (!sink(piece)) return 0;
      yield piece.length;
    }
    decoder?.end();
    return decoder?.shape.trailingGarbage ?? 0;
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    return 0;
  } finally {
    decoder?.close();
  }
}

/** Ends a decoder whose output is not wanted any more. */
class Enough extends Error {}

/** The stored bytes of a range; each piece is valid until the next one. */
function* piecesOf({ file, start, length, content }: ByteRange): Generator<Uint8Array> {
  if (content !== undefined) {
    const piece = content.subarray(start, start + length);
    if (piece.length > 0) yield piece;
    return;
  }
  const buffer = new Uint8Array(Math.min(PIECE, Math.max(length, 1)));
  const fd = openSync(file, 'r');
  try {
    for (let done = 0; done < length; ) {
      const read = readSync(fd, buffer, 0, Math.min(buffer.length, length - done), start + done);
      if (read === 0) break;
      done += read;
      yield buffer.subarray(0, read);
    }
  } finally {
    closeSync(fd);
  }
}

/** Files up to this size are read at once, in bytes: opening one again for each member takes longer than reading it. */
const SMALL = 1024 * 1024;

/**
 * The bytes of a small file, fewer where it has become shorter. undefined for a larger one, and where not all of it can
 * be read: then each member is read by itself, so that one bad block does not hide the others.
 */
export function smallContent(file: string, size: number): Uint8Array | undefined {
  if (size > SMALL) return undefined;
  const bytes = Buffer.allocUnsafeSlow(size);
  try {
    const fd = openSync(file, 'r');
    try {
      let filled = 0;
      while (filled < size) {
        const read = readSync(fd, bytes, filled, size - filled, filled);
        if (read === 0) break;
        filled += read;
      }
      return bytes.subarray(0, filled);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
}

/** Reads a range without a break. See `readSteps`. */
export function readRange(range: ByteRange, sink: (piece: Uint8Array) => boolean): void {
  for (const _ of readSteps(range, sink));
}

/** The first `length` bytes of a range's content, or fewer where it is shorter or damaged. */
export function readHead(range: ByteRange, length: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let have = 0;
  const narrow = range.deflated ? range : { ...range, length: Math.min(range.length, length) };
  try {
    readRange(narrow, piece => {
      parts.push(copyOf(piece.subarray(0, length - have)));
      have += piece.length;
      return have < length;
    });
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
  }
  return Buffer.concat(parts);
}

const LEAST = 4 * 1024;
const MOST = 256 * 1024;

/**
 * Reads pieces of a range of a file, one after the other. The buffer grows while the pieces lie close together, as the
 * headers of small members do, and shrinks while they lie far apart.
 */
export class FileWindow {
  /** null for a file that is in memory. */
  private readonly fd: number | null;
  private buffer: Uint8Array;
  /** The buffer's content: its offset in the range and its length, in bytes. */
  private from = 0;
  private filled = 0;
  private width = LEAST;

  /** Bytes that there are. */
  length: number;

  /** @throws the system's error */
  constructor(private readonly range: ByteRange) {
    const { file, start, length, content } = range;
    this.fd = content === undefined ? openSync(file, 'r') : null;
    this.buffer = content?.subarray(start, start + length) ?? new Uint8Array(LEAST);
    this.length = content === undefined ? length : this.buffer.length;
    if (content !== undefined) this.filled = this.length;
  }

  /**
   * Up to `length` bytes at `at`, fewer only at the range's end. Valid until the next call. @throws the system's error
   */
  read(at: number, length: number): Uint8Array {
    if (this.fd !== null && (at < this.from || at + length > this.from + this.filled)) this.fill(at, length);
    const from = at - this.from;
    return this.buffer.subarray(from, Math.min(from + length, this.filled));
  }

  close(): void {
    if (this.fd !== null) closeSync(this.fd);
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
      const count = readSync(this.fd!, this.buffer, this.filled, wanted - this.filled, place);
      // The file has become shorter.
      if (count === 0) this.length = at + this.filled;
      if (count === 0) return;
      this.filled += count;
    }
  }
}
