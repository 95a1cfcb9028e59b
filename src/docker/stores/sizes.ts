import { type LayerSize, naiveSize, overlaySize, snapshotUsage } from '../../analysis/weigh.js';
import { isPlainTar, mismatch } from '../../filesystem/layer-tables.js';
import { limitText } from '../../limits.js';
import type { Artifact, Image, Layer } from '../../link/graph.js';
import type { BlobFacts } from '../../scan/blob/facts.js';
import { withoutEntries } from '../../scan/once.js';
import type { Scan } from '../../scan/scan.js';
import { visible } from '../../visible.js';
import type { Dialect } from '../release.js';
import { runsOnHost, runsSecondBest, type Snapshots, type Store, type StoredImage } from './stored-image.js';

/** The size of a layer on disk, in bytes; null where that is not known. */
function layerSize(scan: Scan, layer: Layer, store: Store): number | null {
  const measured = measure(scan, layer, store);
  return measured === null || measured.doubt !== null ? null : measured.bytes;
}

/** Why the size of a layer is not known; null where it is. */
export function layerDoubt(scan: Scan, layer: Layer, store: Store): string | null {
  const { member, foreign, encrypted } = layer;
  if (member === null) return foreign ? 'it is stored elsewhere' : 'it is not in the archive';
  const facts = scan.facts(member);
  if (encrypted && (facts === null || !isPlainTar(facts))) return 'it is encrypted';
  const measured = measure(scan, layer, store);
  if (measured !== null) return measured.doubt;
  const failure = facts?.failure ?? null;
  if (failure !== null) return failure.kind === 'limit' ? limitText(failure) : failure.reason;
  return facts === null || scan.depth !== 'files' ? 'it was not read' : 'it is no tar';
}

/**
 * Why the size of a layer is not that of the layer which the image names; null where it is, or where that is not known.
 */
function layerChange(scan: Scan, layer: Layer): string | null {
  const facts = layer.member === null ? null : scan.facts(layer.member);
  return facts === null ? null : mismatch(layer, facts);
}

/**
 * Whether a layer has the bytes that the manifest names, and is a tar, but not that of the diff_id: engines do not
 * unpack it.
 */
function hasOtherTar(scan: Scan, layer: Layer): boolean {
  const facts = layer.member === null ? null : scan.facts(layer.member);
  if (facts === null || !isPlainTar(facts)) return false;
  return mismatch(layer, facts) !== null && mismatch({ ...layer, claimedDiffId: null }, facts) === null;
}

/** Storage drivers count differently. docs/docker.md says who prints which. */
const STORES: Readonly<Record<Store, (facts: BlobFacts) => LayerSize | null>> = {
  vfs: naiveSize,
  overlay2: overlaySize,
  containerd: snapshotUsage,
};

function measure(scan: Scan, { member }: Layer, store: Store): LayerSize | null {
  const facts = member === null ? null : scan.facts(member);
  // Layers are asked about again and again, and measuring one walks all its entries.
  return facts === null ? null : scan.once(STORES[store], facts);
}

/** The scan with the sizes that its layers take in a store, and without the entries that tell them. */
export const withSizesOnly = (scan: Scan, store: Store): Scan => withoutEntries(scan, STORES[store]);

/**
 * The snapshots that containerd's store has unpacked. moby daemon/containerd/image_exporter.go (LoadImage),
 * image_manifest.go (SnapshotUsage)
 */

interface Loaded {
  readonly scan: Scan;
  readonly graph: { readonly images: readonly Image[] };
}

/**
 * `docker load` unpacks the images that its host runs, up to the first layer whose tar is not that of the diff_id. A
 * snapshot is called by the chain of diff_ids up to it, so that an image of another platform has those layers unpacked
 * that it shares with one of the host's.
 */
export function snapshotsIn(parts: readonly Loaded[]): Snapshots {
  const snapshots = new Map<string, { readonly scan: Scan; readonly layer: Layer }>();
  for (const { scan, graph } of parts) {
    for (const image of graph.images.filter(isUnpacked)) {
      for (const layer of image.layers) {
        const { chainId } = layer;
        if (hasOtherTar(scan, layer)) break;
        if (chainId !== null && !snapshots.has(chainId)) snapshots.set(chainId, { scan, layer });
      }
    }
  }
  return snapshots;
}

const isUnpacked = (image: Image) => runsOnHost(image) || runsSecondBest(image);

/** Bytes that a layer takes on the store's disk, 0 of one that is not unpacked there; null where it is not known. */
export function diskSize(stored: StoredImage, image: Image, layer: Layer, store: Store): number | null {
  if (!isOnDisk(stored, image, layer)) return 0;
  const { scan, layer: measured } = stored.snapshots?.get(layer.chainId ?? '') ?? {
    scan: stored.scan,
    layer,
  };
  return layerSize(scan, measured, store);
}

/** The layers of an image that are unpacked in the store. */
const layersOnDisk = (stored: StoredImage, image: Image): Layer[] =>
  image.layers.filter(layer => isOnDisk(stored, image, layer));

function isOnDisk({ snapshots }: StoredImage, image: Image, { chainId }: Layer): boolean {
  if (snapshots === null) return true;
  // What has no chain of diff_ids is unpacked where its image is.
  return chainId === null ? isUnpacked(image) : snapshots.has(chainId);
}

/**
 * `Size` of `docker image inspect`, in bytes. Classic: what all layers take on disk. containerd: what the best manifest
 * takes, packed and unpacked; until Docker 29 its descriptors' sizes, from the index down. null where a layer would
 * have to be known and is not. moby daemon/images, daemon/containerd/image_inspect.go
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

/** The size of an image, or of an attestation, in containerd's store. Bytes. */
interface Footprint {
  /** Stored bytes that are there. */
  readonly content: number;
  /** Unpacked on disk. null where that is not known. */
  readonly unpacked: number | null;
}

/** The size of one platform of a stored image. */
export function footprintOf(stored: StoredImage, image: Image): Footprint {
  const unpacked = total(image.layers.map(layer => diskSize(stored, image, layer, 'containerd')));
  return { content: presentContent(image.manifest?.size ?? targetSize(stored), image), unpacked };
}

/** Bytes of a manifest and of what it names, as far as that is in the archive. */
function presentContent(manifestSize: number, { config, layers }: Pick<Image, 'config' | 'layers'>): number {
  const members = [config?.member ?? null, ...layers.map(layer => layer.member)];
  return manifestSize + members.reduce((sum, member) => sum + (member?.size ?? 0), 0);
}

/**
 * `SIZE` of `docker images`, in bytes. containerd: the content of all platforms and attestations, and what is unpacked
 * of it. moby daemon/containerd/image_list.go (multiPlatformSummary)
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

const targetSize = ({ target }: StoredImage) => (typeof target?.size === 'number' ? target.size : 0);

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
