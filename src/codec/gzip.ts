import { crc32 } from 'node:zlib';
import { DEFLATE_RATIO } from '../limits.js';
import { type Codec, CodecError, type CodecFault, faultText, type Outlet, type Sink } from './codec.js';
import { Inflater } from './inflate.js';
import type { Input, Step } from './input.js';
import { couldBe, openPush, readTail, type ShapeSoFar } from './push.js';

// RFC 1952, section 2.3.
const MAGIC = [0x1f, 0x8b];
const METHOD_DEFLATE = 8;
const FLAG_HEADER_CRC = 1 << 1;
const FLAG_EXTRA = 1 << 2;
const FLAG_NAME = 1 << 3;
const FLAG_COMMENT = 1 << 4;
const FLAGS_RESERVED = 0xe0;

/**
 * The framing is read here and only the deflate data is left to zlib, because Node's Gunzip drops decoded bytes when
 * garbage follows the last member and never says how many members, or which trailing bytes, it saw.
 */
export const gzip: Codec<'gzip'> = {
  name: 'gzip',
  maxRatio: DEFLATE_RATIO,
  matches: head => head[0] === 0x1f && head[1] === 0x8b && head[2] === METHOD_DEFLATE,
  load: async () => {},
  isLoaded: () => true,
  open: (sink, outlet) => openPush('gzip', (input, shape) => readMembers(input, shape, sink, outlet)),
};

function* readMembers(input: Input, shape: ShapeSoFar, sink: Sink, outlet?: Outlet): Step<void> {
  const inflater = new Inflater(outlet);
  try {
    for (let members = 0; ; ) {
      const head = yield* input.peek(2);
      if (members > 0 && head.length === 0) return;
      if (!couldBe(MAGIC, head)) {
        if (members === 0) throw new CodecError('gzip', 'corrupt', 'does not begin with a gzip member');
        yield* readTail(input, shape);
        return;
      }
      if (head.length < 2) throw input.truncated('within the member header');
      if (members > 0) inflater.reset();
      yield* readMember(input, inflater, sink, outlet?.crc32);
      members += 1;
      shape.parts = members;
    }
  } finally {
    inflater.close();
  }
}

function* readMember(input: Input, inflater: Inflater, sink: Sink, check: Outlet['crc32']): Step<void> {
  yield* readHeader(input);
  let crc = 0;
  let size = 0;
  yield* inflater.run(input, chunk => {
    if (check === undefined) crc = crc32(chunk, crc);
    size += chunk.length;
    sink(chunk);
  });
  const trailer = yield* input.take(8, 'within the member trailer');
  const wantedCrc = readUint32(trailer, 0);
  const wantedSize = readUint32(trailer, 4);
  if (check !== undefined) check(wantedCrc);
  else if (crc !== wantedCrc) {
    throw corrupt({ code: 'crc32', expected: wantedCrc, actual: crc });
  }
  // ISIZE is the length modulo 2^32.
  if (size % 2 ** 32 !== wantedSize) {
    throw corrupt({ code: 'length', expected: wantedSize, actual: size });
  }
}

/** A name or comment with its zero, as far as Go reads one. compress/gzip (Reader.readString) */
const TEXT_BYTES = 512;

function* readHeader(input: Input): Step<void> {
  const where = 'within the member header';
  // The header's own CRC-16 is the low half of the CRC-32 of every byte before it.
  let crc = 0;
  const read = function* (count: number): Step<Uint8Array> {
    const bytes = yield* input.take(count, where);
    crc = crc32(bytes, crc);
    return bytes;
  };
  const fixed = yield* read(10);
  const [method, flags] = [fixed[2] as number, fixed[3] as number];
  if (method !== METHOD_DEFLATE) {
    throw new CodecError('gzip', 'corrupt', `compression method should be 8 (deflate) but is ${method}`);
  }
  if ((flags & FLAGS_RESERVED) !== 0) {
    throw corrupt({ code: 'reserved-flags' });
  }
  if (flags & FLAG_EXTRA) {
    const length = yield* read(2);
    yield* read((length[0] as number) | ((length[1] as number) << 8));
  }
  for (const flag of [FLAG_NAME, FLAG_COMMENT]) {
    if ((flags & flag) === 0) continue;
    // A zero ends it, and no length is given: a hostile one runs to the end of the stream, and must not be held in
    // memory.
    let length = 0;
    for (let zero = -1; zero === -1; ) {
      if (!(yield* input.more())) throw input.truncated(where);
      zero = input.bytes.indexOf(0, input.at);
      const end = zero === -1 ? input.bytes.length : zero + 1;
      crc = crc32(input.bytes.subarray(input.at, end), crc);
      length += end - input.at;
      if (length > TEXT_BYTES) throw corrupt({ code: 'long-header-text' });
      input.at = end;
    }
  }
  if (flags & FLAG_HEADER_CRC) {
    const stored = yield* input.take(2, where);
    const wanted = (stored[0] as number) | ((stored[1] as number) << 8);
    if ((crc & 0xffff) !== wanted) throw new CodecError('gzip', 'corrupt', 'the header fails its own CRC-16');
  }
}

function readUint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);
}

const corrupt = (fault: CodecFault): CodecError =>
  new CodecError('gzip', 'corrupt', faultText(fault), { fault });
