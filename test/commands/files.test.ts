// `waybill files`: the squashed file system, and the changes of one layer.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type FilesOptions, type FilesReport, files, filesDepth } from '../../src/commands/files/index.js';
import { readArchive } from '../../src/commands.js';
import { toText } from '../../src/format/text.js';
import { assemble, type Image, image, layerOf } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { cutBeforeManifest, refusal, saved, streamOf } from '../support/reading.js';
import { gnuLong, rawEntry, rawTar } from '../support/tar-blocks.js';

async function tarOf(...images: readonly Image[]): Promise<Uint8Array> {
  return toTar(layouts.dockerSave(images.map((one, i) => ({ image: one, tags: [`app:${i + 1}`] }))));
}

async function run(input: string | AsyncIterable<Uint8Array>, options: FilesOptions = {}) {
  const result = files(await readArchive(input, { depth: filesDepth }), options);
  return {
    report: result.data as FilesReport,
    text: toText(result.doc, { width: null, color: false }),
    exitCode: result.exitCode,
  };
}

const item = await image({
  layers: [
    {
      files: {
        'bin/su': { bytes: 'su\n', mode: 0o4755, mtime: 1_600_000_000 },
        'etc/passwd': { bytes: 'root', uid: 1, gid: 2, mode: 0o600 },
        sh: { type: 'symlink', link: 'bin/su' },
        'dev/null': { type: 'character-device', device: [1, 3], mode: 0o666 },
        pipe: { type: 'fifo' },
      },
      createdBy: 'ADD rootfs.tar /',
    },
    {
      files: {
        'etc/.wh.passwd': '',
        'etc/new': { bytes: 'n', pax: { 'SCHILY.xattr.security.capability': 'cap' } },
      },
      entries: [{ path: 'bin/doas', type: 'link', link: 'bin/su' }],
      createdBy: '/bin/sh -c rm /etc/passwd',
    },
  ],
});
const FILE = saved(await tarOf(item), 'files.tar');

test('the squashed tree, as JSON', async () => {
  const { report, exitCode } = await run(FILE);
  const one = (path: string) => report.images[0]!.files!.find(file => file.path === path)!;
  assert.is(exitCode, 0);
  assert.equal(
    report.images[0]!.files!.map(({ path }) => path),
    ['bin', 'bin/doas', 'bin/su', 'dev', 'dev/null', 'etc', 'etc/new', 'pipe', 'sh'],
  );
  const su = { size: 3, mode: 0o4755, uid: 0, gid: 0, mtime: 1_600_000_000, links: 2 };
  assert.equal(one('bin/su'), { path: 'bin/su', type: 'file', ...su, target: null, layer: 0 });
  assert.equal(one('bin/doas'), { path: 'bin/doas', type: 'hardlink', ...su, target: 'bin/su', layer: 1 });
  assert.equal(one('dev/null').device, { major: 1, minor: 3 });
  assert.equal([one('sh').type, one('sh').target, one('sh').size], ['symlink', 'bin/su', 0]);
  assert.equal([one('pipe').type, one('dev/null').type, one('etc').type], ['fifo', 'char', 'directory']);
  assert.equal(one('etc/new').xattrs, { 'security.capability': Buffer.from('cap').toString('base64') });
  assert.equal(report.images[0]!.faults, []);
});

test('a pipe gives the same tree', async () => {
  const piped = await run(streamOf(await tarOf(item)));
  assert.equal(piped.report.images, (await run(FILE)).report.images);
});

test('the list as text', async () => {
  const { text } = await run(FILE);
  const lines = text.split('\n').map(line => line.trim().replace(/ +/g, ' '));
  for (const line of [
    'mode owner size time (UTC) # path',
    '-rwsr-xr-x 0:0 3 2020-09-13 12:26:40 1 bin/su',
    'hrwsr-xr-x 0:0 3 2020-09-13 12:26:40 2 bin/doas link to bin/su',
    'lrwxrwxrwx 0:0 0 2023-11-14 22:13:20 1 sh -> bin/su',
    'crw-rw-rw- 0:0 1,3 2023-11-14 22:13:20 1 dev/null',
    '-rw-r--r--+ 0:0 1 2023-11-14 22:13:20 2 etc/new [security.capability]',
    '2 files, 3 directories, 1 symbolic link, 1 hard link, 2 other; 4 bytes',
  ]) {
    assert.ok(lines.includes(line), `${line}\n${lines.join('\n')}`);
  }
});

test('the tree as text', async () => {
  const { text } = await run(FILE, { tree: true });
  const names = text.split('\n').flatMap(line => /[├└│].*$/.exec(line)?.[0] ?? []);
  assert.equal(names, [
    '├── bin',
    '│   ├── doas link to bin/su',
    '│   └── su',
    '├── dev',
    '│   └── null',
    '├── etc',
    '│   └── new  [security.capability]',
    '├── pipe',
    '└── sh -> bin/su',
  ]);
});

