import type { Member } from '../../containers/source.js';
import { containerdManifest, type StoredBlob, type StoredLayer } from '../../engines/synthesise.js';
import { storedBlob, tarFile } from '../../engines/tar-file.js';
import type { Image, Layer } from '../../link/graph.js';
import { digestOf } from '../../spec/digest.js';
import type { Json } from '../../spec/json.js';
import { NO_NUMBERS } from '../../spec/json-text.js';
import { DOCKER_MANIFEST } from '../../spec/media-types.js';
import type { Found, Store } from './store.js';

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
