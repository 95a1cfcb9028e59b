import type { Answer, ArchiveReading, Depth, ReadOptions, Resources, Result } from '../commands.js';
import type { OutputFormat } from '../format/outputs.js';

/** What the commands may do to the world. `cli.ts` has the only one; it alone prints and knows the environment. */
export interface World {
  /** Reads an archive, with progress shown. */
  readonly read: (archive: string, options: ReadOptions) => Promise<ArchiveReading>;
  /** Ends everything when so many seconds are over; what is read is reported as far as it was. */
  readonly within: (seconds: number) => Promise<void>;
  /** A report, for people or as JSON; into files where they are named. */
  readonly print: (result: Result, how: Reporting) => Promise<void>;
  /** What another tool would print, as it is. */
  readonly answer: (answer: Answer) => Promise<void>;
  /** Bytes to standard output; resolves when more may come. */
  readonly put: (bytes: Uint8Array) => Promise<void>;
  /** A file or folder that is there, not a name of anything else. */
  readonly exists: (file: string) => boolean;
  /** Where manifest lists wait until they are pushed. */
  readonly lists: () => string;
  /** Does work that tells how far it is. */
  readonly progress: <T>(
    work: (onProgress: (done: number, total: number | null) => void) => Promise<T>,
  ) => Promise<T>;
  /** What "3 years ago" is measured from: now, or SOURCE_DATE_EPOCH for output that can be reproduced. */
  readonly now: () => Date;
  /** A line for standard error. */
  readonly note?: (line: string) => void;
  /** Where GitHub Actions collects what a step says about a job: GITHUB_STEP_SUMMARY. It is added to, never replaced. */
  readonly summaryFile?: string | undefined;
  /** Columns of standard output, or null when it is no terminal. */
  readonly width: () => number | null;
}

/** The world as a command gets it: reading keeps the limits that the command line gives. */
export interface Terminal extends World {
  /** What the command line allows, for what reads by other ways than `read`. */
  readonly resources: () => Resources;
}

export interface Printing {
  readonly json: boolean;
  readonly color: boolean | undefined;
}

/** A report may go to files instead of standard output. */
export interface Reporting extends Printing {
  readonly output?: readonly string[] | undefined;
  /** Of standard output, and of outputs whose names tell none. */
  readonly format?: OutputFormat | undefined;
  /** Nothing is printed. */
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

/**
 * Reads an archive as deep as an answer needs, which may show only when its documents are known. What can be read only once
 * is read deep enough at once.
 * @param depthOf  of an archive that is not known yet, or at depth `metadata`
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
