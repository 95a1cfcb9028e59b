import { InputError } from '../errors.js';
import { archivesIn } from '../source/layout-folder.js';
import type { ArchiveReading } from './read.js';

/** Several archives, read one after the other. */
export interface Readings {
  readonly readings: readonly ArchiveReading[];
  /** The files of a folder that are no archives, or cannot be read, and why. */
  readonly strangers: readonly InputError[];
}

/**
 * Reads archives that were named, and those that lie in folders that were named. Whoever names a file wants that file,
 * so it has to be an archive; a folder may hold other things too, and these are left out and reported.
 * @throws InputError for a named file that cannot be read, or when there is no archive at all
 */
export async function readMany(
  names: readonly string[],
  read: (name: string) => Promise<ArchiveReading>,
): Promise<Readings> {
  const readings: ArchiveReading[] = [];
  const strangers: InputError[] = [];
  for (const name of names) {
    const files = name === '-' ? null : await archivesIn(name);
    for (const file of files ?? [name]) {
      try {
        readings.push(await read(file));
      } catch (error) {
        if (files === null || !(error instanceof InputError)) throw error;
        strangers.push(error);
      }
    }
  }
  if (readings.length === 0 && strangers.length > 0) throw strangers[0]!;
  return { readings, strangers };
}
