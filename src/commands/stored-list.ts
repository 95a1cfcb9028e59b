import { InputError, UsageError } from '../errors.js';
import { fullName, normalName, parseReference } from '../spec/reference.js';
import { visible } from '../visible.js';
import { findArchive } from '../write/archive-argument.js';
import type { ListEntry, ManifestList } from '../write/list.js';
import { listStore } from '../write/list-store.js';
import { startsWith } from './select.js';

/** The full name of a list. @throws UsageError when it is no reference */
export function listName(list: string): string {
  const reference = parseReference(list);
  if (typeof reference !== 'string') return fullName(reference);
  throw new UsageError(`error parsing name for manifest list ${list}: ${reference}`);
}

/** Whether a list of this name waits in `directory`; false for what is no name. */
export function isStoredList(directory: string, list: string): boolean {
  return typeof parseReference(list) !== 'string' && listStore(directory).has(listName(list));
}

/** @throws InputError when there is none */
export function storedList(directory: string, list: string): ManifestList {
  const name = listName(list);
  const stored = listStore(directory).get(name);
  if (stored !== null) return stored;
  throw new InputError('no such manifest list', name, 'Start one with `waybill manifest create`.');
}

/**
 * The entry that came from an archive (`ARCHIVE` or `ARCHIVE#REF`), or that has a name, or a digest that begins so.
 * @throws InputError when no entry is meant, or several
 */
export function findEntry({ name, entries }: ManifestList, manifest: string): ListEntry {
  const from = findArchive(manifest);
  const found = entries.filter(
    ({ archive, ref, name: image, digest }) =>
      (from?.archive === archive && (from.ref === null || from.ref === ref)) ||
      normalName(manifest) === normalName(image) ||
      startsWith(digest, manifest),
  );
  if (found.length === 1) return found[0]!;
  if (found.length === 0) {
    throw new InputError(
      `manifest for image ${manifest} does not exist in it`,
      name,
      `It has:\n${entries.map(line).join('\n')}`,
    );
  }
  throw new InputError(
    `${manifest} means ${found.length} of its manifests`,
    name,
    `Say which one, by its digest or its archive:\n${found.map(line).join('\n')}`,
  );
}

const line = ({ digest, archive, ref }: ListEntry) =>
  `  ${digest}  ${visible(ref === null ? archive : `${archive}#${ref}`)}`;
