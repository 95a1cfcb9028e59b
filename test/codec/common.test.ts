// Properties that hold for every compression, tested for all of them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CodecName, codecFor, codecs, sniff } from '../../src/codec/registry.js';
import { decode, native, pieces, random, sample, type Tested, testCodec, zstdTested } from './sample.js';

/** A codec with a command that packs its streams. */
interface Packed extends Tested {
  readonly command: string;
  readonly fast: readonly string[];
}

const sole = (name: CodecName): Tested => ({ name, codec: codecFor(name), absent: null });
const TESTED: readonly Packed[] = [
  { ...sole('gzip'), command: 'gzip', fast: ['-c'] },
  ...zstdTested.map(one => ({ ...one, command: 'zstd', fast: ['-q', '-c'] })),
  { ...sole('xz'), command: 'xz', fast: ['-1', '-c'] },
  { ...sole('bzip2'), command: 'bzip2', fast: ['-1', '-c'] },
];
const TEXT = Buffer.from(
  'the quick brown fox jumps over the lazy dog, the quick brown dog over the lazy fox\n'.repeat(3),
);

for (const tested of TESTED) {
  const { codec, command, fast } = tested;
  const pack = (bytes: Uint8Array) => native(command, fast, bytes);

  testCodec(tested, command, `a large stream, in whole, in random pieces, and its shape`, () => {
    const bytes = sample(3_000_000);
    const packed = pack(bytes);
    const next = random(7);
    assert.is(sniff(packed.subarray(0, 6)), codec.name);
    for (const size of [() => Infinity, () => next() * 100_000, () => next() * 100]) {
      const { bytes: got, error, shape } = decode(codec, pieces(packed, size));
      assert.is(error, null);
      assert.ok(got.equals(bytes));
      assert.equal(shape, { parts: 1, skippable: 0, trailingZeros: 0, trailingGarbage: 0 });
    }
  });

  testCodec(tested, command, `byte by byte`, () => {
    const bytes = sample(150_000, 3);
    assert.ok(
      decode(
        codec,
        pieces(pack(bytes), () => 1),
      ).bytes.equals(bytes),
    );
  });

  testCodec(tested, command, `nothing packed, and lengths around the output buffers`, () => {
    for (const length of [0, 1, 131_071, 131_072, 262_143, 262_144, 262_145, 524_288, 1_048_576]) {
      const bytes = length % 2 ? sample(length) : Buffer.alloc(length);
      const { bytes: got, error } = decode(codec, pack(bytes));
      assert.is(error, null);
      assert.ok(got.equals(bytes), `${length}`);
    }
  });

  testCodec(tested, command, `several parts, one after another`, () => {
    const list = [sample(70_000), Buffer.alloc(0), TEXT, sample(10)];
    const packed = Buffer.concat(list.map(pack));
    for (const size of [Infinity, 1]) {
      const { bytes, error, shape } = decode(
        codec,
        pieces(packed, () => size),
      );
      assert.is(error, null);
      assert.ok(bytes.equals(Buffer.concat(list)));
      assert.is(shape.parts, 4);
    }
  });

  testCodec(tested, command, `trailing zeros are padding`, () => {
    for (const size of [Infinity, 1]) {
      const packed = Buffer.concat([pack(TEXT), Buffer.alloc(1024)]);
      const { bytes, error, shape } = decode(
        codec,
        pieces(packed, () => size),
      );
      assert.is(error, null);
      assert.ok(bytes.equals(TEXT));
      assert.equal(shape, { parts: 1, skippable: 0, trailingZeros: 1024, trailingGarbage: 0 });
    }
  });

  testCodec(tested, command, `trailing garbage loses nothing`, () => {
    const bytes = sample(400_000);
    for (const size of [Infinity, 1]) {
      const packed = Buffer.concat([pack(bytes), Buffer.alloc(8), Buffer.from('garbage\0\0')]);
      const {
        bytes: got,
        error,
        shape,
      } = decode(
        codec,
        pieces(packed, () => size),
      );
      assert.is(error, null);
      assert.ok(got.equals(bytes));
      assert.equal(shape, { parts: 1, skippable: 0, trailingZeros: 8, trailingGarbage: 9 });
    }
  });

  testCodec(tested, command, `cut at every byte, one part and two`, () => {
    const one = pack(TEXT);
    const two = Buffer.concat([one, one]);
    for (let length = 0; length < two.length; length += 1) {
      if (length === one.length) continue;
      const { error, bytes } = decode(
        codec,
        pieces(two.subarray(0, length), () => 5),
      );
      assert.is(error?.kind, 'truncated', `at ${length} of ${two.length}: ${error}`);
      assert.ok(Buffer.concat([TEXT, TEXT]).subarray(0, bytes.length).equals(bytes));
      if (length > one.length) assert.ok(bytes.length >= TEXT.length);
    }
  });

  testCodec(tested, command, `every single bit flipped is noticed or harmless`, () => {
    const packed = pack(TEXT);
    for (let bit = 0; bit < packed.length * 8; bit += 1) {
      const bad = Buffer.from(packed);
      bad[bit >> 3]! ^= 1 << (bit & 7);
      const { bytes, error, shape } = decode(
        codec,
        pieces(bad, () => 11),
      );
      assert.ok(error !== null || bytes.equals(TEXT) || shape.trailingGarbage > 0, `bit ${bit}`);
      if (error !== null) assert.not.match(error.reason, /undefined|NaN/);
    }
  });

  testCodec(tested, command, `what came before a corruption is there, however the input is cut`, () => {
    const bytes = sample(3_000_000, 5);
    const packed = pack(bytes);
    packed.fill(0xff, packed.length - 3000, packed.length - 2000);
    const whole = decode(codec, packed);
    const cut = decode(
      codec,
      pieces(packed, () => 1000),
    );
    assert.is(whole.error?.kind, 'corrupt');
    assert.is(cut.error?.kind, 'corrupt');
    assert.ok(whole.bytes.length > 1_500_000);
    assert.is(whole.bytes.length, cut.bytes.length);
  });

  testCodec(tested, command, `noise behind a good beginning ends in an error`, () => {
    const next = random(11);
    const packed = pack(sample(20_000));
    for (let round = 0; round < 60; round += 1) {
      const bad = Buffer.from(packed);
      for (let at = Math.floor(next() * bad.length); at < bad.length; at += 1)
        bad[at] = Math.floor(next() * 256);
      const { error, shape } = decode(codec, bad);
      assert.ok(error !== null || shape.trailingGarbage > 0);
    }
  });

  testCodec(tested, command, `two decoders, one inside the other's sink`, () => {
    const bytes = sample(2_000_000, 9);
    const inner: Buffer[] = [];
    const second = codec.open(chunk => inner.push(Buffer.from(chunk)));
    const first = codec.open(chunk => second.write(chunk));
    for (const piece of pieces(pack(pack(bytes)), () => 4096)) first.write(piece);
    first.end();
    second.end();
    first.close();
    second.close();
    assert.ok(Buffer.concat(inner).equals(bytes));
  });

  testCodec(tested, command, `a sink that throws, and closing halfway`, () => {
    const packed = pack(sample(500_000));
    const decoder = codec.open(() => {
      decoder.close();
      throw new RangeError('full');
    });
    assert.throws(
      () => {
        decoder.write(packed);
        decoder.end();
      },
      (error: Error) => error instanceof RangeError,
    );
    decoder.close();
    const half = codec.open(() => {});
    half.write(packed.subarray(0, 1000));
    half.close();
    assert.throws(() => half.write(packed), /after end\(\) or close\(\)/);
    codec.open(() => {}).close();
  });

  testCodec(tested, null, `an error is permanent, and no other compression is accepted as it`, () => {
    const decoder = codec.open(() => {});
    assert.throws(
      () => decoder.write(Buffer.from('no such thing')),
      /does not begin with|unknown frame magic/,
    );
    assert.throws(() => decoder.end(), /does not begin with|unknown frame magic/);
    decoder.close();
    assert.is(decode(codec).error?.kind, 'truncated');
  });
}

test('sniff: empty, short and unknown beginnings', () => {
  for (const head of ['', 'B', 'BZh9', 'BZh9 is a text', '\u001f', 'PK\u0003\u0004', 'plain tar']) {
    assert.is(sniff(Buffer.from(head, 'latin1')), 'none');
  }
  assert.equal(new Set(TESTED.map(({ codec }) => codec.name)), new Set(codecs.map(({ name }) => name)));
});

test.run();
