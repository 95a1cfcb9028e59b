import type { Member } from '../containers/source.js';
import type { Document } from '../scan/blob/document.js';
import type { Descriptor } from '../spec/descriptor.js';
import { goField, isObject, type Json, pointer } from '../spec/json.js';
import {
  forbiddenInIndex,
  type ImageIndex,
  type ImageManifest,
  parseIndex,
  parseManifest,
} from '../spec/manifest.js';
import { isIndexType, isManifestType } from '../spec/media-types.js';
import type { ScannedArchive } from './archive.js';
import type { AbsentManifest, IndexNode, Location } from './graph.js';
import { bothNames, type EntryNames, entryNames, NO_NAMES } from './names.js';

/** A document that has a media type must have that of its descriptor (manifest.md, CVE-2021-41190). */
function compareTypes(archive: ScannedArchive, value: Json, descriptor: Descriptor, path: string): void {
  const actual = isObject(value) ? goField(value, 'mediaType') : undefined;
  const expected = descriptor.mediaType;
  if (typeof actual !== 'string' || expected === null || actual === expected) return;
  // Hazard: one reader takes the document for a manifest, another for an index.
  const isOther = isIndexType(expected) !== isIndexType(actual);
  const at = { path, pointer: pointer('', 'mediaType') };
  archive.observe('media-type-mismatch', at, { expected, actual }, isOther ? 'error' : undefined);
}

/** Whether a document is read as an index: by its media type, or else by its fields. */
function isIndexLike(value: Json, declared: string | null): boolean {
  if (!isObject(value)) return false;
  const type = declared ?? goField(value, 'mediaType');
  if (typeof type === 'string' && isIndexType(type)) return true;
  return Array.isArray(goField(value, 'manifests')) && !(typeof type === 'string' && isManifestType(type));
}

/** Whether a document has a field of a manifest. */
function isManifestLike(value: Json): boolean {
  return (
    isObject(value) &&
    ['config', 'layers', 'blobs', 'fsLayers', 'subject'].some(key => goField(value, key) !== undefined)
  );
}

/**
 * BuildKit's annotations on an index entry that belongs to an image: its type, and the digest of the image's manifest.
 */
export const REFERENCE_TYPE = 'vnd.docker.reference.type';
const REFERENCE_DIGEST = 'vnd.docker.reference.digest';
/** containerd's annotation, which Docker 29 writes for manifests that lie beside an image in index.json. */
const CONTAINERD_SUBJECT = 'io.containerd.manifest.subject';

/**
 * Whether an entry of an index is an attestation, by the entry alone. An entry with a platform that an engine may ask
 * for is an image to every engine but BuildKit, whatever its annotations say.
 */
export function isAttestation({ annotations, platform }: Descriptor): boolean {
  const isMarked =
    annotations.get(REFERENCE_TYPE) === 'attestation-manifest' || annotations.has(CONTAINERD_SUBJECT);
  return (
    isMarked && (platform === null || (platform.os === 'unknown' && platform.architecture === 'unknown'))
  );
}

/** Digest of the manifest that an entry of an index names as the subject of its own. */
export const subjectOf = ({ annotations }: Descriptor): string | null =>
  annotations.get(REFERENCE_DIGEST) ?? annotations.get(CONTAINERD_SUBJECT) ?? null;

/** A manifest that was reached, with every descriptor that leads to it. */
export interface Reached {
  readonly path: string;
  readonly member: Member;
  readonly document: Document;
  readonly claimedDigest: string | null;
  readonly descriptors: { readonly descriptor: Descriptor; readonly at: Location }[];
  readonly names: string[];
  readonly refNames: Set<string>;
  readonly indexDigests: readonly string[];
  /** Whether a descriptor leads to it; false for one that is found only by its own `subject`. */
  readonly listed: boolean;
  /** null when the document is not a manifest. */
  readonly manifest: ImageManifest | null;
}

interface Way extends EntryNames {
  readonly descriptor: Descriptor;
  readonly at: Location;
  readonly indexDigests: readonly string[];
}

/** Where a layout keeps the blob of a digest, below its root. Manifests may lie elsewhere than other blobs. */
export type Locate = (digest: string, manifest: boolean) => string;

/** The document or blob that a digest leads to. */
interface Found {
  readonly names: string[];
  readonly refNames: Set<string>;
  readonly descriptors?: Reached['descriptors'];
  /** The descriptors of an index. */
  readonly manifests?: readonly Descriptor[];
}

