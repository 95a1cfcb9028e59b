import { type Codec, CodecError, type Sink } from './codec.js';
import { flushing, type Input, type Step } from './input.js';
import { couldBe, openPush, readTail, type ShapeSoFar } from './push.js';
import { isXzLoaded, loadXz, XzContext } from './xz-context.js';

// The .xz file format, version 1.2.1 (https://tukaani.org/xz/xz-file-format.txt), whose section numbers these are.
const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];

// 2.1.1.2: the size of the check after each block, by its ID.
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/**
 * The decoder is given exactly one part of a stream after another. Left alone it cannot tell a finished stream from
 * one cut short, nor what follows from a next stream; and it never says that it is done.
 */
export const xz: Codec = {
  name: 'xz',
  matches: head => head.length >= 6 && couldBe(MAGIC, head.subarray(0, 6)),
  load: loadXz,
  isLoaded: isXzLoaded,
  open: sink => openPush('xz', (input, shape) => readStreams(input, shape, sink)),
};

function* readStreams(input: Input, shape: ShapeSoFar, sink: Sink): Step<void> {
  const context = new XzContext(sink);
  try {
    for (let streams = 0; ; ) {
      // 2.2: padding between and after streams is a multiple of four zeros. Other zeros belong to no stream.
      const padding = streams === 0 ? 0 : yield* readZeros(input);
      const head = yield* input.peek(6);
      if (streams > 0 && (head.length === 0 || padding % 4 !== 0 || !couldBe(MAGIC, head))) {
        shape.trailingZeros = padding - (padding % 4);
        shape.trailingGarbage = padding % 4;
        yield* readTail(input, shape);
        return;
      }
      if (!couldBe(MAGIC, head)) throw new CodecError('xz', 'corrupt', 'does not begin with an xz stream');
      yield* flushing(context, readStream(input, context));
      streams += 1;
      shape.parts = streams;
    }
  } finally {
    context.close();
  }
}

function* readZeros(input: Input): Step<number> {
  let zeros = 0;
  while (yield* input.more()) {
    if (input.bytes[input.at] !== 0) break;
    input.at += 1;
    zeros += 1;
  }
  return zeros;
}

/** 2.1, stream: header, blocks, index, footer. What is wrong inside is left for the decoder to see. */
function* readStream(input: Input, context: XzContext): Step<void> {
  const header = yield* input.take(12, 'within a stream header');
  const checkSize = CHECK_SIZES[(header[7] as number) & 15] as number;
  context.feed(header);
  for (;;) {
    const size = yield* input.peek(1);
    if (size.length === 0) throw input.truncated('between blocks');
    if (size[0] === 0) break;
    yield* readBlock(input, context, checkSize);
  }
  yield* readIndex(input, context);
  context.feed(yield* input.take(12, 'within a stream footer'));
}

/** 3, block: header, LZMA2 data, padding to four bytes, check. */
function* readBlock(input: Input, context: XzContext, checkSize: number): Step<void> {
  const size = ((yield* input.peek(1))[0] as number) * 4 + 4;
  context.feed(yield* input.take(size, 'within a block header'));
  const length = yield* readLzma2(input, context);
  yield* pass(input, context, ((4 - (length % 4)) % 4) + checkSize, 'within a block');
}

/**
 * 5.3.1, LZMA2. Each chunk begins with a control byte: 0 ends the data, 1 and 2 are stored, from 0x80 on compressed,
 * from 0xc0 on with a byte of properties. LZMA2 is always the last filter, so this holds whatever precedes it.
 */
function* readLzma2(input: Input, context: XzContext): Step<number> {
  const where = 'within a block';
  for (let total = 0; ; ) {
    const control = (yield* input.peek(1))[0];
    if (control === undefined) throw input.truncated(where);
    if (control > 2 && control < 0x80) throw new CodecError('xz', 'corrupt', 'invalid LZMA2 control byte');
    const headLength = control === 0 ? 1 : control < 0x80 ? 3 : control < 0xc0 ? 5 : 6;
    const head = yield* input.take(headLength, where);
    const sizeAt = control < 0x80 ? 1 : 3;
    const size = control === 0 ? 0 : (head[sizeAt] as number) * 256 + (head[sizeAt + 1] as number) + 1;
    context.feed(head);
    // A chunk at a time, however the owner cuts the stream into writes: what the decoder has decoded of a piece that it
    // then refuses is lost, and so the same is lost each time.
    const chunk = yield* input.peek(size);
    context.feed(chunk);
    if (chunk.length < size) throw input.truncated(where);
    input.at += size;
    total += headLength + size;
    if (control === 0) return total;
  }
}

/** 4, index: indicator, number of records, two numbers for each, padding to four bytes, CRC-32. */
function* readIndex(input: Input, context: XzContext): Step<void> {
  let length = 1;
  yield* pass(input, context, 1, 'within the index');
  const read = function* (): Step<number> {
    // 1.2, variable-length integer: seven bits a byte, lowest first, at most nine bytes.
    for (let value = 0, shift = 1, count = 1; ; count += 1, shift *= 128) {
      const byte = (yield* input.take(1, 'within the index'))[0] as number;
      context.feed(Uint8Array.of(byte));
      length += 1;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
      if (count === 9) throw new CodecError('xz', 'corrupt', 'invalid number in the index');
    }
  };
  // The decoder compares the records with the blocks it saw, and refuses an index that has more.
  for (let rest = 2 * (yield* read()); rest > 0; rest -= 1) yield* read();
  yield* pass(input, context, ((4 - (length % 4)) % 4) + 4, 'within the index');
}

function* pass(input: Input, context: XzContext, count: number, where: string): Step<void> {
  for (let rest = count; rest > 0; ) {
    if (!(yield* input.more())) throw input.truncated(where);
    const piece = input.bytes.subarray(input.at, Math.min(input.at + rest, input.bytes.length));
    context.feed(piece);
    input.at += piece.length;
    rest -= piece.length;
  }
}
