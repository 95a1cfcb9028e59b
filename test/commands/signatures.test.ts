// `signatures`, and `verify` and `check` that require signatures: verdicts, exit codes, messages, options.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { assemble, image, plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { lockOfMembers } from '../support/locks.js';
import { toDirectory, toTar, toZip } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { hasSignatures, signatureFile } from '../support/signatures.js';
import {
  BUNDLE,
  cosign2,
  cosign3,
  envelopeOf,
  newSigner,
  notation,
  signatureManifest,
  signedDir,
  signedSave,
  simpleLayer,
  simplePayload,
  statementOf,
  tagFor,
  withKind,
  withTag,
} from '../support/signed.js';
import { said } from '../support/terminal.js';
import { temporary } from '../support/tmp.js';

const signer = newSigner();
const stranger = newSigner();
const folder = temporary('signatures');
const written = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const key = written('cosign.pub', signer.pem);
const otherKey = written('other.pub', stranger.pem);

const app = await plainImage('app');
const manifest = layouts.platformManifest(app);
const { digest } = manifest.descriptor;

const layoutOf = (...manifests: readonly layouts.Content[]) => layouts.ociLayout({ manifests });
let count = 0;
const tarOf = async (members: readonly layouts.Member[]) =>
  saved(await toTar(members), `archive-${++count}.tar`);
const signedTar = await tarOf(layoutOf(manifest, withKind(cosign2(manifest, signer), 'sigs')));
const plainTar = await tarOf(layoutOf(manifest));

interface Verified {
  readonly status: number;
  readonly codes: readonly string[];
  readonly met: boolean | null;
  readonly findings: readonly { code: string; severity: string; message: string }[];
}

async function verified(archive: string, ...args: readonly string[]): Promise<Verified> {
  const { stdout, stderr, status } = await said(['verify', archive, '--json', ...args], { now: NOW });
  assert.is(stderr, '');
  const { findings, signatures } = JSON.parse(stdout);
  const own = findings.filter(({ code }: { code: string }) => /sign|trusted-root/.test(code));
  return {
    status,
    met: signatures.met,
    findings: own,
    codes: own.map((finding: { code: string; severity: string }) =>
      finding.severity === 'error' ? finding.code : `${finding.code} (${finding.severity})`,
    ),
  };
}

const NOW = new Date('2026-01-01T00:00:00Z');

