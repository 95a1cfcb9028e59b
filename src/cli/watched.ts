/** What the thread is started with. Plain data. */
export interface Watched {
  /** One number: 0 while there is time, then `LATE`, and `HELD` where the main thread has not answered. */
  readonly memory: SharedArrayBuffer;
  /** When the process has to end, on the clock of `source/deadline.ts`. */
  readonly at: number;
  /** What is said where the main thread cannot. */
  readonly words: string;
}

export const LATE = 1;
export const HELD = 2;
/** The main thread has answered. */
export const SEEN = 3;

/** How long the main thread may take to hear that its time is over, before what it does is terminated; and the process. */
export const BUSY_MS = 50;
export const KILL_MS = 400;
