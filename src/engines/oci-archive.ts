import { posix } from 'node:path';
import type { Member } from '../containers/source.js';
import { decode, decodeObject, field, listField, objectField, textField } from '../decoding/go-json.js';
import { attempt, cannotTell, refuse, within } from '../decoding/refused.js';
import {
  AMBIGUOUS,
  GUESS,
  GUESS_CONFIG,
  GUESS_INDEX,
  OCI_IMAGE,
  OCI_INDEX_TYPE,
  OCI1,
  SCHEMA1,
  SCHEMA2,
  SCHEMA2_IMAGE,
  SCHEMA2_LIST,
  SCHEMA2_V1_IMAGE,
} from '../decoding/structs.js';
import type { GoVersion } from '../go/json/faults.js';
import type { GoType } from '../go/json/types.js';
import type { Document } from '../scan/blob/document.js';
import { ZSTD_MARK } from '../spec/descriptor.js';
import { isObject, type Json, type JsonObject, own } from '../spec/json.js';
import {
  DOCKER_CONFIG,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../spec/media-types.js';
import { cleanPath } from '../tar/path.js';
import {
  CONFIG_BYTES,
  checkKind,
  checkSize,
  digestLike,
  extracted,
  fileAt,
  storedBlob,
  type TarFile,
  type Tree,
} from './tar-file.js';
import { IMAGE_TYPES, type LoadedInstead, SCHEMA2_TYPES } from './verdict.js';

/**
 * An image as containers/image finds it in an unpacked oci-archive, an OCI layout, or a directory of its own (`dir:`).
 */
export interface OciArchive {
  readonly file: TarFile;
  readonly tree: Tree;
  /** The one entry of index.json; of a `dir:`, which has no index.json, an empty one. */
  readonly entry: JsonObject;
  readonly go: GoVersion;
  readonly paths: Paths;
}

/** Where a transport keeps what has a digest. */
export interface Paths {
  readonly manifest: (digest: string) => string;
  readonly blob: (digest: string) => string;
  /** Stands in the error before a text that is no digest. */
  readonly refusal: string;
}

const blobPath = (digest: string) => `blobs/${digest.replace(':', '/')}`;

/** oci/layout/oci_transport.go (blobPath) */
export const LAYOUT_PATHS: Paths = {
  manifest: blobPath,
  blob: blobPath,
  refusal: 'unexpected digest reference ',
};

/**
 * The only entry of index.json: containers/image takes it where no image is named. oci/layout/oci_transport.go
 * (getManifestDescriptor)
 */
export function oneImage(file: TarFile, go: GoVersion, { tree, entries }: Layout): OciArchive {
  if (entries.length !== 1) refuse('more than one image in oci, choose an image');
  const [entry] = entries as [Json];
  return { file, tree, entry: isObject(entry) ? entry : {}, go, paths: LAYOUT_PATHS };
}

/** The files of an OCI layout, and the entries of its index.json. */
export interface Layout {
  readonly tree: Tree;
  readonly entries: readonly Json[];
}

/** The layout of a tar. containers/image oci/archive/oci_transport.go */
export function openLayout(file: TarFile, go: GoVersion): Layout {
  const tree = untarred(file);
  return { tree, entries: entriesOf(file, tree, go) };
}

/** Unpacks the file into a temporary directory. containers/image oci/archive/oci_dest.go (createUntarTempDir) */
export const untarred = (file: TarFile): Tree =>
  within(
    message => `creating temp directory: untarring file "DIR": ${message}`,
    () => {
      checkKind(file);
      if (file.error !== null) refuse(file.error);
      for (const member of file.members) checkInside(member);
      // containers/storage does not say which hard link has no target.
      return extracted(file, false, () => 'no such file or directory');
    },
  );

export function entriesOf(file: TarFile, tree: Tree, go: GoVersion): readonly Json[] {
  const member = fileAt(file, tree, 'index.json');
  return listField(decodeObject(file.scan.document(member), 'first', OCI_INDEX_TYPE, go), 'manifests');
}

function checkInside({ name, type, target }: Member): void {
  const path = cleanPath(name);
  if (!name.startsWith('/') && (path === '..' || path.startsWith('../'))) {
    refuse(`"${name}" is outside of "DIR"`);
  }
  const link = target ?? '';
  const escapes = posix.join(posix.dirname(path), link).startsWith('..');
  if (type === 'symlink' && !link.startsWith('/') && escapes) {
    refuse(`invalid symlink "DIR/${path}" -> "${link}"`);
  }
}

export function blobAt(
  { file, tree, paths }: OciArchive,
  digest: string,
  what: 'manifest' | 'blob' = 'blob',
): Member {
  if (!/^[a-z0-9]+:[a-f0-9]{32,}$/.test(digest)) {
    const which = paths.refusal === '' ? '' : `${paths.refusal}${digest}: `;
    refuse(`${which}invalid checksum digest format`);
  }
  const path = paths[what](digest);
  return fileAt(file, tree, path);
}

/** The manifest that an index lists. */
export const manifestAt = (archive: OciArchive, digest: string): Member =>
  blobAt(archive, digest, 'manifest');

/** Whether a blob is what its digest says; where that was not computed, its word is taken. */
export function hasDigest({ file }: OciArchive, member: Member, digest: string): boolean {
  const actual = digestLike(file, member, digest);
  return actual === null || actual === digest;
}

/** The media type of an entry, or as containers/image guesses it from the document. */
export function typeOf(archive: OciArchive, member: Member, entry: JsonObject | null): string {
  const declared = entry === null ? '' : textField(entry, 'mediaType');
  return declared !== '' ? declared : guessType(archive, member);
}

const GUESSED: ReadonlySet<string> = new Set([DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX]);

/** containers/image manifest/manifest.go (GuessMIMEType). @returns nothing where it does not know one */
export function guessType({ file, go }: OciArchive, member: Member): string {
  const document = file.scan.document(member);
  let type = '';
  attempt(() => {
    const read = (goType: GoType) => decodeObject(document, 'whole', goType, go);
    const meta = read(GUESS);
    const own = textField(meta, 'mediaType');
    if (GUESSED.has(own)) type = own;
    else if (meta.schemaVersion === 2) {
      const config = textField(objectField(read(GUESS_CONFIG), 'config'), 'mediaType');
      if (config === OCI_CONFIG) type = OCI_MANIFEST;
      else if (config === DOCKER_CONFIG) type = DOCKER_MANIFEST;
      else if (listField(read(GUESS_INDEX), 'manifests').length === 0) type = OCI_MANIFEST;
      else type = config || OCI_INDEX;
    }
  });
  return type;
}

/** The struct for a document of a media type; a document of any other type is decoded as schema 1. */
const STRUCTS: ReadonlyMap<string, GoType> = new Map([
  [OCI_INDEX, OCI_INDEX_TYPE],
  [DOCKER_LIST, SCHEMA2_LIST],
  [OCI_MANIFEST, OCI1],
  [DOCKER_MANIFEST, SCHEMA2],
]);

export const readAs = ({ file, go }: OciArchive, member: Member, type: string): JsonObject =>
  decodeObject(file.scan.document(member), 'whole', STRUCTS.get(type) ?? SCHEMA1, go);

/**
 * Fields that a document of its kind has not are refused: CVE-2021-41190. containers/image internal/manifest/common.go
 */
function checkFields({ file, go }: OciArchive, member: Member, type: string, allowed: readonly string[]) {
  const found = decodeObject(file.scan.document(member), 'whole', AMBIGUOUS, go);
  const odd = [...AMBIGUOUS.fields.keys()].filter(key => found[key] !== undefined && !allowed.includes(key));
  if (odd.length === 0) return;
  const fields = odd.map(key => `"${key}"`).join(', ');
  refuse(`rejecting ambiguous manifest, unexpected fields []string{${fields}} in supposedly ${type}`);
}

/** An index or manifest list. */
export function openIndex(archive: OciArchive, member: Member, type: string): JsonObject {
  const index = readAs(archive, member, type);
  checkFields(archive, member, type, ['manifests']);
  return index;
}

/**
 * The entry for linux/amd64: of several the first, but one with a platform before one without, and zstd before gzip.
 * containers/image internal/manifest/oci_index.go (isPreferredOver)
 */
export function chooseEntry(type: string, index: JsonObject): JsonObject {
  const isList = type === DOCKER_LIST;
  const candidates = listField(index, 'manifests')
    .map(entry => (isObject(entry) ? entry : {}))
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
  const isZstd = textField(objectField(entry, 'annotations'), ZSTD_MARK) === 'true';
  return ((own(entry, 'platform') ?? null) === null ? 2 : 0) + (isZstd ? 0 : 1);
}

/** A manifest that containers/image agrees to call an image's. image/internal/image/manifest.go */
export function openManifest(archive: OciArchive, member: Member, type: string): JsonObject {
  const manifest = readAs(archive, member, type);
  if (!IMAGE_TYPES.has(type)) {
    const version = field(manifest, 'schemaVersion');
    refuse(`unsupported schema version ${typeof version === 'number' ? version : 0}`);
  }
  checkFields(archive, member, type, ['config', 'layers']);
  if (type === OCI_MANIFEST) return manifest;
  const layers = listField(manifest, 'layers').map(layer => (isObject(layer) ? layer : {}));
  for (const described of [manifest, ...layers, objectField(manifest, 'config')]) {
    const own = textField(described, 'mediaType');
    if (!SCHEMA2_TYPES.has(own)) refuse(`unsupported docker v2s2 media type: "${own}"`);
  }
  return manifest;
}

/** Where a manifest is stored it is told from its own bytes what it is. containers/image storage/storage_dest.go */
export function checkCommit(archive: OciArchive, member: Member): void {
  within(
    message => `parsing manifest: ${message}`,
    () => openManifest(archive, member, guessType(archive, member)),
  );
}

/** The config of a manifest, with its descriptor. */
export function openConfig(archive: OciArchive, type: string, manifest: JsonObject) {
  const descriptor = objectField(manifest, 'config');
  const configType = textField(descriptor, 'mediaType');
  if (type === OCI_MANIFEST && configType !== OCI_CONFIG) {
    if (configType === DOCKER_CONFIG)
      refuse(`invalid mixed OCI image with Docker v2s2 config (${JSON.stringify(configType)})`);
    const artifact = textField(manifest, 'artifactType') || configType;
    refuse(`unsupported image-specific operation on artifact with type "${artifact}"`);
  }
  const digest = textField(descriptor, 'digest');
  const member = blobAt(archive, digest);
  checkSize(member, CONFIG_BYTES);
  // Whatever the algorithm of the digest, it is compared with a sha256.
  const actual = sha256Of(archive, member);
  if (actual !== digest) refuse(`Download config.json digest ${actual} does not match expected ${digest}`);
  return { digest, descriptor, member, document: archive.file.scan.document(member) };
}

/** A blob whose descriptor has URLs is fetched from there, and not looked for in the archive. oci/layout/oci_src.go */
export function checkUrls(descriptor: JsonObject): void {
  const url = listField(descriptor, 'urls').find(isFetchable);
  if (url !== undefined) cannotTell({ code: 'fetched', digest: textField(descriptor, 'digest'), url });
}

const isFetchable = (url: Json): url is string => typeof url === 'string' && /^https?:/i.test(url);

/** `skopeo inspect` decodes a config into one struct or two. manifest/oci.go, docker_schema2.go (Inspect) */
export function inspectConfig({ go }: OciArchive, type: string, document: Document): void {
  const structs = type === OCI_MANIFEST ? [OCI_IMAGE, SCHEMA2_V1_IMAGE] : [SCHEMA2_IMAGE];
  for (const goType of structs) decode(document, 'whole', goType, go);
}

export const sha256Of = ({ file }: OciArchive, member: Member): string =>
  storedBlob(file, member)?.digest ?? cannotTell({ code: 'not-read', path: member.path });

/** The image that stands for those that were not chosen. @param chosen  the entry of an index; null without one */
export function loadedFor(chosen: JsonObject | null): LoadedInstead {
  const platform = chosen === null ? {} : objectField(chosen, 'platform');
  const [os, architecture, variant] = [
    textField(platform, 'os'),
    textField(platform, 'architecture'),
    textField(platform, 'variant'),
  ];
  const isNamed = os !== '' || architecture !== '' || variant !== '';
  return isNamed ? { code: 'platform', os, architecture, variant } : { code: 'index-entry' };
}
