/** Names as Docker's stores keep and show them. https://github.com/distribution/reference */
import type { Graph, Image } from '../image/graph.js';
import { familiarName, fullName, parseReference, type Reference } from '../spec/reference.js';

export interface RepoNames {
  /** `app:1.2`; a name that is no reference, or a mere tag as an OCI layout may have it, as it stands. */
  readonly tags: readonly string[];
  /** `app@sha256:…` */
  readonly digests: readonly string[];
}

/** A word such as `latest` that an index gives an image: a tag of nothing. */
const isBareTag = (name: string) => !/[/:@]/.test(name);

/**
 * The names of an image, those of an index that it is in among them. manifest.json always names a repository, though it may
 * leave its tag out.
 */
export function namesOf({ indexes }: Graph, { names, docker, indexDigests }: Image): string[] {
  const tags = new Set(docker?.repoTags);
  const own = names.map(name => (tags.has(name) ? taggedName(name) : name));
  const above = indexes.filter(index => indexDigests.includes(index.digest));
  return [...own, ...above.flatMap(index => index.names)];
}

/** A name of manifest.json, where a word is a repository. */
export const taggedName = (name: string): string => (isBareTag(name) ? `${name}:latest` : name);

/**
 * Sorted by their full names, as both stores do. moby reference/store.go; containerd's database sorts its keys.
 * @param target  digest under which containerd's store knows each name's repository; null in the classic store
 */
export function repoNames(names: readonly string[], target: string | null): RepoNames {
  const references = new Map<string, Reference>();
  const odd: string[] = [];
  const hasFull = names.some(name => !isBareTag(name));
  for (const name of names) {
    const reference = isBareTag(name) ? name : parseReference(name);
    if (typeof reference !== 'string') references.set(fullName(reference), reference);
    else if (!hasFull || !isBareTag(name)) odd.push(name);
  }
  const sorted = [...references].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, reference]) => reference);
  const pinned = sorted
    .filter(reference => reference.digest !== null || target !== null)
    .map(reference => familiarName({ ...reference, tag: null, digest: reference.digest ?? target }));
  return {
    tags: [...sorted.filter(r => r.tag !== null || r.digest === null).map(familiarTag), ...new Set(odd)],
    digests: [...new Set(pinned)],
  };
}

const familiarTag = (reference: Reference) => familiarName({ ...reference, digest: null });

/** The parts that `docker images` shows in columns. */
export interface RepoTag {
  readonly repository: string;
  /** null for a digest alone, which is no tag. */
  readonly tag: string | null;
  readonly digest: string | null;
}

/** Splits what `repoNames` gave. Of a mere tag the repository is `<none>`. */
export function splitRepoName(name: string): RepoTag {
  if (isBareTag(name)) return { repository: '<none>', tag: name, digest: null };
  const reference = parseReference(name);
  if (typeof reference === 'string') {
    const colon = name.lastIndexOf(':');
    return colon > name.lastIndexOf('/')
      ? { repository: name.slice(0, colon), tag: name.slice(colon + 1), digest: null }
      : { repository: name, tag: '<none>', digest: null };
  }
  const { tag, digest } = reference;
  return { repository: repositoryOf(reference), tag, digest };
}

const repositoryOf = (reference: Reference) =>
  // With a tag of its own, so that no `latest` is added; then without it.
  familiarName({ ...reference, tag: 'x', digest: null }).slice(0, -2);
