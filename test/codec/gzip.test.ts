import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openInflateRaw } from '../../src/codec/inflate.js';
import { decode, drive, pieces, sample } from './sample.js';

const BYTES = sample(20_000, 2);
const PACKED = gzipSync(BYTES);

/** The sample with another header: flags and their fields. */
function withHeader(flags: number, ...fields: readonly Uint8Array[]): Buffer {
  const fixed = Buffer.from(PACKED.subarray(0, 10));
  fixed[3] = flags;
  return Buffer.concat([fixed, ...fields, PACKED.subarray(10)]);
}

test('gzip: every optional header field is skipped byte by byte', () => {
  const extra = Buffer.concat([Buffer.from([5, 0]), Buffer.from('EXTRA')]);
  const strings = Buffer.from('name\0comment\0');
  const head = withHeader(0b11110, extra, strings).subarray(0, 10 + extra.length + strings.length);
  const sum = Buffer.alloc(2);
  sum.writeUInt16LE(crc32(head) & 0xffff);
  const good = withHeader(0b11110, extra, strings, sum);
  for (const size of [Infinity, 1]) {
    const { bytes, error } = decode(
      'gzip',
      pieces(good, () => size),
    );
    assert.is(error, null);
    assert.ok(bytes.equals(BYTES));
  }
  sum[0]! ^= 1;
  assert.match(decode('gzip', withHeader(0b11110, extra, strings, sum)).error?.reason ?? '', /CRC-16/);
});

test("gzip: names and comments have Go's maximum length", () => {
  const text = (length: number) => Buffer.concat([Buffer.alloc(length, 'n'), Buffer.from([0])]);
  for (const flag of [0b1000, 0b10000]) {
    assert.is(decode('gzip', withHeader(flag, text(511))).error, null);
    const byByte = decode(
      'gzip',
      pieces(withHeader(flag, text(512)), () => 1),
    );
    for (const { error } of [decode('gzip', withHeader(flag, text(512))), byByte])
      assert.match(error?.reason ?? '', /longer than the 511 bytes/);
    assert.equal(byByte.error?.fault, { code: 'long-header-text' });
  }
});

test('gzip: reserved flags and unknown methods are refused', () => {
  const { error } = decode('gzip', withHeader(0x20));
  assert.match(error?.reason ?? '', /reserved/);
  assert.equal(error?.fault, { code: 'reserved-flags' });
  const method = Buffer.from(PACKED);
  method[2] = 7;
  assert.match(decode('gzip', method).error?.reason ?? '', /method should be 8/);
});

test('gzip: checksum and length errors say what was expected, and all bytes are delivered', () => {
  for (const [at, words, fault] of [
    [
      PACKED.length - 8,
      /CRC-32 should be 0x[0-9a-f]{8} but is 0x[0-9a-f]{8}/,
      { code: 'crc32', actual: crc32(BYTES) },
    ],
    [
      PACKED.length - 4,
      /length should be \d+ \(modulo 2\^32\) but is 20000/,
      { code: 'length', actual: 20_000 },
    ],
  ] as const) {
    const bad = Buffer.from(PACKED);
    bad[at]! ^= 4;
    const { bytes, error } = decode('gzip', bad);
    assert.is(error?.kind, 'corrupt');
    assert.match(error?.reason ?? '', words);
    assert.equal(error?.fault, { expected: bad.readUInt32LE(at), ...fault });
    assert.ok(bytes.equals(BYTES));
  }
});

test('gzip: an error within the deflate data has its cause', () => {
  const bad = Buffer.from(PACKED);
  bad.fill(0xff, 10, 30);
  const { error } = decode('gzip', bad);
  assert.is(error?.kind, 'corrupt');
  assert.is((error?.cause as { code?: string } | undefined)?.code, 'Z_DATA_ERROR');
  assert.is(error?.fault, null);
});

test('gzip: a bomb is delivered in pieces', () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  let largest = 0;
  let total = 0;
  const open = () =>
    openInflateRaw(chunk => {
      largest = Math.max(largest, chunk.length);
      total += chunk.length;
    });
  const { error } = drive(open, [bomb.subarray(10, -8)]);
  assert.is(error, null);
  assert.is(total, 64 * 1024 * 1024);
  assert.ok(largest <= 1024 * 1024);
});

test('inflate: raw deflate ends at any boundary, an early end is an error, trailing bytes are counted', () => {
  const packed = deflateRawSync(BYTES);
  for (const size of [Infinity, 1, 7]) {
    const { bytes, error, shape } = drive(
      openInflateRaw,
      pieces(packed, () => size),
    );
    assert.is(error, null);
    assert.ok(bytes.equals(BYTES));
    assert.is(shape.parts, 1);
  }
  for (let length = 0; length < packed.length; length += 1) {
    const { error } = drive(openInflateRaw, [packed.subarray(0, length)]);
    assert.is(error?.kind, 'truncated', `at ${length}`);
  }
  const { bytes, shape } = drive(openInflateRaw, [packed, Buffer.from('more')]);
  assert.ok(bytes.equals(BYTES));
  assert.is(shape.trailingGarbage, 4);
});

test.run();
