import type { Graph, Image, Layer } from '../image/graph.js';
import type { Scan } from '../scan/scan.js';
import type { JsonObject } from '../spec/json.js';
import { type Platform, platformMatches } from '../spec/platform.js';

/**
 * Docker's image stores: with a graph driver, where an image is its config and each driver measures layers in its own way, or
 * containerd's, where an image is what a registry has.
 */
export type Store = 'vfs' | 'overlay2' | 'containerd';

/** An image as one of Docker's stores holds it. */
export interface StoredImage {
  readonly scan: Scan;
  readonly graph: Graph;
  /**
   * Classic: the digest of the config. containerd: of the manifest or index; where a platform was asked for, of that
   * platform's manifest. null where it cannot be told.
   */
  readonly id: string | null;
  /** Like `id`, but always of the whole image, whatever platform was asked for. */
  readonly wholeId: string | null;
  /** As Docker shows them (`app:1.2`), in its order. */
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  /** containerd: the name of the last image record, where it is not a full name (`app:1.2`, not `docker.io/library/app:1.2`). */
  readonly shortName: string | null;
  /** ID of the parent image, where that is in the archive too; empty otherwise. */
  readonly parent: string;
  /** The image whose config speaks for it: of several platforms, the one of Docker's host. */
  readonly image: Image;
  /** All images behind it: several platforms, or just the one. */
  readonly platforms: readonly Image[];
  /** containerd: the descriptor that the store keeps, as JSON. */
  readonly target: JsonObject | null;
  /** containerd: bytes of the indexes from `target` down to the manifest. */
  readonly indexBytes: number;
  /** containerd: what is unpacked in the store; null in the classic store, which unpacks every image. */
  readonly snapshots: Snapshots | null;
}

/** By chain ID a layer that was unpacked to it. */
export type Snapshots = ReadonlyMap<string, { readonly scan: Scan; readonly layer: Layer }>;

/** The host that answers where nothing else is said. */
export const HOST: Platform = { os: 'linux', architecture: 'amd64', variant: null, osVersion: null };

export const runsOnHost = ({ platform }: Image): boolean =>
  platform !== null && platformMatches(platform, HOST);

/** An amd64 host runs 386 too. containerd/platforms (platformVector) */
export const runsSecondBest = ({ platform }: Image): boolean =>
  platform !== null && platformMatches(platform, { ...HOST, architecture: '386' });
