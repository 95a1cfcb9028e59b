// Runs one target until its time is over; see fuzz.ts.
import { parentPort, workerData } from 'node:worker_threads';
import type { Setup, Told } from './fuzz.js';
import { kindOf, openSession, shrunk } from './session.js';
import { targets } from './targets.js';

const { name, seed, seconds, shared } = workerData as Setup;
const target = targets.find(one => one.name === name)!;
const [numbers, bytes] = [new Int32Array(shared, 0, 2), new Uint8Array(shared, 8)];
const tell = (told: Told) => parentPort!.postMessage(told);

/** Milliseconds for minimising a failing input. */
const SHRINKING = 10_000;

const session = await openSession(target, seed, input => {
  numbers[0] = Math.min(input.length, bytes.length);
  numbers[1]!++;
  bytes.set(input.subarray(0, bytes.length));
});
const end = performance.now() + 1000 * seconds;
const known = new Set<string>();
let tries = 0;
while (performance.now() < end) {
  const failure = await session.next();
  tries++;
  if (failure === null || known.has(kindOf(failure.error))) continue;
  known.add(kindOf(failure.error));
  const input = await shrunk(target, failure, SHRINKING);
  numbers[1]!++;
  tell({ kind: 'failed', input, what: failure.error.stack ?? String(failure.error) });
}
tell({ kind: 'done', tries, outcomes: session.outcomes() });
