import type { Member } from '../containers/source.js';
import type { Limits } from '../limits.js';
import type { Document } from '../scan/blob/document.js';
import type { ImageConfig } from '../spec/config.js';
import type { Descriptor } from '../spec/descriptor.js';
import type { DockerManifestItem } from '../spec/docker-archive.js';
import type { ImageManifest } from '../spec/manifest.js';
import type { Platform } from '../spec/platform.js';
import type { Layout } from './layouts/registry.js';
import type { Observations } from './observation.js';

/** A place in the archive: a member, and a JSON pointer into it where it is a document. */
export interface Location {
  readonly path: string;
  readonly pointer: string | null;
}

/** The linked documents of one archive. They are claims; checks compare them with the bytes. */
export interface Graph {
  readonly layout: Layout;
  /** Folder of the layout inside the archive, with a trailing slash, or empty. */
  readonly root: string;
  readonly producer: Producer | null;
  readonly images: readonly Image[];
  readonly artifacts: readonly Artifact[];
  readonly indexes: readonly IndexNode[];
  /** Manifests that an index lists and the archive does not hold. */
  readonly absent: readonly AbsentManifest[];
  /** Claims of any document about any blob. */
  readonly claims: readonly Claim[];
  /** Members that some document points at, and the documents themselves. */
  readonly referenced: ReadonlySet<string>;
  /** Unreferenced blobs that are expected: the v1 JSON that Docker 25 and later leaves behind. */
  readonly leftovers: ReadonlySet<string>;
  /** Observations made while linking. */
  readonly observations: Observations;
  readonly docker: readonly DockerManifestItem[] | null;
  /** The limits that linking kept to. */
  readonly limits: Limits;
}

/** The tools whose archives are known by their marks. Several tools that write the same have one ID. */
export type ProducerId =
  | 'apko'
  | 'buildkit-cache'
  | 'buildkit-oci'
  | 'buildx-history'
  | 'containerd-docker'
  | 'containerd-oci'
  | 'containerify'
  | 'containers-image-dir'
  | 'containers-image-docker'
  | 'containers-image-oci'
  | 'cosign'
  | 'docker-save-1.10'
  | 'docker-save-1.9'
  | 'docker-save-25'
  | 'go-containerregistry-docker'
  | 'go-containerregistry-legacy'
  | 'go-containerregistry-oci'
  | 'hauler'
  | 'jib'
  | 'nix'
  | 'oras'
  | 'regctl'
  | 'rules-docker'
  | 'rules-oci'
  | 'specification-types-oci'
  | 'umoci';

export interface Producer {
  readonly id: ProducerId;
  /** For people: the tool that most probably wrote the archive, e.g. `docker save 1.10 to 24`. */
  readonly name: string;
  /** The marks by which it is known. */
  readonly marks: readonly string[];
}

export interface Image {
  /** A `v1` image is from before image IDs: its config is the `json` of its top layer, and names nothing by digest. */
  readonly kind: 'image' | 'v1';
  /** null where the manifest has no config. */
  readonly config: ConfigNode | null;
  readonly manifest: ManifestNode | null;
  /** The item of manifest.json that names this image. */
  readonly docker: DockerManifestItem | null;
  /** ID of the top layer, in archives from before image IDs. */
  readonly v1Id: string | null;
  /** As the archive writes them. */
  readonly names: readonly string[];
  /** Those of `names` that only skopeo and its kin go by: no other engine knows the image by them. */
  readonly refNames?: ReadonlySet<string>;
  /** The indexes on the way to the manifest, outermost first. */
  readonly indexDigests: readonly string[];
  /** By the index that lists the manifest, or else by the config. */
  readonly platform: Platform | null;
  readonly declaredPlatform: { readonly platform: Platform; readonly at: Location } | null;
  readonly layers: readonly Layer[];
  readonly attestations: readonly Artifact[];
  /** Manifests whose `subject` is this image. */
  readonly referrers: readonly string[];
  /** The document that describes the image, for findings about the image as a whole. */
  readonly at: Location;
}

