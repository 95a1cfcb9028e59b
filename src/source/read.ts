import { closeSync, openSync, readSync } from 'node:fs';
import { CodecError } from '../codec/codec.js';
import { openInflateRaw } from '../codec/inflate.js';
import { copyOf } from './cursor.js';
import type { ByteRange } from './source.js';

/** Bytes per read. Larger gains nothing measurable; 64 KiB costs a tenth. */
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
  const stop = new Error('enough');
  const decoder = range.deflated
    ? openInflateRaw(piece => {
        if (!sink(piece)) throw stop;
      })
    : null;
  const buffer = new Uint8Array(Math.min(PIECE, Math.max(range.length, 1)));
  const fd = openSync(range.file, 'r');
  try {
    for (let done = 0; done < range.length; ) {
      const read = readSync(fd, buffer, 0, Math.min(buffer.length, range.length - done), range.start + done);
      if (read === 0) break;
      done += read;
      const piece = buffer.subarray(0, read);
      if (decoder !== null) decoder.write(piece);
      else if (!sink(piece)) return 0;
      yield read;
    }
    decoder?.end();
    return decoder?.shape.trailingGarbage ?? 0;
  } catch (error) {
    if (error !== stop) throw error;
    return 0;
  } finally {
    decoder?.close();
    closeSync(fd);
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
