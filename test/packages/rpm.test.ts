// rpm's databases in three formats: all give the same packages as rpm, and damaged ones give the undamaged part.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Installed } from '../../src/packages/databases.js';
import type { Package } from '../../src/packages/package.js';
import { installed, recordedDatabase, recordedPackages } from './recorded.js';

const FORMS = {
  'var/lib/rpm/rpmdb.sqlite': recordedDatabase('rpmdb.sqlite'),
  'usr/lib/sysimage/rpm/Packages.db': recordedDatabase('Packages.db'),
  'var/lib/rpm/Packages': recordedDatabase('Packages'),
} as const;

const byName = (packages: readonly Package[]) =>
  [...packages].sort((a, b) => (a.name < b.name ? -1 : 1)).map(entry => ({ ...entry }));

const expected = recordedPackages.map(({ files, ...entry }) => ({
  manager: 'rpm',
  ...entry,
  license: 'MIT',
  files: files.map(path => path.slice(1)),
}));

for (const [path, database] of Object.entries(FORMS)) {
  test(`${path} gives what rpm says`, () => {
    const { packages, notes } = installed({ [path]: database });
    assert.equal(notes, []);
    assert.equal(byName(packages), expected);
  });
}

test('a Berkeley DB of a big-endian machine is read', () => {
  const { packages, notes } = installed({ 'var/lib/rpm/Packages': recordedDatabase('Packages-big-endian') });
  assert.equal([byName(packages), notes], [expected, []]);
});

test('pages in the write-ahead log replace those in the file', () => {
  const { packages } = installed({
    'var/lib/rpm/rpmdb.sqlite': FORMS['var/lib/rpm/rpmdb.sqlite'],
    'var/lib/rpm/rpmdb.sqlite-wal': recordedDatabase('rpmdb.sqlite-wal'),
  });
  const gone = ['small5', 'small6'];
  assert.equal(
    byName(packages),
    expected.filter(({ name }) => !gone.includes(name)),
  );
});

test('a damaged frame ends the log, and so does one without a commit', () => {
  const wal = recordedDatabase('rpmdb.sqlite-wal');
  const count = (log: Uint8Array) =>
    installed({
      'var/lib/rpm/rpmdb.sqlite': FORMS['var/lib/rpm/rpmdb.sqlite'],
      'var/lib/rpm/rpmdb.sqlite-wal': log,
    }).packages.length;
  assert.is(count(wal), expected.length - 2);
  const damaged = wal.slice();
  damaged[wal.length - 1]! ^= 1;
  assert.is(count(damaged), expected.length - 1, 'the second commit is lost');
  assert.is(count(wal.subarray(0, wal.length - 1)), expected.length - 1);
  assert.is(count(wal.subarray(0, 40)), expected.length);
  damaged[20]! ^= 1;
  assert.is(count(damaged), expected.length, 'the log is not its own');
});

test('of two formats in one folder the newer is read', () => {
  const { packages } = installed({
    'var/lib/rpm/Packages': new Uint8Array(10),
    'var/lib/rpm/rpmdb.sqlite': FORMS['var/lib/rpm/rpmdb.sqlite'],
  });
  assert.is(packages.length, expected.length);
});

/**
 * Asserts that the packages of a damaged database are some of the real ones, unchanged unless their own bytes are
 * damaged.
 */
function isPart({ packages, notes }: Installed, why: string): void {
  assert.ok(packages.length <= expected.length + 1, why);
  if (packages.length < expected.length) assert.ok(notes.length > 0, `${why}: something is missing, unsaid`);
}

for (const [path, database] of Object.entries(FORMS)) {
  test(`${path} that is cut short gives the packages before the cut`, () => {
    let most = 0;
    for (let length = 0; length < database.length; length += 509) {
      const result = installed({ [path]: database.subarray(0, length) });
      isPart(result, `${length} bytes`);
      most = Math.max(most, result.packages.length);
    }
    assert.ok(most > 5, `${most} packages at most`);
  });

  test(`${path} with any byte changed neither throws nor loops`, () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48271) % 0x7fffffff;
      return seed % below;
    };
    for (let i = 0; i < 400; i++) {
      const damaged = database.slice();
      // Damage in headers and at the beginning of pages has the most effect.
      const near = random(Math.ceil(database.length / 4096)) * 4096 + random(i % 2 === 0 ? 64 : 4096);
      damaged[Math.min(near, database.length - 1)] = random(256);
      const { packages } = installed({ [path]: damaged });
      assert.ok(packages.length <= 100);
    }
  });

  test(`${path} with noise after the first page`, () => {
    const noise = database.slice();
    for (let i = 4096; i < noise.length; i++) noise[i] = (i * 2654435761) >>> 13;
    assert.ok(installed({ [path]: noise }).notes.length > 0);
  });
}

/** Every overflow page points to itself. */
test('pages in a circle are an error, not a loop', () => {
  const bdb = FORMS['var/lib/rpm/Packages'].slice();
  const view = new DataView(bdb.buffer);
  for (let page = 0; page < bdb.length; page += 4096)
    if (bdb[page + 25] === 7) view.setUint32(page + 16, page / 4096, true);
  const result = installed({ 'var/lib/rpm/Packages': bdb });
  assert.ok(result.notes.some(({ reason }) => reason === 'its pages form a circle'));
  const sqlite = FORMS['var/lib/rpm/rpmdb.sqlite'].slice();
  const pages = new DataView(sqlite.buffer);
  for (let page = 4096; page < sqlite.length; page += 4096)
    if (sqlite[page] === 5) pages.setUint32(page + 8, page / 4096 + 1);
    else if (sqlite[page] === 0) pages.setUint32(page, page / 4096 + 1);
  const circle = installed({ 'var/lib/rpm/rpmdb.sqlite': sqlite });
  assert.ok(circle.notes.some(({ reason }) => reason === 'its pages form a circle'));
});

