// Signatures that are made to cost time, memory or stack: each is refused by a limit.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Signature, SignatureFormat } from '../../src/signatures/signature.js';
import { readCertificate } from '../../src/signatures/verify/certificates.js';
import { readPublicKey, verifySignature } from '../../src/signatures/verify/verify.js';
import type { Json } from '../../src/spec/json.js';
import { alwaysSync } from '../property/runs.js';
import { hostileJson, hostileText } from '../property/texts.js';
import { der, makeCertificate, makeKey, octets, publicPem } from '../support/certificates.js';
import { makeChain, makeJws } from '../support/notation.js';
import {
  bundleSignature,
  keyOf,
  notationSignature,
  outcome,
  signatureOf,
  storeOf,
  trusting,
} from '../support/signatures.js';
import { keyBundle, keylessSignature, makeSigstore, shortLived } from '../support/sigstore.js';

const own = makeSigstore();
const key = makeKey();
const root = makeCertificate({ subject: 'root', authority: true });
const everything = trusting({
  keys: [keyOf(publicPem(key))],
  identities: [{ identity: { source: '', test: () => true }, issuer: null }],
  root: own.root,
  notation: storeOf({ 'root.pem': root.pem }),
});

/** A bundle of a certificate, with other material. */
function bundle(
  material: object,
  mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.2',
): Signature {
  const certificate = shortLived(own.authority);
  const content = {
    x509CertificateChain: { certificates: [{ rawBytes: certificate.der.toString('base64') }] },
  };
  const { bundle: other } = keyBundle(makeKey());
  const verificationMaterial = { ...content, tlogEntries: [], ...material };
  return bundleSignature({ ...(other as object), mediaType, verificationMaterial } as never, Buffer.of());
}

const entry = (changes: object) => ({
  logIndex: '1',
  logId: { keyId: 'AAAA' },
  kindVersion: { kind: 'dsse', version: '0.0.1' },
  integratedTime: '1',
  canonicalizedBody: 'e30=',
  inclusionProof: { logIndex: '1', rootHash: '', treeSize: '1', hashes: [], checkpoint: { envelope: '' } },
  ...changes,
});

const many = (length: number, one: unknown) => Array.from({ length }, () => one);
const repeated = (text: string, times: number) => text.repeat(times);

test('a signature that is too large is refused before anything is computed', () => {
  const certificate = shortLived(own.authority);
  const simple = keylessSignature(own, certificate);
  const empty = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
  const nestedBody = Buffer.from(`{"kind":${repeated('[', 100_000)}`).toString('base64');
  const rows: Readonly<Record<string, readonly [Signature, string]>> = {
    'ten thousand log entries': [bundle({ tlogEntries: many(10_000, entry({})) }), 'refused too-large'],
    'ten thousand time stamps': [
      bundle({ timestampVerificationData: { rfc3161Timestamps: many(10_000, { signedTimestamp: 'AAAA' }) } }),
      'refused too-large',
    ],
    'ten thousand certificates': [
      bundle({ x509CertificateChain: { certificates: many(10_000, { rawBytes: 'AAAA' }) } }),
      'refused too-large',
    ],
    'a body of five megabytes': [
      bundle({ tlogEntries: [entry({ canonicalizedBody: repeated('AAAA', 2_000_000) })] }),
      'refused too-large',
    ],
    'a checkpoint of a megabyte': [
      bundle({
        tlogEntries: [
          entry({
            inclusionProof: {
              logIndex: '1',
              hashes: [],
              checkpoint: { envelope: repeated('\u2014 a ', 200_000) },
            },
          }),
        ],
      }),
      'refused too-large',
    ],
    'ten thousand hashes of a proof': [
      bundle({
        tlogEntries: [
          entry({
            inclusionProof: { logIndex: '1', hashes: many(10_000, 'AAAA'), checkpoint: { envelope: '' } },
          }),
        ],
      }),
      'refused malformed',
    ],
    'an index of a million digits': [
      bundle({ tlogEntries: [entry({ logIndex: repeated('9', 1_000_000) })] }),
      'refused malformed',
    ],
    'a million certificates': [{ ...simple, certificate: repeated(empty, 1_000_000) }, 'refused malformed'],
    'a million certificates above it': [
      { ...simple, chain: repeated(empty, 1_000_000) },
      'refused malformed',
    ],
    'a million beginnings of certificates': [
      { ...simple, chain: repeated('-----BEGIN CERTIFICATE-----\n', 1_000_000) },
      'refused malformed',
    ],
    'a body that nests': [
      {
        ...simple,
        bundle: {
          ...(simple.bundle as object),
          Payload: { ...(simple.bundle as { Payload: object }).Payload, body: nestedBody },
        },
      },
      'refused malformed',
    ],
    'a time stamp that nests': [
      {
        ...simple,
        rfc3161: Buffer.from(
          JSON.stringify({ SignedRFC3161Timestamp: nested(0x30, 10_000).toString('base64') }),
        ),
      },
      'refused malformed',
    ],
    'an envelope that nests': [
      signatureOf({ format: 'dsse', envelope: Buffer.alloc(1_000_000, '[') }),
      'refused malformed',
    ],
    'an envelope with a hundred signatures': [
      signatureOf({
        format: 'dsse',
        payload: { bytes: Buffer.of(0), type: null },
        envelope: Buffer.from(
          JSON.stringify({ payload: 'AA==', payloadType: 'x', signatures: many(100, { sig: 'AAAA' }) }),
        ),
      }),
      'refused malformed',
    ],
    'a JWS that nests': [
      signatureOf({ format: 'notation-jws', envelope: Buffer.alloc(1_000_000, '[') }),
      'refused malformed',
    ],
    'a JWS of 100 MB': [
      signatureOf({ format: 'notation-jws', envelope: Buffer.alloc(100_000_000) }),
      'refused too-large',
    ],
    'a COSE of 100 MB': [
      signatureOf({ format: 'notation-cose', envelope: Buffer.alloc(100_000_000, 0x81) }),
      'refused too-large',
    ],
    'a chain of a hundred certificates': [
      notationSignature(makeJws({ chain: [...makeChain(), ...many(100, root)] as never }), 'notation-jws'),
      'refused too-large',
    ],
  };
  for (const [what, [signature, expected]] of Object.entries(rows))
    assert.is(outcome(verifySignature(signature, everything)), expected, what);
});

