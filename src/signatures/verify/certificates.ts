import { type KeyObject, X509Certificate } from 'node:crypto';
import { type ASN1Obj, X509Certificate as ParsedCertificate } from '@sigstore/core';
import { fromBase64 } from '../../spec/attestation.js';
import { isWeak, keyAlgorithm, pemBlocks } from './keys.js';
import type { CertificateFlaw, CertificateTimes } from './verification.js';

/** A certificate that was read completely. It is a claim until a path leads from it to a trusted one. */
export interface Certificate {
  readonly der: Buffer;
  readonly x509: X509Certificate;
  readonly key: KeyObject;
  /** Distinguished name in one line, `CN=alpine, O=Notary, C=US`; the first of `names` where it is empty. */
  readonly subject: string;
  readonly issuer: string;
  /** URIs, e-mail addresses, host names, IP addresses and Fulcio's user names, in the order of the certificate. */
  readonly names: readonly string[];
  /** The identity provider that Fulcio wrote down; null in other certificates. */
  readonly provider: string | null;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** `basicConstraints`; null where there is none. `pathLength` null: any. */
  readonly constraints: {
    readonly critical: boolean;
    readonly authority: boolean;
    readonly pathLength: number | null;
  } | null;
  /**
   * The bits of `keyUsage` that are set, by number (RFC 5280 section 4.2.1.3); null where there is no such extension.
   */
  readonly usage: { readonly critical: boolean; readonly bits: ReadonlySet<number> } | null;
  /** OIDs of `extKeyUsage`; null where there is none: for any use. */
  readonly purposes: readonly string[] | null;
  /** Critical extensions that this program does not judge, such as name constraints. */
  readonly unknownCritical: readonly string[];
  /** It is signed with MD5 or SHA-1. */
  readonly weaklySigned: boolean;
}

/** Certificates in one chain. Real ones have two to four. */
export const CHAIN_CERTIFICATES = 32;
/** Size of one certificate, in bytes. Real ones have one to three kilobytes; the parser is recursive. */
export const CERTIFICATE_BYTES = 64 * 1024;
/** Certificates in a file of trusted ones: a system's bundle has some 150. */
const TRUSTED_CERTIFICATES = 2000;

/** The certificates in a PEM text. @returns null where one is none, or there is none, or there are more than `most` */
export function readCertificates(pem: string, most: number = TRUSTED_CERTIFICATES): Certificate[] | null {
  const blocks = pemBlocks(pem, most + 1);
  if (blocks.length === 0 || blocks.length > most) return null;
  const certificates = blocks.map(({ label, base64 }) => {
    const der = label === 'CERTIFICATE' ? fromBase64(base64) : null;
    return der === null ? null : readCertificate(der);
  });
  return certificates.includes(null) ? null : (certificates as Certificate[]);
}

/** @returns null for bytes that are no certificate, or one with parts that cannot be read */
export function readCertificate(bytes: Uint8Array): Certificate | null {
  if (bytes.length > CERTIFICATE_BYTES) return null;
  try {
    return parse(Buffer.from(bytes));
  } catch {
    return null;
  }
}

const [BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, ALTERNATIVE_NAMES] = [
  '2.5.29.19',
  '2.5.29.15',
  '2.5.29.37',
  '2.5.29.17',
];
const JUDGED: readonly string[] = [BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, ALTERNATIVE_NAMES];
/** Signatures with MD2, MD5, SHA-1. */
const WEAK_SIGNATURES: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.2',
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.2.840.10045.4.1',
  '1.2.840.10040.4.3',
]);

function parse(der: Buffer<ArrayBuffer>): Certificate | null {
  const x509 = new X509Certificate(der);
  // OpenSSL ignores what follows a certificate; these bytes would not be signed by anything.
  if (!x509.raw.equals(der)) return null;
  const parsed = ParsedCertificate.parse(der);
  const extension = (oid: string) => parsed.extension(oid);
  const oids = parsed.extensions.map(({ subs }) => subs[0]!.toOID());
  if (new Set(oids).size < oids.length) return null;
  const critical = parsed.extensions.filter(isCritical).map(({ subs }) => subs[0]!.toOID());
  const names = alternativeNames(extension(ALTERNATIVE_NAMES)?.valueObj.subs[0]);
  const constraints = parsed.extBasicConstraints;
  const pathLength = constraints?.isCA === true ? constraints.pathLenConstraint : undefined;
  const [usage, purposes] = [extension(KEY_USAGE), extension(EXTENDED_KEY_USAGE)];
  return {
    der,
    x509,
    key: x509.publicKey,
    subject: oneLine(x509.subject) || (names[0] ?? ''),
    issuer: oneLine(x509.issuer),
    names,
    provider: identityProvider(parsed),
    notBefore: parsed.notBefore,
    notAfter: parsed.notAfter,
    constraints:
      constraints === undefined
        ? null
        : {
            critical: critical.includes(BASIC_CONSTRAINTS),
            authority: constraints.isCA,
            pathLength: pathLength === undefined ? null : Number(pathLength),
          },
    usage:
      usage === undefined
        ? null
        : { critical: critical.includes(KEY_USAGE), bits: setBits(usage.valueObj.subs[0]!.toBitString()) },
    purposes: purposes === undefined ? null : purposes.valueObj.subs[0]!.subs.map(one => one.toOID()),
    unknownCritical: critical.filter(oid => !JUDGED.includes(oid)),
    weaklySigned: WEAK_SIGNATURES.has(parsed.root.subs[1]!.subs[0]!.toOID()),
  };
}

