// `waybill extract ARCHIVE DIR`: writes the squashed file system, and nothing outside of the directory.
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ExtractFilesOptions, extractFiles } from '../../src/commands/extract/files.js';
import { testWhen } from '../support/corpus.js';
import { type Found, walked } from '../support/file-system.js';
import { assemble, type Image, image, layerOf, type TarEntry } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { compress, toTar } from '../support/pack.js';
import { cutBeforeManifest, refusal, saved, streamOf } from '../support/reading.js';
import { paxEntry, rawEntry, rawTar } from '../support/tar-blocks.js';
import { temporary } from '../support/tmp.js';

const archive = (of: Image) => toTar(layouts.dockerSave({ image: of, tags: ['app:1'] }));
const asFile = async (of: Image) => saved(await archive(of), 'extract.tar');
const ofLayers = async (...layers: readonly (readonly TarEntry[])[]) =>
  asFile(await image({ layers: layers.map(entries => ({ entries })) }));
const ofTar = async (tar: Uint8Array) => asFile(await image({ layers: [{ tar }] }));

async function run(input: string | AsyncIterable<Uint8Array>, options: ExtractFilesOptions = {}) {
  const above = temporary('extract');
  const root = join(above, 'root');
  const answer = await extractFiles(input, root, options);
  assert.equal(readdirSync(above), ['root'], 'nothing beside it');
  return { root, above, found: walked(root), ...answer };
}

const paths = (found: ReadonlyMap<string, Found>) => [...found.keys()].sort();

const item = await image({
  layers: [
    {
      files: {
        'bin/su': { bytes: 'su\n', mode: 0o4755, mtime: 1_600_000_000 },
        'etc/passwd': { bytes: 'root', mode: 0o640, mtime: 1_500_000_000 },
        'etc/locked/': { mode: 0o555, mtime: 1_400_000_000 },
        'etc/locked/x': 'x',
        sh: { type: 'symlink', link: '/bin/su', mtime: 1_300_000_000 },
        'dev/null': { type: 'character-device', device: [1, 3], mode: 0o666 },
        'dev/pipe': { type: 'fifo', mode: 0o600 },
        'tmp/': { mode: 0o1777, mtime: 1_200_000_000 },
      },
      entries: [{ path: 'bin/doas', type: 'link', link: 'bin/su' }],
      compression: 'gzip',
    },
    { files: { 'etc/.wh.passwd': '', 'usr/new': 'n' } },
  ],
});
const FILE = saved(await archive(item), 'item.tar');

const ALL = [
  'bin',
  'bin/doas',
  'bin/su',
  'dev',
  'etc',
  'etc/locked',
  'etc/locked/x',
  'sh',
  'tmp',
  'usr',
  'usr/new',
];

test('the file system is written with modes, times and links, without owners and devices', async () => {
  const { found, root, stdout, notes, exitCode } = await run(FILE);
  assert.equal(paths(found), ALL);
  const one = (path: string) => found.get(path)!;
  assert.equal([one('bin/su').mode, one('bin/su').mtime, one('bin/su').size], [0o755, 1_600_000_000, 3]);
  assert.is(one('bin/doas').first, one('bin/su').first);
  assert.equal([one('etc/locked').mode, one('etc/locked').mtime], [0o555, 1_400_000_000]);
  assert.equal([one('sh').target, one('sh').mtime], ['/bin/su', 1_300_000_000]);
  assert.equal([one('tmp').mode, one('tmp').mtime], [0o1777, 1_200_000_000]);
  assert.is(one('usr/new').uid, process.getuid!());
  assert.is(readFileSync(join(root, 'usr/new'), 'utf8'), 'n');
  assert.equal(notes, ['2 devices or named pipes are left out']);
  assert.match(String(stdout), /^.*root {2}3 files, 6 directories, 2 links, 5 bytes\n$/);
  assert.is(exitCode, 0);
  assert.is(statSync(root).mode & 0o7777, 0o755);
});

