// One fact is one finding: absent platforms, referrers, repetitions, and expected properties of sound archives.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readArchive, reportOf, verify } from '../../src/commands.js';
import { toText } from '../../src/format/text.js';
import { parsePlatform, platformMatches } from '../../src/spec/platform.js';
import { corpus, NO_SHARED_FOLDER, sharedFolder, type Truth, testWhen } from '../support/corpus.js';
import { digestOf } from '../support/digest.js';
import { type Image, image, plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { readMembers } from '../support/reading.js';

const on = (architecture: string, os = 'linux'): Promise<Image> =>
  image({ layers: [{ files: { [architecture]: architecture } }], platform: { os, architecture } });
const [amd64, arm64, arm] = [await on('amd64'), await on('arm64'), await on('arm')];
const present = layouts.platformManifest;
const absent = (content: layouts.Content) => layouts.sparse(content, () => true);
const archiveOf = (...entries: layouts.Content[]) =>
  layouts.ociLayout({ manifests: [layouts.indexOf(entries)] });
const codesOf = async (members: layouts.Member[]) =>
  (await readMembers(members)).report.findings.map(({ severity, code }) => `${severity} ${code}`);

test('manifests that an index lists but the archive lacks are one note, with attestations separately', async () => {
  const members = archiveOf(
    present(amd64),
    absent(present(arm64)),
    absent(present(arm)),
    absent(layouts.attestation(present(amd64))),
    absent(layouts.attestation(present(arm64))),
  );
  const { report, exitCode } = await readMembers(members);
  assert.is(exitCode, 0);
  assert.is(report.verdicts.complete, true);
  assert.is(report.findings.length, 1);
  const [{ code, severity, data, message }] = report.findings as never as [(typeof report.findings)[0]];
  assert.equal([code, severity], ['platform-absent', 'info']);
  const told = data as { absent: { platform: string }[]; attestations: { platform: string }[] };
  assert.equal(
    told.absent.map(({ platform }) => platform),
    ['linux/arm64', 'linux/arm'],
  );
  assert.equal(
    told.attestations.map(({ platform }) => platform),
    ['linux/amd64', 'linux/arm64'],
  );
  assert.match(message, /^1 of 3 platforms is here: linux\/amd64; absent: linux\/arm64, linux\/arm; /);
  assert.not.match(message, /unknown/);
});

test('an absent manifest that an engine needs is an error, whatever else is present', async () => {
  const other = await image({
    layers: [{ files: { other: 'other' } }],
    platform: { os: 'linux', architecture: 'amd64' },
  });
  const missing = ['error manifest-missing'];
  // With the same platform, and first: engines select it.
  assert.equal(await codesOf(archiveOf(absent(present(other)), present(amd64))), missing);
  // After it, they do not.
  assert.equal(await codesOf(archiveOf(present(amd64), absent(present(other)))), ['info platform-absent']);
  // Only an attestation is present.
  assert.equal(
    await codesOf(archiveOf(absent(present(amd64)), layouts.attestation(present(amd64)))).then(codes =>
      codes.filter(code => code.startsWith('error')),
    ),
    missing,
  );
  // Labelled as an attestation, with a platform that engines select.
  const called = absent(present(other));
  const disguised = {
    ...called,
    descriptor: {
      ...called.descriptor,
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    },
  };
  assert.equal(await codesOf(archiveOf(disguised, present(amd64))), missing);
  // Without a platform.
  const { platform: _, ...descriptor } = called.descriptor;
  assert.equal(await codesOf(archiveOf(present(amd64), { ...called, descriptor })), missing);
});

test('an absent manifest that index.json lists directly is an error', async () => {
  const members = layouts.ociLayout({
    manifests: [layouts.indexOf([present(amd64), absent(present(arm64))]), absent(present(arm64))],
  });
  assert.equal(await codesOf(members), ['error manifest-missing', 'info platform-absent']);
});

const signature = (subject: layouts.Content, blob: Uint8Array = Buffer.from('{}')) =>
  layouts.artifact({
    type: 'application/vnd.example.signature',
    layers: [layouts.blobOf('application/vnd.example.signature', blob)],
    subject,
  });
const subject = layouts.manifestOf(amd64);

test('a referrer that no index lists belongs to its image', async () => {
  const signed = signature(subject);
  const twice = signature(signed, Buffer.from('{"a":1}'));
  const members = layouts.ociLayout({
    manifests: [subject],
    unreferenced: [...signed.blobs, ...twice.blobs],
  });
  const { report } = await readMembers(members);
  assert.equal(report.findings, []);
  assert.equal(report.images[0]!.referrers, [signed.descriptor.digest]);
  assert.equal(
    report.artifacts.map(({ digest, listed }) => ({ digest, listed })),
    [signed, twice].map(({ descriptor }) => ({ digest: descriptor.digest, listed: false })),
  );
});

test('such a referrer is verified: its digest by its name, its blobs by its descriptors', async () => {
  const signed = signature(subject, Buffer.from('{"signed":"yes"}'));
  const [own, ...blobs] = signed.blobs;
  const changed = layouts.ociLayout({
    manifests: [subject],
    unreferenced: [own!, ...blobs.map(blob => ({ ...blob, bytes: Buffer.from('{"signed":"no!"}') }))],
  });
  const { report } = await readMembers(changed);
  assert.is(report.verdicts.intact, false);
  assert.is(report.images[0]!.verdicts.intact, false);
  const without = layouts.ociLayout({ manifests: [subject], unreferenced: [own!] });
  assert.ok((await codesOf(without)).includes('error layer-missing'));
});

test('an image that index.json lists is not hidden by a subject field', async () => {
  const hidden = layouts.manifestOf(arm64, { subject });
  const listed = await readMembers(layouts.ociLayout({ manifests: [subject, hidden] }));
  assert.is(listed.report.images.length, 2);
  const unlisted = await readMembers(layouts.ociLayout({ manifests: [subject], unreferenced: hidden.blobs }));
  assert.is(unlisted.report.images.length, 1);
  assert.is(unlisted.report.artifacts.length, 1);
});

test('repeated findings are collapsed in text, and never in JSON', async () => {
  const items = await Promise.all(Array.from({ length: 9 }, (_, i) => plainImage(`item${i}`, 1)));
  const members = items.reduce(
    (all, { layers }) => layouts.without(all, layouts.blobPath(layers[0]!.digest)),
    layouts.skopeoOci(items),
  );
  const { reading, report } = await readMembers(members);
  assert.is(report.findings.length, 9);
  const text = (all: boolean) =>
    toText(verify(reading, { failOn: 'error', all }).doc, { width: null, color: false });
  const lines = (all: boolean) => text(all).match(/^error layer-missing/gm)!.length;
  assert.is(lines(false), 3);
  assert.match(text(false), /and 6 more like it; waybill verify --all lists them/);
  assert.is(lines(true), 9);
});

test('urls excuse an absent layer only with a non-distributable media type', async () => {
  const readWith = async (mediaType: string) => {
    const content = layouts.manifestOf(amd64);
    const document = JSON.parse(Buffer.from(content.blobs[0]!.bytes).toString());
    document.layers[0] = { ...document.layers[0], mediaType, urls: ['https://example.test/layer'] };
    const bytes = Buffer.from(JSON.stringify(document));
    const descriptor = { ...content.descriptor, digest: digestOf(bytes), size: bytes.length };
    const blobs = [{ digest: descriptor.digest, bytes }, ...content.blobs.slice(1)];
    const members = layouts.ociLayout({ manifests: [{ descriptor, blobs }] });
    return readMembers(layouts.without(members, layouts.blobPath(document.layers[0].digest)));
  };
  assert.is((await readWith(layouts.MEDIA.layer)).report.verdicts.complete, false);
  assert.is((await readWith(layouts.MEDIA.foreignLayer)).report.verdicts.complete, true);
  assert.is((await readWith('application/x.foreign.layer')).report.verdicts.complete, false);
});

test('if the list of images cannot be read, its content is unknown', async () => {
  const members = layouts.skopeoOci([amd64]);
  const broken = layouts.replaceBytes(members, 'index.json', () => '{"schemaVersion":2,');
  assert.is((await readMembers(broken)).report.verdicts.complete, null);
  // The list comes after the limit.
  const first = [...members.filter(({ path }) => path === 'oci-layout'), ...members];
  const limited = await readMembers(first, { limits: { members: 4 } });
  assert.ok(limited.report.findings.some(({ code }) => code === 'index-missing'));
  assert.is(limited.report.verdicts.complete, null);
});

test('Windows versions are selected by their number or its beginning', () => {
  const want = parsePlatform('windows(10.0.20348.2227)/amd64')!;
  assert.is(want.osVersion, '10.0.20348.2227');
  const have = (osVersion: string | null) => ({
    os: 'windows',
    architecture: 'amd64',
    variant: null,
    osVersion,
  });
  assert.ok(platformMatches(have('10.0.20348.2227'), want));
  assert.not.ok(platformMatches(have('10.0.17763.1577'), want));
  assert.not.ok(platformMatches(have(null), want));
  assert.ok(platformMatches(have('10.0.20348.2227'), parsePlatform('windows(10.0.20348)/amd64')!));
  assert.not.ok(platformMatches(have('10.0.203489.1'), parsePlatform('windows(10.0.20348)/amd64')!));
  assert.ok(platformMatches(have('10.0.17763.1577'), parsePlatform('windows/amd64')!));
  for (const bad of ['windows()/amd64', 'windows(10/amd64', 'windows(1)2/amd64', '(10)/amd64'])
    assert.is(parsePlatform(bad), null, bad);
});

test('platforms match in every spelling that containerd reads as one', () => {
  const read = (text: string) => {
    const [os, architecture, variant = null] = text.split('/') as [string, string, string?];
    return { os, architecture, variant, osVersion: null };
  };
  const same: readonly (readonly [string, string])[] = [
    ['linux/x86_64', 'linux/amd64'],
    ['Linux/X86-64', 'linux/amd64'],
    ['L\u0130NUX/amd64/v1', 'linux/amd64'],
    ['linux/i386', 'linux/386'],
    ['linux/aarch64/8', 'linux/arm64/v8'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/5', 'linux/arm/v5'],
    ['macos/arm64', 'darwin/arm64'],
  ];
  for (const [have, want] of same) {
    assert.ok(platformMatches(read(have), parsePlatform(want)!), `${have} is ${want}`);
    assert.ok(platformMatches(read(want), parsePlatform(have.replace('\u0130', 'I'))!), `${want} is ${have}`);
  }
  assert.not.ok(platformMatches(read('linux/armel'), parsePlatform('linux/arm/v7')!));
  assert.not.ok(platformMatches(read('linux/amd64x'), parsePlatform('linux/amd64')!));
});

test('an absent manifest is required, and comes first, in any spelling of its platform', async () => {
  const spelled = layouts.described(absent(present(amd64)), {
    platform: { os: 'linux', architecture: 'x86_64' },
  });
  const members = archiveOf(present(arm64), spelled);
  const requireComplete = parsePlatform('linux/amd64')!;
  const { report } = await readMembers(members, { requireComplete });
  assert.equal(
    report.findings.map(({ code, severity }) => `${severity} ${code}`),
    ['error platform-absent'],
  );
  const other = await image({
    layers: [{ files: { other: 'other' } }],
    platform: { os: 'linux', architecture: 'amd64' },
  });
  assert.equal(await codesOf(archiveOf(spelled, present(other))), ['error manifest-missing']);
});

test('an artifact that engines take before an image is an error', async () => {
  const chart = layouts.artifact({ type: 'application/vnd.example' });
  const placed = (os: string, architecture: string) =>
    layouts.described(chart, { platform: { os, architecture } });
  const { platform: _, ...descriptor } = present(amd64).descriptor;
  const unplaced = { ...present(amd64), descriptor };
  const found = ['error artifact-before-image'];
  assert.equal(await codesOf(archiveOf(placed('linux', 'amd64'), present(amd64))), found);
  assert.equal(await codesOf(archiveOf(placed('Linux', 'x86_64'), present(amd64))), found);
  assert.equal(await codesOf(archiveOf(placed('', 'amd64'), present(amd64))), found);
  // Entries with a platform come before those without, wherever they stand.
  assert.equal(await codesOf(archiveOf(unplaced, placed('linux', 'amd64'))), found);
  assert.equal(await codesOf(archiveOf(chart, unplaced)), found);
  const marked = { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } };
  assert.equal(await codesOf(archiveOf(layouts.described(chart, marked), unplaced)), found);
  for (const sound of [
    archiveOf(present(amd64), placed('linux', 'amd64')),
    archiveOf(chart, present(amd64)),
    archiveOf(placed('linux', 'arm64'), present(amd64)),
    archiveOf(layouts.attestation(present(amd64)), present(amd64)),
  ])
    assert.equal(await codesOf(sound), []);
});

/** Undamaged archives with warnings, and the fault of their producer. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'derived.dive-test-docker-image-dir.d': 'skopeo labels the plain layers of a docker-archive gzip',
  'derived.ggcr-test_bundle.tar.bz2': 'names without a tag, which rules_docker lets a user write',
  'ggcr.test_bundle.tar': 'names without a tag, which rules_docker lets a user write',
  'snyk.busybox.armv7-abbb348d.tar': 'Docker before 26.1 puts a platform into the descriptor of the config',
  'snyk.gemfile.tar': 'the v1 IDs are not those of its layers: the archive was packed anew',
  'snyk.npm7-with-package-lock-file.tar':
    'Docker before 26.1 puts a platform into the descriptor of the config',
  'snyk.yarn-with-lock-file.tar': 'Docker before 26.1 puts a platform into the descriptor of the config',
};

/** Damage that independent tools report. An index of which only a part is present is normal for engines. */
const isDamaged = ({ issues }: Truth) =>
  issues.some(({ code, severity }) => severity !== 'info' && code !== 'SPARSE_INDEX');

const recorded = ['docker28', 'docker29'].flatMap(folder => {
  const path = join(sharedFolder, folder);
  const names = existsSync(path) ? readdirSync(path) : [];
  const isArchive = (name: string) => name.endsWith('.tar') || existsSync(join(path, name, 'oci-layout'));
  return names.filter(isArchive).map(name => ({ id: name, file: join(path, name) }));
});
const sound = corpus().filter(({ truth }) => !isDamaged(truth));
const saves = ['real-docker-containerd-image-store.tar', 'd29-alpine.tar']
  .map(id => ({ id, file: join(sharedFolder, 'faults', id) }))
  .filter(({ file }) => existsSync(file));

testWhen(
  test,
  recorded.length > 0,
  NO_SHARED_FOLDER,
)('what real engines wrote is free of warnings', async () => {
  const warned: string[] = [];
  for (const { id, file } of [...recorded, ...sound, ...saves]) {
    const { findings } = reportOf(await readArchive(file));
    const bad = findings.filter(({ severity }) => severity !== 'info');
    if (bad.length > 0) warned.push(`${id}: ${[...new Set(bad.map(({ code }) => code))].join()}`);
  }
  assert.equal(
    warned.filter(line => !(line.split(':')[0]! in EXCEPTIONS)),
    [],
  );
});

test.run();
