import { DOCKER_CONFIG, DOCKER_LIST, DOCKER_MANIFEST, OCI_MANIFEST } from '../../spec/media-types.js';

/** The manifests that engines take for an image's. */
export const IMAGE_TYPES: ReadonlySet<string> = new Set([OCI_MANIFEST, DOCKER_MANIFEST]);

const LAYER = 'application/vnd.docker.image.rootfs.';

/** All that may stand in a Docker manifest. containers/image manifest/docker_schema2.go (SupportedSchema2MediaType) */
export const SCHEMA2_TYPES: ReadonlySet<string> = new Set([
  `${LAYER}diff.tar`,
  `${LAYER}diff.tar.gzip`,
  `${LAYER}diff.tar.zstd`,
  `${LAYER}foreign.diff.tar`,
  `${LAYER}foreign.diff.tar.gzip`,
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  DOCKER_LIST,
]);
