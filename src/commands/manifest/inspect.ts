import {
  configPlatform,
  indentJson,
  listedManifests,
  listText,
  NO_PLATFORM,
  textOf,
  verboseText,
} from '../../docker/manifest/inspect.js';

import { withDigest } from '../../docker/manifest/name.js';
import { isIndex, isManifest, isStored, troubleOf } from '../../docker/manifest/store.js';

import type { Answer } from '../../report/answer.js';
import type { ArchiveReading } from '../../report/read.js';
import type { Selection } from '../../report/select.js';
import { exactBytes, notesOn, type SelectedDocument, selectDocument } from '../document.js';

export interface ManifestInspectOptions {
  /** `-v`: every manifest with its descriptor and its bytes. */
  readonly verbose?: boolean | undefined;
  /** The bytes as they are stored, as `crane manifest` prints them. */
  readonly raw?: boolean | undefined;
}

/**
 * `docker manifest inspect`: a manifest as it is written, with tabs; an index as the list that docker makes of it.
 * Needs documents only.
 * @throws InputError when the selection means no document that can be read, or several
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
  // Docker fetches the config either way, and gives up where it is none; only -v shows what is in it.
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
    // What an index says of a manifest that is not here is all that docker would print of it.
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
