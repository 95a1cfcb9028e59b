import { type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InputError } from '../errors.js';

/** An image in an archive, named by one argument. */
export interface ArchiveArgument {
  /** Absolute path. */
  readonly archive: string;
  readonly ref: string | null;
}

/**
 * Parses `ARCHIVE` or `ARCHIVE#REF`: the whole text is the name of a file if that file exists; otherwise the part
 * before its last `#`, which a reference cannot contain.
 * @throws InputError if there is no such file, or if it can only be read once
 */
export function archiveArgument(text: string): ArchiveArgument {
  const found = findArchive(text);
  if (found !== null) return found;
  if (text === '-') throw onceOnly('standard input');
  throw new InputError(
    'no such file or directory',
    text,
    'Name an archive, or one of its images as ARCHIVE#REF.',
  );
}

/** Returns null if there is no such file. */
export function findArchive(text: string): ArchiveArgument | null {
  const whole = status(text);
  if (whole !== null) return { archive: checked(text, whole), ref: null };
  const hash = text.lastIndexOf('#');
  if (hash <= 0) return null;
  const [file, ref] = [text.slice(0, hash), text.slice(hash + 1)];
  const stats = ref === '' ? null : status(file);
  return stats === null ? null : { archive: checked(file, stats), ref };
}

const status = (file: string): Stats | null => {
  try {
    return statSync(file, { throwIfNoEntry: false }) ?? null;
  } catch {
    // The name is too long, or a parent of it is a file: no such file can exist.
    return null;
  }
};

function checked(file: string, stats: Stats): string {
  if (!stats.isFile() && !stats.isDirectory()) throw onceOnly(file);
  return resolve(file);
}

const onceOnly = (where: string) =>
  new InputError(
    'can only be read once, and a list reads its archives again when it is pushed',
    where,
    'Save it to a file and name that.',
  );
