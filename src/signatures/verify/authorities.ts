import {
  authorityFlaw,
  type Certificate,
  certificateTimes,
  isValidAt,
  mayBeForCode,
  pathsToRoots,
  signerFlaw,
} from './certificates.js';
import { type Refused, refused, type Undecided, undecided } from './verification.js';

/**
 * Why a certificate of a private authority proves nothing; null where a path leads from it to a root, as `cosign verify
 * --ca-roots` and containers/image (`pki`) follow it. Without a log or a timestamp authority the only time is the
 * current one: as there, all certificates must be valid now.
 */
export function privatePathFailure(
  certificate: Certificate,
  chain: readonly Certificate[],
  roots: readonly Certificate[],
  now: Date,
): Refused | Undecided | null {
  const flaw = signerFlaw(certificate);
  if (flaw !== null) return refused('certificate-unsuitable', { subject: certificate.subject, reason: flaw });
  const isPinned = roots.some(({ der }) => der.equals(certificate.der));
  const paths = isPinned ? [[]] : pathsToRoots(certificate, chain, roots);
  let failure: Refused | Undecided | null = null;
  for (const path of paths) {
    const found = pathFlaw([certificate, ...path], now);
    if (found === null) return null;
    failure ??= found;
  }
  return failure ?? refused('certificate-untrusted', { issuer: certificate.issuer });
}

/** The first fault of a path that ends with a root. Names and signatures have been compared. */
function pathFlaw(path: readonly Certificate[], now: Date): Refused | Undecided | null {
  for (const [at, certificate] of path.entries()) {
    const { subject } = certificate;
    const unsuitable = (reason: NonNullable<ReturnType<typeof authorityFlaw>>) =>
      refused('certificate-unsuitable', { subject, reason });
    const [extension] = certificate.unknownCritical;
    if (extension !== undefined) return undecided('certificate-unsupported', { subject, extension });
    if (!isValidAt(certificate, now))
      return refused('certificate-expired', certificateTimes(certificate, now, 'clock'));
    const isRoot = at === path.length - 1;
    if (certificate.weaklySigned && !isRoot) return unsuitable('weak-signature');
    const flaw = at === 0 ? null : authorityFlaw(certificate, at - 1);
    if (flaw !== null) return unsuitable(flaw);
    if (!mayBeForCode(certificate)) return unsuitable('not-for-code-signing');
  }
  return null;
}
