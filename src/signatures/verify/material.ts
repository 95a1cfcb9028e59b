import { createHash } from 'node:crypto';
import { bundleFromJSON, type TransparencyLogEntry, ValidationError } from '@sigstore/bundle';
import { TransparencyLogEntry as LogEntry } from '@sigstore/protobuf-specs';
import { fromBase64, parseEnvelope } from '../../spec/attestation.js';
import { isObject, type Json, type JsonObject, own } from '../../spec/json.js';
import { jsonOf } from '../../spec/json-text.js';
import type { Signature } from '../signature.js';
import { type Certificate, CHAIN_CERTIFICATES, readCertificate, readCertificates } from './certificates.js';
import { type Refused, refused, type TooMuch } from './verification.js';

/** A signature of Sigstore, in whichever format it was, as far as it is needed to judge it. */
export interface Material {
  /** The bytes that are signed: the payload, or for DSSE its pre-authentication encoding. */
  readonly signed: Buffer;
  readonly payload: Buffer;
  readonly signature: Buffer;
  readonly certificate: Certificate | null;
  /** Certificates above it that came with the signature. They are not trusted. */
  readonly chain: readonly Certificate[];
  /** Hexadecimal SHA-256 of the key that signed it, as the signature says; null where it says nothing. */
  readonly keyHint: string | null;
  readonly entries: readonly TransparencyLogEntry[];
  /** Time stamps: TimeStampResp of RFC 3161. */
  readonly timestamps: readonly Buffer[];
}

/** Entries of logs, and time stamps, of one signature: sigstore-go's limits. Real ones have one of each. */
const ENTRIES = 32;
const TIMESTAMPS = 32;
/** Size of a log's checkpoint, in characters. Real ones have 200 for the log and for each witness. */
const CHECKPOINT_BYTES = 16 * 1024;
const BODY_BYTES = 4 * 1024 * 1024;
const TIMESTAMP_BYTES = 64 * 1024;
/** Hashes of a proof: one for each level of a tree of 2^63 entries. */
const PROOF_HASHES = 64;
const ENVELOPE_SIGNATURES = 8;
const DEPTH = 1000;

/**
 * The signatures that are to be judged: one, or those of a DSSE envelope. All limits are checked here, before anything
 * is computed.
 */
export function materialsOf(signature: Signature): readonly Material[] | Refused {
  if (signature.format === 'sigstore-bundle') {
    const material = bundleMaterial(signature);
    return 'outcome' in material ? material : [material];
  }
  const annotations = annotated(signature);
  if ('outcome' in annotations) return annotations;
  if (signature.format === 'dsse') return envelopeMaterials(signature, annotations);
  if (signature.payload === null) return refused('malformed', { part: 'payload' });
  if (signature.signature === null) return refused('malformed', { part: 'signature' });
  const payload = Buffer.from(signature.payload.bytes);
  return [{ ...annotations, payload, signed: payload, signature: Buffer.from(signature.signature) }];
}

type Annotations = Omit<Material, 'payload' | 'signed' | 'signature'>;

/** The annotations that cosign 2 writes to the layer that is signed. */
function annotated(signature: Signature): Annotations | Refused {
  const [certificate] =
    signature.certificate === null ? [null] : (readCertificates(signature.certificate, 1) ?? []);
  if (certificate === undefined) return refused('malformed', { part: 'certificate' });
  const chain =
    signature.chain === null || signature.chain.trim() === ''
      ? []
      : readCertificates(signature.chain, CHAIN_CERTIFICATES);
  if (chain === null) return refused('malformed', { part: 'chain' });
  const entry = signature.bundle === null ? null : annotatedEntry(signature.bundle);
  if (entry !== null && 'outcome' in entry) return entry;
  const timestamp = signature.rfc3161 === null ? null : annotatedTimestamp(signature.rfc3161);
  if (timestamp !== null && 'outcome' in timestamp) return timestamp;
  return {
    certificate,
    chain,
    keyHint: null,
    entries: entry === null ? [] : [entry],
    timestamps: timestamp === null ? [] : [timestamp],
  };
}

