import type { Signature } from '../signature.js';
import { privatePathFailure } from './authorities.js';
import { type Certificate, iso, keyFlaw } from './certificates.js';
import { fingerprint, isSignedBy } from './keys.js';
import { type Material, materialsOf } from './material.js';
import { verifyNotation } from './notation.js';
import { certificateProof, keyLogFailure, loggedKey, logRecord } from './sigstore.js';
import { type CertificateIdentity, type Trust, type TrustedKey, type TrustedRoot, wanted } from './trust.js';
import {
  type CertificateSigner,
  refused,
  type TrustKind,
  undecided,
  type Verification,
  verified,
} from './verification.js';

export { readPublicKey } from './keys.js';
export { readNotationStore, readTrustedRoot } from './root.js';

/**
 * One signature against what is trusted. It says who signed the bytes of `signature.payload`, and nothing about the
 * image: the caller compares what the payload names with what is there. It never throws.
 */
export function verifySignature(signature: Signature, trust: Trust): Verification {
  switch (signature.format) {
    case 'gpg-simple':
      return undecided('gpg-not-verified', {});
    case 'unknown':
      return undecided('not-readable', {});
    case 'notation-jws':
    case 'notation-cose':
      return trust.notation === null
        ? undecided('no-trust', { needs: ['notation-trust-store'] })
        : verifyNotation(signature, trust.notation, trust.now);
    default:
      return verifySigstore(signature, trust);
  }
}

/** One of several signatures of an envelope is enough, as for DSSE and cosign. */
function verifySigstore(signature: Signature, trust: Trust): Verification {
  const materials = materialsOf(signature);
  if ('outcome' in materials) return materials;
  let first: Verification | null = null;
  for (const material of materials) {
    const verification = verifyMaterial(material, trust);
    if (verification.outcome === 'verified') return verification;
    first ??= verification;
  }
  return first ?? refused('malformed', { part: 'signature' });
}

function verifyMaterial(material: Material, trust: Trust): Verification {
  const { signed, signature, certificate } = material;
  const key = trust.keys.find(trusted => isSignedBy(trusted.key, signed, signature));
  if (key !== undefined) return verifiedByKey(material, key, trust.root);
  if (certificate !== null && trust.root !== null && trust.identities.length > 0)
    return verifyCertificate(material, certificate, trust.root, trust);
  if (trust.keys.length > 0) return otherKey(material, trust.keys);
  const needs: TrustKind[] = [];
  if (certificate === null) needs.push('key');
  else {
    if (trust.identities.length === 0) needs.push('identity');
    if (trust.root === null) needs.push('trusted-root');
  }
  return undecided('no-trust', { needs });
}

/**
 * The key is enough. A log entry that the trusted root can judge must be valid all the same: an invalid one was
 * altered. One of a log that the root does not have says nothing, like an absent one.
 */
function verifiedByKey(
  material: Material,
  { key, fingerprint }: TrustedKey,
  root: TrustedRoot | null,
): Verification {
  if (root?.kind !== 'sigstore') return verified({ kind: 'key', fingerprint, log: null });
  const failure = keyLogFailure(material, key, root.material);
  if (failure === null) return verified({ kind: 'key', fingerprint, log: logRecord(material.entries) });
  const isUnknown = failure.cause === 'authority-unknown' || failure.cause === 'log-entry-unsupported';
  return isUnknown ? verified({ kind: 'key', fingerprint, log: null }) : failure;
}

/**
 * Whether another key signed, or the bytes are not those that were signed, can be told apart only by what the signature
 * or its log entry says about the key.
 */
function otherKey(material: Material, keys: readonly TrustedKey[]): Verification {
  const { certificate, keyHint, entries } = material;
  const signedBy = certificate !== null ? fingerprint(certificate.key) : (keyHint ?? loggedKey(entries));
  const isTrusted = keys.some(key => key.fingerprint === signedBy);
  if (signedBy === null || isTrusted) return refused('signature-invalid', { key: signedBy });
  return refused('key-mismatch', { signedBy, keys: keys.map(key => key.fingerprint) });
}

function verifyCertificate(
  material: Material,
  certificate: Certificate,
  root: TrustedRoot,
  { identities, now }: Trust,
): Verification {
  const flaw = keyFlaw(certificate);
  if (flaw !== null) return refused('certificate-unsuitable', { subject: certificate.subject, reason: flaw });
  if (root.kind === 'sigstore') {
    const proof = certificateProof(material, certificate, root);
    if ('outcome' in proof) return proof;
    return byIdentity(certificate, identities, { signedAt: iso(proof.signedAt), log: proof.log });
  }
  if (!isSignedBy(certificate.key, material.signed, material.signature))
    return refused('signature-invalid', { key: fingerprint(certificate.key) });
  const failure = privatePathFailure(certificate, material.chain, root.roots, now);
  return failure ?? byIdentity(certificate, identities, { signedAt: null, log: null });
}

/** The names of the certificate are compared here and not by the library, which searches for them as patterns. */
function byIdentity(
  { names, provider }: Certificate,
  identities: readonly CertificateIdentity[],
  proof: Pick<CertificateSigner, 'signedAt' | 'log'>,
): Verification {
  const matches = identities.map(({ identity, issuer }) => ({
    name: names.find(name => wanted(identity, name)),
    isIssuer: issuer === null || (provider !== null && wanted(issuer, provider)),
  }));
  const match = matches.find(({ name, isIssuer }) => name !== undefined && isIssuer);
  if (match?.name !== undefined)
    return verified({ kind: 'certificate', identity: match.name, issuer: provider, ...proof });
  const named = matches.find(({ name }) => name !== undefined)?.name;
  return named === undefined
    ? refused('identity-mismatch', { identities: names })
    : refused('issuer-mismatch', { identity: named, issuer: provider });
}
