import { indentJson, textOf, verboseText } from '../../docker/manifest/inspect.js';
import type { StoredDocument } from '../../docker/manifest/store.js';
import type { Answer } from '../../report/answer.js';
import type { Json } from '../../spec/json.js';
import { NO_NUMBERS } from '../../spec/json-text.js';
import type { Platform } from '../../spec/platform.js';
import { descriptorOf, type ListEntry, listBytes } from '../../write/list.js';
import { findEntry, storedList } from './stored-list.js';

export interface ListInspectOptions {
  /** Every manifest with its descriptor and its bytes. */
  readonly verbose?: boolean | undefined;
  /** One manifest of the list, as `manifest annotate` names it. */
  readonly manifest?: string | undefined;
  /** The manifest for a platform, where the list has one. */
  readonly platform?: Platform | undefined;
  /** The bytes as they will be written; their sha256 is the digest in a registry. */
  readonly raw?: boolean | undefined;
}

/**
 * `docker manifest inspect LIST [MANIFEST]` of a list that is not written yet: the very bytes that will be, or one of its
 * manifests.
 * @throws InputError when there is no such list or manifest, or several
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
