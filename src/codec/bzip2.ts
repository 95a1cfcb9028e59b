import { type Codec, CodecError, type Sink } from './codec.js';
import type { Input, Step } from './input.js';
import { openPush, readTail, type ShapeSoFar } from './push.js';

/**
 * Reads bits, highest first. Beyond the last byte it reads zeros and reports that afterwards: one comparison for a
 * whole block instead of one for every read.
 */
class Bits {
  readonly #bytes: Uint8Array;
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array, skip: number) {
    this.#bytes = bytes;
    this.read(skip);
  }

  get position(): number {
    return this.#at * 8 - this.#count;
  }

  get overrun(): boolean {
    return this.position > this.#bytes.length * 8;
  }

  /** Up to 24 bits, without consuming them. */
  peek(count: number): number {
    while (this.#count < count) {
      const byte = this.#at < this.#bytes.length ? (this.#bytes[this.#at] as number) : 0;
      this.#held = (this.#held << 8) | byte;
      this.#at += 1;
      this.#count += 8;
    }
    return (this.#held >>> (this.#count - count)) & ((1 << count) - 1);
  }

  drop(count: number): void {
    this.#count -= count;
  }

  read(count: number): number {
    const value = this.peek(count);
    this.#count -= count;
    return value;
  }

  readUint32(): number {
    return (this.read(16) * 65536 + this.read(16)) >>> 0;
  }
}

const LENGTH_MAX = 20;
const FAST_BITS = 10;

/**
 * One of a block's canonical Huffman codes. Lengths that fit no prefix code do no harm: every index stays within the
 * symbols, and a code that no symbol has is an error.
 */
class HuffmanTable {
  /** For codes of at most FAST_BITS, by the next bits: symbol * 16 + length. 0 is none. */
  readonly #fast = new Uint16Array(1 << FAST_BITS);
  readonly #symbols: Uint16Array;
  readonly #first = new Int32Array(LENGTH_MAX + 1);
  readonly #limit = new Int32Array(LENGTH_MAX + 1);
  readonly #offset = new Int32Array(LENGTH_MAX + 1);

  constructor(lengths: Uint8Array) {
    this.#symbols = new Uint16Array(lengths.length);
    let code = 0;
    let placed = 0;
    for (let length = 1; length <= LENGTH_MAX; length += 1) {
      this.#first[length] = code;
      this.#offset[length] = placed;
      for (let symbol = 0; symbol < lengths.length; symbol += 1) {
        if (lengths[symbol] !== length) continue;
        this.#symbols[placed] = symbol;
        if (length <= FAST_BITS) this.#addFast(code, length, symbol);
        placed += 1;
        code += 1;
      }
      this.#limit[length] = code;
      code *= 2;
    }
  }

