// OCI documents: descriptors, manifests, indexes, artifacts, and the layout directory around them.
import type { Compression } from './compression.js';
import { type Algorithm, bytesOf, digestOf, encodedOf, goJson } from './digest.js';
import type { Image, Layer, Platform } from './image.js';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly platform?: Platform;
  readonly artifactType?: string;
}

export interface Blob {
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/** A document with all blobs that it refers to; its own bytes are the first blob. */
export interface Content {
  readonly descriptor: Descriptor;
  readonly blobs: readonly Blob[];
}

export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  foreignLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar',
  inToto: 'application/vnd.in-toto+json',
  attestation: 'application/vnd.docker.attestation.manifest.v1+json',
} as const;

export const NAME_ANNOTATION = 'io.containerd.image.name';
export const REF_ANNOTATION = 'org.opencontainers.image.ref.name';

export interface DocumentOptions {
  readonly algorithm?: Algorithm;
  /** Use Docker's media types. */
  readonly docker?: boolean;
  /** Spaces of indentation: BuildKit writes 2, containers/image none. */
  readonly indent?: number;
  /** Write `size` before `digest`, as older Go structs do. */
  readonly sizeFirst?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Descriptor | Content;
  readonly artifactType?: string;
  /** Repeat the config and layers inside their descriptors, as base64. */
  readonly inlineData?: boolean;
  /** Add `+encrypted` to the media type of every layer. */
  readonly encrypted?: boolean;
}

export function descriptorOf(
  mediaType: string,
  bytes: Uint8Array,
  options: DocumentOptions = {},
): Descriptor {
  const digest = digestOf(bytes, options.algorithm);
  const size = bytes.length;
  return {
    mediaType,
    ...(options.sizeFirst === true ? { size, digest } : { digest, size }),
    ...(options.inlineData === true && { data: Buffer.from(bytes).toString('base64') }),
  };
}

/** Bytes of any kind as a content without references. */
export function blobOf(
  mediaType: string,
  content: string | Uint8Array,
  options: DocumentOptions = {},
): Content {
  const bytes = bytesOf(content);
  const descriptor = descriptorOf(mediaType, bytes, options);
  return { descriptor, blobs: [{ digest: descriptor.digest, bytes }] };
}

/** `{}`, the empty descriptor of manifest.md. */
export const EMPTY: Content = blobOf(MEDIA.empty, '{}', { inlineData: true });

const SUFFIXES: Readonly<Record<Compression, readonly [oci: string, docker: string]>> = {
  none: ['', ''],
  gzip: ['+gzip', '.gzip'],
  zstd: ['+zstd', '.zstd'],
  xz: ['+xz', '.xz'],
  bzip2: ['+bzip2', '.bzip2'],
};

export function layerMediaType(layer: Layer, docker = false): string {
  if (layer.spec.mediaType !== undefined) return layer.spec.mediaType;
  const foreign = layer.spec.urls !== undefined;
  const [oci, dockers] = SUFFIXES[layer.compression];
  if (docker) return (foreign ? MEDIA.dockerForeignLayer : MEDIA.dockerLayer) + dockers;
  return (foreign ? MEDIA.foreignLayer : MEDIA.layer) + oci;
}

function layerContent(layer: Layer, options: DocumentOptions): Content {
  const mediaType = layerMediaType(layer, options.docker) + (options.encrypted === true ? '+encrypted' : '');
  const { descriptor, blobs } = blobOf(mediaType, layer.blob, options);
  const { urls, annotations, absent } = layer.spec;
  return {
    descriptor: { ...descriptor, ...(urls && { urls }), ...(annotations && { annotations }) },
    blobs: absent === true ? [] : blobs,
  };
}

/** The manifest of an image. */
export function manifestOf(image: Image, options: DocumentOptions = {}): Content {
  const docker = options.docker === true;
  const config = blobOf(docker ? MEDIA.dockerConfig : MEDIA.config, image.configBytes, options);
  const layers = image.layers.map(layer => layerContent(layer, options));
  return manifestFrom(docker ? MEDIA.dockerManifest : MEDIA.manifest, config, layers, options);
}

/** A manifest of any config and layers. */
export function manifestFrom(
  mediaType: string,
  config: Content,
  layers: readonly Content[],
  options: DocumentOptions = {},
): Content {
  const document = {
    schemaVersion: 2,
    mediaType,
    artifactType: options.artifactType,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
    subject: options.subject && bare(options.subject),
    annotations: options.annotations,
  };
  const own = blobOf(mediaType, goJson(document, options.indent), {
    algorithm: options.algorithm ?? 'sha256',
  });
  const blobs = [...own.blobs, ...config.blobs, ...layers.flatMap(layer => layer.blobs)];
  return { descriptor: ordered(own.descriptor, options), blobs };
}

