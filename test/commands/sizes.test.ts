// Sizes of images: the five sizes, sharing, estimates, breakdowns, and Docker's sizes of the same images.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { weigher } from '../../src/analysis/weigh.js';
import {
  estimateSizes,
  type SizesOptions,
  sizes,
  sizesOf,
  sizesReadOptions,
} from '../../src/commands/sizes/index.js';

import { UsageError } from '../../src/errors.js';
import { toText } from '../../src/format/text.js';
import { imagesIn, readArchive } from '../../src/report/read.js';
import {
  corpus,
  docker28,
  hasDocker28,
  NO_SHARED_FOLDER,
  peerExpectations,
  testWhen,
} from '../support/corpus.js';
import { image, type LayerSpec, plainImage } from '../support/image.js';
import {
  dockerSave,
  dockerSave25,
  flipByte,
  type Member,
  ociLayout,
  platformManifest,
} from '../support/layouts.js';
import { compress, toDirectory, toTar } from '../support/pack.js';
import { saved, streamOf } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

async function weigh(members: readonly Member[], options: SizesOptions = {}) {
  const reading = await readArchive(saved(await toTar(members)), sizesReadOptions(options));
  return sizesOf(reading, options);
}

async function text(members: readonly Member[], options: SizesOptions = {}): Promise<string> {
  const reading = await readArchive(saved(await toTar(members)), sizesReadOptions(options));
  return toText(sizes(reading, options).doc, { width: null, color: false });
}

const made = (...layers: readonly LayerSpec[]) => image({ layers });

const BASE: LayerSpec = { files: { 'bin/sh': 'x'.repeat(3000) }, createdBy: 'ADD base.tar / # buildkit' };
const APP: LayerSpec = {
  files: { 'app/main.js': 'y'.repeat(20_000), 'app/a.txt': 'hello' },
  createdBy: 'RUN /bin/sh -c make # buildkit',
};
const gzipped = (layer: LayerSpec): LayerSpec => ({ ...layer, compression: 'gzip' });

test('the names are as documented', async () => {
  const { images, sizes: all } = await weigh(dockerSave25(await made(BASE)));
  const names = ['stored', 'compressed', 'estimated', 'unpacked', 'content', 'docker', 'overlay2'];
  assert.equal(Object.keys(all), names);
  assert.equal(Object.keys(images[0]!.sizes), names);
  assert.equal(Object.keys(images[0]!.layers[0]!.sizes), names);
});

test('plain layers: the compressed size is unknown', async () => {
  const one = await made(BASE, APP);
  const { images } = await weigh(dockerSave25(one));
  const tars = one.layers.map(({ tar }) => tar.length);
  const [stored, unpacked] = [tars[0]! + tars[1]!, tars[0]! + tars[1]!];
  assert.equal(images[0]!.sizes, {
    stored,
    compressed: null,
    estimated: null,
    unpacked,
    content: 23_005,
    docker: 23_005,
    overlay2: 23_005,
  });
});

test('compressed layers: the compressed size is the stored size', async () => {
  const one = await made(gzipped(BASE), gzipped(APP));
  const { images } = await weigh(ociLayout({ manifests: [platformManifest(one)] }));
  const blobs = one.layers[0]!.size + one.layers[1]!.size;
  const { stored, compressed, unpacked } = images[0]!.sizes;
  assert.equal([stored, compressed], [blobs, blobs]);
  assert.ok(unpacked! > blobs);
});

test('an image with one plain layer has no compressed size', async () => {
  const one = await made(gzipped(BASE), APP);
  const { images } = await weigh(ociLayout({ manifests: [platformManifest(one)] }));
  assert.equal(
    [images[0]!.sizes.compressed, images[0]!.layers[0]!.sizes.compressed],
    [null, one.layers[0]!.size],
  );
});

test('a repeated layer counts each time for the image, and once for the archive', async () => {
  const one = await made(BASE, APP, BASE);
  const report = await weigh(dockerSave(one));
  assert.is(report.images[0]!.sizes.content, 26_005);
  assert.is(report.sizes.content, 23_005);
  assert.is(report.images[0]!.unique.stored, one.layers[0]!.tar.length + one.layers[1]!.tar.length);
});

test('layers that images share are counted once, and shown for each', async () => {
  const [a, b] = [await made(BASE, APP), await made(BASE)];
  const report = await weigh(
    dockerSave25([
      { image: a, tags: ['a:1'] },
      { image: b, tags: ['b:1'] },
    ]),
  );
  const [base, app] = a.layers.map(({ tar }) => tar.length) as [number, number];
  assert.is(report.sizes.stored, base + app);
  const shared = report.images.map(one => [one.sizes, one.shared, one.unique].map(({ stored }) => stored));
  assert.equal(shared, [
    [base + app, base, app],
    [base, base, 0],
  ]);
  assert.equal(
    report.images[0]!.layers.map(layer => layer.sharedWith),
    [1, 0],
  );
});

