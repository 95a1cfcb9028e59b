// Signatures by certificate: of a Sigstore that is made here, and of a private authority.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Signature } from '../../src/signatures/signature.js';
import type { Trust } from '../../src/signatures/verify/trust.js';
import { readTrustedRoot, verifySignature } from '../../src/signatures/verify/verify.js';
import {
  type CertificatePlan,
  der,
  makeCertificate,
  makeKey,
  publicPem,
  SERVER,
  sequence,
  utf8,
} from '../support/certificates.js';
import { identity, keyOf, outcome, rootOf, simpleSignature, trusting } from '../support/signatures.js';
import {
  type EntryKind,
  keylessEnvelope,
  keylessSignature,
  makeSigstore,
  PAYLOAD,
  SIGNING_TIME,
  shortLived,
  signBytes,
  trustedRootJson,
} from '../support/sigstore.js';

const DEV = identity('dev@example.org', 'https://accounts.example.org');
const own = makeSigstore();
const keyless = trusting({ identities: [DEV], root: own.root });

test('a keyless signature verifies with the identity, the issuer and the time of the log', () => {
  assert.equal(verifySignature(keylessSignature(own, shortLived(own.authority)), keyless), {
    outcome: 'verified',
    by: {
      kind: 'certificate',
      identity: 'dev@example.org',
      issuer: 'https://accounts.example.org',
      signedAt: '2024-05-01T12:05:00Z',
      log: { log: keyOf(publicPem(own.log)).fingerprint, index: '42', at: '2024-05-01T12:05:00Z' },
    },
  });
});

test('the certificate may have any key that signs code', () => {
  for (const kind of ['P-384', 'P-521', 'ed25519', 'rsa'] as const) {
    const certificate = shortLived(own.authority, { key: makeKey(kind) });
    assert.is(
      outcome(verifySignature(keylessSignature(own, certificate), keyless)),
      'verified certificate',
      kind,
    );
  }
});

test('attestations of cosign 2 verify with each kind of log entry, except the oldest', () => {
  const verdict = (kind: EntryKind) =>
    outcome(verifySignature(keylessEnvelope(own, shortLived(own.authority), kind), keyless));
  assert.is(verdict('dsse 0.0.1'), 'verified certificate');
  assert.is(verdict('intoto 0.0.2'), 'verified certificate');
  assert.is(verdict('intoto 0.0.1'), 'undecided log-entry-unsupported');
});

test('an identity is compared as a whole, and never as a pattern', () => {
  const signature = keylessSignature(own, shortLived(own.authority));
  const issuer = 'https://accounts.example.org';
  for (const name of [
    'dev@exampleXorg',
    'dev@example.or',
    'ev@example.org',
    '.*',
    '',
    'DEV@example.org',
    'dev@example.org ',
  ])
    assert.is(
      outcome(verifySignature(signature, trusting({ identities: [identity(name, issuer)], root: own.root }))),
      'refused identity-mismatch',
      name,
    );
  const hostile = keylessSignature(own, shortLived(own.authority, { email: 'dev@example.org.evil.test' }));
  assert.equal(verifySignature(hostile, keyless), {
    outcome: 'refused',
    cause: 'identity-mismatch',
    data: { identities: ['dev@example.org.evil.test'] },
  });
});

test('identity and issuer of one signer are required together', () => {
  const signature = keylessSignature(own, shortLived(own.authority));
  const verdict = (...identities: Trust['identities']) =>
    verifySignature(signature, trusting({ identities, root: own.root }));
  assert.equal(verdict(identity('dev@example.org', 'https://accounts.example')), {
    outcome: 'refused',
    cause: 'issuer-mismatch',
    data: { identity: 'dev@example.org', issuer: 'https://accounts.example.org' },
  });
  const crossed = [
    identity('dev@example.org', 'https://a'),
    identity('ops@example.org', 'https://accounts.example.org'),
  ];
  assert.is(outcome(verdict(...crossed)), 'refused issuer-mismatch');
  assert.is(outcome(verdict(...crossed, DEV)), 'verified certificate');
  const pattern = { source: '^dev@', test: (text: string) => /^dev@/.test(text) };
  assert.is(outcome(verdict({ identity: pattern, issuer: null })), 'verified certificate');
  const nameless = keylessSignature(
    own,
    makeCertificate({ ...LEAF, issuer: own.authority, email: undefined as never }),
  );
  assert.is(
    outcome(verifySignature(nameless, trusting({ identities: [identity(null, null)], root: own.root }))),
    'refused identity-mismatch',
  );
});

