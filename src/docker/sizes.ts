import type { Artifact, Image } from '../image/graph.js';
import { visible } from '../visible.js';
import { layerChange, layerDoubt } from './layer-size.js';
import type { Dialect } from './release.js';
import { diskSize, layersOnDisk } from './snapshots.js';
import type { Store, StoredImage } from './stored-image.js';

/**
 * `Size` of `docker image inspect`, in bytes. Classic: what all layers take on disk. containerd: what the best manifest takes,
 * packed and unpacked; until Docker 29 its descriptors' sizes, from the index down. null where a layer would have to be known
 * and is not. moby daemon/images, daemon/containerd/image_inspect.go
 */
export function inspectSize(stored: StoredImage, { store, words }: Dialect): number | null {
  const { image } = stored;
  if (store !== 'containerd') return total(image.layers.map(layer => diskSize(stored, image, layer, store)));
  if (words === 28) return describedSize(stored);
  const { content, unpacked } = footprintOf(stored, image);
  return total([content, unpacked]);
}

function describedSize(stored: StoredImage): number | null {
  const { manifest, config, layers } = stored.image;
  if (manifest === null) {
    return total([
      targetSize(stored),
      config?.member?.size ?? null,
      ...layers.map(layer => layer.member?.size ?? null),
    ]);
  }
  const { parsed, size } = manifest;
  return total([
    stored.indexBytes,
    size,
    parsed.config?.size ?? 0,
    ...parsed.layers.map(layer => layer.size),
  ]);
}

/** What an image, or what is said about one, takes in containerd's store. Bytes. */
export interface Footprint {
  /** Stored bytes that are there. */
  readonly content: number;
  /** Unpacked on disk. null where that is not known. */
  readonly unpacked: number | null;
}

/** What one platform of a stored image takes. */
export function footprintOf(stored: StoredImage, image: Image): Footprint {
  const unpacked = total(image.layers.map(layer => diskSize(stored, image, layer, 'containerd')));
  return { content: presentContent(image.manifest?.size ?? targetSize(stored), image), unpacked };
}

/** Bytes of a manifest and of what it names, as far as that is in the archive. */
export function presentContent(
  manifestSize: number,
  { config, layers }: Pick<Image, 'config' | 'layers'>,
): number {
  const members = [config?.member ?? null, ...layers.map(layer => layer.member)];
  return manifestSize + members.reduce((sum, member) => sum + (member?.size ?? 0), 0);
}

/**
 * `SIZE` of `docker images`, in bytes. containerd: the content of all platforms and attestations, and what is unpacked of
 * it. moby daemon/containerd/image_list.go (multiPlatformSummary)
 */
export function listSize(stored: StoredImage, store: Store): number | null {
  const { platforms, image } = stored;
  if (store !== 'containerd') return total(image.layers.map(layer => diskSize(stored, image, layer, store)));
  const sizes = platforms.flatMap(platform => {
    const { content, unpacked } = footprintOf(stored, platform);
    return [content, unpacked];
  });
  return total([...sizes, attestedContent(stored)]);
}

/** Attestations are a part of the image where they stand in its index, and not where they only point at it. */
export const attestationsOf = ({ platforms, wholeId }: StoredImage): Artifact[] =>
  platforms
    .flatMap(({ attestations }) => attestations)
    .filter(({ indexDigests }) => wholeId !== null && indexDigests.includes(wholeId));

/** Stored bytes of an image's attestations. */
export const attestedContent = (stored: StoredImage): number =>
  attestationsOf(stored).reduce((sum, attestation) => sum + presentContent(attestation.size, attestation), 0);

export const targetSize = ({ target }: StoredImage) => (typeof target?.size === 'number' ? target.size : 0);

export function total(sizes: readonly (number | null)[]): number | null {
  return sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0);
}

/** Which layers have no size, or that of other content than the image names, and why: a line for each. */
export function sizeNotes(stored: StoredImage, image: Image, store: Store): string[] {
  const { scan } = stored;
  const { layers } = image;
  const onDisk = new Set(layersOnDisk(stored, image));
  return layers.flatMap((layer, i) => {
    const which = `layer ${i + 1} of ${layers.length} (${visible(layer.ref)})`;
    const doubt = onDisk.has(layer) ? layerDoubt(scan, layer, store) : null;
    if (doubt !== null) return [`${which} has no known size: ${doubt}`];
    const change = layerChange(scan, layer);
    return change === null ? [] : [`${which} is not what the image names: ${change}`];
  });
}
