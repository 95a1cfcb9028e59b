// One blob processed by two threads and by one: the same facts for any blob with any fault.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCodecs } from '../../src/codec/registry.js';
import { defaultLimits, type Limits } from '../../src/limits.js';
import { BlobAnalyser } from '../../src/scan/blob/analyser.js';
import type { Analysis } from '../../src/scan/blob/examiner.js';
import type { BlobFacts } from '../../src/scan/blob/facts.js';
import type { Plan } from '../../src/scan/resources.js';
import { Pool } from '../../src/scan/threads/pool.js';
import { analyseRange } from '../../src/scan/threads/range.js';
import type { Algorithm } from '../../src/spec/digest.js';
import { sample } from '../codec/sample.js';
import { testWhen } from '../support/corpus.js';
import { layer } from '../support/image.js';
import { type Compression, canCompress, compress } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

const PLAN: Plan = { workers: 2, partners: 1, queueBytes: 1 << 24, heapMegabytes: 256 };
const BOTH: readonly Algorithm[] = ['sha256', 'sha512'];
const folder = temporary('partner');
let files = 0;

const setup = (limits: Partial<Limits> = {}, tables = true): Analysis => ({
  limits: { ...defaultLimits, ...limits },
  files: tables,
});

/** A blob's facts from one thread, from two with a file, and from two with a stream in chunks of odd sizes. */
async function everyWay(bytes: Uint8Array, analysis: Analysis): Promise<BlobFacts[]> {
  const file = join(folder, String(files++));
  writeFileSync(file, bytes);
  const range = { file, start: 0, length: bytes.length, deflated: false };
  const alone = await analyseRange(range, BOTH, analysis, () => {});
  const pool = new Pool(analysis, PLAN, () => {});
  let together: BlobFacts | undefined;
  await pool.analyseAll([{ range, algorithms: BOTH }], (_, facts) => {
    together = facts;
  });
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += 100_003) yield bytes.subarray(at, at + 100_003);
  }
  const { facts } = await pool.analyseStream({
    chunks: pieces(),
    algorithms: BOTH,
    // Only large blobs get a partner by default; this one gets one explicitly.
    compression: 'gzip',
    size: 1 << 30,
    failure: () => null,
  });
  const streamed = await facts;
  assert.is((pool as unknown as { partners: unknown[] }).partners.length, 1, 'it had a partner');
  await pool.close();
  return [alone, together!, streamed];
}

async function checkSame(bytes: Uint8Array, analysis = setup()): Promise<BlobFacts> {
  const [alone, together, streamed] = (await everyWay(bytes, analysis)) as [BlobFacts, BlobFacts, BlobFacts];
  assert.equal(together, alone, 'two threads, a file');
  assert.equal(streamed, alone, 'two threads, a stream');
  return alone;
}

const { tar: TAR } = await layer({
  files: Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [`srv/file-${i}`, { bytes: sample(50_000, i + 1), mode: 0o644 }]),
  ),
});
await loadCodecs();

const CODECS: readonly Compression[] = ['none', 'gzip', 'zstd', 'xz', 'bzip2'];

