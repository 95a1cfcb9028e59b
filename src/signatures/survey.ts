import { type ArchivePart, artifactsIn } from '../link/digest-ways.js';
import type { Artifact, Image } from '../link/graph.js';
import { grouped } from '../spec/grouped.js';
import { pointer } from '../spec/json.js';
import { Coverage, type ImageReached, type Reach } from './coverage.js';
import { type FoundSignature, signaturesIn } from './discover.js';
import type { Signature } from './signature.js';
import type { Verification } from './verify/verification.js';

/** Judges one signature by what is trusted. */
export type Verifier = (signature: Signature) => Verification;

/** A signature, what it leads to in the archive, and whether it verifies. */
export interface SurveyedSignature extends FoundSignature {
  readonly part: ArchivePart;
  readonly reach: Reach;
  /** null where nothing is trusted. */
  readonly verification: Verification | null;
}

/** The signatures of all parts of an archive. */
export interface Survey {
  readonly signatures: readonly SurveyedSignature[];
  readonly coverage: Coverage;
  /** Signatures of each part beyond the limit, which were not read. */
  readonly unread: readonly { readonly part: ArchivePart; readonly count: number }[];
}

/**
 * Finds, follows and verifies the signatures of an archive. A signature in one part of a zip is about the images of all
 * parts: a digest means the same content everywhere.
 */
export function survey(parts: readonly ArchivePart[], verifier: Verifier | null): Survey {
  const coverage = new Coverage(parts);
  const found = parts.map(part => ({ part, ...signaturesIn(part.scan, part.graph) }));
  const verdicts = new Map<Signature, Verification>();
  const verify = ({ signature, copyOf }: FoundSignature): Verification | null => {
    if (verifier === null) return null;
    const verification = (copyOf === null ? undefined : verdicts.get(copyOf)) ?? verifier(signature);
    verdicts.set(signature, verification);
    return verification;
  };
  return {
    signatures: found.flatMap(({ part, signatures }) =>
      signatures.map(one => ({
        ...one,
        part,
        reach: coverage.reach(one.signature.signs),
        verification: verify(one),
      })),
    ),
    coverage,
    unread: found.flatMap(({ part, unread }) => (unread === 0 ? [] : [{ part, count: unread }])),
  };
}

/** An artifact that is attached to something and holds no signature, such as an SBOM with cosign's tag `.sbom`. */
export interface Attached {
  readonly part: ArchivePart;
  readonly artifact: Artifact;
  /** Whether a signature signs the artifact itself: one that verifies, where anything is trusted. */
  readonly isSigned: boolean;
}

/** The artifacts that are attached to images beside signatures. */
export function attachedBeside({ signatures }: Survey, parts: readonly ArchivePart[]): Attached[] {
  const holders = new Set(signatures.map(({ holder }) => holder));
  const signed = new Set(
    signatures
      .filter(counts)
      .flatMap(({ reach }) => [...reach.artifacts, ...reach.images.flatMap(({ steps }) => steps)])
      .map(({ part, path }) => `${parts.indexOf(part)} ${path}`),
  );
  return parts.flatMap((part, i) =>
    [...artifactsIn(part.graph)]
      .filter(artifact => artifact.subject !== null && !holders.has(artifact))
      .map(artifact => ({ part, artifact, isSigned: signed.has(`${i} ${artifact.path}`) })),
  );
}

/** The signatures of attached documents, of which a statement may have its own in its envelope. */
export class DocumentSignatures {
  private readonly byHolder: ReadonlyMap<Artifact | null, readonly SurveyedSignature[]>;
  private readonly byArtifact: ReadonlyMap<string, readonly { readonly signature: SurveyedSignature }[]>;

  constructor(
    { signatures }: Survey,
    private readonly parts: readonly ArchivePart[],
  ) {
    this.byHolder = grouped(signatures, ({ holder }) => holder);
    const signed = signatures.flatMap(signature =>
      signature.reach.artifacts.map(({ part, path }) => ({ key: this.keyOf(part, path), signature })),
    );
    this.byArtifact = grouped(signed, ({ key }) => key);
  }

  private keyOf(part: ArchivePart, path: string): string {
    return `${this.parts.indexOf(part)} ${path}`;
  }

