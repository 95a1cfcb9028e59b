/** The outcome for one signature. Only `verified` satisfies a requirement. */
export type Verification = Verified | Refused | Undecided;

export interface Verified {
  readonly outcome: 'verified';
  readonly by: VerifiedBy;
}

/** The signature is known to be no proof: it, its certificate or its log entry is wrong, or another signer made it. */
export type Refused = {
  [Cause in keyof Refusals]: {
    readonly outcome: 'refused';
    readonly cause: Cause;
    readonly data: Refusals[Cause];
  };
}[keyof Refusals];

/** The signature cannot be judged with what is trusted, or by this program. */
export type Undecided = {
  [Cause in keyof Indecisions]: {
    readonly outcome: 'undecided';
    readonly cause: Cause;
    readonly data: Indecisions[Cause];
  };
}[keyof Indecisions];

export type VerifiedBy = KeySigner | CertificateSigner | NotationSigner;

export interface KeySigner {
  readonly kind: 'key';
  /** SHA-256 of the key's SubjectPublicKeyInfo, in hexadecimal. */
  readonly fingerprint: string;
  /** The log entry, where a trusted root was there to judge it. */
  readonly log: LogRecord | null;
}

export interface CertificateSigner {
  readonly kind: 'certificate';
  /** The subject alternative name that was required; the first one where none was. */
  readonly identity: string;
  /** The identity provider (Fulcio's extension); null where the certificate names none. */
  readonly issuer: string | null;
  /** The trusted time at which the certificate was valid, as ISO 8601; null where it was judged by the current time. */
  readonly signedAt: string | null;
  readonly log: LogRecord | null;
}

export interface NotationSigner {
  readonly kind: 'notation';
  /** The subject of the signing certificate. */
  readonly subject: string;
  /** The named store with the root certificate: `ca/NAME`, or the file. */
  readonly store: string;
  /** The trusted time; null where the certificates were judged by the current time. */
  readonly signedAt: string | null;
}

/** A verified entry of a transparency log. */
export interface LogRecord {
  /** Hexadecimal ID of the log. */
  readonly log: string;
  readonly index: string;
  /** The time of the entry, as ISO 8601; null where the log did not sign it (Rekor v2). */
  readonly at: string | null;
}

/** Which limit a signature exceeds; `most` is the number that is allowed. */
export interface TooMuch {
  readonly of:
    | 'bytes'
    | 'certificates'
    | 'certificate-bytes'
    | 'checkpoint-bytes'
    | 'log-entries'
    | 'timestamps';
  readonly found: number;
  readonly most: number;
}

