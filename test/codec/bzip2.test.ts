import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sniff } from '../../src/codec/registry.js';
import { decode, native, pieces, sample, testWith } from './sample.js';

const pack = (bytes: Uint8Array, ...args: string[]) => native('bzip2', ['-c', ...args], bytes);

/** A stream of one block, written as pairs of value and bit width. */
function handmade(...fields: readonly (readonly [value: number, width: number])[]): Buffer {
  const text = [...'BZh1'].map(letter => letter.charCodeAt(0).toString(2).padStart(8, '0')).join('');
  const bits = fields.map(([value, width]) => value.toString(2).padStart(width, '0')).join('');
  const all = text + bits + '0'.repeat(64);
  return Buffer.from(all.match(/.{8}/g)!.map(byte => Number.parseInt(byte, 2)));
}

/** A block with the one byte 0, and a code of two bits each for RUNA, RUNB and the end. */
function runs(...symbols: readonly number[]): Buffer {
  return handmade(
    [0x314159265359, 48],
    [0, 32],
    [0, 1],
    [0, 24],
    [0x80008000, 32],
    [2, 3],
    [2, 15],
    [0, 2],
    [0b00010000, 8],
    [0b00010000, 8],
    ...symbols.map(symbol => [symbol, 2] as const),
  );
}

testWith('bzip2', 'bzip2: every level, several blocks', () => {
  const bytes = sample(2_000_000);
  for (const level of [1, 5, 9]) {
    const { bytes: got, error } = decode(
      'bzip2',
      pieces(pack(bytes, `-${level}`), () => 50_000),
    );
    assert.is(error, null);
    assert.ok(got.equals(bytes));
  }
});

testWith('bzip2', 'bzip2: long runs, and blocks that are cut within one', () => {
  for (let extra = 0; extra < 12; extra += 1) {
    const bytes = Buffer.concat([
      sample(99_970 + extra, 6),
      Buffer.alloc(1_000_000, 7),
      Buffer.alloc(258 + extra),
    ]);
    assert.ok(decode('bzip2', pack(bytes, '-1')).bytes.equals(bytes));
  }
  for (let run = 1; run < 300; run += 1) {
    const bytes = Buffer.alloc(run, 1);
    assert.ok(decode('bzip2', pack(bytes, '-1')).bytes.equals(bytes), `${run}`);
  }
});

testWith('bzip2', 'bzip2: the empty stream is known, too', () => {
  assert.is(sniff(pack(Buffer.alloc(0)).subarray(0, 6)), 'bzip2');
});

testWith('bzip2', 'bzip2: as many streams as pbzip2 makes', () => {
  const list = Array.from({ length: 30 }, (_, seed) => sample(20_000, seed + 1));
  const { bytes, error, shape } = decode('bzip2', Buffer.concat(list.map(bytes => pack(bytes))));
  assert.is(error, null);
  assert.ok(bytes.equals(Buffer.concat(list)));
  assert.is(shape.parts, 30);
});

testWith('bzip2', 'bzip2: block and stream CRC', () => {
  const bytes = sample(5000);
  const packed = pack(bytes, '-1');
  const block = Buffer.from(packed);
  block[10]! ^= 1;
  assert.match(decode('bzip2', block).error?.reason ?? '', /block CRC should be 0x[0-9a-f]{8} but is/);
  assert.ok(decode('bzip2', block).bytes.equals(bytes));
  const stream = Buffer.from(packed);
  stream[stream.length - 3]! ^= 1;
  assert.match(decode('bzip2', stream).error?.reason ?? '', /CRC of the whole stream/);
});

test('bzip2: a run whose length overflows is refused at once', () => {
  for (const digit of [0, 1]) {
    const { error, bytes } = decode('bzip2', runs(...Array<number>(40).fill(digit), 2));
    assert.match(error?.reason ?? '', /longer than its stream allows/);
    assert.is(bytes.length, 0);
  }
});

test('bzip2: invalid blocks are refused', () => {
  assert.match(decode('bzip2', runs(2)).error?.reason ?? '', /origin out of range/);
  assert.match(decode('bzip2', runs(3)).error?.reason ?? '', /Huffman code/);
  const magic = [0x314159265359, 48] as const;
  assert.is(decode('bzip2', handmade(magic, [0, 32], [1, 1], [0, 200])).error?.unsupported, true);
  assert.match(decode('bzip2', handmade([1, 48], [0, 64])).error?.reason ?? '', /neither a block/);
});

test.run();
