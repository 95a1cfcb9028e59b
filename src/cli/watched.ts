/** The data that the watchdog thread is started with. */
export interface Watched {
  /** One number: 0 before the deadline, then `LATE`; `HELD` if the main thread has not answered. */
  readonly memory: SharedArrayBuffer;
  /** The time at which the process has to end, on the clock of `containers/deadline.ts`. */
  readonly at: number;
  /** The message for the case that the main thread cannot print it. */
  readonly words: string;
}

export const LATE = 1;
export const HELD = 2;
/** The main thread has answered. */
export const SEEN = 3;

/**
 * Milliseconds within which the main thread must answer after the deadline, before its script is terminated, and later
 * the process.
 */
export const BUSY_MS = 50;
export const KILL_MS = 400;
