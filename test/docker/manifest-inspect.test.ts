import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rawConfig } from '../../src/commands/image-inspect.js';
import { manifestInspect } from '../../src/commands/manifest/inspect.js';
import { type ArchiveReading, InputError, readArchive } from '../../src/commands.js';
import { digestOf } from '../../src/spec/digest.js';
import { corpus, docker28, hasCorpus, hasDocker28, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { textOf } from '../support/digest.js';
import { file } from '../support/members.js';
import { blobOf, indexOf, MEDIA, manifestFrom } from '../support/oci.js';
import { ociLayout } from '../support/oci-layout.js';
import { toTar } from '../support/pack.js';
import { refusal, saved } from '../support/reading.js';
import { readLayout, recordedAnswers } from './recorded.js';
import { LAYOUTS, layoutOf } from './registry-layouts.js';

const read = (path: string) => readArchive(path, { depth: 'metadata' });
const readMembers = async (members: Parameters<typeof toTar>[0], name = 'image.tar') =>
  read(saved(await toTar(members), name));

/** Docker fails because it asks a registry for a part; waybill prints what the archive contains. */
const KNOWN_WITHOUT = ['with-absent'];

for (const { layout, asked, stdout } of recordedAnswers('manifest')) {
  test(`docker manifest inspect ${asked} of ${layout}`, async () => {
    const answer = manifestInspect(await readLayout(layout), {}, { verbose: asked === '-v' });
    if (stdout === null) {
      const exitCode = KNOWN_WITHOUT.includes(layout) && asked === '' ? 0 : 1;
      assert.is(answer.exitCode, exitCode);
      assert.is(answer.notes.length > 0, exitCode === 1, 'what is wrong is said');
    } else {
      assert.is(answer.stdout, stdout);
      assert.equal([answer.exitCode, answer.notes], [0, []]);
    }
  });
}

test('an absent manifest is listed as the index describes it; with -v that is noted', async () => {
  const reading = await readLayout('with-absent');
  const { stdout } = manifestInspect(reading, {});
  const { manifests } = JSON.parse(stdout as string);
  assert.equal(
    manifests.map((m: { platform: { architecture: string } }) => m.platform.architecture),
    ['amd64', 'arm64'],
  );
  const verbose = manifestInspect(reading, {}, { verbose: true });
  const entries = JSON.parse(verbose.stdout as string);
  assert.equal(entries.map(Object.keys), [
    ['Ref', 'Descriptor', 'Raw', 'OCIManifest'],
    ['Ref', 'Descriptor'],
  ]);
  assert.is(verbose.exitCode, 1);
  assert.match(verbose.notes[0]!, /sha256:.*does not hold it/);
});

test('--raw gives the stored bytes of an index, of a manifest below it, and of one by platform', async () => {
  const reading = await readLayout('attested');
  const { digest } = LAYOUTS.attested!.descriptor;
  const index = manifestInspect(reading, {}, { raw: true });
  assert.is(digestOf(index.stdout), digest);
  const [, arm64] = JSON.parse(textOf(index.stdout as Uint8Array)).manifests;
  for (const selection of [
    { ref: arm64.digest },
    { ref: arm64.digest.slice(7, 20) },
    { ref: `whatever@${arm64.digest}` },
    { platform: { os: 'linux', architecture: 'arm64', variant: null, osVersion: null } },
  ]) {
    const { stdout, exitCode } = manifestInspect(reading, selection, { raw: true });
    assert.equal([digestOf(stdout), exitCode], [arm64.digest, 0]);
  }
});

test('config --raw gives the stored bytes, whose digest is the image ID', async () => {
  const reading = await readLayout('full-config');
  const { stdout } = rawConfig(reading, {});
  const { config } = JSON.parse(textOf(manifestInspect(reading, {}, { raw: true }).stdout as Uint8Array));
  assert.is(digestOf(stdout), config.digest);
  const several = await refusal(Promise.resolve(readLayout('attested')).then(r => void rawConfig(r, {})));
  assert.match(several.message, /configs of 3 images[\s\S]*linux\/s390x/);
  const arm64 = { os: 'linux', architecture: 'arm64', variant: null, osVersion: null };
  const picked = rawConfig(await readLayout('attested'), { platform: arm64 });
  assert.is(JSON.parse(textOf(picked.stdout as Uint8Array)).architecture, 'arm64');
});

test('a manifest that does not match its digest is printed, and that is noted', async () => {
  const members = layoutOf('docker-image').map(member => {
    if (!('bytes' in member) || !textOf(member.bytes).includes('foreign.diff')) return member;
    return { ...member, bytes: Buffer.from(textOf(member.bytes).replace('1007', '1008')) };
  });
  const reading = await readMembers(members);
  for (const options of [{}, { raw: true }, { verbose: true }]) {
    const { stdout, notes, exitCode } = manifestInspect(reading, {}, options);
    assert.ok(stdout.length > 0);
    assert.is(exitCode, 1);
    assert.match(notes[0]!, /^blobs\/sha256\/.*its bytes are sha256:.*expected sha256:/);
  }
});

const refused = (reading: ArchiveReading, selection = {}, options = {}) =>
  refusal((async () => void manifestInspect(reading, selection, options))());

test('damaged documents are errors that name the member', async () => {
  const manifest = LAYOUTS['docker-image']!;
  const broken = layoutOf('docker-image').map(member =>
    'bytes' in member && member.path.endsWith(manifest.descriptor.digest.slice(7))
      ? { ...member, bytes: Buffer.from('{"schemaVersion": 2, ') }
      : member,
  );
  assert.match(
    (await refused(await readMembers(broken))).message,
    /blobs\/sha256\/[0-9a-f]{64}: it is no JSON/,
  );
  const noIndex = [
    file('index.json', '{"manifests": ['),
    file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
  ];
  assert.match((await refused(await readMembers(noIndex))).message, /index\.json: it is no JSON/);
});

test('schema 1 and artifacts of other kinds are refused, and printed with --raw', async () => {
  const old = {
    schemaVersion: 1,
    name: 'x',
    tag: 'y',
    architecture: 'amd64',
    fsLayers: [],
    history: [],
    signatures: [],
  };
  const content = blobOf(
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
    JSON.stringify(old, null, 3),
  );
  const reading = await readMembers(ociLayout({ manifests: [content] }));
  const { stdout, notes, exitCode } = manifestInspect(reading, {});
  assert.equal([stdout, exitCode], ['', 1]);
  assert.match(notes[0]!, /manifest\.v1\+prettyjws/);
  assert.is(digestOf(manifestInspect(reading, {}, { raw: true }).stdout), content.descriptor.digest);
});

test('a circle of indexes is detected', async () => {
  const digest = `sha256:${'1'.repeat(64)}`;
  const descriptor = { mediaType: MEDIA.index, digest, size: 1 };
  const loop = {
    descriptor,
    blobs: [{ digest, bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [descriptor] })) }],
  };
  const image = manifestFrom(MEDIA.manifest, blobOf(MEDIA.config, '{}'), []);
  const reading = await readMembers(ociLayout({ manifests: [loop, indexOf([loop, image])] }));
  const { exitCode } = manifestInspect(reading, {}, { verbose: true });
  assert.is(exitCode, 1);
  assert.match((await refused(reading, { ref: 'nothing' })).message, /no image "nothing"/);
});

