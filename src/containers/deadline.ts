import { type Limits, limitText } from '../limits.js';
import type { SourceProblem } from './source.js';

/** Milliseconds on a monotonic clock that all threads share. */
export const now = (): number => performance.timeOrigin + performance.now();

/** The time that is `seconds` from now; 0 means no deadline. */
export const deadlineIn = (seconds: number): number =>
  seconds === 0 ? Number.POSITIVE_INFINITY : now() + seconds * 1000;

export const isOver = (deadline: number): boolean =>
  deadline !== Number.POSITIVE_INFINITY && now() >= deadline;

/** A source is not read to its end, because of a limit: what follows is unknown, not missing. */
export class Interruption extends Error {
  constructor(readonly problem: Extract<SourceProblem, { kind: 'limit' }>) {
    super(limitText(problem));
  }
}

/** The longest delay of a timer, in milliseconds. */
export const LONGEST_MS = 2 ** 31 - 1;

/** Passes chunks on until the deadline, also while none arrives. @throws Interruption at the deadline */
export function untilDeadline(
  chunks: AsyncIterable<Uint8Array>,
  deadline: number,
  { seconds }: Pick<Limits, 'seconds'>,
): AsyncIterable<Uint8Array> {
  if (deadline === Number.POSITIVE_INFINITY) return chunks;
  const iterator = chunks[Symbol.asyncIterator]();
  // A pending read is cancelled without waiting for its end.
  const abandon = () => void iterator.return?.()?.catch(() => {});
  const next = () =>
    new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      const giveUp = () => {
        reject(new Interruption({ kind: 'limit', path: null, limit: 'seconds', value: seconds }));
        abandon();
      };
      if (isOver(deadline)) return giveUp();
      const timer = setTimeout(
        () => isOver(deadline) && giveUp(),
        Math.min(LONGEST_MS, deadline - now() + 1),
      );
      iterator
        .next()
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  return { [Symbol.asyncIterator]: () => ({ next, return: async () => iterator.return?.() ?? ENDED }) };
}

const ENDED = { done: true, value: undefined } as const;
