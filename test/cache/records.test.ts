// Records in a cache: only of a file that is certainly the same.
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openCache } from '../../src/cache/cache.js';
import { type ArchiveIdentity, findArchive } from '../../src/containers/archive-identity.js';
import { nameBytes } from '../../src/spec/byte-path.js';
import { temporary } from '../support/tmp.js';

const folder = temporary('cache-records');
let number = 0;

const settle = (ms = 60) => new Promise(resolve => setTimeout(resolve, ms));

const identity = (file: string): ArchiveIdentity => findArchive(nameBytes(file))!.identity!;

/** A file that was written a while ago, with a record in a cache. */
async function kept(content = 'good') {
  const file = join(folder, `file${number}`);
  writeFileSync(file, content);
  await settle();
  const { records } = openCache(join(folder, `cache${number++}`));
  const before = identity(file);
  assert.is(records.find(before, 'settings'), null);
  records.keep(before, 'settings', '{"verdict":"yes"}');
  return { file, records, before };
}

test('a record of an unchanged file is found, by its settings alone', async () => {
  const { file, records } = await kept();
  assert.is(records.find(identity(file), 'settings'), '{"verdict":"yes"}');
  assert.is(records.find(identity(file), 'other'), null);
});

test('a change of any part of the identity hides the record', async () => {
  const { file, records } = await kept();
  const now = identity(file);
  for (const name of ['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const)
    assert.is(
      records.find({ ...now, state: { ...now.state, [name]: now.state[name] + 1n } }, 'settings'),
      null,
      name,
    );
  assert.is(records.find({ ...now, path: `${now.path}2` }, 'settings'), null, 'path');
});

test('other content of the same size, with the old modification time, hides the record', async () => {
  const { file, records } = await kept('good');
  const { atime, mtime } = statSync(file);
  writeFileSync(file, 'evil');
  utimesSync(file, atime, mtime);
  assert.is(records.find(identity(file), 'settings'), null);
});

test('a record of a file that changed while it was read is not kept', async () => {
  const { file, records } = await kept();
  const before = identity(file);
  records.find(before, 'again');
  writeFileSync(file, 'evil');
  records.keep(before, 'again', 'x');
  assert.is(records.find(before, 'again'), null);
  assert.is(records.find(identity(file), 'again'), null);
});

test('a record of a file that was written a moment ago is not kept: another write might leave its times', async () => {
  const { file, records } = await kept();
  writeFileSync(file, 'new');
  const before = identity(file);
  records.find(before, 'new');
  await settle();
  records.keep(before, 'new', 'x');
  assert.is(records.find(before, 'new'), null);
  records.keep(before, 'new', 'x');
  assert.is(records.find(before, 'new'), 'x', 'the file was looked at again');
});

test('a record of a file that was not looked for is not kept', async () => {
  const { file, records } = await kept();
  records.keep(identity(file), 'unasked', 'x');
  assert.is(records.find(identity(file), 'unasked'), null);
});

test('times in whole seconds have to lie two seconds back', async () => {
  const { file, records } = await kept();
  const real = identity(file);
  const second = 1_000_000_000n;
  const whole = {
    ...real,
    state: {
      ...real.state,
      mtimeNs: (real.state.mtimeNs / second) * second,
      ctimeNs: (real.state.ctimeNs / second) * second,
    },
  };
  records.find(whole, 'whole');
  records.keep(whole, 'whole', 'x');
  assert.is(records.find(whole, 'whole'), null);
});

test('a hard link changes the time of a file: its record is made again', async () => {
  const { file, records } = await kept();
  linkSync(file, `${file}.link`);
  assert.is(records.find(identity(file), 'settings'), null);
});

test('a file system that does not set the time of a change has no records', () => {
  if (process.platform !== 'linux') return;
  const cache = openCache(join(folder, `cache${number++}`));
  const before = identity('/proc/version');
  cache.records.find(before, 'x');
  cache.records.keep(before, 'x', 'y');
  assert.is(cache.statistics.records.untimed, 1);
  assert.ok(readFileSync('/proc/version').length > 0);
});

/** A folder of files that was written a while ago, with a record in a cache. */
async function keptFolder(change: (dir: string) => void = () => {}) {
  const dir = join(folder, `folder${number}`);
  mkdirSync(join(dir, 'blobs'), { recursive: true });
  writeFileSync(join(dir, 'index.json'), '{}');
  writeFileSync(join(dir, 'blobs/a'), 'good');
  change(dir);
  await settle();
  const { records } = openCache(join(folder, `cache${number++}`));
  const before = findArchive(nameBytes(dir))!.identity;
  if (before !== null) {
    records.find(before, 'settings');
    records.keep(before, 'settings', 'yes');
  }
  return { dir, before, found: () => records.find(identity(dir), 'settings') };
}

test('a record of a folder is found until something below it is other, more or less', async () => {
  const changes: readonly ((dir: string) => void)[] = [
    dir => writeFileSync(join(dir, 'blobs/a'), 'evil'),
    dir => {
      const { atime, mtime } = statSync(join(dir, 'blobs/a'));
      writeFileSync(join(dir, 'blobs/a'), 'evil');
      utimesSync(join(dir, 'blobs/a'), atime, mtime);
    },
    dir => writeFileSync(join(dir, 'blobs/b'), ''),
    dir => unlinkSync(join(dir, 'blobs/a')),
    dir => renameSync(join(dir, 'blobs/a'), join(dir, 'blobs/c')),
    dir => mkdirSync(join(dir, 'blobs/empty')),
    dir => chmodSync(join(dir, 'blobs/a'), 0o600),
  ];
  for (const change of changes) {
    const { dir, found } = await keptFolder();
    assert.is(found(), 'yes');
    change(dir);
    assert.is(found(), null, String(change));
  }
});

test('a folder with a symlink has no record: what it leads to may change without a trace', async () => {
  const outside = join(folder, 'outside');
  writeFileSync(outside, 'x');
  const { before } = await keptFolder(dir => symlinkSync(outside, join(dir, 'blobs/link')));
  assert.is(before, null);
});

test.run();
