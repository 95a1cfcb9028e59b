// Work lists: files, folders, patterns and lists of paths, the same list on every machine.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withFileName } from '../../src/containers/file-name.js';
import {
  absolutePath,
  itemSizes,
  itemState,
  readWorkList,
  relativePath,
  type WorkList,
  type WorkListSource,
} from '../../src/containers/work-list.js';
import { InputError } from '../../src/errors.js';
import { listDigest, pathOfRecord } from '../../src/fleet/list.js';
import { readArchive } from '../../src/report/read.js';
import { nameBytes, pathBuffer } from '../../src/spec/byte-path.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { refusal } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const SAMPLE = join(repositoryRoot, 'samples/hello-docker-28.tar');
const linux = testWhen(test, process.platform === 'linux', 'file names of any bytes are of Linux');

/** A folder of files, given by their paths: text, or bytes one a character. A path that ends in a slash is a folder. */
function tree(paths: readonly string[], content = 'x'): string {
  const root = realpathSync(temporary('list'));
  for (const path of paths) {
    const file = pathBuffer(`${nameBytes(root)}/${path}`);
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    mkdirSync(pathBuffer(`${nameBytes(root)}/${folder}`), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(file, content);
  }
  return root;
}

/** Unpacks an archive into a folder. */
function unpacked(folder: string | Buffer): void {
  mkdirSync(folder, { recursive: true });
  const { status } = spawnSync('tar', ['-xf', SAMPLE], {
    cwd: '/proc/self/fd/3',
    stdio: ['ignore', 'ignore', 'inherit', openSync(folder, 'r')],
  });
  assert.is(status, 0);
}

/** Runs it in another current directory. */
async function within<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const before = process.cwd();
  process.chdir(folder);
  try {
    return await work();
  } finally {
    process.chdir(before);
  }
}

const listOf = (folder: string, source: Partial<WorkListSource>): Promise<WorkList> =>
  within(folder, () => readWorkList({ paths: [], ...source }));
const pathsOf = async (folder: string, source: Partial<WorkListSource>) =>
  (await listOf(folder, source)).paths;

const refused = async (step: () => Promise<unknown>, words: RegExp): Promise<void> =>
  assert.match((await refusal(step())).message, words);

/** A file with a list. */
function fileOf(content: string | Uint8Array): string {
  const file = join(temporary('list'), 'list');
  writeFileSync(file, content);
  return file;
}

// The root

test('of one folder paths are relative to it, else to the current directory', async () => {
  const root = tree(['fleet/a.tar', 'fleet/sub/b.tar', 'other/c.tar']);
  const one = await listOf(root, { paths: ['fleet'] });
  assert.equal([one.root, one.paths], [`${root}/fleet`, ['a.tar', 'sub/b.tar']]);
  const two = await listOf(root, { paths: ['fleet', 'other'] });
  assert.equal([two.root, two.paths], [root, ['fleet/a.tar', 'fleet/sub/b.tar', 'other/c.tar']]);
  assert.equal(await pathsOf(root, { paths: ['fleet/a.tar'] }), ['fleet/a.tar']);
  assert.equal(await pathsOf(root, { paths: ['fleet'], root: '.' }), ['fleet/a.tar', 'fleet/sub/b.tar']);
  assert.equal(await pathsOf(root, { paths: ['fleet'], filesFrom: fileOf('x.tar') }), [
    'fleet/a.tar',
    'fleet/sub/b.tar',
    'x.tar',
  ]);
});

test('a path has one form, however it is written, and is absolute outside of the root', async () => {
  const root = tree(['fleet/a.tar', 'fleet/sub/b.tar', 'other/c.tar']);
  const paths = ['./fleet//a.tar', 'fleet/sub/../sub/b.tar', `${root}/other/c.tar`];
  const list = await listOf(root, { paths, root: 'fleet/' });
  assert.equal(list.paths, [`${root}/other/c.tar`, 'a.tar', 'sub/b.tar']);
  assert.equal([list.root, list.duplicates], [`${root}/fleet`, 0]);
});

test('relative and absolute paths are made by text alone', () => {
  for (const [path, expected] of [
    ['a', 'a'],
    ['./a', 'a'],
    ['a//b/', 'a/b'],
    ['b/../a', 'a'],
    ['..', '/'],
    ['../r/a', 'a'],
    ['../ra/b', '/ra/b'],
    ['/r', '.'],
    ['.', '.'],
    ['', '.'],
    ['/r/..a', '..a'],
    ['..a', '..a'],
    ['/r/a', 'a'],
    ['/ra', '/ra'],
    ['a\\b', 'a\\b'],
    ['../../../..', '/'],
  ] as const)
    assert.is(relativePath('/r', path), expected, path);
  assert.is(relativePath('/', '/a/b'), 'a/b');
  assert.is(relativePath('/', 'a'), 'a');
  assert.is(absolutePath('/r', 'a/../../b'), '/b');
});

