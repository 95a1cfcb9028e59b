import { type Limits, limitText } from '../limits.js';
import type { SourceProblem } from './source.js';

/** Milliseconds on a monotonic clock that all threads share. */
export const now = (): number => performance.timeOrigin + performance.now();

/** The time that is `seconds` from now; 0 means no deadline. */
export const deadlineIn = (seconds: number): number =>
  seconds === 0 ? Number.POSITIVE_INFINITY : now() + seconds * 1000;

export const isOver = (deadline: number): boolean =>
  deadline !== Number.POSITIVE_INFINITY && now() >= deadline;

/** The conditions that end a reading early. */
export interface ReadingEnd {
  readonly deadline: number;
  /** Reading ends with its reason, and has no result. */
  readonly signal?: AbortSignal | undefined;
}

/** A source is not read to its end, because of a limit: what follows is unknown, not missing. */
export class Interruption extends Error {
  constructor(readonly problem: Extract<SourceProblem, { kind: 'limit' }>) {
    super(limitText(problem));
  }
}

/** For each signal what is to be done when it is aborted. */
const actions = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `act` when the signal is aborted, until the function that it returns is called. Hazard: Node warns of a leak
 * when a signal has more than ten listeners, and a caller may give one signal to any number of calls; so it has one.
 */
export function whenAborted(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal === undefined || signal.aborted) return () => {};
  let waiting = actions.get(signal);
  if (waiting === undefined) {
    const added = new Set<() => void>();
    signal.addEventListener('abort', () => runAll(added), { once: true });
    actions.set(signal, added);
    waiting = added;
  }
  const own = () => act();
  waiting.add(own);
  return () => void waiting.delete(own);
}

function runAll(waiting: Set<() => void>): void {
  for (const act of waiting) act();
  waiting.clear();
}

/** The longest delay of a timer, in milliseconds. */
export const LONGEST_MS = 2 ** 31 - 1;

/**
 * Passes chunks on until the deadline, also while none arrives.
 * @param signal  ends them too
 * @throws Interruption at the deadline; the reason of the signal
 */
export function untilDeadline(
  chunks: AsyncIterable<Uint8Array>,
  deadline: number,
  { seconds }: Pick<Limits, 'seconds'>,
  signal?: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  if (deadline === Number.POSITIVE_INFINITY && signal === undefined) return chunks;
  const iterator = chunks[Symbol.asyncIterator]();
  let isAbandoned = false;
  // A pending read is cancelled without waiting for its end. `return` of a Readable alone would wait for it.
  const abandon = () => {
    isAbandoned = true;
    if (isDestroyable(chunks)) chunks.destroy();
    void iterator.return?.()?.catch(() => {});
  };
  const next = () =>
    new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      const giveUp = (reason: unknown) => {
        reject(reason);
        if (!isAbandoned) abandon();
      };
      const late = () => new Interruption({ kind: 'limit', path: null, limit: 'seconds', value: seconds });
      const settle = whenEnded(deadline, signal, late, giveUp);
      if (settle !== null) iterator.next().then(resolve, reject).finally(settle);
    });
  const end = async () => (isAbandoned ? ENDED : (iterator.return?.() ?? ENDED));
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
}

/**
 * Calls `giveUp` at the deadline and when the signal is aborted, until the function that it returns is called.
 * @returns null where one of them has come already
 */
function whenEnded(
  deadline: number,
  signal: AbortSignal | undefined,
  late: () => Interruption,
  giveUp: (reason: unknown) => void,
): (() => void) | null {
  const onAbort = () => giveUp(signal?.reason);
  const onTime = () => {
    if (isOver(deadline)) giveUp(late());
  };
  if (signal?.aborted === true) onAbort();
  else onTime();
  if (signal?.aborted === true || isOver(deadline)) return null;
  const isTimed = deadline !== Number.POSITIVE_INFINITY;
  const timer = isTimed ? setTimeout(onTime, Math.min(LONGEST_MS, deadline - now() + 1)) : undefined;
  const forget = whenAborted(signal, onAbort);
  return () => {
    clearTimeout(timer);
    forget();
  };
}

/** Streams of Node and of the package readable-stream. */
const isDestroyable = (chunks: object): chunks is { destroy(): void } =>
  'destroy' in chunks && typeof chunks.destroy === 'function';

const ENDED = { done: true, value: undefined } as const;
