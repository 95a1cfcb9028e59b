// Worker threads that die: what they had is said to be unreadable, and nobody waits for them.
import type { Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultLimits } from '../../src/limits.js';
import { Pool } from '../../src/scan/pool.js';

const MiB = 1024 * 1024;
const SETUP = { limits: defaultLimits, files: false };

const threads = (pool: Pool) =>
  (pool as unknown as { workers: { thread: Worker }[] }).workers.map(({ thread }) => thread);

test('a worker that dies while a pipe is read', async () => {
  const pool = new Pool(SETUP, () => {}, 1);
  async function* chunks() {
    for (let i = 0; i < 40; i++) {
      if (i === 5) await threads(pool)[0]!.terminate();
      yield new Uint8Array(MiB);
    }
  }
  const { facts } = await pool.analyseStream(chunks(), ['sha256']);
  assert.is((await facts).failure?.kind, 'unreadable');
  const next = await pool.analyseStream([new Uint8Array(MiB)] as never, ['sha256']);
  assert.is((await next.facts).size, MiB, 'another worker takes its place');
  await pool.close();
});

test('more than is in flight passes through, and comes out right', async () => {
  const pool = new Pool(SETUP, () => {}, 2);
  async function* zeros() {
    for (let i = 0; i < 60; i++) yield new Uint8Array(MiB);
  }
  const both = [await pool.analyseStream(zeros(), ['sha256']), await pool.analyseStream(zeros(), ['sha256'])];
  for (const { facts } of both) {
    const { size, digests, unpacked } = await facts;
    assert.is(size, 60 * MiB);
    assert.is(digests?.sha256, unpacked?.digests.sha256);
  }
  await pool.close();
});

test.run();