test('a root that is no folder is refused', async () => {
  const root = tree(['a.tar']);
  await refused(
    () => listOf(root, { paths: ['a.tar'], root: 'a.tar' }),
    /a\.tar: expected a folder, found a file/,
  );
  await refused(
    () => listOf(root, { paths: ['a.tar'], root: 'no' }),
    /no: cannot be read: no such file or directory/,
  );
});

// Folders

test('an image folder is one item, and what lies beside its members is others', async () => {
  const root = tree(['a.tar', 'image/extra.tar']);
  unpacked(join(root, 'image'));
  const list = await listOf(root, { paths: ['.'] });
  assert.equal(list.paths, ['a.tar', 'image', 'image/extra.tar']);
  assert.equal(await pathsOf(root, { paths: ['image'] }), ['image']);
  assert.is((await listOf(root, { paths: ['image'] })).root, root);
  assert.equal(await pathsOf(root, { paths: ['.'], root: 'image' }), ['.', `${root}/a.tar`, 'extra.tar']);
});

test('what a walk finds is told from what was named', async () => {
  const root = tree(['fleet/a.tar', 'fleet/notes.txt', 'b.tar']);
  assert.is(spawnSync('mkfifo', [join(root, 'fleet/pipe')]).status, 0);
  symlinkSync('nothing', join(root, 'fleet/dead'));
  const list = await listOf(root, { paths: ['fleet', 'b.tar', 'fleet/a.tar'] });
  assert.equal(list.paths, ['b.tar', 'fleet/a.tar', 'fleet/dead', 'fleet/notes.txt', 'fleet/pipe']);
  const found = Object.fromEntries(
    [...list.walked].map(([path, as]) => [path, as.kind === 'other' ? as.reason : as.kind]),
  );
  assert.equal(found, {
    'fleet/dead': 'a symlink to what is not there',
    'fleet/notes.txt': 'archive',
    'fleet/pipe': 'a named pipe',
  });
  assert.is(list.duplicates, 1);
});

test('two names of one file are two items, a folder with two names is walked once', async () => {
  const root = tree(['fleet/a.tar']);
  symlinkSync('a.tar', join(root, 'fleet/link.tar'));
  symlinkSync('../fleet', join(root, 'fleet/loop'));
  mkdirSync(join(root, 'fleet/sub'));
  writeFileSync(join(root, 'fleet/sub/b.tar'), 'x');
  symlinkSync('sub', join(root, 'fleet/again'));
  const list = await listOf(root, { paths: ['fleet'] });
  assert.equal(list.paths, ['a.tar', 'link.tar', 'loop', 'sub/b.tar']);
  assert.is(list.foldersAgain, 1);
  assert.is(list.walked.get('loop')?.kind, 'other');
});

test('results files, which other shards write meanwhile, are no items, but archives of such a name are', async () => {
  const root = tree([
    'a.tar',
    'out-1.ndjson',
    'out-2.ndjson.partial',
    'out-2.ndjson.lock',
    'out-2.ndjson.lock.0123456789abcdef',
    'sub/.out-3.ndjson.0123456789ab.unfinished',
    'notes.ndjson.txt',
  ]);
  copyFileSync(SAMPLE, join(root, 'archive.ndjson'));
  const list = await listOf(root, { paths: ['.'] });
  assert.equal(list.paths, ['a.tar', 'archive.ndjson', 'notes.ndjson.txt']);
  assert.is(list.resultsFiles, 5);
  assert.equal(await pathsOf(root, { paths: ['*'] }), ['a.tar', 'archive.ndjson', 'notes.ndjson.txt']);
  // One that is named is an item.
  assert.equal(await pathsOf(root, { paths: ['out-1.ndjson'] }), ['out-1.ndjson']);
});

test('what the run itself writes is no item', async () => {
  const root = tree(['a.tar', 'out.json', 'cache/ab/entry', 'cachet.tar']);
  assert.equal(await pathsOf(root, { paths: ['.'], outputs: ['out.json', './cache/'] }), [
    'a.tar',
    'cachet.tar',
  ]);
});

