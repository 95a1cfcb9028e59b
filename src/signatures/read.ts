import type { Document } from '../scan/blob/document.js';
import {
  COSIGN_PAYLOAD,
  type DsseEnvelope,
  fromBase64,
  GPG_PAYLOAD,
  IN_TOTO_PAYLOAD,
  parseEnvelope,
  parseNotaryPayload,
  parseSimpleSigning,
  parseStatementBytes,
} from '../spec/attestation.js';
import { type Cbor, type CborMap, parseCoseSign1 } from '../spec/cose.js';
import { isObject, type Json, own } from '../spec/json.js';
import { jsonOf } from '../spec/json-text.js';
import { parseOpenPgp } from './openpgp.js';
import type {
  ClaimedSigner,
  Signature,
  SignatureFormat,
  SignaturePart,
  SignatureProblem,
} from './signature.js';
import { readCertificates } from './verify/certificates.js';
import { readPublicKey } from './verify/keys.js';

/** A signature by its own bytes and annotations, without the place where it was found. */
export type SignatureContent = Omit<Signature, 'at' | 'found' | 'placedOn'>;

type Annotations = ReadonlyMap<string, string>;

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const DSSE = 'application/vnd.dsse.envelope.v1+json';

/**
 * How the blob of a media type is signed; null for a type that is no signature's. BuildKit's statements without
 * `+dsse` are not signed.
 */
export function formatOf(mediaType: string | null): SignatureFormat | null {
  const type = mediaType ?? '';
  if (type === SIMPLE_SIGNING) return 'cosign-simple';
  if (type === DSSE || /^application\/vnd\.in-toto\.[\w.-]{0,100}\+dsse$/.test(type)) return 'dsse';
  if (/^application\/vnd\.dev\.sigstore\.bundle(\.v0\.\d{1,3})?\+json(;\s*version=[\w.]{1,20})?$/.test(type))
    return 'sigstore-bundle';
  if (type === 'application/jose+json') return 'notation-jws';
  return type === 'application/cose' ? 'notation-cose' : null;
}

/** Certificates of one chain that are read. Real ones have two to four. */
const CERTIFICATES = 32;

/** The artifact type of a signature of the Notary Project. */
export const NOTARY_SIGNATURE = 'application/vnd.cncf.notary.signature';

/** The predicate type by which cosign 3 signs an image itself, and states nothing else about it. */
const COSIGN_SIGN = 'https://sigstore.dev/cosign/sign/v1';

const NOTHING: SignatureContent = {
  format: 'unknown',
  role: 'signature',
  payload: null,
  signs: [],
  dockerReference: null,
  predicateType: null,
  signature: null,
  envelope: null,
  bundle: null,
  certificate: null,
  chain: null,
  rfc3161: null,
  claimed: { identity: null, issuer: null, keyHint: null },
  problem: null,
};

/** A signature of which nothing could be read. */
export const unread = (format: SignatureFormat, problem: SignatureProblem): SignatureContent => ({
  ...NOTHING,
  format,
  role: format === 'dsse' ? 'attestation' : 'signature',
  problem,
});

const malformed = (format: SignatureFormat, part: SignaturePart, rest: Partial<SignatureContent> = {}) => ({
  ...unread(format, { code: 'malformed', part }),
  ...rest,
});

/** A signature that is a blob of the archive, with the annotations of its descriptor. */
export function readBlob(
  format: SignatureFormat,
  document: Document,
  annotations: Annotations,
): SignatureContent {
  const { bytes, error } = document;
  if (bytes === null) return unread(format, unreadable(error));
  if (format === 'cosign-simple') return readSimple(bytes, annotations);
  if (format === 'notation-cose') return readCose(bytes);
  if (document.value === undefined) return unread(format, unreadable(error));
  if (format === 'dsse') return readDsse(document, annotations);
  if (format === 'sigstore-bundle') return readBundle(document.value);
  return format === 'notation-jws' ? readJws(bytes, document.value) : malformed(format, 'file');
}

function unreadable(error: Document['error']): SignatureProblem {
  if (error?.kind === 'limit')
    return { code: 'limit', limit: error.limit, value: error.value, size: error.actual };
  if (error?.kind === 'unreadable') return { code: 'unreadable', reason: error.reason };
  return { code: 'malformed', part: 'json' };
}