const isCritical = ({ subs }: ASN1Obj): boolean => subs.length === 3 && subs[1]!.toBoolean();
const setBits = (bits: readonly number[]): ReadonlySet<number> =>
  new Set(bits.flatMap((bit, number) => (bit === 1 ? [number] : [])));
/** Node gives nothing for a name that is empty, as that of Fulcio's certificates is. */
const oneLine = (name: string | undefined): string => (name ?? '').split('\n').reverse().join(', ');

const [OTHER_NAME, EMAIL, HOST, URI, ADDRESS] = [0, 1, 2, 6, 7];
/** Fulcio's `otherName` for names that are neither an address nor a URI. */
const USER_NAME = '1.3.6.1.4.1.57264.1.7';

/** The names as they are in the certificate's bytes: Node's text of them is for people, and quotes. */
function alternativeNames(names: ASN1Obj | undefined): string[] {
  return (names?.subs ?? []).flatMap(({ tag, subs, value }) => {
    if (!tag.isContextSpecific()) return [];
    if ([EMAIL, HOST, URI].includes(tag.number)) return [value.toString('utf8')];
    if (tag.number === ADDRESS) return [ipAddress(value)];
    const isUser = tag.number === OTHER_NAME && subs[0]?.toOID() === USER_NAME;
    return isUser ? [subs[1]!.subs[0]!.value.toString('utf8')] : [];
  });
}

function ipAddress(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  return (bytes.toString('hex').match(/.{1,4}/g) ?? []).join(':');
}

/**
 * Fulcio's extension for the identity provider: a UTF8String, or in older certificates its bytes alone.
 * https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
 */
function identityProvider(parsed: ParsedCertificate): string | null {
  const encoded = parsed.extension('1.3.6.1.4.1.57264.1.8');
  if (encoded !== undefined) return encoded.valueObj.subs[0]?.value.toString('utf8') ?? null;
  return parsed.extension('1.3.6.1.4.1.57264.1.1')?.value.toString('utf8') ?? null;
}

export const isValidAt = ({ notBefore, notAfter }: Certificate, time: Date): boolean =>
  notBefore <= time && time <= notAfter;

export const certificateTimes = (
  { subject, notBefore, notAfter }: Certificate,
  at: Date,
  by: CertificateTimes['by'],
): CertificateTimes => ({ subject, notBefore: iso(notBefore), notAfter: iso(notAfter), at: iso(at), by });

/** A time of a certificate may be one that JavaScript cannot write. */
export const iso = (time: Date): string =>
  Number.isNaN(time.getTime()) ? 'invalid' : time.toISOString().replace('.000Z', 'Z');

const [DIGITAL_SIGNATURE, KEY_CERT_SIGN] = [0, 5];
const [ANY_PURPOSE, CODE_SIGNING] = ['2.5.29.37.0', '1.3.6.1.5.5.7.3.3'];

/** Whether its extended key usage, if it has one, lets it sign code. */
export const mayBeForCode = ({ purposes }: Certificate): boolean =>
  purposes === null || purposes.includes(CODE_SIGNING) || purposes.includes(ANY_PURPOSE);

/** Why no signature is verified with the certificate's key; null where one is. */
export function keyFlaw({ key }: Certificate): CertificateFlaw | null {
  if (keyAlgorithm(key) === null) return 'unsupported-key';
  return isWeak(key) ? 'weak-key' : null;
}

/** Why a certificate of a private authority may not sign code; null where it may. */
export function signerFlaw(certificate: Certificate): CertificateFlaw | null {
  const { usage } = certificate;
  if (usage !== null && !usage.bits.has(DIGITAL_SIGNATURE)) return 'not-for-signing';
  return mayBeForCode(certificate) ? null : 'not-for-code-signing';
}

/**
 * Why a certificate may not issue others (RFC 5280 section 6.1.4); null where it may.
 * @param below  the number of authorities between it and the signer's certificate
 */
export function authorityFlaw(
  { constraints, usage, key }: Certificate,
  below: number,
): CertificateFlaw | null {
  if (isWeak(key)) return 'weak-key';
  if (constraints?.authority !== true) return 'not-an-authority';
  if (usage !== null && !usage.bits.has(KEY_CERT_SIGN)) return 'not-an-authority';
  return constraints.pathLength !== null && constraints.pathLength < below ? 'path-too-long' : null;
}

/** Whether `issuer` signed `certificate`: by name, and by signature. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  try {
    return certificate.x509.checkIssued(issuer.x509) && certificate.x509.verify(issuer.key);
  } catch {
    return false;
  }
}

/**
 * All paths from a certificate to a trusted root, without the certificate itself, the shortest first. Names and
 * signatures are compared, and nothing else.
 * @param between  certificates that are not trusted, through which a path may lead
 */
export function pathsToRoots(
  certificate: Certificate,
  between: readonly Certificate[],
  roots: readonly Certificate[],
): Certificate[][] {
  const found: Certificate[][] = [];
  let paths: Certificate[][] = [[certificate]];
  for (let length = 0; length < LONGEST_PATH && paths.length > 0; length++) {
    for (const path of paths)
      found.push(
        ...roots.filter(root => isIssuedBy(path.at(-1)!, root)).map(root => [...path.slice(1), root]),
      );
    paths = paths
      .flatMap(path =>
        between
          .filter(next => !path.some(({ der }) => der.equals(next.der)) && isIssuedBy(path.at(-1)!, next))
          .map(next => [...path, next]),
      )
      .slice(0, MOST_PATHS);
  }
  return found;
}

/** Authorities between a signer and a root. Real paths have one or two. */
const LONGEST_PATH = 8;
/** Paths that are followed at the same time: certificates that sign each other have any number. */
const MOST_PATHS = 16;
