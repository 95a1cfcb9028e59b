import { type Artifact, type Image, referrerName } from './graph.js';

export interface Classified {
  readonly images: Image[];
  readonly artifacts: Artifact[];
}

/** Attaches what is about an image to it: BuildKit's attestations as such, anything else as a referrer. */
export function attach(images: readonly Image[], others: readonly Artifact[]): Classified {
  const bySubject = new Map<string, Artifact[]>();
  for (const artifact of others) {
    if (artifact.subject === null) continue;
    const about = bySubject.get(artifact.subject);
    if (about === undefined) bySubject.set(artifact.subject, [artifact]);
    else about.push(artifact);
  }
  const attached = images.map(image => {
    const digests = new Set([image.manifest?.claimedDigest, image.manifest?.digest]);
    const about = [...digests].flatMap(digest => (digest == null ? [] : (bySubject.get(digest) ?? [])));
    return {
      ...image,
      attestations: about.filter(({ kind }) => kind === 'attestation'),
      referrers: about.filter(({ kind }) => kind !== 'attestation').map(referrerName),
    };
  });
  const claimed = new Set(attached.flatMap(image => image.attestations));
  return { images: attached, artifacts: others.filter(artifact => !claimed.has(artifact)) };
}
