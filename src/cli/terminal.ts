import type { Cache } from '../cache/cache.js';
import type { Watched } from '../commands/scan/index.js';
import type { Answer, ArchiveReading, Depth, ReadOptions, Resources, Result } from '../commands.js';
import type { OpenCache } from './cache.js';

/**
 * The side effects that commands may have. Only `cli.ts` implements them: it alone prints and reads the environment.
 */
export interface World {
  /** Reads an archive and shows progress. */
  readonly read: (archive: string, options: ReadOptions) => Promise<ArchiveReading>;
  /** Ends the process after this many seconds; the part of an archive that was read by then is reported. */
  readonly within: (seconds: number) => Promise<void>;
  /** Prints a report as text or JSON, or writes it to the files that were named. */
  readonly print: (result: Result, how: Reporting) => Promise<void>;
  /** Prints the output of another tool unchanged. */
  readonly answer: (answer: Answer) => Promise<void>;
  /** Writes bytes to standard output; resolves when more can be written. */
  readonly put: (bytes: Uint8Array) => Promise<void>;
  /** True if this is an existing file or folder. */
  readonly exists: (file: string) => boolean;
  /** The directory of manifest lists that are not yet pushed. */
  readonly lists: () => string;
  /** Runs work that reports its progress. */
  readonly progress: <T>(
    work: (onProgress: (done: number, total: number | null) => void) => Promise<T>,
  ) => Promise<T>;
  /** The time from which "3 years ago" is computed: now, or SOURCE_DATE_EPOCH for reproducible output. */
  readonly now: () => Date;
  /** SOURCE_DATE_EPOCH in seconds since 1970; null if it is not set. */
  readonly sourceDateEpoch?: () => number | null;
  /** Prints a line on standard error. */
  readonly note?: (line: string) => void;
  /**
   * GITHUB_STEP_SUMMARY, the file to which a step of GitHub Actions appends its summary. It is appended to, never
   * replaced.
   */
  readonly summaryFile?: string | undefined;
  /** Shows how far a run over many archives is, and says where its records are if it is interrupted. */
  readonly watch?: <T>(run: Watched, work: () => Promise<T>, isQuiet: boolean) => Promise<T>;
  /** The variables of the process, from which engines' numbers of shards are read. */
  readonly environment?: () => Readonly<Record<string, string | undefined>>;
  /** Opens a cache, which is closed when the command ends. */
  readonly openCache?: OpenCache | undefined;
  /** Width of standard output in columns; null if it is not a terminal. */
  readonly width: () => number | null;
}

/** The world as a command gets it: reading is subject to the limits of the command line. */
export interface Terminal extends World {
  /** The limits of the command line, for code that reads without `read`. */
  readonly resources: () => Resources;
  /** The cache that the command line names, for such code; null if it names none. */
  readonly cache: () => Cache | null;
}

export interface Printing {
  readonly json: boolean;
  readonly color: boolean | undefined;
}

/** Options of a report that may be written to files instead of standard output. */
export interface Reporting extends Printing {
  readonly output?: readonly string[] | undefined;
  /** The formats for standard output, and for outputs whose names do not determine one, in the order given. */
  readonly format?: readonly string[] | undefined;
  /** True if nothing is printed. */
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  /** True if the cause of the exit code is printed on standard error by other code. */
  readonly isSaid?: boolean | undefined;
}

/**
 * Reads an archive at the depth that an answer needs, which may depend on the archive's documents. A source that can be
 * read only once is read at full depth at once.
 * @param depthOf  returns the depth; called without a scan, or with a scan of depth `metadata`
 */
export async function readAsDeep(
  { read }: Terminal,
  archive: string,
  depthOf: (known?: ArchiveReading) => Depth,
): Promise<ArchiveReading> {
  const first = depthOf();
  if (archive === '-') return read(archive, { depth: first === 'metadata' ? 'digests' : first });
  const reading = await read(archive, { depth: first });
  const depth = depthOf(reading);
  return depth === first || reading.opened.size === null ? reading : read(archive, { depth });
}
