import { createHash } from 'node:crypto';
import { ASN1Obj, X509Certificate as ParsedCertificate } from '@sigstore/core';
import {
  authorityFlaw,
  type Certificate,
  CHAIN_CERTIFICATES,
  isValidAt,
  pathsToRoots,
  readCertificate,
} from './certificates.js';
import { isSignedBy } from './keys.js';

/** The earliest and the latest time at which a time stamp can have been made. */
export interface StampedTime {
  readonly from: Date;
  readonly to: Date;
}

export type StampFault = 'malformed' | 'invalid' | 'untrusted';

/** Size of a time stamp, in bytes. Real ones have up to 8 KB. */
const STAMP_BYTES = 64 * 1024;

const [SIGNED_DATA, TST_INFO] = ['1.2.840.113549.1.7.2', '1.2.840.113549.1.9.16.1.4'];
const [CONTENT_TYPE, MESSAGE_DIGEST] = ['1.2.840.113549.1.9.3', '1.2.840.113549.1.9.4'];
const [SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2] = [
  '1.2.840.113549.1.9.16.2.12',
  '1.2.840.113549.1.9.16.2.47',
];
const HASHES: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/**
 * The time in a TimeStampToken of RFC 3161 over `data`, if a path leads from its signer to one of the roots. The
 * library knows whole responses whose authority signs with ECDSA; authorities of the Notary Project's users sign with
 * RSA.
 */
export function stampedTime(
  token: Uint8Array,
  data: Uint8Array,
  roots: readonly Certificate[],
): StampedTime | StampFault {
  if (token.length > STAMP_BYTES) return 'malformed';
  try {
    return judge(parse(Buffer.from(token)), data, roots);
  } catch {
    // A part that is absent or of another type.
    return 'malformed';
  }
}

