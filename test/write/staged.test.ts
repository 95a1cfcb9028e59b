// Files and directories that are created completely or not at all.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InputError } from '../../src/errors.js';
import { createFile, replaceFile } from '../../src/write/file.js';
import { type LayoutTarget, layoutDirectory, layoutTar } from '../../src/write/layout-target.js';

import { stageDirectory } from '../../src/write/staged-directory.js';
import { removeUnfinished } from '../../src/write/unfinished.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { hasCommand } from '../support/pack.js';
import { readInput } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

function refused(step: () => unknown, words: RegExp): InputError {
  try {
    step();
  } catch (error) {
    assert.instance(error, InputError);
    assert.match((error as InputError).message, words);
    return error as InputError;
  }
  return assert.unreachable('expected an InputError') as never;
}

test('a new directory gets its name only when it is committed', () => {
  const folder = temporary('staged');
  const target = join(folder, 'new');
  const staged = stageDirectory(target);
  writeFileSync(join(staged.path, 'a'), 'x');
  assert.not.ok(existsSync(target));
  staged.commit();
  assert.equal(readdirSync(folder), ['new']);
  assert.equal(readdirSync(target), ['a']);
});

test('a discarded directory is removed', () => {
  const folder = temporary('staged');
  const staged = stageDirectory(join(folder, 'new/'));
  writeFileSync(join(staged.path, 'a'), 'x');
  staged.discard();
  assert.equal(readdirSync(folder), []);
});

test('an empty directory is filled in place, because it may be a mount point', () => {
  const folder = temporary('staged');
  const link = join(temporary('staged'), 'link');
  symlinkSync(folder, link);
  const staged = stageDirectory(link);
  mkdirSync(join(staged.path, 'sub'));
  writeFileSync(join(staged.path, 'sub', 'a'), 'x');
  writeFileSync(join(staged.path, 'b'), 'y');
  staged.commit();
  assert.equal(readdirSync(folder).sort(), ['b', 'sub']);
  assert.equal(readdirSync(join(folder, 'sub')), ['a']);
  const again = temporary('staged');
  stageDirectory(again).discard();
  assert.equal(readdirSync(again), []);
});

test('existing files are never overwritten', () => {
  const folder = temporary('staged');
  writeFileSync(join(folder, 'file'), 'mine');
  symlinkSync('nowhere', join(folder, 'dangling'));
  refused(() => stageDirectory(folder), /the directory is not empty/);
  refused(() => stageDirectory(join(folder, 'file')), /exists, and is not a directory/);
  refused(() => stageDirectory(join(folder, 'dangling')), /exists, and is not a directory/);
  assert.equal(readdirSync(folder).sort(), ['dangling', 'file']);
});

test('a file that another process creates under the name meanwhile is kept', () => {
  const folder = temporary('staged');
  const target = join(folder, 'new');
  const staged = stageDirectory(target);
  writeFileSync(join(staged.path, 'a'), 'x');
  mkdirSync(target);
  writeFileSync(join(target, 'theirs'), 'y');
  refused(() => staged.commit(), /Choose another name/);
  staged.discard();
  assert.equal(readdirSync(folder), ['new']);
  assert.equal(readdirSync(target), ['theirs']);
});

test('a place that does not exist is an error with a remedy', () => {
  const folder = temporary('staged');
  writeFileSync(join(folder, 'file'), '');
  refused(
    () => stageDirectory(join(folder, 'a', 'b')),
    /no such file or directory\nMake its directory first/,
  );
  refused(() => stageDirectory(join(folder, 'file', 'b')), /not a directory/);
  refused(() => createFile(join(folder, 'a', 'b'), 'b'), /^b: cannot be written/);
  refused(() => replaceFile(join(folder, 'a', 'b'), ''), /Make its directory first/);
  assert.equal(readdirSync(folder), ['file']);
});