  next(bits: Bits): number {
    const ahead = bits.peek(LENGTH_MAX);
    const entry = this.#fast[ahead >> (LENGTH_MAX - FAST_BITS)] as number;
    if (entry !== 0) {
      bits.drop(entry & 15);
      return entry >> 4;
    }
    for (let length = 1; length <= LENGTH_MAX; length += 1) {
      const code = ahead >> (LENGTH_MAX - length);
      if (code >= (this.#limit[length] as number)) continue;
      bits.drop(length);
      const index = (this.#offset[length] as number) + code - (this.#first[length] as number);
      return this.#symbols[index] as number;
    }
    bits.drop(LENGTH_MAX);
    throw new CodecError('bzip2', 'corrupt', 'invalid Huffman code');
  }

  #addFast(code: number, length: number, symbol: number): void {
    const start = code << (FAST_BITS - length);
    this.#fast.fill(symbol * 16 + length, start, start + (1 << (FAST_BITS - length)));
  }
}

/** A block's codes: for each table a five-bit start, then per symbol any number of steps of one up or down. */
function readTable(bits: Bits, symbolCount: number): HuffmanTable {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbolCount; symbol += 1) {
    for (;;) {
      if (length < 1 || length > LENGTH_MAX) throw new CodecError('bzip2', 'corrupt', 'invalid code length');
      // Beyond the end all bits read as zeros, so this cannot go on for ever.
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return new HuffmanTable(lengths);
}

const GROUP_SIZE = 50;
const RUN_B = 1;
const OUTPUT_SIZE = 256 * 1024;

// Signed, like the column below: unsigned 32-bit values take the compiler's slow path.
const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});

/**
 * Decodes bzip2 blocks one after the other, in memory that is allocated once: there may be many streams, and empty
 * ones. The only specification is the reference implementation; Joe Tsai's "BZIP2: Format Specification" describes it.
 */
class BlockReader {
  #size = 0;
  readonly #sink: Sink;
  /** Low byte: the block's last column. The rest: where the next byte of the text is. */
  #column = new Int32Array(0);
  readonly #output = new Uint8Array(OUTPUT_SIZE);
  #length = 0;
  #origin = 0;
  #crc = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /**
   * Everything from behind the block's magic to its end. Nothing reaches the sink.
   * @param level  of its stream
   */
  read(bits: Bits, level: number): void {
    this.#size = level * 100_000;
    if (this.#column.length < this.#size) this.#column = new Int32Array(this.#size);
    this.#crc = bits.readUint32();
    if (bits.read(1) === 1)
      throw new CodecError('bzip2', 'corrupt', 'randomised block (bzip2 before 0.9.5)', {
        unsupported: true,
      });
    this.#origin = bits.read(24);
    const bytes = readAlphabet(bits);
    const tableCount = bits.read(3);
    if (tableCount < 2 || tableCount > 6) throw corrupt('invalid number of Huffman tables');
    const selectors = readSelectors(bits, tableCount);
    const tables = Array.from({ length: tableCount }, () => readTable(bits, bytes.length + 2));
    this.#readSymbols(bits, tables, selectors, bytes);
    if (this.#origin >= this.#length) throw corrupt('block origin out of range');
  }

  /** Hands the block that was read to the sink, and returns its CRC. */
  write(): number {
    const column = this.#column;
    const starts = new Int32Array(257);
    for (let i = 0; i < this.#length; i += 1) starts[((column[i] as number) & 255) + 1]! += 1;
    for (let byte = 1; byte < 256; byte += 1) starts[byte]! += starts[byte - 1] as number;
    for (let i = 0; i < this.#length; i += 1) {
      column[starts[(column[i] as number) & 255]!++]! |= i << 8;
    }
    const crc = this.#expand();
    if (crc !== this.#crc) throw corrupt(`block CRC should be ${hex(this.#crc)} but is ${hex(crc)}`);
    return crc;
  }

  /** Undoes move-to-front and its run lengths: RUNA and RUNB are the digits of a number in bijective base 2. */
  #readSymbols(bits: Bits, tables: readonly HuffmanTable[], selectors: Uint8Array, front: Uint8Array): void {
    const column = this.#column;
    const last = front.length + 1;
    let length = 0;
    let run = 0;
    let weight = 1;
    let group = 0;
    let table = tables[0] as HuffmanTable;
    for (let rest = 0; ; rest -= 1) {
      if (rest === 0) {
        // A hostile block ends here at the latest.
        if (group === selectors.length) throw corrupt('the block goes on after its last Huffman table');
        table = tables[selectors[group++] as number] as HuffmanTable;
        rest = GROUP_SIZE;
      }
      const symbol = table.next(bits);
      if (symbol <= RUN_B) {
        run += weight << symbol;
        // Without this check, a hostile run of digits overflows into a negative length.
        if (run > this.#size) throw corrupt('the block is longer than its stream allows');
        weight <<= 1;
        continue;
      }
      if (length + run + (symbol === last ? 0 : 1) > this.#size) {
        throw corrupt('the block is longer than its stream allows');
      }
      if (run > 0) {
        column.fill(front[0] as number, length, length + run);
        length += run;
        run = 0;
        weight = 1;
      }
      if (symbol === last) break;
      const byte = front[symbol - 1] as number;
      // The call costs more than it saves where little is moved, which is the usual case.
      if (symbol > 24) front.copyWithin(1, 0, symbol - 1);
      else for (let i = symbol - 1; i > 0; i -= 1) front[i] = front[i - 1] as number;
      front[0] = byte;
      column[length++] = byte;
    }
    this.#length = length;
  }

  /** Walks the text and undoes the outer run lengths: after four equal bytes comes a count of how many more. */
  #expand(): number {
    const column = this.#column;
    const output = this.#output;
    let at = 0;
    let crc = -1;
    let entry = column[this.#origin] as number;
    let previous = -1;
    let equal = 0;
    for (let i = 0; i < this.#length; i += 1) {
      entry = column[entry >>> 8] as number;
      let byte = entry & 255;
      let copies = 1;
      if (equal === 4) {
        copies = byte;
        byte = previous;
        equal = 0;
        previous = -1;
      } else {
        equal = byte === previous ? equal + 1 : 1;
        previous = byte;
      }
      if (at + copies > OUTPUT_SIZE) {
        this.#sink(output.subarray(0, at));
        at = 0;
      }
      for (; copies > 0; copies -= 1) {
        crc = (crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ byte] as number);
        output[at++] = byte;
      }
    }
    if (at > 0) this.#sink(output.subarray(0, at));
    return ~crc >>> 0;
  }
}

/** Which bytes occur: sixteen bits say which sixteenths do, then sixteen bits for each that does. */
function readAlphabet(bits: Bits): Uint8Array {
  const bytes: number[] = [];
  const sixteenths = bits.read(16);
  for (let high = 0; high < 16; high += 1) {
    if ((sixteenths & (0x8000 >> high)) === 0) continue;
    const present = bits.read(16);
    for (let low = 0; low < 16; low += 1) if (present & (0x8000 >> low)) bytes.push(high * 16 + low);
  }
  if (bytes.length === 0) throw corrupt('no byte occurs in the block');
  return Uint8Array.from(bytes);
}

/** Which table serves which fifty symbols, move-to-front coded in unary. */
function readSelectors(bits: Bits, tableCount: number): Uint8Array {
  const count = bits.read(15);
  if (count === 0) throw corrupt('no Huffman table is selected');
  const selectors = new Uint8Array(count);
  const front = [0, 1, 2, 3, 4, 5];
  for (let i = 0; i < count; i += 1) {
    let index = 0;
    while (bits.read(1) === 1) {
      index += 1;
      if (index >= tableCount) throw corrupt('invalid Huffman table selector');
    }
    front.unshift(front.splice(index, 1)[0] as number);
    selectors[i] = front[0] as number;
  }
  return selectors;
}

function corrupt(reason: string): CodecError {
  return new CodecError('bzip2', 'corrupt', reason);
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;

/**
 * Our own decoder, because no package fits: unbzip2-stream unpacks 8 MB/s, has no error for a cut stream and reads any
 * bytes that follow as a next stream; seek-bzip can only pull, and the WebAssembly builds need the whole stream at
 * once.
 */
export const bzip2: Codec<'bzip2'> = {
  name: 'bzip2',
  // A block of 900,000 bytes, five of which make 259, takes 21 bytes.
  maxRatio: 2_220_000,
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

/** Blocks follow each other without alignment; only the end of the stream is padded to a whole byte. */
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
 * A block does not contain its length. It is decoded when there is as much input as a usual block needs; where that is
 * not enough, again with twice as much. That ends because the number of Huffman groups in a block is limited.
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
      // Bits beyond the end of the input are made up, and so are faults found in them.
      if (!bits.overrun) throw error;
    }
    if (!bits.overrun) return bits.position;
    if (bytes.length < wanted) throw input.truncated('within a block');
  }
}