/** Walks indexes down to manifests, each once, however many descriptors lead to it. */
export class ManifestWalk {
  readonly reached: Reached[] = [];
  readonly indexes: (IndexNode & Pick<Found, 'names' | 'refNames'>)[] = [];
  readonly absent: (AbsentManifest & Pick<Found, 'names' | 'refNames'>)[] = [];
  private readonly byDigest = new Map<string, Found>();
  /** The media type by the first descriptor of a digest. */
  private readonly types = new Map<string, string | null>();
  private readonly knownNames = new Map<Found, Set<string>>();

  constructor(
    private readonly archive: ScannedArchive,
    private readonly locate: Locate,
  ) {}

  /** Follows every descriptor of the index `value`, which stands at `path`. */
  index(value: Json, path: string): readonly Descriptor[] {
    if (!this.mayList(value, ['manifests'], path)) return [];
    return this.follow(value, parseIndex(value), path, NO_NAMES, []);
  }

  private follow(
    value: Json,
    index: ImageIndex,
    path: string,
    above: EntryNames,
    indexDigests: readonly string[],
  ): readonly Descriptor[] {
    const at: Location = { path, pointer: '' };
    this.archive.documentProblems(path, 'index', index.problems);
    const forbidden = forbiddenInIndex(value);
    if (forbidden.length > 0) this.archive.observe('ambiguous-document', at, { kind: 'index', forbidden });
    if (index.manifests === null) this.archive.observe('index-without-manifests', at, {});
    else if (index.manifests.length === 0) this.archive.observe('index-empty', at, {});
    for (const descriptor of index.manifests ?? []) {
      const own = entryNames(descriptor);
      const count = own.names.length;
      const where = { path, pointer: descriptor.pointer };
      const named = count === 0 || !this.archive.mayName(count, where) ? above : bothNames(own, above);
      this.visit({ descriptor, at: where, ...named, indexDigests });
    }
    return index.manifests ?? [];
  }

  /** Takes a manifest that no descriptor leads to: the manifest.json of skopeo's dir. */
  root(member: Member, value: Json): void {
    this.add(member, value, { ...NO_NAMES, indexDigests: [] }, null);
  }

  /** Takes a manifest that no descriptor leads to and whose `subject` is here: only its file name claims its digest. */
  referrer(member: Member, value: Json, digest: string): void {
    const at: Location = { path: member.path, pointer: null };
    if (this.byDigest.has(digest) || !this.archive.mayVisit(at)) return;
    this.archive.referenced.add(member.path);
    this.archive.claims.push({ kind: 'digest', member, by: at, value: digest });
    this.add(member, value, { ...NO_NAMES, indexDigests: [] }, digest);
  }

  private visit(way: Way): void {
    const { descriptor, at } = way;
    const digest = descriptor.digestText;
    this.compareDescriptors(way, digest);
    const known = this.byDigest.get(digest);
    if (known !== undefined) {
      this.addNames(known, way);
      known.descriptors?.push({ descriptor, at });
      this.claim(way);
      if (way.indexDigests.includes(digest)) this.archive.observe('index-cycle', at, { digest });
      return;
    }
    if (!this.withinLimits(way)) return;
    const member = this.claim(way);
    if (member === null) this.addAbsent(way, digest);
    else this.open(way, digest, member);
  }

  /** Each descriptor of a document claims its size again. @returns the document that it leads to */
  private claim({ descriptor, at }: Way): Member | null {
    const { digest } = descriptor;
    const member = digest === null ? null : this.archive.file(this.locate(digest, true));
    if (member !== null) this.archive.claim(member, descriptor, at.path);
    return member;
  }

  /** Names that a further descriptor gives an index go to the manifests that it lists, as those of the first do. */
  private addNames(found: Found, way: Way): void {
    const known = this.knownNames.get(found) ?? new Set(found.names);
    this.knownNames.set(found, known);
    const { refNames } = found;
    const names = way.names.filter(
      name => !known.has(name) || (refNames.has(name) && !way.refNames.has(name)),
    );
    if (names.length === 0) return;
    for (const name of names) {
      if (known.has(name)) refNames.delete(name);
      else {
        known.add(name);
        found.names.push(name);
        if (way.refNames.has(name)) refNames.add(name);
      }
    }
    for (const listed of found.manifests ?? []) {
      const below = this.byDigest.get(listed.digestText);
      if (below === undefined) continue;
      if (!this.withinLimits(way)) return;
      this.addNames(below, { ...way, names });
    }
  }

  private withinLimits({ at, indexDigests }: Way): boolean {
    const { indexDepth } = this.archive.limits;
    if (indexDigests.length < indexDepth) return this.archive.mayVisit(at);
    this.archive.observe('limit-reached', at, { limit: 'indexDepth', value: indexDepth, seen: null });
    return false;
  }

