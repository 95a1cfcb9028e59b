import { InputError } from '../../errors.js';
import type { Answer } from '../../report/answer.js';
import { archiveArgument } from '../../write/archive-argument.js';
import type { ListEntry } from '../../write/list.js';
import { listStore } from '../../write/list-store.js';
import { type TakeOptions, takeEntries } from './list-entries.js';
import { listName } from './stored-list.js';

export interface CreateOptions extends TakeOptions {
  /** Add to a list that exists. */
  readonly amend?: boolean | undefined;
}

/**
 * `docker manifest create LIST MANIFEST...` over files: starts a list of the images in archives. Each is named `ARCHIVE`,
 * or `ARCHIVE#REF` where the archive holds several images; a file that is called so itself comes first. An archive of
 * several platforms gives them all, without their attestations. Entries stand in the order in which they are named
 * (Docker sorts them by name); one that is named again keeps its place and what was annotated.
 * @param directory  where lists wait
 * @throws InputError when the list exists and is not to be amended, or an image cannot be taken
 */
export async function manifestCreate(
  directory: string,
  list: string,
  archives: readonly string[],
  options: CreateOptions = {},
): Promise<Answer> {
  const store = listStore(directory);
  const name = listName(list);
  const existing = store.get(name);
  if (existing !== null && options.amend !== true) {
    throw new InputError(
      'refusing to amend an existing manifest list with no --amend flag',
      name,
      `Forget it first with \`waybill manifest rm ${list}\`, or say --amend.`,
    );
  }
  let entries: readonly ListEntry[] = existing?.entries ?? [];
  const notes: string[] = [];
  for (const argument of archives.map(archiveArgument)) {
    const taken = await takeEntries(argument, options);
    entries = withEntries(entries, taken.entries);
    notes.push(...taken.notes);
  }
  store.put({ name, entries });
  return { stdout: `Created manifest list ${name}\n`, notes, exitCode: 0 };
}

const isSameSource = (a: ListEntry, b: ListEntry) =>
  a.archive === b.archive && a.ref === b.ref && a.inside === b.inside;

/** What is taken anew replaces what was taken from the same place before: the archive may be another by now. */
function withEntries(before: readonly ListEntry[], taken: readonly ListEntry[]): readonly ListEntry[] {
  const known = (entry: ListEntry) => before.find(b => isSameSource(b, entry) && b.digest === entry.digest);
  const fresh = taken.map(entry => ({ ...entry, platform: known(entry)?.platform ?? entry.platform }));
  const at = before.findIndex(b => taken.some(entry => isSameSource(b, entry)));
  if (at < 0) return [...before, ...fresh];
  const others = (entry: ListEntry) => !taken.some(t => isSameSource(t, entry));
  return [...before.slice(0, at).filter(others), ...fresh, ...before.slice(at).filter(others)];
}
