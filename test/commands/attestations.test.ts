// The documents that come with an image: which image they are about, by computed digests, and what is exported.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attestations } from '../../src/commands/attestations/index.js';
import {
  type AttestationsOptions,
  attestationsReadOptions,
  attestationsReport,
} from '../../src/commands/attestations/report.js';
import { waybill } from '../support/cli.js';
import { digestOf, encodedOf } from '../support/digest.js';
import { image, type LayerSpec } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { readMembers, saved } from '../support/reading.js';
import { cyclonedx, spdx2 } from '../support/sboms.js';
import { cosign2Attestation, cosign3, newSigner, tagFor, withKind, withTag } from '../support/signed.js';
import { temporary } from '../support/tmp.js';

const status = (name: string, version: string) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`;
const LAYER: LayerSpec = {
  files: {
    'etc/os-release': 'ID=debian\nVERSION_ID=12\n',
    'var/lib/dpkg/status': status('libc6', '2.36') + status('zlib1g', '1:1.2.13'),
  },
};
const SAME = [
  { name: 'libc6', version: '2.36', purl: 'pkg:deb/debian/libc6@2.36' },
  { name: 'zlib1g', version: '1:1.2.13', purl: 'pkg:deb/debian/zlib1g@1.2.13' },
];
const OTHER = [
  { name: 'libc6', version: '2.35', purl: 'pkg:deb/debian/libc6@2.35' },
  { name: 'curl', version: '8', purl: 'pkg:deb/debian/curl@8' },
];

const amd64 = await image({ layers: [LAYER] });
const arm64 = await image({ layers: [LAYER], platform: { os: 'linux', architecture: 'arm64' } });
const own = layouts.platformManifest(amd64);
const sibling = layouts.platformManifest(arm64);
const named = (content: layouts.Content) =>
  layouts.described(content, { annotations: { [layouts.REF_ANNOTATION]: 'app:1' } });

const SPDX = 'https://spdx.dev/Document';
const withDocuments = (...documents: readonly layouts.Content[]) =>
  layouts.ociLayout({ manifests: [named(own), ...documents] });

/** A statement about one manifest that hangs on another. */
const statementOn = (placed: layouts.Content, about: layouts.Content, predicate: object) => {
  const made = layouts.attestation(about, { predicateType: SPDX, predicate });
  return layouts.described(made, {
    annotations: {
      'vnd.docker.reference.digest': placed.descriptor.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
  });
};

async function reportOf(members: readonly layouts.Member[], options: AttestationsOptions = {}) {
  const { reading } = await readMembers(members, attestationsReadOptions(options));
  return { report: attestationsReport(reading, options), exitCode: attestations(reading, options).exitCode };
}

const told = async (members: readonly layouts.Member[], options: AttestationsOptions = {}) => {
  const { report, exitCode } = await reportOf(members, options);
  const lines = report.images.flatMap(({ documents }) =>
    documents.map(
      ({ kind, form, subject, signed, sbom, problem }) =>
        `${kind} ${form} ${subject}${signed ? ' signed' : ''}${sbom === null ? '' : ` ${sbom.format} ${sbom.packages}`}${problem === null ? '' : ` ${problem.code}`}`,
    ),
  );
  return [...lines, exitCode];
};

test("BuildKit's SBOM and provenance, about the image on which they hang", async () => {
  const sbom = statementOn(own, own, spdx2(SAME));
  assert.equal(await told(withDocuments(sbom, layouts.attestation(own))), [
    'sbom statement image spdx 2',
    'provenance statement image',
    0,
  ]);
  assert.equal(await told(withDocuments(sbom, layouts.attestation(own)), { kinds: ['provenance'] }), [
    'provenance statement image',
    0,
  ]);
});

test('a statement about another image, here or elsewhere, is told, and the exit code is 1', async () => {
  const elsewhere = statementOn(own, sibling, spdx2(SAME));
  assert.equal(await told(withDocuments(elsewhere)), ['sbom statement elsewhere spdx 2', 1]);
  const here = layouts.ociLayout({ manifests: [named(own), named(sibling), elsewhere] });
  assert.equal(await told(here), ['sbom statement another-image spdx 2', 1]);
});

test('a statement about the index that lists the image', async () => {
  const index = layouts.indexOf([own, sibling]);
  const sbom = statementOn(own, index, spdx2(SAME));
  assert.equal(await told(layouts.ociLayout({ manifests: [named(index), sbom] })), [
    'sbom statement index spdx 2',
    0,
  ]);
});

test('a statement about an index that lists the index of the image', async () => {
  const inner = layouts.indexOf([own, sibling]);
  const outer = layouts.indexOf([inner]);
  const sbom = statementOn(own, outer, spdx2(SAME));
  assert.equal(await told(layouts.ociLayout({ manifests: [named(outer), sbom] })), [
    'sbom statement index spdx 2',
    0,
  ]);
});

const artifactWith = (mediaType: string, document: object | string, subject: layouts.Content = own) =>
  layouts.artifact({
    type: mediaType,
    layers: [layouts.blobOf(mediaType, typeof document === 'string' ? document : JSON.stringify(document))],
    subject,
  });
const statement = (predicateType: string, digest = encodedOf(own.descriptor.digest)) => ({
  _type: 'https://in-toto.io/Statement/v1',
  predicateType,
  subject: [{ name: 'x', digest: { sha256: digest } }],
  predicate: spdx2(SAME),
});
const envelope = (payload: object) => ({
  payloadType: 'application/vnd.in-toto+json',
  payload: Buffer.from(JSON.stringify(payload)).toString('base64'),
  signatures: [{ sig: 'AAAA' }],
});

test('SBOMs as referrers, envelopes, bundles; signatures alone are no attestations', async () => {
  const cases: readonly (readonly [mediaType: string, document: object | string, ...lines: string[]])[] = [
    ['application/vnd.cyclonedx+json', cyclonedx(SAME), 'sbom plain unstated cyclonedx 2'],
    ['application/vnd.dsse.envelope.v1+json', envelope(statement(SPDX)), 'sbom dsse image signed spdx 2'],
    [
      'application/vnd.dev.sigstore.bundle.v0.3+json',
      { dsseEnvelope: envelope(statement(SPDX)) },
      'sbom bundle image signed spdx 2',
    ],
    ['application/vnd.dev.sigstore.bundle.v0.3+json', { messageSignature: {} }],
    [
      'application/vnd.dev.sigstore.bundle.v0.3+json',
      { dsseEnvelope: envelope(statement('https://sigstore.dev/cosign/sign/v1')) },
    ],
    ['application/vnd.dev.cosign.simplesigning.v1+json', {}],
  ];
  for (const [mediaType, document, ...lines] of cases)
    assert.equal(await told(withDocuments(artifactWith(mediaType, document))), [...lines, 0], mediaType);
});

test('documents that hang on nothing belong to the image that their statement names', async () => {
  const signer = newSigner();
  const saved = withKind(cosign2Attestation(own, signer), 'atts');
  assert.equal(await told(withDocuments(saved)), ['provenance dsse image signed', 0]);
  const listed = cosign3(own, signer, { subject: false, predicateType: 'https://example.test/vuln' });
  assert.equal(await told(withDocuments(withTag(layouts.indexOf([listed]), tagFor(own)))), [
    'other bundle image signed',
    0,
  ]);
  const elsewhere = withKind(cosign2Attestation(sibling, signer), 'atts');
  const { report } = await reportOf(withDocuments(elsewhere));
  assert.equal(
    report.unattached.map(({ subject, placedOn }) => [subject, placedOn]),
    [['elsewhere', null]],
  );
});

test('a document is signed by its envelope or as an artifact, and verified where a key is given', async () => {
  const [signer, other] = [newSigner(), newSigner()];
  const plain = artifactWith('application/vnd.cyclonedx+json', cyclonedx(SAME));
  const members = withDocuments(
    withTag(cosign2Attestation(own, signer), tagFor(own, '.att')),
    plain,
    cosign3(plain, signer),
    layouts.attestation(sibling),
  );
  const file = await saved(await toTar(members), 'documents.tar');
  const key = join(temporary('attestation-key'), 'key.pub');
  const run = async (pem: string | null) => {
    if (pem !== null) writeFileSync(key, pem);
    const { stdout, status } = await waybill([
      ...['attestations', file, '--json'],
      ...(pem === null ? [] : ['--key', key]),
    ]);
    const [{ documents }] = JSON.parse(stdout).images;
    return [
      status,
      ...documents.map(
        ({ kind, signed, signer: by }: { kind: string; signed: boolean; signer: object | null }) =>
          `${kind} ${signed} ${by !== null}`,
      ),
    ];
  };
  assert.equal(await run(null), [0, 'provenance true false', 'sbom true false']);
  assert.equal(await run(signer.pem), [0, 'provenance true true', 'sbom true true']);
  assert.equal(await run(other.pem), [1, 'provenance false false', 'sbom false false']);
  const { stdout } = await waybill(['attestations', file, '--key', key]);
  assert.match(stdout, /signed +by none of those who are trusted/);
  const exported = await waybill([
    'attestations',
    file,
    join(temporary('attestation-out'), 'x'),
    '--export',
    'all',
    '--key',
    key,
  ]);
  assert.is(exported.status, 2);
  assert.match(exported.stderr, /--key is about the report/);
});

test("cosign's tag .sbom attaches one, and the digest decides to which image", async () => {
  const sbom = layouts.artifact({
    type: 'application/vnd.cyclonedx+json',
    layers: [layouts.blobOf('application/vnd.cyclonedx+json', JSON.stringify(cyclonedx(SAME)))],
  });
  const tagged = layouts.described(sbom, {
    annotations: { [layouts.REF_ANNOTATION]: `sha256-${encodedOf(own.descriptor.digest)}.sbom` },
  });
  assert.equal(await told(withDocuments(tagged)), ['sbom plain unstated cyclonedx 2', 0]);
});

test('documents that cannot be read, or are not those that the manifest names', async () => {
  const broken = artifactWith('application/spdx+json', 'SPDXVersion: SPDX-2.3\n');
  assert.equal(await told(withDocuments(broken)), ['sbom plain unstated spdx null not-json', 1]);
  const empty = artifactWith('application/vnd.in-toto+json', {});
  assert.equal(await told(withDocuments(empty)), ['other statement unstated no-statement', 1]);
  const sound = statementOn(own, own, spdx2(SAME));
  const { digest } = sound.blobs.find(({ bytes }) => Buffer.from(bytes).includes('predicateType'))!;
  const absent = withDocuments(layouts.sparse(sound, blob => blob === digest));
  assert.equal(await told(absent), ['sbom statement unstated spdx null absent', 1]);
  const swapped = layouts.replaceBytes(withDocuments(sound), layouts.blobPath(digest), bytes =>
    Buffer.from(bytes).toString().replace('libc6', 'libc7'),
  );
  assert.equal(await told(swapped), ['sbom statement image spdx 2 digest-differs', 1]);
});

test('ten thousand subjects, and a statement that hangs on nothing here', async () => {
  const subjects = Array.from({ length: 10_000 }, (_, i) => ({
    digest: { sha256: i === 9999 ? encodedOf(own.descriptor.digest) : encodedOf(digestOf(String(i))) },
  }));
  const many = artifactWith('application/vnd.in-toto+json', { ...statement(SPDX), subject: subjects });
  assert.equal(await told(withDocuments(many)), ['sbom statement image spdx 2', 0]);
  const { report } = await reportOf(withDocuments(statementOn(sibling, sibling, spdx2(SAME))));
  assert.equal([report.images[0]!.documents.length, report.unattached.length], [0, 1]);
});

test('--compare: the SBOM against the databases of the image', async () => {
  const of = async (packages: typeof SAME) => {
    const members = withDocuments(statementOn(own, own, spdx2(packages)));
    return (await reportOf(members, { compare: true })).report.images[0]!.documents[0]!.sbom!.comparison!;
  };
  assert.equal(await of(SAME), { differences: [], same: 2, notCompared: 0 });
  assert.equal(
    (await of(OTHER)).differences.map(({ kind, name }) => `${kind} ${name}`),
    ['other-version libc6', 'missing-here curl', 'missing-there zlib1g'],
  );
});

test('--export: documents as they are stored, from a file and a pipe; bad ones leave no file', async () => {
  const folder = temporary('attestations');
  const members = withDocuments(statementOn(own, own, spdx2(SAME)), layouts.attestation(own));
  const archive = saved(await toTar(members), 'attested.tar');
  const out = join(folder, 'out');
  const run = await waybill(['attestations', archive, '--export', 'sbom', out]);
  assert.equal([run.status, run.stderr], [0, '']);
  const [name, ...more] = readdirSync(out);
  assert.equal(more, []);
  assert.match(name!, /^sbom-linux-amd64-[0-9a-f]{16}\.intoto\.json$/);
  const stored = members.filter(layouts.isFile).map(({ bytes }) => Buffer.from(bytes));
  assert.ok(
    stored.some(bytes => bytes.equals(readFileSync(join(out, name!)))),
    'byte by byte',
  );
  const all = await waybill(['attestations', archive, 'app:1', '--export', 'all', `${join(folder, 'all')}/`]);
  assert.not.match(all.stdout, '//');
  assert.is(all.stdout.trimEnd().split('\n').length, 2, all.stderr);
  const again = await waybill(['attestations', archive, '--export', 'sbom', out]);
  assert.is(again.status, 2, 'the directory is not empty');
  const changed = members.map(member =>
    layouts.isFile(member) && Buffer.from(member.bytes).includes('SPDXRef-DOCUMENT')
      ? { ...member, bytes: Buffer.from(Buffer.from(member.bytes).toString().replace('libc6', 'libc7')) }
      : member,
  );
  const bad = saved(await toTar(changed), 'changed.tar');
  const refused = await waybill(['attestations', bad, '--export', 'sbom', join(folder, 'bad')]);
  assert.equal([refused.status, refused.stdout], [1, '']);
  assert.match(refused.stderr, /not written: .*expected sha256:/);
  assert.not.ok(existsSync(join(folder, 'bad')));
});

test('command lines that contradict themselves', async () => {
  const archive = saved(await toTar(withDocuments()), 'plain.tar');
  for (const [args, pattern] of [
    [['--export', 'sbom'], /Name a directory/],
    [['--export', 'sbom', '--json', 'x'], /--json is about the report/],
    [['--export', 'sbom', 'no-such-folder/x'], /no such document is attached|no such/],
  ] as const) {
    const { status: code, stderr } = await waybill(['attestations', archive, ...args]);
    assert.is(code, 2, args.join(' '));
    assert.match(stderr, pattern);
  }
});

test.run();
