import { withDigest } from '../../docker/manifest/entries.js';
import {
  configPlatform,
  indentJson,
  listedManifests,
  listText,
  NO_PLATFORM,
  textOf,
  verboseText,
} from '../../docker/manifest/inspect.js';
import {
  isIndex,
  isManifest,
  isStored,
  type StoredDocument,
  troubleOf,
} from '../../docker/manifest/store.js';
import type { Answer } from '../../report/doc.js';
import type { ArchiveReading } from '../../report/read.js';
import type { Selection } from '../../report/select.js';
import type { Json } from '../../spec/json.js';
import { NO_NUMBERS } from '../../spec/json-text.js';
import type { Platform } from '../../spec/platform.js';
import { descriptorOf, type ListEntry, listBytes } from '../../write/list-store.js';
import { exactBytes, notesOn, type SelectedDocument, selectDocument } from '../document.js';
import { findEntry, storedList } from './stored-list.js';

export interface ManifestInspectOptions {
  /** `-v`: every manifest with its descriptor and its bytes. */
  readonly verbose?: boolean | undefined;
  /** The stored bytes, as `crane manifest` prints them. */
  readonly raw?: boolean | undefined;
}

/**
 * `docker manifest inspect`: a manifest as docker writes it, with tabs; an index as the list that docker makes of it.
 * Needs documents only.
 * @throws InputError if the selection matches no readable document, or several
 */
export function manifestInspect(
  reading: ArchiveReading,
  selection: Selection,
  { verbose = false, raw = false }: ManifestInspectOptions = {},
): Answer {
  const selected = selectDocument(reading, selection);
  if (raw) return exactBytes(reading, selected);
  const { document } = selected;
  const answer = isIndex(document) ? inspectIndex(selected, verbose) : inspectManifest(selected, verbose);
  const exitCode = troubleOf(document) === null ? answer.exitCode : 1;
  return { ...answer, notes: [...notesOn(selected), ...answer.notes], exitCode };
}

function inspectManifest({ store, document, name }: SelectedDocument, verbose: boolean): Answer {
  if (!isManifest(document)) {
    const note = `docker manifest inspect takes image manifests and lists only, and this is ${document.mediaType}; --raw prints it`;
    return { stdout: '', notes: [note], exitCode: 1 };
  }
  const platform = configPlatform(store, document);
  const isKnown = !('reason' in platform);
  // Docker always fetches the config, and fails if it is not a config; only -v prints its content.
  const isNeeded = verbose || (!isKnown && platform.path !== null);
  const notes =
    isKnown || !isNeeded ? [] : [`no platform is known, for want of a config: ${troubleOf(platform)}`];
  const descriptor = {
    MediaType: document.mediaType,
    Digest: document.digest,
    Size: document.bytes.length,
    Platform: isKnown ? platform : NO_PLATFORM,
  };
  const text = verbose ? verboseText(name.ref, descriptor, document) : textOf(document);
  return { stdout: `${indentJson(text, '\t')}\n`, notes, exitCode: notes.length === 0 ? 0 : 1 };
}

function inspectIndex({ store, document, name }: SelectedDocument, verbose: boolean): Answer {
  const listed = listedManifests(store, document);
  if (listed.length === 0)
    return { stdout: '', notes: ['docker prints no list that lists nothing'], exitCode: 1 };
  if (!verbose) {
    // For a manifest that is not in the archive, docker prints only the index's entry.
    const troubles = listed.flatMap(({ document: manifest, trouble }) =>
      trouble === null || !isStored(manifest) ? [] : [trouble],
    );
    const text = listText(listed.map(({ descriptor }) => descriptor));
    return { stdout: `${text}\n`, notes: troubles, exitCode: troubles.length === 0 ? 0 : 1 };
  }
  const troubles = listed.flatMap(({ trouble }) => trouble ?? []);
  const entries = listed.map(({ descriptor, document: manifest }) => {
    const platform = descriptor.Platform ?? NO_PLATFORM;
    return verboseText(
      withDigest(name.ref, descriptor.Digest ?? ''),
      { ...descriptor, Platform: platform },
      manifest,
    );
  });
  return {
    stdout: `${indentJson(`[${entries.join(',')}]`, '\t')}\n`,
    notes: troubles,
    exitCode: troubles.length === 0 ? 0 : 1,
  };
}

export interface ListInspectOptions {
  /** Every manifest with its descriptor and its bytes. */
  readonly verbose?: boolean | undefined;
  /** One manifest of the list, named as for `manifest annotate`. */
  readonly manifest?: string | undefined;
  /** The manifest for a platform, if the list has one. */
  readonly platform?: Platform | undefined;
  /** The bytes that will be written; their sha256 is the digest in a registry. */
  readonly raw?: boolean | undefined;
}

/**
 * `docker manifest inspect LIST [MANIFEST]` for a list that is not yet written: the exact bytes that will be written,
 * or one of its manifests.
 * @throws InputError if there is no such list or manifest, or several
 */
export function manifestListInspect(
  directory: string,
  list: string,
  { verbose = false, manifest, platform, raw = false }: ListInspectOptions = {},
): Answer {
  const stored = storedList(directory, list);
  const whole = manifest === undefined && platform === undefined;
  const entry = whole ? null : findEntry(stored, { manifest, platform });
  if (raw) return { stdout: entry?.manifest ?? listBytes(stored), notes: [], exitCode: 0 };
  const print = (stdout: string): Answer => ({ stdout: `${stdout}\n`, notes: [], exitCode: 0 });
  if (entry !== null)
    return print(indentJson(verbose ? verboseEntry(entry) : textOf(documentOf(entry)), '\t'));
  if (!verbose) return print(Buffer.from(listBytes(stored)).toString());
  return print(indentJson(`[${stored.entries.map(verboseEntry).join(',')}]`, '\t'));
}

const verboseEntry = (entry: ListEntry) => verboseText(entry.name, descriptorOf(entry), documentOf(entry));

function documentOf({ digest, mediaType, manifest }: ListEntry): StoredDocument {
  const value = JSON.parse(Buffer.from(manifest).toString()) as Json;
  return { digest, mediaType, path: null, bytes: manifest, value, texts: NO_NUMBERS, actual: null };
}
