import type { Bits } from './bzip2-bits.js';
import { type HuffmanTable, readTable } from './bzip2-huffman.js';
import { CodecError, type Sink } from './codec.js';

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
 * One block after another of bzip2 streams, in memory that is set aside once: streams may be empty, and many. There is no specification but the
 * reference implementation; Joe Tsai's "BZIP2: Format Specification" describes it.
 */
export class BlockReader {
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
        // This is what ends a hostile block at the latest.
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
