import { getSystemErrorMap } from 'node:util';
import { uncommanding, visible } from './visible.js';

const shown = (line: string) => uncommanding(visible(line));

/**
 * No report is possible: the file is missing, unreadable, not an image archive, or holds nothing that was asked for.
 * Exit code 2. `what` says what happened, `where` to what, `remedy` what to do about it.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
  /** It may well be an image archive, but for damage, a cut, or being refused. */
  readonly damaged: boolean;
  constructor(
    readonly what: string,
    readonly where: string,
    readonly remedy: string | null = null,
    options?: ErrorOptions & { readonly damaged?: boolean },
  ) {
    // Names from archives stand in it: they must not make lines of their own, nor lines that a build service obeys.
    const head = shown(`${where}: ${what}`);
    super(remedy === null ? head : `${head}\n${remedy.split('\n').map(shown).join('\n')}`, options);
    this.damaged = options?.damaged ?? false;
  }
}

/** The command line makes no sense. Exit code 2, with the usage line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What the operating system refuses, as Node throws it. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}

/** `ENOSPC: no space left on device, write` without the code and the call. Of a socket there is only `read ECONNRESET`. */
export function reasonOf(error: Error): string {
  const [, words] = (isSystemError(error) && getSystemErrorMap().get(error.errno ?? 0)) || [];
  return words ?? error.message;
}
