// Signatures as the program finds them, made of the files in the shared folder and of keys that a test makes.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Signature } from '../../src/signatures/signature.js';
import type {
  CertificateIdentity,
  NotationStore,
  Trust,
  TrustedKey,
  TrustedRoot,
} from '../../src/signatures/verify/trust.js';
import type { Verification } from '../../src/signatures/verify/verification.js';
import { readNotationStore, readPublicKey, readTrustedRoot } from '../../src/signatures/verify/verify.js';
import { parseCoseSign1 } from '../../src/spec/cose.js';
import type { Json } from '../../src/spec/json.js';
import { sharedFolder } from './corpus.js';

export const signatureFile = (...parts: readonly string[]): string =>
  join(sharedFolder, 'signatures', ...parts);
export const hasSignatures = existsSync(signatureFile());

const NOTHING: Signature = {
  format: 'unknown',
  at: { path: 'signature', pointer: '' } as unknown as Signature['at'],
  found: 'listed',
  role: 'signature',
  placedOn: null,
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

export const signatureOf = (parts: Partial<Signature>): Signature => ({ ...NOTHING, ...parts });

const PREFIX = 'dev.sigstore.cosign/';

/** cosign's annotations, and the bytes that are signed. */
export function simpleSignature(
  payload: Uint8Array,
  annotations: Readonly<Record<string, string>>,
): Signature {
  const bundle = annotations[`${PREFIX}bundle`];
  const timestamp = annotations[`${PREFIX}rfc3161timestamp`];
  return signatureOf({
    format: 'cosign-simple',
    payload: { bytes: payload, type: 'application/vnd.dev.cosign.simplesigning.v1+json' },
    signature: Buffer.from(annotations['dev.cosignproject.cosign/signature'] ?? '', 'base64'),
    bundle: bundle === undefined ? null : (JSON.parse(bundle) as Json),
    certificate: annotations[`${PREFIX}certificate`] ?? null,
    chain: annotations[`${PREFIX}chain`] ?? null,
    rfc3161: timestamp === undefined ? null : Buffer.from(timestamp),
  });
}

export interface SkopeoFile {
  readonly payload: Buffer;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A file `signature-N` of skopeo's dir. */
export function skopeoFile(bytes: Buffer): SkopeoFile {
  const { payload, annotations } = JSON.parse(bytes.subarray(bytes.indexOf('\n') + 1).toString());
  return { payload: Buffer.from(payload, 'base64'), annotations };
}

export const sharedSkopeoFile = (name: string): SkopeoFile =>
  skopeoFile(readFileSync(signatureFile('containers-image', name)));

export const sharedSkopeo = (name: string): Signature => {
  const { payload, annotations } = sharedSkopeoFile(name);
  return simpleSignature(payload, annotations);
};

/** @param artifact  the bytes of which the bundle has a message signature */
export function bundleSignature(bundle: Json, artifact: Uint8Array): Signature {
  const envelope = (bundle as { dsseEnvelope?: { payload: string; payloadType: string } }).dsseEnvelope;
  const payload =
    envelope === undefined
      ? { bytes: artifact, type: null }
      : { bytes: Buffer.from(envelope.payload, 'base64'), type: envelope.payloadType };
  return signatureOf({ format: 'sigstore-bundle', bundle, payload });
}

export const sharedBundle = (...name: readonly string[]): Json =>
  JSON.parse(readFileSync(signatureFile('sigstore', ...name), 'utf8')) as Json;

export function notationSignature(bytes: Uint8Array, format: 'notation-jws' | 'notation-cose'): Signature {
  const payload =
    format === 'notation-cose'
      ? parseCoseSign1(bytes)?.payload
      : Buffer.from(JSON.parse(Buffer.from(bytes).toString()).payload, 'base64url');
  return signatureOf({ format, envelope: bytes, payload: { bytes: payload ?? Buffer.of(), type: null } });
}

export const NOW = new Date('2026-01-01T00:00:00Z');
export const NO_TRUST: Trust = { keys: [], identities: [], root: null, notation: null, now: NOW };

export const trusting = (parts: Partial<Trust>): Trust => ({ ...NO_TRUST, ...parts });

function taken<T>(read: { readonly value?: T | undefined; readonly problem?: unknown }): T {
  if (read.value === undefined) throw new Error(`not read: ${JSON.stringify(read.problem)}`);
  return read.value;
}

export const keyOf = (pem: string | Uint8Array): TrustedKey => taken(readPublicKey(Buffer.from(pem)));
export const rootOf = (bytes: string | Uint8Array): TrustedRoot => taken(readTrustedRoot(Buffer.from(bytes)));
export const storeOf = (files: Readonly<Record<string, string | Uint8Array>>): NotationStore =>
  taken(
    readNotationStore(Object.entries(files).map(([path, bytes]) => ({ path, bytes: Buffer.from(bytes) }))),
  );

export const sharedKey = (name: string): TrustedKey =>
  keyOf(readFileSync(signatureFile('containers-image', name)));
export const sharedRoot = (...name: readonly string[]): TrustedRoot =>
  rootOf(readFileSync(signatureFile('sigstore', ...name)));

export const identity = (name: string | null, issuer: string | null): CertificateIdentity => ({
  identity: name === null ? null : { exact: name },
  issuer: issuer === null ? null : { exact: issuer },
});

/** The outcome, and why, in one word each: `refused signature-invalid`. */
export const outcome = (verification: Verification): string =>
  verification.outcome === 'verified'
    ? `verified ${verification.by.kind}`
    : `${verification.outcome} ${verification.cause}`;

/** The folders of the conformance suite of Sigstore's clients. */
export const conformanceCases = (): string[] =>
  readdirSync(signatureFile('sigstore', 'conformance'), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
