import { InputError, isSystemError, reasonOf } from '../errors.js';

const FAILS = 'The disk or the network share has an error: copy the file to another disk and read the copy.';
const NOT_ALLOWED = 'Run as a user who can read it, or change its permissions.';
const TOO_MANY = 'Close other programs, or raise the limit of open files (`ulimit -n`).';

/** What to do where a file changes while it is read. */
export const CHANGED = 'Wait until no program writes to it, or make a copy, then try again.';

/** What to do about a system's refusal to read, by its code. errno(3) */
const REMEDIES: Readonly<Record<string, string>> = {
  EIO: FAILS,
  ESTALE: FAILS,
  ETIMEDOUT: FAILS,
  EACCES: NOT_ALLOWED,
  EPERM: NOT_ALLOWED,
  EMFILE: TOO_MANY,
  ENFILE: TOO_MANY,
  ENOENT: 'It was removed or replaced while waybill read it. Wait until it is complete, then try again.',
};

/**
 * Does what reads.
 * @param where  what the user knows the place by
 * @throws InputError in place of the system's error
 */
export async function reading<T>(where: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw unreadable(error, where);
  }
}

/** An InputError in place of the system's error; any other error as it is. */
export function unreadable(error: unknown, where: string): unknown {
  if (!isSystemError(error)) return error;
  const what = `cannot be read: ${reasonOf(error)}`;
  return new InputError(what, where, REMEDIES[error.code] ?? null, { cause: error, damaged: true });
}