test('a pipe and a compressed archive give the same files', async () => {
  const tar = await archive(item);
  for (const input of [
    streamOf(tar),
    streamOf(compress(tar, 'gzip')),
    saved(compress(tar, 'gzip'), 'x.tar.gz'),
  ])
    assert.equal(paths((await run(input)).found), ALL);
});

test('a file may have the name of the temporary file for a pipe', async () => {
  const tar = await archive(await image({ layers: [{ files: { '.archive': 'mine' } }] }));
  const { root } = await run(streamOf(tar));
  assert.is(readFileSync(join(root, '.archive'), 'utf8'), 'mine');
});

test('only matching files are written, with their parent directories', async () => {
  assert.equal(paths((await run(FILE, { files: ['etc', '**/doas'] })).found), [
    'bin',
    'bin/doas',
    'etc',
    'etc/locked',
    'etc/locked/x',
  ]);
  const { root } = await run(FILE, { files: ['bin/doas'] });
  assert.is(readFileSync(join(root, 'bin/doas'), 'utf8'), 'su\n');
  assert.match(
    (await refusal(run(FILE, { files: ['nope', 'etc/passwd'] }))).message,
    /no file in it matches/,
  );
});

test('times before 1970 are kept: base 256 and PAX, files, links and directories', async () => {
  const before = (seconds: number) => (block: Buffer) => {
    block.fill(0xff, 136, 148);
    block.writeBigInt64BE(BigInt(seconds), 140);
  };
  const tar = rawTar(
    rawEntry({ name: 'd/', flag: '5', mode: '0000755\0', patch: before(-10) }),
    rawEntry({ name: 'd/file', patch: before(-86_400) }, 'x'),
    rawEntry({ name: 'link', flag: '2', link: 'd', patch: before(-3) }),
    paxEntry([['mtime', '-86400.25']]),
    rawEntry({ name: 'pax' }),
    paxEntry([['mtime', '-99999999999999']]),
    rawEntry({ name: 'far' }),
  );
  const { root, notes } = await run(await ofTar(tar));
  const time = (path: string) => lstatSync(join(root, path)).mtimeMs;
  assert.equal(['d', 'd/file', 'link', 'pax'].map(time), [-10_000, -86_400_000, -3000, -86_400_250]);
  assert.ok(time('far') < time('d/file'), 'as early as the file system has it');
  assert.equal(notes, []);
});

test('--where and its earlier name --files have the same effect', async () => {
  assert.equal(paths((await run(FILE, { where: ['doas'] })).found), ['bin', 'bin/doas']);
  assert.equal(paths((await run(FILE, { where: ['doas'], files: ['/etc'] })).found), [
    'bin',
    'bin/doas',
    'etc',
    'etc/locked',
    'etc/locked/x',
  ]);
});

const isRoot = process.getuid?.() === 0;
const asRoot = testWhen(test, isRoot, 'only root may set owners and make devices');

asRoot('owners, and with them setuid', async () => {
  const { found } = await run(
    await ofLayers([
      { path: 'd/', uid: 3, gid: 4 },
      { path: 'd/f', bytes: 'f', uid: 1000, gid: 1001, mode: 0o6755 },
      { path: 'l', type: 'symlink', link: 'd', uid: 5, gid: 6 },
    ]),
    { owner: true },
  );
  const owners = [...found].map(([path, { uid, gid, mode }]) => [path, uid, gid, mode]);
  assert.equal(owners, [
    ['d', 3, 4, 0o755],
    ['d/f', 1000, 1001, 0o6755],
    ['l', 5, 6, 0o777],
  ]);
});

asRoot('devices and named pipes', async () => {
  const { found, notes } = await run(FILE, { devices: true });
  assert.equal([found.get('dev/null')!.device, found.get('dev/null')!.mode], ['1,3', 0o666]);
  assert.equal([found.get('dev/pipe')!.type, found.get('dev/pipe')!.mode], ['fifo', 0o600]);
  assert.equal(notes, []);
});