for (const codec of CODECS) {
  const run = testWhen(test, canCompress(codec), `no ${codec} command`);
  const packed = canCompress(codec) ? compress(TAR, codec) : TAR;
  const flip = (at: number) => packed.map((byte, i) => (i === at ? byte ^ 0x55 : byte));

  run(`${codec}: sound`, async () => {
    const facts = await checkSame(packed);
    assert.is(facts.failure, null);
    assert.is(facts.unpacked?.size, TAR.length);
    assert.is(facts.tar?.table?.count, facts.tar?.entries);
    assert.ok(facts.tar!.entries >= 60);
  });

  run(`${codec}: cut, anywhere`, async () => {
    for (const part of [0.001, 0.3, 0.77, 0.999]) await checkSame(packed.subarray(0, packed.length * part));
    for (const less of [1, 5, 9, 13]) {
      const { failure } = await checkSame(packed.subarray(0, packed.length - less));
      if (codec !== 'none') assert.is(failure?.kind, 'truncated');
    }
  });

  run(`${codec}: a byte changed, anywhere`, async () => {
    for (let at = 3; at < packed.length; at += Math.ceil(packed.length / 23)) await checkSame(flip(at));
    for (let back = 1; back <= 12; back += 1) await checkSame(flip(packed.length - back));
  });

  run(`${codec}: several parts, padding and garbage`, async () => {
    const small = compress(TAR.subarray(0, 100_000), codec);
    const rest = compress(TAR.subarray(100_000), codec);
    const zeros = new Uint8Array(512);
    await checkSame(Buffer.concat([small, rest]));
    await checkSame(Buffer.concat([small, rest, zeros]));
    await checkSame(Buffer.concat([small, rest, zeros, sample(3000)]));
    await checkSame(Buffer.concat([small, flipLast(rest)]));
    await checkSame(Buffer.concat([small, flipLast(small), rest, sample(3000)]));
  });

  run(`${codec}: a bomb, by each limit`, async () => {
    const bomb = codec === 'none' ? new Uint8Array(3 << 20) : compress(new Uint8Array(30 << 20), codec);
    for (const limits of [
      { unpackedFree: 1_000_000, unpackedRatio: 10 },
      { unpackedFree: 10_000_000, unpackedRatio: 3 },
      { layerBytes: 5_000_001 },
      { archiveBytes: 7_777_777 },
    ]) {
      // Unpacked bytes are counted together, so each way would need its own counter: none is given here.
      const { failure, unpacked } = await checkSame(bomb, setup(limits));
      if (codec === 'none' || 'archiveBytes' in limits) assert.is(failure, null);
      else assert.is(failure?.kind, 'limit');
      if (failure !== null && 'layerBytes' in limits) assert.is(unpacked, null);
    }
  });

  run(`${codec}: what is no tar, and next to nothing`, async () => {
    for (const bytes of [sample(5000), Buffer.from('{"a":1}'), new Uint8Array(0), new Uint8Array(1)]) {
      await checkSame(compress(bytes, codec));
      await checkSame(compress(bytes, codec), setup({}, false));
    }
  });
}

function flipLast(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => (i === bytes.length - 6 ? byte ^ 1 : byte));
}

test('a check that fails in the middle of many', async () => {
  const members = Array.from({ length: 200 }, (_, i) =>
    gzipSync(TAR.subarray(i * 15_000, (i + 1) * 15_000), { level: 1 }),
  );
  members[150] = Buffer.from(flipLast(members[150]!));
  const { failure, stream, unpacked } = await checkSame(Buffer.concat(members));
  assert.match((failure as { reason: string }).reason, /^CRC-32 should be 0x[0-9a-f]{8} but is 0x/);
  assert.is((failure as { fault?: { code: string } }).fault?.code, 'crc32');
  assert.is((failure as { unpacked: number }).unpacked, 151 * 15_000);
  assert.equal(stream, { parts: 150, skippable: 0, trailingZeros: 0, trailingGarbage: 0 });
  assert.is(unpacked, null);
});

test('a wrong length after a right checksum', async () => {
  const packed = gzipSync(TAR);
  packed.writeUInt32LE(packed.readUInt32LE(packed.length - 4) + 1, packed.length - 4);
  const { failure } = await checkSame(packed);
  assert.match((failure as { reason: string }).reason, /^length should be /);
});

test('bytes unpacked by all threads are counted together', async () => {
  const packed = gzipSync(new Uint8Array(4 << 20));
  const analysis = { ...setup({ archiveBytes: 6 << 20 }), unpacked: new SharedArrayBuffer(16) };
  const analyse = () => {
    const analyser = new BlobAnalyser(['sha256'], analysis);
    analyser.write(packed);
    return analyser.end();
  };
  assert.is(analyse().failure, null);
  assert.equal(analyse().failure, {
    kind: 'limit',
    limit: 'archiveBytes',
    value: 6 << 20,
    unpacked: 2 << 20,
  });
});

test('after the deadline nothing more is read, and that is reported', async () => {
  for (const bytes of [TAR, gzipSync(TAR)]) {
    const late = { ...setup({ seconds: 5 }), deadline: 1 };
    const { size, digests, unpacked, failure } = await checkSame(bytes, late);
    assert.equal([size, digests, unpacked], [0, null, null]);
    assert.equal(failure, { kind: 'limit', limit: 'seconds', value: 5, unpacked: 0 });
  }
});

test.run();