const LEAF: CertificatePlan = { notBefore: '2024-05-01T12:00:00Z', notAfter: '2024-05-01T12:10:00Z' };

test('each part that is altered or missing has its own cause', () => {
  const { authority, log } = own;
  const certificate = shortLived(authority);
  const signature = keylessSignature(own, certificate);
  const entry = signature.bundle as {
    SignedEntryTimestamp: string;
    Payload: Record<string, string | number>;
  };
  const logged = (changes: Record<string, string | number>): Signature => ({
    ...signature,
    bundle: { ...entry, Payload: { ...entry.Payload, ...changes } },
  });
  const stranger = makeSigstore();
  const other = keylessSignature(own, shortLived(authority));
  const rows: Readonly<Record<string, readonly [Signature, string, Trust?]>> = {
    'another payload': [
      { ...signature, payload: { bytes: Buffer.from('{}'), type: null } },
      'refused log-entry-mismatch',
    ],
    'another signature': [{ ...signature, signature: other.signature }, 'refused log-entry-mismatch'],
    'another certificate': [{ ...signature, certificate: other.certificate }, 'refused signature-invalid'],
    'another log entry': [{ ...signature, bundle: other.bundle }, 'refused log-entry-mismatch'],
    'another index': [logged({ logIndex: 43 }), 'refused log-promise-invalid'],
    'another time': [logged({ integratedTime: SIGNING_TIME + 1 }), 'refused log-promise-invalid'],
    'a time when the certificate was not valid': [
      logged({ integratedTime: SIGNING_TIME + 86400 }),
      'refused log-promise-invalid',
    ],
    'another log': [logged({ logID: '0'.repeat(64) }), 'undecided authority-unknown'],
    'no log entry': [{ ...signature, bundle: null }, 'refused log-entry-missing'],
    'no certificate': [{ ...signature, certificate: null }, 'undecided no-trust'],
    'an entry that names another signer': [
      keylessSignature(own, certificate, { signer: shortLived(authority).pem }),
      'refused log-entry-mismatch',
    ],
    'an entry without a signer': [
      keylessSignature(own, certificate, { signer: '' }),
      'refused log-entry-mismatch',
    ],
    'signed after the certificate expired': [
      keylessSignature(own, certificate, { time: SIGNING_TIME + 3600 }),
      'refused certificate-expired',
    ],
    'signed before the certificate was valid': [
      keylessSignature(own, certificate, { time: SIGNING_TIME - 3600 }),
      'refused certificate-expired',
    ],
    'another authority, the same log': [
      keylessSignature({ ...own, log }, shortLived(stranger.authority)),
      'refused certificate-untrusted',
    ],
    'another authority of the same name': [
      keylessSignature(own, shortLived(makeCertificate({ subject: 'authority', authority: 0 }))),
      'refused certificate-untrusted',
    ],
    'a certificate that signed itself': [
      keylessSignature(own, makeCertificate({ ...LEAF, email: 'dev@example.org' })),
      'refused certificate-untrusted',
    ],
    'a certificate of a certificate': [
      keylessSignature(own, shortLived(shortLived(authority))),
      'refused certificate-untrusted',
    ],
    'a certificate for servers': [
      keylessSignature(own, shortLived(authority, { purposes: [SERVER!] })),
      'refused certificate-unsuitable',
    ],
    'a log that is not trusted any more': [
      signature,
      'undecided authority-time',
      trusting({
        identities: [DEV],
        root: rootOf(JSON.stringify(trustedRootJson(authority, log, { end: '2023-01-01T00:00:00Z' }))),
      }),
    ],
  };
  for (const [what, [one, expected, trust]] of Object.entries(rows))
    assert.is(outcome(verifySignature(one, trust ?? keyless)), expected, what);
});

