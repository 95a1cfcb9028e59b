import type { Graph, Image } from '../image/graph.js';
import type { Scan } from '../scan/scan.js';
import type { JsonObject } from '../spec/json.js';
import { type Platform, platformMatches } from '../spec/platform.js';

/** Docker's two image stores: with a graph driver, where an image is its config, or containerd's, where it is what a registry has. */
export type Store = 'classic' | 'overlay2' | 'containerd';

/** An image as one of Docker's stores holds it. */
export interface StoredImage {
  readonly scan: Scan;
  readonly graph: Graph;
  /** Classic: the digest of the config. containerd: of the manifest or index. null where it cannot be told. */
  readonly id: string | null;
  /** As Docker shows them (`app:1.2`), in its order. */
  readonly tags: readonly string[];
  readonly digests: readonly string[];
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
}

/** The host that answers where nothing else is said. */
export const HOST: Platform = { os: 'linux', architecture: 'amd64', variant: null, osVersion: null };

export const runsOnHost = ({ platform }: Image): boolean =>
  platform !== null && platformMatches(platform, HOST);