test('platforms have the layers of their images, each once', async () => {
  const arm = await image({ layers: [BASE], platform: { os: 'linux', architecture: 'arm64' } });
  const manifests = [platformManifest(await made(BASE, APP)), platformManifest(arm)];
  const { platforms, sizes: all } = await weigh(ociLayout({ manifests }));
  assert.equal(
    platforms.map(({ platform, images, sizes: own }) => [platform, images, own.content]),
    [
      ['linux/amd64', 1, 23_005],
      ['linux/arm64', 1, 3000],
    ],
  );
  assert.is(all.content, 23_005);
});

test('an absent layer is only part of the compressed sum', async () => {
  const foreign: LayerSpec = { ...gzipped(APP), urls: ['https://example.test/layer'], absent: true };
  const one = await made(gzipped(BASE), foreign);
  const members = ociLayout({ manifests: [platformManifest(one)] });
  const { images } = await weigh(members);
  assert.equal(images[0]!.unknown, [{ layer: 1, reason: 'it is stored elsewhere' }]);
  assert.equal([images[0]!.sizes.stored, images[0]!.sizes.content], [one.layers[0]!.size, 3000]);
  assert.is(images[0]!.sizes.compressed, one.layers[0]!.size + one.layers[1]!.size);
  const reading = await readArchive(saved(await toTar(members)), { depth: 'files' });
  assert.is(sizes(reading).exitCode, 1);
});

test('a layer that is not a tar, and one that is cut short, have the size of what is present', async () => {
  const one = await made({ tar: new TextEncoder().encode('no tar at all') }, BASE);
  const cut = one.layers[1]!.tar.subarray(0, 2500);
  const members = dockerSave(await made({ tar: one.layers[0]!.tar }, { tar: cut }));
  const { images } = await weigh(members);
  assert.equal(
    images[0]!.layers.map(({ sizes: { stored, content, docker } }) => [stored, content, docker]),
    [
      [13, null, null],
      [2500, 3000, null],
    ],
  );
  assert.is(images[0]!.unknown.length, 2);
});

test('a layer with other bytes than claimed has the size of its bytes, and that is noted', async () => {
  const one = await made(BASE, APP);
  const members = dockerSave(one);
  const layer = members.find(member => 'bytes' in member && member.bytes === one.layers[1]!.tar)!;
  const changed = flipByte(members, layer.path, 10_000);
  const { images } = await weigh(changed);
  assert.equal(
    images[0]!.faults.map(fault => [fault.layer, fault.kind]),
    [[1, 'changed']],
  );
  assert.equal(images[0]!.unknown, []);
  assert.match(await text(changed), /\n {2}changed {2}layer 2: expected the diff_id sha256:.* found sha256:/);
  const reading = await readArchive(saved(await toTar(changed)), { depth: 'files' });
  assert.is(sizes(reading).exitCode, 0);
});

test('an estimate is the size that gzip gives, and includes layers that need none', async () => {
  const one = await made(gzipped(BASE), APP);
  const file = saved(await toTar(ociLayout({ manifests: [platformManifest(one)] })));
  const reading = await readArchive(file, { depth: 'files' });
  const seen: number[] = [];
  const estimates = await estimateSizes(
    reading,
    {},
    { onProgress: (done, total) => seen.push(done / total) },
  );
  const [it] = sizesOf(reading, { estimates }).images;
  const packed = gzipSync(one.layers[1]!.tar, { level: 6 }).length;
  assert.equal(
    it!.layers.map(({ sizes: { compressed, estimated } }) => [compressed, estimated]),
    [
      [one.layers[0]!.size, null],
      [null, packed],
    ],
  );
  assert.equal([it!.sizes.compressed, it!.sizes.estimated], [null, one.layers[0]!.size + packed]);
  assert.is(seen.at(-1), 1);
});

test('compressed archives and directories can be estimated; a pipe cannot', async () => {
  const one = await made(BASE, APP);
  const tar = await toTar(dockerSave25(one));
  const packed = one.layers.map(layer => gzipSync(layer.tar, { level: 6 }).length);
  const folder = toDirectory(dockerSave25(one), temporary('estimate'));
  for (const file of [saved(compress(tar, 'gzip'), 'packed.tar.gz'), folder]) {
    const reading = await readArchive(file, { depth: 'files' });
    const [it] = sizesOf(reading, { estimates: await estimateSizes(reading, {}) }).images;
    assert.is(it!.sizes.estimated, packed[0]! + packed[1]!, file);
  }
  const reading = await readArchive(streamOf(tar), { depth: 'files' });
  assert.is(await estimateSizes(reading, {}), null);
  const said = toText(sizes(reading, { estimates: null }).doc, { width: null, color: false });
  assert.match(said, /cannot be estimated: .* pipe/);
});

