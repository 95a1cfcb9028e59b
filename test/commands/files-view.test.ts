// `waybill files` with --tree, --depth, --sort, --top, --all-layers: selection, order and totals.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type FilesOptions,
  type FilesReport,
  files,
  filesDepth,
  type ImageFiles,
} from '../../src/commands/files/index.js';
import { readArchive } from '../../src/commands.js';
import { UsageError } from '../../src/errors.js';
import { toText } from '../../src/format/text.js';
import { type Image, image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { rawEntry, rawTar } from '../support/tar-blocks.js';

const savedAs = async (one: Image, name: string) =>
  saved(await toTar(layouts.dockerSave([{ image: one, tags: ['app:1'] }])), name);

const x = (length: number, mtime = 1000) => ({ bytes: 'x'.repeat(length), mtime });

const APP = await savedAs(
  await image({
    layers: [
      {
        files: {
          'app/lib/a.js': x(10),
          'app/lib/deep/b.js': x(500, 5000),
          'app/key.pem': x(3),
          'etc/conf': x(40),
          zero: x(0),
        },
      },
      { files: { 'app/.wh.key.pem': '', 'app/lib/.wh.deep': '', 'etc/conf': x(41), 'new/file': x(7, 9000) } },
    ],
  }),
  'view.tar',
);

async function run(file: string, options: FilesOptions = {}) {
  const result = files(await readArchive(file, { depth: filesDepth }), options);
  return {
    image: (result.data as FilesReport).images[0] as ImageFiles,
    text: toText(result.doc, { width: null, color: false }),
  };
}

/** For a tree: size, layer and the rest of each line. */
function rowsOf(text: string): string[] {
  return text.split('\n').flatMap(line => {
    const [, size, name] = /^.*?(\d+)(?: {2,}\d{4}-\S+ \S+ +\d+)? +([├└│].*)$/.exec(line) ?? [];
    return size === undefined ? [] : [`${size} ${name}`];
  });
}

test('a tree has the totals of its directories', async () => {
  const { text, image } = await run(APP, { tree: true });
  assert.equal(rowsOf(text), [
    '10 ├── app',
    '10 │   └── lib',
    '10 │       └── a.js',
    '41 ├── etc',
    '41 │   └── conf',
    '7 ├── new',
    '7 │   └── file',
    '0 └── zero',
  ]);
  const totals = image.files!.flatMap(({ path, total }) => (total === undefined ? [] : [[path, total]]));
  assert.equal(totals, [
    ['app', { bytes: 10, files: 1 }],
    ['app/lib', { bytes: 10, files: 1 }],
    ['etc', { bytes: 41, files: 1 }],
    ['new', { bytes: 7, files: 1 }],
  ]);
});

test('a file with several names counts once', async () => {
  const file = await savedAs(
    await image({
      layers: [{ files: { 'd/a': x(100) }, entries: [{ path: 'd/b', type: 'link', link: 'd/a' }] }],
    }),
    'linked.tar',
  );
  assert.is(rowsOf((await run(file, { tree: true })).text)[0], '100 └── d');
});

test('changes of one layer as a tree: removed files count only in removed directories', async () => {
  const { text, image } = await run(APP, { in: '2', tree: true });
  const changes = text
    .split('\n')
    .flatMap(
      line => /^ {2}(\w*) .*?(\d+)(?: {2,}\d{4}-\S+ \S+ +\d+)? +[├└│ ]*── (.*)$/.exec(line)?.slice(1) ?? [],
    )
    .join(' ');
  assert.is(
    changes,
    ' 0 app removed 3 key.pem  0 lib removed 500 deep removed 500 b.js  41 etc modified 41 conf added 7 new added 7 file',
  );
  assert.match(text, /2 added, 1 modified, 3 removed/);
  assert.equal(image.changes!.removed[1]!.total, { bytes: 500, files: 1 });
  assert.equal(image.changes!.modified[0]!.before.size, 40);
});

test('a filtered tree shows the parents of matches, and only matches count', async () => {
  const { text, image } = await run(APP, { tree: true, where: ['*.js'] });
  assert.equal(rowsOf(text), ['10 └── app', '10 └── lib', '10 └── a.js']);
  assert.equal(
    image.files!.map(({ path }) => path),
    ['app/lib/a.js'],
  );
});

test('--depth cuts the tree and the list, but not the totals', async () => {
  assert.equal(rowsOf((await run(APP, { tree: true, depth: 1 })).text), [
    '10 ├── app',
    '41 ├── etc',
    '7 ├── new',
    '0 └── zero',
  ]);
  const flat = await run(APP, { depth: 1 });
  assert.equal(
    flat.image.files!.map(({ path }) => path),
    ['app', 'etc', 'new', 'zero'],
  );
  assert.match(flat.text, /\n1 file, 3 directories; 0 bytes\n/);
});

test('--sort sorts siblings in a tree, and the whole list', async () => {
  const names = async (options: FilesOptions) =>
    (await run(APP, options)).image.files!.map(({ path }) => path);
  assert.equal(await names({ tree: true, depth: 1, sort: 'size' }), ['etc', 'app', 'new', 'zero']);
  assert.is((await names({ sort: 'size' }))[0], 'etc/conf');
  assert.equal(await names({ sort: 'time', where: ['conf', 'file'] }), ['new/file', 'etc/conf']);
  assert.equal(await names({ tree: true, sort: 'time', where: ['conf', 'file'] }), ['new/file', 'etc/conf']);
});

test('--top shows the largest with their parents, and the number of the others', async () => {
  const flat = await run(APP, { top: 2 });
  assert.equal(
    flat.image.files!.map(({ path }) => path),
    ['etc/conf', 'app/lib/a.js'],
  );
  assert.is(flat.image.count, 8);
  assert.match(flat.text, /\n {2}and 6 more: --top 8 shows all\n/);
  assert.equal(rowsOf((await run(APP, { tree: true, top: 3 })).text), [
    '41 ├── etc',
    '41 │   └── conf',
    '10 └── app',
  ]);
  assert.equal(
    (await run(APP, { top: 1, sort: 'name' })).image.files!.map(({ path }) => path),
    ['app'],
  );
  assert.not.match((await run(APP, { top: 8 })).text, 'more');
});

test('--all-layers lists every entry, its layer, and the layer that deleted or replaced it', async () => {
  const { text, image } = await run(APP, { allLayers: true });
  const fates = image.entries!.map(({ path, layer, gone, whiteout }) =>
    [path, layer, whiteout ? 'whiteout' : gone === null ? '' : `${gone.how} ${gone.by}`].join(' '),
  );
  assert.equal(fates, [
    'app 0 ',
    'app 1 ',
    'app/.wh.key.pem 1 whiteout',
    'app/key.pem 0 deleted 1',
    'app/lib 0 ',
    'app/lib 1 ',
    'app/lib/.wh.deep 1 whiteout',
    'app/lib/a.js 0 ',
    'app/lib/deep 0 deleted 1',
    'app/lib/deep/b.js 0 deleted 1',
    'etc 0 ',
    'etc 1 ',
    'etc/conf 0 replaced 1',
    'etc/conf 1 ',
    'new 1 ',
    'new/file 1 ',
    'zero 0 ',
  ]);
  assert.match(text, /\n {2}deleted by 2 +-rw-r--r-- +0:0 +3 .* 1 +app\/key\.pem\n/);
  assert.match(text, /\n {2}replaced by 2 .* 1 +etc\/conf\n/);
  assert.match(text, /\n17 entries, 3 deleted by a layer, 1 replaced, 2 whiteouts\n/);
  const some = await run(APP, { allLayers: true, where: ['*.pem'], top: 1 });
  assert.equal([some.image.entries!.length, some.image.count], [1, 2]);
});

test('a layer with changes that the filter leaves out is not reported as unchanged', async () => {
  const none = /layer 2 of 2.*\n +nothing that it changes matches --where or --depth\n/;
  assert.match((await run(APP, { in: '2', where: ['nope'] })).text, none);
  const deep = await savedAs(
    await image({ layers: [{ files: { 'a/b': 'x' } }, { files: { 'a/b': 'y' } }] }),
    'deep.tar',
  );
  const { text } = await run(deep, { in: '2', depth: 1 });
  assert.match(text, /nothing that it changes matches --where or --depth/);
  const empty = await savedAs(await image({ layers: [{ files: { a: '' } }, { files: {} }] }), 'nothing.tar');
  assert.match((await run(empty, { in: '2', where: ['nope'] })).text, /\n +changes nothing\n/);
});

test('--all-layers prints the entry of the root as a slash', async () => {
  const tar = rawTar(rawEntry({ name: './', flag: '5' }), rawEntry({ name: './a' }));
  const file = await savedAs(await image({ layers: [{ tar }] }), 'root.tar');
  const { text, image: made } = await run(file, { allLayers: true });
  assert.match(text, / \/\n/);
  assert.is(made.entries![0]!.path, '');
});

test('--all-layers with links, opaque directories, repeated names and replaced entries', async () => {
  const item = await image({
    layers: [
      { files: { 'usr/lib/x': x(1), lib: { type: 'symlink', link: 'usr/lib' }, 'dir/a': x(1), file: x(1) } },
      { files: { 'dir/.wh..wh..opq': '', 'dir/b': x(1) }, entries: [{ path: 'lib/y', bytes: 'y' }] },
      {
        files: {},
        entries: [
          { path: 'file/z', bytes: 'z' },
          { path: 'twice', bytes: '1' },
          { path: 'twice', bytes: '2' },
        ],
      },
      { files: { 'usr/lib/.wh.y': '' } },
    ],
  });
  const { image: listed } = await run(await savedAs(item, 'odd.tar'), { allLayers: true });
  const fate = (path: string) =>
    listed
      .entries!.filter(entry => entry.path === path)
      .map(({ gone }) => (gone === null ? '' : `${gone.how} ${gone.by}`));
  assert.equal(fate('dir/a'), ['deleted 1']);
  assert.equal(fate('dir/b'), ['']);
  // Through a link: the file is usr/lib/y, which the last layer deletes.
  assert.equal(fate('lib/y'), ['deleted 3']);
  assert.equal(fate('file'), ['replaced 2']);
  assert.equal(fate('twice'), ['replaced 2', '']);
});

test('--all-layers is refused with --tree and --in', async () => {
  const reading = await readArchive(APP, { depth: filesDepth });
  for (const other of [{ tree: true }, { in: '1' }])
    assert.throws(
      () => files(reading, { allLayers: true, ...other }),
      (error: unknown) => error instanceof UsageError && /--all-layers/.test(error.message),
    );
});

test('names that are not UTF-8 are in JSON with their bytes', async () => {
  const tar = rawTar(
    rawEntry({ name: 'a\xff' }, '1'),
    rawEntry({ name: 'a\xfe', flag: '2', link: 'b\xfd' }),
    rawEntry({ name: 'plain' }),
  );
  const { image: listed } = await run(await savedAs(await image({ layers: [{ tar }] }), 'latin.tar'));
  const printed = JSON.parse(JSON.stringify(listed.files)) as NonNullable<ImageFiles['files']>;
  assert.equal(
    printed.map(({ pathBytes, targetBytes }) =>
      [pathBytes, targetBytes].map(b => b && Buffer.from(b, 'base64').toString('latin1')),
    ),
    [
      ['a\xfe', 'b\xfd'],
      ['a\xff', undefined],
      [undefined, undefined],
    ],
  );
});

test.run();
