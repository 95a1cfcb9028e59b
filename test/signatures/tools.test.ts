// Signatures that tools on this machine make now: skopeo with a key of cosign, and skopeo with GPG.
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readPublicKey, verifySignature } from '../../src/signatures/verify/verify.js';
import { type KeyKind, makeKey, publicPem } from '../support/certificates.js';
import { hasCommand } from '../support/compression.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { cosignPrivateKey } from '../support/cosign-key.js';
import { keyOf, outcome, signatureOf, simpleSignature, skopeoFile, trusting } from '../support/signatures.js';
import { temporary } from '../support/tmp.js';

const SAMPLE = join(repositoryRoot, 'samples/hello-docker-28.tar');
const hasSkopeo = hasCommand('skopeo');

/** Copies the sample to a dir of skopeo, signed. @returns skopeo's error, or null */
function copySigned(
  target: string,
  options: readonly string[],
  env: Readonly<Record<string, string>> = {},
): string | null {
  const { status, stderr } = spawnSync(
    'skopeo',
    [
      '--insecure-policy',
      'copy',
      ...options,
      '--sign-identity',
      'example.org/app:1',
      `docker-archive:${SAMPLE}`,
      `dir:${target}`,
    ],
    { encoding: 'utf8', env: { ...process.env, ...env } },
  );
  return status === 0 ? null : stderr;
}

/** Signs with a key as `cosign generate-key-pair` makes it. */
function signedBySkopeo(kind: KeyKind): {
  readonly folder: string;
  readonly error: string | null;
  readonly pem: string;
} {
  const [folder, key] = [temporary('skopeo'), makeKey(kind)];
  const [privateFile, passwordFile] = [join(folder, 'cosign.key'), join(folder, 'password')];
  writeFileSync(privateFile, cosignPrivateKey(key, 'secret'));
  writeFileSync(passwordFile, 'secret');
  const error = copySigned(join(folder, 'image'), [
    '--sign-by-sigstore-private-key',
    privateFile,
    '--sign-passphrase-file',
    passwordFile,
  ]);
  return { folder, error, pem: publicPem(key) };
}

const refusal = hasSkopeo ? signedBySkopeo('P-256').error : 'skopeo is not here';
/** Debian's builds of skopeo 1.9 refuse it, and older ones do not have the option. */
const cannot = refusal !== null && /sigstore disabled|unknown flag|not here/.test(refusal);

testWhen(
  test,
  !cannot,
  `this skopeo does not sign with keys of cosign: ${refusal?.trim()}`,
)('signatures that skopeo makes with a key of cosign verify', () => {
  for (const kind of ['P-256', 'P-384', 'rsa', 'ed25519'] as const) {
    const { folder, error, pem } = signedBySkopeo(kind);
    assert.is(error, null, kind);
    const { payload, annotations } = skopeoFile(readFileSync(join(folder, 'image/signature-1')));
    const signature = simpleSignature(payload, annotations);
    assert.is(outcome(verifySignature(signature, trusting({ keys: [keyOf(pem)] }))), 'verified key', kind);
    const other = trusting({ keys: [keyOf(publicPem(makeKey(kind)))] });
    assert.is(outcome(verifySignature(signature, other)), 'refused signature-invalid', kind);
  }
});

test('a private key of cosign, given as a public one, is refused without being read', () => {
  const file = Buffer.from(cosignPrivateKey(makeKey(), 'secret'));
  assert.is(readPublicKey(file).problem, 'encrypted-key');
});

testWhen(
  test,
  hasSkopeo && hasCommand('gpg'),
  'skopeo or gpg is not here',
)('a signature that skopeo makes with GPG is no signature of cosign, and is not verified', () => {
  const folder = temporary('gpg');
  const env = { GNUPGHOME: folder };
  chmodSync(folder, 0o700);
  const made = spawnSync(
    'gpg',
    ['--batch', '--passphrase', '', '--quick-generate-key', 'signer@example.org', 'rsa2048', 'sign'],
    { encoding: 'utf8', env: { ...process.env, ...env } },
  );
  assert.is(made.status, 0, made.stderr);
  try {
    assert.is(copySigned(join(folder, 'image'), ['--sign-by', 'signer@example.org'], env), null);
  } finally {
    spawnSync('gpgconf', ['--kill', 'all'], { env: { ...process.env, ...env } });
  }
  const bytes = readFileSync(join(folder, 'image/signature-1'));
  assert.is.not(bytes[0], 0, 'skopeo writes OpenPGP packets without a prefix');
  const signature = signatureOf({ format: 'gpg-simple', envelope: bytes });
  assert.is(outcome(verifySignature(signature, trusting({}))), 'undecided gpg-not-verified');
});

test.run();
