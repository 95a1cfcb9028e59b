import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { writing } from './system-error.js';
import { abandon, temporaryBeside, temporaryIn } from './unfinished.js';

/** A directory, and what the user knows its place by. */
export interface Place {
  readonly path: string;
  readonly shown: string;
}

/**
 * Works in a temporary directory that only this user can read, and removes it at the end.
 * @param beside  what it is made beside; null for where temporary files go
 * @throws InputError where it cannot be made
 */
export async function inPrivateDirectory<T>(
  beside: Place | null,
  work: (place: Place) => Promise<T>,
): Promise<T> {
  const directory = beside === null ? temporaryIn(tmpdir(), 'waybill') : temporaryBeside(beside.path);
  const shown = beside?.shown ?? `${tmpdir()} (TMPDIR)`;
  try {
    writing(shown, () => mkdirSync(directory, { mode: 0o700 }));
    return await work({ path: directory, shown });
  } finally {
    abandon(directory);
  }
}
