// Bytes from one thread to another: complete, in order, and without waiting for a thread that has ended.
import { Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Examination } from '../../src/scan/blob/examiner.js';
import { RING_BYTES, Ring, RingBroken } from '../../src/scan/threads/ring.js';

/** Records the output as text: kinds and lengths. */
class Log implements Examination {
  readonly lines: string[] = [];
  readonly bytes: number[] = [];
  begin(compression: string, isTar: boolean): void {
    this.lines.push(`${compression} ${isTar}`);
  }
  stored(bytes: Uint8Array): void {
    this.lines.push(`stored ${bytes.length}`);
  }
  content(bytes: Uint8Array): void {
    this.lines.push(`content ${bytes.length}`);
    this.bytes.push(...bytes);
  }
  check(crc: number): void {
    this.lines.push(`check ${crc}`);
  }
}

test('the ring keeps the order', () => {
  const ring = new Ring();
  ring.begin('gzip', true);
  ring.stored(new Uint8Array(10));
  ring.stored(new Uint8Array(5));
  ring.content(Uint8Array.of(1, 2));
  ring.check(0xffffffff);
  ring.content(Uint8Array.of(3));
  ring.end();
  const log = new Log();
  new Ring(ring.memory).read(log);
  assert.equal(log.lines, ['gzip true', 'stored 15', 'content 2', 'check 4294967295', 'content 1']);
  assert.equal(log.bytes, [1, 2, 3]);
});

test('content that a decoder places in the ring is not lost', () => {
  const ring = new Ring();
  ring.begin('gzip', false);
  const log = new Log();
  let count = 0;
  for (let i = 0; i < 40; i++) {
    const room = ring.room();
    assert.ok(room.length >= 256 * 1024);
    room.fill(i, 0, 3);
    ring.content(room.subarray(0, 3));
    count += 3;
  }
  ring.end();
  ring.read(log);
  assert.is(log.bytes.length, count);
  assert.equal(
    log.bytes,
    Array.from({ length: count }, (_, i) => Math.floor(i / 3)),
  );
});

test('an empty ring', () => {
  const ring = new Ring();
  ring.begin('none', true);
  ring.end();
  const log = new Log();
  ring.read(log);
  assert.equal(log.lines, ['none true']);
});

const WRITER = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData.module).then(({ Ring }) => {
    const ring = new Ring(workerData.memory);
    try {
      ring.begin('none', false);
      for (let i = 0; i < workerData.pieces; i++) ring.content(new Uint8Array(workerData.piece).fill(i));
      ring.end();
      parentPort.postMessage('ended');
    } catch (error) {
      parentPort.postMessage(error.constructor.name);
    }
  });
`;

const writer = (ring: Ring, piece: number, pieces: number) =>
  new Worker(WRITER, {
    eval: true,
    workerData: {
      module: new URL('../../src/scan/threads/ring.js', import.meta.url).href,
      memory: ring.memory,
      piece,
      pieces,
    },
  });

test('more than the ring holds, in pieces of odd sizes, between two threads', async () => {
  const ring = new Ring();
  const [piece, pieces] = [99_991, Math.ceil((5 * RING_BYTES) / 99_991)];
  const worker = writer(ring, piece, pieces);
  const said = new Promise(resolve => worker.on('message', resolve));
  let seen = 0;
  ring.read({
    begin: () => {},
    stored: () => assert.unreachable(),
    check: () => assert.unreachable(),
    content(bytes) {
      for (let i = 0; i < bytes.length; i += 997) {
        if (bytes[i] !== (Math.floor((seen + i) / piece) & 255)) assert.unreachable(`at ${seen + i}`);
      }
      seen += bytes.length;
    },
  });
  assert.is(seen, piece * pieces);
  assert.is(await said, 'ended');
  await worker.terminate();
});

test('a writer that waits for room is woken when the ring is broken', async () => {
  const ring = new Ring();
  const worker = writer(ring, 1 << 20, 100);
  const said = new Promise(resolve => worker.on('message', resolve));
  const full = () => new Promise(resolve => setTimeout(resolve, 100));
  await full();
  ring.break();
  assert.is(await said, RingBroken.name);
  const log = new Log();
  ring.read(log);
  assert.equal(log.lines, [], 'and nothing is read of it');
  await worker.terminate();
});

test.run();
