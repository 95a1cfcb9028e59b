import { digestOf } from '../spec/digest.js';
import { DOCKER_CONFIG, DOCKER_MANIFEST } from '../spec/media-types.js';

export interface StoredBlob {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

export interface StoredLayer extends StoredBlob {
  /** gzip or zstd; containerd calls both gzip. */
  readonly packed: boolean;
}

const LAYER = 'application/vnd.docker.image.rootfs.diff.tar';

/**
 * The manifest that containerd writes for an item of manifest.json, over the bytes as they are stored: compact JSON,
 * this order of fields. containerd core/images/archive/importer.go
 */
export function containerdManifest(config: StoredBlob, layers: readonly StoredLayer[]): string {
  const descriptor = (mediaType: string, { digest, size }: StoredBlob) => ({ mediaType, digest, size });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: descriptor(DOCKER_CONFIG, config),
    layers: layers.map(layer => descriptor(layer.packed ? `${LAYER}.gzip` : LAYER, layer)),
  });
}

/**
 * The manifest that containers/image makes up for a docker-archive: every layer by its diff_id and unpacked size, and
 * yet called gzip. Size stands before digest, as in its struct. containers/image docker/internal/tarfile/src.go
 */
export function containersImageManifest(config: StoredBlob, layers: readonly StoredBlob[]): string {
  const descriptor = (mediaType: string, { digest, size }: StoredBlob) => ({ mediaType, size, digest });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: descriptor(DOCKER_CONFIG, config),
    layers: layers.map(layer => descriptor(`${LAYER}.gzip`, layer)),
  });
}

export const manifestDigest = (manifest: string): string => digestOf(manifest);
