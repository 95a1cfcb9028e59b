import { CHANGED } from '../containers/unreadable.js';
import { InputError } from '../errors.js';
import type { ArchiveReading } from '../report/read.js';

/**
 * Reads an archive again.
 * @throws InputError if the file changed since it was opened, because that explains any other error
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
