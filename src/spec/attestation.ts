import { digestKind } from './digest.js';
import { Fields, type Json } from './json.js';
import { jsonOf } from './json-text.js';

/**
 * The envelope of a signed document: the signature is about `payloadType` and `payload`.
 * https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md
 */
export interface DsseEnvelope {
  readonly payloadType: string;
  /** The document itself, decoded from base64. */
  readonly payload: Uint8Array;
  /** At least one. */
  readonly signatures: readonly DsseSignature[];
}

interface DsseSignature {
  /** A hint for the choice of a key; it is not signed. null where it is absent or empty. */
  readonly keyid: string | null;
  readonly sig: Uint8Array;
}

/** The payload type of an in-toto statement. https://github.com/in-toto/attestation/blob/v1.1.0/spec/v1/envelope.md */
export const IN_TOTO_PAYLOAD = 'application/vnd.in-toto+json';

/** Signatures that are read of one envelope. Real ones have one. */
const SIGNATURES = 100;

/** @returns null for a document that is no envelope: a field is missing, has another type or is no base64 */
export function parseEnvelope(value: Json | undefined): DsseEnvelope | null {
  const fields = Fields.of(value, '', []);
  const payloadType = fields?.string('payloadType') ?? null;
  const payload = fromBase64(fields?.string('payload') ?? null);
  const listed = fields?.array('signatures') ?? [];
  if (payloadType === null || payload === null || listed.length > SIGNATURES) return null;
  const signatures = listed.map(parseSignature).filter(signature => signature !== null);
  return signatures.length === 0 || signatures.length < listed.length
    ? null
    : { payloadType, payload, signatures };
}

function parseSignature(value: Json): DsseSignature | null {
  const fields = Fields.of(value, '', []);
  const sig = fromBase64(fields?.string('sig') ?? null);
  return sig === null || sig.length === 0 ? null : { keyid: fields?.string('keyid') || null, sig };
}

/**
 * An in-toto statement, version 0.1 or 1: what is said about which artifacts.
 * https://github.com/in-toto/attestation/blob/v1.1.0/spec/v1/statement.md
 */
export interface Statement {
  /** `_type`: the version of the statement's format. */
  readonly type: string;
  readonly subjects: readonly Subject[];
  readonly predicateType: string | null;
  /** undefined where the statement has none. */
  readonly predicate: Json | undefined;
}

/** An artifact that a statement is about. */
export interface Subject {
  readonly name: string | null;
  /** Its digests as `algorithm:encoded`, those which are digests by the image specification: `sha256:…`. */
  readonly digests: readonly string[];
}

const STATEMENT_TYPES: ReadonlySet<string> = new Set([
  'https://in-toto.io/Statement/v0.1',
  'https://in-toto.io/Statement/v1',
]);

/** Nesting of a statement's JSON. Real ones nest some twenty deep. */
const DEPTH = 1000;

/** The statement in the payload of an envelope. @returns null for bytes that are no statement of a known version */
export const parseStatementBytes = (bytes: Uint8Array): Statement | null =>
  parseStatement(jsonOf(bytes, DEPTH));

/** @returns null for a document that is no statement of a known version */
export function parseStatement(value: Json | undefined): Statement | null {
  const fields = Fields.of(value, '', []);
  const type = fields?.string('_type') ?? null;
  if (fields === null || type === null || !STATEMENT_TYPES.has(type)) return null;
  return {
    type,
    subjects: (fields.array('subject') ?? []).map(parseSubject),
    predicateType: fields.string('predicateType'),
    predicate: fields.any('predicate'),
  };
}

function parseSubject(value: Json): Subject {
  const fields = Fields.of(value, '', []);
  const digests = [...(fields?.stringMap('digest') ?? [])]
    .map(([algorithm, encoded]) => `${algorithm}:${encoded}`)
    .filter(digest => digestKind(digest) !== 'malformed');
  return { name: fields?.string('name') ?? null, digests };
}

/**
 * Base64 as DSSE, JWS and cosign write it: the standard or the URL-safe alphabet, padded or not, perhaps wrapped into
 * lines. RFC 4648 sections 4 and 5
 * @returns null for null and for text that is no base64
 */
export function fromBase64(text: string | null): Uint8Array | null {
  if (text === null) return null;
  const plain = /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, '') : text;
  const unpadded = plain.length % 4 === 0 ? plain.replace(/={1,2}$/, '') : plain;
  // No group is repeated: the pattern would run out of stack at some megabytes.
  const isBase64 = /^[A-Za-z0-9+/]*$/.test(unpadded) || /^[A-Za-z0-9_-]*$/.test(unpadded);
  return isBase64 && unpadded.length % 4 !== 1 ? Buffer.from(unpadded, 'base64') : null;
}

/**
 * The payload of simple signing: which manifest is signed, and by which name.
 * https://github.com/containers/image/blob/main/docs/containers-signature.5.md#json-data-format
 */
export interface SimpleSigning {
  /** The digest of the manifest that is signed. */
  readonly digest: string;
  /** The name for which it is signed; null where the payload has none. */
  readonly dockerReference: string | null;
}

/** `critical.type` of the payloads that cosign signs, and of those that GPG signs for containers/image. */
export const COSIGN_PAYLOAD = 'cosign container image signature';
export const GPG_PAYLOAD = 'atomic container signature';

/**
 * @param type  the value that `critical.type` must have. Hazard: a key may sign documents of another purpose that name
 * a digest too; skopeo refuses these
 * @returns null for bytes that are no payload of simple signing of that type
 */
export function parseSimpleSigning(
  bytes: Uint8Array,
  type: typeof COSIGN_PAYLOAD | typeof GPG_PAYLOAD,
): SimpleSigning | null {
  const critical = Fields.of(jsonOf(bytes, DEPTH), '', [])?.object('critical');
  const digest = critical?.object('image')?.string('docker-manifest-digest') ?? null;
  if (digest === null || digestKind(digest) === 'malformed' || critical?.string('type') !== type) return null;
  return { digest, dockerReference: critical?.object('identity')?.string('docker-reference') || null };
}

/**
 * The digest in the payload of a Notary Project signature.
 * https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md#payload
 * @returns null for bytes that are no such payload
 */
export function parseNotaryPayload(bytes: Uint8Array): string | null {
  const digest = Fields.of(jsonOf(bytes, DEPTH), '', [])?.object('targetArtifact')?.string('digest') ?? null;
  return digest === null || digestKind(digest) === 'malformed' ? null : digest;
}
