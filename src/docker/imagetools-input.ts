import { decode } from '../template/index.js';
import {
  ANY,
  type Field,
  INT,
  INT64,
  mapOf,
  pointerTo,
  STRING,
  STRING_MAP,
  sliceOf,
  struct,
  type Value,
} from '../template/types.js';
import {
  type Attested,
  PROVENANCE,
  PROVENANCE_MAP,
  provenanceOf,
  SBOM,
  SBOM_MAP,
  sbomOf,
} from './imagetools-attestations.js';
import { BUILD_INFO_MAP, BUILD_INFO_POINTER, buildInfoOf } from './imagetools-build-info.js';
import type { Loaded, LoadedImage } from './imagetools-loader.js';
import { isIndex, isManifest, type Store, type StoredDocument } from './manifest-store.js';
import { DESCRIPTOR, DIGEST, IMAGE, INDEX, type IndexRaw } from './manifest-types.js';

/** What a template of imagetools sees, and what turned out to be missing while it looked. */
export interface TemplateInput {
  readonly data: Value;
  /** Filled while a template runs: attestations are read when they are asked for. */
  readonly troubles: Set<string>;
}

/**
 * buildx util/imagetools/printers.go: of one platform `tplInput`, of several `tplInputs`, with maps by platform. Both
 * have `.BuildInfo` besides, as buildx had until 0.10; as a method, so that it is not in the JSON of the whole.
 */
export function templateInput(
  store: Store,
  document: StoredDocument,
  name: string,
  loaded: Loaded,
): TemplateInput {
  const troubles = new Set<string>();
  const attested = (read: typeof sbomOf) => (image: LoadedImage) => {
    const found = read(store, image.attestations);
    for (const trouble of found.troubles) troubles.add(trouble);
    return found.raw;
  };
  const Manifest = manifestValue(document);
  const make = loaded.images.length > 1 ? severalPlatforms : onePlatform;
  const data = make(
    loaded.images,
    { Name: name, Manifest },
    { sbom: attested(sbomOf), provenance: attested(provenanceOf) },
  );
  return { data, troubles };
}

interface Readers {
  readonly sbom: (image: LoadedImage) => Attested['raw'];
  readonly provenance: (image: LoadedImage) => Attested['raw'];
}

interface Head {
  readonly Name: string;
  readonly Manifest: Value | null;
}

const FIELDS: readonly Field[] = [
  { name: 'Name', type: STRING, json: 'name', omitEmpty: true },
  { name: 'Manifest', type: ANY, json: 'manifest', omitEmpty: true },
];
const IMAGE_POINTER = pointerTo(IMAGE);
const IMAGE_MAP = mapOf(IMAGE_POINTER);

function onePlatform(images: readonly LoadedImage[], head: Head, { sbom, provenance }: Readers): Value {
  const [image] = images;
  const config = image?.config ?? null;
  const type = struct(
    'imagetools.tplInput',
    [...FIELDS, { name: 'Image', type: IMAGE_POINTER, json: 'image', omitEmpty: true }],
    {
      SBOM: () => ({ type: SBOM, raw: (image && sbom(image)) ?? {} }),
      Provenance: () => ({ type: PROVENANCE, raw: (image && provenance(image)) ?? {} }),
      BuildInfo: () => ({ type: BUILD_INFO_POINTER, raw: config && buildInfoOf(config.value) }),
    },
  );
  return { type, raw: { ...head, Image: imageRaw(config) } };
}

function severalPlatforms(images: readonly LoadedImage[], head: Head, { sbom, provenance }: Readers): Value {
  const by = <T>(read: (image: LoadedImage) => T | null): ReadonlyMap<string, T> => {
    const entries = images.map((image): [string, T | null] => [image.platform, read(image)]);
    return new Map(entries.filter((entry): entry is [string, T] => entry[1] !== null));
  };
  const type = struct(
    'imagetools.tplInputs',
    [...FIELDS, { name: 'Image', type: IMAGE_MAP, json: 'image', omitEmpty: true }],
    {
      SBOM: () => ({ type: SBOM_MAP, raw: by(sbom) }),
      Provenance: () => ({ type: PROVENANCE_MAP, raw: by(provenance) }),
      BuildInfo: () => {
        const all = by(({ config }) => config && buildInfoOf(config.value));
        return { type: BUILD_INFO_MAP, raw: all.size === 0 ? null : all };
      },
    },
  );
  return { type, raw: { ...head, Image: by(({ config }) => imageRaw(config)) } };
}

const imageRaw = (config: StoredDocument | null): unknown =>
  config === null || config.value === null ? null : decode(IMAGE, config.value, config);

/** An index with its own digest and size, in a struct that has no name. */
const INDEX_VIEW = struct('struct', [
  { name: 'SchemaVersion', type: INT, json: 'schemaVersion' },
  { name: 'MediaType', type: STRING, json: 'mediaType', omitEmpty: true },
  { name: 'Digest', type: DIGEST, json: 'digest' },
  { name: 'Size', type: INT64, json: 'size' },
  { name: 'Manifests', type: sliceOf(DESCRIPTOR), json: 'manifests' },
  { name: 'Annotations', type: STRING_MAP, json: 'annotations', omitEmpty: true },
]);

function manifestValue(document: StoredDocument): Value | null {
  const { mediaType: MediaType, digest: Digest, bytes } = document;
  const own = { Digest, Size: bytes.length };
  if (isManifest(document)) return { type: DESCRIPTOR, raw: { MediaType, ...own } };
  if (!isIndex(document)) return null;
  return { type: INDEX_VIEW, raw: { ...(decode(INDEX, document.value, document) as IndexRaw), ...own } };
}
