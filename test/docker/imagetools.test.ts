import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { imagetoolsInspect } from '../../src/commands/imagetools.js';
import { type ArchiveReading, InputError, readArchive, UsageError } from '../../src/commands.js';
import { corpus, hasCorpus, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { digestOf } from '../support/digest.js';
import { plainImage } from '../support/image.js';
import { dockerSave25, without } from '../support/layouts.js';
import { attestation, blobOf, described, indexOf, MEDIA, manifestFrom } from '../support/oci.js';
import { ociLayout } from '../support/oci-layout.js';
import { toTar } from '../support/pack.js';
import { saved, streamOf } from '../support/reading.js';
import { readLayout, recordedAnswers } from './recorded.js';
import { LAYOUTS, layoutOf, REGISTRY } from './registry-layouts.js';

/** buildx fails for all of these because it cannot fetch a part; waybill fails only if the format needs that part. */
const KNOWN_WITHOUT = ['with-absent', 'artifact-text', 'urls'];

for (const { layout, asked, stdout } of recordedAnswers('imagetools')) {
  test(`buildx imagetools inspect ${asked} of ${layout}`, async () => {
    const answer = imagetoolsInspect(await readLayout(layout), {}, { format: asked, docker: 28 });
    if (stdout !== null) {
      assert.is(answer.stdout, stdout);
      assert.equal([answer.exitCode, answer.notes], [0, []]);
    } else if (!KNOWN_WITHOUT.includes(layout)) {
      assert.equal([answer.stdout, answer.exitCode], ['', 1]);
      assert.match(answer.notes[0]!, /^template: :1:/);
    }
  });
}

test('a template that fails because data is absent from the archive names the data', async () => {
  const one = await plainImage();
  const members = without(
    dockerSave25({ image: one, tags: ['a:1'] }),
    `blobs/sha256/${one.imageId.slice(7)}`,
  );
  const reading = await readArchive(saved(await toTar(members)), { depth: 'metadata' });
  const answer = imagetoolsInspect(reading, {}, { format: '{{.Image.Config.Cmd}}' });
  assert.equal([answer.stdout, answer.exitCode], ['', 1]);
  assert.match(answer.notes[0]!, /^template: :1:8: .* nil pointer/);
  assert.is(answer.notes[1], `${one.imageId}: the archive does not hold it`);
});

const format = async (layout: string, text: string, selection = {}) => {
  const { stdout, notes, exitCode } = imagetoolsInspect(await readLayout(layout), selection, {
    format: text,
  });
  return { text: stdout as string, notes, exitCode };
};

test('data that an index lists and the archive lacks is noted if a format needs it', async () => {
  const image = await format('with-absent', '{{range $p, $i := .Image}}{{$p}} {{end}}');
  assert.is(image.text, 'linux/amd64 ');
  assert.is(image.exitCode, 1);
  assert.match(image.notes[0]!, /sha256:.*does not hold it/);
  const name = await format('with-absent', '{{.Name}}');
  assert.equal(name, { text: `${REGISTRY}with-absent:1`, notes: [], exitCode: 0 });
});

test('.BuildInfo is the data that old BuildKit wrote into the config', async () => {
  const one = JSON.parse((await format('build-info', '{{json .BuildInfo}}')).text);
  assert.equal(Object.keys(one), ['frontend', 'attrs', 'sources', 'deps']);
  assert.equal(one.attrs, { filename: 'Dockerfile', target: null });
  assert.equal(Object.keys(one.sources[0]), ['type', 'ref', 'alias', 'pin']);
  assert.is(
    (await format('build-info', '{{(index .BuildInfo.Sources 0).Ref}}')).text,
    'docker.io/library/alpine:3.15',
  );
  const several = JSON.parse((await format('build-info-multi', '{{json .BuildInfo}}')).text);
  assert.equal(several, { 'linux/amd64': one });
  assert.is((await format('one-platform', '{{json .BuildInfo}}')).text, 'null');
  assert.is((await format('keys', '{{json .BuildInfo}}')).text, 'null');
  assert.equal(Object.keys(JSON.parse((await format('build-info', '{{json .}}')).text)), [
    'name',
    'manifest',
    'image',
  ]);
});

test('--platform selects one image, with its attestations in the index', async () => {
  const platform = { os: 'linux', architecture: 'arm64', variant: null, osVersion: null };
  const { text, exitCode } = await format(
    'attested',
    '{{.Image.Architecture}} {{json .Provenance}} {{.Name}}',
    { platform },
  );
  assert.is(exitCode, 0);
  assert.match(text, /^arm64 \{\n {2}"SLSA": \{\n {4}"signed": \[/);
  assert.match(text, /localhost:5077\/team\/attested:1@sha256:[0-9a-f]{64}$/);
  // By its digest alone, as in buildx, they are not found.
  const index = JSON.parse((await format('attested', '{{json .Manifest}}')).text);
  const alone = await format('attested', '{{json .Provenance}}', { ref: index.manifests[1].digest });
  assert.is(alone.text, '{}');
});

test('an absent attestation is noted', async () => {
  const members = layoutOf('attested-once');
  const statement = members.find(m => 'bytes' in m && Buffer.from(m.bytes).includes('"one":1'))!;
  const reading = await readArchive(saved(await toTar(members.filter(m => m !== statement)), 'sparse.tar'), {
    depth: 'metadata',
  });
  const sbom = imagetoolsInspect(reading, {}, { format: '{{json .SBOM}}' });
  assert.is(sbom.stdout, '{}');
  assert.is(sbom.exitCode, 1);
  assert.match(sbom.notes[0]!, /does not hold it/);
  const image = imagetoolsInspect(reading, {}, { format: '{{json .Image}}' });
  assert.equal([image.exitCode, image.notes], [0, []]);
});

test('an attestation beyond the limit of documents is noted, and not read', async () => {
  const image = manifestFrom(
    MEDIA.manifest,
    blobOf(MEDIA.config, '{"architecture":"amd64","os":"linux"}'),
    [],
  );
  const predicate = { pad: 'x'.repeat(5000) };
  const proof = attestation(image, { predicateType: 'https://spdx.dev/Document', predicate });
  const tar = await toTar(ociLayout({ manifests: [indexOf([image, proof])] }));
  const limits = { documentBytes: 3000 };
  const reading = await readArchive(saved(tar, 'large.tar'), { depth: 'metadata', limits });
  const { stdout, notes, exitCode } = imagetoolsInspect(reading, {}, { format: '{{json .SBOM}}' });
  assert.equal([stdout, exitCode], ['{}', 1]);
  assert.match(notes[0]!, /blobs\/sha256\/.* was not read: the limit documentBytes is 2\.9 KiB/);
});

test('an envelope or build info that nests too deep is not followed', async () => {
  const deep = Buffer.from('['.repeat(200_000) + ']'.repeat(200_000)).toString('base64');
  const config = blobOf(MEDIA.config, JSON.stringify({ os: 'linux', 'moby.buildkit.buildinfo.v1': deep }));
  const image = manifestFrom(MEDIA.manifest, config, []);
  const envelope = described(blobOf('application/vnd.in-toto.x+dsse', JSON.stringify({ payload: deep })), {
    annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v1' },
  });
  const proof = described(manifestFrom(MEDIA.manifest, config, [envelope]), {
    annotations: { 'vnd.docker.reference.digest': image.descriptor.digest },
  });
  const tar = await toTar(ociLayout({ manifests: [indexOf([image, proof])] }));
  const reading = await readArchive(saved(tar, 'deep.tar'), { depth: 'metadata' });
  const answer = imagetoolsInspect(reading, {}, { format: '{{json .Provenance}} {{json .BuildInfo}}' });
  assert.equal([answer.stdout, answer.exitCode], ['{} null', 1]);
  assert.match(answer.notes[0]!, /no statement in its envelope/);
});

test('a single pass gives the same answer', async () => {
  const tar = await toTar(layoutOf('attested'));
  const reading = await readArchive(streamOf(tar), { depth: 'metadata' });
  const seekable = await readLayout('attested');
  for (const text of ['', '{{json .}}', '{{json .SBOM}}', '{{json .Provenance}}']) {
    assert.equal(
      imagetoolsInspect(reading, {}, { format: text, docker: 28 }),
      imagetoolsInspect(seekable, {}, { format: text, docker: 28 }),
    );
  }
});

test('--raw prints the stored bytes, and is refused with a format', async () => {
  const reading = await readLayout('attested');
  const { stdout } = imagetoolsInspect(reading, {}, { raw: true });
  assert.is(digestOf(stdout), LAYOUTS.attested!.descriptor.digest);
  assert.throws(
    () => imagetoolsInspect(reading, {}, { raw: true, format: '{{.Name}}' }),
    (error: unknown) => error instanceof UsageError,
  );
});

test('an invalid template prints nothing but the error and its position', async () => {
  const { text, notes, exitCode } = await format('attested', '{{json .Image');
  assert.equal([text, exitCode], ['', 1]);
  assert.match(notes[0]!, /template: :1: unclosed action/);
});

const FORMATS = ['', '{{json .}}', '{{json .SBOM}}{{json .Provenance}}{{json .BuildInfo}}'];

testWhen(
  test,
  hasCorpus,
  NO_SHARED_FOLDER,
)('every archive of the corpus gives an answer, or says why not', async () => {
  let answers = 0;
  for (const item of corpus()) {
    let reading: ArchiveReading;
    try {
      reading = await readArchive(item.file, { depth: 'metadata' });
      for (const text of FORMATS) {
        const { stdout, exitCode, notes } = imagetoolsInspect(reading, {}, { format: text, docker: 28 });
        assert.ok(stdout.length > 0 && (exitCode === 0 || notes.length > 0), item.id);
        answers++;
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }
  assert.ok(answers > 300, `${answers} answers`);
});

test.run();