test('a signal leaves no unfinished files', async () => {
  const folder = temporary('staged');
  const staged = stageDirectory(join(folder, 'one'));
  writeFileSync(join(staged.path, 'a'), 'x');
  const tar = await layoutTar(join(folder, 'two.tar'), [{ path: 'oci-layout', size: 3 }]);
  assert.is(readdirSync(folder).length, 2);
  removeUnfinished();
  assert.equal(readdirSync(folder), []);
  tar.discard();
  const kept = stageDirectory(join(folder, 'kept'));
  kept.commit();
  removeUnfinished();
  assert.equal(readdirSync(folder), ['kept']);
});

const FILES = [
  { path: 'oci-layout', bytes: Buffer.from('{"imageLayoutVersion":"1.0.0"}') },
  { path: 'blobs/sha256/b', bytes: Buffer.alloc(512, 'b') },
  { path: 'blobs/sha256/a', bytes: Buffer.alloc(0) },
  { path: 'index.json', bytes: Buffer.from('{"schemaVersion":2,"manifests":[]}') },
];
const sized = FILES.map(({ path, bytes }) => ({ path, size: bytes.length }));

function fill(target: LayoutTarget, files = FILES): void {
  for (const { path, bytes } of files) {
    const writer = target.open(path);
    writer.write(bytes.subarray(0, 10));
    writer.write(bytes.subarray(10));
    writer.close();
  }
}

test('a tar has the same bytes in any order of its files', async () => {
  const folder = temporary('staged');
  const [one, two] = [join(folder, '1.tar'), join(folder, '2.tar')];
  const first = await layoutTar(one, sized);
  fill(first);
  assert.not.ok(existsSync(one));
  first.commit();
  const second = await layoutTar(two, [...sized].reverse());
  const again = second.open('blobs/sha256/b');
  again.write(Buffer.alloc(100, '!'));
  again.drop();
  fill(second, [...FILES].reverse());
  second.commit();
  assert.equal(readFileSync(one), readFileSync(two));
  const { reading, report } = await readInput(one);
  assert.equal(
    reading.parts[0]!.scan.members.map(({ name }) => name),
    ['blobs/', 'blobs/sha256/', 'blobs/sha256/a', 'blobs/sha256/b', 'index.json', 'oci-layout'],
  );
  assert.is(report.verdicts.intact, true);
  await layoutTar(one, sized).then(
    () => assert.unreachable(),
    error => assert.match(error.message, /exists\nChoose another name/),
  );
  assert.equal(readdirSync(folder), ['1.tar', '2.tar']);
});

test('a directory has the same files as a tar', async () => {
  const folder = join(temporary('staged'), 'layout');
  const target = layoutDirectory(folder, sized);
  fill(target);
  target.commit();
  for (const { path, bytes } of FILES) assert.equal(readFileSync(join(folder, path)), bytes);
});

testWhen(
  test,
  hasCommand('sh'),
  'there is no shell',
)('a disk that takes no more is an InputError that says so, and leaves nothing', () => {
  const folder = temporary('staged');
  const module = (name: string) => pathToFileURL(join(repositoryRoot, `dist/src/write/${name}.js`)).href;
  // A limit on the size of files simulates a full disk.
  const script = `
    import { layoutDirectory } from ${JSON.stringify(module('layout-target'))};
    const target = layoutDirectory(${JSON.stringify(join(folder, 'out'))}, [{ path: 'blobs/sha256/a', size: 1e6 }]);
    const writer = target.open('blobs/sha256/a');
    try {
      writer.write(new Uint8Array(1e6));
    } catch (error) {
      console.log(error.name, error.message);
      writer.drop();
      target.discard();
    }`;
  const { stdout } = spawnSync('sh', [
    '-c',
    'ulimit -f 16; exec "$0" --input-type=module -e "$1"',
    process.execPath,
    script,
  ]);
  assert.match(stdout.toString(), /^InputError .*out: cannot be written: file too large\nRaise the limit/);
  assert.equal(readdirSync(folder), []);
});

test.run();