const SIGSTORE_FILE = Buffer.from('\0sigstore-json\n');

/** Nesting of the JSON in a signature. Real ones nest ten deep. */
const DEPTH = 100;

/**
 * A file `signature-N` of skopeo's `dir:`.
 * https://github.com/containers/image/blob/main/docs/signature-protocols.md
 * @returns null for an attachment that is no signature
 */
export function readSignatureFile({ bytes, error }: Document): SignatureContent | null {
  if (bytes === null) return unread('unknown', unreadable(error));
  if (bytes.length > 0 && bytes[0] !== 0) return readGpg(bytes);
  if (!Buffer.from(bytes.subarray(0, SIGSTORE_FILE.length)).equals(SIGSTORE_FILE))
    return malformed('unknown', 'file');
  const value = jsonOf(bytes.subarray(SIGSTORE_FILE.length), DEPTH);
  if (!isObject(value)) return malformed('unknown', 'json');
  const mimeType = own(value, 'mimeType');
  const payload = own(value, 'payload');
  const content = fromBase64(typeof payload === 'string' ? payload : null);
  const format = formatOf(typeof mimeType === 'string' ? mimeType : null);
  if (format === null) return null;
  if (content === null) return malformed(format, 'payload');
  return readAttachment(format, content, annotationsIn(own(value, 'annotations')));
}

