// The producer of a layout is recognised by traits that only it writes, not by data that is copied with an image.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readArchive, reportOf } from '../../src/commands.js';
import { NO_SHARED_FOLDER, sharedFolder, testWhen } from '../support/corpus.js';
import { image, plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { readMembers, streamOf } from '../support/reading.js';

const item = await plainImage('item', 2, 'gzip');
const plain = layouts.skopeoOci([{ image: item, tags: ['app:1'] }]);

/** The same layout with a changed index. */
function written(layout: string, index: (document: unknown) => string): layouts.Member[] {
  const other = layouts.replaceBytes(plain, 'oci-layout', () => layout);
  return layouts.replaceBytes(other, 'index.json', bytes => index(JSON.parse(Buffer.from(bytes).toString())));
}

const producerOf = async (members: layouts.Member[]) => (await readMembers(members)).report.archive;

const compact = (document: unknown) => JSON.stringify(document);
const WRITERS: readonly [string, RegExp, layouts.Member[]][] = [
  [
    'skopeo 1.9',
    /^skopeo or podman \(oci:, oci-archive:\)$/,
    written('{"imageLayoutVersion": "1.0.0"}', compact),
  ],
  ['umoci', /^umoci$/, written('{"imageLayoutVersion":"1.0.0"}\n', document => `${compact(document)}\n`)],
  [
    'crane',
    /^go-containerregistry/,
    written('{\n    "imageLayoutVersion": "1.0.0"\n}', document => JSON.stringify(document, null, 3)),
  ],
  ['skopeo 1.22, oras, regctl', /skopeo.*oras.*regctl/, written('{"imageLayoutVersion":"1.0.0"}', compact)],
];
for (const [name, producer, members] of WRITERS)
  test(name, async () => {
    const { producer: found, marks } = await producerOf(members);
    assert.match(found ?? '', producer);
    assert.ok(marks.length > 0);
  });

test('a producer has an ID beside the name that people read', async () => {
  for (const [members, id] of [
    [layouts.dockerSave({ image: item, tags: ['app:1'] }), 'docker-save-1.10'],
    [layouts.dockerSave25({ image: item, tags: ['app:1'] }), 'docker-save-25'],
    [layouts.dockerV1({ image: item, tags: ['app:1'] }), 'docker-save-1.9'],
  ] as const) {
    const { graph } = (await readArchive(streamOf(await toTar(members)))).parts[0]!;
    assert.is(graph.producer?.id, id);
    assert.match(graph.producer?.name ?? '', /^docker save/);
  }
});

test('text that no known writer produces', async () => {
  const members = written('{ "imageLayoutVersion" : "1.0.0" }', document =>
    JSON.stringify(document, null, 8),
  );
  assert.is((await producerOf(members)).producer, null);
});

test("BuildKit's history and attestations are copied, and do not make the copier BuildKit", async () => {
  const built = await image({ layers: [{ files: { a: 'a' }, createdBy: 'COPY a / # buildkit' }] });
  const index = layouts.indexOf([
    layouts.platformManifest(built),
    layouts.attestation(layouts.platformManifest(built)),
  ]);
  const { report } = await readMembers(layouts.ociLayout({ manifests: [index] }));
  assert.is(report.images[0]!.attestations.length, 1);
  assert.not.match(report.archive.producer ?? '', /BuildKit/);
});

const REAL: readonly [string, RegExp][] = [
  ['docker28/crane-oci', /crane/],
  ['docker28/crane-pull.tar', /crane/],
  ['docker28/oras-layout', /^oras$/],
  ['docker28/skopeo-oci-archive.tar', /skopeo/],
  ['docker28/podman-oci-archive.tar', /podman/],
  ['docker28/skopeo-docker-archive.tar', /skopeo/],
  ['docker28/skopeo-dir', /skopeo/],
  ['docker28/buildx-oci-attested.tar', /buildx/],
  ['docker28/buildx-oci-zstd.tar', /buildx/],
  ['docker28/docker28-save.tar', /^docker save/],
  ['docker28/docker28c-save.tar', /^docker save/],
  ['docker29/docker29-classic.tar', /^docker save/],
  ['docker29/docker29-multi.tar', /^docker save/],
  ['faults/skopeo-untagged.tar', /skopeo/],
  ['corpus/archives/imgutil.busybox.d', /go-containerregistry/],
  ['corpus/archives/snyk.node-removed.tar', /skopeo/],
  ['corpus/archives/dive.test-oci-gzip-image.tar', /buildx/],
];
for (const [name, producer] of REAL) {
  const file = join(sharedFolder, name);
  testWhen(
    test,
    existsSync(file),
    NO_SHARED_FOLDER,
  )(name, async () => {
    const { archive } = reportOf(await readArchive(file, { depth: 'metadata' }));
    assert.match(archive.producer ?? '', producer);
  });
}

test.run();