test('an image that is signed with the key passes, in verify and in check', async () => {
  assert.equal(await verified(signedTar, '--key', key), { status: 0, met: true, findings: [], codes: [] });
  const checked = await said(['check', signedTar, '--key', key, '--json']);
  assert.is(JSON.parse(checked.stdout).signatures.met, true);
  const { stdout } = await said(['verify', signedTar, '--key', key]);
  assert.match(stdout, / {2}signed by key SHA256:[0-9a-f]{64} {2}\(blobs\/sha256\//);
  assert.match(stdout, /signed yes/);
});

test('a signed image of which bytes are others, or are absent, is not shown as whole', async () => {
  const members = layoutOf(manifest, withKind(cosign2(manifest, signer), 'sigs'));
  const config = layouts.blobPath(app.imageId);
  const other = await tarOf(
    members.map(member => (member.path === config ? layouts.file(config, '{}') : member)),
  );
  const { status, met, findings } = await verified(other, '--key', key);
  assert.equal([status, met], [1, false]);
  assert.is(
    findings[0]!.message,
    `the manifest is signed, and ${app.imageId}, which it names, has other bytes here`,
  );
  // Neither a policy nor a baseline that knows of other bytes makes these signed.
  const policy = written('lax.yaml', 'rules:\n  digest-mismatch: off\n  size-mismatch: off\n');
  assert.is((await said(['check', other, '--key', key, '--policy', policy])).status, 1);
  const baseline = join(folder, 'known.json');
  const known = ['verify', other, '--key', key, '--baseline', baseline];
  assert.is((await said([...known, '--update-baseline'])).status, 1);
  assert.is((await said(known)).status, 1);
  const changed = await said(['signatures', other, '--key', key]);
  assert.is(changed.status, 1);
  assert.match(
    changed.stdout,
    /signed by key SHA256:[0-9a-f]{64}, but not all of its bytes are those that it names: waybill verify says more\n/,
  );
  const layer = layouts.blobPath(app.layers[0]!.digest);
  const cut = await tarOf(members.filter(({ path }) => path !== layer));
  assert.match(
    (await said(['signatures', cut, '--key', key])).stdout,
    /, but not all of it is here: waybill verify/,
  );
  assert.not.match((await said(['signatures', signedTar, '--key', key])).stdout, /, but not/);
});

test('unsigned, and signed by another key: errors', async () => {
  const unsigned = await verified(plainTar, '--key', key);
  assert.equal([unsigned.status, unsigned.met, unsigned.codes], [1, false, ['image-unsigned']]);
  assert.is(unsigned.findings[0]!.message, `unsigned: no signature in the archive is about ${digest}`);
  const other = await verified(signedTar, '--key', otherKey);
  assert.equal([other.status, other.codes], [1, ['signature-invalid']]);
  assert.match(
    (await said(['verify', signedTar, '--key', otherKey])).stdout,
    /\n {2}unsigned: its signature does not count\n/,
  );
  assert.match((await said(['verify', plainTar, '--key', key])).stdout, /\n {2}unsigned\n/);
  const checked = await said(['check', plainTar, '--key', key]);
  assert.equal([checked.status, /image-unsigned/.test(checked.stdout)], [1, true]);
});

test('one of several keys is enough, and one of several signatures', async () => {
  assert.is((await verified(signedTar, '--key', otherKey, '--key', key)).status, 0);
  const layers = [stranger, signer].map(one =>
    simpleLayer(simplePayload(digest), one.sign(simplePayload(digest))),
  );
  const both = await tarOf(layoutOf(manifest, withKind(signatureManifest(layers), 'sigs')));
  const { status, codes } = await verified(both, '--key', key);
  assert.equal([status, codes], [0, ['signature-invalid (warning)']]);
});

test('--require-signature alone wants one to be there, and says that it is not verified', async () => {
  const { status, met, codes } = await verified(signedTar, '--require-signature');
  assert.equal([status, met, codes], [0, null, ['signature-unverified (warning)']]);
  assert.equal((await verified(plainTar, '--require-signature')).codes, ['image-unsigned']);
  assert.equal((await verified(plainTar, '--require-signature', '--key', key)).status, 1);
});

test('each platform must be signed, by itself or by its index', async () => {
  const arm = layouts.platformManifest(
    await image({ layers: [{ files: { a: 'arm' } }], platform: { os: 'linux', architecture: 'arm64' } }),
  );
  const list = layouts.indexOf([manifest, arm]);
  const one = await tarOf(layoutOf(list, withTag(cosign2(manifest, signer), tagFor(manifest, '.sig'))));
  const { status, codes } = await verified(one, '--key', key);
  assert.equal([status, codes], [1, ['image-unsigned']]);
  assert.is((await verified(one, '--key', key, '--platform', 'linux/amd64')).status, 0);
  assert.is((await verified(one, '--key', key, '--platform', 'linux/arm64')).status, 1);
  const all = await tarOf(layoutOf(list, withTag(cosign2(list, signer), tagFor(list, '.sig'))));
  assert.equal(await verified(all, '--key', key), { status: 0, met: true, findings: [], codes: [] });
});

test('--platform passes over no image that an engine may take for that platform', async () => {
  const evil = await plainImage('evil');
  const as = (one: layouts.Content, ...architectures: readonly string[]) =>
    architectures.map(architecture => layouts.described(one, { platform: { os: 'linux', architecture } }));
  const other = layouts.platformManifest(evil);
  const arm = layouts.platformManifest(
    await image({ layers: [{ files: { a: 'arm' } }], platform: { os: 'linux', architecture: 'arm64' } }),
  );
  const { os: _, architecture: __, ...rest } = evil.config;
  const without = layouts.manifestOf(assemble(Buffer.from(JSON.stringify(rest)), evil.layers));
  const lock = written('platform.lock', await lockOfMembers(layoutOf(manifest)));
  const statuses = async (...entries: readonly layouts.Content[]) => {
    const archive = await tarOf(layoutOf(manifest, ...entries, withKind(cosign2(manifest, signer), 'sigs')));
    const found = [];
    for (const asked of [
      ['verify', '--key', key],
      ['check', '--key', key],
      ['signatures', '--key', key],
      ['verify', '--lock', lock],
    ])
      found.push((await said([...asked, '--platform', 'linux/amd64', archive])).status);
    return found;
  };
  assert.equal(await statuses(...as(arm, 'arm64')), [0, 0, 0, 0]);
  assert.equal(await statuses(...as(other, 'arm64')), [1, 1, 1, 1], 'its config has the platform');
  assert.equal(await statuses(...as(arm, 'arm64', 'amd64')), [1, 1, 1, 1], 'another entry has it');
  assert.equal(await statuses(without), [1, 1, 1, 1], 'it has none');
  for (const [os, architecture] of [
    ['linux', 'x86_64'],
    ['Linux', 'AMD64'],
    ['', 'amd64'],
  ] as const) {
    const config = Buffer.from(JSON.stringify({ ...evil.config, os, architecture }));
    const spelled = layouts.manifestOf(assemble(config, evil.layers));
    const entry = layouts.described(spelled, { platform: { os, architecture } });
    assert.equal(
      await statuses(entry),
      [1, 1, 1, 1],
      `containerd reads ${os}/${architecture} as linux/amd64`,
    );
  }
});

test('a swapped manifest under a valid signature is not signed', async () => {
  const evil = layouts.platformManifest(await plainImage('evil'));
  const attached = await tarOf(layoutOf(evil, withTag(cosign2(manifest, signer), tagFor(evil, '.sig'))));
  const { status, codes, findings } = await verified(attached, '--key', key);
  assert.equal([status, codes], [1, ['signature-other-digest']]);
  assert.is(
    findings[0]!.message,
    `the signature verifies, and is about another digest: expected ${evil.descriptor.digest}, found ${digest}`,
  );
  const subject = await tarOf(layoutOf(evil, cosign3(evil, signer, { digest })));
  assert.equal((await verified(subject, '--key', key)).codes, ['signature-other-digest']);
  const stray = await tarOf(layoutOf(evil, withKind(cosign2(manifest, signer), 'sigs')));
  assert.equal([...(await verified(stray, '--key', key)).codes].sort(), [
    'image-unsigned',
    'signature-other-digest',
  ]);
  // The bytes of another manifest under the digest that is signed.
  const path = layouts.blobPath(digest);
  const claimed = layoutOf(manifest, withKind(cosign2(manifest, signer), 'sigs'), evil)
    .filter(member => member.path !== layouts.blobPath(evil.descriptor.digest))
    .map(member => (member.path === path ? layouts.file(path, evil.blobs[0]!.bytes) : member));
  const index = claimed.map(member =>
    member.path === 'index.json'
      ? layouts.indexFile([manifest, withKind(cosign2(manifest, signer), 'sigs')])
      : member,
  );
  const lie = await verified(await tarOf(index), '--key', key);
  assert.equal([lie.status, lie.met], [1, false]);
});

test('a payload that was changed after it was signed does not verify', async () => {
  const evil = layouts.platformManifest(await plainImage('evil'));
  const forged = simpleLayer(simplePayload(evil.descriptor.digest), signer.sign(simplePayload(digest)));
  const archive = await tarOf(layoutOf(evil, withKind(signatureManifest([forged]), 'sigs')));
  assert.equal((await verified(archive, '--key', key)).codes, ['signature-invalid']);
});

test('signatures beyond the limit are an error where none of those that were read counts', async () => {
  const payload = simplePayload(digest);
  const layers = [simpleLayer(payload, stranger.sign(payload)), simpleLayer(payload, signer.sign(payload))];
  const archive = await tarOf(layoutOf(manifest, withKind(signatureManifest(layers), 'sigs')));
  const { stdout, status } = await said(['verify', archive, '--key', key, '--limit', 'signatures=1']);
  assert.is(status, 1);
  assert.match(stdout, /error limit-reached\n {2}the archive has 2 signatures/);
  const found = await said(['verify', archive, '--key', otherKey, '--limit', 'signatures=1']);
  assert.equal([found.status, /info limit-reached/.test(found.stdout)], [0, true]);
});

test('a payload that readers find under another key is not the one that is signed', async () => {
  const evil = layouts.platformManifest(await plainImage('evil'));
  const forged = statementOf(evil.descriptor.digest).toString('base64');
  const sound = envelopeOf(statementOf(digest), signer);
  const twice = (envelope: object, key: string) =>
    JSON.stringify(envelope).replace(/^\{|\}$/g, brace => (brace === '{' ? '{' : `,"${key}":"${forged}"}`));
  for (const name of ['payload', 'Payload', 'PAYLOAD']) {
    const envelope = twice(sound, name);
    const bundle = JSON.stringify({
      mediaType: BUNDLE,
      verificationMaterial: { publicKey: { hint: '' }, tlogEntries: [] },
      dsseEnvelope: 0,
    }).replace('"dsseEnvelope":0', `"dsseEnvelope":${envelope}`);
    const artifact = layouts.artifact({
      type: BUNDLE,
      layers: [layouts.blobOf(BUNDLE, bundle)],
      subject: evil,
    });
    const layer = layouts.blobOf('application/vnd.dsse.envelope.v1+json', envelope);
    const old = withTag(signatureManifest([layer]), tagFor(evil, '.sig'));
    for (const signature of [artifact, old]) {
      const { met, codes } = await verified(await tarOf(layoutOf(evil, signature)), '--key', key);
      assert.equal([met, codes.some(code => !code.includes('('))], [false, true], name);
    }
  }
});

test('an attestation signs nothing', async () => {
  const predicateType = 'https://slsa.dev/provenance/v1';
  const archive = await tarOf(layoutOf(manifest, cosign3(manifest, signer, { predicateType })));
  const { codes, findings } = await verified(archive, '--key', key);
  assert.equal(codes, ['image-unsigned']);
  assert.match(findings[0]!.message, /; an attestation states something about it, which signs nothing$/);
});

test('an image that only manifest.json lists, and that engines load, must be signed too', async () => {
  const evil = await plainImage('evil');
  const save = layouts.dockerSave([{ image: evil, tags: ['app:1'] }]);
  const signed = layoutOf(withTag(manifest, 'app:1'), withKind(cosign2(manifest, signer), 'sigs'));
  const hybrid = await tarOf([
    ...signed,
    ...save.filter(({ path }) => path !== 'index.json' && path !== 'oci-layout'),
  ]);
  const { status, met, codes } = await verified(hybrid, '--key', key);
  assert.equal([status, met], [1, false]);
  assert.ok(codes.includes('image-unsigned'), codes.join());
});

test('an image that engines load and no listing shows must be signed too', async () => {
  const sound = signedSave({ image: app, tags: ['app:1'] }, signer);
  assert.is((await verified(await tarOf(sound), '--key', key)).met, true);
  // podman and skopeo extract this member as manifest.json.
  const evil = layouts.dockerSave({ image: await plainImage('evil'), tags: ['app:1'] });
  const hidden = layouts.file('x/../manifest.json', layouts.memberBytes(evil, 'manifest.json'));
  const archive = await tarOf([hidden, ...evil.filter(({ path }) => path !== 'manifest.json'), ...sound]);
  const { met, status, findings } = await verified(archive, '--key', key);
  assert.equal([met, status], [false, 1]);
  assert.equal(
    findings.map(({ message }) => message),
    ['podman, skopeo-docker-archive load an image from this file that no signature covers'],
  );
});

test('docker save of old, which has no manifest, is unsigned', async () => {
  const archive = await tarOf(layouts.dockerSave([{ image: app, tags: ['app:1'] }]));
  const { codes, findings } = await verified(archive, '--key', key);
  assert.equal(codes, ['image-unsigned']);
  assert.match(findings[0]!.message, /^unsigned: the image has no manifest here/);
});

test('a baseline hides no image that is not signed as it must be', async () => {
  const baseline = join(folder, 'baseline.json');
  for (const command of ['verify', 'check']) {
    const args = [command, plainTar, '--key', key, '--baseline', baseline];
    await said([...args, '--update-baseline']);
    const { stdout, status } = await said(args);
    assert.equal([status, /image-unsigned/.test(stdout)], [1, true], command);
  }
});

test('an archive without an image passes no requirement', async () => {
  const chart = layouts.artifact({ type: 'application/vnd.cncf.helm.config.v1+json' });
  const archive = await tarOf(layoutOf(chart));
  assert.equal((await verified(archive, '--key', key)).codes, ['signed-image-missing']);
});

test('a signature in one part of a zip is about the images of all parts', async () => {
  const part = async (...more: readonly layouts.Content[]) => toTar(layoutOf(manifest, ...more));
  const zip = saved(
    toZip([
      layouts.file('a.tar', await part(withKind(cosign2(manifest, signer), 'sigs'))),
      layouts.file('b.tar', await part()),
    ]),
    'parts.zip',
  );
  assert.is((await verified(zip, '--key', key)).met, true);
  const { stdout } = await said(['signatures', zip, '--key', key]);
  assert.match(stdout, /2 of 2 images signed/);
});

test('several archives: a row for each, and the exit code of the worst', async () => {
  const { stdout, status } = await said(['verify', signedTar, plainTar, '--key', key]);
  assert.is(status, 1);
  assert.match(stdout, /image-unsigned/);
  const listed = await said(['signatures', signedTar, plainTar]);
  assert.is(listed.status, 0);
  assert.match(listed.stdout, /archive +images +signatures +signed +signers +sha256/);
  const lines = await said(['signatures', signedTar, plainTar, '--key', key]);
  assert.is(lines.status, 1);
});

test('signatures lists, and with a key says which verify', async () => {
  const listed = await said(['signatures', signedTar]);
  assert.is(listed.status, 0);
  assert.match(listed.stdout, new RegExp(`signs +${digest}\\n +is +manifest blobs/sha256/`));
  assert.match(listed.stdout, /nothing is verified without --key/);
  const good = await said(['signatures', signedTar, '--key', key]);
  assert.equal([good.status, /signer +key SHA256:[0-9a-f]{64}, verified/.test(good.stdout)], [0, true]);
  const bad = await said(['signatures', signedTar, '--key', otherKey]);
  assert.is(bad.status, 1);
  assert.match(bad.stdout, /verified +no: no given key has made it/);
  const none = await said(['signatures', plainTar]);
  assert.equal([none.status, /unsigned/.test(none.stdout)], [0, true]);
});

test('options that need or contradict each other are refused', async () => {
  const cases: readonly [readonly string[], RegExp][] = [
    [['--certificate-identity', 'a@b.c', '--trusted-root', 'x'], /no such file/],
    [['--certificate-oidc-issuer', 'https://x', '--trusted-root', 'x'], /needs --certificate-identity/],
    [['--certificate-identity', 'a@b.c', '--certificate-oidc-issuer', 'x'], /needs --trusted-root FILE/],
    [['--trusted-root', 'x'], /not whose signature is wanted/],
    [['--certificate-identity', 'a', '--certificate-identity-regexp', 'a'], /contradict each other/],
    [['--certificate-oidc-issuer', 'a', '--certificate-oidc-issuer-regexp', 'a'], /contradict each other/],
    [['--certificate-identity', '', '--trusted-root', 'x'], /found an empty one/],
    [['--certificate-identity-regexp', '(', '--trusted-root', 'x'], /expected a regular expression \(RE2\)/],
    [['--certificate-identity', 'a', '--certificate-identity', 'b'], /expected one value/],
    [['--key', ''], /expected a file, found an empty name/],
    [['--key', '-'], /expected a file, found -/],
    [['--key', 'awskms://alias/x'], /waybill has no network/],
    [['--key', join(folder, 'absent')], /there is no such file/],
    [['--key', folder], /expected a file, found a directory/],
    [['--notation-trust-store', join(folder, 'absent')], /there is no such folder/],
    [['--notation-trust-store', key], /expected a folder, found a file/],
  ];
  for (const command of ['verify', 'check', 'signatures']) {
    for (const [args, message] of cases) {
      const { stderr, status, stdout } = await said([command, signedTar, ...args]);
      assert.equal([status, stdout], [2, ''], args.join(' '));
      assert.match(stderr, message);
    }
  }
});

test('an identity without an issuer is refused where issuers confirm identities', async () => {
  const root = written(
    'root.json',
    JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' }),
  );
  const { stderr, status } = await said([
    'verify',
    signedTar,
    '--certificate-identity',
    'a',
    '--trusted-root',
    root,
  ]);
  assert.is(status, 2);
  assert.match(stderr, /trusted root, found one without an authority|needs --certificate-oidc-issuer/);
});

test('files that are no public key are told apart, and a private key is read no further', async () => {
  const encrypted = `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n`;
  const cases: readonly [string, string | Uint8Array, RegExp][] = [
    ['private.key', signer.privatePem, /found a private key; it was not read further/],
    ['cosign.key', encrypted, /found an encrypted private key; it was not read further/],
    ['text.pub', 'hello', /expected a public key in PEM or DER, found none/],
    ['empty.pub', '', /expected a public key/],
    [
      'gpg.pub',
      '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc\n-----END PGP PUBLIC KEY BLOCK-----\n',
      /found another kind/,
    ],
    ['two.pub', signer.pem + stranger.pem, /expected one public key, found several/],
    ['tar.pub', readFileSync(signedTar), /expected a public key/],
  ];
  for (const [name, content, message] of cases) {
    const { stderr, status } = await said(['verify', signedTar, '--key', written(name, content)]);
    assert.is(status, 2, name);
    assert.match(stderr, message);
    assert.not.match(stderr, /c2VjcmV0|MIG/);
  }
});

test('the trusted root and the trust store are told apart from other files', async () => {
  const identity = ['--certificate-identity', 'a', '--certificate-oidc-issuer', 'b'];
  const cases: readonly [string, string, RegExp][] = [
    ['tuf.json', '{"signed":{"_type":"root"}}', /found a root of TUF/],
    ['other.json', '{}', /expected Sigstore's trusted_root\.json/],
    ['root.key', signer.privatePem, /found a private key; it was not read further/],
    ['root.pub', signer.pem, /found a public key/],
    [
      'root.pem',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      /found one that cannot be read/,
    ],
  ];
  for (const [name, content, message] of cases) {
    const { stderr, status } = await said([
      'verify',
      signedTar,
      ...identity,
      '--trusted-root',
      written(name, content),
    ]);
    assert.is(status, 2);
    assert.match(stderr, message);
  }
  const stores: readonly [Readonly<Record<string, string>>, RegExp][] = [
    [{ 'x509/ca/a/a.txt': 'x' }, /expected certificates .*, found none/],
    [{ 'x509/ca/a/a.pem': signer.privatePem }, /a\.pem: .*found a private key/],
    [{ 'x509/ca/a/a.crt': 'x' }, /a\.crt: .*found one that cannot be read/],
  ];
  for (const [i, [files, message]] of stores.entries()) {
    const members = Object.entries(files).map(([path, text]) => layouts.file(path, text));
    const store = toDirectory(members, join(folder, `store-${i}`));
    const { stderr, status } = await said(['verify', signedTar, '--notation-trust-store', store]);
    assert.is(status, 2);
    assert.match(stderr, message);
  }
});

test('every format of output has the findings', async () => {
  for (const format of ['github', 'sarif', 'junit', 'tap', 'ndjson', 'markdown']) {
    const { stdout, status } = await said(['verify', plainTar, '--key', key, '--format', format]);
    assert.is(status, 1, format);
    void stdout;
  }
});

const sharedTest = testWhen(test, hasSignatures, NO_SHARED_FOLDER);
const shared = (...parts: readonly string[]) => signatureFile('containers-image', ...parts);
const fixture = (name: string) => shared(`dir-img-cosign-${name}`);
const KEY = ['--key', shared('cosign.pub')];

/** The verdict of each folder of containers/image with cosign.pub: the findings about signatures. */
const ROWS: readonly [name: string, args: readonly string[], met: boolean, codes: readonly string[]][] = [
  ['valid', KEY, true, []],
  ['valid-2', KEY, true, []],
  ['valid-with-tag', KEY, true, []],
  ['mixed', KEY, true, ['signature-invalid (warning)']],
  ['modified-manifest', KEY, false, ['signature-other-digest']],
  ['other-attachment', KEY, false, ['image-unsigned']],
  ['key-rekor-valid', ['--key', shared('cosign2.pub')], true, []],
  ['key-rekor-valid', KEY, false, ['signer-mismatch']],
  ['valid', ['--key', shared('cosign2.pub')], false, ['signature-invalid']],
  ['fulcio-rekor-valid', KEY, false, ['signer-mismatch']],
];

for (const [name, args, met, codes] of ROWS) {
  sharedTest(`containers-image: ${name} with ${args[1]!.split('/').at(-1)}`, async () => {
    const found = await verified(fixture(name), ...args);
    assert.equal([found.met, found.codes], [met, codes]);
    // Layers and configs are absent from the fixtures.
    assert.is(found.status, 1);
    assert.is((await said(['signatures', fixture(name), ...args], { now: NOW })).status, met ? 0 : 1);
  });
}

const ROOT = ['--trusted-root', signatureFile('sigstore', 'trusted_root-public-good.json')];
const keyless = (identity: string, issuer: string) => [
  '--certificate-identity',
  identity,
  '--certificate-oidc-issuer',
  issuer,
  ...ROOT,
];
const GITHUB = 'https://github.com/login/oauth';

sharedTest(
  'containers-image: fulcio-rekor-valid, by exact identity, by pattern, and refused otherwise',
  async () => {
    const pattern = (identity: string, issuer: string) => [
      '--certificate-identity-regexp',
      identity,
      '--certificate-oidc-issuer-regexp',
      issuer,
      ...ROOT,
    ];
    const cases: readonly [readonly string[], readonly string[]][] = [
      [keyless('mitr@redhat.com', GITHUB), []],
      [pattern('@redhat\\.com$', 'github'), []],
      [pattern('redhat', '.*'), []],
      [keyless('mitr@redhat', GITHUB), ['signer-mismatch']],
      [keyless('.*', GITHUB), ['signer-mismatch']],
      [keyless('mitr@redhat.com', 'https://github.com'), ['signer-mismatch']],
      [pattern('^redhat', '.*'), ['signer-mismatch']],
      [pattern('mitr', '^https://accounts'), ['signer-mismatch']],
    ];
    for (const [args, codes] of cases) {
      const found = await verified(fixture('fulcio-rekor-valid'), ...args);
      assert.equal([found.met, found.codes], [codes.length === 0, codes], args.join(' '));
    }
  },
);

// biome-ignore lint/suspicious/noExplicitAny: documents are taken apart here
type Open = any;

interface Keyless {
  readonly annotations: Open;
  readonly payload: Open;
  readonly bundle: Open;
}

/** The keyless fixture with one part changed. */
function changed(change: (parts: Keyless) => void): string {
  const bytes = readFileSync(join(fixture('fulcio-rekor-valid'), 'signature-1'));
  const file: Open = JSON.parse(bytes.subarray(15).toString());
  const { annotations } = file;
  const bundle: Open = JSON.parse(annotations[`${SIGSTORE}bundle`]);
  const payload: Open = JSON.parse(Buffer.from(file.payload, 'base64').toString());
  change({ annotations, payload, bundle });
  if (`${SIGSTORE}bundle` in annotations) annotations[`${SIGSTORE}bundle`] = JSON.stringify(bundle);
  file.payload = Buffer.from(JSON.stringify(payload)).toString('base64');
  const text = Buffer.concat([bytes.subarray(0, 15), Buffer.from(JSON.stringify(file))]);
  const manifest = readFileSync(join(fixture('fulcio-rekor-valid'), 'manifest.json'));
  const members = [layouts.file('manifest.json', manifest), layouts.file('signature-1', text)];
  return toDirectory(members, join(folder, `changed-${++count}`));
}

const SIGSTORE = 'dev.sigstore.cosign/';
const SIGNATURE = 'dev.cosignproject.cosign/signature';

const CHANGES: readonly [name: string, change: (parts: Keyless) => void, code: string][] = [
  ['nothing else', () => {}, ''],
  [
    'payload',
    ({ payload }) => {
      payload.optional = { a: 1 };
    },
    'signature-invalid',
  ],
  [
    'signature',
    ({ annotations }) => {
      annotations[SIGNATURE] = annotations[SIGNATURE].replace('dfkiSZnZt', 'dfkiSZnZu');
    },
    'signature-log-invalid',
  ],
  [
    'log index',
    ({ bundle }) => {
      bundle.Payload.logIndex += 1;
    },
    'signature-log-invalid',
  ],
  [
    'time',
    ({ bundle }) => {
      bundle.Payload.integratedTime += 1;
    },
    'signature-log-invalid',
  ],
  [
    'log',
    ({ bundle }) => {
      bundle.Payload.logID = 'ab'.repeat(32);
    },
    'trusted-root-outdated',
  ],
  [
    'certificate, of which one byte is another',
    ({ annotations }) => {
      const lines = annotations[`${SIGSTORE}certificate`].trimEnd().split('\n');
      const last = lines.at(-2);
      lines[lines.length - 2] = `${last[0] === 'A' ? 'B' : 'A'}${last.slice(1)}`;
      annotations[`${SIGSTORE}certificate`] = lines.join('\n');
    },
    'signature-certificate-invalid',
  ],
  [
    'log entry missing',
    ({ annotations }) => delete annotations[`${SIGSTORE}bundle`],
    'signature-log-missing',
  ],
  [
    'certificate missing',
    ({ annotations }) => delete annotations[`${SIGSTORE}certificate`],
    'signature-undecided',
  ],
];

for (const [name, change, code] of CHANGES) {
  sharedTest(`the keyless signature with another part: ${name}`, async () => {
    const found = await verified(changed(change), ...keyless('mitr@redhat.com', GITHUB));
    assert.equal([found.met, found.codes], [code === '', code === '' ? [] : [code]]);
  });
}

sharedTest('a trusted root that is too old to judge is said to be so', async () => {
  const file = signatureFile('sigstore', 'trusted_root-public-good.json');
  const root: Open = JSON.parse(readFileSync(file, 'utf8'));
  for (const log of [...root.tlogs, ...root.ctlogs])
    log.publicKey.validFor = { start: '2021-01-01T00:00:00Z', end: '2021-06-01T00:00:00Z' };
  const old = ['--trusted-root', written('old-root.json', JSON.stringify(root))];
  const args = [...keyless('mitr@redhat.com', GITHUB).slice(0, 4), ...old];
  assert.equal((await verified(fixture('fulcio-rekor-valid'), ...args)).codes, ['trusted-root-outdated']);
});

sharedTest(
  'containers-image: pki-valid by the certificates of its authority, without an issuer',
  async () => {
    const args = [
      '--certificate-identity',
      'qiwan@redhat.com',
      '--trusted-root',
      shared('pki_root_crts.pem'),
    ];
    assert.equal((await verified(fixture('pki-valid'), ...args)).codes, []);
    const wrong = [
      '--certificate-identity',
      'other@redhat.com',
      '--trusted-root',
      shared('pki_root_crts.pem'),
    ];
    assert.equal((await verified(fixture('pki-valid'), ...wrong)).codes, ['signer-mismatch']);
  },
);

sharedTest('containers-image: a folder without an image or without a manifest', async () => {
  const broken = await said(['verify', fixture('manifest-digest-error'), ...KEY]);
  assert.is(broken.status, 1);
  assert.match(broken.stdout, /signed-image-missing/);
  const none = await said(['verify', fixture('no-manifest'), ...KEY]);
  assert.is(none.status, 2);
  assert.match(none.stderr, /no image layout/);
});

sharedTest('layouts: shapes, whose signatures are no valid ones of the image', async () => {
  const rows: readonly [string, readonly string[], string][] = [
    ['cosign2', KEY, 'signature-invalid'],
    ['cosign3', keyless('cody@soyland.com', GITHUB), 'signature-other-digest'],
    ['docker29', keyless('cody@soyland.com', GITHUB), 'signature-other-digest'],
    ['cosign3', keyless('another@soyland.com', GITHUB), 'signer-mismatch'],
    ['cosign3', KEY, 'signer-mismatch'],
  ];
  for (const [name, args, code] of rows) {
    const { met, codes } = await verified(signatureFile('layouts', name), ...args);
    assert.equal([met, codes], [false, [code]], `${name} ${args[1]}`);
  }
});

sharedTest('notation: JWS and COSE against a trust store, and without one', async () => {
  const alpine = {
    mediaType: layouts.MEDIA.manifest,
    digest: 'sha256:19dbd2e48e921426ee8ace4dc892edfb2ecdc1d1a72d5416c83670c30acecef0',
    size: 481,
  };
  const layout = signatureFile('notation', 'oci-layout');
  const member = (path: string) => layouts.file(path, readFileSync(join(layout, path)));
  const blobs = [
    alpine.digest,
    'sha256:572996c3caeacea40b947911a9dda21516c082b5a64af30048a02a6f5eb956d4',
    'sha256:63b65145d645c1250c391b2d16ebe53b3747c295ca8ba2fcb6b0cf064a4dc21c',
  ].map(one => member(layouts.blobPath(one)));
  for (const [name, type] of [
    ['jws', 'application/jose+json'],
    ['cose', 'application/cose'],
  ] as const) {
    const bytes = readFileSync(signatureFile('notation', `${name}_signature.sig`));
    const signature = notation(alpine, bytes, type);
    const own = layouts
      .ociLayout({ manifests: [], unreferenced: signature.blobs })
      .filter(({ path }) => path.startsWith('blobs/sha256/'));
    const archive = await tarOf([member('oci-layout'), member('index.json'), ...blobs, ...own]);
    assert.equal((await verified(archive, ...KEY)).codes, ['signature-undecided']);
    const store = toDirectory(
      [layouts.file(`x509/ca/alpine/a.crt`, certificateIn(bytes, name))],
      join(folder, `trust-${name}`),
    );
    const found = await verified(archive, '--notation-trust-store', store);
    assert.equal([found.status, found.met, found.codes], [0, true, []]);
    const { stdout } = await said(['verify', archive, '--notation-trust-store', store]);
    assert.match(stdout, /signed by CN=alpine, O=Notary, .* \(trust store ca\/alpine\)/);
  }
});

/** The self-signed certificate of notation-go's signatures: the only one in each. */
function certificateIn(bytes: Buffer, name: 'jws' | 'cose'): Buffer {
  if (name === 'jws') return Buffer.from(JSON.parse(bytes.toString()).header.x5c[0], 'base64');
  const start = bytes.indexOf(Buffer.from('30820340', 'hex'));
  return bytes.subarray(start, start + 4 + 0x340);
}

test("skopeo's dir with a signature passes as a folder and as a tar", async () => {
  const members = signedDir(app, signer);
  assert.is((await verified(toDirectory(members, join(folder, 'dir')), '--key', key)).status, 0);
  assert.is((await verified(await tarOf(members), '--key', key)).met, true);
  const changed = members.map(member =>
    member.path === 'manifest.json'
      ? layouts.file('manifest.json', `${Buffer.from(layouts.memberBytes(members, 'manifest.json'))} `)
      : member,
  );
  assert.equal((await verified(await tarOf(changed), '--key', key)).codes, ['signature-other-digest']);
});

test.run();
