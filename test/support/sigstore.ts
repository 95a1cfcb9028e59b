// A Sigstore of our own: an authority, a log, and signatures as cosign 2 writes them and as bundles.
import { createHash, createPublicKey, sign } from 'node:crypto';
import type { Signature } from '../../src/signatures/signature.js';
import type { TrustedRoot } from '../../src/signatures/verify/trust.js';
import type { Json } from '../../src/spec/json.js';
import {
  type KeyPair,
  type MadeCertificate,
  makeCertificate,
  makeKey,
  publicPem,
  spki,
} from './certificates.js';
import { bundleSignature, rootOf, signatureOf, simpleSignature } from './signatures.js';

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export interface OwnSigstore {
  readonly authority: MadeCertificate;
  readonly log: KeyPair;
  readonly root: TrustedRoot;
}

/** The validity of the authority and the log in the trusted root. */
export interface RootPlan {
  readonly start?: string;
  readonly end?: string;
}

export const trustedRootJson = (
  authority: MadeCertificate,
  log: KeyPair,
  { start, end }: RootPlan = {},
): Json => {
  const validFor = { start: start ?? '2021-01-01T00:00:00Z', ...(end !== undefined && { end }) };
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [
      {
        baseUrl: 'https://log.example',
        hashAlgorithm: 'SHA2_256',
        publicKey: { rawBytes: base64(spki(log)), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
        logId: { keyId: base64(sha256(spki(log))) },
      },
    ],
    certificateAuthorities: [
      {
        uri: 'https://authority.example',
        certChain: { certificates: [{ rawBytes: base64(authority.der) }] },
        validFor,
      },
    ],
    ctlogs: [],
    timestampAuthorities: [],
  };
};

export function makeSigstore(plan: RootPlan = {}): OwnSigstore {
  const authority = makeCertificate({ subject: 'authority', authority: 0 });
  const log = makeKey();
  return { authority, log, root: rootOf(JSON.stringify(trustedRootJson(authority, log, plan))) };
}

/** A certificate as Fulcio issues it: for ten minutes, without a subject. */
export const shortLived = (authority: MadeCertificate, plan: Parameters<typeof makeCertificate>[0] = {}) =>
  makeCertificate({
    subject: '',
    issuer: authority,
    email: 'dev@example.org',
    provider: 'https://accounts.example.org',
    notBefore: '2024-05-01T12:00:00Z',
    notAfter: '2024-05-01T12:10:00Z',
    ...plan,
  });

/** Within the validity of `shortLived`: 2024-05-01T12:05:00Z. */
export const SIGNING_TIME = 1714565100;

export interface LogPlan {
  readonly log: KeyPair;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** PEM of the certificate or key that the entry names. */
  readonly signer: string;
  readonly time?: number;
}

/** The annotation `dev.sigstore.cosign/bundle`. */
export function logAnnotation({ log, payload, signature, signer, time = SIGNING_TIME }: LogPlan) {
  const entry = {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: sha256(payload).toString('hex') } },
      signature: { content: base64(signature), publicKey: { content: base64(Buffer.from(signer)) } },
    },
  };
  return promised(log, entry, time);
}

/** An entry with the log's promise (SET): its signature of the canonical JSON of body, time, index and log. */
function promised(log: KeyPair, entry: object, time = SIGNING_TIME) {
  const Payload = {
    body: base64(Buffer.from(JSON.stringify(entry))),
    integratedTime: time,
    logID: sha256(spki(log)).toString('hex'),
    logIndex: 42,
  };
  const promise = sign('sha256', Buffer.from(JSON.stringify(Payload)), log.privateKey);
  return { SignedEntryTimestamp: base64(promise), Payload };
}

export const PAYLOAD = Buffer.from(
  JSON.stringify({
    critical: {
      identity: { 'docker-reference': 'example.org/app' },
      image: { 'docker-manifest-digest': `sha256:${'0'.repeat(64)}` },
      type: 'cosign container image signature',
    },
    optional: null,
  }),
);

export const signBytes = ({ privateKey }: KeyPair, bytes: Uint8Array, hash = 'sha256'): Buffer =>
  sign(privateKey.asymmetricKeyType === 'ed25519' ? null : hash, bytes, privateKey);

