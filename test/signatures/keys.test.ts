// Files with keys, and signatures by key of every algorithm.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readPublicKey, verifySignature } from '../../src/signatures/verify/verify.js';
import { type KeyKind, makeCertificate, makeKey, pemOf, publicPem, spki } from '../support/certificates.js';
import { keyOf, outcome, signatureOf, trusting } from '../support/signatures.js';
import { envelopeSignature, keyBundle, keySignature, makeSigstore, PAYLOAD } from '../support/sigstore.js';

const KINDS: readonly KeyKind[] = ['P-256', 'P-384', 'P-521', 'ed25519', 'rsa'];

test('public keys are read from PEM, DER and certificates', () => {
  for (const kind of KINDS) {
    const key = makeKey(kind);
    const { fingerprint, fromCertificate } = keyOf(publicPem(key));
    assert.match(fingerprint, /^[0-9a-f]{64}$/);
    assert.is(keyOf(spki(key)).fingerprint, fingerprint, kind);
    assert.is(keyOf(publicPem(key).replaceAll('\n', '\r\n')).fingerprint, fingerprint, kind);
    assert.is(keyOf(`# the key of the release team\n${publicPem(key)}\n\n`).fingerprint, fingerprint, kind);
    assert.is(fromCertificate, false);
  }
  const rsa = makeKey('rsa');
  const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'pem' });
  assert.match(String(pkcs1), /RSA PUBLIC KEY/);
  assert.is(keyOf(Buffer.from(pkcs1)).fingerprint, keyOf(publicPem(rsa)).fingerprint);
  const certificate = makeCertificate();
  const read = keyOf(certificate.pem);
  assert.is(read.fingerprint, keyOf(publicPem(certificate.keys)).fingerprint);
  assert.is(read.fromCertificate, true);
});

test('a file that is no public key has its own code', () => {
  const junk = Buffer.from('not base64!').toString('base64');
  const key = publicPem(makeKey());
  const rows: readonly (readonly [string | Uint8Array, string])[] = [
    ['', 'not-a-key'],
    ['sha256:0000', 'not-a-key'],
    [Buffer.alloc(100_000_000), 'not-a-key'],
    ['-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', 'not-a-key'],
    ['-----BEGIN PUBLIC KEY-----\n%%%%\n-----END PUBLIC KEY-----\n', 'not-a-key'],
    ['-----BEGIN PUBLIC KEY-----\nMFkw', 'not-a-key'],
    [key.replace('END PUBLIC', 'END PUBLISHED'), 'not-a-key'],
    [pemOf('CERTIFICATE REQUEST', Buffer.of(1)), 'not-a-key'],
    // The content of a private key is never looked at: here it is none.
    [`-----BEGIN PRIVATE KEY-----\n${junk}\n-----END PRIVATE KEY-----\n`, 'private-key'],
    [`-----BEGIN EC PRIVATE KEY-----\n${junk}\n-----END EC PRIVATE KEY-----\n`, 'private-key'],
    [`-----BEGIN OPENSSH PRIVATE KEY-----\n${junk}\n-----END OPENSSH PRIVATE KEY-----\n`, 'private-key'],
    [`${key}-----BEGIN PRIVATE KEY-----\n${junk}\n-----END PRIVATE KEY-----\n`, 'private-key'],
    [`-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n${junk}\n`, 'encrypted-key'],
    [`-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n${junk}\n`, 'encrypted-key'],
    [`-----BEGIN ENCRYPTED PRIVATE KEY-----\n${junk}\n`, 'encrypted-key'],
    [key + key, 'several-keys'],
    ['-----BEGIN PGP PUBLIC KEY BLOCK-----\n', 'unsupported-key'],
    ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA me@host', 'unsupported-key'],
    [publicPem(makeKey('rsa-1024')), 'weak-key'],
    ['-----BEGIN CERTIFICATE-----\n'.repeat(2000), 'several-keys'],
  ];
  for (const [file, expected] of rows)
    assert.is(readPublicKey(Buffer.from(file)).problem, expected, String(file).slice(0, 60));
});

test('a private key of Node is not read either', () => {
  const { privateKey } = makeKey();
  for (const type of ['pkcs8', 'sec1'] as const) {
    assert.is(readPublicKey(Buffer.from(privateKey.export({ type, format: 'pem' }))).problem, 'private-key');
    assert.is(readPublicKey(privateKey.export({ type, format: 'der' })).problem, 'not-a-key');
  }
});

test('a signature of every algorithm verifies with its key, and with no other', () => {
  for (const kind of KINDS) {
    const [key, other] = [makeKey(kind), makeKey(kind)];
    const [own, others] = [
      trusting({ keys: [keyOf(publicPem(key))] }),
      trusting({ keys: [keyOf(publicPem(other))] }),
    ];
    for (const hash of kind === 'ed25519' ? ['sha256'] : ['sha256', 'sha384', 'sha512']) {
      assert.is(
        outcome(verifySignature(keySignature(key, null, hash), own)),
        'verified key',
        `${kind} ${hash}`,
      );
      assert.is(outcome(verifySignature(keyBundle(key, hash), own)), 'verified key', `${kind} ${hash}`);
    }
    assert.is(outcome(verifySignature(keySignature(key), others)), 'refused signature-invalid', kind);
    assert.is(outcome(verifySignature(keyBundle(key), others)), 'refused key-mismatch', kind);
    assert.is(
      outcome(verifySignature(keySignature(key, null, kind === 'ed25519' ? 'sha256' : 'sha1'), own)),
      kind === 'ed25519' ? 'verified key' : 'refused signature-invalid',
      'SHA-1 is not tried',
    );
  }
});

