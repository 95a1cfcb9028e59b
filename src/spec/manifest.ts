import { type Descriptor, parseDescriptor, parseDescriptors } from './descriptor.js';
import { type FieldProblem, Fields, type Json, pointer } from './json.js';

import {
  isIndexType,
  isManifestType,
  isSchema1Type,
  OCI_EMPTY,
  OCI_INDEX,
  OCI_MANIFEST,
} from './media-types.js';

/**
 * An image index or manifest list: descriptors of manifests.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md
 */
export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string | null;
  readonly artifactType: string | null;
  /** null when the field is absent or no array: then this is no index at all. */
  readonly manifests: readonly Descriptor[] | null;
  readonly subject: Descriptor | null;
  readonly annotations: ReadonlyMap<string, string>;
  readonly problems: readonly FieldProblem[];
}

/**
 * An image manifest, OCI or Docker schema 2, or the withdrawn OCI artifact manifest.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
 */
export interface ImageManifest {
  readonly kind: 'manifest';
  readonly schemaVersion: number | null;
  /** Docker's schema 1: history and `fsLayers` in place of a config and layers. */
  readonly isSchema1: boolean;
  readonly mediaType: string | null;
  readonly artifactType: string | null;
  readonly config: Descriptor | null;
  readonly layers: readonly Descriptor[];
  readonly subject: Descriptor | null;
  readonly annotations: ReadonlyMap<string, string>;
  /** Fields that make the document an index as well: CVE-2021-41190. */
  readonly forbidden: readonly string[];
  readonly problems: readonly FieldProblem[];
}

const COMMON_KEYS = ['schemaVersion', 'mediaType', 'artifactType', 'subject', 'annotations'];
const INDEX_KEYS = [...COMMON_KEYS, 'manifests'];
const MANIFEST_KEYS = [...COMMON_KEYS, 'config', 'layers', 'blobs'];

export function parseIndex(value: Json): ImageIndex {
  const problems: FieldProblem[] = [];
  const fields = Fields.of(value, '', problems);
  if (fields === null) {
    return {
      kind: 'index',
      mediaType: null,
      artifactType: null,
      manifests: null,
      subject: null,
      annotations: new Map(),
      problems,
    };
  }
  checkSchemaVersion(fields);
  fields.checkCase(INDEX_KEYS);
  return {
    kind: 'index',
    mediaType: mediaTypeOf(fields, isIndexType, OCI_INDEX),
    artifactType: fields.string('artifactType'),
    // A null list is how Go writes an empty one, yet an index without its list is what truncation leaves behind.
    manifests: Array.isArray(fields.any('manifests'))
      ? parseDescriptors(fields, 'manifests', problems)
      : null,
    subject: optionalDescriptor(fields, 'subject', problems),
    annotations: fields.stringMap('annotations') ?? new Map(),
    problems,
  };
}

export function parseManifest(value: Json): ImageManifest | null {
  const problems: FieldProblem[] = [];
  const fields = Fields.of(value, '', problems);
  if (fields === null) return null;
  fields.checkCase(MANIFEST_KEYS);
  const isArtifact = !fields.has('layers') && fields.has('blobs');
  const schemaVersion = fields.number('schemaVersion');
  const ownType = fields.string('mediaType');
  // Engines go by the media type: a version of 1 makes no schema 1 of a manifest that has a config.
  const isSchema1 =
    isSchema1Type(ownType) || (ownType === null && schemaVersion === 1 && !fields.has('config'));
  const isImage = !isArtifact && !isSchema1;
  if (isImage) {
    checkSchemaVersion(fields);
    // Both are REQUIRED; what they hold is looked at below. Go writes the empty list of an image without layers as
    // null.
    if (fields.any('layers') !== null) fields.array('layers', 'required');
    const configType = fields.object('config', 'required')?.string('mediaType') ?? null;
    if (configType === OCI_EMPTY && fields.string('artifactType') === null) {
      fields.problem('/artifactType', 'an artifactType, because the config is empty', 'nothing');
    }
  }
  return {
    kind: 'manifest',
    schemaVersion,
    isSchema1,
    mediaType: isImage ? mediaTypeOf(fields, isManifestType, OCI_MANIFEST) : ownType,
    artifactType: fields.string('artifactType'),
    config: optionalDescriptor(fields, 'config', problems),
    layers: parseDescriptors(fields, isArtifact ? 'blobs' : 'layers', problems),
    subject: optionalDescriptor(fields, 'subject', problems),
    annotations: fields.stringMap('annotations') ?? new Map(),
    // An OCI manifest must not carry `manifests`, nor schema 1's `fsLayers`, whatever its media type says.
    forbidden: isSchema1 ? [] : fields.anyCaseOf(['manifests', 'fsLayers']),
    problems,
  };
}

/** Fields of a manifest that an index must not have: CVE-2021-41190. */
export function forbiddenInIndex(value: Json): string[] {
  return Fields.of(value, '', [])?.anyCaseOf(['config', 'layers', 'fsLayers']) ?? [];
}

function optionalDescriptor(fields: Fields, key: string, problems: FieldProblem[]): Descriptor | null {
  const value = fields.any(key);
  return value === undefined || value === null
    ? null
    : parseDescriptor(value, `${fields.at}/${key}`, problems);
}

/** SHOULD be there, and where it is, MUST be the document's own. */
function mediaTypeOf(
  fields: Fields,
  fits: (type: string | null) => boolean,
  expected: string,
): string | null {
  const type = fields.string('mediaType');
  if (type !== null && !fits(type))
    fields.problem(pointer(fields.at, 'mediaType'), expected, JSON.stringify(type));
  return type;
}

function checkSchemaVersion(fields: Fields): void {
  const version = fields.number('schemaVersion', 'required');
  if (version !== null && version !== 2) fields.problem('/schemaVersion', '2', String(version));
}
