import { CHANGED } from '../containers/unreadable.js';
import { InputError } from '../errors.js';
import type { ArchiveReading } from '../report/read.js';

/**
 * Reads an archive once more.
 * @throws InputError where the file is not what it was when it was opened first, which explains whatever else is wrong with it
 */
export async function unchanged<T>({ opened }: ArchiveReading, again: () => Promise<T>): Promise<T> {
  try {
    const result = await again();
    refuseChanges(opened);
    return result;
  } catch (error) {
    if (error instanceof InputError && error.where.startsWith(opened.file)) refuseChanges(opened, error);
    throw error;
  }
}

function refuseChanges({ file, changes }: ArchiveReading['opened'], cause?: InputError): void {
  const change = changes().find(problem => problem.kind === 'changed');
  if (change === undefined) return;
  const { path, expected, actual } = change;
  const which = path === null ? 'it' : path;
  throw new InputError(
    `${which} has changed while it was read: expected ${expected}, found ${actual}`,
    file,
    CHANGED,
    {
      damaged: true,
      cause,
    },
  );
}
