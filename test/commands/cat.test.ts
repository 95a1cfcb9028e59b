// `waybill cat`: the exact bytes of one file, from every kind of source.
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CatOptions, cat } from '../../src/commands/cat.js';
import { assemble, image, type Layer, type LayerSpec, layerOf } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { canCompress, compress, deliveries, toTar } from '../support/pack.js';
import { cutBeforeManifest, refusal, saved, streamOf } from '../support/reading.js';
import { paxEntry, rawEntry, rawTar } from '../support/tar-blocks.js';
import { temporary } from '../support/tmp.js';

async function run(input: string | AsyncIterable<Uint8Array>, path: string, options: CatOptions = {}) {
  const parts: Uint8Array[] = [];
  const put = async (bytes: Uint8Array) => void parts.push(bytes);
  const result = await cat(input, path, put, options);
  return { bytes: Buffer.concat(parts), parts, ...result };
}

const print = async (...args: Parameters<typeof run>) => (await run(...args)).bytes.toString('latin1');

const RANDOM = randomBytes(700_000);
const item = await image({
  layers: [
    {
      files: {
        'etc/config': 'version 1\n',
        'etc/kept': 'kept',
        random: RANDOM,
        'usr/lib/release': 'release',
        'etc/os-release': { type: 'symlink', link: '../usr/lib/release' },
        loop: { type: 'symlink', link: 'pool' },
        pool: { type: 'symlink', link: '/loop' },
        out: { type: 'symlink', link: '../../../../../etc/kept' },
        dangling: { type: 'symlink', link: 'no/where' },
        empty: '',
        hard: { type: 'link', link: 'etc/kept' },
        'dev/null': { type: 'character-device', device: [1, 3] },
      },
      compression: 'gzip',
    },
    {
      files: { 'etc/config': 'version 2\n', 'etc/.wh.kept': '' },
      compression: canCompress('zstd') ? 'zstd' : 'gzip',
    },
  ],
});
const members = layouts.dockerSave25([{ image: item, tags: ['app:1'] }]);
const FILE = saved(await toTar(members), 'cat.tar');

for (const [path, content] of [
  ['etc/config', 'version 2\n'],
  ['/etc/config', 'version 2\n'],
  ['./etc/../etc//config', 'version 2\n'],
  ['etc/os-release', 'release'],
  ['hard', 'kept'],
  ['empty', ''],
] as const) {
  test(`prints ${path}`, async () => {
    const { bytes, notes, exitCode } = await run(FILE, path);
    assert.equal([bytes.toString(), notes, exitCode], [content, [], 0]);
  });
}

test('a large file is printed exactly', async () => {
  const { bytes, parts } = await run(FILE, 'random');
  assert.ok(bytes.equals(RANDOM));
  assert.ok(parts.length > 1);
});

test('--in prints the file as it is after a layer', async () => {
  assert.is(await print(FILE, 'etc/config', { in: '1' }), 'version 1\n');
  assert.is(await print(FILE, 'etc/kept', { in: '1' }), 'kept');
  assert.is(await print(FILE, 'out', { in: '1' }), 'kept');
  assert.is(await print(FILE, 'etc/os-release', { in: item.diffIds[1]!.slice(7, 20) }), 'release');
  await refusal(run(FILE, 'etc/config', { in: '3' }));
});

for (const [path, words] of [
  ['etc/kept', /there is no etc\/kept/],
  ['no/such', /there is no no/],
  ['dangling', /there is no no/],
  ['out', /there is no etc\/kept/],
  ['loop', /lead in a circle/],
  ['etc/config/x', /etc\/config is no directory/],
  ['etc', /is a directory/],
  ['/', /is a directory/],
  ['dev/null', /is a character device/],
] as const) {
  test(`refuses ${path}`, async () => {
    const { message } = await refusal(run(FILE, path));
    assert.match(message, words);
  });
}

const DELETED = saved(
  await toTar(
    layouts.dockerSave25([
      {
        image: await image({
          layers: [
            {
              files: {
                'root/key.pem': 'PRIVATE',
                'opaque/secret': 's',
                lib: { type: 'symlink', link: 'usr/lib' },
              },
            },
            { files: { 'usr/lib/x': 'x', 'root/key.pem': 'SECOND' } },
            { files: { 'root/.wh.key.pem': '', 'opaque/.wh..wh..opq': '', 'usr/lib/.wh.x': '' } },
            { files: { 'late/file': 'late' } },
          ],
        }),
        tags: ['app:1'],
      },
    ]),
  ),
  'deleted.tar',
);

