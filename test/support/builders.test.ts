// The fixture builder compared with real tools and real archives: it must write what the producers write.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeSamples } from '../../samples/make.js';
import { repositoryRoot, skipUnless, testWhen } from './corpus.js';
import { digestOf, hexOf } from './digest.js';
import { type Image, image, plainImage } from './image.js';
import * as layouts from './layouts.js';
import { compress, deliveries, fromTar, hasCommand, toDirectory, toTar, toZip } from './pack.js';
import { temporary } from './tmp.js';

const folder = temporary('support');
const withSkopeo = testWhen(test, hasCommand('skopeo'), 'skopeo is not installed');
const withUmoci = testWhen(test, hasCommand('umoci'), 'umoci is not installed');
const withPython = testWhen(test, hasCommand('python3'), 'python3 is not installed');
const withUnzip = testWhen(test, hasCommand('unzip'), 'unzip is not installed');
const withTar = testWhen(test, hasCommand('tar'), 'tar is not installed');

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.is(status, 0, `${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

async function archive(name: string, members: readonly layouts.Member[]): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, await toTar(members));
  return path;
}

const example = (compression: 'none' | 'gzip' = 'none'): Promise<Image> =>
  image({
    platform: { os: 'linux', architecture: 'amd64' },
    layers: [
      { files: { 'etc/os-release': 'ID=one\n', 'bin/sh': { mode: 0o755, bytes: '<&>' } }, compression },
      { emptyLayer: true, createdBy: 'ENV A=<1>' },
      { files: { 'etc/.wh.os-release': '' }, compression },
      { files: { 'bin/sh': { mode: 0o755, bytes: '<&>' } }, compression },
    ],
  });

const TAGS = { tags: ['hello:1.0', 'example.test:5000/team/hello:2'] };

test('an image has correct metadata, and is the same each time', async () => {
  const [one, two] = [await example('gzip'), await example('gzip')];
  assert.is(one.imageId, two.imageId);
  assert.equal(
    one.layers.map(({ digest }) => digest),
    two.layers.map(({ digest }) => digest),
  );
  assert.is(one.imageId, digestOf(one.configBytes));
  assert.equal(one.config.rootfs.diff_ids, one.diffIds);
  assert.is(one.chainIds[1], digestOf(`${one.diffIds[0]} ${one.diffIds[1]}`));
  assert.is(one.config.history.filter(step => step.empty_layer !== true).length, one.layers.length);
  const members = await fromTar(one.layers[0]!.tar);
  assert.equal(
    members.map(({ path }) => path),
    ['etc/', 'etc/os-release', 'bin/', 'bin/sh'],
  );
});

/** Each row that skopeo 1.9 reads, with its transport and the reference after the file name. */
const ROWS: readonly (readonly [string, (item: Image) => layouts.Member[], string, string])[] = [
  ['B', item => layouts.dockerSave({ image: item, ...TAGS }), 'docker-archive', ':hello:1.0'],
  ['C', item => layouts.dockerSave25({ image: item, ...TAGS }), 'docker-archive', ':hello:1.0'],
  [
    'C as a layout',
    item => layouts.dockerSave25({ image: item, tags: ['hello:1.0'] }),
    'oci-archive',
    ':1.0',
  ],
  ['D', item => layouts.dockerContainerd({ image: item, ...TAGS }), 'oci-archive', ':2'],
  ['D as docker', item => layouts.dockerContainerd({ image: item, ...TAGS }), 'docker-archive', ':hello:1.0'],
  ['E', item => layouts.buildxOci({ platforms: [item], ...TAGS, attestations: true }), 'oci-archive', ':1.0'],
  ['F', item => layouts.podmanDockerArchive({ image: item, ...TAGS }), 'docker-archive', ':hello:1.0'],
  ['G', item => layouts.skopeoOci({ image: item, ...TAGS }), 'oci-archive', ':hello:1.0'],
  ['I', item => layouts.cranePull({ image: item, ...TAGS }), 'docker-archive', ':hello:1.0'],
  ['J', item => layouts.jib({ image: item, ...TAGS }), 'docker-archive', ':hello:1.0'],
  ['K', item => layouts.rulesOci({ image: item, ...TAGS }), 'docker-archive', ':hello:1.0'],
  [
    'K as a layout',
    item => layouts.rulesOci({ image: item, tags: ['x:1'] }, { format: 'oci' }),
    'oci-archive',
    ':x:1',
  ],
  ['L', item => layouts.nixDockerTools({ image: item, ...TAGS }), 'docker-archive', ':hello:1.0'],
  ['M', item => layouts.regctl({ image: item, ...TAGS }), 'oci-archive', ':1.0'],
  ['M as docker', item => layouts.regctl({ image: item, ...TAGS }), 'docker-archive', ':hello:1.0'],
  ['N', item => layouts.containerify({ image: item, ...TAGS }), 'docker-archive', ':hello:1.0'],
  ['P', item => layouts.orasBackup([item, { image: item, tags: ['v1'] }]), 'oci-archive', ':v1'],
];

for (const [row, make, transport, reference] of ROWS) {
  withSkopeo(`skopeo reads row ${row} with our image ID`, async () => {
    const item = await example('gzip');
    const path = await archive(`row-${row.replaceAll(' ', '-')}.tar`, make(item));
    const source = `${transport}:${path}${reference}`;
    const platform = ['--override-os', 'linux', '--override-arch', 'amd64'];
    assert.is(digestOf(run('skopeo', ...platform, 'inspect', '--config', '--raw', source)), item.imageId);
    run('skopeo', ...platform, '--insecure-policy', 'copy', source, `dir:${temporary('copy')}`);
  });
}

withSkopeo('skopeo reads its own dir: form, of one image and of a list', async () => {
  const item = await example('gzip');
  const path = toDirectory(layouts.skopeoDir(item), join(folder, 'dir'));
  assert.is(digestOf(run('skopeo', 'inspect', '--config', '--raw', `dir:${path}`)), item.imageId);
  const arm = await plainImage('arm', 1, 'gzip');
  const list = toDirectory(layouts.skopeoDir({ platforms: [item, arm] }), join(folder, 'dir-list'));
  assert.match(run('skopeo', 'inspect', '--raw', `dir:${list}`), 'manifest.list.v2');
});

withUmoci('umoci lists and unpacks a layout', async () => {
  const item = await example('gzip');
  const path = toDirectory(layouts.skopeoOci({ image: item, tags: ['v1'] }), join(folder, 'umoci'));
  assert.is(run('umoci', 'list', '--layout', path).trim(), 'v1');
  const bundle = join(temporary('bundle'), 'b');
  run('umoci', 'unpack', '--rootless', '--image', `${path}:v1`, bundle);
  assert.equal(readdirSync(join(bundle, 'rootfs', 'etc')), []);
});

withPython("python's tarfile lists the same members", async () => {
  const long = `${'deep/'.repeat(60)}file`;
  const members = [...layouts.dockerSave([await example(), await plainImage()]), layouts.file(long, 'x')];
  const path = await archive('members.tar', [
    ...members,
    { path: 'hard', link: 'manifest.json', hard: true },
  ]);
  const script = 'import tarfile,sys\nfor m in tarfile.open(sys.argv[1]): print(m.name, m.linkname, m.size)';
  const expected = members.map(member => {
    const link = 'link' in member ? member.link : '';
    return `${member.path.replace(/\/$/, '')} ${link} ${'bytes' in member ? member.bytes.length : 0}`;
  });
  assert.is(run('python3', '-c', script, path), `${[...expected, 'hard manifest.json 0'].join('\n')}\n`);
});

withTar('tar options: prefix, no end marker, trailing bytes, duplicate names', async () => {
  const twice = [layouts.file('a', '1'), layouts.file('a', '22')];
  const path = join(folder, 'twice.tar');
  writeFileSync(path, await toTar(twice, { prefix: './' }));
  assert.is(run('tar', 'tf', path), './a\n./a\n');
  assert.is((await toTar(twice)).length, 4 * 512 + 1024);
  assert.is((await toTar(twice, { endMarker: false, trailing: new Uint8Array(7) })).length, 4 * 512 + 7);
});

withUnzip('unzip and python accept our zips', async () => {
  const members = layouts.podmanDockerArchive({ image: await example(), ...TAGS });
  for (const deflate of [false, true]) {
    const path = join(folder, `ours-${deflate}.zip`);
    writeFileSync(path, toZip(members, { deflate }));
    assert.match(run('unzip', '-t', path), 'No errors detected');
    const names = run('unzip', '-Z1', path).trim().split('\n');
    assert.equal(
      names,
      members.map(({ path: name }) => name),
    );
  }
});

test('every delivery is written, and a directory holds what the tar holds', async () => {
  const members = layouts.dockerSave25({ image: await example(), ...TAGS });
  const made = await deliveries(members, join(folder, 'deliveries'));
  assert.is(made.length, hasCommand('zstd') ? 8 : 7);
  const tar = readFileSync(made[0]!.file);
  assert.equal(
    (await fromTar(tar)).map(({ path }) => path),
    members.map(({ path }) => path),
  );
  assert.ok(gunzipSync(readFileSync(made[1]!.file)).equals(tar));
  const directory = made.find(({ kind }) => kind === 'directory')!.file;
  for (const member of members.filter(layouts.isFile)) {
    assert.ok(readFileSync(join(directory, member.path)).equals(member.bytes), member.path);
  }
});

test('OCI helpers: sha512, inline data, foreign and encrypted layers, artifacts, sparse indexes', async () => {
  const item = await image({
    layers: [{ files: { a: 'a' }, urls: ['https://example.test/a'], absent: true, compression: 'gzip' }],
  });
  const members = layouts.ociLayout({ manifests: [layouts.manifestOf(item, { algorithm: 'sha512' })] });
  const blobs = members.filter(layouts.isFile).filter(({ path }) => path.startsWith('blobs/'));
  assert.is(blobs.length, 2);
  for (const { path, bytes } of blobs) assert.is(path, `blobs/sha512/${hexOf(bytes, 'sha512')}`);
  const manifest = layouts.manifestOf(item, { encrypted: true, inlineData: true });
  const parsed = JSON.parse(new TextDecoder().decode(manifest.blobs[0]!.bytes));
  assert.is(parsed.layers[0].mediaType, `${layouts.MEDIA.foreignLayer}+gzip+encrypted`);
  assert.equal(parsed.layers[0].urls, ['https://example.test/a']);
  assert.equal(Buffer.from(parsed.config.data, 'base64'), Buffer.from(item.configBytes));
  const sbom = layouts.artifact({ type: 'application/spdx+json', subject: manifest });
  assert.is(sbom.descriptor.artifactType, 'application/spdx+json');
  const gone = layouts.sparse(layouts.indexOf([manifest]), digest => digest === manifest.descriptor.digest);
  assert.is(gone.blobs.length, 2);
});

test('Docker 1.10 writes a repeated layer as a symlink to the first one', async () => {
  const layer = { files: { same: 'same' } };
  const members = layouts.dockerSave(await image({ layers: [layer, layer] }));
  const [link, ...more] = members.filter(layouts.isLink);
  assert.is(more.length, 0);
  assert.ok(members.some(({ path }) => `../${path}` === link?.link));
});

const DEFLATED = /oci|podman/;
/** The digest of a known text as gzip, by the zlib that made the samples. */
const ZLIB = '6ee976ea1bf05c22e5639b25ddb74fa8bb392e58fb99c9c22446e3462f2c810f';

test('the samples in the repository are what make.ts writes', async () => {
  const made = temporary('samples');
  await makeSamples(made);
  // Deflated bytes depend on the version of zlib: they are compared only with the version that made the samples.
  const sameZlib = hexOf(compress(Buffer.from('waybill '.repeat(99)), 'gzip')) === ZLIB;
  for (const name of readdirSync(made)) {
    if (DEFLATED.test(name) && skipUnless(sameZlib, `${name}: this zlib deflates differently`)) continue;
    const kept = readFileSync(join(repositoryRoot, 'samples', name));
    assert.ok(kept.equals(readFileSync(join(made, name))), `${name}: run node dist/samples/make.js`);
  }
});

test.run();
