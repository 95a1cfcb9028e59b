import type { Member } from '../../containers/source.js';
import { containerdManifest, type StoredBlob, type StoredLayer } from '../../engines/synthesise.js';
import { storedBlob, tarFile } from '../../engines/tar-file.js';
import { limitText } from '../../limits.js';
import type { Graph, Image, Layer } from '../../link/graph.js';
import { layoutNamed } from '../../link/layouts/registry.js';
import { type Document, notJsonText } from '../../scan/blob/document.js';
import type { Scan } from '../../scan/scan.js';
import { digestKind, digestOf } from '../../spec/digest.js';
import { goField, isObject, type Json } from '../../spec/json.js';
import { NO_NUMBERS, type NumberTexts } from '../../spec/json-text.js';
import { DOCKER_MANIFEST, isIndexType, OCI_INDEX, OCI_MANIFEST } from '../../spec/media-types.js';

/** One archive as a registry that serves what lies in it. */
export interface Store {
  readonly scan: Scan;
  readonly graph: Graph;
}

/** A JSON document of the archive under the digest by which others call it. */
export interface StoredDocument {
  readonly digest: string;
  /** The media type under which a registry would serve it. */
  readonly mediaType: string;
  /** null for one that was made up. */
  readonly path: string | null;
  readonly bytes: Uint8Array;
  readonly value: Json;
  /** The texts of numbers that JavaScript would print differently. */
  readonly texts: NumberTexts;
  /** The digest of its bytes where that is another one than it is called by. */
  readonly actual: string | null;
}

/** Why there is no document. */
export interface Unavailable {
  readonly digest: string;
  /** null where the archive does not hold it. */
  readonly path: string | null;
  readonly reason: string;
}

export type Found = StoredDocument | Unavailable;

export const isStored = (found: Found): found is StoredDocument => 'bytes' in found;

/** @param declared  the media type by which a descriptor calls it */
export function fetchManifest(store: Store, digest: string, declared: string | null): Found {
  return find(store, digest, manifestPaths(store.graph, digest), declared);
}

/** A config or a layer that is JSON: an attestation. */
export function fetchBlob(store: Store, digest: string, declared: string | null): Found {
  const found = find(store, digest, layoutNamed(store.graph.layout).blobPaths(digest), declared);
  if (isStored(found) || found.path !== null) return found;
  // manifest.json calls configs by any path.
  const config = store.graph.images.find(image => image.config?.document?.digest === digest)?.config ?? null;
  return config?.document == null ? found : fromDocument(store, config.document, digest, declared);
}

function find(store: Store, digest: string, paths: readonly string[], declared: string | null): Found {
  if (digestKind(digest) === 'malformed') return { digest, path: null, reason: 'it is no digest' };
  const { scan, graph } = store;
  const member = paths.map(path => scan.file(graph.root + path)).find(found => found !== null);
  if (member === undefined) return { digest, path: null, reason: 'the archive does not hold it' };
  return fromDocument(store, scan.document(member), digest, declared);
}

/** @param digest  by which it is called; null where nothing calls it, and its bytes must tell */
export function fromDocument(
  { scan, graph }: Store,
  document: Document,
  digest: string | null,
  declared: string | null,
): Found {
  const { descriptors } = graph.limits;
  const { path, bytes, value, error } = document;
  if (listLength(value) > descriptors) {
    const reason = limitText({ limit: 'descriptors', value: descriptors });
    return { digest: digest ?? '', path, reason };
  }
  if (bytes === null || value === undefined) {
    return { digest: digest ?? '', path, reason: error === null ? 'it was not read' : errorWords(error) };
  }
  const computed = digest?.startsWith('sha512:') ? scan.once(sha512Of, bytes) : document.digest!;
  const comparable = digest === null || digestKind(digest) === 'computable';
  const actual = comparable && digest !== null && computed !== digest ? computed : null;
  return {
    digest: digest ?? computed,
    mediaType: servedType(value, declared),
    path,
    bytes,
    value,
    texts: document.oddities.numbers,
    actual,
  };
}

/** Computed once: a thousand links may lead to one document. */
const sha512Of = (bytes: Uint8Array) => digestOf(bytes, 'sha512');