function annotationsIn(value: Json | undefined): Annotations {
  const entries = isObject(value) ? Object.entries(value) : [];
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function readAttachment(
  format: SignatureFormat,
  bytes: Uint8Array,
  annotations: Annotations,
): SignatureContent {
  if (format === 'cosign-simple') return readSimple(bytes, annotations);
  const value = jsonOf(bytes, DEPTH);
  if (value === undefined) return malformed(format, 'json');
  if (format === 'dsse') return readDsse({ bytes, value }, annotations);
  return format === 'sigstore-bundle' ? readBundle(value) : malformed(format, 'file');
}

/** GPG's signature of the same payload. It is listed: which key made it, and of what, is not verified. */
function readGpg(bytes: Uint8Array): SignatureContent {
  const message = parseOpenPgp(bytes);
  if (message === null) return malformed('unknown', 'file');
  const { keyId, content } = message;
  const simple = content === null ? null : parseSimpleSigning(content, GPG_PAYLOAD);
  return {
    ...NOTHING,
    format: 'gpg-simple',
    envelope: bytes,
    payload: content === null ? null : { bytes: content, type: null },
    signs: simple === null ? [] : [simple.digest],
    dockerReference: simple?.dockerReference ?? null,
    claimed: { identity: null, issuer: null, keyHint: keyId },
    problem: simple === null ? { code: 'malformed', part: 'payload' } : null,
  };
}

function readSimple(bytes: Uint8Array, annotations: Annotations): SignatureContent {
  const simple = parseSimpleSigning(bytes, COSIGN_PAYLOAD);
  const signature = fromBase64(annotations.get('dev.cosignproject.cosign/signature') ?? null);
  const part =
    simple === null ? 'payload' : signature === null || signature.length === 0 ? 'signature' : null;
  return {
    ...NOTHING,
    ...cosignAnnotations(annotations),
    format: 'cosign-simple',
    payload: { bytes, type: SIMPLE_SIGNING },
    signs: simple === null ? [] : [simple.digest],
    dockerReference: simple?.dockerReference ?? null,
    signature,
    problem: part === null ? null : { code: 'malformed', part },
  };
}

/** Certificate, chain, log entry and timestamp, which cosign 2 writes as annotations beside a signature. */
function cosignAnnotations(annotations: Annotations) {
  const certificate = annotations.get('dev.sigstore.cosign/certificate') || null;
  const timestamp = annotations.get('dev.sigstore.cosign/rfc3161timestamp');
  const text = annotations.get('dev.sigstore.cosign/bundle');
  const bundle = text === undefined ? null : (jsonOf(Buffer.from(text), DEPTH) ?? null);
  return {
    certificate,
    chain: annotations.get('dev.sigstore.cosign/chain') || null,
    bundle,
    rfc3161: timestamp === undefined ? null : Buffer.from(timestamp),
    claimed: { ...signerOf(certificate), keyHint: certificate === null ? loggedKey(bundle) : null },
  };
}

/** The fingerprint of the key that the entry of a transparency log says has made the signature. */
function loggedKey(bundle: Json): string | null {
  const body = stringIn(fieldIn(bundle, 'Payload'), 'body');
  const entry = jsonOf(fromBase64(body) ?? new Uint8Array(0), DEPTH) ?? null;
  const spec = fieldIn(entry, 'spec');
  const hashed = stringIn(fieldIn(fieldIn(spec, 'signature'), 'publicKey'), 'content');
  const content = fromBase64(hashed ?? stringIn(spec, 'publicKey'));
  const key = content === null ? undefined : readPublicKey(content).value;
  return key === undefined || key.fromCertificate ? null : key.fingerprint;
}

/** The signer that a certificate names, and nothing verified: Fulcio's identity and issuer, or subject and issuer. */
function signerOf(pem: string | null): Pick<ClaimedSigner, 'identity' | 'issuer'> {
  const [certificate] = (pem === null ? null : readCertificates(pem, CERTIFICATES)) ?? [];
  if (certificate === undefined) return { identity: null, issuer: null };
  const { names, provider, subject, issuer } = certificate;
  return { identity: names.join(', ') || subject || null, issuer: provider ?? (issuer || null) };
}

/** A certificate in PEM. RFC 7468 */
function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

const fieldIn = (value: Json, key: string): Json => (isObject(value) ? (own(value, key) ?? null) : null);

function stringIn(value: Json, key: string): string | null {
  const field = fieldIn(value, key);
  return typeof field === 'string' ? field : null;
}

function readDsse(
  { bytes, value }: { readonly bytes: Uint8Array | null; readonly value: Json | undefined },
  annotations: Annotations,
): SignatureContent {
  const envelope = parseEnvelope(value);
  if (envelope === null) return malformed('dsse', 'envelope', { role: 'attestation', envelope: bytes });
  const beside = cosignAnnotations(annotations);
  const keyHint = beside.claimed.keyHint ?? envelope.signatures[0]!.keyid;
  return {
    ...NOTHING,
    ...beside,
    ...stated(envelope),
    claimed: { ...beside.claimed, keyHint },
    format: 'dsse',
    envelope: bytes,
  };
}

/** The statement in the payload of an envelope. */
function stated({
  payload,
  payloadType,
}: DsseEnvelope): Pick<SignatureContent, 'payload' | 'role' | 'signs' | 'predicateType' | 'problem'> {
  const statement = payloadType === IN_TOTO_PAYLOAD ? parseStatementBytes(payload) : null;
  const predicateType = statement?.predicateType ?? null;
  return {
    payload: { bytes: payload, type: payloadType },
    role: predicateType === COSIGN_SIGN ? 'signature' : 'attestation',
    signs: [...new Set(statement?.subjects.flatMap(({ digests }) => digests) ?? [])],
    predicateType,
    problem: statement === null ? { code: 'malformed', part: 'statement' } : null,
  };
}

/** A Sigstore bundle. https://github.com/sigstore/protobuf-specs/blob/v0.4.0/protos/sigstore_bundle.proto */
function readBundle(value: Json): SignatureContent {
  const material = fieldIn(value, 'verificationMaterial');
  const [certificate = null, ...above] = certificatesIn(material);
  const keyHint = stringIn(fieldIn(material, 'publicKey'), 'hint');
  const rest = {
    ...NOTHING,
    format: 'sigstore-bundle' as const,
    bundle: value,
    certificate,
    chain: above.length === 0 ? null : above.join(''),
    claimed: { ...signerOf(certificate), keyHint },
  };
  const dsse = fieldIn(value, 'dsseEnvelope');
  const message = fieldIn(value, 'messageSignature');
  // One of the two, as the specification says. Hazard: libraries would judge the one, and the other names the digest.
  if (dsse !== null && message !== null) return { ...rest, problem: { code: 'malformed', part: 'bundle' } };
  if (dsse !== null) {
    const envelope = parseEnvelope(dsse);
    const problem = { code: 'malformed', part: 'envelope' } as const;
    return envelope === null ? { ...rest, role: 'attestation', problem } : { ...rest, ...stated(envelope) };
  }
  const signs = messageDigest(fieldIn(message, 'messageDigest'));
  const signature = fromBase64(stringIn(message, 'signature'));
  const isWhole = isObject(material) && signature !== null && signs.length > 0;
  return { ...rest, signature, signs, problem: isWhole ? null : { code: 'malformed', part: 'bundle' } };
}

function certificatesIn(material: Json): string[] {
  const chain = fieldIn(fieldIn(material, 'x509CertificateChain'), 'certificates');
  const all = Array.isArray(chain) ? chain.slice(0, CERTIFICATES) : [fieldIn(material, 'certificate')];
  return all.flatMap(one => {
    const der = fromBase64(stringIn(one, 'rawBytes'));
    return der === null ? [] : [pemOf(der)];
  });
}

/** The digest of the bytes that a message signature is about: those of a manifest. */
function messageDigest(value: Json): string[] {
  const algorithm = { SHA2_256: 'sha256', SHA2_512: 'sha512' }[stringIn(value, 'algorithm') ?? ''];
  const digest = fromBase64(stringIn(value, 'digest'));
  return algorithm === undefined || digest === null
    ? []
    : [`${algorithm}:${Buffer.from(digest).toString('hex')}`];
}

/** https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-envelope-jws.md */
function readJws(envelope: Uint8Array, value: Json): SignatureContent {
  const payload = fromBase64(stringIn(value, 'payload'));
  const header = jsonOf(fromBase64(stringIn(value, 'protected')) ?? new Uint8Array(0), DEPTH) ?? null;
  const chain = fieldIn(fieldIn(value, 'header'), 'x5c');
  const certificates = (Array.isArray(chain) ? chain : []).slice(0, CERTIFICATES);
  const ders = certificates.map(one => fromBase64(typeof one === 'string' ? one : null));
  return notation('notation-jws', {
    envelope,
    payload: payload === null ? null : { bytes: payload, type: stringIn(header, 'cty') },
    certificates: ders.filter(der => der !== null),
    part: 'jws',
  });
}

function notation(
  format: 'notation-jws' | 'notation-cose',
  {
    envelope,
    payload,
    certificates,
    part,
  }: Pick<SignatureContent, 'envelope' | 'payload'> & {
    readonly certificates: readonly Uint8Array[];
    readonly part: SignaturePart;
  },
): SignatureContent {
  const digest = payload === null ? null : parseNotaryPayload(payload.bytes);
  const [certificate = null, ...above] = certificates.map(pemOf);
  const broken = payload === null ? part : digest === null ? 'payload' : null;
  return {
    ...NOTHING,
    format,
    envelope,
    payload,
    signs: digest === null ? [] : [digest],
    certificate,
    chain: above.length === 0 ? null : above.join(''),
    claimed: { ...signerOf(certificate), keyHint: null },
    problem: broken === null ? null : { code: 'malformed', part: broken },
  };
}

/** Labels of COSE headers: the content type, and the certificates. RFC 9052 section 3.1, RFC 9360 section 2 */
const [CONTENT_TYPE, X5CHAIN] = [3, 33];

/** https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-envelope-cose.md */
function readCose(envelope: Uint8Array): SignatureContent {
  const message = parseCoseSign1(envelope);
  const type = message?.protectedHeaders.get(CONTENT_TYPE);
  return notation('notation-cose', {
    envelope,
    payload:
      message === null ? null : { bytes: message.payload, type: typeof type === 'string' ? type : null },
    certificates: message === null ? [] : certificatesOfCose(message.unprotectedHeaders),
    part: 'cose',
  });
}

/** One certificate, or an array of several. */
function certificatesOfCose(headers: CborMap): Uint8Array[] {
  const chain: Cbor | undefined = headers.get(X5CHAIN);
  const all = Array.isArray(chain) ? (chain as readonly Cbor[]).slice(0, CERTIFICATES) : [chain];
  return all.filter(one => one instanceof Uint8Array);
}