  /** The signatures of a layer of an artifact: in the layer itself, and of the artifact as a whole. */
  of(part: ArchivePart, artifact: Artifact, layer: number): readonly SurveyedSignature[] {
    const places = [artifact.layers[layer]?.member?.path, pointer('', 'layers', layer)];
    const own = (this.byHolder.get(artifact) ?? []).filter(({ signature: { at } }) =>
      places.includes(at.pointer ?? at.path),
    );
    const ofArtifact = this.byArtifact.get(this.keyOf(part, artifact.path)) ?? [];
    return [...own, ...ofArtifact.map(({ signature }) => signature)];
  }
}

/** A signature that counts for an image, and the way from what it signs to the image. */
export interface Signed {
  readonly by: SurveyedSignature;
  readonly steps: ImageReached['steps'];
}

/** One image, and the signatures that are about it or attached to it. */
export interface ImageSignatures {
  readonly image: Image;
  readonly part: ArchivePart;
  /** Signatures of the image that verify; where nothing is trusted, those that can be read. */
  readonly signed: readonly Signed[];
  /** Other signatures of the image, and signatures that are attached to it and sign something else. */
  readonly others: readonly SurveyedSignature[];
  /** Attestations about the image: they state something about it and do not sign it. */
  readonly attestations: readonly SurveyedSignature[];
}

/** Signatures by what they are about. */
export interface SortedSignatures {
  /** Every image of the archive. */
  readonly images: readonly ImageSignatures[];
  /** Signatures of something that is not here, which are attached to nothing that is. */
  readonly stray: readonly SurveyedSignature[];
}

/** Sorts signatures by the images that they are about or attached to. */
export function byImage({ signatures, coverage }: Survey, parts: readonly ArchivePart[]): SortedSignatures {
  const sorted = new Map<Image, Mutable>();
  for (const part of parts)
    for (const image of part.graph.images)
      sorted.set(image, { image, part, signed: [], others: [], attestations: [] });
  const attached = new Attachments(parts, coverage);
  const stray: SurveyedSignature[] = [];
  for (const one of signatures) {
    for (const { image, steps } of one.reach.images) {
      const group = sorted.get(image)!;
      if (one.signature.role === 'attestation') group.attestations.push(one);
      else if (counts(one)) group.signed.push({ by: one, steps });
      else group.others.push(one);
    }
    const covered = new Set(one.reach.images.map(({ image }) => image));
    const beside = [...attached.to(one.signature)].filter(image => !covered.has(image));
    for (const image of beside) sorted.get(image)!.others.push(one);
    if (covered.size + beside.length === 0 && !isOfArtifact(one, coverage)) stray.push(one);
  }
  return { images: [...sorted.values()], stray };
}

function isOfArtifact({ reach, signature: { placedOn } }: SurveyedSignature, coverage: Coverage): boolean {
  return reach.artifacts.length > 0 || (placedOn !== null && coverage.reach([placedOn]).artifacts.length > 0);
}

type Mutable = {
  -readonly [K in keyof ImageSignatures]: ImageSignatures[K] extends readonly (infer T)[]
    ? T[]
    : ImageSignatures[K];
};

const counts = ({ signature, verification }: SurveyedSignature): boolean =>
  verification === null ? signature.problem === null : verification.outcome === 'verified';

/** Which images a signature is attached to, whatever it signs. */
class Attachments {
  private readonly claimed = new Map<string, Set<Image>>();

  constructor(
    parts: readonly ArchivePart[],
    private readonly coverage: Coverage,
  ) {
    for (const { graph } of parts) {
      for (const image of graph.images) {
        const { manifest, indexDigests } = image;
        for (const digest of [manifest?.claimedDigest, ...indexDigests]) if (digest) this.add(digest, image);
      }
    }
  }

  to({ placedOn }: Signature): ReadonlySet<Image> {
    if (placedOn === null) return new Set();
    const reached = this.coverage.reach([placedOn]).images.map(({ image }) => image);
    return new Set([...reached, ...(this.claimed.get(placedOn) ?? [])]);
  }

  private add(digest: string, image: Image): void {
    const images = this.claimed.get(digest) ?? new Set();
    images.add(image);
    this.claimed.set(digest, images);
  }
}