/** How much a manifest or an index lists, in whatever case Go may read its keys. */
export function listLength(value: Json | undefined): number {
  let most = 0;
  for (const list of Object.values(isObject(value) ? value : {}))
    if (Array.isArray(list)) most = Math.max(most, list.length);
  return most;
}

function errorWords(error: NonNullable<Document['error']>): string {
  if (error.kind === 'limit') return limitText({ ...error, seen: error.actual });
  return error.kind === 'not-json'
    ? `it is no JSON: ${notJsonText(error)}`
    : `it cannot be read: ${error.reason}`;
}

const manifestPaths = ({ layout }: Graph, digest: string): readonly string[] => {
  const reader = layoutNamed(layout);
  return reader.manifestPaths?.(digest) ?? reader.blobPaths(digest);
};

/** A document's own word for its media type comes first: a registry stores a manifest under that. */
function servedType(value: Json, declared: string | null): string {
  if (!isObject(value)) return declared ?? '';
  const type = goField(value, 'mediaType');
  if (typeof type === 'string' && type !== '') return type;
  if (declared !== null && declared !== '') return declared;
  if (goField(value, 'schemaVersion') === 1) return SCHEMA_1;
  return Array.isArray(goField(value, 'manifests')) ? OCI_INDEX : OCI_MANIFEST;
}

const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

export const isIndex = ({ mediaType }: StoredDocument) => isIndexType(mediaType);

/** Whether Docker and buildx take a document for the manifest of an image. */
export const isManifest = ({ mediaType }: StoredDocument) =>
  mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST;

/** The fault of a document, in words; null for a sound one. */
export function troubleOf(found: Found): string | null {
  if (!isStored(found)) {
    const { digest, path, reason } = found;
    return path === null ? `${digest}: ${reason}` : `${path}: ${reason}`;
  }
  const { actual, digest, path } = found;
  return actual === null ? null : `${path}: its bytes are ${actual}, expected ${digest}`;
}

/**
 * The manifest of an image whose archive holds none, from before Docker 25 and from podman: the one that containerd
 * makes up when it loads the file. It depends on nothing but the file.
 */
export function synthesise(store: Store, image: Image): Found {
  const { config, layers } = image;
  const unknown = (reason: string): Found => ({ digest: '', path: null, reason });
  if (image.kind === 'v1')
    return unknown('images from before Docker 1.10 have no manifest, nor anything to make one of');
  if (config?.member == null)
    return unknown('the archive holds no manifest of it, nor the config to make one of');
  const described = blobOf(store, config.member);
  const stored: StoredLayer[] = [];
  for (const [i, layer] of layers.entries()) {
    const blob = layerOf(store, layer);
    if (blob !== null) stored.push(blob);
    else {
      const why =
        layer.member === null
          ? 'is not in it'
          : 'is compressed, and its digest is not known without reading it';
      return unknown(
        `the archive holds no manifest of it, nor can one be made: layer ${i + 1} (${layer.ref}) ${why}`,
      );
    }
  }
  if (described === null)
    return unknown(`the archive holds no manifest of it, and its config ${config.path} cannot be read`);
  const text = containerdManifest(described, stored);
  const bytes = Buffer.from(text);
  return {
    digest: digestOf(bytes),
    mediaType: DOCKER_MANIFEST,
    path: null,
    bytes,
    value: JSON.parse(text) as Json,
    texts: NO_NUMBERS,
    actual: null,
  };
}

const blobOf = ({ scan }: Store, member: Member, diffId?: string): StoredBlob | null =>
  storedBlob(tarFile(scan), member, diffId);

/** crane and those who write like it name a layer by the digest of its compressed bytes. */
const COMPRESSED_NAME = /(?:^|\/)(?:sha256:)?([0-9a-f]{64})\.tar\.(?:gz|zst)$/;

function layerOf(store: Store, { member, claimedDiffId }: Layer): StoredLayer | null {
  if (member === null) return null;
  const packed = ['gzip', 'zstd'].includes(
    store.scan.facts(member)?.compression ?? store.scan.head(member).compression,
  );
  const known = blobOf(store, member, claimedDiffId ?? undefined);
  if (known !== null) return { ...known, packed };
  const named = COMPRESSED_NAME.exec(member.path)?.[1];
  return named === undefined ? null : { digest: `sha256:${named}`, size: member.size, packed };
}