test('only matching paths are listed', async () => {
  const { report } = await run(FILE, { where: ['etc', '**/su'] });
  assert.equal(
    report.images[0]!.files!.map(({ path }) => path),
    ['bin/su', 'etc', 'etc/new'],
  );
});

test('the changes of a layer, selected by number and by digest', async () => {
  const { report, text } = await run(FILE, { in: '2' });
  const { changes, files: all } = report.images[0]!;
  assert.is(all, undefined);
  const names = (list: readonly { path: string }[]) => list.map(({ path }) => path);
  assert.equal(
    [changes!.layer, names(changes!.added), names(changes!.modified), names(changes!.removed)],
    [1, ['bin/doas', 'etc/new'], [], ['etc/passwd']],
  );
  assert.match(text, /layer 2 of 2: RUN rm \/etc\/passwd/);
  assert.match(text, /removed +-rw------- +1:2 .* etc\/passwd/);
  const digest = item.diffIds[1]!.slice('sha256:'.length, 'sha256:'.length + 12);
  assert.equal((await run(FILE, { in: digest })).report.images, report.images);
  assert.equal((await run(FILE, { in: '1' })).report.images[0]!.changes!.added.length, 8);
});

test('a layer that does not exist is refused', async () => {
  for (const layer of ['3', '0', 'abcd1234', 'x']) {
    const { message } = await refusal(run(FILE, { in: layer }));
    assert.match(message, /no layer .*1 to 2/s);
  }
});

test('several images are listed with their files', async () => {
  const other = await image({ layers: [{ files: { other: 'o' } }] });
  const { report } = await run(saved(await tarOf(item, other), 'several.tar'));
  assert.equal(
    report.images.map(({ files: list }) => list!.length),
    [9, 1],
  );
  assert.equal(
    report.images.map(({ names }) => names[0]),
    ['app:1', 'app:2'],
  );
});

test('names that are not UTF-8, control characters and backslashes are distinguished', async () => {
  const tar = rawTar(
    rawEntry({ name: 'a\xff' }),
    rawEntry({ name: 'a\\xff' }),
    rawEntry({ name: 'a\xc3\xbf' }),
    rawEntry({ name: 'b\x1b[31m' }),
    rawEntry({ name: 'c\nd' }),
  );
  const { report, text } = await run(saved(await tarOf(await image({ layers: [{ tar }] })), 'names.tar'));
  assert.equal(
    report.images[0]!.files!.map(({ path }) => path),
    ['a\\xff', 'aÿ', 'a\udcff', 'b\x1b[31m', 'c\nd'],
  );
  assert.ok(JSON.stringify(report).includes('a\\udcff'));
  const shown = text
    .split('\n')
    .slice(6, 11)
    .map(line => line.slice(line.lastIndexOf('  ') + 2));
  assert.equal(shown, ['a\\\\xff', 'aÿ', 'a\\xff', 'b\\u{1b}[31m', 'c\\nd']);
});

test('a name of 4096 bytes is listed', async () => {
  const tar = rawTar(gnuLong('L', 'n'.repeat(4096)), rawEntry({ name: 'x' }));
  const file = saved(await tarOf(await image({ layers: [{ tar }] })), 'long.tar');
  const { report, text, exitCode } = await run(file);
  assert.equal([report.images[0]!.files![0]!.path.length, exitCode], [4096, 0]);
  assert.ok(text.includes('n'.repeat(4096)));
});

const healthy = await image({ layers: [{ files: { a: 'a', b: 'b'.repeat(5000) } }, { files: { c: 'c' } }] });

/** The image with other bytes for its first layer, and an unchanged config. */
async function withLayer(tar: Uint8Array, kept = tar): Promise<string> {
  const layers = [layerOf(tar, kept), healthy.layers[1]!];
  return saved(await tarOf(assemble(healthy.configBytes, layers)), 'broken.tar');
}

test('a layer that is not a tar is noted', async () => {
  const { report, text, exitCode } = await run(await withLayer(Buffer.from('this is no tar'.repeat(100))));
  assert.is(exitCode, 1);
  assert.equal(
    report.images[0]!.files!.map(({ path }) => path),
    ['c'],
  );
  assert.equal(report.images[0]!.faults[0], {
    layer: 0,
    kind: 'incomplete',
    reason: 'its first 512 bytes are no tar header',
  });
  assert.match(text, /incomplete {2}layer 1: its first 512 bytes are no tar header/);
});

