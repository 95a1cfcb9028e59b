import { InputError, UsageError } from '../../errors.js';
import type { Answer } from '../../report/doc.js';
import { archiveArgument } from '../../write/archive-argument.js';
import { type ListEntry, type ListPlatform, listStore } from '../../write/list-store.js';
import { type TakeOptions, takeEntries } from './list-entries.js';
import { findEntry, listName, storedList } from './stored-list.js';

export interface CreateOptions extends TakeOptions {
  /** Add to an existing list. */
  readonly amend?: boolean | undefined;
}

/**
 * `docker manifest create LIST MANIFEST...` for files: starts a list of the images in archives. Each image is named by
 * `ARCHIVE`, or `ARCHIVE#REF` if the archive holds several; if a file of the whole name exists, that file is meant. An
 * archive of several platforms adds all of them, without attestations. Entries are in the order of the arguments
 * (Docker sorts them by name); an image that is added again keeps its position and annotations.
 *
 * @param directory  of the stored lists
 * @throws InputError if the list exists and `amend` is not given, or an image cannot be added
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

/**
 * Entries that are added again replace all those from the same archive and reference, whose content may have changed.
 */
function withEntries(before: readonly ListEntry[], taken: readonly ListEntry[]): readonly ListEntry[] {
  const known = (entry: ListEntry) => before.find(b => isSameSource(b, entry) && b.digest === entry.digest);
  const fresh = taken.map(entry => ({ ...entry, platform: known(entry)?.platform ?? entry.platform }));
  const at = before.findIndex(b => taken.some(entry => isSameSource(b, entry)));
  if (at < 0) return [...before, ...fresh];
  const others = (entry: ListEntry) => !taken.some(t => isSameSource(t, entry));
  return [...before.slice(0, at).filter(others), ...fresh, ...before.slice(at).filter(others)];
}

export interface Annotations {
  readonly os?: string | undefined;
  readonly arch?: string | undefined;
  readonly variant?: string | undefined;
  readonly osVersion?: string | undefined;
  /** Added to the existing ones; each value may contain several, separated by commas. */
  readonly osFeatures?: readonly string[] | undefined;
}

/**
 * `docker manifest annotate LIST MANIFEST`: sets fields of the platform of one entry. The entry is named by its archive
 * (`ARCHIVE` or `ARCHIVE#REF`), by the image's name, or by its digest or the beginning of that.
 * @throws InputError if there is no such list or entry, or if Docker does not accept the platform
 */
export function manifestAnnotate(
  directory: string,
  list: string,
  manifest: string,
  annotations: Annotations,
): Answer {
  const stored = storedList(directory, list);
  const entry = findEntry(stored, { manifest });
  const platform = annotated(entry.platform, annotations);
  if (!OS_ARCHES.has(`${platform.os}/${platform.architecture}`)) {
    throw new InputError(
      `manifest entry for image has unsupported os/arch combination: ${platform.os}/${platform.architecture}`,
      entry.name,
      `Supported: ${[...OS_ARCHES].join(' ')}`,
    );
  }
  const entries = stored.entries.map(other => (other === entry ? { ...entry, platform } : other));
  listStore(directory).put({ ...stored, entries });
  return { stdout: '', notes: [], exitCode: 0 };
}

function annotated(platform: ListPlatform, { os, arch, variant, osVersion, osFeatures = [] }: Annotations) {
  const added = osFeatures.flatMap(features => features.split(',')).filter(feature => feature !== '');
  return {
    os: os || platform.os,
    architecture: arch || platform.architecture,
    variant: variant || platform.variant,
    osVersion: osVersion || platform.osVersion,
    osFeatures: [...new Set([...platform.osFeatures, ...added])],
  };
}

/** Platforms that Docker accepts in a list. docker/cli cli/command/manifest/util.go (validOSArches) */
const OS_ARCHES: ReadonlySet<string> = new Set([
  ...['386', 'amd64', 'arm', 'arm64'].map(arch => `darwin/${arch}`),
  'dragonfly/amd64',
  ...['386', 'amd64', 'arm'].map(arch => `freebsd/${arch}`),
  ...['386', 'amd64', 'arm', 'arm64', 'ppc64le', 'mips64', 'mips64le', 'riscv64', 's390x'].map(
    arch => `linux/${arch}`,
  ),
  ...['386', 'amd64', 'arm'].map(arch => `netbsd/${arch}`),
  ...['386', 'amd64', 'arm'].map(arch => `openbsd/${arch}`),
  ...['386', 'amd64'].map(arch => `plan9/${arch}`),
  'solaris/amd64',
  ...['386', 'amd64'].map(arch => `windows/${arch}`),
]);

/** `docker manifest rm LIST...`: removes lists. If one does not exist, the others are still removed. */
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
