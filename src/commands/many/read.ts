import { type Found, fileKey, isOneArchive, walkArchives } from '../../containers/archive-walk.js';
import { Interruption, isOver } from '../../containers/deadline.js';

import type { SourceProblem } from '../../containers/source.js';
import { InputError, isSystemError, reasonOf } from '../../errors.js';
import type { ArchiveReading } from '../../report/read.js';
import { isArchiveName } from '../../spec/archive-name.js';

export { isOneArchive };

/** An archive as the command line names it. */
export interface Named {
  /** Path of a file or folder, or `-` for standard input. */
  readonly archive: string;
  /** Which image of it is meant. */
  readonly ref?: string | undefined;
  /** Why it names no file. */
  readonly error?: InputError | undefined;
}

/** What comes of a name, one after the other, in the order of the names and of the files in folders. */
export type Item =
  | {
      readonly kind: 'archive';
      readonly file: string;
      readonly ref: string | undefined;
      readonly read: ArchiveReading;
    }
  /** It may be an archive, and cannot be read. `isNamed` where no folder led to it. */
  | { readonly kind: 'failed'; readonly file: string; readonly isNamed: boolean; readonly error: InputError }
  /** A file of a folder that is no archive. */
  | { readonly kind: 'other'; readonly file: string; readonly reason: string }
  /** What was read before, by another name or the same one. */
  | {
      readonly kind: 'again';
      readonly what: 'file' | 'folder';
      readonly file: string;
      readonly first: string;
    };

type Other = Extract<Item, { kind: 'other' }>;

export interface Reader {
  /** Reads an archive. @throws InputError */
  readonly read: (file: string) => Promise<ArchiveReading>;
  /** When the time is over that all archives share, on the clock of `source/deadline.ts`. Default: never. */
  readonly deadline?: number | undefined;
}

/**
 * Reads archives that were named, and those below folders that were named. What is named has to be an archive; a folder may hold
 * other things too. One that cannot be read hides none of the others. Each item is made when it is asked for, and not kept.
 */
export async function* readEach(names: readonly Named[], reader: Reader): AsyncGenerator<Item> {
  const course = new Course(reader);
  for (const { archive, ref, error } of names) {
    if (error !== undefined) {
      yield { kind: 'failed', file: archive, isNamed: true, error };
      continue;
    }
    // One that cannot be read is said to be when it is read.
    const isAlone = await isOneArchive(archive).catch(() => true);
    if (isAlone) yield await course.read(archive, await fileKey(archive), ref, true);
    else yield* readFolder(archive, ref, course);
  }
}

/** What was read so far, and whether there is time for more. */
class Course {
  /** By what was asked for, the path by which it was read. */
  private readonly seen = new Map<string, string>();
  private ranOut = false;

  constructor(private readonly reader: Reader) {}

  get isLate(): boolean {
    return this.ranOut || isOver(this.reader.deadline ?? Number.POSITIVE_INFINITY);
  }

  /** @param key  what tells the file from all others; null where it is not there */
  async read(file: string, key: string | null, ref: string | undefined, isNamed: boolean): Promise<Item> {
    // Two images of one file are two things that were asked for.
    const what = JSON.stringify([key ?? file, ref]);
    const first = this.seen.get(what);
    if (first !== undefined) return { kind: 'again', what: 'file', file, first };
    const item = await this.attempt(file, ref, isNamed);
    // Standard input has nothing the second time, and that is what is said.
    if (item.kind !== 'other' && file !== '-') this.seen.set(what, file);
    return item;
  }

  private async attempt(file: string, ref: string | undefined, isNamed: boolean): Promise<Item> {
    if (this.isLate) return { kind: 'failed', file, isNamed, error: tooLate('not read', file) };
    try {
      const read = await this.reader.read(file);
      this.ranOut ||= read.parts.some(({ scan }) => scan.problems.some(isTime));
      return { kind: 'archive', file, ref, read };
    } catch (error) {
      const refused = asInputError(error, file);
      this.ranOut ||= refused.cause instanceof Interruption && isTime(refused.cause.problem);
      if (isNamed || refused.damaged) return { kind: 'failed', file, isNamed, error: refused };
      return { kind: 'other', file, reason: refused.what };
    }
  }
}

const isTime = (problem: SourceProblem) => problem.kind === 'limit' && problem.limit === 'seconds';

/** @throws any error but one of reading */
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

async function* readFolder(folder: string, ref: string | undefined, course: Course): AsyncGenerator<Item> {
  let archives = 0;
  const others: Other[] = [];
  for await (const found of walkArchives(folder)) {
    if (course.isLate) {
      yield { kind: 'failed', file: folder, isNamed: false, error: tooLate('not read to its end', folder) };
      return;
    }
    const item = await itemOf(found, ref, course);
    // What lies in an image folder and is no archive is the image's own affair.
    if (item.kind === 'other' && found.kind === 'archive' && found.inside) continue;
    if (item.kind !== 'other') archives++;
    else if (archives === 0) others.push(item);
    yield item;
  }
  if (archives === 0) yield nothingIn(folder, others, await course.read(folder, null, ref, true));
}

async function itemOf(found: Found, ref: string | undefined, course: Course): Promise<Item> {
  if (found.kind === 'unreadable') return { ...found, kind: 'failed', isNamed: false };
  return found.kind === 'archive' ? course.read(found.file, found.key, ref, false) : found;
}

/** Files that are named where a folder holds no archive. */
const NAMED = 5;

/** A folder that holds no archive is read as one, which says what is wrong with it. */
function nothingIn(folder: string, others: readonly Other[], read: Item): Item {
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

/** Several archives, all of them kept. */
export interface Readings {
  readonly readings: readonly ArchiveReading[];
  /** What may be an archive and cannot be read. */
  readonly failed: readonly Extract<Item, { kind: 'failed' }>[];
  /** The files of folders that are no archives. */
  readonly others: readonly Extract<Item, { kind: 'other' }>[];
  /** What was named, or lies in a folder, more than once. */
  readonly again: readonly Extract<Item, { kind: 'again' }>[];
}

/** Reads archives that were named, and those below folders that were named. See `readEach`. */
export async function readMany(
  names: readonly Named[],
  read: Reader['read'],
  deadline?: number,
): Promise<Readings> {
  const readings: ArchiveReading[] = [];
  const failed: Extract<Item, { kind: 'failed' }>[] = [];
  const others: Extract<Item, { kind: 'other' }>[] = [];
  const again: Extract<Item, { kind: 'again' }>[] = [];
  for await (const item of readEach(names, { read, deadline })) {
    if (item.kind === 'archive') readings.push(item.read);
    else if (item.kind === 'failed') failed.push(item);
    else if (item.kind === 'other') others.push(item);
    else again.push(item);
  }
  return { readings, failed, others, again };
}