/** cosign 2, keyless. */
export function keylessSignature(
  { log }: OwnSigstore,
  certificate: MadeCertificate,
  { time = SIGNING_TIME, signer = certificate.pem }: { time?: number; signer?: string } = {},
): Signature {
  const signature = signBytes(certificate.keys, PAYLOAD);
  return simpleSignature(PAYLOAD, {
    'dev.cosignproject.cosign/signature': base64(signature),
    'dev.sigstore.cosign/certificate': certificate.pem,
    'dev.sigstore.cosign/bundle': JSON.stringify(
      logAnnotation({ log, payload: PAYLOAD, signature, signer, time }),
    ),
  });
}

/** cosign 2, by key, with a log entry where there is a log. */
export function keySignature(
  key: KeyPair,
  log: KeyPair | null = null,
  hash = 'sha256',
  signer: KeyPair = key,
): Signature {
  const signature = signBytes(key, PAYLOAD, hash);
  const entry = log && logAnnotation({ log, payload: PAYLOAD, signature, signer: publicPem(signer) });
  return simpleSignature(PAYLOAD, {
    'dev.cosignproject.cosign/signature': base64(signature),
    ...(entry !== null && { 'dev.sigstore.cosign/bundle': JSON.stringify(entry) }),
  });
}

const STATEMENT_TYPE = 'application/vnd.in-toto+json';
const encoded = Buffer.concat([
  Buffer.from(`DSSEv1 ${STATEMENT_TYPE.length} ${STATEMENT_TYPE} ${PAYLOAD.length} `),
  PAYLOAD,
]);

/** An attestation of cosign 2, signed with each key: a DSSE envelope. */
export function envelopeSignature(keys: readonly KeyPair[], annotations: Partial<Signature> = {}): Signature {
  const envelope = {
    payloadType: STATEMENT_TYPE,
    payload: base64(PAYLOAD),
    signatures: keys.map(key => ({ sig: base64(signBytes(key, encoded)) })),
  };
  return signatureOf({
    format: 'dsse',
    payload: { bytes: PAYLOAD, type: STATEMENT_TYPE },
    envelope: Buffer.from(JSON.stringify(envelope)),
    ...annotations,
  });
}

/** A keyless one; `kind` is the kind and version of its log entry. */
export function keylessEnvelope(
  { log }: OwnSigstore,
  certificate: MadeCertificate,
  kind: EntryKind,
): Signature {
  const signature = envelopeSignature([certificate.keys]);
  const [{ sig }] = JSON.parse(Buffer.from(signature.envelope!).toString()).signatures;
  const payloadHash = { algorithm: 'sha256', value: sha256(PAYLOAD).toString('hex') };
  const signer = base64(Buffer.from(certificate.pem));
  const twice = base64(Buffer.from(sig));
  const specs: Readonly<Record<EntryKind, object>> = {
    'dsse 0.0.1': { payloadHash, signatures: [{ signature: sig, verifier: signer }] },
    'intoto 0.0.2': {
      content: { envelope: { signatures: [{ sig: twice, publicKey: signer }] }, payloadHash },
    },
    'intoto 0.0.1': { content: { hash: payloadHash }, publicKey: signer },
  };
  const [name, apiVersion] = kind.split(' ');
  const entry = { apiVersion, kind: name, spec: specs[kind] };
  return { ...signature, certificate: certificate.pem, bundle: promised(log, entry) };
}

export type EntryKind = 'dsse 0.0.1' | 'intoto 0.0.2' | 'intoto 0.0.1';

/** A bundle with a DSSE envelope that a key signed, as `cosign attest --key` writes it without a log. */
export function keyBundle(key: KeyPair, hash = 'sha256'): Signature {
  const hint = base64(sha256(createPublicKey(publicPem(key)).export({ type: 'spki', format: 'der' })));
  return bundleSignature(
    {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint }, tlogEntries: [] },
      dsseEnvelope: {
        payload: base64(PAYLOAD),
        payloadType: STATEMENT_TYPE,
        signatures: [{ sig: base64(signBytes(key, encoded, hash)) }],
      },
    },
    Buffer.of(),
  );
}
