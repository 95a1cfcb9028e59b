import type { Descriptor } from '../spec/descriptor.js';

/** BuildKit's mark on the index entry of what belongs to an image, and the manifest that it belongs to. */
export const REFERENCE_TYPE = 'vnd.docker.reference.type';
const REFERENCE_DIGEST = 'vnd.docker.reference.digest';
/** containerd's, as Docker 29 writes it for what lies beside an image in index.json. */
const CONTAINERD_SUBJECT = 'io.containerd.manifest.subject';

/**
 * Whether an entry of an index is an attestation, going by the entry alone. One with a platform that an engine may ask for is
 * an image to every engine but BuildKit, whatever its annotations say.
 */
export function isAttestation({ annotations, platform }: Descriptor): boolean {
  const isMarked =
    annotations.get(REFERENCE_TYPE) === 'attestation-manifest' || annotations.has(CONTAINERD_SUBJECT);
  return (
    isMarked && (platform === null || (platform.os === 'unknown' && platform.architecture === 'unknown'))
  );
}

/** Digest of the manifest that an entry of an index says its own is about. */
export const subjectOf = ({ annotations }: Descriptor): string | null =>
  annotations.get(REFERENCE_DIGEST) ?? annotations.get(CONTAINERD_SUBJECT) ?? null;
