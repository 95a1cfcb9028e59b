import {
  type ArchivePart,
  type DigestStep,
  DigestWays,
  type ImageReached as ReachedBy,
} from '../link/digest-ways.js';
import type { Artifact, Image } from '../link/graph.js';
import type { Document } from '../scan/blob/document.js';
import { parseEnvelope, parseStatement, parseStatementBytes } from '../spec/attestation.js';
import { formatOf } from './read.js';

/** A document on the way from a signature to an image. Its digest was computed from its bytes. */
export type ChainStep = DigestStep<'manifest' | 'index' | 'attestation' | 'statement' | 'artifact'>;

/** An image that a digest leads to, and the way: each step names the digest of the next. */
export type ImageReached = ReachedBy<ChainStep['as']>;

/** A document that the archive calls by a digest that its bytes do not have. */
export interface Swapped {
  readonly claimed: string;
  readonly actual: string;
  readonly part: ArchivePart;
  readonly path: string;
}

/** Everything in the archive that some digests lead to. */
export interface Reach {
  readonly images: readonly ImageReached[];
  /** Artifacts that are no images: a chart, an SBOM, an attestation about something that is not here. */
  readonly artifacts: readonly ChainStep[];
  /** Digests that no document here has. */
  readonly absent: readonly string[];
  /** Those of them by which the archive calls a document that has another digest. */
  readonly swapped: readonly Swapped[];
}

/** Attestations about attestations that are followed. */
const DEPTH = 20;
/** Ways from statements to images that are followed for one archive: attestations about each other have any number. */
const WAYS = 1_000_000;

/**
 * Follows digests to the images of an archive as `DigestWays` does, and through attestation manifests to what their
 * statements are about. Hazard: that is for a signature of the attestation itself. Who signs an index signs what it
 * lists, and an attestation in it may be about any image.
 */
export class Coverage {
  private readonly digests: DigestWays;
  private readonly claims = new Map<string, Swapped[]>();
  private readonly known = new Map<string, Pick<Reach, 'images' | 'artifacts'>>();
  private readonly ofOne = new Map<string, Reach>();
  private ways = 0;

  constructor(parts: readonly ArchivePart[]) {
    this.digests = new DigestWays(parts);
    for (const { part, path, digest: actual, claimedDigest: claimed } of this.digests.documents)
      if (claimed !== null && claimed !== actual && claimed.startsWith('sha256:'))
        addTo(this.claims, claimed, { claimed, actual, part, path });
  }

  /** @param digests  those that a payload names */
  reach(digests: readonly string[]): Reach {
    const [only] = digests;
    if (digests.length !== 1 || only === undefined) return this.reachAll(digests);
    const known = this.ofOne.get(only) ?? this.reachAll(digests);
    this.ofOne.set(only, known);
    return known;
  }

  private reachAll(digests: readonly string[]): Reach {
    const absent = digests.filter(digest => this.digests.at(digest).length === 0);
    const found = digests.map(digest => this.from(digest, 0));
    return {
      images: firstOfEach(
        found.flatMap(({ images }) => images),
        ({ image }) => image,
      ),
      artifacts: found.flatMap(({ artifacts }) => artifacts),
      absent,
      swapped: absent.flatMap(digest => this.claims.get(digest) ?? []),
    };
  }

  private from(digest: string, depth: number): Pick<Reach, 'images' | 'artifacts'> {
    const known = this.known.get(digest);
    if (known !== undefined) return known;
    const found = { images: [] as ImageReached[], artifacts: [] as ChainStep[] };
    // Before it is complete, so that attestations about each other end.
    this.known.set(digest, found);
    found.images.push(...this.digests.images(digest));
    for (const document of depth < DEPTH ? this.digests.at(digest) : []) {
      if (document.as !== 'artifact') continue;
      const { part, path, as, artifact } = document;
      const step: ChainStep = { as, digest, part, path };
      const stated = this.stated(artifact, step, depth);
      if (stated === null) found.artifacts.push(step);
      else if (stated.length === 0) found.artifacts.push({ ...step, as: 'attestation' });
      else found.images.push(...stated);
    }
    return found;
  }

  private below(digests: readonly string[], steps: readonly ChainStep[], depth: number): ImageReached[] {
    const found = new Map<Image, ImageReached>();
    for (const digest of new Set(digests)) {
      for (const reached of this.from(digest, depth + 1).images) {
        if (++this.ways > WAYS) return [...found.values()];
        if (!found.has(reached.image))
          found.set(reached.image, { ...reached, steps: [...steps, ...reached.steps] });
      }
    }
    return [...found.values()];
  }

  /**
   * The images that the statements of an attestation manifest are about: the manifest names the digest of each
   * statement, and the statement that of its subjects.
   * @returns null for an artifact without statements
   */
  private stated(artifact: Artifact, step: ChainStep, depth: number): ImageReached[] | null {
    const { part } = step;
    const isStatement = (mediaType: string | null) =>
      mediaType === 'application/vnd.in-toto+json' || formatOf(mediaType) === 'dsse';
    const layers = artifact.layers.filter(({ mediaType }) => isStatement(mediaType));
    if (layers.length === 0) return null;
    const attestation: ChainStep = { ...step, as: 'attestation' };
    return layers.flatMap(({ member, claimedDigest }) => {
      const document = member === null ? null : part.scan.document(member);
      if (document === null || document.digest === null || document.digest !== claimedDigest) return [];
      const statement: ChainStep = {
        as: 'statement',
        digest: document.digest,
        part,
        path: document.path,
      };
      return this.below(subjectsOf(document), [attestation, statement], depth);
    });
  }
}

/** The subjects of a statement that is stored by itself or in an envelope. */
function subjectsOf({ value }: Document): string[] {
  const envelope = parseEnvelope(value);
  const statement = envelope === null ? parseStatement(value) : parseStatementBytes(envelope.payload);
  return statement?.subjects.flatMap(({ digests }) => digests) ?? [];
}

function addTo<V>(map: Map<string, V[]>, key: string, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

function firstOfEach<V>(values: readonly V[], keyOf: (value: V) => unknown): V[] {
  const known = new Set<unknown>();
  return values.filter(value => {
    const key = keyOf(value);
    if (known.has(key)) return false;
    known.add(key);
    return true;
  });
}