  private mayList(value: Json, keys: readonly string[], path: string): boolean {
    const lists = isObject(value) ? keys.map(key => goField(value, key)) : [];
    const count = lists.reduce((sum: number, list) => sum + (Array.isArray(list) ? list.length : 0), 0);
    return this.archive.mayList(count, { path, pointer: '' });
  }

  private addAbsent({ descriptor, at, names, refNames, indexDigests }: Way, digest: string): void {
    const absent = {
      digest,
      at,
      platform: descriptor.platform,
      names: [...names],
      refNames: new Set(refNames),
      indexDigests,
      descriptors: [{ descriptor, at }],
      attestation: isAttestation(descriptor),
      subject: subjectOf(descriptor),
    };
    this.absent.push(absent);
    this.byDigest.set(digest, absent);
  }

  private open(way: Way, digest: string, member: Member): void {
    const { descriptor, at } = way;
    const document = this.archive.document(member);
    const declared = descriptor.mediaType;
    if (document.error !== null && (declared === null || isManifestType(declared) || isIndexType(declared))) {
      // For an empty or cut document, the mismatch of its digest says more than a parse error.
      this.archive.json(member);
    }
    const { value } = document;
    if (value !== undefined && isIndexLike(value, declared)) {
      if (!this.archive.mayLook(document, at) || !this.mayList(value, ['manifests'], member.path)) return;
      compareTypes(this.archive, value, descriptor, member.path);
      const index = parseIndex(value);
      const node = this.addIndex(index, way, digest, member);
      this.byDigest.set(digest, node);
      this.follow(value, index, member.path, node, [...way.indexDigests, digest]);
      return;
    }
    this.add(member, value, way, digest);
  }

  private add(
    member: Member,
    value: Json | undefined,
    way: Pick<Way, 'names' | 'refNames' | 'indexDigests'> & Partial<Way>,
    digest: string | null,
  ): void {
    const document = this.archive.document(member);
    if (!this.archive.mayLook(document, { path: member.path, pointer: null })) return;
    if (value !== undefined && !this.mayList(value, ['layers', 'blobs'], member.path)) return;
    const { descriptor, at } = way;
    const manifest = value !== undefined && isManifestLike(value) ? parseManifest(value) : null;
    if (manifest === null) {
      this.archive.observe(
        'not-a-manifest',
        { path: member.path, pointer: null },
        { mediaType: descriptor?.mediaType ?? null },
        // A manifest that is not valid JSON hides an image; content of other media types in an index is allowed.
        value !== undefined && (descriptor === undefined || isManifestType(descriptor.mediaType))
          ? 'error'
          : undefined,
      );
    } else {
      this.archive.documentProblems(member.path, 'manifest', manifest.problems);
      if (manifest.forbidden.length > 0) {
        const forbidden = [...manifest.forbidden];
        this.archive.observe(
          'ambiguous-document',
          { path: member.path, pointer: '' },
          { kind: 'manifest', forbidden },
        );
      }
      if (descriptor !== undefined) compareTypes(this.archive, value!, descriptor, member.path);
    }
    const reached: Reached = {
      path: member.path,
      member,
      document,
      claimedDigest: digest,
      descriptors: descriptor === undefined || at === undefined ? [] : [{ descriptor, at }],
      names: [...way.names],
      refNames: new Set(way.refNames),
      indexDigests: way.indexDigests,
      listed: descriptor !== undefined || digest === null,
      manifest,
    };
    this.reached.push(reached);
    if (digest !== null) this.byDigest.set(digest, reached);
  }

  private addIndex(index: ImageIndex, way: Way, digest: string, member: Member) {
    const node = {
      digest,
      path: member.path,
      size: member.size,
      mediaType: index.mediaType ?? way.descriptor.mediaType,
      artifactType: index.artifactType ?? way.descriptor.artifactType,
      names: [...way.names],
      refNames: new Set(way.refNames),
      subject: index.subject?.digest ?? null,
      manifests: index.manifests ?? [],
      descriptors: [{ descriptor: way.descriptor, at: way.at }],
      annotations: way.descriptor.annotations,
    };
    this.indexes.push(node);
    return node;
  }

  /** Readers trust the descriptor by which they reach a document: with two, one reader may use either. */
  private compareDescriptors({ descriptor, at }: Way, digest: string): void {
    const { mediaType } = descriptor;
    const first = this.types.get(digest);
    if (first === undefined) this.types.set(digest, mediaType);
    if (first === undefined || first === null || mediaType === null || first === mediaType) return;
    const isOther = isIndexType(first) !== isIndexType(mediaType);
    const mediaTypes = [first, mediaType];
    this.archive.observe('media-types-differ', at, { digest, mediaTypes }, isOther ? 'error' : undefined);
  }
}