testWhen(
  test,
  hasDocker28,
  NO_SHARED_FOLDER,
)('an archive without manifests gives the one that containerd makes up', async () => {
  const reading = await read(docker28('podman-docker-archive.tar'));
  const { stdout, notes, exitCode } = manifestInspect(reading, {}, { verbose: true });
  const { Ref, Descriptor, SchemaV2Manifest } = JSON.parse(stdout as string);
  assert.is(Ref, 'localhost/app:latest');
  assert.equal(Descriptor.platform, { architecture: 'amd64', os: 'linux' });
  assert.is(Descriptor.digest, digestOf(JSON.stringify(SchemaV2Manifest)));
  assert.equal([notes.length, exitCode], [1, 0]);
  assert.match(notes[0]!, /containerd makes up/);
  const raw = await refused(reading, {}, { raw: true });
  assert.match(raw.message, /--raw prints stored bytes, and the archive holds no manifest/);
});

testWhen(
  test,
  hasCorpus,
  NO_SHARED_FOLDER,
)('every archive of the corpus gives an answer, or says why not', async () => {
  let answers = 0;
  for (const item of corpus()) {
    try {
      const reading = await read(item.file);
      for (const verbose of [false, true]) {
        const { stdout, exitCode, notes } = manifestInspect(reading, {}, { verbose });
        assert.ok(exitCode === 1 ? notes.length > 0 : JSON.parse(stdout as string) !== null, item.id);
        answers++;
      }
      assert.ok(rawConfig(reading, {}).stdout.length > 0, item.id);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }
  assert.ok(answers > 200, `${answers} answers`);
});

test.run();
