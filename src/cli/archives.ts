import { UsageError } from '../errors.js';
import { readArchiveName } from './arguments.js';

/** What one argument names: an archive, and an image of it where the argument says which. */
export interface NamedArchive {
  /** Path of a file or directory, or `-` for standard input. */
  readonly archive: string;
  readonly ref: string | undefined;
}

interface Files {
  readonly exists: (file: string) => boolean;
}

/** The whole text is a file's name if there is such a file, else what stands before its last `#`. */
export function namedArchive(text: string, { exists }: Files): NamedArchive {
  const hash = text.lastIndexOf('#');
  if (hash <= 0 || exists(text)) return { archive: readArchiveName(text), ref: undefined };
  return { archive: readArchiveName(text.slice(0, hash)), ref: text.slice(hash + 1) };
}

/**
 * The reference that is meant, however often it was given.
 * @throws UsageError when several different ones were given
 */
export function oneReference(given: readonly (string | undefined)[]): string | undefined {
  const refs = [...new Set(given.filter(ref => ref !== undefined))];
  if (refs.length > 1)
    throw new UsageError(
      `expected one reference, found ${refs.map(ref => JSON.stringify(ref)).join(' and ')}: name the image once, as REF, --ref REF or ARCHIVE#REF`,
    );
  return refs[0];
}
