import type { Finding } from '../checks/findings.js';
import { doubtsBeside, doubtsOf, NO_DOUBTS, type Verdicts, verdictsBy } from '../checks/verdicts.js';
import type { Compression } from '../codec/registry.js';
import type { Container } from '../containers/source.js';
import { isPlainTar } from '../filesystem/layer-tables.js';
import type { AbsentManifest, Artifact, Image, Layer } from '../link/graph.js';
import type { Layout } from '../link/layouts/registry.js';
import type { BlobFacts } from '../scan/blob/facts.js';
import type { Scan } from '../scan/scan.js';
import { sameAlgorithm } from '../spec/digest.js';
import { formatPlatform, type Platform } from '../spec/platform.js';
import { type ArchiveReading, type PartReading, pathIn } from './read.js';

/** @param chosen  the images to report; all by default */
export function reportOf(reading: ArchiveReading, chosen?: ReadonlySet<Image>): Report {
  const { parts } = reading;
  const told = parts.map(part => ({ part, findings: findingsFor(part, chosen) }));
  const doubts = [
    ...told.map(({ part, findings }) => doubtsOf(findings, part.graph)),
    ...reading.findings.map(doubtsBeside),
  ];
  const isVerified = reading.depth !== 'metadata';
  return {
    schemaVersion: 1,
    archive: archiveReport(reading),
    images: parts.flatMap(p =>
      p.graph.images.filter(image => chosen?.has(image) ?? true).map(image => imageReport(p, image)),
    ),
    artifacts: parts.flatMap(p => p.graph.artifacts.map(artifact => artifactReport(p.scan, artifact))),
    absent: parts.flatMap(p => p.graph.absent.map(absentReport)),
    verdicts: verdictsBy(
      doubts.reduce((sum, some) => sum | some, NO_DOUBTS),
      isVerified,
    ),
    findings: [
      ...told.flatMap(({ part, findings }) => findings.map(finding => placed(part, finding))),
      ...reading.findings,
    ],
  };
}

function archiveReport({ opened, parts, size }: ArchiveReading): ArchiveReport {
  const { layout, producer } = parts[0]!.graph;
  return {
    file: opened.file,
    container: opened.container,
    compression: opened.compression,
    size,
    layout,
    producer: producer?.name ?? null,
    marks: producer?.marks ?? [],
    parts: parts.flatMap(({ part: { inside, compression }, graph }) =>
      inside === null
        ? []
        : [{ path: inside, compression, layout: graph.layout, producer: graph.producer?.name ?? null }],
    ),
  };
}

/** A finding with the image archive that it is about; null if it is about the zip around them. */
export interface PartFinding {
  readonly part: PartReading | null;
  readonly finding: Finding;
}

/** The findings of a report, in its order. Paths are relative to their part. */
export function partFindings(reading: ArchiveReading, chosen?: ReadonlySet<Image>): readonly PartFinding[] {
  return [
    ...reading.parts.flatMap(part => findingsFor(part, chosen).map(finding => ({ part, finding }))),
    ...reading.findings.map(finding => ({ part: null, finding })),
  ];
}

/** Findings for the chosen images, without those that are about other images only. */
function findingsFor(reading: PartReading, chosen: ReadonlySet<Image> | undefined): readonly Finding[] {
  const others = reading.graph.images.filter(image => chosen?.has(image) === false);
  if (others.length === 0) return reading.findings;
  const wanted = reading.concerns.of(reading.graph.images.filter(image => chosen?.has(image) !== false));
  const foreign = reading.concerns.of(others);
  return reading.findings.filter(finding => wanted.has(finding) || !foreign.has(finding));
}

function placed({ part }: PartReading, finding: Finding): Finding {
  if (part.inside === null) return finding;
  return { ...finding, at: { ...finding.at, path: pathIn(part, finding.at.path) } };
}

const platformText = (platform: Platform | null) => (platform === null ? null : formatPlatform(platform));

function isComplete(image: Image): boolean {
  return image.config?.member != null && image.layers.every(layer => layer.member !== null);
}

export const imageIdOf = (image: Image) =>
  image.kind === 'image' ? (image.config?.document?.digest ?? null) : null;