interface Token {
  /** The encoded TSTInfo. */
  readonly content: Buffer;
  readonly info: ASN1Obj;
  readonly certificates: readonly Buffer[];
  readonly signer: ASN1Obj;
  readonly attributes: ReadonlyMap<string, ASN1Obj>;
  /** The bytes that are signed: the attributes as a SET (RFC 5652 section 5.4). */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

function parse(der: Buffer<ArrayBuffer>): Token | null {
  const token = ASN1Obj.parseBuffer(der);
  const data = token.subs[1]!.subs[0]!;
  const encapsulated = data.subs[2]!;
  const signers = data.subs.at(-1)!.subs;
  if (token.subs[0]!.toOID() !== SIGNED_DATA || encapsulated.subs[0]!.toOID() !== TST_INFO) return null;
  const signer = signers[0]!;
  const attributeSet = signer.subs.find(({ tag }) => tag.isContextSpecific(0));
  if (signers.length !== 1 || attributeSet === undefined) return null;
  const content = encapsulated.subs[1]!.subs[0]!.value;
  const signed = attributeSet.toDER();
  signed[0] = 0x31;
  return {
    content,
    info: ASN1Obj.parseBuffer(Buffer.from(content)),
    certificates: data.subs.find(({ tag }) => tag.isContextSpecific(0))?.subs.map(one => one.toDER()) ?? [],
    signer,
    attributes: new Map(attributeSet.subs.map(({ subs }) => [subs[0]!.toOID(), subs[1]!.subs[0]!])),
    signed,
    signature: signer.subs.at(signer.subs.indexOf(attributeSet) + 2)!.value,
  };
}

function judge(
  token: Token | null,
  data: Uint8Array,
  roots: readonly Certificate[],
): StampedTime | StampFault {
  if (token === null || token.certificates.length > CHAIN_CERTIFICATES) return 'malformed';
  const { info, attributes, content, signed, signature } = token;
  const [algorithm, imprint] = info.subs[2]!.subs;
  if (!isHash(imprint!.value, algorithm!.subs[0]!.toOID(), data)) return 'invalid';
  const digestOf = token.signer.subs[2]!.subs[0]!.toOID();
  if (attributes.get(CONTENT_TYPE)?.toOID() !== TST_INFO) return 'invalid';
  if (!isHash(attributes.get(MESSAGE_DIGEST)!.value, digestOf, content)) return 'invalid';
  const certificates = token.certificates.map(readCertificate).filter(one => one !== null);
  const signer = [...certificates, ...roots].find(one => isNamedBy(one, token.signer.subs[1]!));
  if (signer === undefined) return 'untrusted';
  if (!isSignedBy(signer.key, signed, signature) || !isMeant(signer, attributes)) return 'invalid';
  const time = timeOf(info);
  return isTrusted(signer, certificates, roots, time) ? time : 'untrusted';
}

function isHash(digest: Buffer, oid: string, bytes: Uint8Array): boolean {
  const algorithm = HASHES[oid];
  return algorithm !== undefined && createHash(algorithm).update(bytes).digest().equals(digest);
}

/** Whether the signer's identifier, issuer and serial number, is that of the certificate. */
function isNamedBy({ der }: Certificate, { subs }: ASN1Obj): boolean {
  const { issuer, serialNumber } = ParsedCertificate.parse(Buffer.from(der));
  const [name, serial] = subs;
  return name?.value.equals(issuer) === true && serial?.value.equals(serialNumber) === true;
}

/** Whether the attribute `signing-certificate` (RFC 5035) has the hash of the certificate, so that none replaces it. */
function isMeant({ der }: Certificate, attributes: Token['attributes']): boolean {
  const [attribute, implied] = [
    [attributes.get(SIGNING_CERTIFICATE_V2), 'sha256'],
    [attributes.get(SIGNING_CERTIFICATE), 'sha1'],
  ].find((pair): pair is [ASN1Obj, string] => pair[0] !== undefined) ?? [null, ''];
  const id = attribute?.subs[0]?.subs[0];
  if (id === undefined) return false;
  const [first, second] = id.subs;
  const named = first!.tag.isOctetString() ? implied : HASHES[first!.subs[0]!.toOID()];
  const hash = first!.tag.isOctetString() ? first : second;
  return named !== undefined && createHash(named).update(der).digest().equals(hash!.value);
}

/** The policy of RFC 3628, whose accuracy is a second where a time stamp does not say it. */
const BASELINE_POLICY = '0.4.0.2023.1.1';

function timeOf({ subs }: ASN1Obj): StampedTime {
  const time = subs[4]!.toDate().getTime();
  const accuracy = subs[5]?.tag.constructed && subs[5].tag.isUniversal() ? subs[5].subs : null;
  const seconds = accuracy?.find(({ tag }) => tag.isInteger())?.toInteger();
  const isBaseline = subs[1]!.toOID() === BASELINE_POLICY;
  // Parts of a second are rounded up.
  const parts = accuracy?.some(({ tag }) => tag.isContextSpecific()) ? 1 : 0;
  const margin = accuracy === null ? (isBaseline ? 1 : 0) : Number(seconds ?? 0) + parts;
  return { from: new Date(time - margin * 1000), to: new Date(time + margin * 1000) };
}

const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';

function isTrusted(
  signer: Certificate,
  certificates: readonly Certificate[],
  roots: readonly Certificate[],
  { from, to }: StampedTime,
): boolean {
  const { purposes } = signer;
  if (purposes?.length !== 1 || purposes[0] !== TIME_STAMPING) return false;
  const isPinned = roots.some(({ der }) => der.equals(signer.der));
  const paths = isPinned ? [[]] : pathsToRoots(signer, certificates, roots);
  return paths.some(path =>
    [signer, ...path].every(
      (certificate, at) =>
        isValidAt(certificate, from) &&
        isValidAt(certificate, to) &&
        !(certificate.weaklySigned && at < path.length) &&
        (at === 0 || authorityFlaw(certificate, at - 1) === null),
    ),
  );
}
