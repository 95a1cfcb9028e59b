import { isatty } from 'node:tty';
import type { Argv } from 'yargs';
import type { Units } from '../commands/units.js';
import { dialectFor, NEWEST_RELEASE } from '../docker/release.js';
import { UsageError } from '../errors.js';
import { type Platform, parsePlatform } from '../spec/platform.js';
import { limitOptions } from './limits.js';

/** yargs loses a positional `-`, so it travels under a name that no file can have. */
export const STDIN = '\0stdin';

/** What was typed. */
export const typed = (text: string): string => text.replaceAll(STDIN, '-');

/** All arguments as they were typed. */
export function restored(given: Record<string, unknown>): Record<string, unknown> {
  const one = (value: unknown): unknown =>
    typeof value === 'string' ? typed(value) : Array.isArray(value) ? value.map(one) : value;
  return Object.assign(
    given,
    Object.fromEntries(Object.entries(given).map(([key, value]) => [key, one(value)])),
  );
}

const PLATFORM =
  /^(linux|windows|darwin|freebsd|netbsd|openbsd|solaris|illumos|aix|android|wasip1|js)(\([\w.-]+\))?\/[a-z0-9_]+/;

/**
 * What yargs cannot be told: a positional `-`, names after a `--`, an option that is called `--no-…`, that --require-complete takes a
 * platform, but not the archive, and that REF does not replace what --ref says: an option given twice is a list, to which REF is added.
 */
export function prepared(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  if (end >= 0) {
    const names = args
      .slice(end + 1)
      .map(arg => (arg === '-' ? STDIN : arg.startsWith('-') ? `./${arg}` : arg));
    return [...prepared(args.slice(0, end)), ...names];
  }
  return args.flatMap((arg, i) => {
    if (arg === '-' || arg.startsWith('-#')) return [`${STDIN}${arg.slice(1)}`];
    if (arg === '--no-trunc') return ['--no-trunc=true'];
    if (arg === '--ref' && args[i + 1] !== undefined) return [`--ref=${args[i + 1]}`, arg];
    if (arg.startsWith('--ref=')) return [arg, arg];
    if (args[i - 1] === '--require-complete' && PLATFORM.test(arg)) return [];
    if (arg !== '--require-complete') return [arg];
    const next = args[i + 1] ?? '';
    return [`${arg}=${PLATFORM.test(next) ? next : ''}`];
  });
}

export function readArchiveName(name: string): string {
  if (name === '') throw new UsageError('the name of the archive is empty');
  if (name !== STDIN && name !== '-') return name;
  if (isatty(0))
    throw new UsageError('standard input is a terminal: pipe an archive into it, or name a file');
  return '-';
}

/** Of an option that was given several times, the last one counts. */
export function last<T>(value: T | readonly T[]): T {
  const one = (Array.isArray(value) ? value.at(-1) : value) as T;
  return typeof one === 'string' ? (typed(one) as T) : one;
}

/** A reference, as REF and as `--ref`: all that were given, of which the parser makes one before a command sees it. */
const references = (value: string | readonly string[]): string => [value].flat() as unknown as string;

export function readPlatform(value: string | string[]): Platform {
  const text = last(value);
  const platform = parsePlatform(text);
  if (platform === null)
    throw new UsageError(`--platform: expected os/arch[/variant], found ${JSON.stringify(text)}`);
  return platform;
}

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
    coerce: readPlatform,
  });
}

const REF = 'tag, name, image ID or digest (or its beginning)';

/** `ARCHIVE [REF] --platform`: how every command is told which image is meant. */
export function imageArguments<T>(command: Argv<T>) {
  return platformOption(archiveArgument(command)).positional('ref', {
    describe: `${REF}; also --ref REF or ARCHIVE#REF`,
    type: 'string',
    coerce: references,
  });
}

/** `--ref`, of commands where no REF stands behind the archive. */
export const refOption = <T>(command: Argv<T>) =>
  command.option('ref', {
    describe: `${REF}; also ARCHIVE#REF`,
    type: 'string',
    requiresArg: true,
    coerce: references,
  });

/** Which release of Docker answers. */
export const dockerOption = <T>(command: Argv<T>) =>
  command.option('docker', {
    describe: `answer as this release of Docker does [default: ${NEWEST_RELEASE}]`,
    type: 'string',
    requiresArg: true,
    coerce: readRelease,
  });

/** A major version, or a whole one of which the major counts. */
function readRelease(value: string | string[]): number {
  const text = last(value);
  const major = /^v?(\d{1,4})(?:\.\d+){0,2}$/.exec(text)?.[1];
  if (major === undefined)
    throw new UsageError(`--docker: expected a release of Docker such as 29, found ${JSON.stringify(text)}`);
  const dialect = dialectFor({ docker: Number(major) });
  if (typeof dialect === 'string') throw new UsageError(dialect);
  return dialect.docker;
}

const UNITS = { describe: 'sizes in powers of 1024', type: 'boolean', default: false } as const;
const BYTES = { describe: 'sizes in bytes', type: 'boolean', default: false } as const;

export const unitsOption = <T>(command: Argv<T>) => command.option('binary', UNITS).option('bytes', BYTES);

export const unitsOf = ({ binary, bytes }: { readonly binary: boolean; readonly bytes: boolean }): Units =>
  bytes ? 'bytes' : binary ? 'binary' : 'si';

/** Options of Docker's words that ask for what a file has not, and what that is. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['builder', 'no builder is asked'],
  ['context', 'no daemon is asked'],
  ['host', 'no daemon is asked'],
  ['tls', 'no daemon is asked'],
  ['tlsverify', 'no daemon is asked'],
]);

/** Docker's groups of words, and those of them that a file can answer. */
const GROUPS: ReadonlyMap<string, string> = new Map([
  ['image', 'inspect, history, ls'],
  ['manifest', 'inspect, create, annotate, push, rm'],
  ['imagetools', 'inspect'],
  ['buildx', 'imagetools inspect'],
]);

/** yargs' complaint, with the reason where a word or an option makes sense to Docker only. */
export function explained(complaint: string, [group = '', word = '']: readonly string[]): string {
  const words = GROUPS.get(group);
  if (words !== undefined && complaint.startsWith('Unknown') && !words.split(/,? /).includes(word))
    return `${group} ${word}: of a file waybill can tell ${group} ${words}; anything else is a daemon's work`;
  const names = /^Unknown arguments?: (.*)$/.exec(complaint)?.[1]?.split(', ') ?? [];
  const reasons = names.flatMap(name =>
    ELSEWHERE.has(name)
      ? [`--${name} means nothing here: ${ELSEWHERE.get(name)}, everything is in the file`]
      : [],
  );
  return reasons.length === 0 ? complaint : reasons.join('\n');
}
