import type { Compression } from '../codec/registry.js';
import type { Container, Member } from '../containers/source.js';
import type { EngineStop, UnknownCause } from '../decoding/refused.js';
import type { Image } from '../link/graph.js';
import { DOCKER_CONFIG, DOCKER_LIST, DOCKER_MANIFEST, OCI_MANIFEST } from '../spec/media-types.js';

export type EngineName =
  | 'docker-classic'
  | 'docker-containerd'
  | 'podman'
  | 'skopeo-docker-archive'
  | 'skopeo-oci-archive'
  | 'crane'
  /** `podman load -i DIR`. This and what follows read directories alone. */
  | 'podman-directory'
  | 'skopeo-oci'
  | 'skopeo-dir'
  | 'umoci';

/** Which images of the file an engine loads, where it passes over others. */
export type LoadedInstead =
  /** The file holds no image. */
  | { readonly code: 'none' }
  /** manifest.json is an empty list. */
  | { readonly code: 'empty-list' }
  /** All that the document lists. */
  | { readonly code: 'all-listed'; readonly document: 'manifest.json' | 'index.json' }
  /** The only one that index.json lists. */
  | { readonly code: 'only-listed' }
  /** The one of `skopeo copy … dir:DIR`. */
  | { readonly code: 'directory-manifest' }
  /** The v1 images: a folder at the top of the archive each. */
  | { readonly code: 'v1-folders' }
  /** An item of manifest.json has the same name. Counted from 0. */
  | { readonly code: 'same-name'; readonly item: number }
  /** The one of which index.json has the only entry. */
  | { readonly code: 'index-entry' }
  /** The one that an index lists for linux/amd64, by its fields of a platform; empty where the index gives none. */
  | {
      readonly code: 'platform';
      readonly os: string;
      readonly architecture: string;
      readonly variant: string;
    }
  /** Every one to which index.json gives a name. */
  | { readonly code: 'named' }
  /** The one that index.json calls latest. */
  | { readonly code: 'latest' };

/** A fact that a user should know beside the outcome. */
export type EngineNote =
  /**
   * Docker's classic store stores an image before it looks at its names, and leaves it there when it fails at these.
   */
  | { readonly code: 'stored-all-the-same'; readonly id: string }
  /** The engine takes this image, and ends early at another one. */
  | { readonly code: 'stops-at-another'; readonly stop: EngineStop }
  /** Stored under a name by which no command finds it. */
  | { readonly code: 'name-not-found'; readonly name: string }
  /** A later entry has the name too, and takes it: that with this digest. */
  | { readonly code: 'name-taken'; readonly name: string; readonly by: string }
  /** Another storage driver than the one that is modelled refuses a layer. */
  | {
      readonly code: 'other-driver';
      readonly driver: 'vfs' | 'overlay' | 'overlay2';
      readonly message: string;
    }
  /** The image is kept and cannot be run. `message` is what containerd says. */
  | { readonly code: 'unpacking-fails'; readonly message: string }
  | { readonly code: 'unpacking-unknown'; readonly cause: UnknownCause }
  /** The scan took the digests of the layers from the documents. */
  | { readonly code: 'layers-not-read' }
  /**
   * crane packs plain layers itself: the digest that it prints depends on its gzip, and the ID given is the config's
   * digest.
   */
  | { readonly code: 'packed-by-crane' }
  /** Where containerd already holds a layer compressed, its manifest names that one. */
  | { readonly code: 'empty-store' }
  /** skopeo takes this image when it is asked for by its index in manifest.json, and prints the digest. */
  | { readonly code: 'by-index'; readonly index: number; readonly digest: string }
  /** umoci looks the user up in files of the image. */
  | { readonly code: 'user-lookup'; readonly user: string }
  | { readonly code: 'no-name-in-index' }
  /** The engine is given a tar of the directory. */
  | { readonly code: 'directory-as-tar' }
  | { readonly code: 'zip-not-read'; readonly command: string }
  | { readonly code: 'plain-tar-only' };

/** How the archive reaches the engine. */
export interface Delivery {
  readonly container: Container;
  /** Compression of the tar itself, also inside a zip. Every engine unpacks every format that waybill does. */
  readonly compression: Compression;
  /** The image tarball inside a zip: then that is the file the engine is given. */
  readonly inside: string | null;
  /** Docker's major version. */
  readonly docker: number;
}

/** The engine takes the image. */
interface Accepted {
  readonly outcome: 'accepted';
  /** The ID that the engine will give the image (docker, podman), or the digest that it prints (skopeo, crane). */
  readonly id: string;
}

/** The engine takes the file without an error, and not this image: it loads others, or none. */
interface PassedOver {
  readonly outcome: 'loads-another';
  readonly loads: LoadedInstead;
}

/** The outcome of one image in one engine, or of the whole file. */
export type Verdict = (Accepted | PassedOver | EngineStop) & { readonly notes: readonly EngineNote[] };

export type OutcomeCode = Verdict['outcome'];

/** A verdict with the engine that gives it. */
export type EngineVerdict = Verdict & { readonly engine: EngineName };

/** An image that an engine takes from the file, by the members that it reads. */
export interface LoadedImage {
  /** null where the engine writes the config itself: from a v1 image. */
  readonly config: Member | null;
  /** Base first. */
  readonly layers: readonly Member[];
}

/** The result of one engine for the file as a whole. */
export interface EngineRun {
  /** The images that it takes, of every platform, by whatever name it is asked for. */
  readonly loads: readonly LoadedImage[];
  /** The images it came to, by the keys of `keysOf`. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** Why it ended early; null where it came to its end. */
  readonly stop: EngineStop | null;
  /** The images that it loads in place of those that have no verdict, where it came to its end. */
  readonly loadsInstead: LoadedInstead;
}

export const itemKey = (index: number) => `item ${index}`;
export const entryKey = (digest: string) => `entry ${digest}`;
export const manifestKey = (digest: string) => `manifest ${digest}`;
export const v1Key = (id: string) => `v1 ${id}`;

/**
 * The ways an engine comes to an image: by its manifest, index.json's entry above it, manifest.json, or its v1 folder.
 */
export function keysOf(image: Image): string[] {
  const digest = image.manifest?.claimedDigest ?? image.manifest?.digest ?? null;
  const outermost = image.indexDigests[0] ?? null;
  return [
    ...(digest === null ? [] : [manifestKey(digest), entryKey(digest)]),
    ...(outermost === null ? [] : [entryKey(outermost)]),
    ...(image.docker === null ? [] : [itemKey(image.docker.index)]),
    ...(image.kind === 'v1' && image.v1Id !== null ? [v1Key(image.v1Id)] : []),
  ];
}

export const accepted = (id: string, ...notes: readonly EngineNote[]): Verdict => ({
  outcome: 'accepted',
  id,
  notes,
});

export const storedAllTheSame = (id: string, stop: EngineStop): Verdict => ({
  ...stop,
  notes: [{ code: 'stored-all-the-same', id }],
});

export const loadsInstead = (loads: LoadedInstead, ...notes: readonly EngineNote[]): Verdict => ({
  outcome: 'loads-another',
  loads,
  notes,
});

export const ALL_OF_MANIFEST_JSON: LoadedInstead = { code: 'all-listed', document: 'manifest.json' };

/** The manifests that engines take for an image's. */
export const IMAGE_TYPES: ReadonlySet<string> = new Set([OCI_MANIFEST, DOCKER_MANIFEST]);

const LAYER = 'application/vnd.docker.image.rootfs.';

/**
 * The media types that a Docker manifest may hold. containers/image manifest/docker_schema2.go
 * (SupportedSchema2MediaType)
 */
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
