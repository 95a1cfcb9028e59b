import { UsageError } from '../../errors.js';
import type { Answer } from '../../report/answer.js';
import { listStore } from '../../write/list-store.js';
import { listName } from './stored-list.js';

/** `docker manifest rm LIST...`: forgets lists. One that is not there does not keep the others. */
export function manifestRm(directory: string, lists: readonly string[]): Answer {
  const store = listStore(directory);
  const notes = lists.flatMap(list => {
    try {
      const name = listName(list);
      return store.remove(name) ? [] : [`No such manifest: ${name}`];
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return [error.message];
    }
  });
  return { stdout: '', notes, exitCode: notes.length === 0 ? 0 : 1 };
}
