import { open } from 'node:fs/promises';
import { type Codec, CodecError, type Decoder, type Sink } from '../codec/codec.js';
import { openInflateRaw } from '../codec/inflate.js';
import type { CodecName } from '../codec/registry.js';
import { DEFLATE_RATIO, type Limits } from '../limits.js';
import { Interruption } from './deadline.js';
import { asListed, packedDifference } from './listed.js';
import { readAhead } from './read-ahead.js';
import type { ByteRange, SourceProblem } from './source.js';
import { BLOCK_BYTES, Blocks, release } from './tar-file.js';

type UnpackLimits = Pick<Limits, 'unpackedFree' | 'unpackedRatio' | 'archiveBytes'>;

/** The content of a range as chunks, for a tar inside a zip. The file is read ahead while a chunk is worked on. */
export async function* streamRange(
  range: ByteRange,
  limits: UnpackLimits,
  onRead: (bytes: number) => void,
  report: (problem: SourceProblem) => void,
): AsyncGenerator<Uint8Array> {
  let isWhole = true;
  const failed = (error: CodecError) => {
    isWhole = false;
    report({ kind: 'zip-entry', path: null, reason: error.reason });
  };
  const stored = streamFile(range, onRead);
  let decoder: Decoder | undefined;
  const openDecoder = (sink: Sink) => {
    decoder = openInflateRaw(sink);
    return decoder;
  };
  const content = range.deflated ? push(stored, openDecoder, limits, DEFLATE_RATIO, failed) : stored;
  yield* asListed(range, content, () => isWhole, report);
  const packed = packedDifference(range, decoder?.shape.trailingGarbage ?? 0);
  if (isWhole && packed !== null) report({ kind: 'zip-content', path: null, ...packed });
}

/** The stored bytes of a range of a file. */
export async function* streamFile(
  range: ByteRange,
  onRead: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const { start, length, content } = range;
  if (content !== undefined) {
    const stored = content.subarray(start, start + length);
    onRead(stored.length);
    yield stored;
    return;
  }
  const handle = await open(range.file, 'r');
  try {
    for await (const chunk of readAhead(handle.fd, start, { length })) {
      onRead(chunk.length);
      yield chunk;
    }
  } finally {
    await handle.close();
  }
}

/** Decompresses an outer compression while it is read. Bytes that precede an error are passed on. */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  codec: Codec<CodecName>,
  limits: UnpackLimits,
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
      fault: error.fault,
      readable,
    });
  for await (const piece of push(chunks, openDecoder, limits, codec.maxRatio, failed)) {
    readable += piece.length;
    yield piece;
  }
  const { trailingGarbage = 0, trailingZeros = 0 } = decoder?.shape ?? {};
  // Zeros are padding to xz, and to nothing else.
  const bytes = trailingGarbage + (codec.name === 'xz' && trailingGarbage === 0 ? 0 : trailingZeros);
  if (bytes > 0) {
    const zeros = trailingGarbage === 0;
    report({ kind: 'outer-trailing', path: null, codec: codec.name, bytes, zeros });
  }
}

/** Bytes of a slice. A smaller one saves no relevant memory; a larger one is not measurably faster. */
const SLICE = 1024;

/**
 * Turns a push decoder into a pull of chunks. Input goes in small slices, because the output of one slice has to be
 * held: zstd makes 128 KiB of four bytes. A chunk is valid until the next one is asked for, or as long as its block is
 * held.
 * @throws Interruption when it unpacks to too much
 */
async function* push(
  chunks: AsyncIterable<Uint8Array>,
  openDecoder: (sink: Sink) => Decoder,
  limits: UnpackLimits,
  maxRatio: number,
  failed: (error: CodecError) => void,
): AsyncGenerator<Uint8Array> {
  const gathered = new Gathered();
  let [packed, unpacked] = [0, 0];
  const decoder = openDecoder(piece => {
    unpacked += piece.length;
    check(packed, unpacked, limits, maxRatio);
    gathered.add(piece);
  });
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += SLICE) {
        const slice = chunk.subarray(at, at + SLICE);
        packed += slice.length;
        decoder.write(slice);
        yield* gathered.full();
      }
    }
    decoder.end();
    yield* gathered.rest();
  } catch (error) {
    if (!(error instanceof CodecError || error instanceof Interruption)) throw error;
    yield* gathered.rest();
    if (error instanceof Interruption) throw error;
    failed(error);
  } finally {
    decoder.close();
  }
}

/** The same rule as for a layer. @throws Interruption */
function check(packed: number, unpacked: number, limits: UnpackLimits, maxRatio: number): void {
  const { unpackedFree, unpackedRatio, archiveBytes } = limits;
  const isBomb = unpacked > unpackedFree && unpacked > unpackedRatio * packed;
  if (!isBomb && unpacked <= archiveBytes) return;
  const limit = isBomb ? 'unpackedRatio' : 'archiveBytes';
  const need = isBomb ? { seen: Math.floor(unpacked / packed), enough: maxRatio } : { seen: unpacked };
  throw new Interruption({ kind: 'limit', path: null, limit, value: limits[limit], ...need, outer: true });
}

/** The output of a decoder, copied into blocks, because decoders reuse their buffers while a chunk is processed. */
class Gathered {
  private readonly blocks = new Blocks();
  private ready: Uint8Array[] = [];
  private block: Uint8Array | null = null;
  private filled = 0;

  add(piece: Uint8Array): void {
    for (let at = 0; at < piece.length; ) {
      this.block ??= this.blocks.take();
      const part = piece.subarray(at, at + BLOCK_BYTES - this.filled);
      this.block.set(part, this.filled);
      this.filled += part.length;
      at += part.length;
      if (this.filled === BLOCK_BYTES) this.turn();
    }
  }

  /** The blocks that are full. */
  *full(): Generator<Uint8Array> {
    const ready = this.ready;
    this.ready = [];
    for (const block of ready) {
      yield block;
      release(block);
    }
  }

  /** Everything there is. */
  *rest(): Generator<Uint8Array> {
    if (this.filled > 0) this.turn();
    yield* this.full();
  }

  private turn(): void {
    this.ready.push(this.block!.subarray(0, this.filled));
    this.block = null;
    this.filled = 0;
  }
}
