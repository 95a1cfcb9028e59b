import { InputError, isSystemError, reasonOf } from '../errors.js';

const NOT_ALLOWED = 'Choose a directory that you can write to.';
const NO_ROOM = 'Free some space, or write to another disk.';

/** What to do about a system's refusal to write, by its code. errno(3) */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: NO_ROOM,
  EDQUOT: NO_ROOM,
  EFBIG: 'Raise the limit on the size of files, or write to another disk.',
  EACCES: NOT_ALLOWED,
  EPERM: NOT_ALLOWED,
  EROFS: NOT_ALLOWED,
  ENOENT: 'Make its directory first.',
  ENOTDIR: 'A part of its path is a file, not a directory.',
  EEXIST: 'Another program wrote there in the meantime. Choose another name.',
  ENOTEMPTY: 'Another program wrote there in the meantime. Choose another name.',
};

/**
 * Runs a step that writes.
 * @param where  what the user knows the place by
 * @throws InputError in place of the system's error
 */
export function writing<T>(where: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw unwritable(error, where);
  }
}

/** An InputError in place of the system's error; any other error as it is. */
export function unwritable(error: unknown, where: string): unknown {
  if (where.includes('\0')) return new InputError('no file has a NUL in its name', where);
  if (!isSystemError(error)) return error;
  const what = `cannot be written: ${reasonOf(error)}`;
  return new InputError(what, where, REMEDIES[error.code] ?? null, { cause: error });
}

/** Errors that every later write meets too. */
const FATAL: readonly string[] = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'];

export const isFatal = ({ code }: { readonly code: string }): boolean => FATAL.includes(code);
