import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { sniff } from '../codec/registry.js';
import { InputError } from '../errors.js';
import type { Limits } from '../limits.js';
import { isTar, isZip } from '../source/kind.js';
import { openArchive } from '../source/open.js';
import { peek } from '../source/peek.js';
import { reading } from '../source/unreadable.js';
import { createFile } from './file.js';
import type { Place } from './private-directory.js';
import { writing } from './system-error.js';

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
