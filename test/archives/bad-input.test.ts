// Hostile and damaged input: each results in a report or a clear message, quickly, with everything that could be read.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parsePlatform, type ReadOptions, readArchive, selectImages } from '../../src/commands.js';
import { encodedOf, goJson } from '../support/digest.js';
import { assemble, image, layerOf, plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { compress, toTar, toZip } from '../support/pack.js';
import { codes, type Reading, readInput, readMembers, refusal, saved, streamOf } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const item = await plainImage('item', 2, 'gzip');
const TAGGED = { image: item, tags: ['app:1'] };
const oci = layouts.skopeoOci(TAGGED);
const save = layouts.dockerSave(TAGGED);

/** As a tar file and as a stream, because both have their own code. */
async function* bothWays(
  members: readonly layouts.Member[],
  options: ReadOptions = {},
): AsyncGenerator<Reading> {
  const tar = await toTar(members);
  yield await readInput(saved(tar, 'hostile.tar'), options);
  yield await readInput(streamOf(tar), options);
}

function within(seconds: number, name: string, run: () => Promise<void>): void {
  test(name, async () => {
    const start = performance.now();
    await run();
    const took = (performance.now() - start) / 1000;
    assert.ok(took < seconds, `took ${took.toFixed(1)} s, more than ${seconds} s`);
  });
}

const found = ({ report }: Reading, code: string) => report.findings.filter(finding => finding.code === code);

const REFUSED: readonly (readonly [string, () => string | Promise<string>, RegExp])[] = [
  ['no such file', () => '/nowhere/image.tar', /no such file or directory/],
  ['an empty file', () => saved(new Uint8Array(0), 'empty.tar'), /empty \(0 bytes\)[\s\S]*cut short/],
  [
    'a text',
    () => saved(Buffer.from('hello world\n'), 'text.tar'),
    /not an image archive but text, beginning "hello world/,
  ],
  [
    'a web page',
    () => saved(Buffer.from('<!DOCTYPE html><html>'), 'page.tar'),
    /an HTML page \(a login or error page/,
  ],
  ['JSON', () => saved(Buffer.from('{"errors":[]}'), 'json.tar'), /a JSON document/],
  [
    'a program',
    () => saved(Buffer.from(`\x7fELF${'\0'.repeat(600)}`, 'latin1'), 'program'),
    /an ELF program/,
  ],
  ['zeros', () => saved(new Uint8Array(10240), 'zeros.tar'), /a tar with nothing in it/],
  ['gzip of a text', () => saved(gzipSync('hello'), 'text.gz'), /gzip data with no tar in it, but text/],
  ['gzip of nothing', () => saved(gzipSync(''), 'nothing.gz'), /gzip data with no tar in it, but nothing/],
  [
    'a source archive',
    async () =>
      saved(await toTar([layouts.file('src/a.c', 'int a;'), layouts.file('README', '')]), 'src.tar'),
    /no manifest\.json, index\.json, oci-layout or repositories \(it holds src\/a\.c, README\)/,
  ],
  [
    'a zip cut short',
    () => saved(toZip(oci).subarray(0, 700), 'cut.zip'),
    /the zip cannot be read[\s\S]*cut short/,
  ],
  ['a directory that is no layout', () => folderOf({ 'a.txt': '' }), /a directory that is no image layout/],
  ['an empty directory', () => folderOf({}), /a directory that is no image layout/],
];

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = temporary('folder');
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  mkdirSync(join(folder, 'sub'));
  return folder;
}

for (const [name, make, message] of REFUSED) {
  test(`refused: ${name}`, async () => {
    const file = await make();
    const error = await refusal(readArchive(file));
    assert.match(error.message, message);
    assert.ok(error.message.startsWith(file), 'names what it is about');
    if (name !== 'no such file') assert.ok(error.remedy !== null, 'says what to do');
  });
}

test('refused: an empty pipe', async () => {
  assert.match(
    (await refusal(readArchive(streamOf(new Uint8Array(0))))).message,
    /nothing came in[\s\S]*before the pipe/,
  );
});

test('a platform that the archive lacks: the present and the listed ones are named', async () => {
  const arm = await image({
    layers: [{ files: { a: 'a' } }],
    platform: { os: 'linux', architecture: 'arm64' },
  });
  const { reading } = await readMembers(
    layouts.buildxOci({ platforms: [item], missing: [arm], tags: ['app:1'] }),
  );
  const choose = async () => selectImages(reading, { platform: parsePlatform('linux/s390x')! });
  const error = await refusal(choose());
  assert.match(
    error.message,
    /no image for linux\/s390x[\s\S]*It has linux\/amd64\. Listed, but not in the archive: linux\/arm64/,
  );
});

test('an ambiguous reference: the candidates are listed', async () => {
  const { reading } = await readMembers(
    layouts.cranePull([
      TAGGED,
      { image: await plainImage('b', 1), tags: ['b:1'] },
      { image: await plainImage('c', 1), tags: ['b:1'] },
    ]),
  );
  const error = await refusal((async () => selectImages(reading, { ref: 'b:1' }))());
  assert.match(error.message, /"b:1" means 2 images/);
  assert.is((error.remedy ?? '').match(/sha256:[0-9a-f]{64}/g)?.length, 2);
  const none = await refusal((async () => selectImages(reading, { ref: 'nothing:1' }))());
  assert.match(none.message, /no image "nothing:1"[\s\S]*app:1/);
  assert.is(selectImages(reading, { ref: encodedOf(item.imageId).slice(0, 12) }).size, 1);
});

// Documents

const FALSE = `sha256:${'1'.repeat(64)}`;
const entry = (digest: string, mediaType: string = layouts.MEDIA.index) => ({ mediaType, digest, size: 1 });
const lying = (digest: string, lists: readonly object[]) =>
  layouts.file(layouts.blobPath(digest), goJson({ schemaVersion: 2, manifests: lists }));

/** A sound layout whose index.json lists further entries, after or before its own. */
const listing = (...more: readonly object[]) =>
  layouts.replaceBytes(oci, 'index.json', bytes => {
    const document = JSON.parse(Buffer.from(bytes).toString());
    return goJson({ ...document, manifests: [...document.manifests, ...more] });
  });

within(2, 'an index that lists itself does not hide the image beside it', async () => {
  for await (const read of bothWays([...listing(entry(FALSE)), lying(FALSE, [entry(FALSE)])])) {
    assert.equal(
      read.report.images.map(({ imageId }) => imageId),
      [item.imageId],
    );
    assert.is(found(read, 'index-cycle').length, 1);
    assert.is(found(read, 'digest-mismatch').length, 1);
    assert.is(read.exitCode, 1);
  }
});

within(20, 'ten thousand indexes, each in the one before', async () => {
  let inner: layouts.Content = layouts.manifestOf(item);
  const blobs = [...inner.blobs];
  for (let i = 0; i < 10_000; i++) {
    inner = layouts.indexOf([{ descriptor: inner.descriptor, blobs: [] }]);
    blobs.push(...inner.blobs);
  }
  const good = layouts.described(layouts.manifestOf(item), {
    annotations: { [layouts.REF_ANNOTATION]: 'app:1' },
  });
  const members = layouts.ociLayout({ manifests: [good, { ...inner, blobs }] });
  const read = await readInput(streamOf(await toTar(members)));
  assert.equal(
    read.report.images.map(({ names }) => names),
    [['app:1']],
  );
  assert.equal(
    found(read, 'limit-reached').map(({ data }) => data),
    [{ limit: 'indexDepth', value: 20, seen: null }],
  );
  assert.is(read.exitCode, 1);
});

within(4, 'an index of twenty thousand manifests that are not here', async () => {
  const absent = Array.from({ length: 20_000 }, (_, i) =>
    entry(`sha256:${String(i).padStart(64, '0')}`, layouts.MEDIA.manifest),
  );
  for await (const read of bothWays(listing(...absent))) {
    assert.equal(
      read.report.images.map(({ imageId }) => imageId),
      [item.imageId],
    );
    assert.is(found(read, 'limit-reached').length, 1);
    assert.is(found(read, 'manifest-missing').length + found(read, 'platform-absent').length, 100);
  }
});

const DEEP = 200_000;
const nested = `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`;

within(6, 'JSON nested two hundred thousand deep, wherever it stands', async () => {
  const v1Json = save.find(({ path }) => path.endsWith('/json'))!.path;
  const cases: readonly (readonly [string, layouts.Member[]])[] = [
    ['manifest.json', layouts.replaceBytes(save, 'manifest.json', () => nested)],
    [
      'an item',
      layouts.replaceBytes(save, 'manifest.json', bytes =>
        Buffer.from(bytes).toString().replace('"Config"', `"X":${nested},"Config"`),
      ),
    ],
    ['config', layouts.replaceBytes(save, `${encodedOf(item.imageId)}.json`, () => `{"x":${nested}}`)],
    [
      'v1',
      layouts.replaceBytes(save, v1Json, bytes =>
        Buffer.from(bytes).toString().replace('{', `{"x":${nested},`),
      ),
    ],
    ['repositories', layouts.replaceBytes(save, 'repositories', () => `{"x":${nested}}`)],
    ['index', layouts.replaceBytes(oci, 'index.json', () => `{"manifests":${nested}}`)],
    ['descriptor', listing({ mediaType: layouts.MEDIA.manifest, size: 1, digest: '@' })],
  ];
  for (const [name, members] of cases) {
    const deep = members.map(m =>
      layouts.isFile(m)
        ? {
            ...m,
            bytes: Buffer.from(Buffer.from(m.bytes).toString('latin1').replace('"@"', nested), 'latin1'),
          }
        : m,
    );
    for await (const { report } of bothWays(deep)) {
      const limits = report.findings.filter(({ code }) => code === 'limit-reached');
      assert.ok(limits.length > 0, name);
      for (const { message } of limits)
        assert.match(message, /nests deeper.*\(--limit documentDepth=2000 /, name);
      assert.ok(JSON.stringify(report).length < 200_000, name);
    }
  }
});

within(8, 'a document of more than 20 MiB is not read, and the rest is reported', async () => {
  const huge = Buffer.alloc(21 * 1024 * 1024, ' ');
  huge.write('{"schemaVersion":2}');
  const two = layouts.skopeoOci([TAGGED, await plainImage('other', 1, 'gzip')]);
  const manifests = (layouts.memberJson(two, 'index.json') as { manifests: { digest: string }[] }).manifests;
  const big = layouts.blobPath(manifests[1]!.digest);
  for await (const read of bothWays(layouts.replaceBytes(two, big, () => huge))) {
    assert.equal(
      read.report.images.map(({ imageId }) => imageId),
      [item.imageId],
    );
    assert.equal(
      found(read, 'limit-reached').map(({ at, data }) => [at.path, data]),
      [[big, { limit: 'documentBytes', value: 20 * 1024 * 1024, seen: huge.length }]],
    );
    assert.is(read.exitCode, 1);
    assert.is(read.report.verdicts.intact, false, 'its digest and size are wrong');
  }
  for await (const read of bothWays(layouts.replaceBytes(oci, 'index.json', () => huge))) {
    assert.equal(
      found(read, 'limit-reached').map(({ at }) => at.path),
      ['index.json'],
    );
    assert.is(read.report.verdicts.intact, null, 'what was not read is not judged');
  }
});

within(4, 'hostile keys are data', async () => {
  const keys =
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"hasOwnProperty":1}';
  const hostile = layouts.replaceBytes(save, 'manifest.json', bytes => {
    const [document] = JSON.parse(Buffer.from(bytes).toString());
    return `[${JSON.stringify({ ...document, LayerSources: 0 }).replace('"LayerSources":0', `"LayerSources":${keys}`)}]`;
  });
  for await (const { report } of bothWays(layouts.replaceBytes(hostile, 'repositories', () => keys))) {
    assert.is(report.images.length, 1);
    assert.is(({} as { polluted?: number }).polluted, undefined);
  }
});

// Bombs

/** Zeros as gzip with many members, which is quick to make. */
function zerosAsGzip(bytes: number): Buffer {
  const part = 100 * 1024 * 1024;
  const member = gzipSync(Buffer.alloc(part), { level: 9 });
  return Buffer.concat(Array.from({ length: Math.ceil(bytes / part) }, () => member));
}

async function withBlob(blob: Uint8Array): Promise<layouts.Member[]> {
  const [kept] = item.layers;
  const tar = kept!.tar;
  const base = await image({ layers: [{ tar }, { tar }] });
  return layouts.skopeoOci({
    image: assemble(base.configBytes, [kept!, layerOf(tar, blob, 'gzip')]),
    tags: ['bomb:1'],
  });
}

const bomb = zerosAsGzip(1.2e9);

within(12, 'a gzip bomb of 1.2 GB in a layer, by the real limits', async () => {
  assert.ok(bomb.length < 2e6);
  const read = await readMembers(await withBlob(bomb));
  const [limit] = found(read, 'limit-reached');
  assert.equal(limit?.data, { limit: 'unpackedRatio', value: 200, seen: 878, enough: 1032 });
  assert.is(limit?.at.path, read.report.images[0]!.layers[1]!.path);
  assert.is(read.exitCode, 1);
  const [good, bad] = read.report.images[0]!.layers;
  assert.is(good!.diffId, item.diffIds[0]);
  assert.is(bad!.diffId, null);
  assert.is(bad!.size, bomb.length, 'its digest and size are known all the same');
});

within(4, 'a gzip bomb in a layer of a stream, by a small limit', async () => {
  const members = await withBlob(compress(new Uint8Array(30_000_000), 'gzip'));
  const options = { limits: { unpackedFree: 1_000_000, unpackedRatio: 100 } };
  for await (const read of bothWays(members, options)) assert.is(found(read, 'limit-reached').length, 1);
});

within(8, 'a gzip bomb as the archive itself', async () => {
  for (const input of [saved(bomb, 'bomb.tar.gz'), streamOf(bomb)]) {
    assert.match((await refusal(readArchive(input))).message, /a tar with nothing in it/);
  }
});

within(8, 'an archive that goes on in zeros after its end', async () => {
  const tar = compress(await toTar(oci), 'gzip');
  const read = await readInput(saved(Buffer.concat([tar, bomb]), 'tail.tar.gz'));
  assert.is(read.report.images.length, 1);
});

within(8, 'ten thousand members', async () => {
  const many = Array.from({ length: 10_000 }, (_, i) => layouts.file(`blobs/sha256/odd-${i}`, ''));
  const tar = await toTar([...oci, ...many]);
  const read = await readInput(saved(tar, 'many.tar'), { depth: 'metadata' });
  assert.is(read.report.images.length, 1);
  assert.is(found(read, 'blob-name-odd').length, 100);
});

test('names with control characters are safe in a report', async () => {
  const evil = 'app\u001b]0;owned\u0007:1\n\u202e';
  const members = layouts.replaceBytes(save, 'manifest.json', bytes => {
    const [document] = JSON.parse(Buffer.from(bytes).toString());
    return JSON.stringify([{ ...document, RepoTags: [evil] }]);
  });
  const { report } = await readMembers(members);
  assert.equal(report.images[0]!.names, [evil]);
  assert.ok(codes(report.findings).includes('name-invalid'));
});

test('links in circles, or to nothing, are detected', async () => {
  const path = save.find(({ path }) => path.endsWith('layer.tar'))!.path;
  const rest = layouts.without(save, path);
  for (const links of [
    [{ path, link: 'layer.tar' }],
    [
      { path, link: '../loop' },
      { path: 'loop', link: path },
    ],
    [{ path, link: '/etc/passwd' }],
    [{ path, link: '../../../../etc/passwd' }],
    [{ path, link: path, hard: true }],
  ]) {
    const { report, exitCode } = await readMembers([...rest, ...links]);
    assert.ok(codes(report.findings).includes('layer-missing'), JSON.stringify(links));
    assert.is(exitCode, 1);
  }
});

test.run();
