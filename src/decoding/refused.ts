/**
 * Ends a modelled engine in the middle of its work, as the engine itself ends. It never leaves the model. Not an Error: its
 * stack would cost more than the model's work where an index lists ten thousands of manifests.
 */
export class Refused {
  constructor(readonly message: string) {}
}

export function refuse(words: string): never {
  throw new Refused(words);
}

/** What the answer would be hangs on something that was not read. */
export function cannotTell(why: string): never {
  throw new Refused(`cannot be told: ${why}`);
}

/** Runs a part of an engine, and gives the refusal that ended it. */
export function attempt(step: () => void): string | null {
  try {
    step();
    return null;
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

/** What no engine wraps: words of ours, and of a program that ends in the middle of its work. */
const UNWRAPPED = /^(?:cannot be told|panic): /;

export const isUntold = (refusal: string | null): boolean => refusal?.startsWith('cannot be told: ') === true;

/** Runs a step, and puts the words around its refusal in which the engine wraps the error. */
export function within<T>(wrap: (words: string) => string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof Refused && !UNWRAPPED.test(error.message)) {
      throw new Refused(wrap(error.message));
    }
    throw error;
  }
}
