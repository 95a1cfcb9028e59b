import { isatty } from 'node:tty';
import type { ArgumentsCamelCase, Argv } from 'yargs';
import type { Severity } from '../commands.js';
import { dialectFor, NEWEST_RELEASE } from '../docker/release.js';
import { InputError, UsageError } from '../errors.js';
import type { Units } from '../report/words.js';
import { type Platform, parsePlatform } from '../spec/platform.js';
import { limitOptions } from './limits.js';
import { last, STDIN, typed } from './typed.js';

export { last };

export function readArchiveName(name: string): string {
  if (name === '') throw new UsageError('the name of the archive is empty');
  if (name !== STDIN && name !== '-') return name;
  if (isatty(0))
    throw new UsageError('standard input is a terminal: pipe an archive into it, or name a file');
  return '-';
}

/**
 * Coerces REF and `--ref`. The value may be a list of all given references; the parser reduces it to one before a
 * command gets it.
 */
export const references = (value: string | readonly string[]): string => [value].flat() as unknown as string;

/** An option that takes an integer of at least 1. */
export function number(name: string, describe: string) {
  const coerce = (value: string | string[]) => {
    const text = last(value);
    if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
    throw new UsageError(`--${name}: expected a number from 1, found ${JSON.stringify(text)}`);
  };
  return { describe, type: 'string', requiresArg: true, coerce } as const;
}

/**
 * Parses the platform in the value of an option.
 * @throws UsageError if the value is not a platform
 */
export const readPlatform =
  (option: string) =>
  (value: string | string[]): Platform => {
    const text = last(value);
    const platform = parsePlatform(text);
    if (platform === null)
      throw new UsageError(
        `--${option}: expected os/arch[/variant], or os(version)/arch of Windows, found ${JSON.stringify(text)}`,
      );
    return platform;
  };

/**
 * The value of an option that accepts one value.
 * @throws UsageError if different values were given
 */
export const once =
  (option: string) =>
  (value: string | readonly string[]): string => {
    const [first = '', ...others] = new Set([value].flat().map(text => typed(text)));
    if (others.length === 0) return first;
    const all = [first, ...others].map(text => JSON.stringify(text)).join(' and ');
    throw new UsageError(`--${option}: expected one value, found ${all}`);
  };

export function archiveArgument<T>(command: Argv<T>) {
  return limitOptions(command).positional('archive', {
    describe: 'image archive: a file, a directory, or - for standard input',
    type: 'string',
    demandOption: true,
  });
}

export function platformOption<T>(command: Argv<T>) {
  return command.option('platform', {
    describe: 'only images for os/arch[/variant], or os(version)/arch of Windows',
    type: 'string',
    requiresArg: true,
    coerce: readPlatform('platform'),
  });
}

const REF = 'tag, name, image ID or digest (or its beginning)';

/** `ARCHIVE [REF] --platform`: the arguments that select an image. */
export function imageArguments<T>(command: Argv<T>) {
  return platformOption(archiveArgument(command)).positional('ref', {
    describe: `${REF}; also --ref REF or ARCHIVE#REF`,
    type: 'string',
    coerce: references,
  });
}

/**
 * A command that prints no report: `--json` is refused, and not in its help.
 * @param why  what it prints instead
 */
export const reportless = <T>(command: Argv<T>, why: string): Argv<T> =>
  command.hide('json').middleware(({ json }) => {
    if (json === true) throw new UsageError(`--json: ${why}`);
  });

/** `--ref`, for commands that have no REF after the archive. */
export const refOption = <T>(command: Argv<T>) =>
  command.option('ref', {
    describe: `${REF}; also ARCHIVE#REF`,
    type: 'string',
    requiresArg: true,
    coerce: references,
  });

/** `--docker`: the Docker release whose output is produced. */
export const dockerOption = <T>(command: Argv<T>) =>
  command.option('docker', {
    describe: `answer as this release of Docker does [default: ${NEWEST_RELEASE}]`,
    type: 'string',
    requiresArg: true,
    coerce: readRelease,
  });

/** Parses a major version, or a full version, of which only the major part is used. */
function readRelease(value: string | string[]): number {
  const text = last(value);
  const major = /^v?(\d{1,4})(?:\.\d+){0,2}$/.exec(text)?.[1];
  if (major === undefined)
    throw new UsageError(`--docker: expected a release of Docker such as 29, found ${JSON.stringify(text)}`);
  const dialect = dialectFor({ docker: Number(major) });
  if (typeof dialect === 'string') throw new UsageError(dialect);
  return dialect.docker;
}

/** `--fail-on`, of commands whose findings decide on the exit code. */
export const FAIL_ON = {
  describe: 'exit 1 on findings of this severity or worse',
  choices: ['error', 'warning', 'info', 'never'] as const,
  default: 'error' as Severity | 'never',
  coerce: last<Severity | 'never'>,
};

/** `--fail-on --require-complete --require-image`, of commands with the findings of `verify`. */
export const verdictOptions = <T>(command: Argv<T>) =>
  command
    .option('fail-on', FAIL_ON)
    .option('require-complete', {
      describe: 'platforms that an archive lacks are errors: all, or with =OS/ARCH only that one',
      type: 'string',
      coerce: once('require-complete'),
    })
    .option('require-image', {
      describe: 'an archive of artifacts alone is an error',
      type: 'boolean',
      default: false,
    });

/** The value of `--require-complete`, which may be empty. @throws UsageError for what is no platform */
export const requiredPlatform = (given: string | undefined): boolean | Platform =>
  given === undefined ? false : given === '' || readPlatform('require-complete')(given);

const UNITS = { describe: 'sizes in powers of 1024', type: 'boolean', default: false } as const;
const BYTES = { describe: 'sizes in bytes', type: 'boolean', default: false } as const;

/** @throws UsageError if both are given */
export function unitsOf({ binary, bytes }: { readonly binary: boolean; readonly bytes: boolean }): Units {
  if (binary && bytes)
    throw new UsageError('--binary and --bytes: expected one of them, for a size is written in one unit');
  return bytes ? 'bytes' : binary ? 'binary' : 'si';
}

export const unitsOption = <T>(command: Argv<T>) =>
  command
    .option('binary', UNITS)
    .option('bytes', BYTES)
    .check(given => unitsOf(given) !== undefined);

/** The arguments that a command's handler gets, from the function that declares its options. */
export type ArgumentsOf<Declare extends (command: never) => Argv<unknown>> =
  ReturnType<Declare> extends Argv<infer Declared> ? ArgumentsCamelCase<Declared> : never;

/** Reads what an option names. @throws InputError that says which option it is */
export async function forOption<T>(option: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof InputError) || error.what.startsWith(`${option}:`)) throw error;
    const { what, where, remedy, damaged } = error;
    throw new InputError(`${option}: ${what}`, where, remedy, { cause: error, damaged });
  }
}
