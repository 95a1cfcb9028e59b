import { writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { parentPort, workerData } from 'node:worker_threads';
import { BUSY_MS, HELD, KILL_MS, LATE, type Watched } from './watched.js';

/**
 * Ends the main thread at the deadline. While that thread runs JavaScript it receives no message, so the script is
 * terminated, as a debugger would do it, and the message is received then. If native code does not return either, such
 * as the parsing of a very large document, the process is killed.
 */
const { memory, at, words } = workerData as Watched;
const state = new Int32Array(memory);

/** The longest delay of a timer, in milliseconds. */
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
