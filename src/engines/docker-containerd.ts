import { posix } from 'node:path';
import type { Member } from '../containers/source.js';
import {
  decode,
  decodeObject,
  field,
  type Item,
  listField,
  manifestItems,
  objectField,
  textField,
} from '../decoding/go-json.js';
import { attempt, cannotTell, refuse, within } from '../decoding/refused.js';
import {
  CONTAINERD_ITEMS,
  IMAGE_LAYOUT,
  OCI_IMAGE,
  OCI_INDEX_TYPE,
  OCI_MANIFEST_TYPE,
  PLATFORM,
  UNKNOWN_DOCUMENT,
} from '../decoding/structs.js';
import { BUILT_WITH } from '../go/json/faults.js';
import type { GoType } from '../go/json/types.js';
import type { Document } from '../scan/blob/document.js';
import { blobPath } from '../spec/digest.js';
import { isObject, type JsonObject } from '../spec/json.js';
import { isConfigType, isIndexType } from '../spec/media-types.js';
import { cleanPath } from '../tar/path.js';
import { diffIdsOf } from './docker-archive.js';
import { dockerReference, isFindable } from './names.js';
import { containerdManifest, manifestDigest, type StoredBlob, type StoredLayer } from './synthesise.js';
import { layerFacts, storedBlob, type TarFile } from './tar-file.js';
import {
  ALL_OF_MANIFEST_JSON,
  accepted,
  type EngineNote,
  type EngineRun,
  entryKey,
  IMAGE_TYPES,
  itemKey,
  type LoadedImage,
  type LoadedInstead,
  type Verdict,
} from './verdict.js';

