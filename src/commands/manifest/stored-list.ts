import { InputError, UsageError } from '../../errors.js';
import { ambiguous } from '../../report/ambiguity.js';
import { startsWith } from '../../report/select.js';
import { fullPlatform, type Platform, platformMatches } from '../../spec/platform.js';
import { fullName, normalName, parseReference } from '../../spec/reference.js';
import { visible } from '../../visible.js';
import { findArchive } from '../../write/archive-argument.js';
import { type ListEntry, type ListPlatform, listStore, type ManifestList } from '../../write/list-store.js';

/**
 * The full name of a list.
 * @throws UsageError if it is not a valid reference
 */
export function listName(list: string): string {
  const reference = parseReference(list);
  if (typeof reference !== 'string') return fullName(reference);
  throw new UsageError(`error parsing name for manifest list ${list}: ${reference}`);
}

/** True if a list of this name is stored in `directory`; false for an invalid name. */
export function isStoredList(directory: string, list: string): boolean {
  return typeof parseReference(list) !== 'string' && listStore(directory).has(listName(list));
}

/** @throws InputError if there is no such list */
export function storedList(directory: string, list: string): ManifestList {
  const name = listName(list);
  const stored = listStore(directory).get(name);
  if (stored !== null) return stored;
  throw new InputError('no such manifest list', name, 'Start one with `waybill manifest create`.');
}

/** Selects an entry by its archive, name or digest, by its platform, or by both. */
export interface EntrySelection {
  readonly manifest?: string | undefined;
  readonly platform?: Platform | undefined;
}

/**
 * The entry whose archive (`ARCHIVE` or `ARCHIVE#REF`), name or beginning of the digest matches.
 * @throws InputError if none or several match
 */
export function findEntry(
  { name, entries }: ManifestList,
  { manifest, platform }: EntrySelection,
): ListEntry {
  const called = manifest === undefined ? entries : entries.filter(entry => isCalled(entry, manifest));
  const found = platform === undefined ? called : called.filter(entry => isFor(entry, platform));
  const [first] = found;
  if (found.length === 1) return first!;
  if (called.length === 0) {
    const what = `manifest for image ${manifest} does not exist in it`;
    throw new InputError(what, name, `It has:\n${list(entries)}`);
  }
  if (first === undefined) {
    throw new InputError(`no image for ${fullPlatform(platform!)} in it`, name, `It has:\n${list(called)}`);
  }
  const meant = manifest ?? fullPlatform(platform!);
  const what = `${meant} means ${found.length} of its manifests`;
  throw ambiguous(name, what, list(found), ', by its digest or its archive');
}

function isCalled({ archive, ref, name, digest }: ListEntry, manifest: string): boolean {
  const from = findArchive(manifest);
  if (from?.archive === archive && (from.ref === null || from.ref === ref)) return true;
  return normalName(manifest) === normalName(name) || startsWith(digest, manifest);
}

const isFor = ({ platform }: ListEntry, wanted: Platform) => platformMatches(specPlatform(platform), wanted);

const specPlatform = ({ os, architecture, variant, osVersion }: ListPlatform): Platform => ({
  os,
  architecture,
  variant: variant || null,
  osVersion: osVersion || null,
});

const list = (entries: readonly ListEntry[]) =>
  entries
    .map(({ digest, archive, ref, platform }) => {
      const from = ref === null ? archive : `${archive}#${ref}`;
      return `  ${digest}  ${visible(`${fullPlatform(specPlatform(platform))}  ${from}`)}`;
    })
    .join('\n');