test('a log that the root lists is required, also where the root has it in a form that cannot be read', () => {
  const { authority, log } = own;
  const json = trustedRootJson(authority, log) as { tlogs: object[] };
  const signature = keylessSignature(own, shortLived(authority));
  const verdict = (changes: object, one = signature) =>
    outcome(
      verifySignature(
        one,
        trusting({ identities: [DEV], root: rootOf(JSON.stringify({ ...json, ...changes })) }),
      ),
    );
  assert.is(verdict({}), 'verified certificate', 'no certificate log');
  assert.is(verdict({ ctlogs: json.tlogs }), 'refused certificate-log-missing');
  assert.is(verdict({ ctlogs: [{}] }), 'refused certificate-log-missing');
  const unlogged = { ...signature, bundle: null };
  assert.is(verdict({ tlogs: [{}] }), 'undecided authority-unknown');
  assert.is(verdict({ tlogs: [{}] }, unlogged), 'refused log-entry-missing');
  assert.is(verdict({ tlogs: [] }, unlogged), 'refused timestamp-missing', 'no log, and no time');
});

test('the current time is of no importance to Sigstore', () => {
  const signature = keylessSignature(own, shortLived(own.authority));
  for (const now of ['1990-01-01', '2024-05-01T12:05:00Z', '2200-01-01'])
    assert.is(
      outcome(verifySignature(signature, { ...keyless, now: new Date(now) })),
      'verified certificate',
    );
});

interface Pki {
  readonly leaf?: CertificatePlan;
  readonly between?: CertificatePlan;
  readonly root?: CertificatePlan;
  readonly now?: string;
  readonly chain?: 'none' | 'complete' | 'crossed';
}

/** A signer, an intermediate and a root of a private authority. */
function privateVerdict({ leaf, between, root, now = '2026-01-01', chain = 'complete' }: Pki = {}): string {
  const top = makeCertificate({ subject: 'root', authority: true, ...root });
  const middle = makeCertificate({ subject: 'between', authority: true, issuer: top, ...between });
  const signer = makeCertificate({ email: 'dev@example.org', issuer: middle, ...leaf });
  const twin = makeCertificate({ subject: 'between', authority: true, issuer: top });
  const chains = { none: '', complete: middle.pem + top.pem, crossed: twin.pem + middle.pem };
  const signature = simpleSignature(PAYLOAD, {
    'dev.cosignproject.cosign/signature': signBytes(signer.keys, PAYLOAD).toString('base64'),
    'dev.sigstore.cosign/certificate': signer.pem,
    'dev.sigstore.cosign/chain': chains[chain],
  });
  const trust = trusting({
    identities: [identity('dev@example.org', null)],
    root: rootOf(top.pem),
    now: new Date(now),
  });
  return outcome(verifySignature(signature, trust));
}

