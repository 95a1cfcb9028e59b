import { fileKey, isOneArchive, type WalkedItem, walkArchives } from '../../containers/archive-walk.js';
import { Interruption, isOver } from '../../containers/deadline.js';

import { isLeftOut } from '../../containers/kind.js';
import type { SourceProblem } from '../../containers/source.js';
import { InputError, isSystemError, reasonOf } from '../../errors.js';
import type { ArchiveReading } from '../../report/read.js';
import { isArchiveName } from '../../spec/archive-name.js';

export { isOneArchive };

/** An archive as the command line names it. */
export interface Named {
  /** Path of a file or folder, or `-` for standard input. */
  readonly archive: string;
  /** The reference to an image in it. */
  readonly ref?: string | undefined;
  /** The reason why it does not name a file. */
  readonly error?: InputError | undefined;
}

/** A result for a name. They come in the order of the names and of the files in folders. */
export type ReadResult =
  | {
      readonly kind: 'archive';
      readonly file: string;
      readonly ref: string | undefined;
      readonly read: ArchiveReading;
    }
  /** It may be an archive, but cannot be read. `isNamed` if it was given as an argument, not found in a folder. */
  | { readonly kind: 'failed'; readonly file: string; readonly isNamed: boolean; readonly error: InputError }
  /** A file of a folder that is not an archive. */
  | { readonly kind: 'other'; readonly file: string; readonly reason: string }
  /** An archive that was already read under this or another name. */
  | {
      readonly kind: 'again';
      readonly what: 'file' | 'folder';
      readonly file: string;
      readonly first: string;
    };

type Other = Extract<ReadResult, { kind: 'other' }>;

export interface ArchiveReader {
  /** Reads an archive. @throws InputError */
  readonly read: (file: string) => Promise<ArchiveReading>;
  /** The deadline that all archives share, on the clock of `containers/deadline.ts`. Default: none. */
  readonly deadline?: number | undefined;
}

/**
 * Reads archives, and those below folders. A file that was named must be an archive; a folder may contain other files
 * too. An archive that cannot be read does not prevent the others from being read. Each item is made when it is
 * requested, and not kept.
 */
export async function* readEach(names: readonly Named[], reader: ArchiveReader): AsyncGenerator<ReadResult> {
  const course = new Course(reader);
  for (const { archive, ref, error } of names) {
    if (error !== undefined) {
      yield { kind: 'failed', file: archive, isNamed: true, error };
      continue;
    }
    // A file that cannot be read is reported when it is read.
    const isAlone = await isOneArchive(archive).catch(() => true);
    if (isAlone) yield await course.read(archive, await fileKey(archive), ref, true);
    else yield* readFolder(archive, ref, course);
  }
}

/** The archives read so far, and the check for the deadline. */
class Course {
  /** Paths of the archives read, by file and reference. */
  private readonly seen = new Map<string, string>();
  private ranOut = false;

  constructor(private readonly reader: ArchiveReader) {}

  get isLate(): boolean {
    return this.ranOut || isOver(this.reader.deadline ?? Number.POSITIVE_INFINITY);
  }

  /** @param key  identifies the file; null if it does not exist */
  async read(
    file: string,
    key: string | null,
    ref: string | undefined,
    isNamed: boolean,
  ): Promise<ReadResult> {
    // Two images of one file are two separate requests.
    const what = JSON.stringify([key ?? file, ref]);
    const first = this.seen.get(what);
    if (first !== undefined) return { kind: 'again', what: 'file', file, first };
    const item = await this.attempt(file, ref, isNamed);
    // Standard input is empty when it is read again, and that is reported.
    if (item.kind !== 'other' && file !== '-') this.seen.set(what, file);
    return item;
  }

  private async attempt(file: string, ref: string | undefined, isNamed: boolean): Promise<ReadResult> {
    if (this.isLate) return { kind: 'failed', file, isNamed, error: tooLate('not read', file) };
    try {
      const read = await this.reader.read(file);
      this.ranOut ||= read.parts.some(({ scan }) => scan.problems.some(isTime));
      return { kind: 'archive', file, ref, read };
    } catch (error) {
      const refused = asInputError(error, file);
      this.ranOut ||= refused.cause instanceof Interruption && isTime(refused.cause.problem);
      if (isNamed || !isLeftOut(refused, file)) return { kind: 'failed', file, isNamed, error: refused };
      return { kind: 'other', file, reason: refused.what };
    }
  }
}

