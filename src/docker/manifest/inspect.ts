import {
  DESCRIPTOR,
  type DescriptorRaw,
  DIGEST,
  INDEX,
  type IndexRaw,
  MANIFEST,
  type ManifestRaw,
  PLATFORM,
  type PlatformRaw,
} from '../../go/image-types.js';
import { decode, encodeJson } from '../../go/template/index.js';
import { INT, INT64, STRING, STRINGS, sliceOf, struct } from '../../go/template/types.js';
import { isObject } from '../../spec/json.js';
import { escapedForHtml } from '../../spec/json-text.js';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../spec/media-types.js';
import {
  type Found,
  fetchBlob,
  fetchManifest,
  isIndex,
  isManifest,
  isStored,
  type Store,
  type StoredDocument,
  troubleOf,
  type Unavailable,
} from './store.js';

/**
 * JSON as text, the way Go's encoding/json handles a document that it passes on: key order, numbers and escapes stay
 * as they were written. Both take the text of a sound document. https://pkg.go.dev/encoding/json#Indent
 */

/** `json.Indent` with no prefix: blanks before the value go, those behind it stay. */
export function indentJson(text: string, indent: string): string {
  const end = text.trimEnd().length;
  const out: string[] = [];
  let depth = 0;
  let opened = false;
  for (const token of tokens(text.slice(0, end))) {
    const closes = token === '}' || token === ']';
    if (opened && !closes) out.push(`\n${indent.repeat(++depth)}`);
    if (closes && !opened) out.push(`\n${indent.repeat(--depth)}`);
    opened = token === '{' || token === '[';
    if (token === ',') out.push(`,\n${indent.repeat(depth)}`);
    else out.push(token === ':' ? ': ' : token);
  }
  return out.join('') + text.slice(end);
}

/** The text of a json.Marshaler as json.Marshal writes it: no blanks, and escaped so that it may stand in HTML. */
export function compactJson(text: string): string {
  return escapedForHtml([...tokens(text)].join(''));
}

/**
 * Punctuation, strings, and everything else, without the blanks between. By hand: a pattern may overflow on long
 * strings.
 */
function* tokens(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const start = at;
    const character = text[at++]!;
    if (' \t\r\n'.includes(character)) continue;
    if (character === '"') {
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
      at++;
    } else if (!PUNCTUATION.includes(character)) {
      while (at < text.length && !ENDS_WORD.includes(text[at]!)) at++;
    }
    yield text.slice(start, at);
  }
}

const PUNCTUATION = '{}[],:';
const ENDS_WORD = `${PUNCTUATION}" \t\r\n`;

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

/** An entry of an index with the manifest that it points at. */
interface ListedManifest {
  /** As the index describes it; its size and media type are those of the manifest where that is here. */
  readonly descriptor: DescriptorRaw;
  readonly document: Found;
  /** Why docker would refuse it; null for one that it takes. */
  readonly trouble: string | null;
}

/** The manifests that an index lists, each as docker fetches it. */
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

/**
 * github.com/distribution/distribution manifest/manifestlist (2.8): the order of its fields is not the specification's.
 */
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
