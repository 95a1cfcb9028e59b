import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codecFor, sniff } from '../../src/codec/registry.js';
import { decode, native, pieces, sample, testWith } from './sample.js';

const pack = (bytes: Uint8Array, ...args: string[]) => native('zstd', ['-q', '-c', ...args], bytes);

function skippable(nibble: number, content: Uint8Array): Buffer {
  const head = Buffer.from([0x50 + nibble, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

testWith('zstd', 'zstd: skippable frames first, in the middle and last, as zstd:chunked has them', () => {
  const [first, second] = [sample(300_000), sample(5000, 2)];
  const stream = Buffer.concat([
    skippable(0, Buffer.from('first')),
    pack(first),
    skippable(15, Buffer.alloc(200_000, 0xfd)),
    skippable(3, Buffer.alloc(0)),
    pack(second),
    skippable(14, Buffer.from('table of contents')),
  ]);
  assert.is(sniff(stream.subarray(0, 6)), 'zstd');
  for (const size of [Infinity, 1]) {
    const { bytes, error, shape } = decode(
      'zstd',
      pieces(stream, () => size),
    );
    assert.is(error, null);
    assert.ok(bytes.equals(Buffer.concat([first, second])));
    assert.equal(shape, { parts: 2, skippable: 4, trailingZeros: 0, trailingGarbage: 0 });
  }
  for (let cut = 1; cut < 25; cut += 1) {
    assert.is(decode('zstd', stream.subarray(0, -cut)).error?.kind, 'truncated');
  }
});

test('zstd: garbage after only skippable frames is not trailing garbage', () => {
  const { error } = decode('zstd', skippable(0, Buffer.from('x')), Buffer.from('garbage'));
  assert.is(error?.kind, 'corrupt');
});

testWith('zstd', 'zstd: all kinds of frame: levels, sizes known and not, with and without checksum', () => {
  const bytes = sample(500_000, 4);
  for (const args of [
    ['-1'],
    ['-19'],
    ['--no-check'],
    ['--ultra', '-22'],
    ['--fast=5'],
    ['--long=27', '-3'],
  ]) {
    for (const input of [bytes, Buffer.alloc(500_000), sample(200), sample(300)]) {
      const { bytes: got, error } = decode(
        'zstd',
        pieces(pack(input, ...args), () => 3000),
      );
      assert.is(error, null, args.join(' '));
      assert.ok(got.equals(input));
    }
  }
});

testWith('zstd', 'zstd: a window over 128 MiB is refused in plain words', () => {
  const { error } = decode('zstd', pack(sample(1000), '--long=28'));
  assert.is(error?.unsupported, true);
  assert.match(error?.reason ?? '', /needs a window of 268435456 bytes; the limit is 134217728/);
  assert.is(decode('zstd', pack(sample(1000), '--long=27')).error, null);
});

test('zstd: a frame that needs a dictionary is refused with a clear message', () => {
  const { error } = decode('zstd', Buffer.from('28b52ffd21070000', 'hex'));
  assert.is(error?.unsupported, true);
  assert.match(error?.reason ?? '', /needs dictionary 7/);
});

testWith('zstd', 'zstd: a wrong checksum is an error after all the bytes', () => {
  const bytes = sample(300_000);
  const bad = pack(bytes);
  bad[bad.length - 1]! ^= 1;
  const { bytes: got, error } = decode('zstd', bad);
  assert.match(error?.reason ?? '', /checksum/);
  assert.match(String(error?.cause), /error 22/);
  assert.ok(got.equals(bytes));
});

testWith('zstd', 'zstd: without a checksum a flipped bit never hangs and throws nothing else', () => {
  const packed = pack(sample(2000), '--no-check');
  for (let bit = 0; bit < packed.length * 8; bit += 3) {
    const bad = Buffer.from(packed);
    bad[bit >> 3]! ^= 1 << (bit & 7);
    decode('zstd', bad);
  }
});

testWith('zstd', 'zstd: many streams with large windows do not add up', () => {
  const packed = pack(sample(1000), '--long=27');
  const before = process.memoryUsage().rss;
  for (let round = 0; round < 60; round += 1) {
    const decoder = codecFor('zstd').open(() => {});
    decoder.write(packed);
    decoder.close();
  }
  assert.ok(process.memoryUsage().rss - before < 600 * 1024 * 1024);
});

test.run();