/** Runs as an unprivileged user, in a directory of that user. */
async function unprivileged<T>(work: (above: string) => Promise<T>): Promise<T> {
  const above = temporary('unprivileged');
  chownSync(above, 65_534, 65_534);
  const file = join(above, 'image.tar');
  writeFileSync(file, readFileSync(FILE));
  chmodSync(file, 0o644);
  process.seteuid!(65_534);
  try {
    return await work(above);
  } finally {
    process.seteuid!(0);
  }
}

asRoot('without being root: directories that are locked to their owner', async () => {
  const layer = [
    { path: 'proc/', mode: 0o555 },
    { path: 'proc/x', bytes: 'x' },
    { path: 'none/', mode: 0o100 },
  ];
  const tar = await archive(await image({ layers: [{ entries: layer }] }));
  await unprivileged(async above => {
    const inPlace = join(above, 'empty');
    mkdirSync(inPlace);
    for (const root of [join(above, 'new'), inPlace]) {
      assert.is((await extractFiles(streamOf(tar), root)).exitCode, 0);
      assert.equal(
        ['proc', 'none'].map(name => lstatSync(join(root, name)).mode & 0o777),
        [0o555, 0o100],
      );
    }
    assert.equal(readdirSync(above).sort(), ['empty', 'image.tar', 'new']);
    chmodSync(join(above, 'new/proc'), 0o755);
    chmodSync(join(inPlace, 'proc'), 0o755);
  });
});

asRoot('without being root: owners are refused, and nothing is left behind', async () => {
  await unprivileged(async above => {
    const { message } = await refusal(
      extractFiles(join(above, 'image.tar'), join(above, 'root'), { owner: true }),
    );
    assert.match(message, /owners cannot be set\nOnly root may do that/);
    assert.equal(readdirSync(above), ['image.tar']);
    const answer = await extractFiles(join(above, 'image.tar'), join(above, 'root'), { devices: true });
    assert.is(answer.exitCode, 1);
    assert.match(answer.notes.join('\n'), /dev\/null is not written: .*(not permitted|denied)/i);
    chmodSync(join(above, 'root/etc/locked'), 0o755);
  });
});

/** Compares everything in the parent directory, so that a file that is written outside is detected. */
async function stays(
  layers: readonly (readonly TarEntry[])[],
  expected: readonly string[],
  said: RegExp | null = null,
) {
  const { found, above, notes } = await run(await ofLayers(...layers));
  assert.equal(paths(found), expected);
  assert.equal(readdirSync(above), ['root']);
  assert.not.ok(existsSync('/waybill-escape'));
  if (said === null) assert.equal(notes, []);
  else assert.match(notes.join('\n'), said);
}

const bytes = 'out';
const up = '../'.repeat(12);

test('absolute names and names with .. stay inside', () =>
  stays(
    [
      [
        { path: '/waybill-escape', bytes },
        { path: `${up}waybill-escape-2`, bytes },
        { path: 'a/../../b', bytes },
      ],
    ],
    ['a', 'b', 'waybill-escape', 'waybill-escape-2'].slice(1),
  ));
test('nothing is written through a link to a directory outside', () =>
  stays(
    [
      [
        { path: 'l', type: 'symlink', link: '/' },
        { path: 'l/waybill-escape', bytes },
      ],
    ],
    ['l', 'waybill-escape'],
  ));
test('nothing is written through a link that leads above the root', () =>
  stays(
    [
      [
        { path: 'l', type: 'symlink', link: '../..' },
        { path: 'l/waybill-escape', bytes },
      ],
    ],
    ['l', 'waybill-escape'],
  ));
test('nothing is written through a chain of links', () =>
  stays(
    [
      [
        { path: 'a', type: 'symlink', link: '.' },
        { path: 'b', type: 'symlink', link: 'a/..' },
        { path: 'b/a/../waybill-escape', bytes },
      ],
    ],
    ['a', 'b', 'waybill-escape'],
  ));
