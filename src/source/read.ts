import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Codec, Decoder, Sink } from '../codec/codec.js';
import { CodecError } from '../codec/codec.js';
import { openInflateRaw } from '../codec/inflate.js';
import { copyOf } from './cursor.js';
import { readAhead } from './read-ahead.js';
import type { ByteRange, SourceProblem } from './source.js';

/** Bytes per read. Larger gains nothing measurable; 64 KiB costs a tenth. */
const PIECE = 256 * 1024;

/**
 * Reads a range piece by piece, synchronously, unpacked where it is deflated.
 * @param sink  returns false to stop early
 * @throws CodecError for a bad deflate stream, or the system's error
 */
export function readRange(range: ByteRange, sink: (piece: Uint8Array) => boolean): void {
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
      else if (!sink(piece)) return;
    }
    decoder?.end();
  } catch (error) {
    if (error !== stop) throw error;
  } finally {
    decoder?.close();
    closeSync(fd);
  }
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

/** The content of a range as chunks, for a tar inside a zip. The file is read ahead while a chunk is worked on. */
export async function* streamRange(
  range: ByteRange,
  onRead: (bytes: number) => void,
  report: (problem: SourceProblem) => void,
): AsyncGenerator<Uint8Array> {
  const chunks = streamFile(range, onRead);
  if (!range.deflated) yield* chunks;
  else
    yield* push(chunks, openInflateRaw, error =>
      report({ kind: 'zip-entry', path: null, reason: error.reason }),
    );
}

async function* streamFile(range: ByteRange, onRead: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const handle = await open(range.file, 'r');
  try {
    for await (const chunk of readAhead(handle.fd, range.start, range.length)) {
      onRead(chunk.length);
      yield chunk;
    }
  } finally {
    await handle.close();
  }
}

/** Decompresses an outer compression as it passes by. What was readable before an error is passed on. */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  codec: Codec,
  report: (problem: SourceProblem) => void,
): AsyncGenerator<Uint8Array> {
  await codec.load();
  let readable = 0;
  let decoder: Decoder | undefined;
  const openDecoder = (sink: Sink) => {
    decoder = codec.open(sink);
    return decoder;
  };
  const failed = (error: CodecError) =>
    report({
      kind: 'outer-compression',
      path: null,
      codec: codec.name,
      cut: error.kind === 'truncated',
      reason: error.reason,
      readable,
    });
  for await (const piece of push(chunks, openDecoder, failed)) {
    readable += piece.length;
    yield piece;
  }
  const garbage = decoder?.shape.trailingGarbage ?? 0;
  if (garbage > 0) report({ kind: 'outer-trailing', path: null, codec: codec.name, bytes: garbage });
}

/** Turns a push decoder into a pull of chunks. Input goes in small slices, which bounds what one slice can unpack to. */
async function* push(
  chunks: AsyncIterable<Uint8Array>,
  openDecoder: (sink: Sink) => Decoder,
  failed: (error: CodecError) => void,
): AsyncGenerator<Uint8Array> {
  let out: Uint8Array[] = [];
  const decoder = openDecoder(piece => void out.push(copyOf(piece)));
  const drain = () => {
    const ready = out;
    out = [];
    return ready;
  };
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += SLICE) {
        decoder.write(chunk.subarray(at, at + SLICE));
        yield* drain();
      }
    }
    decoder.end();
    yield* drain();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    yield* drain();
    failed(error);
  } finally {
    decoder.close();
  }
}

const SLICE = 64 * 1024;
