import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadedOnce, ROOM_BYTES } from '../../src/codec/codec.js';
import { sniff } from '../../src/codec/registry.js';
import {
  eitherZstd,
  type FrameDecoder,
  nodeZstd,
  nodeZstdBy,
  webAssemblyZstd,
} from '../../src/codec/zstd-decoders.js';
import { digestOf } from '../support/digest.js';
import { runNode } from '../support/nodes.js';
import { decode, native, pieces, random, sample, type Tested, testCodec, zstdTested } from './sample.js';

const pack = (bytes: Uint8Array, ...args: string[]) => native('zstd', ['-q', '-c', ...args], bytes);

function skippable(nibble: number, content: Uint8Array): Buffer {
  const head = Buffer.from([0x50 + nibble, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

for (const tested of zstdTested) {
  const { codec } = tested;

  testCodec(
    tested,
    'zstd',
    'skippable frames first, in the middle and last, as zstd:chunked has them',
    () => {
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
          codec,
          pieces(stream, () => size),
        );
        assert.is(error, null);
        assert.ok(bytes.equals(Buffer.concat([first, second])));
        assert.equal(shape, { parts: 2, skippable: 4, trailingZeros: 0, trailingGarbage: 0 });
      }
      for (let cut = 1; cut < 25; cut += 1) {
        assert.is(decode(codec, stream.subarray(0, -cut)).error?.kind, 'truncated');
      }
    },
  );

  testCodec(tested, null, 'garbage after only skippable frames is not trailing garbage', () => {
    const { error } = decode(codec, skippable(0, Buffer.from('x')), Buffer.from('garbage'));
    assert.is(error?.kind, 'corrupt');
  });

  testCodec(
    tested,
    'zstd',
    'all kinds of frame: levels, sizes known and not, with and without checksum',
    () => {
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
            codec,
            pieces(pack(input, ...args), () => 3000),
          );
          assert.is(error, null, args.join(' '));
          assert.ok(got.equals(input));
        }
      }
    },
  );

  testCodec(tested, 'zstd', 'a window over 128 MiB is refused in plain words', () => {
    const { error } = decode(codec, pack(sample(1000), '--long=28'));
    assert.is(error?.unsupported, true);
    assert.match(error?.reason ?? '', /needs a window of 268435456 bytes; the limit is 134217728/);
    assert.is(decode(codec, pack(sample(1000), '--long=27')).error, null);
  });

  testCodec(tested, null, 'a frame that needs a dictionary is refused with a clear message', () => {
    const { error } = decode(codec, Buffer.from('28b52ffd21070000', 'hex'));
    assert.is(error?.unsupported, true);
    assert.match(error?.reason ?? '', /needs dictionary 7/);
  });

  testCodec(tested, 'zstd', 'a wrong checksum is an error after all the bytes', () => {
    const bytes = sample(300_000);
    const bad = pack(bytes);
    bad[bad.length - 1]! ^= 1;
    const { bytes: got, error } = decode(codec, bad);
    assert.match(error?.reason ?? '', /checksum/);
    assert.match(String(error?.cause), /error 22/);
    assert.ok(got.equals(bytes));
  });

  testCodec(tested, 'zstd', 'without a checksum a flipped bit never hangs and throws nothing else', () => {
    const packed = pack(sample(2000), '--no-check');
    for (let bit = 0; bit < packed.length * 8; bit += 3) {
      const bad = Buffer.from(packed);
      bad[bit >> 3]! ^= 1 << (bit & 7);
      decode(codec, bad);
    }
  });

  testCodec(tested, 'zstd', 'many streams with large windows do not add up', () => {
    const packed = pack(sample(1000), '--long=27');
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 60; round += 1) {
      const decoder = codec.open(() => {});
      decoder.write(packed);
      decoder.close();
    }
    assert.ok(process.memoryUsage().rss - before < 600 * 1024 * 1024);
  });
}

// Both implementations together: one stream has one result, whatever version of Node reads it.
const [webAssembly, own] = zstdTested as [Tested, Tested];
const testBoth = (title: string, body: () => void) =>
  testCodec(own, 'zstd', `and WebAssembly: ${title}`, body);

/** All that becomes a fact. */
function outcome({ codec }: Tested, parts: readonly Uint8Array[]) {
  const { bytes, shape, error } = decode(codec, parts);
  return {
    content: digestOf(bytes),
    length: bytes.length,
    shape,
    error: error && [error.kind, error.unsupported, error.reason, String(error.cause)],
  };
}

/** A frame with a block of one byte; each part can be another. */
const frame = ({ descriptor = '20', rest = '01', block = '090000', content = '61' }) =>
  Buffer.from(`28b52ffd${descriptor}${rest}${block}${content}`, 'hex');

const FAULTS: Readonly<Record<string, Uint8Array>> = {
  'a reserved bit': frame({ descriptor: '28' }),
  'an unused bit': frame({ descriptor: '30' }),
  'a window of 2 TiB': frame({ descriptor: '00', rest: 'ff' }),
  'content of 2^63 bytes': frame({ descriptor: 'e0', rest: '0000000000000080' }),
  'a dictionary': frame({ descriptor: '21', rest: '0701' }),
  'less content than its size': frame({ rest: '02' }),
  'more content than its size': frame({ rest: '01', block: '110000', content: '6161' }),
  'an unknown type of block': frame({ block: '0f0000' }),
  'a block over 128 KiB': frame({ descriptor: '00', rest: '80', block: 'fcffff' }),
  'a run over the size of the content': frame({ block: '0bff00' }),
  'an empty compressed block': frame({ block: '050000', content: '' }),
  'literals without their table': frame({
    descriptor: '00',
    rest: '58',
    block: '450000',
    content: '0300000000000000',
  }),
  'a wrong checksum': frame({ descriptor: '24', content: '6100000000' }),
  'a skippable frame that is cut': skippable(3, Buffer.alloc(9)).subarray(0, 12),
  'something else': Buffer.from('something else'),
  'half a magic': Buffer.from('28b5', 'hex'),
};