test('a directory that becomes a link, with files below it in both layers', () =>
  stays(
    [
      [{ path: 'd/' }, { path: 'd/x', bytes }],
      [
        { path: 'd', type: 'symlink', link: '/' },
        { path: 'd/waybill-escape', bytes },
      ],
    ],
    ['d', 'waybill-escape'],
  ));
test('a file below a link of the same name', () =>
  stays(
    [[{ path: 'waybill', type: 'symlink', link: '/waybill-escape' }], [{ path: 'waybill', bytes }]],
    ['waybill'],
  ));
test('a hard link to a file outside is not made', () =>
  stays(
    [
      [
        { path: 'passwd', type: 'link', link: '/etc/passwd' },
        { path: 'shadow', type: 'link', link: `${up}etc/shadow` },
      ],
    ],
    [],
    /passwd is not written: it is a hard link to what is not there/,
  ));
test('a hard link to a link outside, and a file in its place', () =>
  stays(
    [
      [
        { path: 'l', type: 'symlink', link: '/waybill-escape' },
        { path: 'h', type: 'link', link: 'l' },
      ],
      [{ path: 'h2', type: 'link', link: 'h' }],
    ],
    ['h', 'h2', 'l'],
  ));
test('whiteouts of files outside have no effect', async () => {
  const victim = join(temporary('victim'), 'file');
  writeFileSync(victim, 'x');
  await stays(
    [
      [{ path: 'l', type: 'symlink', link: '/' }],
      [
        { path: `l${victim.replace('file', '.wh.file')}` },
        { path: `../..${victim.replace('file', '.wh.file')}` },
      ],
    ],
    ['l'],
  );
  assert.ok(existsSync(victim));
});

test('a directory that exists must be empty, and keeps its attributes', async () => {
  const root = temporary('full');
  chmodSync(root, 0o710);
  assert.is((await extractFiles(FILE, root)).exitCode, 0);
  assert.equal(paths(walked(root)), ALL);
  assert.is(statSync(root).mode & 0o777, 0o710);
  assert.match((await refusal(extractFiles(FILE, root))).message, /not empty/);
});

test('a target directory that is a link is filled if it leads to an empty directory', async () => {
  const above = temporary('link');
  mkdirSync(join(above, 'real'));
  symlinkSync('real', join(above, 'link'));
  await extractFiles(FILE, join(above, 'link'));
  assert.equal(paths(walked(join(above, 'real'))), ALL);
  symlinkSync('nowhere', join(above, 'dangling'));
  await refusal(extractFiles(FILE, join(above, 'dangling')));
});

test('the root has the attributes that a layer gives it', async () => {
  const { root } = await run(
    await ofLayers([
      { path: './', mode: 0o711, mtime: 1_600_000_000 },
      { path: './f', bytes: 'f' },
    ]),
  );
  assert.equal([statSync(root).mode & 0o7777, statSync(root).mtimeMs], [0o711, 1_600_000_000_000]);
});

test('names that are not UTF-8 are written if the file system accepts them', async () => {
  const { found, root } = await run(
    await ofTar(rawTar(rawEntry({ name: 'top\xff' }, 'x'), rawEntry({ name: 'd\xfe/f\xfd' }, 'y'))),
  );
  assert.equal(paths(found), ['d\xfe', 'd\xfe/f\xfd', 'top\xff']);
  const inPlace = temporary('in-place');
  await extractFiles(await ofTar(rawTar(rawEntry({ name: 'top\xff' }, 'x'))), inPlace);
  assert.equal(paths(walked(inPlace)), ['top\xff']);
  assert.ok(root);
});

test('names that no file system accepts are noted', async () => {
  const { found, notes, exitCode } = await run(
    await ofLayers([
      { path: 'n'.repeat(300), bytes },
      { path: `${'m'.repeat(300)}/x`, bytes },
      { path: 'f', bytes },
    ]),
  );
  assert.equal([paths(found), exitCode], [['f'], 1]);
  assert.is(notes.length, 3);
  assert.match(notes[0]!, /is not written: name too long/);
});