test('a tar that ends early: the entries before the end are listed', async () => {
  const { report, exitCode } = await run(await withLayer(healthy.layers[0]!.tar.slice(0, 3000)));
  assert.is(exitCode, 1);
  assert.equal(
    report.images[0]!.files!.map(({ path }) => path),
    ['a', 'b', 'c'],
  );
  assert.equal(
    report.images[0]!.faults.map(({ layer, kind, reason }) => [layer, kind, reason]),
    [[0, 'incomplete', 'it ends inside its entry 2']],
  );
});

test('an entry of 8 EiB: the entries before it are listed', async () => {
  const size = `\x80${'\0'.repeat(3)}\x80${'\0'.repeat(7)}`;
  const tar = rawTar(
    rawEntry({ name: 'first' }, 'f'),
    rawEntry({ name: 'huge', size }),
    rawEntry({ name: 'last' }),
  );
  const { report, exitCode } = await run(await withLayer(tar));
  assert.is(exitCode, 1);
  assert.equal(
    report.images[0]!.files!.map(({ path }) => path),
    ['c', 'first'],
  );
  assert.match(report.images[0]!.faults[0]!.reason, /entry 2 has no valid size/);
});

test('an absent layer, and one with other bytes, are noted', async () => {
  const members = layouts.dockerSave({ image: healthy, tags: ['app:1'] });
  const layer = members.findIndex(member => 'bytes' in member && member.bytes === healthy.layers[0]!.tar);
  assert.ok(layer >= 0);
  const { report, exitCode } = await run(
    saved(await toTar(members.filter((_, i) => i !== layer)), 'absent.tar'),
  );
  assert.is(exitCode, 1);
  assert.equal(report.images[0]!.faults, [
    { layer: 0, kind: 'incomplete', reason: 'the archive does not hold it' },
  ]);
  const changed = await run(await withLayer(await toTar([layouts.file('x', 'y')])));
  assert.is(changed.exitCode, 0);
  assert.is(changed.report.images[0]!.faults[0]!.kind, 'changed');
});

test('oddities are noted', async () => {
  const odd = await image({
    layers: [
      {
        entries: [
          { path: 'a', bytes: '1' },
          { path: 'a', bytes: '2' },
          { path: 'h', type: 'link', link: 'nowhere' },
        ],
      },
      { entries: [{ path: '.wh.nothing' }, { path: 'up', link: '../..', type: 'symlink' }] },
    ],
  });
  const file = saved(await tarOf(odd), 'odd.tar');
  const { report, text, exitCode } = await run(file);
  assert.is(exitCode, 0);
  const { oddities, files: list } = report.images[0]!;
  assert.equal(
    oddities.map(({ kind, count, places }) => [kind, count, places[0]!.layer, places[0]!.path]),
    [
      ['duplicate-name', 1, 0, 'a'],
      ['hard-link-to-nothing', 1, 0, 'h'],
      ['whiteout-of-nothing', 1, 1, '.wh.nothing'],
      ['link-leaves-root', 1, 1, 'up'],
    ],
  );
  assert.equal(
    list!.map(({ path, type, size, target }) => [path, type, size, target]),
    [
      ['a', 'file', 1, null],
      ['h', 'hardlink', 0, 'nowhere'],
      ['up', 'symlink', 0, '../..'],
    ],
  );
  for (const words of [
    /layer 1: a stands twice in one layer/,
    /layer 2: \.wh\.nothing deletes what no lower layer has/,
  ])
    assert.match(text, words);
  const second = await run(file, { in: '2' });
  assert.equal(
    second.report.images[0]!.oddities.map(({ kind }) => kind),
    ['whiteout-of-nothing', 'link-leaves-root'],
  );
});

test('a Windows layer is noted', async () => {
  const windows = await image({
    platform: { os: 'windows', architecture: 'amd64' },
    layers: [
      {
        files: {
          'Files/Windows/x.dll': {
            bytes: 'x',
            pax: { 'MSWINDOWS.fileattr': '32', 'MSWINDOWS.rawsd': 'AQAA' },
          },
          'Hives/System_Delta': 'h',
        },
      },
    ],
  });
  const { report, text, exitCode } = await run(saved(await tarOf(windows), 'windows.tar'));
  assert.is(exitCode, 0);
  assert.ok(report.images[0]!.files!.some(({ path }) => path === 'Files/Windows/x.dll'));
  assert.match(text, /below Files\//);
});

test('files of an archive that is cut before the list of layers are a guess, which is said', async () => {
  const { text, exitCode } = await run(saved(cutBeforeManifest(), 'guessed.tar'));
  assert.is(exitCode, 1);
  assert.match(text, /incomplete {2}the archive is damaged or cut short.* upper layers may be missing too/);
});

test('a complete archive of the v1 format is listed as before', async () => {
  const whole = await run(saved(await toTar(layouts.dockerV1({ image: item, tags: ['app:1'] }))));
  assert.is(whole.exitCode, 0);
  assert.not.match(whole.text, /incomplete/);
});

test.run();