export interface ConfigNode {
  /** Path as the manifest gives it, below the root. */
  readonly path: string;
  readonly claimedDigest: string | null;
  readonly at: Location;
  /** null when absent. */
  readonly member: Member | null;
  readonly document: Document | null;
  readonly parsed: ImageConfig | null;
}

export interface ManifestNode {
  readonly path: string;
  readonly claimedDigest: string | null;
  /** Digest of the bytes; null where they were not read. */
  readonly digest: string | null;
  readonly size: number;
  /** The descriptors that point here; none for skopeo's dir. */
  readonly descriptors: readonly { readonly descriptor: Descriptor; readonly at: Location }[];
  readonly mediaType: string | null;
  readonly parsed: ImageManifest;
}

export interface Layer {
  /** Path or digest, as the document writes it. */
  readonly ref: string;
  readonly at: Location;
  readonly member: Member | null;
  readonly claimedDigest: string | null;
  readonly claimedSize: number | null;
  readonly mediaType: string | null;
  readonly urls: readonly string[];
  /**
   * Non-distributable by its media type, so that its absence is no fault; `urls` alone are only a hint (descriptor.md).
   */
  readonly foreign: boolean;
  readonly encrypted: boolean;
  readonly annotations: ReadonlyMap<string, string>;
  /** The diff_id that the config lists: the digest of the unpacked tar. */
  readonly claimedDiffId: string | null;
  readonly chainId: string | null;
  readonly createdBy: string | null;
  /** The v1 ID of the directory that holds it. */
  readonly v1Id: string | null;
}

/** A manifest that is not an image: an attestation, an artifact, a signature, or a manifest that cannot be read. */
export interface Artifact {
  readonly kind: 'attestation' | 'artifact' | 'docker-reference' | 'schema1' | 'unknown';
  readonly digest: string | null;
  readonly claimedDigest: string | null;
  readonly path: string;
  readonly size: number;
  readonly mediaType: string | null;
  readonly artifactType: string | null;
  readonly names: readonly string[];
  readonly indexDigests: readonly string[];
  /** Digest of the manifest that is its `subject`. */
  readonly subject: string | null;
  /** The descriptors that point here; none where it is found only by its `subject`. */
  readonly descriptors: readonly { readonly descriptor: Descriptor; readonly at: Location }[];
  /** Whether an index lists it. Others are found by their `subject`. */
  readonly listed: boolean;
  readonly layers: readonly Layer[];
  readonly config: ConfigNode | null;
  readonly annotations: ReadonlyMap<string, string>;
  readonly at: Location;
}

/** How an image's `referrers` name a manifest. */
export const referrerName = ({ claimedDigest, digest, path }: Artifact): string =>
  claimedDigest ?? digest ?? path;

export interface IndexNode {
  readonly digest: string;
  readonly path: string;
  readonly size: number;
  readonly mediaType: string | null;
  readonly artifactType: string | null;
  readonly names: readonly string[];
  /** As those of an image. */
  readonly refNames: ReadonlySet<string>;
  readonly subject: string | null;
  readonly manifests: readonly Descriptor[];
  /** The descriptors that lead here. */
  readonly descriptors: readonly { readonly descriptor: Descriptor; readonly at: Location }[];
  /** Annotations of the first of them. */
  readonly annotations: ReadonlyMap<string, string>;
}

export interface AbsentManifest {
  readonly digest: string;
  readonly at: Location;
  readonly platform: Platform | null;
  readonly names: readonly string[];
  readonly indexDigests: readonly string[];
  /** All descriptors that point at it. */
  readonly descriptors: readonly { readonly descriptor: Descriptor; readonly at: Location }[];
  readonly attestation: boolean;
  /** Digest of the manifest that an attestation is about. */
  readonly subject: string | null;
}

/** A document's claim about a member of the archive. */
export type Claim = {
  readonly member: Member;
  readonly by: Location;
} & (
  | { readonly kind: 'digest'; readonly value: string }
  | { readonly kind: 'size'; readonly value: number }
  | { readonly kind: 'inline-data'; readonly value: Uint8Array; readonly digest: string }
);