function imageReport(reading: PartReading, image: Image): ImageReport {
  const { scan, part } = reading;
  const parsed = image.config?.parsed ?? null;
  return {
    imageId: imageIdOf(image),
    manifestDigest: image.manifest?.digest ?? null,
    indexDigests: image.indexDigests,
    names: image.names,
    platform: platformText(image.platform),
    osVersion: image.platform?.osVersion ?? null,
    created: parsed?.created ?? null,
    complete: isComplete(image),
    verdicts: verdictsBy(reading.concerns.doubts(image), scan.depth !== 'metadata'),
    layers: image.layers.map(layer => layerReport(scan, layer)),
    attestations: image.attestations.map(attestation => artifactReport(scan, attestation)),
    referrers: image.referrers,
    mediaType: image.manifest?.mediaType ?? null,
    v1Id: image.v1Id,
    user: parsed?.run.user ?? null,
    entrypoint: parsed?.run.entrypoint ?? null,
    cmd: parsed?.run.cmd ?? null,
    labels: Object.fromEntries(parsed?.run.labels ?? []),
    inside: part.inside,
  };
}

function layerReport(scan: Scan, layer: Layer): LayerReport {
  const { member, claimedDigest, claimedDiffId } = layer;
  const facts = member === null ? null : scan.facts(member);
  // What is encrypted is bytes as they are stored, and of what is in them nothing is known.
  const unpacked = facts === null || (layer.encrypted && !isPlainTar(facts)) ? null : facts.unpacked;
  return {
    digest: storedDigest(facts, claimedDigest),
    size: member === null ? layer.claimedSize : (facts?.size ?? member.size),
    mediaType: layer.mediaType,
    compression: member === null ? null : (facts?.compression ?? scan.head(member).compression),
    diffId: unpackedDigest(unpacked, claimedDiffId),
    unpackedSize: unpacked?.size ?? null,
    chainId: layer.chainId,
    createdBy: layer.createdBy,
    present: member !== null,
    claimedDigest,
    claimedSize: layer.claimedSize,
    claimedDiffId,
    path: member?.path ?? null,
    format: formatOf(facts, layer),
    foreign: layer.foreign,
    encrypted: layer.encrypted,
    urls: layer.urls,
    entries: facts?.tar?.error === null ? facts.tar.entries : null,
    v1Id: layer.v1Id,
  };
}

function storedDigest(facts: BlobFacts | null, claim: string | null): string | null {
  if (facts?.digests == null) return claim;
  return (claim === null ? null : sameAlgorithm(facts.digests, claim)) ?? facts.digests.sha256;
}

function unpackedDigest(unpacked: BlobFacts['unpacked'], claim: string | null): string | null {
  if (unpacked === null) return null;
  return (claim === null ? null : sameAlgorithm(unpacked.digests, claim)) ?? unpacked.digests.sha256;
}

function formatOf(facts: BlobFacts | null, layer: Layer): LayerReport['format'] {
  const { annotations } = layer;
  if (facts?.tar?.estargz === true || annotations.has('containerd.io/snapshot/stargz/toc.digest'))
    return 'estargz';
  return annotations.has('io.github.containers.zstd-chunked.manifest-checksum') ? 'zstd:chunked' : null;
}

function artifactReport(scan: Scan, artifact: Artifact): ArtifactReport {
  return {
    kind: artifact.kind,
    digest: artifact.digest ?? artifact.claimedDigest,
    mediaType: artifact.mediaType,
    artifactType: artifact.artifactType,
    size: artifact.size,
    names: artifact.names,
    subject: artifact.subject,
    listed: artifact.listed,
    blobs: artifact.layers.map(layer => ({
      digest: storedDigest(layer.member === null ? null : scan.facts(layer.member), layer.claimedDigest),
      size: layer.member?.size ?? layer.claimedSize,
      mediaType: layer.mediaType,
      predicateType: layer.annotations.get('in-toto.io/predicate-type') ?? null,
      present: layer.member !== null,
    })),
    complete: artifact.config?.member !== null && artifact.layers.every(layer => layer.member !== null),
  };
}

const absentReport = (absent: AbsentManifest): AbsentReport => ({
  digest: absent.digest,
  platform: platformText(absent.platform),
  osVersion: absent.platform?.osVersion ?? null,
  names: absent.names,
  indexDigests: absent.indexDigests,
  attestation: absent.attestation,
  subject: absent.subject,
});

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
  /** The marks by which the producer was recognised. */
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
  /** The digest of the stored bytes, where they were read; else the claimed one; null where neither is known. */
  readonly digest: string | null;
  readonly size: number | null;
  readonly mediaType: string | null;
  /** By magic bytes; null when the layer is absent. */
  readonly compression: Compression | null;
  /** The digest of the unpacked bytes; null where they were not read, or cannot be unpacked. */
  readonly diffId: string | null;
  readonly unpackedSize: number | null;
  readonly chainId: string | null;
  readonly createdBy: string | null;
  readonly present: boolean;
  readonly claimedDigest: string | null;
  readonly claimedSize: number | null;
  /** As the config says. */
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
