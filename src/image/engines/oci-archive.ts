import { posix } from 'node:path';
import type { Member } from '../../source/source.js';
import { isObject, type Json, type JsonObject, own } from '../../spec/json.js';
import { DOCKER_LIST, isIndexType, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../spec/media-types.js';
import { attempt, cannotTell, type LoadedImage, refuse, within } from './answer.js';
import { extracted, type Tree } from './extracted.js';
import { decode, field, goKind, listField, objectField, textField } from './go-json.js';
import { IMAGE_TYPES, SCHEMA2_TYPES } from './media.js';
import { checkKind, clean, digestLike, storedBlob, type TarFile } from './tar-file.js';

/** An oci-archive as containers/image unpacks it, and the one entry of its index.json. */
export interface OciArchive {
  readonly file: TarFile;
  readonly tree: Tree;
  readonly entry: JsonObject;
}

/** containers/image oci/archive/oci_transport.go, oci/layout/oci_transport.go */
export function openOciArchive(file: TarFile): OciArchive {
  const { tree, entries } = openLayout(file);
  if (entries.length !== 1) refuse('more than one image in oci, choose an image');
  const [entry] = entries as [Json];
  return { file, tree, entry: isObject(entry) ? entry : {} };
}

/** The file unpacked, and the entries of its index.json. */
function openLayout(file: TarFile): { readonly tree: Tree; readonly entries: readonly Json[] } {
  const untarring = (words: string) => `creating temp directory: untarring file "DIR": ${words}`;
  const tree = within(untarring, () => {
    checkKind(file);
    if (file.error !== null) refuse(file.error);
    for (const member of file.members) checkInside(member);
    return within(
      words => (words.startsWith('linkat') ? 'no such file or directory' : words),
      () => extracted(file, false),
    );
  });
  const member = memberAt(tree, 'index.json');
  if (member === null) return refuse('open DIR/index.json: no such file or directory');
  const index = decode(file.scan.document(member), 'first') ?? {};
  if (!isObject(index))
    return refuse(`json: cannot unmarshal ${goKind(index)} into Go value of type v1.Index`);
  return { tree, entries: listField(index, 'manifests') };
}

/**
 * Every image that containers/image takes from an oci-archive: asked for by the name of any entry, on a machine of any
 * platform. What is of platform unknown/unknown is chosen nowhere.
 */
export function ociLoads(file: TarFile): LoadedImage[] {
  const loads: LoadedImage[] = [];
  const seen = new Set<string>();
  const load = (archive: OciArchive, digest: string, type: string | null) => {
    const key = `${type} ${digest}`;
    if (seen.has(key)) return;
    seen.add(key);
    attempt(() => loads.push(loadedManifest(archive, digest, type)));
  };
  attempt(() => {
    const { tree, entries } = openLayout(file);
    for (const entry of entries.filter(isObject)) {
      const archive = { file, tree, entry };
      const digest = textField(entry, 'digest');
      attempt(() => {
        const type = typeOf(archive, blobAt(archive, digest), entry);
        if (!isIndexType(type)) return load(archive, digest, type);
        const index = readWhole(archive, blobAt(archive, digest));
        checkIndex(type, index);
        for (const child of listField(index, 'manifests').filter(isObject).filter(isChosenSomewhere))
          load(archive, textField(child, 'digest'), null);
      });
    }
  });
  return loads;
}

function isChosenSomewhere(entry: JsonObject): boolean {
  const platform = objectField(entry, 'platform');
  return textField(platform, 'os') !== 'unknown' || textField(platform, 'architecture') !== 'unknown';
}

/** @param declared  the media type that the entry of index.json gives; null for what an index below it lists */
function loadedManifest(archive: OciArchive, digest: string, declared: string | null): LoadedImage {
  const at = blobAt(archive, digest);
  if (declared === null && !hasDigest(archive, at, digest)) refuse('manifest digest');
  const type = declared ?? typeOf(archive, at, null);
  const manifest = readWhole(archive, at);
  openManifest(type, manifest);
  const { member } = openConfig(archive, type, manifest);
  const layers = listField(manifest, 'layers')
    .filter(isObject)
    .map(layer => blobAt(archive, textField(layer, 'digest')));
  return { config: member, layers };
}

function checkInside({ name, type, target }: Member): void {
  const path = clean(name);
  if (!name.startsWith('/') && (path === '..' || path.startsWith('../'))) {
    refuse(`"${name}" is outside of "DIR"`);
  }
  const link = target ?? '';
  const escapes = posix.join(posix.dirname(path), link).startsWith('..');
  if (type === 'symlink' && !link.startsWith('/') && escapes) {
    refuse(`invalid symlink "DIR/${path}" -> "${link}"`);
  }
}

function memberAt(tree: Tree, path: string): Member | null {
  const found = tree.find(path, true);
  if (found === null || found.children !== null) return null;
  if (found.member?.type === 'other') cannotTell(`${path} is no file`);
  return found.member;
}

export function blobAt({ tree }: OciArchive, digest: string): Member {
  if (!/^[a-z0-9]+:[a-f0-9]{32,}$/.test(digest)) {
    refuse(`unexpected digest reference ${digest}: invalid checksum digest format`);
  }
  const path = `blobs/${digest.replace(':', '/')}`;
  return memberAt(tree, path) ?? refuse(`open DIR/${path}: no such file or directory`);
}

/** Whether a blob is what its digest says; where that was not computed, its word is taken. */
export function hasDigest({ file }: OciArchive, member: Member, digest: string): boolean {
  const actual = digestLike(file, member, digest);
  return actual === null || actual === digest;
}

/** The media type of an entry, or as containers/image guesses it from the document. */
export function typeOf({ file }: OciArchive, member: Member, entry: JsonObject | null): string {
  const declared = entry === null ? '' : textField(entry, 'mediaType');
  const { value } = file.scan.document(member);
  if (declared !== '' || !isObject(value)) return declared;
  const guess =
    own(value, 'manifests') !== undefined
      ? OCI_INDEX
      : own(value, 'config') !== undefined
        ? OCI_MANIFEST
        : '';
  return textField(value, 'mediaType') || guess;
}

export const readWhole = ({ file }: OciArchive, member: Member): JsonObject => {
  const value = decode(file.scan.document(member), 'whole');
  return isObject(value) ? value : {};
};

/** Fields of a manifest in an index are refused: CVE-2021-41190. containers/image manifest/common.go */
export function checkIndex(type: string, index: JsonObject): void {
  const odd = ['config', 'fsLayers', 'history', 'layers'].filter(key => own(index, key) !== undefined);
  if (odd.length === 0) return;
  const fields = odd.map(key => `"${key}"`).join(', ');
  refuse(`rejecting ambiguous manifest, unexpected fields []string{${fields}} in supposedly ${type}`);
}

/** The entry for linux/amd64: of several the first, but one with a platform before one without, and gzip before zstd. */
export function chooseEntry(type: string, index: JsonObject): JsonObject {
  const isList = type === DOCKER_LIST;
  const candidates = listField(index, 'manifests')
    .filter(isObject)
    .filter(entry => isForHost(entry, isList));
  const ranked = isList ? candidates : candidates.toSorted((a, b) => rankOf(a) - rankOf(b));
  const what = isList ? 'manifest list' : 'image index';
  return ranked[0] ?? refuse(`no image found in ${what} for architecture "amd64", variant "", OS "linux"`);
}

function isForHost(entry: JsonObject, isList: boolean): boolean {
  const platform = own(entry, 'platform') ?? null;
  if (platform === null && !isList) return true;
  const fields = isObject(platform) ? platform : {};
  const [os, architecture] = [textField(fields, 'os'), textField(fields, 'architecture')];
  return os === 'linux' && architecture === 'amd64' && textField(fields, 'variant') === '';
}

function rankOf(entry: JsonObject): number {
  const zstd =
    textField(objectField(entry, 'annotations'), 'io.github.containers.compression.zstd') === 'true';
  return ((own(entry, 'platform') ?? null) === null ? 2 : 0) + (zstd ? 1 : 0);
}

/** A manifest that containers/image agrees to call an image's. image/internal/image/manifest.go */
export function openManifest(type: string, manifest: JsonObject): void {
  if (!IMAGE_TYPES.has(type)) {
    const version = field(manifest, 'schemaVersion');
    refuse(`unsupported schema version ${typeof version === 'number' ? version : 0}`);
  }
  if ((field(manifest, 'manifests') ?? null) !== null) {
    refuse(`rejecting ambiguous manifest, unexpected fields []string{"manifests"} in supposedly ${type}`);
  }
  if (type === OCI_MANIFEST) return;
  const layers = listField(manifest, 'layers').filter(isObject);
  for (const described of [manifest, ...layers, objectField(manifest, 'config')]) {
    const own = textField(described, 'mediaType');
    if (!SCHEMA2_TYPES.has(own)) refuse(`unsupported docker v2s2 media type: "${own}"`);
  }
}

/** The config of a manifest, with its descriptor. */
export function openConfig(archive: OciArchive, type: string, manifest: JsonObject) {
  const descriptor = objectField(manifest, 'config');
  const configType = textField(descriptor, 'mediaType');
  if (type === OCI_MANIFEST && configType !== OCI_CONFIG) {
    const artifact = textField(manifest, 'artifactType') || configType;
    refuse(`unsupported image-specific operation on artifact with type "${artifact}"`);
  }
  const digest = textField(descriptor, 'digest');
  const member = blobAt(archive, digest);
  if (!hasDigest(archive, member, digest)) {
    const actual = digestLike(archive.file, member, digest);
    refuse(`Download config.json digest ${actual} does not match expected ${digest}`);
  }
  return { digest, descriptor, member, value: decode(archive.file.scan.document(member), 'whole') };
}

export const sha256Of = ({ file }: OciArchive, member: Member): string =>
  storedBlob(file, member)?.digest ?? cannotTell(`${member.path} was not read`);

/** In words of ours, what stands for the images that were not chosen. */
export function passedWords(chosen: JsonObject | null): string {
  const platform = chosen === null ? {} : objectField(chosen, 'platform');
  const parts = ['os', 'architecture', 'variant']
    .map(key => textField(platform, key))
    .filter(part => part !== '');
  return `loads another image: ${parts.join('/') || 'the one that index.json names'}`;
}
