/** What containerd's store has unpacked. moby daemon/containerd/image_exporter.go (LoadImage), image_manifest.go (SnapshotUsage) */
import type { Image, Layer } from '../image/graph.js';
import type { Scan } from '../scan/scan.js';
import { hasOtherTar, layerSize } from './layer-size.js';
import { runsOnHost, runsSecondBest, type Snapshots, type Store, type StoredImage } from './stored-image.js';

interface Loaded {
  readonly scan: Scan;
  readonly graph: { readonly images: readonly Image[] };
}

/**
 * `docker load` unpacks the images that its host runs, up to the first layer whose tar is not that of the diff_id. A snapshot is
 * called by the chain of diff_ids up to it, so that an image of another platform has those layers unpacked that it shares with
 * one of the host's.
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
export const layersOnDisk = (stored: StoredImage, image: Image): Layer[] =>
  image.layers.filter(layer => isOnDisk(stored, image, layer));

function isOnDisk({ snapshots }: StoredImage, image: Image, { chainId }: Layer): boolean {
  if (snapshots === null) return true;
  // What has no chain of diff_ids is unpacked where its image is.
  return chainId === null ? isUnpacked(image) : snapshots.has(chainId);
}
