// Real signatures of which one part is altered: none verifies, and each has its own cause.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Signature } from '../../src/signatures/signature.js';
import type { Trust, TrustedRoot } from '../../src/signatures/verify/trust.js';
import { verifySignature } from '../../src/signatures/verify/verify.js';
import { isObject, type Json, type JsonObject } from '../../src/spec/json.js';
import { NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import {
  bundleSignature,
  hasSignatures,
  identity,
  outcome,
  rootOf,
  sharedBundle,
  sharedKey,
  sharedRoot,
  sharedSkopeo,
  signatureFile,
  trusting,
} from '../support/signatures.js';

const testShared = testWhen(test, hasSignatures, NO_SHARED_FOLDER);

const publicGood = () => sharedRoot('trusted_root-public-good.json');
const RED_HAT = identity('mitr@redhat.com', 'https://github.com/login/oauth');
const SOYLAND = identity('cody@soyland.com', 'https://github.com/login/oauth');

type Change = (value: string) => Json | undefined;

/** A copy of a document with one value changed; undefined removes it. */
function changed(
  document: Json,
  way: readonly (string | number)[],
  change: (value: Json) => Json | undefined,
): Json {
  const copy = structuredClone(document);
  let at = copy;
  for (const step of way.slice(0, -1)) at = (at as never)[step];
  const last = way.at(-1)!;
  const value = change((at as never)[last]);
  if (value === undefined && isObject(at)) delete at[last];
  else (at as JsonObject)[last] = value!;
  return copy;
}

/** One bit of base64's bytes. */
const flipped: Change = text => {
  const bytes = Buffer.from(text, 'base64');
  bytes[bytes.length >> 1]! ^= 1;
  return bytes.toString('base64');
};
/** One bit of the last byte: of a signature's or certificate's value, and not of its framing. */
const flippedEnd: Change = text => {
  const bytes = Buffer.from(text, 'base64');
  bytes[bytes.length - 1]! ^= 1;
  return bytes.toString('base64');
};
const gone: Change = () => undefined;
const next: Change = text => String(Number(text) + 1);

/** An entry's body is base64 of JSON. */
const inBody =
  (way: readonly (string | number)[], change: Change): Change =>
  text => {
    const body = JSON.parse(Buffer.from(text, 'base64').toString()) as Json;
    return Buffer.from(JSON.stringify(changed(body, way, value => change(String(value))))).toString('base64');
  };

testShared('a bundle v0.3 with a DSSE envelope', () => {
  const bundle = sharedBundle('cosign-oci-attestation.sigstore.json');
  const trust = trusting({ identities: [SOYLAND], root: publicGood() });
  const entry = ['verificationMaterial', 'tlogEntries', 0];
  const rows: readonly (readonly [readonly (string | number)[], Change, string])[] = [
    [['mediaType'], text => text, 'verified certificate'],
    [['mediaType'], () => 'application/vnd.dev.sigstore.bundle.v0.4+json', 'refused bundle-version-unknown'],
    [['mediaType'], () => 'application/vnd.dev.sigstore.bundle+json;version=0.1', 'verified certificate'],
    [['mediaType'], gone, 'refused bundle-version-unknown'],
    [['dsseEnvelope'], gone, 'refused malformed'],
    [['dsseEnvelope', 'payload'], flipped, 'refused log-entry-mismatch'],
    [['dsseEnvelope', 'payloadType'], () => 'text/plain', 'refused signature-invalid'],
    [['dsseEnvelope', 'signatures'], () => [], 'refused malformed'],
    [['dsseEnvelope', 'signatures', 0, 'sig'], flippedEnd, 'refused log-entry-mismatch'],
    [['dsseEnvelope', 'signatures', 0, 'keyid'], () => 'another', 'verified certificate'],
    [['verificationMaterial'], gone, 'refused malformed'],
    [['verificationMaterial', 'certificate'], gone, 'refused malformed'],
    [['verificationMaterial', 'certificate', 'rawBytes'], flippedEnd, 'refused log-entry-mismatch'],
    [['verificationMaterial', 'certificate', 'rawBytes'], text => text.slice(4), 'refused malformed'],
    [['verificationMaterial', 'tlogEntries'], () => [], 'refused log-entry-missing'],
    [[...entry, 'logIndex'], next, 'refused log-promise-invalid'],
    [[...entry, 'logIndex'], () => '-1', 'refused malformed'],
    [[...entry, 'logIndex'], () => '9'.repeat(1000), 'refused malformed'],
    [[...entry, 'integratedTime'], next, 'refused log-promise-invalid'],
    [[...entry, 'integratedTime'], () => '0', 'refused log-promise-invalid'],
    [[...entry, 'integratedTime'], () => 'today', 'refused malformed'],
    [[...entry, 'logId', 'keyId'], flipped, 'undecided authority-unknown'],
    [[...entry, 'kindVersion', 'kind'], () => 'intoto', 'undecided log-entry-unsupported'],
    [[...entry, 'kindVersion', 'version'], () => '0.0.9', 'undecided log-entry-unsupported'],
    [[...entry, 'inclusionPromise', 'signedEntryTimestamp'], flippedEnd, 'refused log-promise-invalid'],
    [[...entry, 'inclusionPromise'], gone, 'refused timestamp-missing'],
    [[...entry, 'inclusionProof'], gone, 'refused log-proof-missing'],
    [[...entry, 'inclusionProof', 'hashes', 0], flipped, 'refused log-proof-invalid'],
    [[...entry, 'inclusionProof', 'hashes'], () => [], 'refused log-proof-invalid'],
    [[...entry, 'inclusionProof', 'logIndex'], next, 'refused log-proof-invalid'],
    [
      [...entry, 'inclusionProof', 'checkpoint', 'envelope'],
      text => text.replace('\n', '0\n'),
      'refused log-proof-invalid',
    ],
    [
      [...entry, 'inclusionProof', 'checkpoint', 'envelope'],
      text => text.replace(/\u2014 \S+/, '\u2014 (a+)+$'),
      'refused malformed',
    ],
    [
      [...entry, 'inclusionProof', 'checkpoint', 'envelope'],
      text => `${text}${'x'.repeat(20_000)}`,
      'refused too-large',
    ],
    [[...entry, 'canonicalizedBody'], flipped, 'refused log-promise-invalid'],
    [
      [...entry, 'canonicalizedBody'],
      inBody(['spec', 'payloadHash', 'value'], () => '0'.repeat(64)),
      'refused log-promise-invalid',
    ],
  ];
  for (const [way, change, expected] of rows) {
    const altered = changed(bundle, way, value => change(value as string));
    assert.is(
      outcome(verifySignature(bundleSignature(altered, Buffer.of()), trust)),
      expected,
      way.join('/'),
    );
  }
  // The payload that is compared with the image must be the one that is signed.
  const swapped = {
    ...bundleSignature(bundle, Buffer.of()),
    payload: { bytes: Buffer.from('{}'), type: null },
  };
  assert.is(outcome(verifySignature(swapped, trust)), 'refused payload-mismatch');
});

testShared('the cause says whether the checkpoint or the proof is wrong', () => {
  const bundle = sharedBundle('cosign-oci-attestation.sigstore.json');
  const trust = trusting({ identities: [SOYLAND], root: publicGood() });
  const proof = ['verificationMaterial', 'tlogEntries', 0, 'inclusionProof'];
  const cause = (way: readonly string[], change: Change) => {
    const altered = changed(bundle, [...proof, ...way], value => change(value as string));
    return verifySignature(bundleSignature(altered, Buffer.of()), trust);
  };
  assert.equal(cause(['logIndex'], next), {
    outcome: 'refused',
    cause: 'log-proof-invalid',
    data: { of: 'proof' },
  });
  const note = cause(['checkpoint', 'envelope'], text => text.replace('\n', '0\n'));
  assert.equal(note, { outcome: 'refused', cause: 'log-proof-invalid', data: { of: 'checkpoint' } });
});

/** A bundle of the annotations of cosign 2, with one value changed. */
function annotated(signature: Signature, way: readonly string[], change: Change): Signature {
  return { ...signature, bundle: changed(signature.bundle!, way, value => change(value as string)) };
}

testShared('keyless annotations of cosign 2', () => {
  const signature = sharedSkopeo('dir-img-cosign-fulcio-rekor-valid/signature-1');
  const other = sharedSkopeo('dir-img-cosign-key-rekor-valid/signature-1');
  const trust = trusting({ identities: [RED_HAT], root: publicGood() });
  const flip = (bytes: Uint8Array) => {
    const copy = Buffer.from(bytes);
    copy[copy.length - 1]! ^= 1;
    return copy;
  };
  const plus = (text: unknown) => (text as number) + 1;
  const rows: Readonly<Record<string, readonly [Signature, string, Trust?]>> = {
    unaltered: [signature, 'verified certificate'],
    payload: [
      { ...signature, payload: { bytes: flip(signature.payload!.bytes), type: null } },
      'refused log-entry-mismatch',
    ],
    signature: [{ ...signature, signature: flip(signature.signature!) }, 'refused log-entry-mismatch'],
    'another image': [
      { ...signature, payload: other.payload, signature: other.signature },
      'refused log-entry-mismatch',
    ],
    'no log entry': [{ ...signature, bundle: null }, 'refused log-entry-missing'],
    'another log entry': [{ ...signature, bundle: other.bundle }, 'refused log-entry-mismatch'],
    promise: [annotated(signature, ['SignedEntryTimestamp'], flippedEnd), 'refused log-promise-invalid'],
    'no promise': [annotated(signature, ['SignedEntryTimestamp'], gone), 'refused malformed'],
    index: [annotated(signature, ['Payload', 'logIndex'], plus as never), 'refused log-promise-invalid'],
    time: [annotated(signature, ['Payload', 'integratedTime'], plus as never), 'refused log-promise-invalid'],
    log: [annotated(signature, ['Payload', 'logID'], () => 'f'.repeat(64)), 'undecided authority-unknown'],
    body: [
      annotated(
        signature,
        ['Payload', 'body'],
        inBody(['spec', 'data', 'hash', 'value'], () => '0'.repeat(64)),
      ),
      'refused log-promise-invalid',
    ],
    'no certificate': [{ ...signature, certificate: null, chain: null }, 'undecided no-trust'],
    'another trusted root': [
      signature,
      'undecided authority-unknown',
      trusting({
        identities: [RED_HAT],
        root: sharedRoot('conformance/rekor2-happy-path/trusted_root.json'),
      }),
    ],
    identity: [
      signature,
      'refused identity-mismatch',
      trusting({ identities: [SOYLAND], root: publicGood() }),
    ],
    issuer: [
      signature,
      'refused issuer-mismatch',
      trusting({
        identities: [identity('mitr@redhat.com', 'https://accounts.google.com')],
        root: publicGood(),
      }),
    ],
  };
  for (const [what, [one, expected, other]] of Object.entries(rows))
    assert.is(outcome(verifySignature(one, other ?? trust)), expected, what);
});

testShared('annotations of cosign 2 by key', () => {
  const signature = sharedSkopeo('dir-img-cosign-key-rekor-valid/signature-1');
  const keyless = sharedSkopeo('dir-img-cosign-fulcio-rekor-valid/signature-1');
  const keys = [sharedKey('cosign2.pub')];
  const [plain, logged] = [trusting({ keys }), trusting({ keys, root: publicGood() })];
  const payload = { bytes: keyless.payload!.bytes, type: null };
  const verdicts = (one: Signature) => [plain, logged].map(trust => outcome(verifySignature(one, trust)));
  assert.equal(verdicts(signature), ['verified key', 'verified key']);
  assert.equal(verdicts({ ...signature, bundle: null }), ['verified key', 'verified key']);
  assert.equal(verdicts({ ...signature, payload }), [
    'refused signature-invalid',
    'refused signature-invalid',
  ]);
  assert.equal(verdicts({ ...signature, signature: keyless.signature }), [
    'refused signature-invalid',
    'refused signature-invalid',
  ]);
  assert.equal(verdicts({ ...signature, bundle: keyless.bundle }), [
    'verified key',
    'refused log-entry-mismatch',
  ]);
  const late = annotated(signature, ['Payload', 'integratedTime'], ((time: number) => time + 1) as never);
  assert.equal(verdicts(late), ['verified key', 'refused log-promise-invalid']);
});

/** A trusted root with one value changed in each item of a list. */
function rootWith(file: string, list: string, way: readonly string[], change: Change): TrustedRoot {
  const document = sharedBundle(...file.split('/')) as JsonObject;
  const items = (document[list] as Json[]).map(item => changed(item, way, value => change(value as string)));
  return rootOf(JSON.stringify({ ...document, [list]: items }));
}

testShared('a trusted root that is too old, too new or another one cannot judge', () => {
  const keyless = sharedSkopeo('dir-img-cosign-fulcio-rekor-valid/signature-1');
  const good = 'trusted_root-public-good.json';
  const [early, late]: readonly Change[] = [() => '2021-06-01T00:00:00Z', () => '2025-06-01T00:00:00Z'];
  const rows: readonly (readonly [string, readonly string[], Change, string])[] = [
    ['tlogs', ['publicKey', 'validFor', 'end'], early!, 'undecided authority-time log'],
    ['tlogs', ['publicKey', 'validFor', 'start'], late!, 'undecided authority-time log'],
    ['tlogs', ['publicKey', 'validFor', 'start'], gone, 'undecided authority-unknown log'],
    ['tlogs', ['logId', 'keyId'], flipped, 'undecided authority-unknown log'],
    ['certificateAuthorities', ['validFor', 'end'], early!, 'undecided authority-time certificate-authority'],
    [
      'certificateAuthorities',
      ['validFor', 'start'],
      late!,
      'undecided authority-time certificate-authority',
    ],
    ['ctlogs', ['publicKey', 'validFor', 'end'], early!, 'undecided authority-time certificate-log'],
    ['ctlogs', ['logId', 'keyId'], flipped, 'undecided authority-unknown certificate-log'],
  ];
  for (const [list, way, change, expected] of rows) {
    const trust = trusting({ identities: [RED_HAT], root: rootWith(good, list, way, change) });
    const verdict = verifySignature(keyless, trust);
    const of = verdict.outcome === 'undecided' && 'of' in verdict.data ? ` ${verdict.data.of}` : '';
    assert.is(outcome(verdict) + of, expected, `${list} ${way.join('.')}`);
  }
  // The keys of the certificate logs, each under the other's ID.
  const document = sharedBundle(good) as JsonObject;
  const [one, two] = document.ctlogs as { publicKey: { rawBytes: Json } }[];
  const swapped = [
    { ...one, publicKey: { ...one!.publicKey, rawBytes: two!.publicKey.rawBytes } },
    { ...two, publicKey: { ...two!.publicKey, rawBytes: one!.publicKey.rawBytes } },
  ];
  const root = rootOf(JSON.stringify({ ...document, ctlogs: swapped }));
  assert.is(
    outcome(verifySignature(keyless, trusting({ identities: [RED_HAT], root }))),
    'refused certificate-log-invalid',
  );
});

testShared('a time stamp is judged by the timestamp authorities of the trusted root', () => {
  const folder = 'conformance/rekor2-happy-path';
  const artifact = readFileSync(signatureFile('sigstore/conformance/a.txt'));
  const bundle = sharedBundle(folder, 'bundle.sigstore.json');
  const verdict = (root: TrustedRoot, one: Json = bundle) =>
    outcome(
      verifySignature(
        bundleSignature(one, artifact),
        trusting({ identities: [{ identity: { source: '', test: () => true }, issuer: null }], root }),
      ),
    );
  const file = `${folder}/trusted_root.json`;
  const stamps = ['verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps'];
  assert.is(verdict(sharedRoot(file)), 'verified certificate');
  const early = () => '2025-04-17T00:00:00Z';
  const retired = rootWith(file, 'tlogs', ['publicKey', 'validFor', 'end'], early);
  assert.is(verdict(retired), 'undecided authority-time');
  // An entry that names another log of the root, which has not signed its checkpoint.
  const { tlogs } = sharedBundle(...file.split('/')) as { tlogs: { logId: { keyId: string } }[] };
  const named = changed(
    bundle,
    ['verificationMaterial', 'tlogEntries', 0, 'logId', 'keyId'],
    id => tlogs.map(({ logId }) => logId.keyId).find(other => other !== id)!,
  );
  assert.is(verdict(sharedRoot(file), named), 'refused log-proof-invalid');
  assert.is(
    verdict(rootWith(file, 'timestampAuthorities', ['validFor', 'end'], () => '2025-04-10T00:00:00Z')),
    'undecided authority-time',
  );
  assert.is(
    verdict(rootWith(file, 'timestampAuthorities', ['validFor', 'start'], gone)),
    'undecided authority-unknown',
  );
  assert.is(
    verdict(
      sharedRoot(file),
      changed(bundle, stamps, () => []),
    ),
    'refused timestamp-missing',
  );
  const twice = changed(bundle, stamps, value => [...(value as Json[]), ...(value as Json[])]);
  assert.is(verdict(sharedRoot(file), twice), 'refused timestamp-invalid');
  const bit = changed(bundle, [...stamps, 0, 'signedTimestamp'], value => flippedEnd(value as string));
  assert.is(verdict(sharedRoot(file), bit), 'refused timestamp-invalid');
  const junk = changed(bundle, [...stamps, 0, 'signedTimestamp'], () => 'AAAA');
  assert.is(verdict(sharedRoot(file), junk), 'refused malformed');
});

test.run();
