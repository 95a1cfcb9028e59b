import type { Descriptor } from '../spec/descriptor.js';
import { goField, isObject, type Json, pointer } from '../spec/json.js';
import { isIndexType, isManifestType } from '../spec/media-types.js';
import type { Archive } from './archive.js';

/** A document may repeat its media type; then it must be the descriptor's (manifest.md, CVE-2021-41190). */
export function compareTypes(archive: Archive, value: Json, descriptor: Descriptor, path: string): void {
  const actual = isObject(value) ? goField(value, 'mediaType') : undefined;
  const expected = descriptor.mediaType;
  if (typeof actual !== 'string' || expected === null || actual === expected) return;
  // Of a manifest and an index, a reader may see the one where another sees the other.
  const isOther = isIndexType(expected) !== isIndexType(actual);
  const at = { path, pointer: pointer('', 'mediaType') };
  archive.observe('media-type-mismatch', at, { expected, actual }, isOther ? 'error' : undefined);
}

/** Whether a document is read as an index: by its media type, or else by what it holds. */
export function isIndexLike(value: Json, declared: string | null): boolean {
  if (!isObject(value)) return false;
  const type = declared ?? goField(value, 'mediaType');
  if (typeof type === 'string' && isIndexType(type)) return true;
  return Array.isArray(goField(value, 'manifests')) && !(typeof type === 'string' && isManifestType(type));
}

/** Whether a document has anything of a manifest. */
export function isManifestLike(value: Json): boolean {
  return (
    isObject(value) &&
    ['config', 'layers', 'blobs', 'fsLayers', 'subject'].some(key => goField(value, key) !== undefined)
  );
}
