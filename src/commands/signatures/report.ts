import type { SignaturesJudged } from '../../checks/signatures.js';
import type { ArchivePart } from '../../link/digest-ways.js';
import type { Image, Location } from '../../link/graph.js';
import { type ArchiveReading, pathIn } from '../../report/read.js';
import type { ChainStep } from '../../signatures/coverage.js';
import type { ClaimedSigner, Signature, SignatureProblem } from '../../signatures/signature.js';
import {
  attachedBeside,
  type ImageSignatures,
  type Survey,
  type SurveyedSignature,
} from '../../signatures/survey.js';
import type { Verification, VerifiedBy } from '../../signatures/verify/verification.js';
import { formatPlatform } from '../../spec/platform.js';

/** The part of `--json` about signatures, in `signatures` and in commands that require them. */
export interface SignaturesReport {
  /** Whether every image is signed as it is required; null where nothing is required. */
  readonly met: boolean | null;
  /** The images, chosen ones only, and what counts for each. */
  readonly images: readonly SignedImageReport[];
  readonly found: readonly SignatureReport[];
  /** Other artifacts that are attached to something, such as an SBOM with cosign's tag `.sbom`, the first hundred. */
  readonly attached: readonly AttachedReport[];
  /** Signatures beyond the limit, which were not read. */
  readonly unread: number;
}

export interface AttachedReport {
  /** The artifact type, or else the media type. */
  readonly type: string | null;
  readonly digest: string | null;
  readonly path: string;
  readonly attachedTo: string;
  /** Whether a signature that counts signs it. */
  readonly signed: boolean;
}

export interface SignedImageReport extends ImageNames {
  /**
   * The signatures that count: those that verify, and where nothing is trusted, those that can be read and name the
   * image.
   */
  readonly signed: readonly {
    readonly at: Location;
    /** null where nothing is trusted: then it is not known who made it. */
    readonly by: VerifiedBy | null;
    readonly steps: readonly StepReport[];
  }[];
  /** How many attestations are about it. */
  readonly attestations: number;
}

/** How an image is told from others. */
export interface ImageNames {
  /** The digest of its manifest's bytes; null where it has no manifest. */
  readonly digest: string | null;
  readonly names: readonly string[];
  readonly platform: string | null;
  /** Path of the image tarball inside a zip; null otherwise. */
  readonly inside: string | null;
}

/** A document on the way from what is signed to an image: its bytes have the digest that the step before names. */
export interface StepReport {
  readonly as: ChainStep['as'];
  readonly digest: string;
  readonly path: string;
}

export interface SignatureReport {
  readonly format: Signature['format'];
  readonly role: Signature['role'];
  readonly at: Location;
  /** The mark by which it was found. */
  readonly foundBy: Signature['found'];
  /** Digest of the manifest to which it is attached: a claim. */
  readonly attachedTo: string | null;
  /** The digests that its payload names, the first hundred. */
  readonly signs: readonly string[];
  readonly signsCount: number;
  readonly dockerReference: string | null;
  readonly predicateType: string | null;
  /** The signer by its own words. */
  readonly claimed: ClaimedSigner;
  /** The images that the digests lead to in the archive, the first hundred. */
  readonly images: readonly (ImageNames & { readonly steps: readonly StepReport[] })[];
  readonly imagesCount: number;
  readonly artifacts: readonly StepReport[];
  /** Digests of `signs` that no document here has, as many of the first hundred as there are. */
  readonly absent: readonly string[];
  /** Documents that the archive calls by such a digest, and that have another one. */
  readonly swapped: readonly { readonly claimed: string; readonly actual: string; readonly path: string }[];
  /** The place of the same signature, where this is a copy. */
  readonly copyOf: Location | null;
  readonly problem: SignatureProblem | null;
  /** null where nothing is trusted. */
  readonly verification: Verification | null;
}

/** Digests, images and documents of one signature that are reported: a statement may have a hundred thousand. */
const SHOWN = 100;

/** The report about the signatures of an archive. */
export function signaturesReport(
  reading: ArchiveReading,
  { survey, judged }: { readonly survey: Survey; readonly judged: SignaturesJudged },
  met: boolean | null,
): SignaturesReport {
  const places = new Places(reading);
  return {
    met,
    images: judged.images.map(one => signedImage(one, places)),
    found: survey.signatures.map(one => signatureReport(one, places)),
    attached: attachedBeside(survey, reading.parts)
      .slice(0, SHOWN)
      .map(({ part, artifact, isSigned }) => ({
        type: artifact.artifactType ?? artifact.mediaType,
        digest: artifact.digest,
        path: places.path(part, artifact.path),
        attachedTo: artifact.subject ?? '',
        signed: isSigned,
      })),
    unread: survey.unread.reduce((sum, { count }) => sum + count, 0),
  };
}

/** Paths as the report gives them: inside a zip of tarballs behind the tarball's own. */
class Places {
  private readonly partOf = new Map<Image, ArchivePart>();

  constructor(private readonly reading: ArchiveReading) {
    for (const part of reading.parts) for (const image of part.graph.images) this.partOf.set(image, part);
  }

  /** The path of the tarball inside a zip. */
  inside(part: ArchivePart | undefined): string | null {
    return this.reading.parts.find(known => known === part)?.part.inside ?? null;
  }

  path(part: ArchivePart, path: string): string {
    const known = this.reading.parts.find(one => one === part);
    return known === undefined ? path : pathIn(known.part, path);
  }

  location(part: ArchivePart, { path, pointer }: Location): Location {
    return { path: this.path(part, path), pointer };
  }

  step({ as, digest, part, path }: ChainStep): StepReport {
    return { as, digest, path: this.path(part, path) };
  }

  names(image: Image): ImageNames {
    const { manifest, names, platform } = image;
    return {
      digest: manifest?.digest ?? null,
      names,
      platform: platform === null ? null : formatPlatform(platform),
      inside: this.inside(this.partOf.get(image)),
    };
  }
}

function signedImage({ image, signed, attestations }: ImageSignatures, places: Places): SignedImageReport {
  return {
    ...places.names(image),
    signed: signed.map(({ by: { part, signature, verification }, steps }) => ({
      at: places.location(part, signature.at),
      by: verification?.outcome === 'verified' ? verification.by : null,
      steps: steps.map(step => places.step(step)),
    })),
    attestations: attestations.length,
  };
}

function signatureReport(one: SurveyedSignature, places: Places): SignatureReport {
  const { signature, part, reach, copyOf, verification } = one;
  const { format, role, found, placedOn, signs, dockerReference, predicateType, claimed, problem } =
    signature;
  return {
    format,
    role,
    at: places.location(part, signature.at),
    foundBy: found,
    attachedTo: placedOn,
    signs: signs.slice(0, SHOWN),
    signsCount: signs.length,
    dockerReference,
    predicateType,
    claimed,
    images: reach.images
      .slice(0, SHOWN)
      .map(({ image, steps }) => ({ ...places.names(image), steps: steps.map(step => places.step(step)) })),
    imagesCount: reach.images.length,
    artifacts: reach.artifacts.slice(0, SHOWN).map(step => places.step(step)),
    absent: reach.absent.slice(0, SHOWN),
    swapped: reach.swapped.slice(0, SHOWN).map(({ claimed: digest, actual, part: where, path }) => ({
      claimed: digest,
      actual,
      path: places.path(where, path),
    })),
    copyOf: copyOf === null ? null : places.location(part, copyOf.at),
    problem,
    verification,
  };
}
