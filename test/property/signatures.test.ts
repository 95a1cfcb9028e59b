// Arbitrary damage to real signatures: nothing is thrown, and whatever verifies is still about the same bytes by the
// same signer.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Signature } from '../../src/signatures/signature.js';
import { readCertificate } from '../../src/signatures/verify/certificates.js';
import { stampedTime } from '../../src/signatures/verify/timestamp.js';
import type { Trust } from '../../src/signatures/verify/trust.js';
import type { Verification } from '../../src/signatures/verify/verification.js';
import {
  readNotationStore,
  readPublicKey,
  readTrustedRoot,
  verifySignature,
} from '../../src/signatures/verify/verify.js';
import { parseCoseSign1, readCbor } from '../../src/spec/cose.js';
import { isObject, type Json, type JsonObject } from '../../src/spec/json.js';
import { makeCertificate, makeKey, makeStamp, publicPem, TIME_STAMPING } from '../support/certificates.js';
import { NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { makeChain, makeCose, makeJws } from '../support/notation.js';
import {
  bundleSignature,
  hasSignatures,
  notationSignature,
  sharedBundle,
  sharedKey,
  sharedRoot,
  sharedSkopeo,
  signatureFile,
  storeOf,
  trusting,
} from '../support/signatures.js';
import { type ByteDamage, byteDamage, damagedBytes } from './damage.js';
import { alwaysSync } from './runs.js';
import { hostileJson } from './texts.js';

const testShared = testWhen(test, hasSignatures, NO_SHARED_FOLDER);

/** Everyone is trusted, so that nothing but the proof can refuse. */
const ANYONE: Trust['identities'] = [{ identity: { source: '', test: () => true }, issuer: null }];

/** A value of a document, chosen by fractions; and what happens to it. */
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const jsonDamage = fc.record({
  at: place,
  from: place,
  how: fc.constantFrom('bit', 'delete', 'swap', 'empty', 'hostile', 'number', 'repeat'),
  bit: fc.nat(7),
  value: hostileJson,
});
type JsonDamage = typeof jsonDamage extends fc.Arbitrary<infer T> ? T : never;

interface Slot {
  readonly holder: Json[] | JsonObject;
  readonly key: string | number;
  readonly value: Json;
}

/** All values of a document, with where they are. */
function slots(value: Json, found: Slot[] = []): Slot[] {
  if (!Array.isArray(value) && !isObject(value)) return found;
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    const child = (value as JsonObject)[key as string]!;
    found.push({ holder: value, key, value: child });
    slots(child, found);
  }
  return found;
}

/** @param other  a document from which values are taken too */
function damagedJson(document: Json, other: Json, damage: JsonDamage): Json {
  const copy = structuredClone(document);
  const [own, others] = [slots(copy), [...slots(copy), ...slots(other)]];
  const { holder, key, value } = own[Math.floor(damage.at * own.length)]!;
  const put = (changed: Json) => {
    (holder as JsonObject)[key as string] = changed;
  };
  switch (damage.how) {
    case 'bit':
      put(typeof value === 'string' ? flipped(value, damage) : typeof value === 'number' ? value + 1 : null);
      break;
    case 'delete':
      if (Array.isArray(holder)) holder.splice(key as number, 1);
      else delete holder[key as string];
      break;
    case 'swap':
      put(structuredClone(others[Math.floor(damage.from * others.length)]!.value));
      break;
    case 'repeat':
      put(Array.isArray(value) ? [...value, ...structuredClone(value)] : [value, value]);
      break;
    case 'number':
      put(typeof value === 'string' && /^\d+$/.test(value) ? String(Number(value) + damage.bit) : damage.bit);
      break;
    default:
      put(damage.how === 'empty' ? '' : (damage.value as Json));
  }
  return copy;
}

