import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sniff } from '../codec/registry.js';
import { peek } from '../containers/cursor.js';
import { isTar, isZip } from '../containers/kind.js';
import { openArchive } from '../containers/open.js';
import { reading } from '../containers/unreadable.js';
import { InputError } from '../errors.js';
import type { Limits } from '../limits.js';
import { createFile } from './file.js';
import { writing } from './system-error.js';
import { abandon, temporaryBeside, temporaryIn } from './unfinished.js';

/**
 * Works with what can only be read once as a file that can be read again, which is gone in the end. Errors that the file
 * has speak of standard input.
 * @param place  where to keep it
 * @throws InputError for what is no archive, before a disk is filled with it
 */
export async function throughFile<T>(
  input: AsyncIterable<Uint8Array>,
  { path, shown }: Place,
  limits: Limits,
  work: (file: string) => Promise<T>,
): Promise<T> {
  const [head, chunks] = await reading('standard input', () => peek(input));
  if (!isTar(head) && !isZip(head) && sniff(head) === 'none') await openArchive(chunks, limits);
  const file = join(path, '.archive');
  const writer = createFile(file, shown);
  try {
    await reading('standard input', async () => {
      for await (const chunk of chunks) writer.write(chunk);
    });
    writer.close();
    return await work(file);
  } catch (error) {
    if (!(error instanceof InputError) || !error.where.startsWith(file)) throw error;
    const where = error.where.replace(file, 'standard input');
    throw new InputError(error.what, where, error.remedy, { cause: error, damaged: error.damaged });
  } finally {
    writer.drop();
    writing(shown, () => rmSync(file, { force: true }));
  }
}

/** A directory, and what the user knows its place by. */
interface Place {
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
