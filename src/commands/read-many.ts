import { InputError, isSystemError, reasonOf } from '../errors.js';
import { type Found, fileKey, isOneArchive, walkArchives } from '../source/archive-walk.js';
import { isOver } from '../source/deadline.js';
import type { ArchiveReading } from './read.js';

export { isOneArchive };

/** An archive as the command line names it. */
export interface Named {
  /** Path of a file or folder, or `-` for standard input. */
  readonly archive: string;
  /** Which image of it is meant. */
  readonly ref?: string | undefined;
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
  | { readonly kind: 'again'; readonly file: string; readonly first: string };

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
  const seen: Seen = new Map();
  for (const { archive, ref } of names) {
    if (archive !== '-' && !(await isOneArchive(archive))) {
      yield* readFolder(archive, ref, reader, seen);
      continue;
    }
    const key = archive === '-' ? '-' : await fileKey(archive);
    yield again(archive, key, ref, seen) ?? (await attempt(archive, ref, reader, true));
  }
}

/** By what was asked for, the path by which it was read. */
type Seen = Map<string, string>;

/** Two images of one file are two things that were asked for. */
function again(file: string, key: string | null, ref: string | undefined, seen: Seen): Item | null {
  if (key === null) return null;
  const what = JSON.stringify([key, ref]);
  const first = seen.get(what);
  if (first !== undefined) return { kind: 'again', file, first };
  seen.set(what, file);
  return null;
}

async function attempt(
  file: string,
  ref: string | undefined,
  { read, deadline }: Reader,
  isNamed: boolean,
): Promise<Item> {
  if (isLate(deadline)) return { kind: 'failed', file, isNamed, error: tooLate('not read', file) };
  try {
    return { kind: 'archive', file, ref, read: await read(file) };
  } catch (error) {
    const refused = asInputError(error, file);
    if (isNamed || refused.damaged) return { kind: 'failed', file, isNamed, error: refused };
    return { kind: 'other', file, reason: refused.what };
  }
}

/** @throws any error but one of reading */
function asInputError(error: unknown, file: string): InputError {
  if (error instanceof InputError) return error;
  if (!isSystemError(error)) throw error;
  return new InputError(`cannot be read: ${reasonOf(error)}`, file, null, { cause: error, damaged: true });
}

const isLate = (deadline = Number.POSITIVE_INFINITY): boolean => isOver(deadline);

const tooLate = (what: string, file: string) =>
  new InputError(`${what}: the time is over`, file, 'A longer --timeout, or fewer archives at a time.', {
    damaged: true,
  });

async function* readFolder(
  folder: string,
  ref: string | undefined,
  reader: Reader,
  seen: Seen,
): AsyncGenerator<Item> {
  let archives = 0;
  let others = 0;
  for await (const found of walkArchives(folder)) {
    if (isLate(reader.deadline)) {
      yield { kind: 'failed', file: folder, isNamed: false, error: tooLate('not read to its end', folder) };
      return;
    }
    const item = await itemOf(found, ref, reader, seen);
    // What lies in an image folder and is no archive is the image's own affair.
    if (item.kind === 'other' && found.kind === 'archive' && found.inside) continue;
    if (item.kind === 'other') others++;
    else archives++;
    yield item;
  }
  if (archives === 0) yield nothingIn(folder, others, await attempt(folder, ref, reader, true));
}

async function itemOf(found: Found, ref: string | undefined, reader: Reader, seen: Seen): Promise<Item> {
  if (found.kind === 'unreadable') return { ...found, kind: 'failed', isNamed: false };
  if (found.kind !== 'archive') return found;
  const { file, key } = found;
  return again(file, key, ref, seen) ?? attempt(file, ref, reader, false);
}

/** A folder that holds no archive is read as one, which says what is wrong with it. */
function nothingIn(folder: string, others: number, read: Item): Item {
  if (read.kind !== 'failed' || others === 0) return read;
  const { what, remedy } = read.error;
  const looked =
    others === 1
      ? 'nor is the one file below it an archive'
      : `nor is any of the ${others} files below it an archive`;
  return { ...read, error: new InputError(`${what}, ${looked}`, folder, remedy, { cause: read.error }) };
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
  names: readonly string[],
  read: Reader['read'],
  deadline?: number,
): Promise<Readings> {
  const readings: ArchiveReading[] = [];
  const failed: Extract<Item, { kind: 'failed' }>[] = [];
  const others: Extract<Item, { kind: 'other' }>[] = [];
  const again: Extract<Item, { kind: 'again' }>[] = [];
  for await (const item of readEach(
    names.map(archive => ({ archive })),
    { read, deadline },
  )) {
    if (item.kind === 'archive') readings.push(item.read);
    else if (item.kind === 'failed') failed.push(item);
    else if (item.kind === 'other') others.push(item);
    else again.push(item);
  }
  return { readings, failed, others, again };
}
