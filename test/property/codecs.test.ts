// Decoders against real compressors: random data, options and cuts; damaged input may only give a CodecError.
import { spawnSync } from 'node:child_process';
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'uvu';
import { type Codec, CodecError, type Decoder, type Sink } from '../../src/codec/codec.js';
import { openInflateRaw } from '../../src/codec/inflate.js';
import { codecFor, loadCodecs } from '../../src/codec/registry.js';
import { pieces, random, sample } from '../codec/sample.js';
import { hasCommand } from '../support/compression.js';
import { testWhen } from '../support/corpus.js';
import { byteDamage, damagedBytes } from './damage.js';
import { alwaysSync } from './runs.js';

await loadCodecs();

interface Packer {
  readonly name: Codec['name'] | 'deflate';
  readonly pack: (bytes: Uint8Array, setting: number) => Uint8Array;
  /** The command that it needs. */
  readonly command?: string;
}

const run = (command: string, args: readonly string[], input: Uint8Array) =>
  new Uint8Array(spawnSync(command, args, { input, maxBuffer: 1 << 28 }).stdout);

const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED } = constants;
const STRATEGIES = [Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED];
const zlib = (setting: number) => ({
  level: setting % 10,
  memLevel: 1 + (setting % 9),
  windowBits: 9 + (setting % 7),
  strategy: STRATEGIES[setting % STRATEGIES.length],
});

const PACKERS: readonly Packer[] = [
  { name: 'gzip', pack: (bytes, setting) => gzipSync(bytes, zlib(setting)) },
  { name: 'deflate', pack: (bytes, setting) => deflateRawSync(bytes, zlib(setting)) },
  {
    name: 'zstd',
    command: 'zstd',
    pack: (bytes, setting) =>
      run(
        'zstd',
        [
          '-q',
          '-c',
          `-${1 + (setting % 12)}`,
          '--single-thread',
          ...(setting % 3 === 0 ? ['--no-check'] : []),
        ],
        bytes,
      ),
  },
  {
    name: 'xz',
    command: 'xz',
    pack: (bytes, setting) =>
      run(
        'xz',
        [
          '-q',
          '-c',
          '--threads=1',
          `-${setting % 3}`,
          `--check=${['none', 'crc32', 'crc64'][setting % 3]}`,
          ...(setting % 4 === 0 ? ['--block-size=4096'] : []),
        ],
        bytes,
      ),
  },
  {
    name: 'bzip2',
    command: 'bzip2',
    pack: (bytes, setting) => run('bzip2', ['-q', '-c', `-${1 + (setting % 9)}`], bytes),
  },
];

const openerOf = (name: Packer['name']): ((sink: Sink) => Decoder) =>
  name === 'deflate' ? openInflateRaw : codecFor(name).open;

interface Unpacked {
  readonly bytes: Buffer;
  readonly error: CodecError | null;
  readonly shape: Decoder['shape'];
}

/** In pieces of random sizes; an error other than a CodecError is rethrown. */
function unpack(name: Packer['name'], packed: Uint8Array, seed: number, most: number): Unpacked {
  const out: Buffer[] = [];
  const decoder = openerOf(name)(chunk => void out.push(Buffer.from(chunk)));
  const next = random(seed);
  let error: CodecError | null = null;
  try {
    for (const piece of pieces(packed, () => most ** next())) decoder.write(Uint8Array.from(piece));
    decoder.end();
  } catch (thrown) {
    if (!(thrown instanceof CodecError)) throw thrown;
    error = thrown;
  } finally {
    decoder.close();
  }
  return { bytes: Buffer.concat(out), error, shape: decoder.shape };
}

const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .record({ length: fc.nat({ max: 400_000 }), seed: fc.nat() })
    .map(({ length, seed }) => sample(length, seed)),
  fc
    .record({ byte: fc.nat(255), length: fc.nat({ max: 600_000 }) })
    .map(({ byte, length }) => Buffer.alloc(length, byte)),
);
const cut = fc.record({ seed: fc.nat(), most: fc.constantFrom(1.5, 30, 5000, 200_000, 1e7) });

for (const { name, pack, command } of PACKERS) {
  const present = command === undefined || hasCommand(command);
  const tries = testWhen(test, present, `${command} is not installed`);
  const once = command === undefined ? 60 : 15;

  tries(`${name}: whatever was packed comes out, however it is cut`, () => {
    alwaysSync(fc.record({ content, setting: fc.nat(), cut }), once, ({ content, setting, cut }) => {
      const packed = pack(content, setting);
      const small = cut.most < 100 && packed.length > 100_000 ? 100 : cut.most;
      const { bytes, error } = unpack(name, packed, cut.seed, small);
      if (error !== null) throw error;
      if (!bytes.equals(content))
        throw new Error(`${bytes.length} bytes came out, ${content.length} went in`);
    });
  });

  tries(`${name}: damage is an error or changes nothing, and the same however it is cut`, () => {
    const packed = [...Array(4).keys()].map(i => {
      const bytes = i === 0 ? sample(300_000, 3) : sample(200 * i * i, i);
      // With a checksum at its end; without one, whatever is decoded.
      return { bytes, packed: pack(bytes, 3 * i + 1) };
    });
    const what = fc.record({
      which: fc.nat(packed.length - 1),
      damages: fc.array(byteDamage, { minLength: 1, maxLength: 2 }),
      cut,
    });
    alwaysSync(what, 4 * once, ({ which, damages, cut }) => {
      const { bytes, packed: whole } = packed[which]!;
      const bad = damages.reduce(damagedBytes, whole);
      const one = unpack(name, bad, 0, Number.MAX_SAFE_INTEGER);
      const other = unpack(name, bad, cut.seed, cut.most);
      if (one.error?.message !== other.error?.message) throw new Error(`${one.error} and ${other.error}`);
      if (!one.bytes.equals(other.bytes))
        throw new Error(`${one.bytes.length} and ${other.bytes.length} bytes`);
      // In whole parts followed by garbage no fault can be detected.
      const isUnderCheck = name !== 'deflate' && one.shape.trailingGarbage === 0 && one.shape.parts === 1;
      if (one.error === null && isUnderCheck && !one.bytes.equals(bytes))
        throw new Error('other bytes, and no error');
    });
  });
}

test.run();