/** The log entry in cosign's annotation `dev.sigstore.cosign/bundle`, as a bundle v0.1 has it. */
function annotatedEntry(bundle: Json): TransparencyLogEntry | Refused {
  const malformed = refused('malformed', { part: 'log-entry' });
  const payload = isObject(bundle) ? own(bundle, 'Payload') : null;
  const promise = isObject(bundle) ? own(bundle, 'SignedEntryTimestamp') : null;
  if (!isObject(payload) || typeof promise !== 'string') return malformed;
  const [text, logId] = [own(payload, 'body'), own(payload, 'logID')];
  if (typeof text !== 'string' || typeof logId !== 'string' || !/^[0-9a-f]{64}$/.test(logId))
    return malformed;
  const body = jsonOf(fromBase64(text) ?? Buffer.of(), DEPTH);
  if (!isObject(body)) return malformed;
  const [kind, version] = [own(body, 'kind'), own(body, 'apiVersion')];
  const [logIndex, integratedTime] = [own(payload, 'logIndex'), own(payload, 'integratedTime')];
  return checkedEntry({
    logIndex: Number.isSafeInteger(logIndex) ? String(logIndex) : '',
    integratedTime: Number.isSafeInteger(integratedTime) ? String(integratedTime) : '',
    logId: { keyId: Buffer.from(logId, 'hex').toString('base64') },
    kindVersion: { kind: kind ?? '', version: version ?? '' },
    inclusionPromise: { signedEntryTimestamp: promise },
    canonicalizedBody: text,
  });
}

function annotatedTimestamp(bytes: Uint8Array): Buffer | Refused {
  const document = jsonOf(bytes, DEPTH);
  const text = isObject(document) ? own(document, 'SignedRFC3161Timestamp') : null;
  const timestamp = typeof text === 'string' ? fromBase64(text) : null;
  if (timestamp === null || timestamp.length > TIMESTAMP_BYTES)
    return refused('malformed', { part: 'timestamp' });
  return Buffer.from(timestamp);
}

function envelopeMaterials(signature: Signature, annotations: Annotations): readonly Material[] | Refused {
  const envelope = signature.envelope === null ? null : parseEnvelope(jsonOf(signature.envelope, DEPTH));
  if (envelope === null) return refused('malformed', { part: 'envelope' });
  const payload = Buffer.from(envelope.payload);
  if (!isPayloadOf(signature, payload)) return refused('payload-mismatch', {});
  if (envelope.signatures.length > ENVELOPE_SIGNATURES) return refused('malformed', { part: 'envelope' });
  const signed = preAuthenticationEncoding(envelope.payloadType, payload);
  return envelope.signatures.map(({ sig }) => ({
    ...annotations,
    payload,
    signed,
    signature: Buffer.from(sig),
  }));
}

/** Whether the bytes whose digests are compared with the image are those that are signed. */
const isPayloadOf = ({ payload }: Signature, signed: Buffer): boolean =>
  payload !== null && signed.equals(payload.bytes);

/** DSSE's encoding of what is signed. https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md */
function preAuthenticationEncoding(payloadType: string, payload: Buffer): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ]);
}

const BUNDLE_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.dev.sigstore.bundle+json;version=0.1',
  'application/vnd.dev.sigstore.bundle+json;version=0.2',
  'application/vnd.dev.sigstore.bundle+json;version=0.3',
  'application/vnd.dev.sigstore.bundle.v0.3+json',
]);

function bundleMaterial(signature: Signature): Material | Refused {
  const document = signature.bundle;
  if (!isObject(document)) return refused('malformed', { part: 'bundle' });
  const mediaType = own(document, 'mediaType');
  if (typeof mediaType !== 'string' || !BUNDLE_TYPES.has(mediaType))
    return refused('bundle-version-unknown', {
      mediaType: typeof mediaType === 'string' ? mediaType.slice(0, 200) : '',
    });
  const tooMuch = bundleExcess(document);
  if (tooMuch !== null) return refused('too-large', tooMuch);
  try {
    return contentOf(signature, bundleFromJSON(document));
  } catch (error) {
    return bundleFault(error);
  }
}

/** A limit that is exceeded by lists of the document, before the library copies them. */
function bundleExcess(document: JsonObject): TooMuch | null {
  const material = objectAt(document, 'verificationMaterial');
  const stamps = objectAt(material, 'timestampVerificationData');
  const lists = [
    ['log-entries', material && own(material, 'tlogEntries'), ENTRIES],
    ['timestamps', stamps && own(stamps, 'rfc3161Timestamps'), TIMESTAMPS],
    ['certificates', certificatesOf(objectAt(material, 'x509CertificateChain')), CHAIN_CERTIFICATES],
  ] as const;
  for (const [of, list, most] of lists)
    if (Array.isArray(list) && list.length > most) return { of, found: list.length, most };
  return null;
}

const certificatesOf = (chain: JsonObject | null): Json | undefined | null =>
  chain && own(chain, 'certificates');

function objectAt(object: JsonObject | null, key: string): JsonObject | null {
  const value = object === null ? null : own(object, key);
  return isObject(value) ? value : null;
}

type LibraryBundle = ReturnType<typeof bundleFromJSON>;

