import { constants, type KeyObject, verify } from 'node:crypto';
import { fromBase64 } from '../../spec/attestation.js';
import { type Cbor, coseSignedBytes, parseCoseSign1, Tagged } from '../../spec/cose.js';
import { isObject, type Json, type JsonObject, own } from '../../spec/json.js';
import { jsonOf } from '../../spec/json-text.js';
import type { Signature } from '../signature.js';
import {
  authorityFlaw,
  type Certificate,
  CHAIN_CERTIFICATES,
  certificateTimes,
  isIssuedBy,
  iso,
  isValidAt,
  readCertificate,
} from './certificates.js';
import { keyAlgorithm } from './keys.js';
import { type StampedTime, stampedTime } from './timestamp.js';
import type { NotationStore, StoredCertificate } from './trust.js';
import {
  type CertificateFlaw,
  type CertificateTimes,
  type Refused,
  refused,
  type Verification,
  verified,
} from './verification.js';

/** A signature envelope of the Notary Project, JWS or COSE, with the attributes that they share. */
interface Envelope {
  readonly algorithm: string;
  /** Signed attributes by name, `cty` for the content type. Times are Dates. */
  readonly attributes: ReadonlyMap<string, string | Date>;
  /** The names of attributes that a reader must know. */
  readonly critical: readonly string[];
  /** The signer's certificate first, the root last; DER. */
  readonly chain: readonly Uint8Array[];
  readonly signed: Buffer;
  readonly signature: Uint8Array;
  readonly payload: Uint8Array;
  /** A time stamp of the signature: a TimeStampToken of RFC 3161. Unsigned, as the chain is. */
  readonly stamp: Uint8Array | null;
}

/** Size of the largest envelope, in bytes. notation-go takes 4 MiB of an envelope. */
const ENVELOPE_BYTES = 4 * 1024 * 1024;
const DEPTH = 100;

const PREFIX = 'io.cncf.notary.';
const [SCHEME, SIGNING_TIME, AUTHENTIC_TIME, EXPIRY] = [
  `${PREFIX}signingScheme`,
  `${PREFIX}signingTime`,
  `${PREFIX}authenticSigningTime`,
  `${PREFIX}expiry`,
] as const;
const STAMP = `${PREFIX}timestampSignature`;
const CONTENT_TYPE = 'cty';
const PAYLOAD_TYPE = 'application/vnd.cncf.notary.payload.v1+json';

/**
 * A signature of the Notary Project against a trust store: integrity, then authenticity, expiry, and the time of the
 * certificates, in the order of the specification. Revocation needs a network and is not checked.
 * https://github.com/notaryproject/specifications/blob/v1.1.0/specs/trust-store-trust-policy.md#steps
 */
export function verifyNotation(signature: Signature, store: NotationStore, now: Date): Verification {
  const part = signature.format === 'notation-jws' ? 'jws' : 'cose';
  const bytes = signature.envelope;
  if (bytes !== null && bytes.length > ENVELOPE_BYTES)
    return refused('too-large', { of: 'bytes', found: bytes.length, most: ENVELOPE_BYTES });
  const envelope = bytes === null ? null : part === 'jws' ? readJws(bytes) : readCose(bytes);
  if (envelope === null) return refused('malformed', { part });
  if (envelope.chain.length > CHAIN_CERTIFICATES)
    return refused('too-large', {
      of: 'certificates',
      found: envelope.chain.length,
      most: CHAIN_CERTIFICATES,
    });
  const chain = envelope.chain.map(readCertificate).filter(certificate => certificate !== null);
  const [signer] = chain;
  if (signer === undefined || chain.length < envelope.chain.length)
    return refused('malformed', { part: 'chain' });
  const fault = integrityFault(envelope, signer.key) ?? attributeFault(envelope);
  if (fault !== null) return fault;
  if (signature.payload === null || !Buffer.from(envelope.payload).equals(signature.payload.bytes))
    return refused('payload-mismatch', {});
  return authenticity(envelope, chain, store, now);
}

