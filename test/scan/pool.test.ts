// Worker threads that end: their blobs are reported as unreadable, the others continue, and no thread waits for them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultLimits } from '../../src/limits.js';
import type { BlobFacts } from '../../src/scan/blob/facts.js';
import type { Plan } from '../../src/scan/resources.js';
import { Pool, type RangeJob, type StreamJob } from '../../src/scan/threads/pool.js';
import { temporary } from '../support/tmp.js';

const MiB = 1024 * 1024;
const SETUP = { limits: defaultLimits, files: false };
const PLAN: Plan = { workers: 2, partners: 1, queueBytes: 16 * MiB, heapMegabytes: 256 };
const ONE: Plan = { ...PLAN, workers: 1, partners: 0 };

const threads = (pool: Pool, which: 'workers' | 'partners') =>
  (pool as unknown as Record<typeof which, { worker: Worker }[]>)[which].map(({ worker }) => worker);

const stream = (chunks: AsyncIterable<Uint8Array>, job: Partial<StreamJob> = {}): StreamJob => ({
  chunks,
  algorithms: ['sha256'],
  compression: 'none',
  size: 64 * MiB,
  failure: () => null,
  ...job,
});

async function* zeros(count: number, between?: (turn: number) => unknown): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    await between?.(i);
    yield new Uint8Array(MiB);
  }
}

const folder = temporary('pool');

function rangeOf(name: string, bytes: Uint8Array): RangeJob {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  const range = { file, start: 0, length: bytes.length, deflated: false };
  return { range, algorithms: ['sha256'] };
}

/** Bytes that do not compress. */
function noise(length: number): Uint8Array {
  const words = new Uint32Array(length / 4);
  for (let i = 0, state = 1; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state ^ (state >>> 15);
  }
  return new Uint8Array(words.buffer);
}

const PLAIN = noise(24 * MiB);
const PACKED = gzipSync(PLAIN, { level: 1 });

test('a worker ends while a pipe is read', async () => {
  const pool = new Pool(SETUP, ONE, () => {});
  const chunks = zeros(40, async turn => {
    if (turn === 5) await threads(pool, 'workers')[0]!.terminate();
  });
  const { facts } = await pool.analyseStream(stream(chunks));
  const { failure } = await facts;
  assert.is(failure?.kind, 'unreadable');
  assert.match((failure as { reason: string }).reason, /ended.*--jobs 1 or more --memory/);
  const next = await pool.analyseStream(stream(zeros(1)));
  assert.is((await next.facts).size, MiB, 'another worker takes its place');
  await pool.close();
});

for (const victim of ['workers', 'partners'] as const) {
  const name = victim === 'workers' ? 'who unpacks' : 'who examines';

  test(`of two threads for one blob of a pipe, ${name} ends`, async () => {
    const pool = new Pool(SETUP, PLAN, () => {});
    async function* chunks() {
      for (let at = 0; at < PACKED.length; at += MiB) {
        if (at === 4 * MiB) await threads(pool, victim)[0]!.terminate();
        yield PACKED.subarray(at, at + MiB);
      }
    }
    const { facts } = await pool.analyseStream(stream(chunks(), { compression: 'gzip' }));
    assert.is((await facts).failure?.kind, 'unreadable');
    assert.is((await facts).digests, null);
    // The remaining thread is free for the next blob.
    async function* again() {
      yield PACKED;
    }
    const next = await (await pool.analyseStream(stream(again(), { compression: 'gzip' }))).facts;
    assert.is(next.failure, null);
    assert.is(next.unpacked?.size, PLAIN.length);
    await pool.close();
  });

  test(`of two threads for one blob of a file, ${name} ends`, async () => {
    let killed = 0;
    const pool = new Pool(SETUP, PLAN, () => {
      if (killed++ === 0) void threads(pool, victim)[0]!.terminate();
    });
    const jobs = [rangeOf('first', PACKED), rangeOf('second', new Uint8Array(MiB))];
    const facts = new Map<RangeJob, BlobFacts>();
    await pool.analyseAll(jobs, (job, fact) => facts.set(job, fact));
    assert.is(facts.get(jobs[0]!)?.failure?.kind, 'unreadable');
    assert.is(facts.get(jobs[1]!)?.size, MiB, 'the other blob was read');
    await pool.analyseAll([jobs[0]!], (_, fact) => assert.is(fact.unpacked?.size, PLAIN.length));
    await pool.close();
  });
}

test('a worker that exceeds its memory is lost alone', async () => {
  const pool = new Pool(SETUP, { ...ONE, heapMegabytes: 4 }, () => {});
  const { facts } = await pool.analyseStream(stream(zeros(1)));
  const { failure } = await facts;
  assert.match((failure as { reason: string }).reason, /memory limit.*more --memory/);
  await pool.close();
});

test('one partner serves several blobs of a pipe in turn, before each is done', async () => {
  const pool = new Pool(SETUP, PLAN, () => {});
  const inner = pool as unknown as { engage(...given: unknown[]): unknown };
  const engage = inner.engage.bind(pool);
  const partners: unknown[] = [];
  inner.engage = (...given) => {
    partners.push(engage(...given));
    return partners.at(-1);
  };
  async function* chunks() {
    yield PACKED;
  }
  const blobs = [];
  for (let i = 0; i < 6; i++) blobs.push(await pool.analyseStream(stream(chunks(), { compression: 'gzip' })));
  for (const { facts } of blobs) assert.is((await facts).unpacked?.size, PLAIN.length);
  assert.equal(
    partners.map(partner => partner !== null),
    [true, true, true, true, true, true],
  );
  assert.is(threads(pool, 'partners').length, 1);
  await pool.close();
});

test('more bytes than the queue holds pass through unchanged', async () => {
  const pool = new Pool(SETUP, PLAN, () => {});
  const both = [await pool.analyseStream(stream(zeros(60))), await pool.analyseStream(stream(zeros(60)))];
  for (const { facts } of both) {
    const { size, digests, unpacked } = await facts;
    assert.is(size, 60 * MiB);
    assert.is(digests?.sha256, unpacked?.digests.sha256);
  }
  await pool.close();
});

test.run();
