// Signatures that tools on this machine make now: skopeo with a key of cosign, and skopeo with GPG.
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readPublicKey, verifySignature } from '../../src/signatures/verify/verify.js';
import { type KeyKind, makeKey, publicPem } from '../support/certificates.js';
import { waybill } from '../support/cli.js';
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

/**
 * The files that skopeo 1.22 wrote for the sample with `--sign-by-sigstore-private-key`; the key pair was made for it.
 */
const RECORDED = {
  manifest:
    '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":1802,"digest":"sha256:2e930d0c9519a6675903892658a5222b5bde8074728d2e751ff71661b3f67ed1"},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":7680,"digest":"sha256:1d60de46faca5752d1f8663375fbf6571c3073bf737a6eb8a8a22c460cfec68c"},{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":4608,"digest":"sha256:f9b6914b7ae9b7cd4d8eda97895f2c4500971dfe2947bfaec5ee1954b21a8009"},{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":3072,"digest":"sha256:524bb5023c3003f8e067696897a2debf32b57f332c64af38f0b06743650f815c"}]}',
  signature: {
    mimeType: 'application/vnd.dev.cosign.simplesigning.v1+json',
    payload:
      'eyJjcml0aWNhbCI6eyJpZGVudGl0eSI6eyJkb2NrZXItcmVmZXJlbmNlIjoiZXhhbXBsZS50ZXN0L2hlbGxvOjEifSwiaW1hZ2UiOnsiZG9ja2VyLW1hbmlmZXN0LWRpZ2VzdCI6InNoYTI1Njo4NTBhYzEwODM3NTIzOTg1ODI0ZjQzOGM5ZmZhOGRmZjg2MGMwMjY5OTgzYzBmZGU4YzhmYmUwNzE3YmE1NDljIn0sInR5cGUiOiJjb3NpZ24gY29udGFpbmVyIGltYWdlIHNpZ25hdHVyZSJ9LCJvcHRpb25hbCI6eyJjcmVhdG9yIjoiY29udGFpbmVycy9pbWFnZSA1LjM5LjEiLCJ0aW1lc3RhbXAiOjE3OTU5Njg2OTN9fQ==',
    annotations: {
      'dev.cosignproject.cosign/signature':
        'MEQCIGmFbCj081G/Npi6fCcryReyyxinknGrBt7nCD7UtsXKAiBAU767KWrtcaVgI0wtlMEuH1P6/R7EiE3UXxn6Jrvd+w==',
    },
  },
  key: `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERrlj+QeZqXDuykFiKI7hxKRuyX9E
eLhd1fKUZkWSG6BAfbLaqFbCDkHiwIOAUm4L+9+4DreoRXugvj0yCig56w==
-----END PUBLIC KEY-----
`,
};

test('a signature that skopeo 1.22 made, recorded, verifies; with another key or manifest it does not', async () => {
  const folder = temporary('recorded');
  const at = (name: string) => join(folder, name);
  const blobs = RECORDED.manifest.matchAll(/sha256:([0-9a-f]{64})/g);
  for (const [, hex] of blobs) {
    const { stdout } = spawnSync('tar', ['-xOf', SAMPLE, `blobs/sha256/${hex}`]);
    writeFileSync(at(hex!), stdout);
  }
  writeFileSync(at('version'), 'Directory Transport Version: 1.1\n');
  writeFileSync(at('signature-1'), `\0sigstore-json\n${JSON.stringify(RECORDED.signature)}`);
  const key = join(temporary('recorded-key'), 'key.pub');
  const run = async (manifest: string, pem: string) => {
    writeFileSync(at('manifest.json'), manifest);
    writeFileSync(key, pem);
    return (await waybill(['verify', folder, '--key', key])).status;
  };
  assert.is(await run(RECORDED.manifest, RECORDED.key), 0);
  assert.is(await run(`${RECORDED.manifest} `, RECORDED.key), 1);
  assert.is(await run(RECORDED.manifest, publicPem(makeKey())), 1);
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
