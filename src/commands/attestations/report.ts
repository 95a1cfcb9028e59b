import { packagesIn, WANTED_FOR_PACKAGES } from '../../analysis/packages.js';
import { compareSbom, type SbomComparison } from '../../attestations/compare.js';
import {
  type Attestation,
  type AttestationKind,
  type AttestationProblem,
  attestationsOf,
  attestationsOfPart,
  type SubjectVerdict,
} from '../../attestations/discover.js';
import type { Provenance } from '../../attestations/provenance.js';
import type { SbomFormat } from '../../attestations/sbom.js';
import { layerFaults, tablesOf } from '../../filesystem/layer-tables.js';
import type { Image } from '../../link/graph.js';
import { type ArchiveReading, type PartReading, pathIn, type ReadOptions } from '../../report/read.js';
import { type ImageReport, type Report, reportOf } from '../../report/report.js';
import { chosenImages, type Selection } from '../../report/select.js';
import { DocumentSignatures, survey, type Verifier } from '../../signatures/survey.js';
import type { VerifiedBy } from '../../signatures/verify/verification.js';

export interface AttestationsOptions extends Selection {
  /** Only documents of these kinds. */
  readonly kinds?: readonly AttestationKind[] | undefined;
  /** Compare each SBOM with the packages of its image. */
  readonly compare?: boolean | undefined;
  /** Verifies the signatures of documents; null or left out where nothing is trusted. */
  readonly verifier?: Verifier | null | undefined;
}

/** The report of `waybill attestations --json`: the general report, with the documents about each image. */
export interface AttestationsReport extends Omit<Report, 'images'> {
  readonly images: readonly ImageDocuments[];
  /** Documents about manifests that the archive does not hold; empty where images were selected. */
  readonly unattached: readonly DocumentReport[];
}

export interface ImageDocuments extends ImageReport {
  readonly documents: readonly DocumentReport[];
}

/** A document about an image. All of it is claims, but for `digest`, `subject` and `comparison`. */
export interface DocumentReport {
  readonly kind: AttestationKind;
  readonly form: Attestation['form'];
  /** Member of the archive; null if the archive does not hold it. */
  readonly path: string | null;
  readonly digest: string | null;
  /** Bytes; null if the archive does not hold it. */
  readonly size: number | null;
  readonly mediaType: string | null;
  /** Digest of the manifest that lists it. */
  readonly manifest: string | null;
  /** Digest of the manifest on which it hangs; null where nothing says so. */
  readonly placedOn: string | null;
  readonly predicateType: string | null;
  /** Which manifest it is about, by computed digests. */
  readonly subject: SubjectVerdict;
  readonly subjects: readonly string[];
  readonly subjectCount: number;
  /** Whether its envelope, or the manifest that lists it, is signed: so that it verifies, where anything is trusted. */
  readonly signed: boolean;
  /** The signer of the first signature that verifies; null where none does, and where nothing is trusted. */
  readonly signer: VerifiedBy | null;
  readonly sbom: SbomReport | null;
  readonly provenance: Provenance | null;
  readonly problem: AttestationProblem | null;
}

export interface SbomReport {
  readonly format: SbomFormat;
  readonly version: string | null;
  /** How many packages it lists; null if they cannot be read. */
  readonly packages: number | null;
  /** Left out where it was not asked for; null if the packages of the SBOM or of the image cannot all be read. */
  readonly comparison?: SbomComparison | null;
}

/** The read options that `attestations` needs. What is verified is read to its last byte. */
export function attestationsReadOptions({
  compare,
  verifier,
}: Pick<AttestationsOptions, 'compare' | 'verifier'>): ReadOptions {
  if (compare === true) return { depth: 'files', files: WANTED_FOR_PACKAGES };
  return { depth: verifier == null ? 'metadata' : 'digests' };
}

const ofKinds = (all: readonly Attestation[], { kinds }: Pick<AttestationsOptions, 'kinds'>) =>
  all.filter(({ kind }) => kinds?.includes(kind) ?? true);

/** The documents that hang on an image. */
export const documentsOf = (part: PartReading, image: Image, options: Pick<AttestationsOptions, 'kinds'>) =>
  ofKinds(attestationsOf(part, image), options);

/** The report of `attestations`. */
export function attestationsReport(
  reading: ArchiveReading,
  options: AttestationsOptions = {},
): AttestationsReport {
  const chosen = chosenImages(reading, options);
  const report = reportOf(reading, new Set(chosen.map(({ image }) => image)));
  const verifier = options.verifier ?? null;
  const signatures = new DocumentSignatures(survey(reading.parts, verifier), reading.parts);
  const signing = { signatures, isTrusting: verifier !== null };
  const images = chosen.map(({ part, image }, i): ImageDocuments => {
    const compare = options.compare === true ? comparer(part, image) : null;
    const documents = documentsOf(part, image, options).map(one =>
      documentReport(part, one, signing, compare),
    );
    return { ...report.images[i]!, documents };
  });
  const isAll = options.ref === undefined && options.platform === undefined;
  const unattached = (isAll ? reading.parts : []).flatMap(part =>
    ofKinds(attestationsOfPart(part), options)
      .filter(one => one.images.length === 0)
      .map(one => documentReport(part, one, signing, null)),
  );
  return { ...report, images, unattached };
}

type Comparer = (attestation: Attestation) => SbomComparison | null;

/** Compares SBOMs with the packages of one image, which are read once. */
function comparer({ scan }: PartReading, image: Image): Comparer {
  let installed: ReturnType<typeof packagesIn> | null = null;
  const isWhole = layerFaults(scan, image).every(({ kind }) => kind === 'changed');
  return ({ sbom }) => {
    if (sbom === null || !isWhole) return null;
    installed ??= packagesIn(tablesOf(scan, image));
    return installed.notes.length === 0 ? compareSbom(sbom, installed.packages) : null;
  };
}

/** The signatures of the documents, and whether they were verified. */
interface Signing {
  readonly signatures: DocumentSignatures;
  readonly isTrusting: boolean;
}

/** A signature whose parts are not there signs nothing. */
function signed({ signatures, isTrusting }: Signing, part: PartReading, { artifact, layer }: Attestation) {
  const found = signatures.of(part, artifact, layer).filter(({ signature }) => signature.problem === null);
  const verified = found.flatMap(({ verification }) =>
    verification?.outcome === 'verified' ? [verification.by] : [],
  );
  return { signed: isTrusting ? verified.length > 0 : found.length > 0, signer: verified[0] ?? null };
}

function documentReport(
  part: PartReading,
  attestation: Attestation,
  signing: Signing,
  compare: Comparer | null,
): DocumentReport {
  const { kind, form, member, digest, mediaType, artifact, placedOn, predicateType } = attestation;
  const { subject, subjects, subjectCount, sbom, sbomFormat, provenance, problem } = attestation;
  const sbomReport = (format: SbomFormat): SbomReport => ({
    format,
    version: sbom?.version ?? null,
    packages: sbom?.packages.length ?? null,
    ...(compare !== null && { comparison: compare(attestation) }),
  });
  return {
    kind,
    form,
    path: member === null ? null : pathIn(part.part, member.path),
    digest,
    size: member?.size ?? null,
    mediaType,
    manifest: artifact.digest ?? artifact.claimedDigest,
    placedOn,
    predicateType,
    subject,
    subjects,
    subjectCount,
    ...signed(signing, part, attestation),
    sbom: sbomFormat === null ? null : sbomReport(sbomFormat),
    provenance,
    problem,
  };
}
