import { writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { parentPort, workerData } from 'node:worker_threads';
import { BUSY_MS, HELD, KILL_MS, LATE, type Watched } from './watched.js';

/**
 * Ends the main thread when its time is over. While that runs JavaScript it hears no message; so what it runs is terminated, as a
 * debugger would, and it hears the message then. What no debugger can end, such as the parsing of a very large document, the
 * system ends together with the process.
 */
const { memory, at, words } = workerData as Watched;
const state = new Int32Array(memory);

/** What timers can count. */
const LONGEST_MS = 2 ** 31 - 1;

const left = () => at - (performance.timeOrigin + performance.now());

function wait(): void {
  if (left() > 0) setTimeout(wait, Math.min(LONGEST_MS, left() + 1));
  else isOver();
}

const tell = () => parentPort!.postMessage(null);

function isOver(): void {
  Atomics.store(state, 0, LATE);
  tell();
  setTimeout(() => Atomics.compareExchange(state, 0, LATE, HELD) === LATE && terminate(), BUSY_MS);
  setTimeout(() => {
    writeSync(process.stderr.fd, `waybill: ${words}\n`);
    process.kill(process.pid, 'SIGKILL');
  }, KILL_MS);
}

function terminate(): void {
  const session = new Session();
  session.connectToMainThread();
  session.post('Runtime.terminateExecution', () => {
    session.disconnect();
    tell();
  });
}

wait();
