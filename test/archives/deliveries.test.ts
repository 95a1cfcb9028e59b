// The central promise: an archive gives the same report in every delivery.
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Depth, InputError, type Report, readArchive, reportOf } from '../../src/commands.js';
import { corpus, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { type Image, image, plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { type DeliveryKind, deliveries, toTar, toZip } from '../support/pack.js';
import { codes, faults, readInput, readMembers, refusal, saved, streamOf } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

/** Everything except the delivery: file, container and size necessarily differ. */
async function contents(input: string | AsyncIterable<Uint8Array>, depth: Depth): Promise<unknown> {
  try {
    const { archive, ...rest }: Report = reportOf(await readArchive(input, { depth }));
    return { ...rest, layout: archive.layout, producer: archive.producer, marks: archive.marks };
  } catch (error) {
    if (error instanceof InputError) return error.what;
    throw error;
  }
}

const tars = corpus().filter(({ truth }) => truth.input.form === 'tar');
const run = testWhen(test, tars.length > 0, NO_SHARED_FOLDER);
if (tars.length === 0) run('corpus', () => {});

for (const { id, file } of tars) {
  for (const depth of ['metadata', 'digests'] as const) {
    run(`seekable and streamed: ${id} (${depth})`, async () => {
      const seekable = await contents(file, depth);
      assert.equal(await contents(createReadStream(file, { highWaterMark: 10_007 }), depth), seekable);
    });
  }
}

const item = await image({
  layers: [
    {
      files: { 'etc/os-release': 'ID=one\n', 'bin/sh': { mode: 0o755, bytes: 'x'.repeat(2000) } },
      compression: 'gzip',
    },
    { emptyLayer: true, createdBy: 'ENV A=1' },
    { files: { 'etc/.wh.os-release': '' }, compression: 'gzip' },
    { files: { 'bin/sh': { mode: 0o755, bytes: 'x'.repeat(2000) } }, compression: 'gzip' },
  ],
});
const other = await plainImage('other', 1, 'gzip');
const TAGS = { tags: ['app:1'] };

/** Sound layouts and a damaged one: findings must be the same too. */
const ARCHIVES: readonly (readonly [string, readonly layouts.Member[]])[] = [
  ['A', layouts.dockerV1({ image: item, ...TAGS })],
  ['B', layouts.dockerSave({ image: item, ...TAGS })],
  ['C', layouts.dockerSave25([{ image: item, ...TAGS }, other])],
  ['D', layouts.dockerContainerd({ platforms: [item, other], ...TAGS, attestations: true })],
  ['E', layouts.buildxOci({ platforms: [item], missing: [other], ...TAGS })],
  ['F', layouts.podmanDockerArchive({ image: item, ...TAGS })],
  ['H', layouts.skopeoDir({ image: item, ...TAGS })],
  ['I', layouts.cranePull({ image: item, ...TAGS })],
  ['disorder', disorder(layouts.skopeoOci({ image: item, ...TAGS }))],
  ['damaged', damaged(layouts.dockerContainerd({ image: item, ...TAGS }), item)],
];

/** A layer with a changed byte, an absent one, and a config that is not JSON. */
function damaged(members: readonly layouts.Member[], { layers, imageId }: Image): layouts.Member[] {
  const [first, second] = layers.map(({ digest }) => layouts.blobPath(digest)) as [string, string];
  const flipped = layouts.flipByte(layouts.without(members, second), first, 30);
  return layouts.replaceBytes(flipped, layouts.blobPath(imageId), bytes => bytes.subarray(0, 100));
}

/** Several documents of a kind, not in the order of their names, in which a directory is read. */
function disorder(members: readonly layouts.Member[]): layouts.Member[] {
  const zeros = (digit: string) => `blobs/sha256/${digit.repeat(64)}`;
  return [
    layouts.file('blobs/sha256/.z', ''),
    layouts.file('blobs/sha256/.a', ''),
    layouts.file(zeros('9'), '9'),
    layouts.file(zeros('0'), '0'),
    { path: zeros('8'), link: '/etc/passwd' },
    { path: zeros('1'), link: '../../../etc/passwd' },
    ...members,
  ];
}

/** Without what necessarily differs: the archive itself, and for a tar inside a zip the prefix of each path. */
function contentsOf({ archive, ...rest }: Report): unknown {
  const { layout, producer, marks } = archive;
  const plain = JSON.stringify({ ...rest, layout, producer, marks })
    .replaceAll('"path":"image.tar!/', '"path":"')
    .replaceAll('"inside":"image.tar"', '"inside":null');
  return JSON.parse(plain);
}

const CONTAINERS: Readonly<Record<DeliveryKind, string>> = {
  tar: 'tar',
  'tar.gz': 'tar',
  'tar.zst': 'tar',
  'zip-stored': 'zip',
  'zip-deflated': 'zip',
  directory: 'directory',
  'tar-in-zip-stored': 'zip',
  'tar-in-zip-deflated': 'zip',
};

const folder = temporary('deliveries');
for (const [name, members] of ARCHIVES) {
  for (const depth of ['metadata', 'digests'] as const) {
    test(`every delivery of ${name} gives the same report (${depth})`, async () => {
      const made = await deliveries(members, join(folder, `${name}-${depth}`));
      const [tar] = made;
      const read = async (input: string | AsyncIterable<Uint8Array>) =>
        (await readInput(input, { depth })).report;
      const expected = contentsOf(await read(tar!.file));
      for (const { kind, file } of made) {
        const report = await read(file);
        assert.equal(contentsOf(report), expected, kind);
        assert.is(report.archive.container, CONTAINERS[kind], kind);
        assert.is(report.archive.parts.length, kind.startsWith('tar-in-zip') ? 1 : 0, kind);
      }
      const bytes = await toTar(members);
      for (const piece of [1, 511, 100_000]) {
        const report = await read(streamOf(bytes, piece));
        assert.equal(contentsOf(report), expected, `stream in pieces of ${piece}`);
        assert.is(report.archive.container, 'stream');
      }
    });
  }
}

for (const deflate of [false, true]) {
  test(`a zip of two image tarballs lists the images of both (${deflate ? 'deflated' : 'stored'})`, async () => {
    const tars = [
      layouts.file('first/app.tar', await toTar(layouts.dockerSave25({ image: item, tags: ['app:1'] }))),
      layouts.file('readme.txt', 'not an archive'),
      layouts.file('other.tar', await toTar(layouts.skopeoOci([{ image: other, tags: ['other:1'] }]))),
    ];
    const { report, exitCode } = await readInput(saved(toZip(tars, { deflate }), 'two.zip'));
    assert.equal(
      report.images.map(({ imageId, inside }) => [imageId, inside]),
      [
        [item.imageId, 'first/app.tar'],
        [other.imageId, 'other.tar'],
      ],
    );
    assert.equal(
      report.archive.parts.map(({ path, layout }) => [path, layout]),
      [
        ['first/app.tar', 'docker-hybrid'],
        ['other.tar', 'oci-layout'],
      ],
    );
    assert.equal([faults(report.findings), exitCode], [[], 0]);
  });
}

test('a folder around the layout is reported, and the images are the same', async () => {
  for (const [name, members] of ARCHIVES.slice(0, 6)) {
    const plain = (await readMembers(members)).report;
    const { report } = await readMembers(members, {}, { prefix: 'my image/' });
    const ids = (r: Report) =>
      r.images.map(({ imageId, v1Id, names, layers }) => [imageId, v1Id, names, layers.map(l => l.diffId)]);
    assert.equal(ids(report), ids(plain), name);
    assert.is(report.archive.layout, plain.archive.layout, name);
    const [nested] = report.findings.filter(({ code }) => code === 'nested-root');
    assert.equal([nested?.severity, nested?.data], ['warning', { root: 'my image/' }], name);
    assert.equal(
      codes(report.findings)
        .filter(code => code !== 'nested-root')
        .sort(),
      codes(plain.findings).sort(),
      name,
    );
  }
});

test('a folder around the layout is accepted in a zip, and as a directory', async () => {
  const members = layouts
    .skopeoOci({ image: item, ...TAGS })
    .map(member => ({ ...member, path: `x/${member.path}` }));
  const made = await deliveries(members, join(folder, 'nested'));
  for (const { kind, file } of made) {
    const { report } = await readInput(file);
    assert.equal(
      [report.images.map(({ imageId }) => imageId), codes(report.findings)],
      [[item.imageId], ['nested-root']],
      kind,
    );
  }
});

test('other files in a zip or a folder are reported', async () => {
  const nothing = saved(toZip([layouts.file('a.txt', 'a')]), 'nothing.zip');
  assert.match(
    (await refusal(readInput(nothing))).message,
    /neither an image layout nor an image tarball.*a\.txt/,
  );
  const empty = temporary('folder');
  writeFileSync(join(empty, 'image.tar.gz'), 'x');
  const error = await refusal(readInput(empty));
  assert.match(error.message, /a directory that is no image layout/);
  assert.match(error.remedy ?? '', 'image.tar.gz');
  const zip = await toZip([layouts.file('a.txt', 'a')]);
  assert.match((await refusal(readInput(streamOf(zip)))).message, /a zip cannot be read from a pipe/);
});

test.run();