function readJws(bytes: Uint8Array): Envelope | null {
  const document = jsonOf(bytes, DEPTH);
  const [payload, header, signature] = ['payload', 'protected', 'signature'].map(name =>
    urlSafe(document, name),
  );
  const attributes = header && jsonOf(header.bytes, DEPTH);
  const unprotected = isObject(document) ? own(document, 'header') : null;
  if (!payload || !header || !signature || !isObject(attributes) || !isObject(unprotected)) return null;
  const chain = texts(own(unprotected, 'x5c'))?.map(text => fromBase64(text));
  const critical = texts(own(attributes, 'crit'));
  const algorithm = own(attributes, 'alg');
  const stamp = own(unprotected, STAMP) ?? null;
  if (chain === undefined || chain.includes(null) || critical === null || typeof algorithm !== 'string')
    return null;
  return {
    algorithm,
    attributes: jwsAttributes(attributes),
    critical,
    chain: chain as Uint8Array[],
    signed: Buffer.from(`${header.text}.${payload.text}`),
    signature: signature.bytes,
    payload: payload.bytes,
    // One that is no base64 is one that is not valid.
    stamp: stamp === null ? null : (fromBase64(typeof stamp === 'string' ? stamp : null) ?? Buffer.of()),
  };
}

/** Base64 as JWS wants it: URL-safe, without padding (RFC 7515 section 2). */
function urlSafe(document: Json | undefined, name: string): { text: string; bytes: Buffer } | null {
  const text = isObject(document) ? own(document, name) : null;
  if (typeof text !== 'string' || !/^[\w-]*$/.test(text) || text.length % 4 === 1) return null;
  return { text, bytes: Buffer.from(text, 'base64url') };
}

const texts = (value: Json | undefined): readonly string[] | null =>
  Array.isArray(value) && value.every(item => typeof item === 'string') ? value : null;

const TIMES: ReadonlySet<string> = new Set([SIGNING_TIME, AUTHENTIC_TIME, EXPIRY]);
/** RFC 3339 section 5.6, which is stricter than `Date`. */
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i;

function jwsAttributes(header: JsonObject): Envelope['attributes'] {
  const attributes = new Map<string, string | Date>();
  for (const [name, value] of Object.entries(header)) {
    if (name === 'alg' || name === 'crit') continue;
    const isTime = TIMES.has(name) && typeof value === 'string' && RFC3339.test(value);
    attributes.set(
      name,
      isTime ? new Date(value) : typeof value === 'string' ? value : JSON.stringify(value),
    );
  }
  return attributes;
}

const [ALGORITHM, CRITICAL, COSE_CONTENT_TYPE, X5CHAIN] = [1, 2, 3, 33] as const;
/** https://www.iana.org/assignments/cose/cose.xhtml#algorithms */
const COSE_ALGORITHMS: ReadonlyMap<Cbor | undefined, string> = new Map([
  [-37, 'PS256'],
  [-38, 'PS384'],
  [-39, 'PS512'],
  [-7, 'ES256'],
  [-35, 'ES384'],
  [-36, 'ES512'],
]);

function readCose(bytes: Uint8Array): Envelope | null {
  const message = parseCoseSign1(bytes);
  if (message === null) return null;
  const { protectedHeaders: headers, unprotectedHeaders, payload, signature } = message;
  const listed = unprotectedHeaders.get(X5CHAIN) ?? headers.get(X5CHAIN);
  const chain = listed instanceof Uint8Array ? [listed] : listed;
  const critical = headers.get(CRITICAL);
  const stamp = unprotectedHeaders.get(STAMP) ?? null;
  if (!Array.isArray(chain) || !chain.every(item => item instanceof Uint8Array) || !Array.isArray(critical))
    return null;
  return {
    algorithm: COSE_ALGORITHMS.get(headers.get(ALGORITHM)) ?? String(headers.get(ALGORITHM)),
    attributes: coseAttributes(headers),
    critical: critical.map(String),
    chain,
    signed: coseSignedBytes(message),
    signature,
    payload,
    stamp: stamp === null || stamp instanceof Uint8Array ? stamp : Buffer.of(),
  };
}

const EPOCH_TAG = 1;

function coseAttributes(headers: ReadonlyMap<number | string, Cbor>): Envelope['attributes'] {
  const attributes = new Map<string, string | Date>();
  for (const [label, value] of headers) {
    if (label === ALGORITHM || label === CRITICAL || label === X5CHAIN) continue;
    const isTime = value instanceof Tagged && value.tag === EPOCH_TAG && typeof value.value === 'number';
    const name = label === COSE_CONTENT_TYPE ? CONTENT_TYPE : String(label);
    attributes.set(
      name,
      isTime ? new Date((value.value as number) * 1000) : typeof value === 'string' ? value : '',
    );
  }
  return attributes;
}

