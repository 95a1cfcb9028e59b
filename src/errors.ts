import { getSystemErrorMap } from 'node:util';
import { denialText, isDenial } from './permission.js';
import { quoted, uncommanding, visible } from './visible.js';

const shown = (line: string) => uncommanding(visible(line));

/**
 * No report is possible: the file is missing, unreadable, not an image archive, or does not have what was requested.
 * Exit code 2. `what` says what happened, `where` names the file or member, `remedy` says what to do.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
  /**
   * True if the file may be an image archive that is damaged, cut short or refused by a limit; false if it is something
   * else.
   */
  readonly damaged: boolean;
  /** True if the bytes are neither those of a tar or a zip nor compressed data: there may be none at all. */
  readonly isNoArchive: boolean;
  /** True if the same bytes give the same error at any time: a cache may keep it. */
  readonly isLasting: boolean;
  constructor(
    readonly what: string,
    readonly where: string,
    readonly remedy: string | null = null,
    options?: ErrorOptions & Partial<Pick<InputError, 'damaged' | 'isNoArchive' | 'isLasting'>>,
  ) {
    // The text may contain names from archives: they must not start a line of their own, nor a command for a build
    // service.
    const head = shown(`${where}: ${what}`);
    super(remedy === null ? head : `${head}\n${remedy.split('\n').map(shown).join('\n')}`, options);
    this.damaged = options?.damaged ?? false;
    this.isNoArchive = options?.isNoArchive ?? false;
    this.isLasting = options?.isLasting ?? false;
  }
}

/** The command line is not valid. Exit code 2; the usage line is printed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Characters of a text that are quoted in a message. */
const QUOTED = 100;

/** A value that is not what was expected: `"text"`, `5`, `null`, `an array`, `an instance of URL`. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return quoted(value.length <= QUOTED ? value : `${value.slice(0, QUOTED)}…`);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return 'an array';
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' && name !== 'Object'
    ? `an instance of ${visible(name)}`
    : 'an object';
}

/** True for an error of the operating system, as Node throws it, and for one of Node's permission model. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  if (isDenial(error)) return true;
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}

/**
 * The reason of a system error: `ENOSPC: no space left on device, write` without the code and the system call. For a
 * socket Node gives only `read ECONNRESET`.
 */
export function reasonOf(error: Error): string {
  if (isDenial(error)) return denialText(error);
  const [, words] = (isSystemError(error) && getSystemErrorMap().get(error.errno ?? 0)) || [];
  return words ?? error.message;
}
