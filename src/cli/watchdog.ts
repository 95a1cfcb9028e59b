import { Worker } from 'node:worker_threads';
import { LONGEST_MS, now } from '../containers/deadline.js';
import { mayStartThreads } from '../permission.js';
import { LATE, SEEN, type Watched } from './watched.js';

/** Milliseconds before the deadline at which reading ends, so that a report can still be made. */
const REPORT_MS = 500;

/**
 * Ends the process at a deadline, even during a computation: a separate thread keeps the time. Where Node's permission
 * model forbids threads, reading still ends at the deadline, and the process as soon as the computation lets it.
 */
export class Watchdog {
  private readonly state: Int32Array;

  /**
   * @param deadline  when reading ends, in milliseconds
   * @param words     the message that is printed then
   * @param end       ends the process
   */
  constructor(
    deadline: number,
    readonly words: string,
    end: () => void,
  ) {
    const memory = new SharedArrayBuffer(4);
    this.state = new Int32Array(memory);
    const at = deadline + REPORT_MS;
    if (!mayStartThreads()) {
      this.wait(at, end);
      return;
    }
    const workerData: Watched = { memory, at, words };
    const thread = new Worker(new URL('./watchdog-thread.js', import.meta.url), { workerData });
    let messages = 0;
    thread.on('message', () => {
      // While the thread is attached to this one as a debugger, Node would wait for it at exit. In that case a second
      // message follows.
      const before = Atomics.compareExchange(this.state, 0, LATE, SEEN);
      if (before === LATE) end();
      else if (++messages === 2) setTimeout(end, 1);
    });
    // Adding a listener keeps the process alive again, so unref comes last.
    thread.unref();
  }

  /** Keeps the time on this thread. */
  private wait(at: number, end: () => void): void {
    const left = at - now();
    if (left > 0) {
      setTimeout(() => this.wait(at, end), Math.min(LONGEST_MS, left + 1)).unref();
      return;
    }
    Atomics.store(this.state, 0, SEEN);
    end();
  }

  /** True if the deadline has passed. */
  get isOver(): boolean {
    return Atomics.load(this.state, 0) !== 0;
  }
}
