import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { documentDepth, selectDocument } from '../../src/commands/document.js';
import { manifestInspect } from '../../src/commands/manifest/inspect.js';
import { type ArchiveReading, type Platform, readArchive, type Selection } from '../../src/commands.js';
import { corpus, docker28, hasCorpus, hasDocker28, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { plainImage } from '../support/image.js';
import { dockerSave25, memberBytes, without } from '../support/layouts.js';
import {
  blobOf,
  type Content,
  type Descriptor,
  described,
  indexOf,
  MEDIA,
  manifestFrom,
  NAME_ANNOTATION,
  REF_ANNOTATION,
} from '../support/oci.js';
import { ociLayout } from '../support/oci-layout.js';
import { toTar } from '../support/pack.js';
import { refusal, saved } from '../support/reading.js';

const image = (architecture: string, more: Partial<Descriptor> = {}): Content => {
  const config = blobOf(
    MEDIA.config,
    JSON.stringify({ architecture, os: 'linux', rootfs: { diff_ids: [] } }),
  );
  return described(manifestFrom(MEDIA.manifest, config, []), more);
};

const on = (architecture: string) => ({ platform: { os: 'linux', architecture } });
const tagged = (name: string) => ({ annotations: { [REF_ANNOTATION]: name } });
const [AMD64, ARM64] = [image('amd64', on('amd64')), image('arm64', on('arm64'))];
const MULTI = indexOf([AMD64, ARM64]);

const read = async (manifests: readonly Content[]): Promise<ArchiveReading> =>
  readArchive(saved(await toTar(ociLayout({ manifests })), 'my-app.tar'), { depth: 'metadata' });

/** Digest and full name of the document that a selection matches. */
function chosen(reading: ArchiveReading, selection: Selection = {}): [digest: string, ref: string] {
  const { document, name } = selectDocument(reading, selection);
  return [document.digest, name.ref];
}

const refused = (reading: ArchiveReading, selection: Selection = {}) =>
  refusal((async () => void selectDocument(reading, selection))());

const platform = (architecture: string): Platform => ({
  os: 'linux',
  architecture,
  variant: null,
  osVersion: null,
});

const digestOf = ({ descriptor }: Content) => descriptor.digest;

test('a single entry needs no reference, whether index or manifest', async () => {
  assert.equal(chosen(await read([MULTI])), [digestOf(MULTI), `my-app@${digestOf(MULTI)}`]);
  assert.equal(chosen(await read([described(AMD64, tagged('x/y:1'))])), [digestOf(AMD64), 'docker.io/x/y:1']);
});

test('manifests below an index are not candidates beside it', async () => {
  const reading = await read([AMD64, described(MULTI, tagged('1')), ARM64]);
  assert.equal(chosen(reading), [digestOf(MULTI), 'my-app:1']);
});

test('a manifest with two names is one entry, and its full name is preferred', async () => {
  const reading = await read([described(AMD64, tagged('1.0')), described(AMD64, tagged('reg.test/app:1.0'))]);
  assert.equal(chosen(reading), [digestOf(AMD64), 'reg.test/app:1.0']);
});

test('index.json is the index if it lists the platforms of one image', async () => {
  const reading = await read([AMD64, ARM64]);
  const [digest, ref] = chosen(reading);
  assert.is(ref, `my-app@${digest}`);
  const { stdout } = manifestInspect(reading, {});
  assert.is(JSON.parse(stdout as string).manifests.length, 2);
  assert.is(chosen(reading, { ref: digest })[0], digest);
  assert.equal(chosen(reading, { platform: platform('arm64') }), [
    digestOf(ARM64),
    `my-app@${digestOf(ARM64)}`,
  ]);
  const named = (content: Content, architecture: string) =>
    described(content, {
      ...on(architecture),
      annotations: { [NAME_ANNOTATION]: 'docker.io/library/app:1' },
    });
  const shared = await read([named(AMD64, 'amd64'), named(ARM64, 'arm64')]);
  assert.is(chosen(shared)[1], 'docker.io/library/app:1');
  assert.is(chosen(shared, { ref: 'app:1' })[1], 'docker.io/library/app:1');
});

test('several images need a reference: a name, a tag, a digest or its beginning, an image ID', async () => {
  const other = image('s390x', on('s390x'));
  const reading = await read([described(MULTI, tagged('app:1')), described(other, tagged('two'))]);
  assert.match(
    (await refused(reading)).message,
    /holds 2 images[\s\S]*index {2}app:1[\s\S]*linux\/s390x {2}two/,
  );
  const multi = [digestOf(MULTI), 'docker.io/library/app:1'];
  for (const ref of ['app:1', 'docker.io/library/app:1', 'library/app:1']) {
    assert.equal(chosen(reading, { ref }), multi);
  }
  for (const ref of [digestOf(MULTI), digestOf(MULTI).slice(0, 15), digestOf(MULTI).slice(7, 15)]) {
    assert.equal(chosen(reading, { ref }), multi);
  }
  for (const ref of ['two', 'my-app:two', digestOf(other)]) {
    assert.equal(chosen(reading, { ref }), [digestOf(other), 'my-app:two']);
  }
  const config = JSON.parse(
    Buffer.from(selectDocument(reading, { ref: 'two' }).document.bytes).toString(),
  ).config;
  assert.is(chosen(reading, { ref: config.digest })[0], digestOf(other));
  const child = [digestOf(ARM64), `docker.io/library/app:1@${digestOf(ARM64)}`];
  assert.equal(chosen(reading, { ref: digestOf(ARM64) }), child);
  assert.equal(chosen(reading, { ref: 'app:1', platform: platform('arm64') }), child);
});

test('a name is kept as it was typed', async () => {
  const reading = await read([described(AMD64, tagged('docker.io/library/app:latest'))]);
  assert.is(selectDocument(reading, { ref: 'app' }).name.name, 'app');
  assert.is(selectDocument(reading, { ref: 'app' }).name.ref, 'docker.io/library/app:latest');
  assert.is(selectDocument(reading, {}).name.name, 'docker.io/library/app:latest');
});

test('an unknown or ambiguous reference, and an absent platform, are errors that list the candidates', async () => {
  const reading = await read([described(MULTI, tagged('app:1'))]);
  assert.match((await refused(reading, { ref: 'app:2' })).message, /no image "app:2" in it[\s\S]*app:1/);
  const s390x = await refused(reading, { platform: platform('s390x') });
  assert.match(s390x.message, /no image for linux\/s390x in it\nIt has linux\/amd64, linux\/arm64/);
  const single = await read([AMD64]);
  assert.match((await refused(single, { platform: platform('arm64') })).message, /It has linux\/amd64/);
  const twice = await read([described(image('a'), tagged('t')), described(image('b'), tagged('t'))]);
  assert.match((await refused(twice, { ref: 't' })).message, /"t" means 2 documents/);
  assert.is(chosen(twice, { ref: 't', platform: platform('b') })[1], 'my-app:t');
  assert.match((await refused(await read([]))).message, /no image in it/);
});

test('an absent manifest is not synthesised from manifest.json', async () => {
  const one = await plainImage();
  const members = dockerSave25({ image: one, tags: ['a:1'] });
  const index = JSON.parse(Buffer.from(memberBytes(members, 'index.json')).toString());
  const digest: string = index.manifests[0].digest;
  const lacking = saved(await toTar(without(members, `blobs/sha256/${digest.slice(7)}`)));
  const reading = await readArchive(lacking, { depth: 'metadata' });
  for (const selection of [{}, { ref: 'a:1' }, { ref: digest.slice(7, 20) }]) {
    assert.match((await refused(reading, selection)).message, `${digest}: the archive does not hold it`);
  }
});

test('a layout that lacks the entries of its index.json is an error that says so', async () => {
  const reading = await read([{ ...AMD64, blobs: [] }]);
  assert.match((await refused(reading)).message, /sha256:[0-9a-f]{64}: the archive does not hold it/);
});

testWhen(
  test,
  hasDocker28,
  NO_SHARED_FOLDER,
)('docker save, skopeo and oras: what each means without a reference', async () => {
  const expected = {
    'docker28-save.tar': 'docker.io/library/app:latest',
    'docker28c-save.tar': 'docker.io/library/app:latest',
    'buildx-oci-attested.tar': 'example.test/team/multi:1',
    'oras-layout': 'oras-layout:1',
    'skopeo-oci-archive.tar': 'skopeo-oci-archive:sk',
    'podman-docker-archive.tar': 'localhost/app:latest',
    'layout-team-multi-1': 'localhost:5055/team/multi:1',
  };
  for (const [name, ref] of Object.entries(expected)) {
    assert.is(chosen(await readArchive(docker28(name), { depth: 'metadata' }))[1], ref);
  }
});

testWhen(
  test,
  hasCorpus,
  NO_SHARED_FOLDER,
)('layers of unknown digest have to be read before a manifest can be made up', async () => {
  const item = corpus().find(({ id }) => id === 'snyk.centos-6.tar')!;
  const reading = await readArchive(item.file, { depth: 'metadata' });
  assert.is(documentDepth(reading), 'digests');
  assert.match((await refused(reading)).message, /not known without reading it/);
  const read = await readArchive(item.file);
  assert.is(documentDepth(read), 'metadata');
  assert.is(manifestInspect(read, {}).exitCode, 0);
});

test.run();
