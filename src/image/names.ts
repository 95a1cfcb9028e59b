import type { Descriptor } from '../spec/descriptor.js';
import { normalName } from '../spec/reference.js';

/** containerd's own annotation holds the full name; the specification's may be no more than a tag. */
export const CONTAINERD_NAME = 'io.containerd.image.name';
const REF_NAME = 'org.opencontainers.image.ref.name';

/** The name that an index gives an entry. https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md */
export function nameOf(descriptor: Descriptor): string | null {
  return descriptor.annotations.get(CONTAINERD_NAME) || descriptor.annotations.get(REF_NAME) || null;
}

export const refName = (descriptor: Descriptor) => descriptor.annotations.get(REF_NAME) ?? null;

/** Whether an entry of an index is about another one: BuildKit's attestations, cosign's signatures, Docker 29's referrers. */
export const isAttached = ({ annotations }: Descriptor): boolean =>
  annotations.has('vnd.docker.reference.type') ||
  annotations.has('io.containerd.manifest.subject') ||
  /^dev\.\w+\/(sigs|atts)/.test(annotations.get('kind') ?? '');

/** Both lists, without those of the second that only spell a name of the first in another way. */
export function mergeNames(first: readonly string[], second: readonly string[]): string[] {
  const known = new Set<string>();
  return [...first, ...second].filter(name => {
    const normal = normalName(name);
    if (known.has(normal)) return false;
    known.add(normal);
    return true;
  });
}