test('the result names the key and the log entry', () => {
  const key = makeKey('ed25519');
  const { log, root } = makeSigstore();
  const trusted = keyOf(publicPem(key));
  const without = verifySignature(
    keySignature(key, log),
    trusting({ keys: [keyOf(publicPem(makeKey())), trusted] }),
  );
  assert.equal(without, {
    outcome: 'verified',
    by: { kind: 'key', fingerprint: trusted.fingerprint, log: null },
  });
  const within = verifySignature(keySignature(key, log), trusting({ keys: [trusted], root }));
  assert.equal(within, {
    outcome: 'verified',
    by: {
      kind: 'key',
      fingerprint: trusted.fingerprint,
      log: { log: keyOf(publicPem(log)).fingerprint, index: '42', at: '2024-05-01T12:05:00Z' },
    },
  });
});

test("a key's log entry is judged by the trusted root, if the root has its log", () => {
  const key = makeKey();
  const [{ log, root }, other] = [makeSigstore(), makeSigstore()];
  const trust = trusting({ keys: [keyOf(publicPem(key))], root });
  const signature = keySignature(key, log);
  const [entry, another] = [signature.bundle, keySignature(makeKey(), log).bundle] as { Payload: object }[];
  const withEntry = (bundle: object) =>
    outcome(verifySignature({ ...signature, bundle: bundle as never }, trust));
  assert.is(
    withEntry({ ...entry, Payload: { ...entry!.Payload, logIndex: 43 } }),
    'refused log-promise-invalid',
  );
  assert.is(
    withEntry({ ...entry, Payload: { ...entry!.Payload, integratedTime: 1 } }),
    'undecided authority-time',
    'before the log',
  );
  assert.is(withEntry(another!), 'refused log-entry-mismatch');
  const elsewhere = keySignature(key, log, 'sha256', makeKey());
  assert.is(outcome(verifySignature(elsewhere, trust)), 'refused log-entry-mismatch', 'it names another key');
  assert.is(withEntry({}), 'refused malformed');
  assert.is(
    outcome(verifySignature(keySignature(key, other.log), trust)),
    'verified key',
    'of an unknown log',
  );
  assert.is(outcome(verifySignature(keySignature(key), trust)), 'verified key', 'without an entry');
});

test('one of several signatures of an envelope is enough', () => {
  const [key, other] = [makeKey(), makeKey('P-384')];
  const trust = trusting({ keys: [keyOf(publicPem(key))] });
  assert.is(outcome(verifySignature(envelopeSignature([key]), trust)), 'verified key');
  assert.is(outcome(verifySignature(envelopeSignature([other, key]), trust)), 'verified key');
  assert.is(outcome(verifySignature(envelopeSignature([other, other]), trust)), 'refused signature-invalid');
  const payload = { bytes: Buffer.concat([PAYLOAD, Buffer.from(' ')]), type: null };
  const swapped = { ...envelopeSignature([key]), payload };
  assert.is(outcome(verifySignature(swapped, trust)), 'refused payload-mismatch');
});

test('parts that are absent or not trusted have their own code', () => {
  const key = makeKey();
  const trust = trusting({ keys: [keyOf(publicPem(key))] });
  const simple = keySignature(key);
  const rows: readonly (readonly [Parameters<typeof verifySignature>[0], string])[] = [
    [{ ...simple, signature: null }, 'refused malformed'],
    [{ ...simple, payload: null }, 'refused malformed'],
    [{ ...simple, certificate: 'no PEM' }, 'refused malformed'],
    [{ ...simple, certificate: makeCertificate().pem, chain: 'no PEM' }, 'refused malformed'],
    [{ ...simple, certificate: makeCertificate().pem, chain: '' }, 'verified key'],
    [{ ...simple, rfc3161: Buffer.from('{}') }, 'refused malformed'],
    [
      { ...simple, payload: { bytes: Buffer.concat([PAYLOAD, Buffer.from(' ')]), type: null } },
      'refused signature-invalid',
    ],
    [signatureOf({ format: 'gpg-simple' }), 'undecided gpg-not-verified'],
    [signatureOf({ format: 'unknown' }), 'undecided not-readable'],
    [signatureOf({ format: 'dsse' }), 'refused malformed'],
    [signatureOf({ format: 'sigstore-bundle' }), 'refused malformed'],
    [signatureOf({ format: 'notation-jws' }), 'undecided no-trust'],
  ];
  for (const [signature, expected] of rows) assert.is(outcome(verifySignature(signature, trust)), expected);
  assert.equal(verifySignature(simple, trusting({})), {
    outcome: 'undecided',
    cause: 'no-trust',
    data: { needs: ['key'] },
  });
});

test.run();
