import { Worker } from 'node:worker_threads';
import { LATE, SEEN, type Watched } from './watched.js';

/** What reading leaves for a report of what was read by then. */
const REPORT_MS = 500;

/** Ends the process in time, also in the middle of a computation: a thread of its own keeps the time. */
export class Watchdog {
  private readonly state: Int32Array;

  /**
   * @param deadline  when reading ends, in milliseconds
   * @param words     what is said then
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
      // While the thread holds this one as a debugger does, Node would wait for it at the end. Then there is a second message.
      const before = Atomics.compareExchange(this.state, 0, LATE, SEEN);
      if (before === LATE) end();
      else if (++messages === 2) setTimeout(end, 1);
    });
    // A listener holds the process again: this comes last.
    thread.unref();
  }

  /** Whether the time is over. */
  get isOver(): boolean {
    return Atomics.load(this.state, 0) !== 0;
  }
}