function contentOf(signature: Signature, bundle: LibraryBundle): Material | Refused {
  const holder = holderOf(bundle);
  if ('outcome' in holder) return holder;
  const { tlogEntries, timestampVerificationData } = bundle.verificationMaterial;
  const faulty = tlogEntries.map(entryFault).find(fault => fault !== null);
  if (faulty !== undefined) return faulty;
  const timestamps = (timestampVerificationData?.rfc3161Timestamps ?? []).map(stamp => stamp.signedTimestamp);
  if (timestamps.some(({ length }) => length > TIMESTAMP_BYTES))
    return refused('malformed', { part: 'timestamp' });
  const shared = { ...holder, entries: tlogEntries, timestamps };
  if (bundle.content.$case === 'dsseEnvelope') {
    const { payload, payloadType, signatures } = bundle.content.dsseEnvelope;
    if (!isPayloadOf(signature, payload)) return refused('payload-mismatch', {});
    return {
      ...shared,
      payload,
      signed: preAuthenticationEncoding(payloadType, payload),
      signature: signatures[0]!.sig,
    };
  }
  const { messageDigest, signature: bytes } = bundle.content.messageSignature;
  if (signature.payload === null) return refused('malformed', { part: 'payload' });
  const payload = Buffer.from(signature.payload.bytes);
  if (!isDigestOf(messageDigest.digest, payload)) return refused('payload-mismatch', {});
  return { ...shared, payload, signed: payload, signature: bytes };
}

/** The certificate or the key that the bundle names. */
function holderOf(bundle: LibraryBundle): Pick<Material, 'certificate' | 'chain' | 'keyHint'> | Refused {
  const { content } = bundle.verificationMaterial;
  if (content.$case === 'publicKey')
    return { certificate: null, chain: [], keyHint: hintDigest(content.publicKey.hint) };
  const listed =
    content.$case === 'certificate' ? [content.certificate] : content.x509CertificateChain.certificates;
  const certificates = listed.map(({ rawBytes }) => readCertificate(rawBytes));
  const [certificate] = certificates;
  if (certificate === null || certificate === undefined) return refused('malformed', { part: 'certificate' });
  const chain = certificates.slice(1).filter(one => one !== null);
  if (chain.length + 1 < certificates.length) return refused('malformed', { part: 'chain' });
  return { certificate, chain, keyHint: null };
}

/** cosign's hint is the base64 of the SHA-256 of the key. Another hint says nothing about the key. */
function hintDigest(hint: string): string | null {
  const bytes = fromBase64(hint);
  return bytes?.length === 32 ? Buffer.from(bytes).toString('hex') : null;
}

function bundleFault(error: unknown): Refused {
  const fields = error instanceof ValidationError ? error.fields : [];
  if (fields.some(field => /inclusion(?:Proof|Promise)/.test(field))) return refused('log-proof-missing', {});
  return refused('malformed', { part: 'bundle' });
}

function checkedEntry(json: JsonObject): TransparencyLogEntry | Refused {
  const entry = LogEntry.fromJSON(json) as TransparencyLogEntry;
  return entryFault(entry) ?? entry;
}

/** A signature of a checkpoint: signer, and the base64 of four bytes that name the key and the signature. */
export const SIGNATURE_LINE = /\u2014 (\S+) (\S+)\n/g;
/** The library uses the names of signers as regular expressions, so they may be nothing but a host and a path. */
const SIGNER_NAME = /^[\w.:/-]{1,200}$/;

/** A part of an entry that is not as its specification says, or larger than the library can take. */
function entryFault(entry: TransparencyLogEntry): Refused | null {
  const { inclusionProof: proof, canonicalizedBody, integratedTime, logIndex, logId } = entry;
  const malformed = refused('malformed', { part: 'log-entry' });
  if (canonicalizedBody.length > BODY_BYTES)
    return refused('too-large', { of: 'bytes', found: canonicalizedBody.length, most: BODY_BYTES });
  if (!/^\d{1,11}$/.test(integratedTime) || !/^\d{1,19}$/.test(logIndex) || logId.keyId.length === 0)
    return malformed;
  if (proof === undefined) return null;
  if (!/^\d{1,19}$/.test(proof.logIndex) || proof.hashes.length > PROOF_HASHES) return malformed;
  const checkpoint = proof.checkpoint?.envelope ?? '';
  if (checkpoint.length > CHECKPOINT_BYTES)
    return refused('too-large', { of: 'checkpoint-bytes', found: checkpoint.length, most: CHECKPOINT_BYTES });
  const names = [...checkpoint.matchAll(SIGNATURE_LINE)].map(([, name]) => name!);
  return names.every(name => SIGNER_NAME.test(name)) ? null : malformed;
}

const HASHES: Readonly<Record<number, string>> = { 32: 'sha256', 48: 'sha384', 64: 'sha512' };

/** Whether it is the SHA-2 digest of the bytes; which one, its length says. */
export function isDigestOf(digest: Buffer, bytes: Buffer): boolean {
  const algorithm = HASHES[digest.length];
  return algorithm !== undefined && createHash(algorithm).update(bytes).digest().equals(digest);
}
