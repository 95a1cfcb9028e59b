import type { Member } from '../containers/source.js';
import { digestOfBlobPath } from '../spec/digest.js';
import { isObject, type Json, own } from '../spec/json.js';
import type { ScannedArchive } from './archive.js';
import type { Graph, IndexNode } from './graph.js';
import type { ManifestWalk } from './manifests.js';

/**
 * Registries accept no larger manifests. Every unlisted blob up to this size is read to find manifests with a
 * `subject`.
 */
const LARGEST = 4 * 1024 * 1024;
const READ = 4 * LARGEST;

interface Blob {
  readonly member: Member;
  readonly digest: string;
  readonly value: Json;
}

/**
 * Links manifests that no index lists and whose `subject` is here, such as signatures, which a registry finds by its
 * referrers API. Docker's v1 JSON among the blobs is recorded as leftover.
 */
export function linkReferrers(archive: ScannedArchive, walk: ManifestWalk): void {
  const bySubject = new Map<string, Blob[]>();
  for (const blob of unlisted(archive)) {
    const subject = subjectIn(blob.value);
    if (subject === null) continue;
    const about = bySubject.get(subject);
    if (about === undefined) bySubject.set(subject, [blob]);
    else about.push(blob);
  }
  // A signature may be signed in turn.
  const found = [...walk.reached, ...walk.indexes].flatMap(known => digestsOf(known));
  for (const digest of found) {
    const about = bySubject.get(digest) ?? [];
    bySubject.delete(digest);
    for (const blob of about) {
      walk.referrer(blob.member, blob.value, blob.digest);
      found.push(blob.digest);
    }
  }
}

const digestsOf = (known: { claimedDigest?: string | null; digest?: string }): string[] =>
  [known.claimedDigest, known.digest].filter(digest => digest != null);

/** The JSON documents among the unreferenced blobs, as many as the limits allow. */
function* unlisted(archive: ScannedArchive): Generator<Blob> {
  const folder = `${archive.root}blobs/`;
  const candidates = archive.scan.members.filter(
    member =>
      member.type === 'file' &&
      member.size <= LARGEST &&
      member.path.startsWith(folder) &&
      !archive.referenced.has(member.path) &&
      archive.scan.head(member).json,
  );
  for (const member of smallest(candidates, READ)) {
    const { path } = member;
    const digest = digestOfBlobPath(path);
    if (digest === null) continue;
    const { value } = archive.scan.document(member);
    if (isV1Json(value)) archive.leftovers.add(path);
    else if (value !== undefined) yield { member, digest, value };
  }
}

/**
 * The smallest members that together have at most `most` bytes, in their order. Manifests are small: other documents,
 * such as SBOMs, must not use up what may be read before them.
 */
function smallest(members: readonly Member[], most: number): readonly Member[] {
  const total = members.reduce((sum, { size }) => sum + size, 0);
  if (total <= most) return members;
  const kept = new Set<Member>();
  let read = 0;
  for (const member of [...members].sort((a, b) => a.size - b.size)) {
    read += member.size;
    if (read > most) break;
    kept.add(member);
  }
  return members.filter(member => kept.has(member));
}

/** The v1 JSON that Docker 25 and later leaves among the blobs, one for each layer, and nothing reads. */
function isV1Json(value: Json | undefined): boolean {
  if (!isObject(value)) return false;
  const id = own(value, 'id');
  return typeof id === 'string' && /^[0-9a-f]{64}$/.test(id) && isObject(own(value, 'container_config'));
}

/** The digest of a manifest's `subject`; null for an index and for any other document. */
function subjectIn(value: Json): string | null {
  if (!isObject(value) || own(value, 'manifests') !== undefined) return null;
  const subject = own(value, 'subject');
  const digest = isObject(subject) ? own(subject, 'digest') : undefined;
  return typeof digest === 'string' ? digest : null;
}

/**
 * Indexes by which registries without a referrers API list the referrers of a manifest, by their tag `sha256-<hex>`
 * (distribution-spec v1.1, "referrers tag schema"): the digest of each index, and of that manifest.
 */
export function fallbackSubjects({ indexes }: Graph): ReadonlyMap<string, string> {
  const subjectOf = ({ names }: IndexNode) =>
    names.map(name => /(?:^|[:/])sha256-([0-9a-f]{64})$/.exec(name)?.[1]).find(hex => hex !== undefined);
  return new Map(
    indexes.flatMap(index => {
      const hex = subjectOf(index);
      return hex === undefined ? [] : [[index.digest, `sha256:${hex}`] as const];
    }),
  );
}