export interface Refusals {
  /** A part that the signature needs is absent or not readable; `part` names it. */
  readonly malformed: { readonly part: SignaturePart };
  readonly 'too-large': TooMuch;
  /** A bundle of an unknown version. */
  readonly 'bundle-version-unknown': { readonly mediaType: string };
  /** The signature is not of these bytes by this key: `key` is the key that the signature names. */
  readonly 'signature-invalid': { readonly key: string | null };
  /** It was made with another key than the given ones. */
  readonly 'key-mismatch': { readonly signedBy: string | null; readonly keys: readonly string[] };
  /** The bytes that are signed are not those that the envelope, the digest of the bundle or the layer has. */
  readonly 'payload-mismatch': object;
  readonly 'identity-mismatch': { readonly identities: readonly string[] };
  readonly 'issuer-mismatch': { readonly identity: string; readonly issuer: string | null };
  /** The time of signing is outside of the certificate's validity. */
  readonly 'certificate-expired': CertificateTimes;
  /** No path of certificates leads to a trusted one. */
  readonly 'certificate-untrusted': { readonly issuer: string };
  /** The certificate may not sign code, or its key is too weak. */
  readonly 'certificate-unsuitable': { readonly subject: string; readonly reason: CertificateFlaw };
  /** The certificate has no proof of a certificate transparency log. */
  readonly 'certificate-log-missing': object;
  readonly 'certificate-log-invalid': object;
  readonly 'log-entry-missing': object;
  /** The entry is about another signature, other bytes or another signer. */
  readonly 'log-entry-mismatch': { readonly of: 'signature' | 'payload' | 'signer' | 'body' };
  /** The log's signature of the entry's time and index (SET) is not valid. */
  readonly 'log-promise-invalid': object;
  /** The proof that the entry is in the log, or the log's signature of its checkpoint, is not valid. */
  readonly 'log-proof-invalid': { readonly of: 'checkpoint' | 'proof' };
  /** The entry has neither promise nor proof. */
  readonly 'log-proof-missing': object;
  /** Neither a log nor a timestamp authority says when it was signed. */
  readonly 'timestamp-missing': object;
  readonly 'timestamp-invalid': object;
  /** Notary Project: no path leads from the signer of the time stamp to a timestamp authority of the store. */
  readonly 'timestamp-untrusted': object;
  /** Notary Project: the signature's own expiry is past. */
  readonly 'signature-expired': { readonly expiry: string; readonly now: string };
  /**
   * Notary Project: an attribute that the specification does not allow, or that this program must know and does not.
   */
  readonly 'attribute-unsupported': { readonly name: string; readonly value: string };
  readonly 'attribute-missing': { readonly name: string };
  /** Notary Project: the algorithm is not that of the certificate's key. */
  readonly 'algorithm-mismatch': { readonly algorithm: string; readonly required: string | null };
}

export interface Indecisions {
  /** Nothing that is trusted is for signatures of this format: no key, or no identity, trusted root or store. */
  readonly 'no-trust': { readonly needs: readonly TrustKind[] };
  /** It is a signature of GPG, which is not verified. */
  readonly 'gpg-not-verified': object;
  /** The signature could not be read from the archive. */
  readonly 'not-readable': object;
  /** The trusted root does not have the log or authority: it may be too old. `id` is hexadecimal. */
  readonly 'authority-unknown': { readonly of: AuthorityKind; readonly id: string };
  /** The trusted root has the authority, but not for that time. */
  readonly 'authority-time': { readonly of: AuthorityKind; readonly at: string };
  /** A log entry of a kind that this program cannot judge. */
  readonly 'log-entry-unsupported': { readonly entry: string };
  /** The certificates have a critical extension or an algorithm that this program cannot judge. */
  readonly 'certificate-unsupported': { readonly subject: string; readonly extension: string };
}

export type SignaturePart =
  | 'payload'
  | 'signature'
  | 'envelope'
  | 'bundle'
  | 'certificate'
  | 'chain'
  | 'log-entry'
  | 'timestamp'
  | 'jws'
  | 'cose';

export type TrustKind = 'key' | 'identity' | 'trusted-root' | 'notation-trust-store';
export type AuthorityKind = 'log' | 'certificate-log' | 'certificate-authority' | 'timestamp-authority';

export interface CertificateTimes {
  readonly subject: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** The time at which the certificate had to be valid, and what says so. */
  readonly at: string;
  readonly by: 'log' | 'timestamp' | 'signing-authority' | 'clock';
}

/** Why a certificate may not be used for what it is used for. */
export type CertificateFlaw =
  | 'not-for-signing'
  | 'not-for-code-signing'
  | 'not-an-authority'
  | 'path-too-long'
  | 'weak-key'
  | 'unsupported-key'
  | 'weak-signature'
  | 'order';

export const refused = <Cause extends keyof Refusals>(cause: Cause, data: Refusals[Cause]): Refused =>
  ({ outcome: 'refused', cause, data }) as Refused;

export const undecided = <Cause extends keyof Indecisions>(
  cause: Cause,
  data: Indecisions[Cause],
): Undecided => ({ outcome: 'undecided', cause, data }) as Undecided;

export const verified = (by: VerifiedBy): Verified => ({ outcome: 'verified', by });