test('an empty folder is an error, because it may be a mount that failed', async () => {
  const root = tree(['fleet/a.tar', 'empty/sub/']);
  await refused(() => listOf(root, { paths: ['empty'] }), /empty: a folder without a file\nIs it mounted\?/);
  await refused(() => listOf(root, { paths: ['empty', 'empty/sub'] }), /a folder without a file/);
  const list = await listOf(root, { paths: ['fleet', 'empty'] });
  assert.equal(list.paths, ['empty', 'fleet/a.tar']);
  assert.is(list.walked.get('empty')?.kind, 'unreadable');
});

test('a path that is not there is an item, whose record will say so', async () => {
  const root = tree(['a.tar']);
  assert.equal(await pathsOf(root, { paths: ['a.tar', 'gone.tar'] }), ['a.tar', 'gone.tar']);
});

test('standard input is no item', async () => {
  await refused(
    () => listOf(tree([]), { paths: ['-'] }),
    /an archive on standard input has no path.*\nA list of paths is read from it with --files-from -/,
  );
});

// Patterns

test('a pattern names files and folders', async () => {
  const root = tree([
    'a.tar',
    'b.tgz',
    'sub/c.tar',
    'sub/deep/d.tar',
    'folder.d/e.txt',
    '[x].tar',
    '.hidden.tar',
  ]);
  const matches = (pattern: string) => pathsOf(root, { paths: [pattern] });
  assert.equal(await matches('*.tar'), ['.hidden.tar', '[x].tar', 'a.tar']);
  assert.equal(await matches('*.{tar,tgz}'), ['.hidden.tar', '[x].tar', 'a.tar', 'b.tgz']);
  assert.equal(await matches('*/*.tar'), ['sub/c.tar']);
  assert.equal(await matches('**/*.tar'), ['.hidden.tar', '[x].tar', 'a.tar', 'sub/c.tar', 'sub/deep/d.tar']);
  assert.equal(await matches('sub/**/d.tar'), ['sub/deep/d.tar']);
  assert.equal(await matches('[a-b].t?r'), ['a.tar']);
  assert.equal(await matches('*.d'), ['folder.d/e.txt']);
  assert.equal(await matches(`${root}/sub/[!d]*`), ['sub/c.tar']);
  assert.equal(await matches('./sub/../*.tgz'), ['b.tgz']);
  assert.equal(await matches('sub/../../*/b.tgz'), ['b.tgz']);
  assert.equal(await matches('{sub/c,a}.tar'), ['a.tar', 'sub/c.tar']);
  // The name of a file that is there is no pattern.
  assert.equal(await matches('[x].tar'), ['[x].tar']);
  assert.equal(await matches('\\[x\\]*'), ['[x].tar']);
});

test('a pattern in a folder whose own name has such characters', async () => {
  const root = tree(['[1]*/a.tar', '1/b.tar']);
  assert.equal(await pathsOf(join(root, '[1]*'), { paths: ['*.tar'] }), ['a.tar']);
});

test('a pattern that matches nothing is an error', async () => {
  const root = tree(['a.tar']);
  for (const pattern of ['*.zip', 'no/*.tar', 'a.tar/*', '**/x'])
    await refused(
      () => listOf(root, { paths: ['a.tar', pattern] }),
      /: no file or folder matches this pattern\n/,
    );
});

test('links that lead back do not keep a pattern from its end', async () => {
  const root = tree(['sub/a.tar']);
  symlinkSync('..', join(root, 'sub/loop'));
  assert.equal(await pathsOf(root, { paths: ['**/*.tar'] }), ['sub/a.tar']);
  assert.equal(await pathsOf(root, { paths: ['*/*/*/a.tar'] }), ['sub/loop/sub/a.tar']);
});

// Lists

test('a list has lines, or paths ended by NULs if it has one', async () => {
  const root = tree([]);
  const listed = (content: string | Uint8Array) => pathsOf(root, { filesFrom: fileOf(content) });
  assert.equal(await listed('b\na\n'), ['a', 'b']);
  assert.equal(await listed('b\r\na'), ['a', 'b']);
  assert.equal(await listed('\n\nb\n\n \n#c\n'), [' ', '#c', 'b']);
  assert.equal(await listed('b\nb\0a\r\0'), ['a\r', 'b\nb']);
  assert.equal(await listed('\0\0a'), ['a']);
  assert.equal(await listed('a\0'), ['a']);
  assert.equal(await listed(' a \n'), [' a ']);
  assert.equal(await listed('*.tar\n-\n'), ['*.tar', '-']);
  assert.equal(await listed(`${root}/x/../a\n./b\n/c\n`), ['/c', 'a', 'b']);
});

