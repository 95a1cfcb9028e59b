/**
 * Media types of the OCI image specification and of Docker's registry formats that came before.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md
 */

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json';
/** Withdrawn before image-spec 1.1 was final, but written by oras and others for a while. */
export const OCI_ARTIFACT = 'application/vnd.oci.artifact.manifest.v1+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';

export const isIndexType = (type: string | null) => type === OCI_INDEX || type === DOCKER_LIST;
export const isManifestType = (type: string | null) =>
  type === OCI_MANIFEST || type === DOCKER_MANIFEST || type === OCI_ARTIFACT;
export const isConfigType = (type: string | null) => type === OCI_CONFIG || type === DOCKER_CONFIG;
export const isSchema1Type = (type: string | null) =>
  type === 'application/vnd.docker.distribution.manifest.v1+json' ||
  type === 'application/vnd.docker.distribution.manifest.v1+prettyjws';

/** The compressions that media types of layers can name. */
type LayerCompression = 'none' | 'gzip' | 'zstd';

/** The compression and format that a layer's media type claims. */
export interface LayerType {
  /** null where the type says nothing that binds. */
  readonly compression: LayerCompression | null;
  /** Not to be pushed to registries, usually fetched from its URLs: "foreign" in Docker, deprecated in OCI. */
  readonly foreign: boolean;
  readonly encrypted: boolean;
  /** Whether it says that the layer is a tar, compressed or not. */
  readonly tar: boolean;
}

/**
 * Reads a layer media type. Docker's plain `rootfs.diff.tar` binds too: that engines sniff it because some writers lie
 * is what the finding is for.
 */
export function layerType(mediaType: string | null): LayerType {
  const type = mediaType ?? '';
  const encrypted = type.endsWith('+encrypted');
  const inner = encrypted ? type.slice(0, -'+encrypted'.length) : type;
  return {
    compression: encrypted ? null : promisedCompression(inner),
    foreign: FOREIGN.test(inner),
    encrypted,
    tar: /(?:^|[./+-])(?:tar|tgz)(?:[.+-]|$)/.test(inner),
  };
}

const FOREIGN =
  /^application\/vnd\.(docker\.image\.rootfs\.foreign\.diff|oci\.image\.layer\.nondistributable\.v1)\.tar([.+]\w+)?$/;

/** A structured suffix says how the type before it is compressed; Docker wrote `.gzip` for `+gzip`. */
function promisedCompression(type: string): LayerCompression | null {
  if (/[.+]gzip$/.test(type)) return 'gzip';
  if (/[.+]zstd$/.test(type)) return 'zstd';
  if (/\.layer\.(nondistributable\.)?v1\.tar$/.test(type)) return 'none';
  return /\.rootfs\.(foreign\.)?diff\.tar$/.test(type) ? 'none' : null;
}