/** Only the fields of a subject: media type, digest, size. */
function bare(subject: Descriptor | Content): Descriptor {
  const { mediaType, digest, size } = 'descriptor' in subject ? subject.descriptor : subject;
  return { mediaType, digest, size };
}

function ordered({ mediaType, digest, size }: Descriptor, { sizeFirst }: DocumentOptions): Descriptor {
  return sizeFirst === true ? { mediaType, size, digest } : { mediaType, digest, size };
}

/** An index of other contents; use `described` to add a platform or annotations to an entry. */
export function indexOf(entries: readonly Content[], options: DocumentOptions = {}): Content {
  const mediaType = options.docker === true ? MEDIA.dockerList : MEDIA.index;
  const document = {
    schemaVersion: 2,
    mediaType,
    artifactType: options.artifactType,
    manifests: entries.map(({ descriptor }) => descriptor),
    subject: options.subject && bare(options.subject),
    annotations: options.annotations,
  };
  const own = blobOf(mediaType, goJson(document, options.indent), {
    algorithm: options.algorithm ?? 'sha256',
  });
  return {
    descriptor: ordered(own.descriptor, options),
    blobs: [...own.blobs, ...entries.flatMap(({ blobs }) => blobs)],
  };
}

/** The same content with additional fields in its descriptor. */
export function described(content: Content, more: Partial<Descriptor>): Content {
  return { ...content, descriptor: { ...content.descriptor, ...more } };
}

/** The manifest of an image with the platform in its descriptor, as an index lists it. */
export function platformManifest(image: Image, options: DocumentOptions = {}): Content {
  const { architecture, os, variant } = image.platform;
  return described(manifestOf(image, options), {
    platform: { architecture, os, ...(variant && { variant }) },
  });
}

/** The same content without some of its blobs: a sparse layout. */
export function sparse(content: Content, absent: (digest: string) => boolean): Content {
  return { ...content, blobs: content.blobs.filter(({ digest }) => !absent(digest)) };
}

export interface ArtifactSpec extends DocumentOptions {
  readonly type: string;
  readonly layers?: readonly Content[];
  readonly config?: Content;
}

/** An artifact: an empty config, an `artifactType`, and blobs that are not layers. */
export function artifact(spec: ArtifactSpec): Content {
  const made = manifestFrom(MEDIA.manifest, spec.config ?? EMPTY, spec.layers ?? [EMPTY], {
    ...spec,
    artifactType: spec.type,
  });
  return described(made, { artifactType: spec.type });
}

export interface AttestationOptions {
  readonly predicateType?: string;
  readonly predicate?: unknown;
  readonly name?: string;
  /** Changes the text of the statement. */
  readonly written?: (statement: string) => string;
  /** BuildKit's newer form: an OCI artifact with a subject. */
  readonly ociArtifact?: boolean;
}

/** BuildKit's attestation manifest for a platform manifest, described as an index lists it. */
export function attestation(subject: Content, options: AttestationOptions = {}): Content {
  const predicateType = options.predicateType ?? 'https://slsa.dev/provenance/v0.2';
  const statement = {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType,
    subject: [{ name: options.name ?? '_', digest: { sha256: encodedOf(subject.descriptor.digest) } }],
    predicate: options.predicate ?? { builder: { id: '' }, buildType: 'https://mobyproject.org/buildkit@v1' },
  };
  const { written = text => text } = options;
  const layer = blobOf(MEDIA.inToto, written(goJson(statement)));
  const layers = [described(layer, { annotations: { 'in-toto.io/predicate-type': predicateType } })];
  const rootfs = { type: 'layers', diff_ids: [layer.descriptor.digest] };
  const config = goJson({ architecture: 'unknown', os: 'unknown', config: {}, rootfs });
  const made =
    options.ociArtifact === true
      ? manifestFrom(MEDIA.manifest, EMPTY, layers, { indent: 2, artifactType: MEDIA.attestation, subject })
      : manifestFrom(MEDIA.manifest, blobOf(MEDIA.config, config), layers, { indent: 2 });
  return described(made, {
    annotations: {
      'vnd.docker.reference.digest': subject.descriptor.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
    platform: { architecture: 'unknown', os: 'unknown' },
  });
}
