// Signatures of the Notary Project: those of notation-go's test data, and ones that are made here.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readCertificate } from '../../src/signatures/verify/certificates.js';
import { stampedTime } from '../../src/signatures/verify/timestamp.js';
import { readNotationStore, verifySignature } from '../../src/signatures/verify/verify.js';
import { parseCoseSign1, readCbor } from '../../src/spec/cose.js';
import {
  CODE_SIGNING,
  type MadeCertificate,
  makeCertificate,
  makeKey,
  makeStamp,
  SERVER,
  TIME_STAMPING,
} from '../support/certificates.js';
import { NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { cbor, head, makeChain, makeCose, makeJws, type NotationPlan, P } from '../support/notation.js';
import {
  hasSignatures,
  notationSignature,
  outcome,
  sharedBundle,
  signatureFile,
  storeOf,
  trusting,
} from '../support/signatures.js';

const testShared = testWhen(test, hasSignatures, NO_SHARED_FOLDER);

const jws = () => readFileSync(signatureFile('notation/jws_signature.sig'));
const cose = () => readFileSync(signatureFile('notation/cose_signature.sig'));

testShared("notation-go's signatures verify with their own certificate as the root", () => {
  const { header } = JSON.parse(jws().toString());
  const root = Buffer.from(header.x5c[0], 'base64');
  const trust = trusting({ notation: storeOf({ 'x509/ca/alpine/root.crt': root }) });
  for (const [bytes, format] of [
    [jws(), 'notation-jws'],
    [cose(), 'notation-cose'],
  ] as const)
    assert.equal(verifySignature(notationSignature(bytes, format), trust), {
      outcome: 'verified',
      by: {
        kind: 'notation',
        subject: 'CN=alpine, O=Notary, L=Seattle, ST=WA, C=US',
        store: 'ca/alpine',
        signedAt: null,
      },
    });
  const tsa = trusting({ notation: storeOf({ 'x509/tsa/alpine/root.crt': root }) });
  assert.is(
    outcome(verifySignature(notationSignature(jws(), 'notation-jws'), tsa)),
    'refused certificate-untrusted',
  );
});

interface Judged {
  readonly type?: 'ca' | 'signingAuthority' | 'tsa';
  readonly root?: MadeCertificate;
  readonly more?: Readonly<Record<string, Buffer>>;
  readonly now?: string;
}

/** The outcomes for the same signature as JWS and as COSE, which must be equal. */
function verdict(
  plan: NotationPlan,
  { type = 'ca', root = plan.chain.at(-1)!, more = {}, now = '2026-01-01' }: Judged = {},
) {
  const trust = trusting({
    notation: storeOf({ [`x509/${type}/acme/root.pem`]: Buffer.from(root.pem), ...more }),
    now: new Date(now),
  });
  const [asJws, asCose] = [
    verifySignature(notationSignature(makeJws(plan), 'notation-jws'), trust),
    verifySignature(notationSignature(makeCose(plan), 'notation-cose'), trust),
  ];
  assert.is(outcome(asCose), outcome(asJws), 'COSE as JWS');
  return outcome(asJws);
}

test('every algorithm of the specification, and no other', () => {
  for (const kind of ['P-256', 'P-384', 'P-521', 'rsa', 'rsa-3072'] as const) {
    const chain = makeChain({ key: makeKey(kind) });
    assert.is(verdict({ chain }), 'verified notation', kind);
    const wrong = kind.startsWith('rsa') ? 'PS512' : kind === 'P-256' ? 'ES384' : 'ES256';
    assert.is(verdict({ chain, algorithm: wrong }), 'refused algorithm-mismatch', kind);
  }
  assert.is(verdict({ chain: makeChain({ key: makeKey('ed25519') }) }), 'refused algorithm-mismatch');
  assert.is(verdict({ chain: makeChain({ key: makeKey('rsa-1024') }) }), 'refused algorithm-mismatch');
});

test('the chain must be as the specification requires, and end with a root of the store', () => {
  const chain = makeChain();
  const [signer, between, root] = chain as [MadeCertificate, MadeCertificate, MadeCertificate];
  const alone = makeCertificate({ subject: 'alone' });
  const authority = makeCertificate({ subject: 'alone', authority: true });
  const rows: Readonly<Record<string, readonly [readonly MadeCertificate[], string, Judged?]>> = {
    'a root that signs itself': [[alone], 'verified notation'],
    'an intermediate in the store': [chain, 'verified notation', { root: between }],
    'another root': [chain, 'refused certificate-untrusted', { root: makeCertificate({ authority: true }) }],
    'a root of the same name': [
      chain,
      'refused certificate-untrusted',
      { root: makeCertificate({ subject: 'root', authority: true }) },
    ],
    'a store of signing authorities': [chain, 'refused certificate-untrusted', { type: 'signingAuthority' }],
    'no root': [[signer, between], 'refused certificate-unsuitable', { root: between }],
    'another order': [[signer, root, between], 'refused certificate-unsuitable'],
    'a stranger within': [[signer, between, alone], 'refused certificate-unsuitable'],
    'an authority as the signer': [[authority], 'refused certificate-unsuitable'],
    'no key usage': [makeChain({ usage: null }), 'refused certificate-unsuitable'],
    'key usage for encryption too': [makeChain({ usage: [0, 2] }), 'refused certificate-unsuitable'],
    'key usage with non-repudiation': [makeChain({ usage: [0, 1] }), 'verified notation'],
    'no purpose': [makeChain({ purposes: null }), 'verified notation'],
    'for servers': [makeChain({ purposes: [SERVER!] }), 'refused certificate-unsuitable'],
    'for code and servers': [
      makeChain({ purposes: [CODE_SIGNING!, SERVER!] }),
      'refused certificate-unsuitable',
    ],
    'SHA-1': [makeChain({ hash: 'sha1' }), 'refused certificate-unsuitable'],
    expired: [makeChain({ notAfter: '2025-12-31T00:00:00Z' }), 'refused certificate-expired'],
    'not valid yet': [makeChain({ notBefore: '2026-12-31T00:00:00Z' }), 'refused certificate-expired'],
    'a path that is too long': [
      [
        makeCertificate({ issuer: makeCertificate({ subject: 'b2', authority: true, issuer: between }) }),
        between,
        root,
      ],
      'refused certificate-unsuitable',
    ],
  };
  for (const [what, [one, expected, judged]] of Object.entries(rows))
    assert.is(verdict({ chain: one }, judged), expected, what);
});

test('signed attributes that are wrong, absent or unknown refuse the signature', () => {
  const chain = makeChain();
  const [scheme, expiry, authentic] = [`${P}signingScheme`, `${P}expiry`, `${P}authenticSigningTime`];
  const rows: Readonly<Record<string, readonly [Partial<NotationPlan>, string]>> = {
    'an unknown critical attribute': [{ critical: [scheme, 'com.example'] }, 'refused attribute-unsupported'],
    'no list of critical attributes': [{ critical: undefined }, 'refused malformed'],
    'a scheme that is not critical': [{ critical: [] }, 'refused attribute-missing'],
    'another scheme': [{ attributes: { [scheme]: 'notary.x510' } }, 'refused attribute-unsupported'],
    'no scheme': [{ attributes: { [scheme]: undefined } }, 'refused attribute-unsupported'],
    'no time of signing': [{ attributes: { [`${P}signingTime`]: undefined } }, 'refused attribute-missing'],
    'a time that is none': [
      { attributes: { [`${P}signingTime`]: 'yesterday' } },
      'refused attribute-unsupported',
    ],
    'a plugin': [
      { attributes: { [`${P}verificationPlugin`]: 'com.example' } },
      'refused attribute-unsupported',
    ],
    'an authentic time with this scheme': [
      { attributes: { [authentic]: 'x' }, critical: [scheme, authentic] },
      'refused attribute-unsupported',
    ],
    'an expiry that is not critical': [{ attributes: { [expiry]: 'x' } }, 'refused attribute-missing'],
    'an expiry that is none': [
      { attributes: { [expiry]: 'x' }, critical: [scheme, expiry] },
      'refused attribute-unsupported',
    ],
  };
  for (const [what, [plan, expected]] of Object.entries(rows))
    assert.is(verdict({ chain, ...plan }), expected, what);
  const cty = { chain, attributes: { cty: 'application/json' } };
  const trust = trusting({ notation: storeOf({ 'root.pem': chain[2]!.pem }) });
  assert.equal(verifySignature(notationSignature(makeJws(cty), 'notation-jws'), trust), {
    outcome: 'refused',
    cause: 'attribute-unsupported',
    data: { name: 'cty', value: 'application/json' },
  });
});

/** JWS and COSE write times differently. */
function timed(name: string, time: string, plan: NotationPlan, judged: Judged = {}): string {
  const trust = trusting({
    notation: storeOf({ [`${judged.type ?? 'ca'}/acme/root.pem`]: Buffer.from(plan.chain.at(-1)!.pem) }),
    now: new Date(judged.now ?? '2026-01-01'),
  });
  const as = (value: unknown) => ({
    ...plan,
    attributes: { ...plan.attributes, [name]: value },
    critical: [`${P}signingScheme`, name],
  });
  const found = [
    verifySignature(notationSignature(makeJws(as(time)), 'notation-jws'), trust),
    verifySignature(notationSignature(makeCose(as(new Date(time))), 'notation-cose'), trust),
  ].map(outcome);
  assert.is(found[0], found[1], name);
  return found[0]!;
}

test('a signature expires by the current time', () => {
  const chain = makeChain();
  assert.is(timed(`${P}expiry`, '2026-01-02T00:00:00Z', { chain }), 'verified notation');
  assert.is(timed(`${P}expiry`, '2026-01-01T00:00:00Z', { chain }), 'refused signature-expired');
  assert.is(timed(`${P}expiry`, '2025-12-31T23:00:00-03:00', { chain }), 'verified notation');
});

test("a signing authority's time is the time at which its certificates must be valid", () => {
  const chain = makeChain({ notBefore: '2024-01-01T00:00:00Z', notAfter: '2024-12-31T00:00:00Z' });
  const name = `${P}authenticSigningTime`;
  const attributes = {
    [`${P}signingScheme`]: 'notary.x509.signingAuthority',
    [`${P}signingTime`]: undefined,
  };
  const judged = { type: 'signingAuthority' as const };
  assert.is(timed(name, '2024-06-01T00:00:00Z', { chain, attributes }, judged), 'verified notation');
  assert.is(
    timed(name, '2025-06-01T00:00:00Z', { chain, attributes }, judged),
    'refused certificate-expired',
  );
  assert.is(timed(name, '2024-06-01T00:00:00Z', { chain, attributes }), 'refused certificate-untrusted');
});

test('a time stamp lets a signature outlive its certificate', () => {
  const chain = makeChain({ notAfter: '2024-12-31T00:00:00Z' });
  const top = makeCertificate({ subject: 'time root', authority: true });
  const plan = { issuer: top, purposes: [TIME_STAMPING!], key: makeKey('rsa') };
  const [clock, server] = [makeCertificate(plan), makeCertificate({ ...plan, purposes: [SERVER!] })];
  const more = { 'x509/tsa/time/root.pem': Buffer.from(top.pem) };
  const stamp = (signer: MadeCertificate, time: string, meant = signer) => ({
    chain,
    stamp: (data: Buffer) => makeStamp({ signer, data, time, meant }),
  });
  const within = '2024-06-01T00:00:00Z';
  assert.is(verdict({ chain }, { more }), 'refused certificate-expired');
  assert.is(verdict(stamp(clock, within), { more }), 'verified notation');
  assert.is(verdict(stamp(clock, within)), 'refused certificate-expired', 'no authority in the store');
  assert.is(verdict(stamp(clock, '2025-06-01T00:00:00Z'), { more }), 'refused certificate-expired');
  assert.is(
    verdict(stamp(clock, '2024-12-31T00:00:00Z'), { more }),
    'refused certificate-expired',
    'a second more',
  );
  assert.is(verdict(stamp(server, within), { more }), 'refused timestamp-untrusted');
  assert.is(
    verdict(stamp(makeCertificate({ ...plan, issuer: null }), within), { more }),
    'refused timestamp-untrusted',
  );
  assert.is(verdict(stamp(clock, within, server), { more }), 'refused timestamp-invalid');
  const otherType = {
    chain,
    stamp: (data: Buffer) => makeStamp({ signer: clock, data, time: within, contentType: '1.2.3' }),
  };
  assert.is(verdict(otherType, { more }), 'refused timestamp-invalid');
  const weak = makeCertificate({ ...plan, key: makeKey('rsa-1024') });
  assert.is(verdict(stamp(weak, within), { more }), 'refused timestamp-invalid');
  const ending = makeCertificate({ ...plan, notAfter: within });
  assert.is(verdict(stamp(ending, within), { more }), 'refused timestamp-untrusted', 'a second too long');
  const other = { chain, stamp: () => makeStamp({ signer: clock, data: Buffer.of(1), time: within }) };
  assert.is(verdict(other, { more }), 'refused timestamp-invalid');
  assert.is(verdict({ chain, stamp: () => Buffer.from('junk') }, { more }), 'refused malformed');
});

testShared("Sigstore's timestamp authority is read as the specification says", () => {
  const name = 'rekor2-timestamp-with-embedded-cert';
  const bundle = sharedBundle('conformance', name, 'bundle.sigstore.json') as Record<string, never>;
  const { verificationMaterial, messageSignature } = bundle as never as {
    verificationMaterial: { timestampVerificationData: { rfc3161Timestamps: { signedTimestamp: string }[] } };
    messageSignature: { signature: string };
  };
  const { timestampAuthorities } = sharedBundle('conformance', name, 'trusted_root.json') as never as {
    timestampAuthorities: { certChain: { certificates: { rawBytes: string }[] } }[];
  };
  const response = Buffer.from(
    verificationMaterial.timestampVerificationData.rfc3161Timestamps[0]!.signedTimestamp,
    'base64',
  );
  // The token follows the status of the response: SEQUENCE { SEQUENCE { INTEGER 0 }, token }.
  const token = response.subarray(response.indexOf(Buffer.from('3003020100', 'hex')) + 5);
  const roots = timestampAuthorities
    .flatMap(({ certChain }) => certChain.certificates)
    .map(({ rawBytes }) => readCertificate(Buffer.from(rawBytes, 'base64'))!);
  const signature = Buffer.from(messageSignature.signature, 'base64');
  const time = stampedTime(token, signature, roots.slice(-1));
  assert.type(time, 'object', String(time));
  assert.is(stampedTime(token, Buffer.of(1), roots), 'invalid');
  assert.is(stampedTime(token, signature, []), 'untrusted');
});

test('a trust store is read by its layout', () => {
  const pem = (subject: string) => makeCertificate({ subject, authority: true }).pem;
  const stores = storeOf({
    'x509/ca/acme/one.pem': pem('a') + pem('b'),
    'truststore/x509/signingAuthority/cloud/two.cer': makeCertificate({ subject: 'c' }).der,
    'tsa/time/three.crt': pem('d'),
    'four.pem': pem('e'),
    'x509/ca/acme/deeper/five.pem': pem('ignored'),
    'x509/ca/acme/README.txt': 'no certificate',
    'x509/ca/six.pem': pem('in no store'),
  }).roots.map(({ type, store, certificate }) => `${type} ${store} ${certificate.subject}`);
  assert.equal(stores, [
    'ca ca/acme CN=a',
    'ca ca/acme CN=b',
    'signingAuthority signingAuthority/cloud CN=c',
    'tsa tsa/time CN=d',
    'ca four.pem CN=e',
  ]);
  const problem = (path: string, bytes: string) =>
    readNotationStore([{ path, bytes: Buffer.from(bytes) }]).problem;
  assert.equal(problem('x509/ca/acme/a.pem', 'junk'), {
    code: 'bad-certificate',
    path: 'x509/ca/acme/a.pem',
  });
  assert.equal(problem('a.pem', '-----BEGIN EC PRIVATE KEY-----'), { code: 'private-key', path: 'a.pem' });
  assert.equal(problem('a.txt', 'junk'), { code: 'empty', path: null });
  assert.equal(problem('a.pem', 'x'.repeat(5_000_000)), { code: 'too-large', path: 'a.pem' });
});

test('CBOR is read as go-cose reads it: no nesting without end, no lies about lengths', () => {
  const message = makeCose({ chain: makeChain() });
  assert.ok(parseCoseSign1(message));
  const bad: Readonly<Record<string, Buffer>> = {
    empty: Buffer.of(),
    'a byte more': Buffer.concat([message, Buffer.of(0)]),
    'a byte less': message.subarray(0, -1),
    'no tag': message.subarray(1),
    'another tag': Buffer.concat([Buffer.of(0xd3), message.subarray(1)]),
    'an array of another length': Buffer.concat([
      Buffer.of(0xd2),
      cbor([Buffer.of(), new Map(), Buffer.of()]),
    ]),
    'a million arrays in each other': Buffer.alloc(1_000_000, 0x81),
    'a million tags in each other': Buffer.alloc(1_000_000, 0xc1),
    'an array of four thousand million': Buffer.of(0x9a, 255, 255, 255, 255, 0),
    'a length of 2^64': Buffer.of(0x5b, 255, 255, 255, 255, 255, 255, 255, 255),
    'an indefinite length': Buffer.of(0x9f, 0xff),
    'a key twice': Buffer.concat([head(5, 2), cbor(1), cbor(1), cbor(1), cbor(2)]),
    'an array as a key': Buffer.concat([head(5, 1), cbor([]), cbor(1)]),
    'text that is not UTF-8': Buffer.of(0x61, 0xff),
  };
  for (const [what, bytes] of Object.entries(bad)) assert.is(parseCoseSign1(bytes), null, what);
  for (const value of [0, 23, 24, 255, 65535, 2 ** 31, -1, -500, 'text', [1, ['two']], null])
    assert.equal(readCbor(cbor(value)), value);
});

test.run();
