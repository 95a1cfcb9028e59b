import { chmodSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { writing } from './system-error.js';
import { abandon, temporaryBeside, temporaryIn } from './unfinished.js';

/**
 * Works in a directory that nobody else may look into, and that is gone in the end.
 * @param beside  what it is made beside; null for where temporary files go
 * @throws InputError where it cannot be made
 */
export async function inPrivateDirectory<T>(
  beside: string | null,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = beside === null ? temporaryIn(tmpdir(), 'waybill') : temporaryBeside(beside);
  try {
    writing(directory, () => mkdirSync(directory, { mode: 0o700 }));
    return await work(directory);
  } finally {
    abandon(directory);
  }
}

/** Nobody but its owner may look into a directory that is not finished, or put anything there. */
export function makePrivate(directory: string, shown: string): void {
  writing(shown, () => chmodSync(directory, 0o700));
}