test('a list is the same however it is cut into blocks', async () => {
  const paths = Array.from({ length: 40_000 }, (_, i) => `repository/image-${i}/${'x'.repeat(i % 90)}.tar`);
  for (const end of ['\n', '\r\n', '\0']) {
    const list = await listOf(tree([]), { filesFrom: fileOf(paths.join(end)) });
    assert.equal(list.paths, [...paths].sort());
  }
});

test('a path that is listed twice is one item, and counted', async () => {
  const root = tree(['a.tar', 'sub/b.tar']);
  const list = await listOf(root, { filesFrom: fileOf('a.tar\n./a.tar\nsub//b.tar\na.tar\nsub/b.tar\n') });
  assert.equal(list.paths, ['a.tar', 'sub/b.tar']);
  assert.is(list.duplicates, 3);
  const both = await listOf(root, { paths: ['sub', 'sub', 'a.tar'], filesFrom: fileOf('sub/b.tar\n') });
  assert.equal([both.paths, both.duplicates, both.walked.size], [['a.tar', 'sub/b.tar'], 2, 0]);
});

test('a list that is none is refused', async () => {
  const root = tree([]);
  const listed = (content: string | Uint8Array) => () => listOf(root, { filesFrom: fileOf(content) });
  for (const empty of ['', '\n\n', '\0', '\r\n']) await refused(listed(empty), /list: a list without a path/);
  await refused(
    listed(`a\n${'x'.repeat(4097)}\n`),
    /found a path of 4097 bytes behind 1 others\nMake it with `find/,
  );
  await refused(listed(Buffer.from('\ufeffa\r\n', 'utf16le')), /found UTF-16/);
  await refused(
    () => listOf(root, { filesFrom: SAMPLE }),
    /expected a list of paths, one a line or each ended by a NUL, found an archive/,
  );
  await refused(() => listOf(root, { filesFrom: join(root, 'no') }), /no: there is no such file/);
  await refused(() => listOf(root, { filesFrom: root }), /cannot be read: illegal operation on a directory/);
});

test('other programs compute the digest of a list: LC_ALL=C sort -z | sha256sum', async () => {
  const root = tree([]);
  const names = ['b/ä.tar', 'a\nb', 'B', 'a-b', 'a.b', 'a/b', `${'\u{1f600}'}.tar`, '\uffee.tar', ' x', 'ab'];
  const content = Buffer.concat([
    Buffer.from(`${names.join('\0')}\0`),
    Buffer.from([0xff, 0x2e, 0, 0x80, 0]),
  ]);
  const { paths } = await listOf(root, { filesFrom: fileOf(content) });
  const shell = spawnSync('sh', ['-c', 'LC_ALL=C sort -z | sha256sum'], { input: content });
  assert.is(listDigest({ paths, sizes: null }), `sha256:${shell.stdout.toString().slice(0, 64)}`);
});

test('a folder gives the list that find makes of it', async () => {
  const root = tree([
    'b.tar',
    'sub/a.tar',
    'sub.tar',
    'sub-x/c.tar',
    'ä.tar',
    'n\nl.tar',
    '\xff\xfe/d\x80.tar',
  ]);
  const { paths } = await listOf(root, { paths: ['.'] });
  const shell = spawnSync('sh', ['-c', "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | sha256sum"], {
    cwd: root,
  });
  assert.is(listDigest({ paths, sizes: null }), `sha256:${shell.stdout.toString().slice(0, 64)}`);
  const listed = spawnSync('find', ['.', '-type', 'f', '-print0'], { cwd: root }).stdout;
  assert.equal(await pathsOf(root, { filesFrom: fileOf(listed) }), paths);
});

// Names that are not UTF-8

linux('a file whose name is not UTF-8 is found and read, in folders and patterns', async () => {
  const name = 'caf\xe9\n.tar';
  const root = tree([`sub\xff/${name}`]);
  const bytes = nameBytes(root);
  copyFileSync(SAMPLE, pathBuffer(`${bytes}/sub\xff/${name}`));
  for (const paths of [['.'], ['*/*.tar'], ['**/*.tar']]) {
    const list = await listOf(root, { paths });
    assert.equal(list.paths, [`sub\xff/${name}`]);
    const file = absolutePath(list.root, list.paths[0]!);
    const reading = await withFileName(file, open => readArchive(open));
    assert.is(reading.parts[0]!.graph.images.length, 1);
  }
});

linux('an image folder whose name is not UTF-8 is one item, and is read', async () => {
  const root = tree([]);
  unpacked(pathBuffer(`${nameBytes(root)}/layout\xff`));
  const list = await listOf(root, { paths: ['.'] });
  assert.equal(list.paths, ['layout\xff']);
  const reading = await withFileName(absolutePath(list.root, list.paths[0]!), open => readArchive(open));
  assert.equal(
    reading.findings.length + reading.parts[0]!.findings.filter(f => f.severity === 'error').length,
    0,
  );
  assert.ok(itemState(list.root, 'layout\xff').mtime);
});

linux('a message about a file whose name is not UTF-8 has its own name', async () => {
  const root = nameBytes(tree(['bad\xff.tar']));
  const at = (path: string, work = (name: string): Promise<unknown> => readArchive(name)) =>
    withFileName(`${root}/${path}`, work);
  await refused(() => at('bad\xff.tar'), /^[^\n]*\/bad\\xff\.tar: not an image archive but/);
  await refused(
    () =>
      at('bad\xff.tar', name =>
        Promise.reject(new InputError(`${name}: x`, `${name}: member`, `See ${name}`)),
      ),
    /^.*bad\\xff\.tar: member: .*bad\\xff\.tar: x\nSee .*bad\\xff\.tar$/,
  );
});

linux('a name that is not UTF-8 is found as an argument too: a shell makes it of *.tar', async () => {
  const names = ['a\xe4.tar', 'a\xf6.tar', 'b.tar'];
  const root = tree(['f\xff/c.tar']);
  for (const name of names) copyFileSync(SAMPLE, pathBuffer(`${nameBytes(root)}/${name}`));
  const bin = join(repositoryRoot, 'bin/waybill.js');
  const run = (args: string) =>
    spawnSync('sh', ['-c', `exec "$0" "$1" scan ${args} --jobs 1 -o -`, process.execPath, bin], {
      cwd: root,
    });
  const { stdout, stderr, status } = run('*.tar');
  const lines = stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  assert.equal(lines.slice(0, -1).map(pathOfRecord).sort(), names);
  assert.is(status, 0, stderr.toString());
  assert.not.match(stderr.toString(), /more than once/);
  const folder = run(`"$(printf 'f\\377')"`).stdout.toString().split('\n')[0]!;
  assert.is(JSON.parse(folder).path, 'c.tar');
  // One that is not there is an error of its own.
  const missing = run(`"$(printf 'no\\377')"`);
  assert.is(missing.status, 2);
  assert.match(missing.stderr.toString(), /no\S*: no such file or directory/);
});

linux('no descriptor is left open', async () => {
  const root = nameBytes(tree(['a\xff.tar']));
  const next = () => {
    const fd = openSync('/', 'r');
    closeSync(fd);
    return fd;
  };
  const before = next();
  for (let i = 0; i < 3; i++) {
    await withFileName(`${root}/a\xff.tar`, async () => 1);
    await withFileName(`${root}/a\xff.tar`, () => Promise.reject(new Error('x'))).catch(() => {});
    await withFileName(`${root}/no\xff.tar`, async () => 1).catch(() => {});
  }
  assert.is(next(), before);
});

// States and sizes

test('an item is known by its size and time, a folder by the latest time below it', async () => {
  const root = tree(['a.tar', 'image/oci-layout', 'image/blobs/sha256/b'], 'hello');
  for (const [path, time] of [
    ['a.tar', 1],
    ['image/blobs/sha256/b', 3],
    ['image/oci-layout', 2],
    ['image/blobs/sha256', 1],
    ['image/blobs', 1],
    ['image', 1],
  ] as const)
    utimesSync(join(root, path), time, time);
  const state = async (path: string) => {
    const { size, mtime } = itemState(nameBytes(root), path);
    return { size, mtime };
  };
  assert.equal(await state('a.tar'), { size: 5, mtime: '1970-01-01T00:00:01.000000000Z' });
  assert.equal(await state('image'), { size: null, mtime: '1970-01-01T00:00:03.000000000Z' });
  assert.equal(await state('gone'), { size: null, mtime: null });
  symlinkSync('a.tar', join(root, 'link'));
  assert.equal(await state('link'), await state('a.tar'));
  // A member that is removed changes its folder.
  rmSync(join(root, 'image/oci-layout'));
  assert.not.equal(await state('image'), { size: null, mtime: '1970-01-01T00:00:03.000000000Z' });
});

test('sizes are those of the files, of a folder the sum', async () => {
  const paths = Array.from({ length: 150 }, (_, i) => `f${String(i).padStart(3, '0')}`);
  const root = tree([...paths, 'image/oci-layout', 'image/blobs/sha256/b'], 'hello');
  const all = [...paths, 'gone', 'image'];
  const sizes = await itemSizes({ root: nameBytes(root), paths: all });
  assert.equal(sizes, [...paths.map(() => 5), 0, 10]);
});

test.run();