/** A bit of the text, or of the bytes that it is the base64 of. */
function flipped(text: string, { from, bit }: JsonDamage): string {
  const isBase64 = text.length > 8 && /^[\w+/=-]+$/.test(text);
  const bytes = Buffer.from(text, isBase64 ? 'base64' : 'utf8');
  if (bytes.length === 0) return 'x';
  bytes[Math.floor(from * bytes.length)]! ^= 1 << bit;
  return bytes.toString(isBase64 ? 'base64' : 'utf8');
}

/** A Buffer's `slice` is no copy, as that of a Uint8Array is. */
const damagedCopy = (bytes: Uint8Array, damage: ByteDamage): Uint8Array =>
  damagedBytes(new Uint8Array(bytes), damage);

/** Who signed, without what is not proven. */
const signer = (verification: Verification) => (verification.outcome === 'verified' ? verification.by : null);

/** If a damaged signature verifies, then as the one that it was made of. */
function sameOrNot(original: Signature, trust: Trust): (damaged: Signature) => void {
  const before = signer(verifySignature(original, trust));
  assert.ok(before, 'the original verifies');
  return damaged => {
    const after = signer(verifySignature(damaged, trust));
    if (after === null) return;
    assert.equal(after, before, 'the same signer');
    assert.ok(Buffer.from(damaged.payload!.bytes).equals(original.payload!.bytes), 'the same bytes');
  };
}

function payloadText(bundle: Json): Buffer {
  const envelope = isObject(bundle) ? bundle.dsseEnvelope : null;
  const payload = isObject(envelope) ? envelope.payload : null;
  return typeof payload === 'string' ? Buffer.from(payload, 'base64') : Buffer.of();
}

testShared('damaged bundles', () => {
  const artifact = readFileSync(signatureFile('sigstore/conformance/a.txt'));
  const publicGood = sharedRoot('trusted_root-public-good.json');
  const rekor2 = (name: string) => sharedRoot('conformance', name, 'trusted_root.json');
  const cases = [
    [sharedBundle('cosign-oci-attestation.sigstore.json'), publicGood],
    [sharedBundle('conformance/happy-path-v0.3/bundle.sigstore.json'), publicGood],
    [sharedBundle('conformance/happy-path-v0.2/bundle.sigstore.json'), publicGood],
    [sharedBundle('conformance/rekor2-happy-path/bundle.sigstore.json'), rekor2('rekor2-happy-path')],
    [
      sharedBundle('conformance/rekor2-dsse-happy-path/bundle.sigstore.json'),
      rekor2('rekor2-dsse-happy-path'),
    ],
  ] as const;
  const signed = (bundle: Json) => {
    const isEnvelope = isObject(bundle) && 'dsseEnvelope' in bundle;
    const signature = bundleSignature({}, artifact);
    return {
      ...signature,
      bundle,
      payload: { bytes: isEnvelope ? payloadText(bundle) : artifact, type: null },
    };
  };
  const checks = cases.map(([bundle, root]) =>
    sameOrNot(signed(bundle), trusting({ root, identities: ANYONE })),
  );
  const damages = fc.array(jsonDamage, { minLength: 1, maxLength: 2 });
  alwaysSync(fc.tuple(fc.nat(4), fc.nat(4), damages), 600, ([which, other, all]) => {
    const damaged = all.reduce(
      (json, damage) => damagedJson(json, cases[other]![0], damage),
      cases[which]![0],
    );
    checks[which]!(signed(damaged));
  });
});