const isTime = (problem: SourceProblem) => problem.kind === 'limit' && problem.limit === 'seconds';

/** @throws any error that is not about reading */
function asInputError(error: unknown, file: string): InputError {
  if (error instanceof InputError) return error;
  if (!isSystemError(error)) throw error;
  return new InputError(`cannot be read: ${reasonOf(error)}`, file, null, { cause: error, damaged: true });
}

const tooLate = (what: string, file: string) =>
  new InputError(
    `${what}: the time is over`,
    file,
    'Give it a longer --timeout, or fewer archives at a time.',
    {
      damaged: true,
    },
  );

async function* readFolder(
  folder: string,
  ref: string | undefined,
  course: Course,
): AsyncGenerator<ReadResult> {
  let archives = 0;
  const others: Other[] = [];
  for await (const found of walkArchives(folder)) {
    if (course.isLate) {
      yield { kind: 'failed', file: folder, isNamed: false, error: tooLate('not read to its end', folder) };
      return;
    }
    const item = await itemOf(found, ref, course);
    // A file in an image folder that is not an archive is part of the image.
    if (item.kind === 'other' && found.kind === 'archive' && found.inside) continue;
    if (item.kind !== 'other') archives++;
    else if (archives === 0) others.push(item);
    yield item;
  }
  if (archives === 0) yield nothingIn(folder, others, await course.read(folder, null, ref, true));
}

async function itemOf(found: WalkedItem, ref: string | undefined, course: Course): Promise<ReadResult> {
  if (found.kind === 'unreadable') return { ...found, kind: 'failed', isNamed: false };
  return found.kind === 'archive' ? course.read(found.file, found.key, ref, false) : found;
}

/** Number of files that are named if a folder contains no archive. */
const NAMED = 5;

/** A folder that contains no archive is read as one, so that the error says what is wrong with it. */
function nothingIn(folder: string, others: readonly Other[], read: ReadResult): ReadResult {
  if (read.kind !== 'failed' || others.length === 0) return read;
  const looked =
    others.length === 1
      ? 'nor is the one file below it an archive'
      : `nor is any of the ${others.length} files below it an archive`;
  const called = others.filter(({ file }) => isArchiveName(file));
  const reasons = (called.length === 0 ? others : called).map(({ file, reason }) => `${file}: ${reason}`);
  const remedy = reasons.slice(0, NAMED).join('\n');
  return {
    ...read,
    error: new InputError(`${read.error.what}, ${looked}`, folder, remedy, { cause: read.error }),
  };
}

/** Several archives, all kept in memory. */
export interface ArchiveReadings {
  readonly readings: readonly ArchiveReading[];
  /** Files that may be archives but cannot be read. */
  readonly failed: readonly Extract<ReadResult, { kind: 'failed' }>[];
  /** Files of folders that are not archives. */
  readonly others: readonly Extract<ReadResult, { kind: 'other' }>[];
  /** Archives that were named, or found in a folder, more than once. */
  readonly again: readonly Extract<ReadResult, { kind: 'again' }>[];
}

/** Reads archives that were named, and those below folders that were named. See `readEach`. */
export async function readMany(
  names: readonly Named[],
  read: ArchiveReader['read'],
  deadline?: number,
): Promise<ArchiveReadings> {
  const readings: ArchiveReading[] = [];
  const failed: Extract<ReadResult, { kind: 'failed' }>[] = [];
  const others: Extract<ReadResult, { kind: 'other' }>[] = [];
  const again: Extract<ReadResult, { kind: 'again' }>[] = [];
  for await (const item of readEach(names, { read, deadline })) {
    if (item.kind === 'archive') readings.push(item.read);
    else if (item.kind === 'failed') failed.push(item);
    else if (item.kind === 'other') others.push(item);
    else again.push(item);
  }
  return { readings, failed, others, again };
}