test('the largest layer is listed first, with the instruction that created it', async () => {
  const said = await text(dockerSave25({ image: await made(BASE, APP), tags: ['a:1'] }));
  const rows = said.split('\n').filter(line => /^ +(\d|#)/.test(line));
  assert.match(rows[0]!, /^ +# +stored +compressed +unpacked +content +docker +made by$/);
  assert.match(rows[1]!, /2 layers$/);
  assert.match(rows[2]!, /^ +2 +\S+ kB +- +\S+ kB +20 kB +20 kB +RUN make$/);
  assert.match(rows[3]!, /^ +1 +\S+ kB +- +\S+ kB +3 kB +3 kB +ADD base.tar \/$/);
});

test('units: powers of 1000, powers of 1024, bytes', async () => {
  const members = dockerSave25({ image: await made(APP), tags: ['a:1'] });
  assert.match(await text(members), / 20 kB /);
  assert.match(await text(members, { units: 'binary' }), / 19\.5 KiB /);
  assert.match(await text(members, { units: 'bytes' }), / 20005 /);
});

async function rows(options: SizesOptions): Promise<string[]> {
  const members = dockerSave25(
    await made(BASE, APP, { files: { 'app/a.txt': 'hello again', 'app/b.txt': '!' } }),
  );
  const { breakdown } = (await weigh(members, options)).images[0]!;
  return breakdown!.rows.map(({ name, shipped, bytes, files }) => `${name} ${shipped} ${bytes} ${files}`);
}

test('a row of several layers names the first instruction that is a layer', async () => {
  const members = dockerSave25(await made(BASE, { files: { 'bin/b': 'b' } }, { files: { 'bin/c': 'c' } }));
  assert.match(await text(members, { by: 'directory' }), / layer 1 and 2 more layers: ADD base\.tar/);
});

test('breakdowns by directory, file, extension and layer', async () => {
  assert.equal(await rows({ by: 'directory' }), [' 23017 23012 4', 'app 20017 20012 3', 'bin 3000 3000 1']);
  assert.equal(await rows({ depth: 0 }), [' 23017 23012 4']);
  assert.equal(await rows({ top: 2 }), ['app/main.js 20000 20000 1', 'bin/sh 3000 3000 1']);
  assert.equal(await rows({ by: 'extension' }), ['.js 20000 20000 1', ' 3000 3000 1', '.txt 17 12 2']);
  assert.equal(await rows({ by: 'layer', where: ['**/*.txt'] }), ['2 12 12 2', '1 5 0 0']);
});

test('breakdowns are filtered and sorted', async () => {
  assert.equal(await rows({ by: 'file', where: ['app/*.txt'] }), ['app/a.txt 16 11 1', 'app/b.txt 1 1 1']);
  assert.equal(await rows({ by: 'file', where: ['/app'], sort: 'name', top: 1 }), ['app/a.txt 16 11 1']);
  assert.equal(await rows({ by: 'extension', sort: 'files' }), [
    '.txt 17 12 2',
    ' 3000 3000 1',
    '.js 20000 20000 1',
  ]);
  assert.equal(await rows({ by: 'file', where: ['nothing'] }), []);
});

test('options that contradict each other are refused', async () => {
  const members = dockerSave25(await made(BASE));
  try {
    await weigh(members, { by: 'file', depth: 2 });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, UsageError);
  }
});

test('by package: packages of the database, and other files', async () => {
  const status = 'Package: hello\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: amd64\n\n';
  const list = '/.\n/usr\n/usr/bin\n/usr/bin/hello\n/bin/hi\n';
  const files = {
    'usr/bin/hello': 'x'.repeat(100),
    'usr/bin/hi': 'y'.repeat(10),
    other: 'z',
    'var/lib/dpkg/status': status,
    'var/lib/dpkg/info/hello.list': list,
  };
  const one = await made(
    { files, entries: [{ path: 'bin', link: 'usr/bin' }] },
    { files: { 'usr/bin/hello': 'new' } },
  );
  const { breakdown } = (await weigh(dockerSave25(one), { by: 'package' })).images[0]!;
  const unowned = 1 + status.length + list.length;
  assert.equal(
    breakdown!.rows.map(({ name, package: owner, shipped, bytes, files: n }) => [
      name,
      owner?.version,
      shipped,
      bytes,
      n,
    ]),
    [
      ['', undefined, unowned, unowned, 3],
      ['hello', '1.0-1', 113, 13, 2],
    ],
  );
  assert.equal(breakdown!.notes, []);
});

test('names that are not UTF-8 are distinguished, and shown', async () => {
  const names = ['\xff', '\xfe', '</script>\x1b[31m'].map(name =>
    Buffer.from(name, 'latin1').toString('latin1'),
  );
  const { rawEntry, rawTar } = await import('../support/tar-blocks.js');
  const tar = rawTar(...names.map(name => rawEntry({ name }, 'x')));
  const members = dockerSave25({ image: await made({ tar: new Uint8Array(tar) }), tags: ['a:1'] });
  const { breakdown } = (await weigh(members, { by: 'file' })).images[0]!;
  assert.equal(breakdown!.rows.map(({ name }) => name).sort(), ['</script>\x1b[31m', '\udcfe', '\udcff']);
  assert.not.match(await text(members, { by: 'file' }), /\x1b/);
});

const withDocker = testWhen(test, hasDocker28, NO_SHARED_FOLDER);

withDocker('docker 28: the sizes that docker history and docker image inspect print', async () => {
  const history = readFileSync(docker28('expected/018.txt'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  const printed = history.map(({ Size }) => Number(Size)).filter(size => size > 0);
  for (const archive of [
    'docker28-save.tar',
    'docker28c-save.tar',
    'skopeo-oci-zstdchunked',
    'podman-docker-archive.tar',
  ]) {
    const reading = await readArchive(docker28(archive), { depth: 'files' });
    const [app] = sizesOf(reading).images;
    const layers = app!.layers.map(({ sizes: { docker } }) => docker!).filter(size => size > 0);
    assert.equal(layers.reverse(), printed, archive);
    assert.is(app!.sizes.docker, Number(readFileSync(docker28('expected/006.txt'), 'utf8')), archive);
  }
});

const withCorpus = testWhen(test, corpus().length > 0, NO_SHARED_FOLDER);

withCorpus('by package, on real images of each manager', async () => {
  const of = (id: string) => corpus().find(item => item.id === id)!.file;
  const expected: readonly (readonly [id: string, manager: string, name: string])[] = [
    ['trivy.alpine-310.tar.gz', 'apk', 'musl'],
    ['scancodeio.debian.tar.gz', 'dpkg', 'libndp0'],
  ];
  for (const [id, manager, name] of expected) {
    const options = { by: 'package' } as const;
    const reading = await readArchive(of(id), sizesReadOptions(options));
    const [it] = sizesOf(reading, options).images;
    const found = it!.breakdown!.rows.find(row => row.name === name);
    assert.is(found?.package?.manager, manager, id);
    assert.is(
      it!.breakdown!.rows.reduce((sum, row) => sum + row.shipped, 0),
      it!.sizes.content,
      id,
    );
  }
});

withCorpus("what dive's own tests expect of layers", async () => {
  const [expectation, ...others] = peerExpectations().filter(({ what }) => what === 'layer_regular_bytes');
  assert.is(others.length, 0);
  const { file } = corpus().find(({ id }) => id === expectation!.fixture)!;
  const [it] = sizesOf(await readArchive(file, { depth: 'files' })).images;
  assert.equal(
    it!.layers.map(layer => layer.sizes.content),
    expectation!.value,
  );
});

withCorpus('every real archive can be weighed every way', async () => {
  for (const { file, id } of corpus()) {
    const reading = await readArchive(file, sizesReadOptions({ by: 'package' })).catch(() => null);
    if (reading === null) continue;
    if (imagesIn(reading) === 0) {
      assert.throws(() => sizes(reading), /no image in it/, id);
      continue;
    }
    for (const by of ['layer', 'directory', 'file', 'extension', 'package'] as const) {
      const { doc, data } = sizes(reading, { by });
      assert.ok(toText(doc, { width: 80, color: true }).length > 100, `${id} ${by}`);
      assert.ok(JSON.stringify(data).length > 100);
    }
  }
});

test('a blob that one image lists as a layer and another as an encrypted one', async () => {
  const tagged = { image: await plainImage(), tags: ['app:1'] };
  const { parts } = await readArchive(saved(await toTar(dockerSave(tagged))), { depth: 'files' });
  const [layer] = parts[0]!.graph.images[0]!.layers;
  const weigh = weigher(parts[0]!.scan, null);
  const sizes = weigh(layer!);
  assert.is(weigh(layer!), sizes, 'weighed once');
  // An encrypted layer is transferred as stored; the compressed size of a plain layer depends on the compressor.
  assert.equal([sizes.compressed, weigh({ ...layer!, encrypted: true }).compressed], [null, sizes.stored]);
  assert.is.not(sizes.stored, null);
});

test.run();