testShared('damaged annotations', () => {
  const root = sharedRoot('trusted_root-public-good.json');
  const [keyless, keyed] = ['fulcio-rekor-valid', 'key-rekor-valid'].map(name =>
    sharedSkopeo(`dir-img-cosign-${name}/signature-1`),
  ) as [Signature, Signature];
  const trust = trusting({ root, identities: ANYONE, keys: [sharedKey('cosign2.pub')] });
  const proven = [keyless, keyed].map(signature => signer(verifySignature(signature, trust)));
  const part = fc.constantFrom('payload', 'signature', 'certificate', 'bundle');
  alwaysSync(fc.record({ part, bytes: byteDamage, json: jsonDamage, isKeyed: fc.boolean() }), 600, damage => {
    const [one, other] = damage.isKeyed ? [keyed, keyless] : [keyless, keyed];
    const bytes = (whole: Uint8Array) => damagedCopy(whole, damage.bytes);
    const damaged: Signature = {
      ...one,
      ...(damage.part === 'payload' && { payload: { bytes: bytes(one.payload!.bytes), type: null } }),
      ...(damage.part === 'signature' && { signature: bytes(one.signature!) }),
      ...(damage.part === 'certificate' &&
        one.certificate !== null && {
          certificate: Buffer.from(bytes(Buffer.from(one.certificate))).toString(),
        }),
      ...(damage.part === 'bundle' && { bundle: damagedJson(one.bundle!, other.bundle!, damage.json) }),
    };
    const [before, after] = [proven[Number(damage.isKeyed)]!, signer(verifySignature(damaged, trust))];
    if (after === null || before === null) return;
    assert.ok(Buffer.from(damaged.payload!.bytes).equals(one.payload!.bytes), 'the same bytes');
    // A key's signature needs no log: an entry of an unknown log is as none.
    if (after.kind !== 'key' || after.log !== null) assert.equal(after, before, 'the same signer');
  });
});

test('damaged signatures of the Notary Project', () => {
  const chain = makeChain();
  const authority = makeCertificate({ subject: 'time', authority: true });
  const clock = makeCertificate({ issuer: authority, purposes: [TIME_STAMPING!], key: makeKey('rsa') });
  const stamp = (data: Buffer) => makeStamp({ signer: clock, data, time: '2024-05-01T12:05:00Z' });
  const plan = { chain, stamp };
  const notation = storeOf({ 'ca/a/root.pem': chain[2]!.pem, 'tsa/a/root.pem': authority.pem });
  const trust = trusting({ notation });
  const signatures = [
    notationSignature(makeJws(plan), 'notation-jws'),
    notationSignature(makeCose(plan), 'notation-cose'),
  ];
  const checks = signatures.map(signature => sameOrNot(signature, trust));
  alwaysSync(fc.record({ isCose: fc.boolean(), damage: byteDamage }), 1500, ({ isCose, damage }) => {
    const one = signatures[Number(isCose)]!;
    const envelope = damagedCopy(one.envelope!, damage);
    const payload = isCose ? (parseCoseSign1(envelope)?.payload ?? Buffer.of()) : one.payload!.bytes;
    checks[Number(isCose)]!({ ...one, envelope, payload: { bytes: payload, type: null } });
  });
  const token = stamp(Buffer.from('data'));
  const root = readCertificate(authority.der)!;
  const time = JSON.stringify(stampedTime(token, Buffer.from('data'), [root]));
  assert.match(time, /2024-05-01/);
  alwaysSync(byteDamage, 1500, damage => {
    const found = JSON.stringify(stampedTime(damagedCopy(token, damage), Buffer.from('data'), [root]));
    assert.ok(found === time || /^"(malformed|invalid|untrusted)"$/.test(found), found);
  });
});

test('damaged keys, certificates, roots and stores are read or refused, without an exception', () => {
  const certificate = makeCertificate({ email: 'dev@example.org', provider: 'https://a', authority: 3 });
  const files = [
    Buffer.from(publicPem(makeKey('rsa'))),
    Buffer.from(publicPem(makeKey())),
    Buffer.from(certificate.pem),
    certificate.der,
    makeCose({ chain: makeChain() }),
    ...(hasSignatures ? [readFileSync(signatureFile('sigstore/trusted_root-public-good.json'))] : []),
  ];
  alwaysSync(fc.tuple(fc.nat(files.length - 1), byteDamage), 2000, ([which, damage]) => {
    const bytes = damagedCopy(files[which]!, damage);
    readPublicKey(bytes);
    readTrustedRoot(bytes);
    readNotationStore([{ path: 'a.pem', bytes }]);
    readCertificate(bytes);
    readCbor(bytes);
  });
});

test.run();
