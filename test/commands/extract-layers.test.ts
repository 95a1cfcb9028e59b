// `waybill extract --layers`: every layer is written as a verified tar.
import { createReadStream, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ExtractOptions, extractLayers } from '../../src/commands/extract/layers.js';
import { parsePlatform } from '../../src/spec/platform.js';
import { corpus, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { digestOf, encodedOf } from '../support/digest.js';
import { type Image, image, plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { canCompress, compress, deliveries, toTar } from '../support/pack.js';
import { cutBeforeManifest, refusal, saved, streamOf } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const item = await image({
  layers: [
    { files: { 'etc/os-release': 'ID=one\n', 'bin/sh': 'x'.repeat(70_000) }, compression: 'gzip' },
    { emptyLayer: true, createdBy: 'ENV A=1' },
    { files: { 'etc/.wh.os-release': '' }, compression: canCompress('zstd') ? 'zstd' : 'gzip' },
    { files: { 'srv/data': 'y'.repeat(3000) } },
  ],
});
const other = await plainImage('other', 2, 'gzip');
const TAGS = { tags: ['app:1'] };

const nameOf = (diffId: string, place: number) =>
  `${String(place).padStart(2, '0')}-${encodedOf(diffId)}.tar`;
const namesOf = ({ diffIds }: Image) => diffIds.map((diffId, i) => nameOf(diffId, i + 1));

async function extract(
  input: Parameters<typeof extractLayers>[0],
  ref?: string,
  options: ExtractOptions = {},
) {
  const directory = join(temporary('extract'), 'layers');
  const answer = await extractLayers(input, { ref }, directory, options);
  return { answer, directory, files: () => readdirSync(directory).sort() };
}

function holds(directory: string, { layers }: Image): void {
  assert.equal(
    readdirSync(directory).sort(),
    layers.map(({ diffId }, i) => nameOf(diffId, i + 1)),
  );
  for (const [i, { diffId, tar }] of layers.entries()) {
    assert.equal(readFileSync(join(directory, nameOf(diffId, i + 1))), Buffer.from(tar));
  }
}

const ARCHIVES: readonly (readonly [string, readonly layouts.Member[]])[] = [
  ['docker save 1.10 to 24', layouts.dockerSave({ image: item, ...TAGS })],
  ['docker save 25', layouts.dockerSave25([{ image: item, ...TAGS }])],
  ['containerd', layouts.dockerContainerd({ platforms: [item], ...TAGS })],
  ['podman', layouts.podmanDockerArchive({ image: item, ...TAGS })],
  ['crane', layouts.cranePull({ image: item, ...TAGS })],
  ['skopeo dir', layouts.skopeoDir({ image: item, ...TAGS })],
];

for (const [name, members] of ARCHIVES) {
  test(`every delivery of ${name} gives the same tars`, async () => {
    for (const { kind, file } of await deliveries(members, temporary('extract'))) {
      const { answer, directory } = await extract(file);
      assert.is(answer.exitCode, 0, kind);
      assert.equal(answer.notes, [], kind);
      holds(directory, item);
    }
  });
}

test('standard output has a line for each file', async () => {
  const { answer, directory } = await extract(saved(await toTar(layouts.buildxOci(other))));
  const lines = other.layers.map(({ diffId, tar }, i) => {
    return `${directory}/${nameOf(diffId, i + 1)}  ${tar.length}  ${diffId}\n`;
  });
  assert.is(answer.stdout, lines.join(''));
});

test('a source that can be read only once is copied to the output directory and removed', async () => {
  for (const [name, members] of ARCHIVES) {
    const tar = await toTar(members);
    for (const bytes of [tar, compress(tar, 'gzip')]) {
      const { answer, directory } = await extract(streamOf(bytes));
      assert.is(answer.exitCode, 0, name);
      holds(directory, item);
    }
  }
});

test('a stream that is not an archive is refused before it is stored', async () => {
  const folder = temporary('extract');
  let taken = 0;
  async function* endless() {
    for (; taken < 1000; taken++) yield Buffer.alloc(65536, 'no archive ');
  }
  const error = await refusal(extractLayers(endless(), {}, join(folder, 'out')));
  assert.match(error.message, /^standard input: not an image archive/);
  assert.ok(taken < 10);
  assert.equal(readdirSync(folder), []);
  const empty = await refusal(
    extractLayers(streamOf(await toTar([layouts.file('x', 'y')])), {}, join(folder, 'out')),
  );
  assert.match(empty.message, /^standard input: a tar without an image in it/);
  assert.equal(readdirSync(folder), []);
});

test('one of several images must be selected', async () => {
  const both = saved(
    await toTar(
      layouts.dockerSave([
        { image: item, ...TAGS },
        { image: other, tags: ['b:2'] },
      ]),
    ),
  );
  const folder = temporary('extract');
  const error = await refusal(extractLayers(both, {}, join(folder, 'out')));
  assert.match(error.message, /it holds 2 images\nSay which one/);
  assert.match(
    (await refusal(extractLayers(both, { ref: 'c' }, join(folder, 'out')))).message,
    /no image "c"/,
  );
  assert.equal(readdirSync(folder), []);
  holds((await extract(both, 'b:2')).directory, other);
  const arm = await image({
    layers: [{ files: { a: 'arm' } }],
    platform: { os: 'linux', architecture: 'arm64' },
  });
  const multi = saved(await toTar(layouts.buildxOci({ platforms: [item, arm], ...TAGS })), 'multi.tar');
  const directory = join(folder, 'arm');
  await extractLayers(multi, { platform: parsePlatform('linux/arm64')! }, directory);
  holds(directory, arm);
});

test('a layer that is used twice is written twice', async () => {
  const twice = await image({
    layers: [{ files: { a: '1' } }, { files: { b: '2' } }, { files: { a: '1' } }],
  });
  for (const members of [layouts.dockerSave(twice), layouts.cranePull(twice), layouts.buildxOci(twice)]) {
    const tar = await toTar(members);
    holds((await extract(saved(tar))).directory, twice);
    holds((await extract(saved(compress(tar, 'gzip')))).directory, twice);
  }
});

test('positions have as many digits as they need', async () => {
  const many = await plainImage('many', 101);
  const { files } = await extract(saved(await toTar(layouts.buildxOci(many))));
  assert.equal(
    files(),
    many.diffIds.map((id, i) => `${String(i + 1).padStart(3, '0')}-${encodedOf(id)}.tar`),
  );
});

/** The layout of `item` with a change to its second layer. */
async function damaged(change: (path: string, members: layouts.Member[]) => layouts.Member[]) {
  const path = layouts.blobPath(item.layers[1]!.digest);
  return change(path, layouts.buildxOci({ image: item, ...TAGS }));
}

const FAULTS: Readonly<
  Record<string, readonly [(path: string, members: layouts.Member[]) => layouts.Member[], RegExp]>
> = {
  'with a bad checksum': [
    (path, members) => layouts.flipByte(members, path, -5),
    /expected sha256:.*, found sha256:/,
  ],
  'cut short': [
    (path, members) => layouts.replaceBytes(members, path, bytes => bytes.subarray(0, -4)),
    /expected \d+ bytes, found \d+/,
  ],
  'that is another': [
    (path, members) => layouts.replaceBytes(members, path, bytes => new Uint8Array(bytes.length)),
    /expected sha256:.*, found sha256:/,
  ],
  'that is not there': [(path, members) => layouts.without(members, path), /the archive does not hold it/],
};

for (const [name, [change, words]] of Object.entries(FAULTS)) {
  test(`a layer ${name} leaves no file, and the others are written`, async () => {
    const members = await damaged(change);
    for (const file of [
      saved(await toTar(members)),
      saved(compress(await toTar(members), 'gzip'), 'packed.tar.gz'),
    ]) {
      const { answer, files } = await extract(file);
      const [first, , third] = namesOf(item);
      assert.equal(files(), [first, third]);
      assert.is(answer.exitCode, 1);
      assert.is(answer.notes.length, 1);
      assert.match(answer.notes[0]!, /^layer 2 \(sha256:[0-9a-f]{64}\) is not written: /);
      assert.match(answer.notes[0]!, words);
      assert.is(answer.stdout.toString().split('\n').length, 3);
    }
  });
}

test('a layer whose tar does not match the diff_id is bad, even if its digest matches', async () => {
  const lying = { ...item, diffIds: item.diffIds, config: item.config };
  const wrong = digestOf('something else');
  const config = JSON.stringify({
    ...item.config,
    rootfs: { type: 'layers', diff_ids: [item.diffIds[0], wrong, item.diffIds[2]] },
  });
  const bytes = new TextEncoder().encode(config);
  const members = layouts.buildxOci({ ...lying, configBytes: bytes, imageId: digestOf(bytes) });
  const { answer, files } = await extract(saved(await toTar(members)));
  assert.equal(files(), [namesOf(item)[0]!, namesOf(item)[2]!]);
  assert.match(answer.notes.join(), new RegExp(`expected the diff_id ${wrong}, found ${item.diffIds[1]}`));
  assert.is(answer.exitCode, 1);
});

test('for a config without diff_ids, files are named by the computed digests and not verified', async () => {
  const bytes = new TextEncoder().encode(JSON.stringify({ ...item.config, rootfs: undefined }));
  const bare = layouts.buildxOci({ ...item, configBytes: bytes, imageId: digestOf(bytes) });
  const { answer, directory } = await extract(saved(await toTar(bare)));
  holds(directory, item);
  assert.is(answer.exitCode, 1);
  assert.match(
    answer.notes.join('\n'),
    /layer 3 .* is written, but the config has no diff_id to check it with/,
  );
});

test('a diff_id cannot lead out of the directory', async () => {
  const config = {
    ...item.config,
    rootfs: { type: 'layers', diff_ids: ['sha256:../../x', '../y', '/etc/z'] },
  };
  const bytes = new TextEncoder().encode(JSON.stringify(config));
  const evil = layouts.buildxOci({ ...item, configBytes: bytes, imageId: digestOf(bytes) });
  const { answer, directory } = await extract(saved(await toTar(evil)));
  holds(directory, item);
  assert.is(answer.exitCode, 1);
});

test('images before image IDs have nothing to verify against, which is not an error', async () => {
  const { answer, files } = await extract(saved(await toTar(layouts.dockerV1({ image: other, ...TAGS }))));
  assert.is(answer.exitCode, 0);
  assert.equal(answer.notes, []);
  assert.is(files().length, answer.stdout.toString().split('\n').length - 1);
  for (const { diffId } of other.layers)
    assert.ok(files().some(name => name.endsWith(`${encodedOf(diffId)}.tar`)));
});

test('an encrypted layer and an absent foreign one are reported as such', async () => {
  const foreign = await image({
    layers: [{ files: { a: '1' } }, { files: { b: '2' }, urls: ['https://x.test/l'], absent: true }],
  });
  const { answer, files } = await extract(saved(await toTar(layouts.buildxOci(foreign))));
  assert.equal(files(), [namesOf(foreign)[0]!]);
  assert.match(
    answer.notes.join(),
    /layer 2 .*the archive does not hold it; it is fetched from https:\/\/x\.test\/l/,
  );
  const secret = layouts.ociLayout({ manifests: [layouts.manifestOf(other, { encrypted: true })] });
  const folder = temporary('extract');
  const none = await extractLayers(saved(await toTar(secret)), {}, join(folder, 'out'));
  assert.match(none.notes.join(), /it is encrypted/);
  assert.is(none.exitCode, 1);
  assert.equal(readdirSync(folder), [], 'no directory without a layer in it');
});

test('a decompression bomb is stopped', async () => {
  const bomb = await image({
    layers: [{ files: { zeros: new Uint8Array(4 << 20) }, compression: 'gzip' }, { files: { a: '1' } }],
  });
  const { answer, files } = await extract(saved(await toTar(layouts.buildxOci(bomb))), undefined, {
    limits: { unpackedFree: 1 << 20, unpackedRatio: 10 },
  });
  assert.equal(files(), [namesOf(bomb)[1]!]);
  assert.match(answer.notes.join(), /the limit unpackedRatio is 10 times its size/);
});

test('a directory that is not empty is refused, an empty one is filled', async () => {
  const file = saved(await toTar(layouts.buildxOci(other)));
  const folder = temporary('extract');
  await extractLayers(file, {}, folder);
  holds(folder, other);
  assert.match((await refusal(extractLayers(file, {}, folder))).message, /the directory is not empty/);
  holds(folder, other);
  const taken = join(temporary('extract'), 'file');
  writeFileSync(taken, '');
  assert.match((await refusal(extractLayers(file, {}, taken))).message, /exists, and is not a directory/);
  assert.match((await refusal(extractLayers(file, {}, join(taken, 'x')))).message, /cannot be written/);
});

test('an image without layers gives an empty directory', async () => {
  const empty = await image({ layers: [{ emptyLayer: true, createdBy: 'ENV A=1' }] });
  const { answer, files } = await extract(saved(await toTar(layouts.buildxOci(empty))));
  assert.equal([answer.exitCode, answer.stdout, files()], [0, '', []]);
});

test('progress reaches the total', async () => {
  const calls: (readonly [number, number | null])[] = [];
  const tar = saved(await toTar(layouts.buildxOci(item)));
  await extract(tar, undefined, { onProgress: (done, total) => calls.push([done, total]) });
  const total = item.layers.reduce((sum, { size }) => sum + size, 0);
  assert.equal(calls.at(-1), [total, total]);
});

const sound = corpus().filter(({ truth }) => {
  const images = Object.values(truth.views)[0] ?? [];
  return (
    truth.issue_counts.error === 0 &&
    images.length === 1 &&
    images[0]!.layers?.every(layer => layer.diff_id_ok === true)
  );
});
const real = testWhen(test, sound.length > 0, NO_SHARED_FOLDER);
if (sound.length === 0) real('corpus', () => {});
for (const { id, file, truth } of sound) {
  real(`real archive: ${id}`, async () => {
    const layers = Object.values(truth.views)[0]![0]!.layers!;
    const { answer, files } = await extract(file);
    assert.equal(answer.notes, []);
    const digits = Math.max(2, String(layers.length).length);
    const names = layers.map(
      ({ diff_id }, i) => `${String(i + 1).padStart(digits, '0')}-${encodedOf(diff_id!)}.tar`,
    );
    assert.equal(files(), names);
    if (truth.input.form !== 'tar') return;
    const streamed = await extract(createReadStream(file));
    assert.equal(streamed.files(), names);
  });
}

test('of an archive that is cut before the list of layers no layer is written', async () => {
  const { what } = await refusal(extract(saved(cutBeforeManifest(), 'guessed.tar')));
  assert.match(what, /upper layers may be missing too/);
});

test.run();
