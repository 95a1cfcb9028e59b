import type { Argv } from 'yargs';
import type { Cache, CacheStatistics } from '../cache/cache.js';
import { UsageError } from '../errors.js';
import { parseSize } from '../spec/size-text.js';
import { once } from './arguments.js';

const OPTIONS = {
  cache: {
    describe:
      'keep in DIR what was found out about files and blobs; what has not changed is not unpacked again',
    type: 'string',
    requiresArg: true,
    coerce: once('cache'),
  },
  'cache-size': {
    describe: 'size that the cache may have, as in 500M or 20G [default: 10Gi]',
    type: 'string',
    requiresArg: true,
    coerce: once('cache-size'),
  },
  'cache-key': {
    describe: 'a file with a secret that signs what is kept, for a DIR into which others may write',
    type: 'string',
    requiresArg: true,
    coerce: once('cache-key'),
  },
} as const;

/** `--cache`, `--cache-size` and `--cache-key`, for commands that read all of an archive. */
export const cacheOptions = <T>(command: Argv<T>) =>
  command.options(OPTIONS).group(Object.keys(OPTIONS), 'Cache:');

export interface CacheArguments {
  readonly cache?: string | undefined;
  readonly cacheSize?: string | undefined;
  readonly cacheKey?: string | undefined;
}

/** Opens a directory as a cache. Sizes are bytes; `keyFile` holds the secret that signs entries. */
export type OpenCache = (
  dir: string,
  options: {
    readonly size?: number | undefined;
    readonly keyFile?: string | undefined;
    /** Whether it is said at the end what the cache did. */
    readonly isVerbose: boolean;
  },
) => Promise<Cache>;

/** Less would hold the facts of a few layers. */
const LEAST_BYTES = 1024 * 1024;

/**
 * Opens the cache that the command line names; null if it names none.
 * @throws UsageError or InputError for what cannot be used
 */
export async function openCacheOf(
  { cache: dir, cacheSize, cacheKey }: CacheArguments,
  isVerbose: boolean,
  open: OpenCache,
): Promise<Cache | null> {
  if (dir === undefined) {
    if (cacheSize === undefined && cacheKey === undefined) return null;
    const option = cacheSize === undefined ? '--cache-key' : '--cache-size';
    throw new UsageError(`${option} is about a cache: name its directory with --cache`);
  }
  if (dir === '') throw new UsageError('--cache: expected a directory, found an empty name');
  if (cacheKey === '' || cacheKey === '-')
    throw new UsageError(`--cache-key: expected a file, found ${cacheKey === '' ? 'an empty name' : '-'}`);
  return open(dir, { size: sizeOf(cacheSize), keyFile: cacheKey, isVerbose });
}

function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = text.includes(' ') ? null : parseSize(text);
  if (bytes !== null && bytes >= LEAST_BYTES) return bytes;
  throw new UsageError(
    `--cache-size: expected a size from 1Mi, as in 500M or 20G, found ${JSON.stringify(text)}`,
  );
}

/** The counts of a cache, in a line for `--verbose`. */
export function cacheWords({ blobs, records, ignored, removed }: CacheStatistics): string {
  const reasons = Object.entries(ignored).map(([reason, number]) => `${number} ${reason}`);
  const unkept = [
    [records.tooNew, 'written a moment before'],
    [records.changed, 'changed meanwhile'],
    [records.untimed, 'on a file system without times of changes'],
  ].flatMap(([number, why]) => (number === 0 ? [] : [`${number} ${why}`]));
  return [
    `archives ${records.hits} known, ${records.misses} read, ${records.kept} kept${unkept.length > 0 ? ` (not kept: ${unkept.join(', ')})` : ''}`,
    `blobs ${blobs.hits} known, ${blobs.misses} unpacked, ${blobs.kept} kept`,
    ...(reasons.length > 0 ? [`entries ignored: ${reasons.join(', ')}`] : []),
    ...(removed > 0 ? [`entries removed: ${removed}`] : []),
  ].join('; ');
}
