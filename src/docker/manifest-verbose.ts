import { isObject } from '../spec/json.js';
import { DOCKER_MANIFEST } from '../spec/media-types.js';
import { decode, encodeJson } from '../template/index.js';
import { STRING } from '../template/types.js';
import { compactJson } from './manifest-json.js';
import {
  type Found,
  fetchBlob,
  isManifest,
  isStored,
  type Store,
  type StoredDocument,
  type Unavailable,
} from './manifest-store.js';
import {
  DESCRIPTOR,
  type DescriptorRaw,
  MANIFEST,
  type ManifestRaw,
  PLATFORM,
  type PlatformRaw,
} from './manifest-types.js';

/** Docker's `types.ImageManifest` as compact JSON. What is not known of an absent manifest is left out. */
export function verboseText(ref: string, descriptor: DescriptorRaw, document: Found): string {
  const { MediaType, Digest, Size, Platform } = descriptor;
  const shown = { MediaType, Digest, Size, Platform: Platform ?? null };
  const fields = [
    `"Ref":${encodeJson({ type: STRING, raw: ref })}`,
    `"Descriptor":${encodeJson({ type: DESCRIPTOR, raw: shown })}`,
  ];
  if (isStored(document)) {
    fields.push(`"Raw":"${Buffer.from(document.bytes).toString('base64')}"`);
    if (isManifest(document)) {
      const field = document.mediaType === DOCKER_MANIFEST ? 'SchemaV2Manifest' : 'OCIManifest';
      fields.push(`"${field}":${compactJson(textOf(document))}`);
    }
  }
  return `{${fields.join(',')}}`;
}

export const textOf = ({ bytes }: StoredDocument): string => new TextDecoder().decode(bytes);

/** The platform of a manifest that no index describes: docker reads it out of the config. */
export function configPlatform(store: Store, manifest: StoredDocument): PlatformRaw | Unavailable {
  const { Config } = decode(MANIFEST, manifest.value, manifest) as ManifestRaw;
  const config = fetchBlob(store, Config?.Digest ?? '', Config?.MediaType ?? null);
  if (!isStored(config)) return config;
  const { value, digest, path } = config;
  if (value !== null && !isObject(value)) return { digest, path, reason: 'it is no JSON object' };
  return decode(PLATFORM, value) as PlatformRaw;
}
