import { type Codec, CodecError } from './codec.js';
import { flushing, type Input, type Step } from './input.js';
import { couldBe, openPush, readTail, type ShapeSoFar } from './push.js';
import { eitherZstd, type FrameDecoder, nodeZstd, webAssemblyZstd, type Zstd } from './zstd-decoders.js';

// RFC 8878, 3.1.1 and 3.1.2. A skippable frame's first byte is anything from 0x50 to 0x5f.
const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const SKIPPABLE = [0x50, 0x2a, 0x4d, 0x18];

/** The largest window that `zstd -d` accepts by default and that `zstd --long` makes. RFC 8878 asks for 8 MiB. */
const WINDOW_MAX = 128 * 1024 * 1024;

/**
 * Blocks are found here and only unpacked by zstd. That gives exact output before a fault, plain words for windows
 * and dictionaries, and the end of each frame; a stream of node:zlib stops silently after the first.
 */
export const zstdBy = (implementation: Zstd): Codec<'zstd'> => ({
  name: 'zstd',
  // A block of 128 KiB takes four bytes.
  maxRatio: 32_768,
  matches: head =>
    head.length >= 4 && (couldBe(MAGIC, head.subarray(0, 4)) || isSkippable(head.subarray(0, 4))),
  load: implementation.load,
  isLoaded: implementation.isLoaded,
  open: (sink, outlet) =>
    openPush('zstd', (input, shape) => readFrames(input, shape, () => implementation.open(sink, outlet))),
});

export const zstd: Codec<'zstd'> = zstdBy(eitherZstd(nodeZstd, webAssemblyZstd));

/** Whether `head` could still become the magic of a skippable frame: equal as far as it goes. */
function isSkippable(head: Uint8Array): boolean {
  return head.every((byte, index) => (index === 0 ? byte & 0xf0 : byte) === SKIPPABLE[index]);
}

/**
 * Whether a stream begins with a skippable frame, which readers that know zstd by the magic of a data frame do not
 * know.
 */
export const beginsSkippable = (head: Uint8Array): boolean =>
  head.length >= 4 && isSkippable(head.subarray(0, 4));

function* readFrames(input: Input, shape: ShapeSoFar, open: () => FrameDecoder): Step<void> {
  const decoder = open();
  try {
    for (let frames = 0; ; ) {
      const head = yield* input.peek(4);
      if (head.length === 0 && frames + shape.skippable > 0) return;
      const data = couldBe(MAGIC, head);
      if (!data && !isSkippable(head)) {
        // Behind nothing but skippable frames this is no tail: the stream's data itself is unreadable.
        if (frames === 0) throw new CodecError('zstd', 'corrupt', 'unknown frame magic');
        yield* readTail(input, shape);
        return;
      }
      if (head.length < 4) throw input.truncated('within a frame magic');
      if (data) {
        yield* flushing(decoder, readFrame(input, decoder));
        frames += 1;
        shape.parts = frames;
      } else {
        input.at += 4;
        const size = readLittleEndian(yield* input.take(4, 'within a skippable frame'));
        yield* input.skip(size, 'within a skippable frame');
        shape.skippable += 1;
      }
    }
  } finally {
    decoder.close();
  }
}

function* readFrame(input: Input, decoder: FrameDecoder): Step<void> {
  const hasChecksum = yield* readHeader(input, decoder);
  for (let last = false; !last; ) {
    const head = yield* input.take(3, 'within a frame');
    const word = readLittleEndian(head);
    last = (word & 1) === 1;
    decoder.feed(head);
    // 3.1.1.2: a run-length block is one byte, whatever size it says. zstd has refused unknown types and oversize.
    let rest = ((word >> 1) & 3) === 1 ? 1 : word >> 3;
    while (rest > 0) {
      if (!(yield* input.more())) throw input.truncated('within a frame');
      const piece = input.bytes.subarray(input.at, Math.min(input.at + rest, input.bytes.length));
      decoder.feed(piece);
      input.at += piece.length;
      rest -= piece.length;
    }
    if (last && hasChecksum) decoder.feed(yield* input.take(4, 'within the frame checksum'));
  }
}

/** 3.1.1.1, frame header: the descriptor says which fields there are and how long. Returns its checksum flag. */
function* readHeader(input: Input, decoder: FrameDecoder): Step<boolean> {
  const where = 'within a frame header';
  const start = yield* input.peek(5);
  if (start.length < 5) throw input.truncated(where);
  const descriptor = start[4] as number;
  const windowBytes = (descriptor >> 5) & 1 ? 0 : 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = [1 - windowBytes, 2, 4, 8][descriptor >> 6] as number;
  const header = yield* input.take(5 + windowBytes + dictionaryBytes + sizeBytes, where);

  const dictionary = readLittleEndian(header.subarray(5 + windowBytes, 5 + windowBytes + dictionaryBytes));
  if (dictionary !== 0) {
    throw new CodecError('zstd', 'corrupt', `the frame needs dictionary ${dictionary}`, {
      unsupported: true,
    });
  }
  // A single-segment frame has no window of its own: it is as large as the content.
  const size = readLittleEndian(header.subarray(header.length - sizeBytes)) + (sizeBytes === 2 ? 256 : 0);
  const window = windowBytes === 0 ? size : windowSize(header[5] as number);
  if (window > WINDOW_MAX) {
    const reason = `the frame needs a window of ${window} bytes; the limit is ${WINDOW_MAX} (128 MiB)`;
    throw new CodecError('zstd', 'corrupt', reason, { unsupported: true });
  }
  decoder.feed(header);
  return (descriptor & 4) !== 0;
}

/** 3.1.1.1.2, window descriptor. */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Not exact beyond 2^53, where it only has to be larger than a limit. */
function readLittleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
