import type { Descriptor } from '../spec/descriptor.js';
import { normalName, parseReference } from '../spec/reference.js';
import type { Graph, Image, ManifestNode } from './graph.js';

/** containerd's own annotation holds the full name; the specification's may be no more than a tag. */
const CONTAINERD_NAME = 'io.containerd.image.name';
const REF_NAME = 'org.opencontainers.image.ref.name';

/** The name that an index gives an entry. https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md */
export function nameOf(descriptor: Descriptor): string | null {
  return descriptor.annotations.get(CONTAINERD_NAME) || descriptor.annotations.get(REF_NAME) || null;
}

/** Whether an entry has the annotation that holds a full name. */
export const hasContainerdName = ({ annotations }: Descriptor): boolean => annotations.has(CONTAINERD_NAME);

/**
 * The annotation by which skopeo, umoci and `podman pull oci-archive:` find an entry, where it is a name and not only
 * the tag of the name by which others load it.
 */
export function refName(descriptor: Descriptor): string | null {
  const loaded = descriptor.annotations.get(CONTAINERD_NAME);
  const ref = descriptor.annotations.get(REF_NAME);
  return !ref || (loaded && isTagOf(ref, loaded)) ? null : ref;
}

/** Hazard: engines that go by one of the two annotations do not see the other, which may name another image. */
export interface EntryNames {
  /** The name under which docker and containerd load the entry, and behind it the one by which skopeo finds it. */
  readonly names: readonly string[];
  /** Those of `names` that docker and containerd do not know. */
  readonly refNames: ReadonlySet<string>;
}

export const NO_NAMES: EntryNames = { names: [], refNames: new Set() };

export function entryNames(descriptor: Descriptor): EntryNames {
  const name = nameOf(descriptor);
  const ref = refName(descriptor);
  if (name === null) return NO_NAMES;
  if (ref === null || normalName(ref) === normalName(name)) return { names: [name], refNames: new Set() };
  return { names: [name, ref], refNames: new Set([ref]) };
}

/**
 * The names of an entry of a nested index: its own, and those of the index. Hazard: an engine that is asked for the
 * index takes one of its entries, whatever name that has itself.
 */
export function bothNames(own: EntryNames, above: EntryNames): EntryNames {
  if (above.names.length === 0) return own;
  const names = mergeNames(own.names, above.names);
  const isRef = (name: string) =>
    [own, above].every(({ names, refNames }) => refNames.has(name) || !names.includes(name));
  return { names, refNames: new Set([...own.refNames, ...above.refNames].filter(isRef)) };
}

/** Whether a text is what containerd writes of a full name: its tag, its digest, or both. */
function isTagOf(text: string, name: string): boolean {
  const reference = parseReference(name);
  if (typeof reference === 'string') return false;
  const { tag, digest } = reference;
  if (digest === null) return text === (tag ?? 'latest');
  const [, encoded] = digest.split(':');
  return [tag, `${tag ?? ''}@${digest}`, digest, encoded].includes(text);
}

/**
 * Whether an entry of an index is about another one: BuildKit's attestations, cosign's signatures, Docker 29's
 * referrers.
 */
const isAttached = ({ annotations }: Descriptor): boolean =>
  annotations.has('vnd.docker.reference.type') ||
  annotations.has('io.containerd.manifest.subject') ||
  /^dev\.[\w.]+\/(sigs|atts)/.test(annotations.get('kind') ?? '');

/**
 * The entries of an index without those that repeat the name of the image to which they are attached, as `cosign save`
 * writes them. Hazard: skopeo takes the first entry of a name, and so an attached one that is before its image.
 */
export function notRepeated(descriptors: readonly Descriptor[]): Descriptor[] {
  const taken = new Set<string | undefined>();
  return descriptors.filter(descriptor => {
    const ref = descriptor.annotations.get(REF_NAME);
    if (isAttached(descriptor) && !hasContainerdName(descriptor) && taken.has(ref)) return false;
    taken.add(ref);
    return true;
  });
}

/**
 * The images that skopeo finds by a text that is the whole of `org.opencontainers.image.ref.name`, on an entry for the
 * image or for an index above it. Hazard: the tag of a name is no name here, but to skopeo it is one.
 */
export function imagesByRefName({ images, indexes }: Graph, text: string): ReadonlySet<Image> {
  const isCalled = ({ descriptors }: Pick<ManifestNode, 'descriptors'>) =>
    descriptors.some(({ descriptor }) => descriptor.annotations.get(REF_NAME) === text);
  const byDigest = new Map(indexes.map(index => [index.digest, index]));
  const below = new Set<string>();
  // A Set that grows is walked to its end.
  const todo = new Set(indexes.filter(isCalled));
  for (const { manifests } of todo) {
    for (const { digestText } of manifests) {
      below.add(digestText);
      const index = byDigest.get(digestText);
      if (index !== undefined) todo.add(index);
    }
  }
  return new Set(
    images.filter(
      ({ manifest }) => manifest !== null && (isCalled(manifest) || below.has(manifest.claimedDigest ?? '')),
    ),
  );
}

/** Both lists, without names of the second that are another spelling of one in the first. */
export function mergeNames(first: readonly string[], second: readonly string[]): string[] {
  const known = new Set<string>();
  return [...first, ...second].filter(name => {
    const normal = normalName(name);
    if (known.has(normal)) return false;
    known.add(normal);
    return true;
  });
}

/** A `repository@digest` that a registry would know, and the field of the archive that proves it. */
export interface RepoDigest {
  readonly value: string;
  readonly from: string;
}

/**
 * containerd records the repositories from which it pulled content:
 * `containerd.io/distribution.source.<registry>=<repo>[,…]`.
 */
const SOURCE = 'containerd.io/distribution.source.';

/**
 * The RepoDigests that the file can prove. From an uncompressed `docker save` there are none: compressing layers again
 * does not give the bytes that the registry has (containers/image 930).
 */
export function repoDigests(graph: Graph, image: Image): RepoDigest[] {
  const found = new Map<string, string>();
  const add = (digest: string | null, annotations: ReadonlyMap<string, string>) => {
    if (digest === null) return;
    for (const [key, repositories] of annotations) {
      if (!key.startsWith(SOURCE)) continue;
      for (const repository of repositories.split(',').filter(r => r !== '')) {
        found.set(`${key.slice(SOURCE.length)}/${repository}@${digest}`, `annotation ${key}`);
      }
    }
  };
  const digest = image.manifest?.digest ?? null;
  for (const { descriptor } of image.manifest?.descriptors ?? []) add(digest, descriptor.annotations);
  for (const index of graph.indexes) {
    if (image.indexDigests.includes(index.digest)) add(index.digest, index.annotations);
  }
  const known = new Set([digest, ...image.indexDigests]);
  for (const name of image.names) {
    const reference = parseReference(name);
    if (typeof reference === 'string' || reference.digest === null || !known.has(reference.digest)) continue;
    found.set(`${reference.domain}/${reference.path}@${reference.digest}`, `its name, ${name}`);
  }
  return [...found].map(([value, from]) => ({ value, from }));
}
