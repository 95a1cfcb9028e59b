import { Bits } from './bzip2-bits.js';
import { BlockReader } from './bzip2-block.js';
import { type Codec, CodecError, type Sink } from './codec.js';
import type { Input, Step } from './input.js';
import { openPush, readTail, type ShapeSoFar } from './push.js';

const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;

/**
 * Our own decoder, because the packages were no help: unbzip2-stream unpacks 8 MB/s, has no words for a cut stream and
 * takes everything that follows for a next one; seek-bzip can only pull, and the WebAssembly builds want it all at once.
 */
export const bzip2: Codec = {
  name: 'bzip2',
  // "BZh9" alone could be the beginning of a text: the first block's (or the empty stream's end) magic has to follow.
  matches: head =>
    isHeader(head.subarray(0, 4)) &&
    ((head[4] === 0x31 && head[5] === 0x41) || (head[4] === 0x17 && head[5] === 0x72)),
  load: async () => {},
  isLoaded: () => true,
  open: sink => openPush('bzip2', (input, shape) => readStreams(input, shape, sink)),
};

/** "BZh" and a digit from 1 to 9, or as much of it as there is. */
function isHeader(head: Uint8Array): boolean {
  return head.every((byte, index) =>
    index < 3 ? byte === 'BZh'.charCodeAt(index) : byte > 0x30 && byte <= 0x39,
  );
}

function* readStreams(input: Input, shape: ShapeSoFar, sink: Sink): Step<void> {
  const block = new BlockReader(sink);
  for (let streams = 0; ; ) {
    const head = yield* input.peek(4);
    if (streams > 0 && head.length === 0) return;
    if (!isHeader(head)) {
      if (streams === 0) throw new CodecError('bzip2', 'corrupt', 'does not begin with a bzip2 stream');
      yield* readTail(input, shape);
      return;
    }
    if (head.length < 4) throw input.truncated('within the stream header');
    const level = (head[3] as number) - 0x30;
    input.at += 4;
    yield* readStream(input, level, block);
    streams += 1;
    shape.parts = streams;
  }
}

/** Blocks follow each other bit by bit; only the stream's end is filled up to a whole byte. */
function* readStream(input: Input, level: number, block: BlockReader): Step<void> {
  let skip = 0;
  let combined = 0;
  for (;;) {
    // Magic and CRC, at worst shifted by seven bits.
    const bits = new Bits(yield* input.peek(11), skip);
    const magic = bits.read(24) * 2 ** 24 + bits.read(24);
    const crc = bits.readUint32();
    if (bits.overrun) throw input.truncated('between blocks');
    if (magic === END_MAGIC) {
      if (crc !== combined)
        throw new CodecError('bzip2', 'corrupt', 'the CRC of the whole stream does not match');
      input.at += Math.ceil(bits.position / 8);
      return;
    }
    if (magic !== BLOCK_MAGIC)
      throw new CodecError('bzip2', 'corrupt', 'neither a block nor the end of the stream');
    const end = yield* readBlock(input, block, skip, level);
    input.at += end >> 3;
    skip = end & 7;
    combined = (((combined << 1) | (combined >>> 31)) ^ block.write()) >>> 0;
  }
}

/**
 * A block says nowhere how long it is. It is read when there is as much input as a sensible one can take; where that
 * is not enough, again with twice as much, which ends because the number of Huffman groups in a block is limited.
 */
function* readBlock(input: Input, block: BlockReader, skip: number, level: number): Step<number> {
  for (let wanted = level * 102_000 + 1_000; ; wanted *= 2) {
    const bytes = yield* input.peek(wanted);
    const bits = new Bits(bytes, skip);
    try {
      bits.read(24);
      bits.read(24);
      block.read(bits, level);
    } catch (error) {
      // What is read beyond the end is made up, and so are the faults in it.
      if (!bits.overrun) throw error;
    }
    if (!bits.overrun) return bits.position;
    if (bytes.length < wanted) throw input.truncated('within a block');
  }
}
