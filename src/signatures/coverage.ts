import type { Artifact, Graph, Image } from '../link/graph.js';
import type { Document } from '../scan/blob/document.js';
import type { Scan } from '../scan/scan.js';
import { parseEnvelope, parseStatement, parseStatementBytes } from '../spec/attestation.js';
import { digestOf } from '../spec/digest.js';
import { isObject } from '../spec/json.js';
import { parseIndex } from '../spec/manifest.js';
import { artifactsIn } from './discover.js';
import { formatOf } from './read.js';

/** One image archive. A zip of archives has several. */
export interface ArchivePart {
  readonly scan: Scan;
  readonly graph: Graph;
}

/** A document on the way from a signature to an image. Its digest was computed from its bytes. */
export interface ChainStep {
  readonly as: 'manifest' | 'index' | 'attestation' | 'statement' | 'artifact';
  readonly digest: string;
  readonly part: ArchivePart;
  /** Member of the part. */
  readonly path: string;
}

/** An image that a digest leads to, and the way: each step names the digest of the next. */
export interface ImageReached {
  readonly image: Image;
  readonly steps: readonly ChainStep[];
}

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

type Entry = { readonly part: ArchivePart; readonly path: string } & (
  | { readonly as: 'manifest'; readonly image: Image }
  | { readonly as: 'index'; readonly lists: readonly string[] }
  | { readonly as: 'artifact'; readonly artifact: Artifact }
);

/** Indexes in indexes, and an attestation between. */
const DEPTH = 20;
/** Ways to images that are followed for one archive: indexes that list each other have any number. */
const WAYS = 1_000_000;

/**
 * Follows digests to the images of an archive. Where more ways lead to images than are followed, the others lead
 * nowhere. Every digest is computed from bytes: a descriptor's claim leads nowhere unless a document here has that
 * digest.
 */
export class Coverage {
  private readonly bySha256 = new Map<string, Entry[]>();
  private bySha512: Map<string, Entry[]> | null = null;
  private readonly claims = new Map<string, Swapped[]>();
  private readonly known = new Map<string, Pick<Reach, 'images' | 'artifacts'>>();
  private readonly ofOne = new Map<string, Reach>();
  private ways = 0;

  constructor(parts: readonly ArchivePart[]) {
    for (const part of parts) this.addPart(part);
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
    const absent = digests.filter(digest => this.entries(digest).length === 0);
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

  private addPart(part: ArchivePart): void {
    const { graph, scan } = part;
    for (const image of graph.images) {
      const { manifest } = image;
      if (manifest === null) continue;
      this.add({ part, path: manifest.path, as: 'manifest', image }, manifest.claimedDigest);
    }
    for (const artifact of artifactsIn(graph))
      this.add({ part, path: artifact.path, as: 'artifact', artifact }, artifact.claimedDigest);
    for (const { path, digest, manifests } of graph.indexes)
      this.add({ part, path, as: 'index', lists: digestsOf(manifests) }, digest);
    for (const path of [`${graph.root}manifest.json`, `${graph.root}index.json`]) {
      const value = documentAt(scan, path)?.value;
      const manifests = isObject(value) ? parseIndex(value).manifests : null;
      if (manifests !== null) this.add({ part, path, as: 'index', lists: digestsOf(manifests) }, null);
    }
  }

  private add(entry: Entry, claimed: string | null): void {
    const { part, path } = entry;
    const actual = documentAt(part.scan, path)?.digest ?? null;
    if (actual === null) return;
    addTo(this.bySha256, actual, entry);
    if (claimed !== null && claimed !== actual && claimed.startsWith('sha256:'))
      addTo(this.claims, claimed, { claimed, actual, part, path });
  }

  private entries(digest: string): readonly Entry[] {
    if (digest.startsWith('sha256:')) return this.bySha256.get(digest) ?? [];
    if (!digest.startsWith('sha512:')) return [];
    this.bySha512 ??= this.sha512();
    return this.bySha512.get(digest) ?? [];
  }

  private sha512(): Map<string, Entry[]> {
    const all = new Map<string, Entry[]>();
    for (const entry of [...this.bySha256.values()].flat()) {
      const bytes = documentAt(entry.part.scan, entry.path)?.bytes ?? null;
      if (bytes !== null) addTo(all, digestOf(bytes, 'sha512'), entry);
    }
    return all;
  }

  private from(digest: string, depth: number): Pick<Reach, 'images' | 'artifacts'> {
    const known = this.known.get(digest);
    if (known !== undefined) return known;
    const found = { images: [] as ImageReached[], artifacts: [] as ChainStep[] };
    // Before it is complete, so that documents which name each other end.
    this.known.set(digest, found);
    const entries = depth < DEPTH ? this.entries(digest) : [];
    for (const entry of entries) {
      const { part, path, as } = entry;
      const step: ChainStep = { as, digest, part, path };
      if (entry.as === 'manifest') found.images.push({ image: entry.image, steps: [step] });
      else if (entry.as === 'index')
        found.images.push(...this.below(entry.lists, [step], depth).filter(isListed));
      else {
        const stated = this.stated(entry.artifact, step, depth);
        if (stated === null) found.artifacts.push(step);
        else if (stated.length === 0) found.artifacts.push({ ...step, as: 'attestation' });
        else found.images.push(...stated);
      }
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

/**
 * Whether an image is one of an index. Hazard: an attestation in the index may be about any image, and who signs the
 * index signs what it lists.
 */
const isListed = ({ steps }: ImageReached): boolean => steps.every(({ as }) => as !== 'attestation');

/** The subjects of a statement that is stored by itself or in an envelope. */
function subjectsOf({ value }: Document): string[] {
  const envelope = parseEnvelope(value);
  const statement = envelope === null ? parseStatement(value) : parseStatementBytes(envelope.payload);
  return statement?.subjects.flatMap(({ digests }) => digests) ?? [];
}

function documentAt(scan: Scan, path: string): Document | null {
  const member = scan.file(path);
  return member === null ? null : scan.document(member);
}

const digestsOf = (descriptors: readonly { readonly digest: string | null }[]): string[] =>
  descriptors.flatMap(({ digest }) => digest ?? []);

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