const DIGEST = /^(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/;

/**
 * The entries of index.json. To the containerd store each is an image, whatever it describes, and its digest is the ID.
 */
function readEntries(file: TarFile, index: Member): { digest: string; notes: EngineNote[] }[] {
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
  const holders = new Map<string, string>();
  for (const entry of entries) {
    const digest = textField(entry, 'digest');
    holders.set(entryName(entry), digest);
    const known = names.get(digest);
    if (known === undefined) names.set(digest, [entryName(entry)]);
    else known.push(entryName(entry));
  }
  return [...names].map(([digest, given]) => ({
    digest,
    notes: notesOn(given, digest, holders),
  }));
}

/** @param holders  by each name the digest of the last entry that has it */
function notesOn(
  names: readonly string[],
  digest: string,
  holders: ReadonlyMap<string, string>,
): EngineNote[] {
  if (names.every(isLost)) return [{ code: 'name-not-found', name: names[0]! }];
  const taken = names.find(name => !isLost(name) && holders.get(name) !== digest);
  return taken === undefined ? [] : [{ code: 'name-taken', name: taken, by: holders.get(taken)! }];
}

/**
 * The images that Docker finds below the entries: what is stored as a manifest, is called no attestation, and whose
 * config and layers are stored too. Blobs are found by what they are, wherever they lie in the file.
 */
function storedImages(file: TarFile, index: Member): LoadedImage[] {
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

/**
 * Walks every index below an entry. A manifest whose media type says index is refused, and an index whose type says
 * manifest.
 */
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

interface Imported {
  readonly layout: string;
  readonly items: readonly Item[] | null;
  readonly blobs: ReadonlyMap<string, Member>;
  readonly links: ReadonlyMap<string, string>;
}

/**
 * `docker load` into the containerd store: takes the file in one pass, then follows index.json where there is an
 * oci-layout, and else makes up manifests for manifest.json. The ID is the digest of index.json's entry, an index or a
 * manifest, or of the manifest made up. containerd core/images/archive/importer.go
 */
export function dockerContainerd(file: TarFile): EngineRun {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  let loadsInstead: LoadedInstead = { code: 'all-listed', document: 'index.json' };
  const stop = attempt(() => {
    const imported = importTar(file);
    const { layout, items, blobs } = imported;
    if (layout !== '') {
      if (layout !== '1.0.0') refuse(`unsupported OCI version ${layout}`);
      const index = blobs.get('index.json') ?? refuse('missing index.json in OCI layout 1.0.0');
      for (const { digest, notes } of readEntries(file, index))
        verdicts.set(entryKey(digest), accepted(digest, ...notes));
      for (const image of storedImages(file, index)) loads.push(image);
      return;
    }
    loadsInstead = items?.length === 0 ? { code: 'empty-list' } : ALL_OF_MANIFEST_JSON;
    if (items === null) return refuse(sparseAt(file, 'manifest.json') ?? 'unrecognized image format');
    followLinks(imported);
    const made = items.map(item => importItem(file, imported, item));
    if (made.length === 0) refuse('image might be filtered out');
    for (const [i, { verdict, image }] of made.entries()) {
      verdicts.set(itemKey(i), verdict);
      loads.push(image);
    }
  });
  // It stores nothing under a name before it has been through everything.
  if (stop !== null) return { verdicts: new Map(), loads: [], stop, loadsInstead };
  return { verdicts, loads, stop, loadsInstead };
}

function importTar(file: TarFile): Imported {
  const blobs = new Map<string, Member>();
  const links = new Map<string, string>();
  let layout = '';
  let items: readonly Item[] | null = null;
  for (const member of file.members) {
    const { name, type } = member;
    if (type === 'symlink') links.set(name, linkTarget(name, member.target ?? ''));
    // A tar type that is not in POSIX is passed over, though Go reads its content.
    if (type !== 'file' || member.flag !== undefined) continue;
    const path = cleanPath(name);
    if (path === 'oci-layout') {
      layout = within(
        message => `untar oci layout "${name}": ${message}`,
        () => layoutVersion(file.scan.document(member)),
      );
    } else if (path === 'manifest.json') {
      items = within(
        message => `untar manifest "${name}": ${message}`,
        () => manifestItems(file.scan.document(member), 'first', CONTAINERD_ITEMS, BUILT_WITH.docker),
      );
    } else {
      if (file.cut?.member === member) {
        const { expected, actual } = file.cut;
        const short = `short read: expected ${expected} bytes but got ${actual}: unexpected EOF`;
        refuse(`failed to ingest "${name}": ${short}`);
      }
      blobs.set(path, member);
    }
  }
  if (file.error !== null) refuse(file.error);
  return { layout, items, blobs: follow(blobs, links), links };
}

const linkTarget = (name: string, target: string) =>
  posix.join(posix.dirname(name), target.replace(/^\/+/, ''));

const layoutVersion = (document: Document): string =>
  textField(decodeObject(document, 'first', IMAGE_LAYOUT, BUILT_WITH.docker), 'imageLayoutVersion');

/** Blobs by the names of symbolic links too. With links to links, what containerd does hangs on a map's order. */
function follow(blobs: ReadonlyMap<string, Member>, links: ReadonlyMap<string, string>): Map<string, Member> {
  const all = new Map(blobs);
  for (const [name] of links) {
    let target = name;
    for (let hop = 0; hop < 16 && links.has(target) && !(hop > 0 && blobs.has(target)); hop++) {
      target = links.get(target)!;
    }
    const blob = blobs.get(target);
    if (blob !== undefined) all.set(name, blob);
  }
  return all;
}

/** Every symbolic link has to lead to a file, also one that no layer is. */
function followLinks({ blobs, links }: Imported): void {
  for (const [name, target] of links) {
    if (!blobs.has(target)) refuse(`no target for symlink layer from "${name}" to "${target}"`);
  }
}

interface ImportedItem {
  readonly verdict: Verdict;
  readonly image: LoadedImage;
}

function importItem(file: TarFile, { blobs }: Imported, item: Item): ImportedItem {
  const at = (path: string, missing: string) => blobs.get(path) ?? refuse(sparseAt(file, path) ?? missing);
  const config = at(item.config, `image config "${item.config}" not found`);
  const layers = item.layers.map(path => at(path, `failed to resolve layers: layer "${path}" not found`));
  const document = file.scan.document(config);
  within(
    message => `unable to resolve platform: ${message}`,
    () => decode(document, 'whole', PLATFORM, BUILT_WITH.docker),
  );
  const { value } = document;
  const diffIds = isObject(value) ? diffIdsOf(value, layers.length) : [];
  const stored = layers.map((layer, i): StoredLayer => {
    const packed = ['gzip', 'zstd'].includes(layerFacts(file, layer).compression);
    return { ...blobOf(file, layer, diffIds[i]), packed };
  });
  const manifest = containerdManifest(blobOf(file, config), stored);
  for (const tag of item.tags) {
    within(
      message => `normalize image ref "${tag}": ${message}`,
      () => dockerReference(tag),
    );
  }
  const notes: EngineNote[] = stored.some(layer => !layer.packed) ? [{ code: 'empty-store' }] : [];
  return { verdict: accepted(manifestDigest(manifest), ...notes), image: { config, layers } };
}

/** containerd takes a sparse file where PAX records describe it and its type is that of a regular file. */
function sparseAt({ members, sparse }: TarFile, path: string): string | null {
  const isTaken = sparse.has(path) && members.some(one => one.path === path && one.flag === undefined);
  return isTaken ? cannotTell({ code: 'sparse', path }) : null;
}

const blobOf = (file: TarFile, member: Member, claimedDiffId?: string): StoredBlob =>
  storedBlob(file, member, claimedDiffId) ?? cannotTell({ code: 'not-read', path: member.path });