/** DER within DER: every level has a long length. */
function nested(tag: number, levels: number): Buffer {
  const heads: Buffer[] = [];
  for (let length = 0, level = 0; level < levels; level++) {
    const head = Buffer.of(tag, 0x83, length >> 16, (length >> 8) & 255, length & 255);
    heads.unshift(head);
    length += head.length;
  }
  return Buffer.concat(heads);
}

test('an extension that nests, or a certificate with bytes after it, is no certificate', () => {
  const plan = (value: Buffer) => makeCertificate({ critical: ['1.2.3.4', value] });
  assert.ok(readCertificate(plan(octets(Buffer.from('text'))).der));
  for (const tag of [0x30, 0x04]) {
    const deep = plan(nested(tag, 10_000)).der;
    assert.ok(deep.length < 65_000);
    readCertificate(deep);
  }
  const { der: plain } = makeCertificate();
  assert.is(readCertificate(Buffer.concat([plain, Buffer.of(0)])), null);
  assert.is(readCertificate(der(0x30, plain)), null);
  assert.is(readCertificate(plan(Buffer.alloc(60_000)).der.subarray(0, 100)), null);
  assert.is(readCertificate(Buffer.alloc(70_000, 0x30)), null);
  assert.is(readPublicKey(nested(0x30, 10_000)).problem, 'not-a-key');
});

test('certificates that issued each other lead nowhere', () => {
  // Thirty of one name: each is a possible issuer of each.
  const keys = makeKey();
  const twins = Array.from({ length: 30 }, () =>
    makeCertificate({
      subject: 'twin',
      authority: true,
      key: keys,
      issuer: { ...root, subject: 'twin', keys },
    }),
  );
  const leaf = makeCertificate({ issuer: twins[0]!, email: 'dev@example.org' });
  const signature = { ...keylessSignature(own, leaf), chain: twins.map(({ pem }) => pem).join('') };
  const authorities = { kind: 'authorities' as const, roots: [readCertificate(root.der)!] };
  assert.is(
    outcome(verifySignature(signature, { ...everything, root: authorities })),
    'refused certificate-untrusted',
  );
});

test('whatever the parts of a signature are, nothing is thrown and nothing verifies', () => {
  const formats: readonly SignatureFormat[] = [
    'cosign-simple',
    'sigstore-bundle',
    'dsse',
    'notation-jws',
    'notation-cose',
  ];
  const text = fc.oneof(hostileText, fc.constantFrom(root.pem, root.pem.slice(0, 300), '-----BEGIN '));
  const bytes = fc.option(
    fc.oneof(
      fc.uint8Array(),
      text.map(one => Buffer.from(one)),
      hostileJson.map(json => Buffer.from(JSON.stringify(json) ?? '')),
    ),
  );
  const material = bundle({}).bundle as Record<string, Json>;
  const json = fc.oneof(
    hostileJson,
    fc.record({
      mediaType: fc.constant(material.mediaType),
      verificationMaterial: fc.oneof(
        hostileJson,
        fc.record({
          publicKey: hostileJson,
          tlogEntries: fc.array(hostileJson),
          x509CertificateChain: hostileJson,
        }),
      ),
      dsseEnvelope: fc.oneof(hostileJson, fc.constant(material.dsseEnvelope)),
    }),
  );
  const parts = fc.record({
    format: fc.constantFrom(...formats),
    payload: fc.option(bytes.map(one => ({ bytes: one ?? Buffer.of(), type: null }))),
    signature: bytes,
    envelope: bytes,
    bundle: json,
    certificate: fc.option(text),
    chain: fc.option(text),
    rfc3161: bytes,
  });
  alwaysSync(parts, 3000, one => {
    assert.is.not(verifySignature(signatureOf(one as Partial<Signature>), everything).outcome, 'verified');
  });
});

test.run();
