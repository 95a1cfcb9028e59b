/** Milliseconds on a monotonic clock that all threads share. */
export const now = (): number => performance.timeOrigin + performance.now();

/** When a number of seconds from now are over; 0 is for as long as it takes. */
export const deadlineIn = (seconds: number): number =>
  seconds === 0 ? Number.POSITIVE_INFINITY : now() + seconds * 1000;

export const isOver = (deadline: number): boolean =>
  deadline !== Number.POSITIVE_INFINITY && now() >= deadline;