/** The algorithm that a key must be used with, and no other. */
function requiredAlgorithm(key: KeyObject): string | null {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (keyAlgorithm(key) === 'rsa')
    return ({ 2048: 'PS256', 3072: 'PS384', 4096: 'PS512' } as const)[bits ?? 0] ?? null;
  const ecdsa = { 'ecdsa-p256': 'ES256', 'ecdsa-p384': 'ES384', 'ecdsa-p521': 'ES512' };
  return (ecdsa as Readonly<Record<string, string>>)[keyAlgorithm(key) ?? ''] ?? null;
}

function integrityFault({ algorithm, signed, signature }: Envelope, key: KeyObject): Refused | null {
  const required = requiredAlgorithm(key);
  if (required === null || algorithm !== required)
    return refused('algorithm-mismatch', { algorithm, required });
  const options = required.startsWith('PS')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { dsaEncoding: 'ieee-p1363' as const };
  try {
    if (verify(`sha${required.slice(2)}`, signed, { key, ...options }, signature)) return null;
  } catch {
    // A signature of the wrong length.
  }
  return refused('signature-invalid', { key: null });
}

const SCHEMES: ReadonlyMap<string, { readonly time: string; readonly store: StoredCertificate['type'] }> =
  new Map([
    ['notary.x509', { time: SIGNING_TIME, store: 'ca' }],
    ['notary.x509.signingAuthority', { time: AUTHENTIC_TIME, store: 'signingAuthority' }],
  ]);

/** A signed attribute that the specification forbids or wants, or that this program would have to know. */
function attributeFault({ attributes, critical }: Envelope): Refused | null {
  const unsupported = (name: string) =>
    refused('attribute-unsupported', { name, value: text(attributes.get(name)).slice(0, 200) });
  if (attributes.get(CONTENT_TYPE) !== PAYLOAD_TYPE) return unsupported(CONTENT_TYPE);
  const known: readonly string[] = [SCHEME, AUTHENTIC_TIME, EXPIRY];
  const unknown = critical.find(name => !known.includes(name));
  if (unknown !== undefined) return unsupported(unknown.slice(0, 200));
  const plugin = [...attributes.keys()].find(name => name.startsWith(`${PREFIX}verificationPlugin`));
  if (plugin !== undefined) return unsupported(plugin);
  const scheme = SCHEMES.get(text(attributes.get(SCHEME)));
  if (scheme === undefined) return unsupported(SCHEME);
  const missing = known.find(name => (name === SCHEME || attributes.has(name)) && !critical.includes(name));
  if (missing !== undefined) return refused('attribute-missing', { name: `crit: ${missing}` });
  const forbidden = scheme.time === SIGNING_TIME ? AUTHENTIC_TIME : SIGNING_TIME;
  if (attributes.has(forbidden)) return unsupported(forbidden);
  if (!attributes.has(scheme.time)) return refused('attribute-missing', { name: scheme.time });
  const notATime = [scheme.time, EXPIRY].find(
    name => attributes.has(name) && timeOf(attributes.get(name)) === null,
  );
  return notATime === undefined ? null : unsupported(notATime);
}

const text = (value: string | Date | undefined): string =>
  value instanceof Date ? iso(value) : (value ?? '');
const timeOf = (value: string | Date | undefined): Date | null =>
  value instanceof Date && !Number.isNaN(value.getTime()) ? value : null;

