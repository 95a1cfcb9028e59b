import type { Member } from '../../source/source.js';
import { blobPath } from '../../spec/digest.js';
import { isObject, type JsonObject } from '../../spec/json.js';
import { isConfigType, isIndexType } from '../../spec/media-types.js';
import { attempt, type LoadedImage, refuse } from './answer.js';
import { diffIdsOf } from './docker-config.js';
import { BUILT_WITH } from './go-faults.js';
import { decodeObject, field, listField, objectField, textField } from './go-json.js';
import { OCI_IMAGE, OCI_INDEX_TYPE, OCI_MANIFEST_TYPE, UNKNOWN_DOCUMENT } from './go-structs.js';
import type { GoType } from './go-types.js';
import { IMAGE_TYPES } from './media.js';
import { isFindable } from './names.js';
import type { TarFile } from './tar-file.js';

const DIGEST = /^(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/;

/** What the containerd store makes of index.json: every entry an image, whatever it is, called by the entry's digest. */
export function readEntries(file: TarFile, index: Member): { digest: string; note: string | null }[] {
  const value = decodeObject(file.scan.document(index), 'whole', OCI_INDEX_TYPE, BUILT_WITH.docker);
  const entries = listField(value, 'manifests').map(entry => (isObject(entry) ? entry : {}));
  if (entries.length === 0) refuse('image might be filtered out');
  const seen = new Set<string>();
  for (const entry of entries) checkBelow(file, entry, seen);
  for (const entry of entries) {
    const size = field(entry, 'size');
    if (textField(entry, 'mediaType') === '') {
      refuse('InvalidArgument: Target.MediaType must be set: invalid argument');
    }
    if (typeof size !== 'number' || size <= 0) {
      refuse('InvalidArgument: Target.Size must be greater than zero: invalid argument');
    }
  }
  const names = new Map<string, string[]>();
  for (const entry of entries) {
    const digest = textField(entry, 'digest');
    const known = names.get(digest);
    if (known === undefined) names.set(digest, [entryName(entry)]);
    else known.push(entryName(entry));
  }
  return [...names].map(([digest, given]) => ({
    digest,
    note: given.every(isLost) ? lostNote(given[0]!) : null,
  }));
}

/**
 * The images that Docker finds below the entries: what is stored as a manifest, is called no attestation, and whose config and
 * layers are stored too. Blobs are found by what they are, wherever they lie in the file.
 */
export function storedImages(file: TarFile, index: Member): LoadedImage[] {
  const value = decodeObject(file.scan.document(index), 'whole', OCI_INDEX_TYPE, BUILT_WITH.docker);
  const loads: LoadedImage[] = [];
  const seen = new Set<string>();
  const todo = listField(value, 'manifests').filter(isObject);
  const blobs = storedBlobs(file);
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [digest, type] = [textField(next, 'digest'), textField(next, 'mediaType')];
    const isAttestation =
      textField(objectField(next, 'annotations'), 'vnd.docker.reference.type') === 'attestation-manifest';
    if (isAttestation || seen.has(`${type} ${digest}`)) continue;
    seen.add(`${type} ${digest}`);
    if (isIndexType(type)) for (const child of childrenOf(file, digest, type)) todo.push(child);
    else if (IMAGE_TYPES.has(type)) attempt(() => loads.push(storedImage(file, blobs, digest)));
  }
  return loads;
}

type Blobs = ReadonlyMap<string, Member>;

/** Members by the digests of their bytes. */
function storedBlobs({ scan, members }: TarFile): Blobs {
  const blobs = new Map<string, Member>();
  for (const member of members) {
    const digest = member.type === 'file' ? (scan.facts(member)?.digests ?? null) : null;
    for (const known of [digest?.sha256, digest?.sha512]) if (known != null) blobs.set(known, member);
  }
  return blobs;
}

function storedImage({ scan }: TarFile, blobs: Blobs, digest: string): LoadedImage {
  const blob = (wanted: string) => blobs.get(wanted) ?? refuse(`content digest ${wanted}: not found`);
  const read = (member: Member, type: GoType) =>
    decodeObject(scan.document(member), 'whole', type, BUILT_WITH.docker);
  const manifest = read(blob(digest), OCI_MANIFEST_TYPE);
  const descriptor = objectField(manifest, 'config');
  const config = blob(textField(descriptor, 'digest'));
  const value = read(config, OCI_IMAGE);
  // An artifact is stored too, but nothing can be made of it.
  if (!isConfigType(textField(descriptor, 'mediaType')) && diffIdsOf(value).length === 0) refuse('no image');
  const layers = listField(manifest, 'layers').filter(isObject);
  return { config, layers: layers.map(layer => blob(textField(layer, 'digest'))) };
}

function entryName(entry: JsonObject): string {
  const annotations = objectField(entry, 'annotations');
  return (
    textField(annotations, 'io.containerd.image.name') ||
    textField(annotations, 'org.opencontainers.image.ref.name')
  );
}

/** Stored under its name as written, and asked for by the whole name: a bare tag is never found again. */
function isLost(name: string): boolean {
  let found = name === '';
  const invalid = attempt(() => {
    if (name !== '') found = isFindable(name);
  });
  return invalid === null && !found;
}

const lostNote = (name: string) =>
  `docker keeps it under the name "${name}", by which its commands do not find it`;

/** Every index below an entry is walked, and none may be a manifest in an index's clothes, nor the other way round. */
function checkBelow(file: TarFile, entry: JsonObject, seen: Set<string>): void {
  const todo = [entry];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const digest = textField(next, 'digest');
    const type = textField(next, 'mediaType');
    if (!DIGEST.test(digest)) refuse(`InvalidArgument: "${digest}" failed validation`);
    if (seen.has(`${type} ${digest}`)) continue;
    seen.add(`${type} ${digest}`);
    for (const child of childrenOf(file, digest, type)) todo.push(child);
  }
}

function childrenOf(file: TarFile, digest: string, type: string): JsonObject[] {
  const isIndex = isIndexType(type);
  if (!isIndex && !IMAGE_TYPES.has(type)) return [];
  const member = file.scan.file(blobPath(digest));
  const document = member === null ? null : file.scan.document(member);
  // Stored by what it is, not by what it is called: a corrupt blob is as good as absent.
  if (document === null || document.digest !== digest) return [];
  const read = (goType: GoType) => decodeObject(document, 'whole', goType, BUILT_WITH.docker);
  const unknown = read(UNKNOWN_DOCUMENT);
  const has = (key: string) => unknown[key] !== undefined;
  const own = textField(unknown, 'mediaType');
  const wrong = (what: string) => refuse(`children: invalid desc ${digest}: media-type: ${what}`);
  if (has('fsLayers')) wrong('schema 1 not supported');
  if (!isIndex) {
    if (has('manifests') || isIndexType(own)) wrong(`expected manifest but found index (${type})`);
    read(OCI_MANIFEST_TYPE);
    return [];
  }
  if (has('config') || has('layers') || IMAGE_TYPES.has(own)) {
    wrong(`expected index but found manifest (${type})`);
  }
  return listField(read(OCI_INDEX_TYPE), 'manifests').map(child => (isObject(child) ? child : {}));
}