testBoth('the same result for each fault, in the first frame and behind others', () => {
  const sound = [frame({}), skippable(1, Buffer.from('x')), pack(sample(2000))];
  for (const [name, fault] of Object.entries(FAULTS))
    for (const size of [Infinity, 1])
      for (const before of [0, 1, 2, 3]) {
        const stream = pieces(Buffer.concat([...sound.slice(0, before), fault, frame({})]), () => size);
        assert.equal(outcome(own, stream), outcome(webAssembly, stream), `${name} behind ${before}`);
      }
});

testBoth('the same result for a stream that is cut, or followed by other bytes', () => {
  const stream = Buffer.concat([
    pack(sample(900)),
    skippable(2, Buffer.from('table')),
    pack(sample(80), '--no-check'),
  ]);
  for (let length = 0; length <= stream.length; length += 1) {
    const cut = pieces(stream.subarray(0, length), () => 13);
    assert.equal(outcome(own, cut), outcome(webAssembly, cut), `${length}`);
  }
  for (const tail of ['00000000', '0061', '28b52f', '502a4d18']) {
    const longer = [stream, Buffer.from(tail, 'hex')];
    assert.equal(outcome(own, longer), outcome(webAssembly, longer), tail);
  }
});

testBoth('with a checksum, damage is an error of both', () => {
  const stream = pack(sample(30_000));
  const next = random(17);
  for (let round = 0; round < 300; round += 1) {
    const bad = Buffer.from(stream);
    // From the first block to the end of the checksum.
    const at = 12 + Math.floor(next() * (bad.length - 12));
    bad[at]! ^= 1 << Math.floor(next() * 8);
    const [one, other] = [own, webAssembly].map(({ codec }) => decode(codec, bad).error);
    assert.is(one?.unsupported, other?.unsupported, `${round}`);
    assert.ok(one !== null && other !== null, `${round}`);
  }
});

testCodec(own, null, 'writes into the memory of its owner', () => {
  const memory = new Uint8Array(new SharedArrayBuffer(2 * ROOM_BYTES));
  const places: unknown[] = [];
  const room = () => memory.subarray(ROOM_BYTES);
  const decoder = own.codec.open(chunk => places.push([chunk.buffer, chunk.byteOffset, chunk.length]), {
    room,
  });
  decoder.write(frame({}));
  decoder.end();
  decoder.close();
  assert.equal(places, [[memory.buffer, ROOM_BYTES, 1]]);
});

testCodec(own, null, 'bytes behind a frame that are no frame end in an error, not in a loop', () => {
  const decoder = nodeZstd.open(() => {});
  try {
    decoder.feed(frame({}));
    assert.throws(() => decoder.feed(Buffer.from('other')), /unknown frame magic/);
  } finally {
    decoder.close();
  }
});

test('zstd: Node has it from 22.15 on, and WebAssembly is used elsewhere', async () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  assert.is(own.absent === null, major >= 24 || (major === 22 && minor >= 15));
  assert.is(nodeZstd.isLoaded(), own.absent === null);
  for (const [preferred, expected] of [
    [nodeZstd, own.absent === null ? nodeZstd : webAssemblyZstd],
    [nodeZstdBy(undefined), webAssemblyZstd],
  ] as const) {
    const chosen = eitherZstd(preferred, webAssemblyZstd);
    assert.is(chosen.isLoaded(), false);
    assert.throws(() => chosen.open(() => {}), /load\(\) has not been awaited/);
    await chosen.load();
    assert.is(chosen.isLoaded(), true);
    const [found, wanted] = [chosen, expected].map(one => one.open(() => {})) as [FrameDecoder, FrameDecoder];
    assert.is(found.constructor, wanted.constructor);
    found.close();
    wanted.close();
  }
});

for (const name of ['webAssemblyZstd', 'eitherZstd(nodeZstdBy(undefined), webAssemblyZstd)'])
  test(`zstd: callers that come while it is loading wait for it: ${name}`, () => {
    const module = new URL('../../src/codec/zstd-decoders.js', import.meta.url).href;
    const program = `
      const { eitherZstd, nodeZstdBy, webAssemblyZstd } = await import(${JSON.stringify(module)});
      const zstd = ${name};
      await Promise.all([zstd.load(), zstd.load(), new Promise(setImmediate).then(() => zstd.load())]);
      zstd.open(() => {}).close();
      console.log(zstd.isLoaded());`;
    const { stdout, stderr } = runNode(process.execPath, ['--input-type=module', '-e', program]);
    assert.is(stdout, 'true\n', stderr);
  });

test('loading that failed is tried again, and is done once', async () => {
  let count = 0;
  const load = loadedOnce(async () => {
    count += 1;
    if (count === 1) throw new Error('the first');
  });
  const outcomes = await Promise.allSettled([load(), load()]);
  assert.equal(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  await Promise.all([load(), load()]);
  await load();
  assert.is(count, 2);
});

test.run();
