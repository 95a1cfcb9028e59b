import { homedir } from 'node:os';
import { join } from 'node:path';
import { InputError, UsageError } from '../errors.js';

/** The environment variables; `cli.ts` reads them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The current time, or SOURCE_DATE_EPOCH. https://reproducible-builds.org/specs/source-date-epoch/ */
export function timeIn(environment: Environment): Date {
  const epoch = epochIn(environment);
  return epoch === null ? new Date() : new Date(epoch * 1000);
}

/** SOURCE_DATE_EPOCH in seconds; null if it is not set. @throws UsageError if it is not a time */
export function epochIn({ SOURCE_DATE_EPOCH }: Environment): number | null {
  if (SOURCE_DATE_EPOCH === undefined || SOURCE_DATE_EPOCH === '') return null;
  if (/^\d{1,12}$/.test(SOURCE_DATE_EPOCH)) return Number(SOURCE_DATE_EPOCH);
  throw new UsageError(`SOURCE_DATE_EPOCH: expected seconds, found ${JSON.stringify(SOURCE_DATE_EPOCH)}`);
}

/**
 * The directory of stored manifest lists: the state directory of the XDG Base Directory Specification.
 * @throws InputError if it is not set, and the user has no home directory
 */
export function listsFolderIn({ WAYBILL_HOME, XDG_STATE_HOME }: Environment): string {
  const home = WAYBILL_HOME || join(XDG_STATE_HOME || join(homeDirectory(), '.local', 'state'), 'waybill');
  return join(home, 'manifests');
}

/** HOME, or the entry of the user database: a container often has neither. */
function homeDirectory(): string {
  const home = homeOrEmpty();
  if (home !== '') return home;
  const remedy = 'Set HOME, or set WAYBILL_HOME to the directory that is to hold manifest lists.';
  throw new InputError('expected the home directory of the user, found none', 'HOME', remedy);
}

/** Node returns an empty HOME as it is, and throws a SystemError if the user database has no entry. */
function homeOrEmpty(): string {
  try {
    return homedir();
  } catch {
    return '';
  }
}

/**
 * True if output is coloured: `--color` has precedence over FORCE_COLOR, and that over NO_COLOR (no-color.org); without
 * them, if it is a terminal that supports colour.
 */
export function colorIn(environment: Environment, flag: boolean | undefined, isTerminal: boolean): boolean {
  const { FORCE_COLOR, NO_COLOR } = environment;
  if (flag !== undefined) return flag;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  return isControlledIn(environment, isTerminal);
}

/** True if the output is a terminal that understands control sequences. `dumb` is one that does not: terminfo(5). */
export const isControlledIn = ({ TERM }: Environment, isTerminal: boolean): boolean =>
  isTerminal && TERM !== 'dumb';
