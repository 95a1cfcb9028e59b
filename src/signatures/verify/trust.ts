import type { KeyObject } from 'node:crypto';
import type { TrustMaterial } from '@sigstore/verify';
import type { Certificate } from './certificates.js';

/** By what signatures are verified. What is absent verifies nothing. */
export interface Trust {
  readonly keys: readonly TrustedKey[];
  /** One of them is enough. */
  readonly identities: readonly CertificateIdentity[];
  readonly root: TrustedRoot | null;
  readonly notation: NotationStore | null;
  /**
   * The current time, by which certificates are judged that no log or timestamp authority gives a time: those of a
   * private authority, and those of the Notary Project. Sigstore's are never judged by it.
   */
  readonly now: Date;
}

export interface TrustedKey {
  /** SHA-256 of the key's SubjectPublicKeyInfo, in hexadecimal. */
  readonly fingerprint: string;
  readonly algorithm: KeyAlgorithm;
  readonly key: KeyObject;
  /** Whether it was given as a certificate, of which nothing but the key is used. */
  readonly fromCertificate: boolean;
}

export type KeyAlgorithm = 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521' | 'rsa' | 'ed25519';

/** The signer that a certificate must name. Each part is compared as a whole, never searched for. */
export interface CertificateIdentity {
  /** A subject alternative name; null for any. */
  readonly identity: Wanted | null;
  /** The identity provider, by Fulcio's extension; null for any, and for certificates that have none. */
  readonly issuer: Wanted | null;
}

/**
 * A text, or a regular expression. cosign searches for the latter anywhere in the text, and so does `test`: `^` and `$`
 * anchor it.
 */
export type Wanted =
  | { readonly exact: string }
  | { readonly source: string; readonly test: (text: string) => boolean };

export type TrustedRoot = SigstoreRoot | AuthoritiesRoot;

/** A trusted root of Sigstore: authorities and logs, each with the time for which it is trusted. */
export interface SigstoreRoot {
  readonly kind: 'sigstore';
  readonly material: TrustMaterial;
  /**
   * Whether it lists a transparency log and a certificate transparency log: what it has none of is not required. A log
   * that it lists and that was left out is required all the same.
   */
  readonly lists: { readonly log: boolean; readonly certificateLog: boolean };
  /**
   * Its logs and authorities that were left out, because this program does not know their keys or they are malformed.
   */
  readonly leftOut: number;
}

/** Certificates of a private authority, in PEM: as `cosign verify --ca-roots` takes them. */
export interface AuthoritiesRoot {
  readonly kind: 'authorities';
  readonly roots: readonly Certificate[];
}

/** A trust store of the Notary Project. */
export interface NotationStore {
  readonly roots: readonly StoredCertificate[];
}

export interface StoredCertificate {
  readonly type: 'ca' | 'signingAuthority' | 'tsa';
  /** `ca/NAME`; the path of the file where it is in no named store. */
  readonly store: string;
  readonly certificate: Certificate;
}

/** A value that was read, or the code of the reason why it was not. */
export type Read<T, Problem> =
  | { readonly value: T; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: Problem };

export const wanted = (rule: Wanted | null, text: string): boolean =>
  rule === null || ('exact' in rule ? rule.exact === text : rule.test(text));