for (const [path, options, words] of [
  ['root/key.pem', {}, /: there is no root\/key\.pem; layer 3 deletes it, layer 2 has it\n.*--in 2$/],
  ['opaque/secret', {}, /; layer 3 deletes it, layer 1 has it\n.*--in 1$/],
  ['/lib/x', {}, /: there is no usr\/lib\/x; layer 3 deletes it, layer 2 has it\n.*--in 2$/],
  ['late/file', { in: '2' }, /: there is no late; layer 4 adds it\n.*--in 4$/],
  ['root/key.pem/x', {}, /: there is no root\/key\.pem$/],
  ['never', {}, /: there is no never$/],
] as const) {
  test(`the error names the layer that has ${path}`, async () => {
    assert.match((await refusal(run(DELETED, path, options))).message, words);
  });
}

test('a file that a later layer deletes or replaces is printed as a layer has it', async () => {
  assert.is(await print(DELETED, 'root/key.pem', { in: '2' }), 'SECOND');
  assert.is(await print(DELETED, 'root/key.pem', { in: '1' }), 'PRIVATE');
  assert.is(await print(DELETED, 'opaque/secret', { in: '1' }), 's');
});

test('the error about a deleted directory calls it a directory', async () => {
  const made = await image({ layers: [{ files: { 'd/f': 'f' } }, { files: { '.wh.d': '' } }] });
  const file = saved(await toTar(layouts.dockerSave25([{ image: made, tags: ['app:1'] }])), 'directory.tar');
  assert.match(
    (await refusal(run(file, 'd'))).message,
    /layer 2 deletes it, layer 1 has it\nIt is a directory/,
  );
});

for (const { kind, file } of await deliveries(members, temporary('cat'))) {
  test(`the output is the same from ${kind}`, async () => {
    assert.is(await print(file, 'etc/os-release'), 'release');
    assert.ok((await run(file, 'random')).bytes.equals(RANDOM));
  });
}

test('a pipe, plain and compressed, is read without leaving files behind', async () => {
  const before = readdirSync(tmpdir()).filter(name => name.includes('unfinished'));
  const tar = await toTar(members);
  assert.is(await print(streamOf(tar), 'etc/config'), 'version 2\n');
  assert.is(await print(streamOf(compress(tar, 'gzip')), 'etc/os-release'), 'release');
  await refusal(run(streamOf(tar), 'no/such'));
  await refusal(run(streamOf(Buffer.from('no archive at all')), 'x'));
  assert.equal(
    readdirSync(tmpdir()).filter(name => name.includes('unfinished')),
    before,
  );
});

test('of two members with one path the later one is used', async () => {
  const old = layerOf(await toTar([layouts.file('f', 'the earlier')]));
  const now = layerOf(await toTar([layouts.file('f', 'the later')]));
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [now.diffId] },
  };
  const { configBytes } = assemble(Buffer.from(JSON.stringify(config)), [now]);
  const manifest = [{ Config: 'config.json', RepoTags: ['app:1'], Layers: ['layer.tar'] }];
  const tar = await toTar([
    layouts.file('layer.tar', old.tar),
    layouts.file('layer.tar', now.tar),
    layouts.file('config.json', configBytes),
    layouts.file('manifest.json', JSON.stringify(manifest)),
  ]);
  assert.is(await print(saved(tar, 'twice.tar'), 'f'), 'the later');
  assert.is(await print(saved(compress(tar, 'gzip'), 'twice.tar.gz'), 'f'), 'the later');
  assert.is(await print(streamOf(tar), 'f'), 'the later');
});

async function ofLayer(tar: Uint8Array, name = 'layer.tar'): Promise<string> {
  return saved(
    await toTar(layouts.dockerSave({ image: await image({ layers: [{ tar }] }), tags: ['app:1'] })),
    name,
  );
}