test('a path of a private authority is followed as RFC 5280 says', () => {
  const rows: Readonly<Record<string, readonly [Pki, string]>> = {
    'a complete path': [{}, 'verified certificate'],
    'an intermediate of the same name beside it': [{ chain: 'crossed' }, 'verified certificate'],
    'no intermediate': [{ chain: 'none' }, 'refused certificate-untrusted'],
    'expired now': [{ leaf: { notAfter: '2025-12-31T00:00:00Z' } }, 'refused certificate-expired'],
    'not valid yet': [{ between: { notBefore: '2026-12-31T00:00:00Z' } }, 'refused certificate-expired'],
    'an expired root': [{ root: { notAfter: '2025-12-31T00:00:00Z' } }, 'refused certificate-expired'],
    'an intermediate that is none': [
      { between: { authority: undefined as never, usage: [5] } },
      'refused certificate-unsuitable',
    ],
    'an intermediate that may not sign certificates': [
      { between: { usage: [0] } },
      'refused certificate-untrusted',
    ],
    'a path that is too long': [{ root: { authority: 0 } }, 'refused certificate-unsuitable'],
    'a path length of one': [{ root: { authority: 1 } }, 'verified certificate'],
    'a signer for servers': [{ leaf: { purposes: [SERVER!] } }, 'refused certificate-unsuitable'],
    'a signer for any purpose': [{ leaf: { purposes: null } }, 'verified certificate'],
    'a signer for encryption': [{ leaf: { usage: [2] } }, 'refused certificate-unsuitable'],
    'a signer with a weak key': [{ leaf: { key: makeKey('rsa-1024') } }, 'refused certificate-unsuitable'],
    'an intermediate for servers': [{ between: { purposes: [SERVER!] } }, 'refused certificate-unsuitable'],
    'name constraints': [
      {
        between: {
          critical: ['2.5.29.30', sequence(der(0xa0, sequence(der(0x81, Buffer.from('example.org')))))],
        },
      },
      'undecided certificate-unsupported',
    ],
    'an unknown critical extension': [
      { leaf: { critical: ['1.2.3.4.5', utf8('?')] } },
      'undecided certificate-unsupported',
    ],
    'an extension twice': [{ leaf: { twice: true } }, 'refused malformed'],
    'SHA-1': [{ leaf: { hash: 'sha1' } }, 'refused certificate-unsuitable'],
    'another identity': [{ leaf: { email: 'eve@example.org' } }, 'refused identity-mismatch'],
  };
  for (const [what, [plan, expected]] of Object.entries(rows))
    assert.is(privateVerdict(plan), expected, what);
});

test('a file that is no trusted root has its own code', () => {
  const json = trustedRootJson(own.authority, own.log) as Record<string, unknown>;
  const rows: readonly (readonly [string | Uint8Array, string | undefined])[] = [
    [JSON.stringify(json), undefined],
    [
      JSON.stringify({
        mediaType: 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json',
        trustedRoot: json,
      }),
      undefined,
    ],
    [own.authority.pem, undefined],
    ['', 'not-a-root'],
    ['{}', 'not-a-root'],
    ['[]', 'not-a-root'],
    [JSON.stringify(json).slice(0, -1), 'not-a-root'],
    ['['.repeat(1_000_000), 'not-a-root'],
    [JSON.stringify({ ...json, mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }), 'not-a-root'],
    [JSON.stringify({ signed: { _type: 'root' }, signatures: [] }), 'tuf-root'],
    [Buffer.alloc(100_000_000), 'too-large'],
    [JSON.stringify({ ...json, tlogs: [], certificateAuthorities: [] }), 'empty'],
    [JSON.stringify({ ...json, tlogs: 'none', certificateAuthorities: { 0: 1 } }), 'empty'],
    [JSON.stringify({ ...json, tlogs: [null, 1, 'x', {}], certificateAuthorities: [null, {}] }), 'empty'],
    [own.authority.pem.replace('MII', 'AAA'), 'bad-certificate'],
    ['-----BEGIN CERTIFICATE-----\n', 'bad-certificate'],
    ['-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'.repeat(60_000), 'bad-certificate'],
    ['-----BEGIN CERTIFICATE-----\n'.repeat(140_000), 'bad-certificate'],
    ['-----BEGIN PRIVATE KEY-----\nAAAA', 'private-key'],
  ];
  for (const [file, expected] of rows)
    assert.is(readTrustedRoot(Buffer.from(file)).problem, expected, String(file).slice(0, 60));
  const some = rootOf(JSON.stringify({ ...json, ctlogs: [{}, { logId: 7 }] }));
  assert.is(some.kind === 'sigstore' && some.leftOut, 2, 'what cannot be read is counted');
});

test.run();
