import type { Finding } from '../checks/findings.js';
import type { Verdicts } from '../checks/verdicts.js';
import type { Compression } from '../codec/codec.js';
import type { Artifact, Layout } from '../image/graph.js';
import type { Container } from '../source/source.js';

/**
 * The report that `--json` prints: a contract, versioned by `schemaVersion`, described by docs/schema.json.
 * All sizes are bytes.
 */
export interface Report {
  readonly schemaVersion: 1;
  readonly archive: ArchiveReport;
  readonly images: readonly ImageReport[];
  readonly artifacts: readonly ArtifactReport[];
  /** Manifests that an index lists and the archive does not hold. */
  readonly absent: readonly AbsentReport[];
  readonly verdicts: Verdicts;
  readonly findings: readonly Finding[];
}

export interface ArchiveReport {
  readonly file: string;
  readonly container: Container;
  /** Compression of the file as a whole. */
  readonly compression: Compression;
  readonly size: number;
  readonly layout: Layout;
  /** Who most probably wrote it; null when nothing tells. */
  readonly producer: string | null;
  /** What says so. */
  readonly marks: readonly string[];
  /** The image tarballs inside a zip; empty for any other archive. */
  readonly parts: readonly {
    readonly path: string;
    readonly compression: Compression;
    readonly layout: Layout;
    readonly producer: string | null;
  }[];
}

export interface ImageReport {
  /** Digest of the config's bytes. null for v1 images, which have none, and where the config is absent. */
  readonly imageId: string | null;
  readonly manifestDigest: string | null;
  /** Digests of the indexes on the way to the manifest, outermost first. */
  readonly indexDigests: readonly string[];
  readonly names: readonly string[];
  readonly platform: string | null;
  /** Version of Windows, such as `10.0.20348.2227`. */
  readonly osVersion: string | null;
  readonly created: string | null;
  /** Whether the config and every layer are here. */
  readonly complete: boolean;
  readonly verdicts: Verdicts;
  readonly layers: readonly LayerReport[];
  readonly attestations: readonly ArtifactReport[];
  /** Digests of artifacts whose subject is this image. */
  readonly referrers: readonly string[];
  readonly mediaType: string | null;
  readonly v1Id: string | null;
  readonly user: string | null;
  readonly entrypoint: readonly string[] | null;
  readonly cmd: readonly string[] | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Path of the image tarball inside a zip; null otherwise. */
  readonly inside: string | null;
}

export interface LayerReport {
  /** What the stored bytes are, where they were read; else what is claimed; null where neither is known. */
  readonly digest: string | null;
  readonly size: number | null;
  readonly mediaType: string | null;
  /** By magic bytes; null when the layer is absent. */
  readonly compression: Compression | null;
  /** What the unpacked bytes are; null where they were not read, or cannot be unpacked. */
  readonly diffId: string | null;
  readonly unpackedSize: number | null;
  readonly chainId: string | null;
  readonly createdBy: string | null;
  readonly present: boolean;
  readonly claimedDigest: string | null;
  readonly claimedSize: number | null;
  /** What the config says. */
  readonly claimedDiffId: string | null;
  /** Member of the archive that holds it. */
  readonly path: string | null;
  /** Lazily pullable formats that the layer is also valid as. */
  readonly format: 'estargz' | 'zstd:chunked' | null;
  readonly foreign: boolean;
  readonly encrypted: boolean;
  readonly urls: readonly string[];
  /** Entries of its tar; null where it was not walked. */
  readonly entries: number | null;
  readonly v1Id: string | null;
}

export interface ArtifactReport {
  readonly kind: Artifact['kind'];
  readonly digest: string | null;
  readonly mediaType: string | null;
  readonly artifactType: string | null;
  readonly size: number;
  readonly names: readonly string[];
  readonly subject: string | null;
  /** Whether an index lists it; others are found by the subject that they name. */
  readonly listed: boolean;
  readonly blobs: readonly {
    readonly digest: string | null;
    readonly size: number | null;
    readonly mediaType: string | null;
    readonly predicateType: string | null;
    readonly present: boolean;
  }[];
  readonly complete: boolean;
}

export interface AbsentReport {
  readonly digest: string;
  readonly platform: string | null;
  readonly osVersion: string | null;
  readonly names: readonly string[];
  readonly indexDigests: readonly string[];
  readonly attestation: boolean;
  /** Digest of the manifest that an attestation is about, where the index says so. */
  readonly subject: string | null;
}
