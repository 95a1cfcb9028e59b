import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decode, native, pieces, sample, testWith } from './sample.js';

const pack = (bytes: Uint8Array, ...args: string[]) => native('xz', ['-c', ...args], bytes);

testWith(
  'xz',
  'xz: checks none, CRC-32 and CRC-64; many blocks; stored chunks; block sizes in headers',
  () => {
    const bytes = sample(1_200_000);
    for (const args of [
      ['--check=none'],
      ['--check=crc32'],
      ['--check=crc64'],
      ['--block-size=100000', '-T2'],
      ['-9'],
    ]) {
      for (const size of [Infinity, 777]) {
        const { bytes: got, error } = decode(
          'xz',
          pieces(pack(bytes, ...args), () => size),
        );
        assert.is(error, null, args.join(' '));
        assert.ok(got.equals(bytes));
      }
    }
  },
);

testWith('xz', 'xz: padding between streams is a multiple of four zeros, everything else is garbage', () => {
  const bytes = sample(5000);
  const packed = pack(bytes);
  const twice = Buffer.concat([bytes, bytes]);
  const good = decode('xz', packed, Buffer.alloc(8), packed, Buffer.alloc(4));
  assert.ok(good.bytes.equals(twice));
  assert.equal(good.shape, { parts: 2, skippable: 0, trailingZeros: 4, trailingGarbage: 0 });
  const bad = decode('xz', packed, Buffer.alloc(6), packed);
  assert.is(bad.error, null);
  assert.ok(bad.bytes.equals(bytes));
  assert.equal(bad.shape, { parts: 1, skippable: 0, trailingZeros: 4, trailingGarbage: 2 + packed.length });
});

testWith('xz', 'xz: what the decoder has no code for is unsupported, in plain words', () => {
  for (const args of [['--check=sha256'], ['--x86', '--lzma2'], ['--delta', '--lzma2']]) {
    const { error } = decode('xz', pack(sample(5000), ...args));
    assert.is(error?.unsupported, true, args.join(' '));
    assert.match(error?.reason ?? '', /not supported \(SHA-256, BCJ and delta are not\)/);
  }
  const { error } = decode('xz', pack(sample(5000), '--lzma2=dict=65MiB'));
  assert.is(error?.unsupported, true);
  assert.match(error?.reason ?? '', /dictionary .*64 MiB/);
});

testWith('xz', 'xz: a wrong check is an error after all the bytes', () => {
  const bytes = sample(5000);
  const packed = pack(bytes, '--check=crc32');
  // Footer, index and padding have a fixed size here: the check is in the four bytes before them.
  const bad = Buffer.from(packed);
  const indexSize = (bad.readUInt32LE(bad.length - 8) + 1) * 4;
  bad[bad.length - 12 - indexSize - 1]! ^= 1;
  const { bytes: got, error } = decode('xz', bad);
  assert.is(error?.kind, 'corrupt');
  assert.is(error?.unsupported, false);
  assert.ok(got.equals(bytes));
});

test('xz: an index that claims 2^60 records fails at the first wrong one', () => {
  const head = Buffer.from('fd377a585a0000016922de36', 'hex');
  const { error } = decode(
    'xz',
    head,
    Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 1]),
  );
  assert.is(error?.kind, 'corrupt');
});

test.run();
