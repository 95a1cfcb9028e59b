import type { Descriptor } from '../spec/descriptor.js';
import { normalName, parseReference } from '../spec/reference.js';
import type { Graph, Image } from './graph.js';

/** containerd's own annotation holds the full name; the specification's may be no more than a tag. */
export const CONTAINERD_NAME = 'io.containerd.image.name';
const REF_NAME = 'org.opencontainers.image.ref.name';

/** The name that an index gives an entry. https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md */
export function nameOf(descriptor: Descriptor): string | null {
  return descriptor.annotations.get(CONTAINERD_NAME) || descriptor.annotations.get(REF_NAME) || null;
}

export const refName = (descriptor: Descriptor) => descriptor.annotations.get(REF_NAME) ?? null;

/**
 * Whether an entry of an index is about another one: BuildKit's attestations, cosign's signatures, Docker 29's
 * referrers.
 */
export const isAttached = ({ annotations }: Descriptor): boolean =>
  annotations.has('vnd.docker.reference.type') ||
  annotations.has('io.containerd.manifest.subject') ||
  /^dev\.[\w.]+\/(sigs|atts)/.test(annotations.get('kind') ?? '');

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
