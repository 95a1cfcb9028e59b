import { InputError, isSystemError, reasonOf } from '../errors.js';
import { isDenial, writeDenialText } from '../permission.js';

const NOT_ALLOWED = 'Choose a directory that you can write to.';
const NO_ROOM = 'Free some space, or write to another disk.';

/** Remedies for errors of writing, by error code. errno(3) */
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

/** Errors that a directory has which is absent, or not for this user. */
const UNUSABLE: readonly string[] = ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR'];

/**
 * Runs a step that writes.
 * @param where    the name of the place in messages
 * @param another  how another directory is chosen, if not by the argument or option that is in `where`
 * @throws InputError instead of the system's error
 */
export function writing<T>(where: string, step: () => T, another: string | null = null): T {
  try {
    return step();
  } catch (error) {
    throw unwritable(error, where, another);
  }
}

/** Converts an error of the system to an InputError; any other error is returned unchanged. */
export function unwritable(error: unknown, where: string, another: string | null = null): unknown {
  if (where.includes('\0')) return new InputError('no file has a NUL in its name', where);
  if (!isSystemError(error)) return error;
  const what = `cannot be written: ${isDenial(error) ? writeDenialText(error) : reasonOf(error)}`;
  const remedy = UNUSABLE.includes(error.code) ? another : null;
  return new InputError(what, where, remedy ?? REMEDIES[error.code] ?? null, { cause: error });
}

/** Errors that every later write would meet too. */
const FATAL: readonly string[] = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'];

export const isFatal = ({ code }: { readonly code: string }): boolean => FATAL.includes(code);