/** A header as databases store it. */
function header(
  entries: readonly (readonly [tag: number, type: number, offset: number, count: number])[],
  data: string,
) {
  const bytes = Buffer.alloc(8 + 16 * entries.length + data.length);
  bytes.writeUInt32BE(entries.length, 0);
  bytes.writeUInt32BE(data.length, 4);
  entries.forEach((entry, i) => {
    entry.forEach((value, n) => {
      bytes.writeUInt32BE(value, 8 + 16 * i + 4 * n);
    });
  });
  bytes.write(data, 8 + 16 * entries.length, 'latin1');
  return bytes;
}

/** An ndb database of these headers. */
function ndb(blobs: readonly Uint8Array[]): Uint8Array {
  const page = Buffer.alloc(4096);
  page.write('RpmP');
  page.writeUInt32LE(1, 12);
  for (let at = 32; at < 4096; at += 16) page.write('Slot', at);
  const parts: Uint8Array[] = [page];
  let unit = 256;
  blobs.forEach((blob, i) => {
    const units = Math.ceil((blob.length + 28) / 16);
    const record = Buffer.alloc(units * 16);
    record.write('BlbS');
    record.writeUInt32LE(i + 1, 4);
    record.writeUInt32LE(blob.length, 12);
    record.set(blob, 16);
    record.writeUInt32LE(blob.length, record.length - 8);
    record.write('BlbE', record.length - 4);
    page.writeUInt32LE(i + 1, 32 + 16 * i + 4);
    page.writeUInt32LE(unit, 32 + 16 * i + 8);
    page.writeUInt32LE(units, 32 + 16 * i + 12);
    parts.push(record);
    unit += units;
  });
  return Buffer.concat(parts);
}

const ofNdb = (...blobs: Uint8Array[]) => installed({ 'var/lib/rpm/Packages.db': ndb(blobs) });

test('a header with impossible counts is damaged, and hides no other', () => {
  const sound = header(
    [
      [1000, 6, 0, 1],
      [1001, 6, 2, 1],
    ],
    'a\x001\0',
  );
  const absurd = Buffer.from(sound);
  absurd.writeUInt32BE(0xffffffff, 0);
  const far = header(
    [
      [1000, 6, 0xfffffff0, 1],
      [1001, 6, 0, 0xffffffff],
    ],
    'a\x001\0',
  );
  const endless = header(
    [
      [1000, 6, 0, 1],
      [1001, 6, 2, 1],
      [1117, 8, 0, 0xffffffff],
      [1116, 4, 0, 0xffffffff],
      [1118, 8, 0, 0xffffffff],
    ],
    'b\x002\0',
  );
  const { packages, notes } = ofNdb(absurd, far, sound, endless, Buffer.alloc(3));
  assert.equal(
    packages.map(({ name, version, arch }) => [name, version, arch]),
    [
      ['a', '1', null],
      ['b', '2', null],
    ],
  );
  assert.equal(notes, [{ path: 'var/lib/rpm/Packages.db', reason: 'a header is damaged' }]);
});

test('a package of the old format, without separate directories', () => {
  const old = header(
    [
      [1000, 6, 0, 1],
      [1001, 6, 2, 1],
      [1027, 8, 4, 2],
    ],
    'a\x001\0/bin/a\0/etc/a\0',
  );
  assert.equal(ofNdb(old).packages[0]!.files, ['bin/a', 'etc/a']);
});

test('a small database cannot list more paths than memory can hold', () => {
  const directory = `/${'d'.repeat(4000)}/\0`;
  const count = 100_000;
  const data = `a\x001\0${'\0'.repeat(4 * count)}${directory}${'f\0'.repeat(count)}`;
  const blob = header(
    [
      [1000, 6, 0, 1],
      [1001, 6, 2, 1],
      [1116, 4, 4, count],
      [1118, 8, 4 + 4 * count, 1],
      [1117, 8, 4 + 4 * count + directory.length, count],
    ],
    data,
  );
  const { packages, notes } = ofNdb(blob);
  assert.ok(packages[0]!.files!.length < 70_000);
  assert.equal(
    notes.map(({ reason }) => reason),
    ['it lists more files than are kept'],
  );
});

test('overlapping records are not read repeatedly', () => {
  const blob = header([[1000, 6, 0, 1]], 'a'.repeat(5000));
  const database = Buffer.from(ndb([blob]));
  for (let slot = 1; slot < 200; slot++) database.copyWithin(32 + 16 * slot, 32, 48);
  const { notes } = installed({ 'var/lib/rpm/Packages.db': database });
  assert.ok(notes.some(({ reason }) => reason === 'its records overlap'));
});

test('files that are not databases', () => {
  for (const path of Object.keys(FORMS)) {
    for (const bytes of [new Uint8Array(0), Buffer.alloc(5000), Buffer.from('text\n'.repeat(500))]) {
      const { packages, notes } = installed({ [path]: bytes });
      assert.equal([packages.length, notes.length], [0, 1], path);
    }
  }
});

test.run();