test('a sparse file is printed with its holes', async () => {
  const pax = paxEntry([
    ['GNU.sparse.size', '200000'],
    ['GNU.sparse.map', '0,1,150000,2'],
  ]);
  const printed = await print(await ofLayer(rawTar(pax, rawEntry({ name: 's' }, 'abc')), 'sparse.tar'), 's');
  assert.is(printed, `a${'\0'.repeat(149_999)}bc${'\0'.repeat(49_998)}`);
});

test('names that are not UTF-8 can be given as they are listed', async () => {
  const file = await ofLayer(
    rawTar(
      rawEntry({ name: 'a\xff' }, 'byte'),
      rawEntry({ name: 'b\\xff' }, 'text'),
      rawEntry({ name: 'c\nd' }, 'line'),
    ),
    'bytes.tar',
  );
  assert.is(await print(file, 'a\\xff'), 'byte');
  assert.is(await print(file, 'b\\xff'), 'text');
  assert.is(await print(file, 'b\\\\xff'), 'text');
  assert.is(await print(file, 'c\\nd'), 'line');
});

test('a hard link whose target does not exist has no content', async () => {
  const { message } = await refusal(
    run(await ofLayer(rawTar(rawEntry({ name: 'h', flag: '1', link: 'gone' })), 'nothing.tar'), 'h'),
  );
  assert.match(message, /hard link to what is not there/);
});

test('a file that is cut short is printed up to the cut, and that is noted', async () => {
  const whole = await image({ layers: [{ files: { a: 'whole', b: 'x'.repeat(5000) } }] });
  const cut = layerOf(whole.layers[0]!.tar.slice(0, 4096));
  const tar = await toTar(layouts.dockerSave({ image: assemble(whole.configBytes, [cut]), tags: ['app:1'] }));
  const { bytes, notes, exitCode } = await run(saved(tar, 'cut.tar'), 'b');
  assert.ok(bytes.length > 0 && bytes.length < 5000);
  assert.is(exitCode, 1);
  assert.match(notes[0]!, /b is cut short/);
  const first = await run(saved(tar, 'cut.tar'), 'a');
  assert.equal([first.bytes.toString(), first.exitCode, first.notes.length], ['whole', 1, 1]);
});

test("a layer that does not match the image's claims is noted", async () => {
  const other = layerOf(await toTar([layouts.file('f', 'forged')]));
  const tar = await toTar(
    layouts.dockerSave({ image: assemble(item.configBytes, [other, item.layers[1]!]), tags: ['app:1'] }),
  );
  const { bytes, notes, exitCode } = await run(saved(tar, 'forged.tar'), 'f');
  assert.equal([bytes.toString(), exitCode], ['forged', 1]);
  assert.match(notes[0]!, /layer 1: expected the diff_id/);
});

test("only faults of a file's own layer and of those above it are noted", async () => {
  const good = await image({
    layers: [{ files: { low: 'low' } }, { files: { high: 'high', mid: 'mid' } }, { files: { top: 'top' } }],
  });
  const [low, mid, top] = good.layers as [Layer, Layer, Layer];
  const forged = layerOf(await toTar([layouts.file('low', 'forged')]));
  const save = async (name: string, ...layers: Layer[]) =>
    saved(
      await toTar(layouts.dockerSave({ image: assemble(good.configBytes, layers), tags: ['app:1'] })),
      name,
    );
  const below = await save('below.tar', forged, mid, top);
  for (const path of ['high', 'top']) assert.equal((await run(below, path)).notes, []);
  assert.is((await run(below, 'low')).exitCode, 1);
  const above = await save('above.tar', low, forged, top);
  assert.equal([(await run(above, 'top')).exitCode, (await run(above, 'low')).exitCode], [0, 1]);
});

test('faults are also noted for the layers that a hard or symbolic link leads to', async () => {
  const files = {
    hard: { type: 'link', link: 'low' },
    soft: { type: 'symlink', link: 'own' },
    own: 'own',
  } as const;
  const good = await image({ layers: [{ files: { low: 'low' } }, { files }] });
  const forged = layerOf(await toTar([layouts.file('low', 'forged')]));
  const made = assemble(good.configBytes, [forged, good.layers[1]!]);
  const file = saved(await toTar(layouts.dockerSave({ image: made, tags: ['app:1'] })), 'linked.tar');
  const codes = await Promise.all(
    ['own', 'hard', 'soft'].map(async path => (await run(file, path)).exitCode),
  );
  assert.equal(codes, [0, 1, 1]);
});

