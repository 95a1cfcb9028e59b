import { Worker } from 'node:worker_threads';
import { LATE, SEEN, type Watched } from './watched.js';

/** Milliseconds before the deadline at which reading ends, so that a report can still be made. */
const REPORT_MS = 500;

/** Ends the process at a deadline, even during a computation: a separate thread keeps the time. */
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
    const workerData: Watched = { memory, at: deadline + REPORT_MS, words };
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

  /** True if the deadline has passed. */
  get isOver(): boolean {
    return Atomics.load(this.state, 0) !== 0;
  }
}
