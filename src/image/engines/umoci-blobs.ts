import type { Member } from '../../source/source.js';
import { digestOf } from '../../spec/digest.js';
import { isObject, type Json, type JsonObject } from '../../spec/json.js';
import { cannotTell, refuse, within } from './answer.js';
import type { Tree } from './extracted.js';
import { memberAt } from './extracted.js';
import { digestWords } from './go-digest.js';
import { BUILT_WITH } from './go-faults.js';
import { decodeObject, field, textField } from './go-json.js';
import type { GoStruct } from './go-types.js';

import type { TarFile } from './tar-file.js';

/** A layout as umoci opens it. */
export interface UmociLayout {
  readonly file: TarFile;
  readonly tree: Tree;
}

/** A blob by its digest, of which only sha256 is known. */
export function umociBlob({ file, tree }: UmociLayout, digest: string): Member {
  const wrong = (words: string) => refuse(`get blob: compute blob path: ${words}`);
  const words = digestWords(digest);
  if (words !== null) wrong(`invalid digest: ${JSON.stringify(digest)}: ${words}`);
  const [algorithm, hex] = digest.split(':');
  if (algorithm !== 'sha256') wrong(`unsupported algorithm: ${JSON.stringify(algorithm)}`);
  const path = `blobs/sha256/${hex}`;
  return (
    memberAt(file, tree, path) ?? refuse(`get blob: open blob: open DIR/${path}: no such file or directory`)
  );
}

/**
 * A document by its descriptor, of which no more is read than the size that it claims. Fields that a document of its kind has not
 * are refused (CVE-2021-41190). oci/casext/blob.go, mediatype/parse.go
 */
export function readDocument(
  layout: UmociLayout,
  descriptor: JsonObject,
  type: GoStruct,
  what: 'image' | 'manifest' | 'config',
  forbidden: readonly string[],
): JsonObject {
  const [digest, mediaType] = [textField(descriptor, 'digest'), textField(descriptor, 'mediaType')];
  const member = umociBlob(layout, digest);
  const document = layout.file.scan.document(member);
  const { bytes } = document;
  const size = Number(field(descriptor, 'size') ?? 0);
  if (bytes !== null && size >= 0 && size < bytes.length) {
    refuse(`parse ${mediaType}: ${mismatch(digest, digestOf(bytes.subarray(0, size)))}`);
  }
  const value = within(
    words => `parse ${mediaType}: ${words}`,
    () => {
      const read = decodeObject(document, 'first', type, BUILT_WITH.umoci);
      checkKind(read, document.value, mediaType, what, forbidden);
      return read;
    },
  );
  if (bytes === null || document.digest === null) return cannotTell(`${member.path} was not read`);
  if (size > bytes.length) {
    const lengths = `expected ${size} bytes but got ${bytes.length} bytes`;
    refuse(`panic: parsing "${mediaType}" blob succeeded but raw data has unexpected length (${lengths})`);
  }
  if (document.digest !== digest)
    refuse(
      `close "${mediaType}" blob: consume remaining unverified stream: ${mismatch(digest, document.digest)}`,
    );
  return value;
}

export const mismatch = (expected: string, actual: string): string =>
  `expected ${expected} not ${actual}: verified reader digest mismatch`;

function checkKind(
  value: JsonObject,
  raw: Json | undefined,
  mediaType: string,
  what: 'image' | 'manifest' | 'config',
  forbidden: readonly string[],
): void {
  if (what === 'config') return;
  const [label, noun] = what === 'image' ? ['image', 'index'] : ['manifest', 'manifest'];
  const own = textField(value, 'mediaType');
  const malicious = (words: string) => refuse(`malicious ${label} detected: ${noun} contained ${words}`);
  if (own !== '' && own !== mediaType) malicious(`incorrect mediaType: ${own}`);
  if (!isObject(raw)) return;
  const odd = forbidden.find(key => field(raw, key) !== undefined);
  if (odd !== undefined) malicious(`forbidden '${odd}' field`);
}
