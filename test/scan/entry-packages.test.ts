// Metadata of packages is read as the bytes of a layer pass: the same on every way to read, in pieces, and on threads.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packagesReadOptions, packagesReport } from '../../src/commands/packages/index.js';
import { readArchive } from '../../src/commands.js';
import { nameAt } from '../../src/scan/entries/table.js';
import { goExecutable } from '../support/go-executable.js';
import { image, type LayerSpec } from '../support/image.js';
import { tarFacts } from '../support/layer-facts.js';
import * as layouts from '../support/layouts.js';
import { compress, deliveries, toTar } from '../support/pack.js';
import { saved, streamOf } from '../support/reading.js';
import { tarBytes } from '../support/tar.js';
import { temporary } from '../support/tmp.js';
import { toZip } from '../support/zip.js';

const POM = 'groupId=org.acme\nartifactId=tool\nversion=2.0\n';
const JAR = toZip([layouts.file('META-INF/maven/org.acme/tool/pom.properties', POM)], { deflate: true });
const MODULES = 'mod\texample.org/app\tv1.0.0\t\n';
const FILES = {
  'app/node_modules/a/package.json': '{"name":"a","version":"1"}',
  'usr/lib/six-1.16.0.egg-info': `Name: six\nVersion: 1.16.0\n\n${'a description\n'.repeat(40_000)}`,
  'usr/bin/new': goExecutable({ version: 'go1.22.3', modules: MODULES, code: 400_000 }),
  'usr/bin/old': goExecutable({ version: 'go1.17.1', modules: MODULES, form: 'pointers', code: 400_000 }),
  'srv/tool.jar': JAR,
  'usr/bin/script': '#!/bin/sh\n',
};
const EXPECTED = [
  'app/node_modules/a/package.json a 1',
  'srv/tool.jar tool 2.0',
  'usr/bin/new example.org/app v1.0.0',
  'usr/bin/new stdlib 1.22.3',
  'usr/bin/old example.org/app v1.0.0',
  'usr/bin/old stdlib 1.17.1',
  'usr/lib/six-1.16.0.egg-info six 1.16.0',
];
const LAYER = await tarBytes(Object.entries(FILES).map(([path, bytes]) => ({ path, bytes })));
const WANTED = { contents: { packages: true } } as const;

for (const piece of [LAYER.length, 65_536, 511])
  test(`packages of a layer, ${piece} bytes at a time`, () => {
    const table = tarFacts(LAYER, { ...WANTED, piece }).table!;
    const { found, problems, largest } = table.contents!.packages!;
    const told = found.map(({ index, name, version }) => `${nameAt(table, index)} ${name} ${version}`);
    assert.equal([told.sort(), problems, largest], [EXPECTED, [], null]);
  });

test('nothing is searched unless it is asked for, and secrets and digests are read beside it', () => {
  assert.is(tarFacts(LAYER, { contents: { digests: true } }).table!.contents!.packages, null);
  const contents = { packages: true, secrets: true, digests: true, keep: ['**/package.json'] };
  const all = tarFacts(LAYER, { contents }).table!.contents!;
  assert.equal([all.packages!.found.length, all.kept.length], [EXPECTED.length, 1]);
  assert.ok(all.secrets !== null && all.digests.length > 0);
});

test('a file in which the layer ends', () => {
  const table = tarFacts(LAYER.subarray(0, 520), WANTED).table!;
  assert.equal(table.contents!.packages, {
    found: [],
    problems: [{ index: 0, reason: 'the layer ends in it' }],
    largest: null,
  });
});

async function told(input: string | AsyncIterable<Uint8Array>, jobs?: number): Promise<string[]> {
  const { images } = packagesReport(await readArchive(input, { ...packagesReadOptions, jobs }));
  return images[0]!.packages.map(({ type, name, version, layer }) => `${layer} ${type} ${name} ${version}`);
}

const layersOf = async (...layers: readonly LayerSpec[]) =>
  layouts.skopeoOci({ image: await image({ layers }), tags: ['app:1'] });

test('packages are the same on every way to read', async () => {
  const members = await layersOf({ tar: LAYER, compression: 'gzip' }, { files: { 'b.jar': JAR } });
  const tar = await toTar(members);
  const expected = await told(saved(tar, 'packages.tar'));
  // Both executables state the same module.
  assert.is(expected.length, EXPECTED.length - 1);
  for (const { kind, file } of await deliveries(members, temporary('packages')))
    assert.equal(await told(file), expected, kind);
  assert.equal(await told(streamOf(tar)), expected, 'from a pipe');
  assert.equal(await told(streamOf(compress(tar, 'gzip'))), expected, 'packed, from a pipe');
});

test('packages are the same on worker threads', async () => {
  const members = await layersOf({ tar: LAYER, compression: 'gzip' });
  // Members below 32 MiB are read without workers.
  const tar = await toTar([...members, layouts.file('blobs/sha256/more', new Uint8Array(40_000_000))]);
  const path = saved(tar, 'threads.tar');
  assert.equal(await told(path, 2), await told(path, 1));
});

test.run();
