import { listText } from '../docker/manifest/inspect.js';
import type { DescriptorRaw } from '../docker/manifest/types.js';

/** A list of manifests that waits to be written, as `docker manifest create` starts one. */
export interface ManifestList {
  /** In full, as Docker keeps it: `docker.io/library/app:1.2`. */
  readonly name: string;
  readonly entries: readonly ListEntry[];
}

/** One image of a list. */
export interface ListEntry {
  /** Absolute path of the archive that it was taken from, and is copied from in the end. */
  readonly archive: string;
  /** The reference by which it was chosen there; null where none was needed. */
  readonly ref: string | null;
  /** Path of the image tarball inside a zip; null when the file itself is the archive. */
  readonly inside: string | null;
  /** What Docker would call the image, in full. */
  readonly name: string;
  readonly mediaType: string;
  readonly digest: string;
  readonly manifest: Uint8Array;
  readonly platform: ListPlatform;
  /** Config and layers, without those that are not meant to travel. */
  readonly blobs: readonly ListedBlob[];
}

/** Empty where nothing is said. */
export interface ListPlatform {
  readonly architecture: string;
  readonly os: string;
  readonly osVersion: string;
  readonly osFeatures: readonly string[];
  readonly variant: string;
}

export interface ListedBlob {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Where it lies in the archive; null where it does not. */
  readonly path: string | null;
  /** `config`, `layer 3` */
  readonly what: string;
}

/** The descriptor of an entry as Docker keeps it. */
export function descriptorOf({ mediaType, digest, manifest, platform }: ListEntry): DescriptorRaw {
  const { architecture, os, osVersion, osFeatures, variant } = platform;
  return {
    MediaType: mediaType,
    Digest: digest,
    Size: manifest.length,
    Platform: {
      Architecture: architecture,
      OS: os,
      OSVersion: osVersion,
      OSFeatures: osFeatures,
      Variant: variant,
    },
  };
}

/** The bytes of the list, as Docker pushes them. */
export const listBytes = ({ entries }: ManifestList): Uint8Array =>
  Buffer.from(listText(entries.map(descriptorOf)));