test('a path that a link hides is found in the layer that has it', async () => {
  const layers: LayerSpec[] = [{ files: { 't/x': 'old' } }, { files: { '.wh.t': '', 't2/y': '' } }];
  const linked = { files: { t: { type: 'symlink', link: 't2' } } } as const;
  const made = await image({ layers: [...layers, linked] });
  const file = saved(await toTar(layouts.dockerSave({ image: made, tags: ['app:1'] })), 'hidden.tar');
  const { message } = await refusal(run(file, 't/x'));
  assert.match(message, /is not in it: there is no t2\/x; layer 2 deletes t\/x, layer 1 has it\n.*--in 1$/);
  assert.is(await print(file, 't/x', { in: '1' }), 'old');
  assert.match((await refusal(run(file, 'nope'))).message, /hidden\.tar: there is no nope$/);
});

test('for a file over the limit, the ratio and a sufficient limit are named', async () => {
  const file = await ofLayer(rawTar(rawEntry({ name: 'a' }, 'x'.repeat(100_000))), 'ratio.tar');
  const limits = { unpackedFree: 1000, unpackedRatio: 0 };
  const { message } = await refusal(run(file, 'a', { limits }));
  assert.match(message, /"a" has 100000 bytes: \d+ times the size of its layer\n/);
  const unpackedRatio = Number(/unpackedRatio=(\d+) allows more/.exec(message)?.[1]);
  assert.is((await run(file, 'a', { limits: { ...limits, unpackedRatio } })).bytes.length, 100_000);
});

test('one of several images must be selected', async () => {
  const other = await image({ layers: [{ files: { f: 'other' } }] });
  const tar = await toTar(
    layouts.dockerSave([
      { image: item, tags: ['app:1'] },
      { image: other, tags: ['app:2'] },
    ]),
  );
  const file = saved(tar, 'two.tar');
  assert.is(await print(file, 'f', { ref: 'app:2' }), 'other');
  assert.match((await refusal(run(file, 'f'))).message, /holds 2 images/);
});

test('the receiver of the bytes is awaited', async () => {
  let busy = 0;
  let most = 0;
  const put = async () => {
    most = Math.max(most, ++busy);
    await new Promise(resolve => setTimeout(resolve, 1));
    busy--;
  };
  await cat(FILE, 'random', put);
  assert.is(most, 1);
});

test('a forged lower layer that lost the link to a directory is told, where it decides about the file', async () => {
  const layers = (base: LayerSpec): readonly LayerSpec[] => [
    base,
    { entries: [{ path: 'd/t', bytes: 'OLD' }] },
    {
      entries: [
        { path: 'e/', type: 'directory' },
        { path: 'e/t', bytes: 'NEW' },
      ],
    },
  ];
  const sound = await image({
    layers: layers({ files: { 'e/': '', 'x/': '', d: { type: 'symlink', link: 'e' } } }),
  });
  assert.is(
    await print(saved(await toTar(layouts.skopeoOci({ image: sound, tags: ['a:1'] }))), 'd/t'),
    'NEW',
  );
  const [, ...upper] = sound.layers;
  const [other] = (await image({ layers: layers({ files: { 'e/': '', 'x/': '' } }) })).layers;
  const forged = { ...sound, layers: [{ ...sound.layers[0]!, blob: other!.blob }, ...upper] };
  const members = layouts.skopeoOci({ image: forged, tags: ['a:1'] });
  for (const { kind, file } of await deliveries(members, temporary('cat-forged'))) {
    const { exitCode, notes } = await run(file, 'd/t');
    assert.is(exitCode, 1, kind);
    assert.match(notes.join(), /^layer 1: /, kind);
  }
});

test('of an archive that is cut before the list of layers no file is printed: it may be an older one', async () => {
  const cut = cutBeforeManifest();
  for (const input of [saved(cut, 'guessed.tar'), streamOf(cut)]) {
    const { what, remedy, damaged } = await refusal(run(input, 'app/LICENSE'));
    assert.match(what, /cut short, and the document that lists the layers of its images is missing/);
    assert.match(remedy!, /waybill verify/);
    assert.ok(damaged);
  }
});

test.run();
