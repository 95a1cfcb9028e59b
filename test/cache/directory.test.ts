// The directory of a cache: whose it may be, and what happens where it cannot be used.
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openCache } from '../../src/cache/cache.js';
import { InputError } from '../../src/errors.js';
import { testWhen } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';

const KEY = Buffer.alloc(32, 7);
const folder = temporary('cache-directory');
let number = 0;
const fresh = () => join(folder, `cache${number++}`);
const isPosix = process.getuid !== undefined;
const posix = testWhen(test, isPosix, 'this system has no modes');
const asRoot = testWhen(
  test,
  isPosix && process.getuid!() === 0,
  'only root can give a file to another user',
);

function refusal(dir: string, key?: Uint8Array): string {
  try {
    openCache(dir, { key });
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return 'opened';
}

test('a new directory, with those above it, is made for this user alone', () => {
  const dir = join(fresh(), 'a', 'b');
  openCache(dir);
  assert.equal(readdirSync(dir).sort(), ['CACHEDIR.TAG', 'entries', 'key', 'unfinished']);
  if (!isPosix) return;
  assert.is(statSync(dir).mode & 0o777, 0o700);
  assert.is(statSync(join(dir, 'key')).mode & 0o777, 0o600);
  assert.is(refusal(dir), 'opened');
});

test('a directory with other files, and a file, are refused', () => {
  const dir = fresh();
  mkdirSync(dir);
  writeFileSync(join(dir, 'image.tar'), 'x');
  assert.match(
    refusal(dir),
    /expected an empty directory or a cache, found other files \(image\.tar\)\n.*--cache/,
  );
  assert.match(refusal(join(dir, 'image.tar')), /expected a directory, found something else/);
  assert.match(refusal(join(dir, 'image.tar', 'below')), /expected a directory/);
  assert.equal(readdirSync(dir), ['image.tar']);
});

test('the root of a new file system is empty', () => {
  const dir = fresh();
  mkdirSync(join(dir, 'lost+found'), { recursive: true });
  assert.is(refusal(dir), 'opened');
});

posix('a directory into which others may write is refused, unless a key signs its entries', () => {
  for (const mode of [0o777, 0o770, 0o702]) {
    const dir = fresh();
    mkdirSync(dir);
    chmodSync(dir, mode);
    assert.match(
      refusal(dir),
      /found mode 0\d{3}: (every user|its group) could change what is kept\n.*chmod go-w .*--cache-key/,
    );
    assert.is(refusal(dir, KEY), 'opened');
  }
});

asRoot('a directory of another user is refused, unless a key signs its entries', () => {
  const dir = fresh();
  mkdirSync(dir, { mode: 0o700 });
  chownSync(dir, 12345, 12345);
  assert.match(refusal(dir), /found one of user 12345/);
  assert.is(refusal(dir, KEY), 'opened');
});

posix('a key that others may read, that another user made, or that is a link, is refused', () => {
  const changes: ((key: string) => void)[] = [
    key => chmodSync(key, 0o644),
    key => writeFileSync(key, 'short'),
    key => {
      const known = join(folder, `known${number++}`);
      writeFileSync(known, KEY, { mode: 0o600 });
      rmSync(key);
      symlinkSync(known, key);
    },
    key => {
      rmSync(key);
      mkdirSync(key);
    },
    ...(process.getuid!() === 0 ? [(key: string) => chownSync(key, 12345, 12345)] : []),
  ];
  for (const change of changes) {
    const dir = fresh();
    openCache(dir);
    change(join(dir, 'key'));
    assert.match(refusal(dir), /key.*\n.*Delete/s);
    assert.is(refusal(dir, KEY), 'opened');
  }
});

test('where no folder can be made there is no cache, and no loop', () => {
  if (process.platform !== 'linux') return;
  const { blobs, records, statistics } = openCache('/proc/waybill-cache');
  assert.match(statistics.problem!, /^the cache \/proc\/waybill-cache is not used: /);
  assert.is(
    blobs.lookUp({ file: '/etc/passwd', start: 0, length: 1, deflated: false }, ['sha256'], {} as never),
    null,
  );
  const state = { dev: 1n, ino: 1n, size: 1n, mtimeNs: 1n, ctimeNs: 1n };
  const file = { path: '/x', state, members: [] };
  assert.is(records.find(file, ''), null);
  records.keep(file, '', 'x');
});

test('all processes use one key, and the same seeds', () => {
  const dir = fresh();
  const first = openCache(dir).setup;
  const second = openCache(dir).setup;
  assert.equal(first.seeds, second.seeds);
  assert.equal(first.place!.key, second.place!.key);
  assert.not.equal(openCache(fresh()).setup.seeds, first.seeds);
  assert.not(Buffer.from(first.place!.key).equals(readFileSync(join(dir, 'key'))));
});

test.run();
