import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sniff } from '../codec/registry.js';
import { peek } from '../containers/cursor.js';
import { isTar, isZip } from '../containers/kind.js';
import { openStream } from '../containers/open.js';
import { reading } from '../containers/unreadable.js';
import { InputError } from '../errors.js';
import type { Limits } from '../limits.js';
import { createFile } from './file.js';
import { writing } from './system-error.js';
import { abandon, temporaryBeside, temporaryIn } from './unfinished.js';

/**
 * Copies a source that can only be read once to a temporary file, which is removed at the end. Errors about the file
 * are reported for standard input.
 * @param place  the directory of the temporary file
 * @throws InputError if the source is not an archive, before it fills the disk
 */
export async function throughFile<T>(
  input: AsyncIterable<Uint8Array>,
  { path, shown }: SpoolDirectory,
  limits: Limits,
  work: (file: string) => Promise<T>,
): Promise<T> {
  const [head, chunks] = await reading('standard input', () => peek(input));
  if (!isTar(head) && !isZip(head) && sniff(head) === 'none')
    await openStream('-', 'standard input', chunks, limits);
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

/**
 * Copies what can only be read once to a new file.
 * @param source  its name in messages
 * @throws InputError if it cannot be read or written
 */
export async function copyToFile(
  input: AsyncIterable<Uint8Array>,
  source: string,
  file: string,
  shown: string,
): Promise<void> {
  const writer = createFile(file, shown);
  try {
    await reading(source, async () => {
      for await (const chunk of input) writer.write(chunk);
    });
    writer.close();
  } finally {
    writer.drop();
  }
}

/** A directory, and its name in messages. */
interface SpoolDirectory {
  readonly path: string;
  readonly shown: string;
}

/**
 * Calls a function with a temporary directory that only this user can read, and removes it at the end.
 * @param beside  the path beside which it is created; null for the system's temporary directory
 * @throws InputError if it cannot be created
 */
export async function inPrivateDirectory<T>(
  beside: SpoolDirectory | null,
  work: (place: SpoolDirectory) => Promise<T>,
): Promise<T> {
  const directory = beside === null ? temporaryIn(tmpdir(), 'waybill') : temporaryBeside(beside.path);
  const shown = beside?.shown ?? `${tmpdir()} (TMPDIR)`;
  const another = beside === null ? 'Choose a directory that you can write to, and set TMPDIR to it.' : null;
  try {
    writing(shown, () => mkdirSync(directory, { mode: 0o700 }), another);
    return await work({ path: directory, shown });
  } finally {
    abandon(directory);
  }
}
