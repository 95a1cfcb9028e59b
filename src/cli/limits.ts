import type { Argv } from 'yargs';
import { UsageError } from '../errors.js';
import { defaultLimits, isLimitName, type LimitName, limitsOf, type Resources } from '../limits.js';
import { didYouMean, nearest } from '../spec/nearest.js';
import { parseSize } from '../spec/size-text.js';
import { last } from './typed.js';

const OPTIONS = {
  limit: {
    describe: 'raise or lower a limit (docs/limits.md), as in documentBytes=50M; may be repeated',
    type: 'string',
    array: true,
    requiresArg: true,
  },
  timeout: {
    describe: 'stop after this long, as in 90s, 5m or 1h',
    type: 'string',
    requiresArg: true,
  },
  jobs: {
    describe: 'threads that work at a time, 1 to 256 [default: as many as there are cores]',
    type: 'string',
    requiresArg: true,
  },
  memory: {
    describe: 'memory for buffers and threads, as in 512M [default: a share of what is available]',
    type: 'string',
    requiresArg: true,
  },
} as const;

const EXIT_CODES =
  'Exit codes: 0 sound; 1 findings of --fail-on severity or worse, something missing, or different (diff); 2 no report possible or bad usage; 3 a bug in waybill.';

/** Groups of a command's help, in the order in which they are printed; those without options are not printed. */
const GROUPS = [
  'Positionals:',
  'Options:',
  'Many archives:',
  'Lock:',
  'Signatures:',
  'Cache:',
  'Limits:',
] as const;

/** `--limit`, `--timeout`, `--jobs` and `--memory`, for every command that reads an archive. */
export function limitOptions<T>(command: Argv<T>) {
  const given = command.options(OPTIONS).epilogue(EXIT_CODES);
  for (const group of GROUPS) given.group(group === 'Limits:' ? Object.keys(OPTIONS) : [], group);
  return given;
}

/** The options as yargs parses them: repeated ones are lists. */
export type LimitArguments = {
  readonly [K in keyof typeof OPTIONS]?: string | readonly string[] | undefined;
};

/** @throws UsageError for an invalid value */
export async function resourcesOf({ limit, timeout, jobs, memory }: LimitArguments): Promise<Resources> {
  const limits = Object.fromEntries([limit ?? []].flat().map(readLimit));
  if (timeout !== undefined) limits.seconds = readTime('timeout', lastOf(timeout));
  // An invalid limit is reported before an archive is opened.
  limitsOf(limits);
  return {
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(jobs !== undefined && { jobs: readJobs(lastOf(jobs)) }),
    ...(memory !== undefined && { memory: await readMemory(lastOf(memory)) }),
  };
}

const lastOf = (value: string | readonly string[]): string => last(value) ?? '';

function readLimit(text: string): [LimitName, number] {
  const at = text.indexOf('=');
  if (at < 0)
    throw new UsageError(`--limit: expected NAME=VALUE, as in documentBytes=50M, found ${quoted(text)}`);
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  if (!isLimitName(name)) {
    const names = Object.keys(defaultLimits);
    const near = nearest(name, names);
    const hint = near.length > 0 ? didYouMean(near) : `; there are ${names.join(', ')}`;
    throw new UsageError(`--limit: there is no ${quoted(name)}${hint}`);
  }
  const number = optionSize(value);
  if (number === null) {
    throw new UsageError(
      `--limit ${name}: expected a whole number, as in 50000000, 50M or 48Mi, found ${quoted(value)}`,
    );
  }
  return [name, number];
}

/** Seconds. @throws UsageError for another text */
export function readTime(option: string, text: string): number {
  const [, digits, unit = 's'] = /^(\d{1,9})(s|m|h)?$/.exec(text) ?? [];
  if (digits === undefined || Number(digits) === 0)
    throw new UsageError(`--${option}: expected a time from 1s, as in 90s, 5m or 1h, found ${quoted(text)}`);
  return Number(digits) * { s: 1, m: 60, h: 3600 }[unit as 's' | 'm' | 'h'];
}

/** A size in an option is one word: a space in it is a mistake in quoting. */
const optionSize = (text: string): number | null => (text.includes(' ') ? null : parseSize(text));

/** An upper bound that no machine needs to exceed, and that one can start. */
const MOST_JOBS = 256;

function readJobs(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= MOST_JOBS) return Number(text);
  throw new UsageError(`--jobs: expected a number of threads from 1 to ${MOST_JOBS}, found ${quoted(text)}`);
}

async function readMemory(text: string): Promise<number> {
  const { MIN_MEMORY } = await import('../report/read.js');
  const bytes = optionSize(text);
  if (bytes !== null && bytes >= MIN_MEMORY) return bytes;
  const least = `${MIN_MEMORY / 1024 / 1024}Mi`;
  throw new UsageError(`--memory: expected a size from ${least}, as in 512M or 1Gi, found ${quoted(text)}`);
}

const quoted = (text: string) => JSON.stringify(text);
