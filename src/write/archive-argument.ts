import { type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InputError } from '../errors.js';

/** An image in an archive, as it is named by one argument. */
export interface ArchiveArgument {
  /** Absolute path. */
  readonly archive: string;
  readonly ref: string | null;
}

/**
 * Reads `ARCHIVE` or `ARCHIVE#REF`: the whole text is a file's name if there is such a file, else what stands before its
 * last `#`, which no reference may hold.
 * @throws InputError when there is no such file, or when it can only be read once
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

/** null when there is no such file. */
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
    // Too long, or below a file: no name of anything that exists.
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