/** Trust in the certificates, the signature's expiry, and the time at which the certificates must be valid. */
function authenticity(
  envelope: Envelope,
  chain: readonly Certificate[],
  store: NotationStore,
  now: Date,
): Verification {
  const flaw = chainFlaw(chain);
  if (flaw !== null) return refused('certificate-unsuitable', flaw);
  const type = SCHEMES.get(text(envelope.attributes.get(SCHEME)))!.store;
  const trusted = store.roots.find(
    root => root.type === type && chain.some(({ der }) => der.equals(root.certificate.der)),
  );
  if (trusted === undefined) return refused('certificate-untrusted', { issuer: chain.at(-1)!.issuer });
  const expiry = timeOf(envelope.attributes.get(EXPIRY));
  if (expiry !== null && now >= expiry)
    return refused('signature-expired', { expiry: iso(expiry), now: iso(now) });
  const time = signingTime(envelope, store, now);
  if ('outcome' in time) return time;
  for (const certificate of chain) {
    const outside = [time.from, time.to].find(at => !isValidAt(certificate, at));
    if (outside !== undefined)
      return refused('certificate-expired', certificateTimes(certificate, outside, time.by));
  }
  const signedAt = time.by === 'clock' ? null : iso(time.to);
  return verified({ kind: 'notation', subject: chain[0]!.subject, store: trusted.store, signedAt });
}

/**
 * The time at which all certificates must have been valid: that of the signing authority; that of a time stamp, where
 * the store has timestamp authorities; or else the current time. A signer's own `signingTime` proves nothing.
 */
function signingTime(
  { attributes, signature, stamp }: Envelope,
  { roots }: NotationStore,
  now: Date,
): (StampedTime & Pick<CertificateTimes, 'by'>) | Refused {
  const authentic = timeOf(attributes.get(AUTHENTIC_TIME));
  if (authentic !== null) return { from: authentic, to: authentic, by: 'signing-authority' };
  const authorities = roots.filter(({ type }) => type === 'tsa').map(({ certificate }) => certificate);
  if (stamp === null || authorities.length === 0) return { from: now, to: now, by: 'clock' };
  const time = stampedTime(stamp, signature, authorities);
  if (time === 'malformed') return refused('malformed', { part: 'timestamp' });
  if (time === 'untrusted') return refused('timestamp-untrusted', {});
  return time === 'invalid' ? refused('timestamp-invalid', {}) : { ...time, by: 'timestamp' };
}

/**
 * The first certificate that is not as the specification requires.
 * https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md#certificate-requirements
 */
function chainFlaw(chain: readonly Certificate[]): { subject: string; reason: CertificateFlaw } | null {
  for (const [at, certificate] of chain.entries()) {
    const issuer = chain[at + 1] ?? certificate;
    const reason =
      (at === 0 ? signingFlaw(certificate) : issuingFlaw(certificate, at - 1)) ??
      (certificate.weaklySigned ? 'weak-signature' : null) ??
      (isSignedBy(certificate, issuer) ? null : 'order');
    if (reason !== null) return { subject: certificate.subject, reason };
  }
  return null;
}

/** A root that is also the signer's certificate may not issue certificates, so its own signature is compared alone. */
function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (issuer !== certificate) return isIssuedBy(certificate, issuer);
  try {
    return certificate.subject === certificate.issuer && certificate.x509.verify(certificate.key);
  } catch {
    return false;
  }
}

/** Bits of `keyUsage`: digitalSignature, and those that a signer's certificate must not have. */
const DIGITAL_SIGNATURE = 0;
const OTHER_USES: readonly number[] = [2, 3, 4, 5, 6, 7, 8];
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
/** anyExtendedKeyUsage, serverAuth, clientAuth, emailProtection, timeStamping. */
const OTHER_PURPOSES: readonly string[] = [
  '2.5.29.37.0',
  '1.3.6.1.5.5.7.3.1',
  '1.3.6.1.5.5.7.3.2',
  '1.3.6.1.5.5.7.3.4',
  '1.3.6.1.5.5.7.3.8',
];

function signingFlaw({ constraints, usage, purposes }: Certificate): CertificateFlaw | null {
  if (constraints?.authority === true) return 'not-for-signing';
  if (usage === null || !usage.critical || !usage.bits.has(DIGITAL_SIGNATURE)) return 'not-for-signing';
  if (OTHER_USES.some(bit => usage.bits.has(bit))) return 'not-for-signing';
  if (purposes === null) return null;
  const isForCode =
    purposes.includes(CODE_SIGNING) && !OTHER_PURPOSES.some(other => purposes.includes(other));
  return isForCode ? null : 'not-for-code-signing';
}

function issuingFlaw(certificate: Certificate, below: number): CertificateFlaw | null {
  const { constraints, usage } = certificate;
  if (constraints?.critical !== true || usage?.critical !== true) return 'not-an-authority';
  return authorityFlaw(certificate, below);
}