test('notes beyond the maximum are counted', async () => {
  const entries = Array.from({ length: 30 }, (_, i) => ({
    path: `h${i}`,
    type: 'link' as const,
    link: 'nowhere',
  }));
  const { notes, exitCode } = await run(await ofLayers(entries));
  assert.equal([notes.length, notes.at(-1), exitCode], [21, 'and 10 more are not written', 1]);
});

test('a sparse file keeps its holes', async () => {
  const size = 64 * 1024 * 1024;
  const pax = paxEntry([
    ['GNU.sparse.size', String(size)],
    ['GNU.sparse.map', `0,1,${size - 4096},1`],
  ]);
  const { root } = await run(await ofTar(rawTar(pax, rawEntry({ name: 's' }, 'ab'))));
  const stats = statSync(join(root, 's'));
  assert.is(stats.size, size);
  assert.ok(stats.blocks * 512 < 1024 * 1024, String(stats.blocks));
  assert.is(readFileSync(join(root, 's'))[size - 4096], 'b'.charCodeAt(0));
});

test('extended attributes are not written, and that is noted', async () => {
  const { notes, exitCode } = await run(
    await ofLayers([{ path: 'ping', bytes, pax: { 'SCHILY.xattr.security.capability': 'x' } }]),
  );
  assert.equal([notes, exitCode], [['extended attributes of 1 file are not written'], 0]);
});

test('a layer that ends early: complete files are written, and the rest is noted', async () => {
  const whole = await image({
    layers: [{ files: { a: 'whole', b: 'x'.repeat(5000), c: 'c' } }, { files: { d: 'd' } }],
  });
  const cut = layerOf(whole.layers[0]!.tar.slice(0, 4096));
  const { found, notes, exitCode } = await run(
    await asFile(assemble(whole.configBytes, [cut, whole.layers[1]!])),
  );
  assert.equal([paths(found), exitCode], [['a', 'd'], 1]);
  assert.equal(notes, [
    'layer 1: it ends inside its entry 2',
    'b is not written: it is not all in the archive',
  ]);
});

test('a layer whose stream is damaged is noted', async () => {
  const whole = await image({
    layers: [
      {
        files: {
          a: 'a'.repeat(100),
          b: Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) >> 3)),
        },
        compression: 'gzip',
      },
    ],
  });
  const blob = Buffer.from(whole.layers[0]!.blob);
  const cut = layerOf(whole.layers[0]!.tar, blob.subarray(0, blob.length >> 1), 'gzip');
  const { found, exitCode } = await run(
    saved(
      await toTar(layouts.cranePull({ image: assemble(whole.configBytes, [cut]), tags: ['app:1'] })),
      'damaged.tar',
    ),
  );
  assert.equal([paths(found), exitCode], [['a'], 1]);
});

test('layers that are the same blob are read once', async () => {
  const entries = [{ path: 'd/' }, { path: 'd/f', bytes: 'f' }, { path: 'g', bytes: 'g' }];
  const { found } = await run(
    await ofLayers(entries, [{ path: '.wh.d' }, { path: 'h', type: 'link', link: 'g' }], entries),
  );
  assert.equal(paths(found), ['d', 'd/f', 'g', 'h']);
});

test('an archive that is removed during extraction leaves no files', async () => {
  const above = temporary('failing');
  async function* failing() {
    yield (await archive(item)).subarray(0, 2000);
    throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
  }
  await extractFiles(failing(), join(above, 'root')).then(
    () => assert.unreachable(),
    () => {},
  );
  assert.equal(readdirSync(above), []);
  await refusal(extractFiles(FILE, join(above, 'no/such/root')));
  await refusal(extractFiles(FILE, join(above, 'root'), { ref: 'nope' }));
  assert.equal(readdirSync(above), []);
});

test('of an archive that is cut before the list of layers nothing is written', async () => {
  const root = join(temporary('extract'), 'root');
  const { what } = await refusal(extractFiles(saved(cutBeforeManifest(), 'guessed.tar'), root));
  assert.match(what, /upper layers may be missing too/);
  assert.not.ok(existsSync(root));
});

test.run();
