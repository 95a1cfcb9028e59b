import type { Document } from '../scan/blob/document.js';
import type { Scan } from '../scan/scan.js';
import { digestOf } from '../spec/digest.js';
import { grouped } from '../spec/grouped.js';
import { isObject } from '../spec/json.js';
import { parseIndex } from '../spec/manifest.js';
import type { Artifact, Graph, Image } from './graph.js';

/** One image archive, scanned and linked; one object for each. A zip of archives has several. */
export interface ArchivePart {
  readonly scan: Scan;
  readonly graph: Graph;
}

/** A document of an archive by the digest of its bytes, and what it is. */
export type DigestedDocument = {
  readonly part: ArchivePart;
  /** Member of the part. */
  readonly path: string;
  /** sha256, computed. */
  readonly digest: string;
  /** The digest by which the archive calls it; null if nothing names it. */
  readonly claimedDigest: string | null;
} & (
  | { readonly as: 'manifest'; readonly image: Image }
  | { readonly as: 'index'; readonly lists: readonly string[] }
  | { readonly as: 'artifact'; readonly artifact: Artifact }
);

/** A document on the way to an image. */
export interface DigestStep<As extends string = 'manifest' | 'index'> {
  readonly as: As;
  /** By which it was named; computed from its bytes. */
  readonly digest: string;
  readonly part: ArchivePart;
  /** Member of the part. */
  readonly path: string;
}

/** An image that a digest leads to, and the way: each step names the digest of the next. */
export interface ImageReached<As extends string = 'manifest' | 'index'> {
  readonly image: Image;
  readonly steps: readonly DigestStep<As>[];
}

/** Indexes in indexes that are followed. */
const INDEX_DEPTH = 20;
/** Ways from indexes to images that are followed for one archive: indexes that list each other have any number. */
const WAYS = 1_000_000;

/**
 * Follows digests to the images of an archive, through manifests and indexes. Every digest is computed from bytes: a
 * descriptor's claim leads nowhere unless a document here has that digest. Where more ways lead to images than are
 * followed, the others lead nowhere.
 */
export class DigestWays {
  /** In the order of the archive: manifests, artifacts, indexes. */
  readonly documents: readonly DigestedDocument[];
  private readonly bySha256: ReadonlyMap<string, readonly DigestedDocument[]>;
  private bySha512: ReadonlyMap<string, readonly DigestedDocument[]> | null = null;
  private readonly known = new Map<string, readonly ImageReached[]>();
  private ways = 0;

  constructor(parts: readonly ArchivePart[]) {
    this.documents = parts.flatMap(part => [...documentsOf(part)]);
    this.bySha256 = grouped(this.documents, ({ digest }) => digest);
  }

  /** The documents that have a digest, sha256 or sha512. */
  at(digest: string): readonly DigestedDocument[] {
    if (digest.startsWith('sha256:')) return this.bySha256.get(digest) ?? [];
    if (!digest.startsWith('sha512:')) return [];
    this.bySha512 ??= grouped(this.documents, ({ part, path }) => {
      const bytes = documentAt(part.scan, path)?.bytes ?? null;
      return bytes === null ? '' : digestOf(bytes, 'sha512');
    });
    return this.bySha512.get(digest) ?? [];
  }

  /**
   * The images of the manifest or index that has a digest, of an index those that it and the indexes in it list, each
   * once. An artifact in an index is not followed. Hazard: an attestation in the index may be about any image.
   */
  images(digest: string): readonly ImageReached[] {
    return this.from(digest, 0);
  }

  private from(digest: string, depth: number): readonly ImageReached[] {
    const known = this.known.get(digest);
    if (known !== undefined) return known;
    const found: ImageReached[] = [];
    // Before it is complete, so that indexes which list each other end.
    this.known.set(digest, found);
    for (const document of depth < INDEX_DEPTH ? this.at(digest) : []) {
      const { part, path, as } = document;
      if (as === 'artifact') continue;
      const step = { as, digest, part, path };
      if (as === 'manifest') found.push({ image: document.image, steps: [step] });
      else found.push(...this.listed(document.lists, step, depth));
    }
    return found;
  }

  private listed(digests: readonly string[], step: DigestStep, depth: number): ImageReached[] {
    const found = new Map<Image, ImageReached>();
    for (const digest of new Set(digests)) {
      for (const { image, steps } of this.from(digest, depth + 1)) {
        if (++this.ways > WAYS) return [...found.values()];
        if (!found.has(image)) found.set(image, { image, steps: [step, ...steps] });
      }
    }
    return [...found.values()];
  }
}

/** Every artifact once; an attestation may be attached to two images, if a document claims a false digest. */
export const artifactsIn = ({ artifacts, images }: Graph): ReadonlySet<Artifact> =>
  new Set([...artifacts, ...images.flatMap(({ attestations }) => attestations)]);

function* documentsOf(part: ArchivePart): Generator<DigestedDocument> {
  const { graph, scan } = part;
  const at = (path: string, claimedDigest: string | null) => {
    const digest = documentAt(scan, path)?.digest ?? null;
    return digest === null ? null : { part, path, digest, claimedDigest };
  };
  for (const image of graph.images) {
    const found = image.manifest === null ? null : at(image.manifest.path, image.manifest.claimedDigest);
    if (found !== null) yield { ...found, as: 'manifest', image };
  }
  for (const artifact of artifactsIn(graph)) {
    const found = at(artifact.path, artifact.claimedDigest);
    if (found !== null) yield { ...found, as: 'artifact', artifact };
  }
  for (const { path, digest, manifests } of graph.indexes) {
    const found = at(path, digest);
    if (found !== null) yield { ...found, as: 'index', lists: digestsOf(manifests) };
  }
  for (const path of [`${graph.root}manifest.json`, `${graph.root}index.json`]) {
    const value = documentAt(scan, path)?.value;
    const manifests = isObject(value) ? parseIndex(value).manifests : null;
    const found = manifests === null ? null : at(path, null);
    if (found !== null) yield { ...found, as: 'index', lists: digestsOf(manifests ?? []) };
  }
}

function documentAt(scan: Scan, path: string): Document | null {
  const member = scan.file(path);
  return member === null ? null : scan.document(member);
}

const digestsOf = (descriptors: readonly { readonly digest: string | null }[]): string[] =>
  descriptors.flatMap(({ digest }) => digest ?? []);
