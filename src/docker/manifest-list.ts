import { DOCKER_LIST, OCI_INDEX, OCI_MANIFEST } from '../spec/media-types.js';
import { decode, encodeJson } from '../template/index.js';
import { INT, INT64, STRING, STRINGS, sliceOf, struct } from '../template/types.js';
import {
  type Found,
  fetchManifest,
  isIndex,
  isManifest,
  isStored,
  type Store,
  type StoredDocument,
  troubleOf,
} from './manifest-store.js';
import { type DescriptorRaw, DIGEST, INDEX, type IndexRaw, type PlatformRaw } from './manifest-types.js';

/** An entry of an index with the manifest that it points at. */
export interface ListedManifest {
  /** As the index describes it; its size and media type are those of the manifest where that is here. */
  readonly descriptor: DescriptorRaw;
  readonly document: Found;
  /** Why docker would refuse it; null for one that it takes. */
  readonly trouble: string | null;
}

/** What an index lists, each as docker fetches it. */
export function listedManifests(store: Store, index: StoredDocument): ListedManifest[] {
  const { Manifests } = decode(INDEX, index.value, index) as IndexRaw;
  return (Manifests ?? []).map(descriptor => {
    const document = fetchManifest(store, descriptor.Digest ?? '', descriptor.MediaType ?? null);
    return { descriptor: described(descriptor, document), document, trouble: refusal(document) };
  });
}

function described(descriptor: DescriptorRaw, document: Found): DescriptorRaw {
  if (!isStored(document)) return descriptor;
  return { ...descriptor, MediaType: document.mediaType, Size: document.bytes.length };
}

function refusal(document: Found): string | null {
  const trouble = troubleOf(document);
  if (trouble !== null || !isStored(document) || isManifest(document)) return trouble;
  if (isIndex(document)) return `${document.digest} is an index itself, which docker does not follow`;
  return `${document.digest} is no image manifest: ${document.mediaType}`;
}

/** github.com/distribution/distribution manifest/manifestlist (2.8): the order of its fields is not the specification's. */
const LIST = struct('manifestlist.ManifestList', [
  { name: 'SchemaVersion', type: INT, json: 'schemaVersion' },
  { name: 'MediaType', type: STRING, json: 'mediaType', omitEmpty: true },
  {
    name: 'Manifests',
    type: sliceOf(
      struct('manifestlist.ManifestDescriptor', [
        { name: 'MediaType', type: STRING, json: 'mediaType', omitEmpty: true },
        { name: 'Size', type: INT64, json: 'size', omitEmpty: true },
        { name: 'Digest', type: DIGEST, json: 'digest', omitEmpty: true },
        {
          name: 'Platform',
          type: struct('manifestlist.PlatformSpec', [
            { name: 'Architecture', type: STRING, json: 'architecture' },
            { name: 'OS', type: STRING, json: 'os' },
            { name: 'OSVersion', type: STRING, json: 'os.version', omitEmpty: true },
            { name: 'OSFeatures', type: STRINGS, json: 'os.features', omitEmpty: true },
            { name: 'Variant', type: STRING, json: 'variant', omitEmpty: true },
          ]),
          json: 'platform',
        },
      ]),
    ),
    json: 'manifests',
  },
]);

/**
 * The list that docker builds anew from the manifests: without annotations, and called an OCI index where its first
 * manifest is OCI's, whatever the index says of itself. Without a line end.
 */
export function listText(manifests: readonly DescriptorRaw[]): string {
  const raw = {
    SchemaVersion: 2,
    MediaType: manifests[0]?.MediaType === OCI_MANIFEST ? OCI_INDEX : DOCKER_LIST,
    Manifests: manifests.map(({ MediaType, Size, Digest, Platform }) => ({
      MediaType,
      Size,
      Digest,
      Platform: Platform ?? NO_PLATFORM,
    })),
  };
  return encodeJson({ type: LIST, raw }, '   ');
}

export const NO_PLATFORM: PlatformRaw = { Architecture: '', OS: '' };
