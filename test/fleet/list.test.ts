// Digests and shards of work lists: the same on every machine, in any order of the list.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  balancedShards,
  indexOfPath,
  listDigest,
  pathOfRecord,
  recordedPath,
  shardedList,
  shardOf,
} from '../../src/fleet/list.js';
import { type BytePath, nameBytes, pathBuffer, shownPath } from '../../src/spec/byte-path.js';

const fleet = Array.from({ length: 2000 }, (_, i) => `registry-${i % 7}/app-${i}/${i * 7919}.tar`).sort();
const byPath = (paths: readonly BytePath[]) => ({ paths, sizes: null });
/** Any bytes that a path may have. */
const anyPath = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map(bytes => Buffer.from(bytes.map(byte => byte || 1)).toString('latin1'));

for (const of of [1, 3, 10, 97])
  test(`every path is in exactly one of ${of} shards, whatever the order of the list`, () => {
    const shards = Array.from(
      { length: of },
      (_, i) => shardedList(byPath(fleet), { number: i + 1, of }).paths,
    );
    assert.equal(shards.flat().sort(), fleet);
    const reversed = Array.from({ length: of }, (_, i) =>
      [...fleet].reverse().filter(path => shardOf(path, of) === i + 1),
    );
    assert.equal(
      reversed.map(paths => paths.sort()),
      shards.map(paths => [...paths]),
    );
    // A fair share, give or take what chance does to 2000 paths.
    const expected = fleet.length / of;
    for (const { length } of shards) assert.ok(Math.abs(length - expected) <= 5 * Math.sqrt(expected) + 1);
  });

test('a path that is added or removed moves no other', () => {
  const of = 10;
  const shardWith = new Map(fleet.map(path => [path, shardOf(path, of)]));
  const { paths } = shardedList(byPath([...fleet.slice(5), 'new.tar'].sort()), { number: 4, of });
  for (const path of paths) if (path !== 'new.tar') assert.is(shardWith.get(path), 4);
  const others = paths.filter(path => path !== 'new.tar');
  assert.equal(
    others,
    fleet.slice(5).filter(path => shardWith.get(path) === 4),
  );
});

test('the shard of a path is what other programs compute: 8 bytes of sha256, big-endian', () => {
  // printf app.tar | sha256sum
  const digits = createHash('sha256').update('app.tar').digest('hex').slice(0, 16);
  for (const of of [1, 2, 10, 97, 1_000_000])
    assert.is(shardOf('app.tar', of), Number(BigInt(`0x${digits}`) % BigInt(of)) + 1);
  // Of the bytes of a name, not of a text that stands for them.
  const bytes = createHash('sha256')
    .update(Buffer.from([0xff, 0x2e]))
    .digest()
    .readBigUInt64BE();
  assert.is(shardOf('\xff.', 97), Number(bytes % 97n) + 1);
  assert.is(
    shardOf(nameBytes('ä'), 97),
    Number(createHash('sha256').update('ä').digest().readBigUInt64BE() % 97n) + 1,
  );
});

test('the digest of a list is over its paths, each ended by a NUL', () => {
  const paths = ['a', 'b\nc', 'd\xff', nameBytes('ä')].sort();
  const bytes = Buffer.concat(paths.map(path => Buffer.concat([pathBuffer(path), Buffer.from([0])])));
  assert.is(listDigest(byPath(paths)), `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  const sized = createHash('sha256').update('a\x0012\0b\x000\0').digest('hex');
  assert.is(listDigest({ paths: ['a', 'b'], sizes: [12, 0] }), `sha256:${sized}`);
  assert.is(listDigest(byPath([])), `sha256:${createHash('sha256').digest('hex')}`);
});

test('the digest of a list does not depend on the blocks in which it is hashed', () => {
  const long = ['x'.repeat(70_000), 'y'.repeat(65_535), 'z'.repeat(65_536), ...fleet.slice(0, 1500)].sort();
  const expected = createHash('sha256')
    .update(long.map(path => `${path}\0`).join(''))
    .digest('hex');
  assert.is(listDigest(byPath(long)), `sha256:${expected}`);
});

test('balanced shards have about equal bytes, and each path once', () => {
  const sizes = fleet.map((_, i) => (i * 7919) % 100_000);
  for (const of of [1, 3, 10, 97]) {
    const shards = balancedShards(sizes, of);
    const bytes = Array.from({ length: of }, () => 0);
    for (const [i, number] of shards.entries()) bytes[number - 1]! += sizes[i]!;
    const largest = Math.max(...sizes);
    assert.ok(Math.max(...bytes) - Math.min(...bytes) <= largest, `${of}: ${bytes}`);
    assert.is(shards.length, fleet.length);
  }
});

test('ties of balanced shards go by path, then to the lowest number', () => {
  assert.equal([...balancedShards([5, 5, 5, 5], 3)], [1, 2, 3, 1]);
  assert.equal([...balancedShards([1, 9, 1, 1], 2)], [2, 1, 2, 2]);
  assert.equal([...balancedShards([0, 0, 0], 2)], [1, 1, 1]);
  assert.equal([...balancedShards([3], 5)], [1]);
  assert.equal([...balancedShards([], 5)], []);
});

test('a simple search for the shard with the fewest bytes gives the same', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (sizes, of) => {
      const bytes = Array.from({ length: of }, () => 0);
      const expected = sizes.map(() => 0);
      const order = [...sizes.keys()].sort((a, b) => sizes[b]! - sizes[a]! || a - b);
      for (const i of order) {
        const least = bytes.indexOf(Math.min(...bytes));
        expected[i] = least + 1;
        bytes[least]! += sizes[i]!;
      }
      assert.equal([...balancedShards(sizes, of)], expected);
    }),
  );
});

test('balanced shards are of another list than those by path', () => {
  const paths = ['a', 'b', 'c'];
  const one = shardedList({ paths, sizes: [1, 2, 3] }, { number: 1, of: 2 });
  const two = shardedList({ paths, sizes: [1, 2, 3] }, { number: 2, of: 2 });
  assert.equal([one.paths, two.paths], [['c'], ['a', 'b']]);
  assert.is(one.shard.by, 'size');
  assert.is(one.shard.list, two.shard.list);
  assert.is.not(one.shard.list, shardedList({ paths, sizes: [1, 2, 4] }, { number: 1, of: 2 }).shard.list);
  assert.is.not(one.shard.list, shardedList(byPath(paths), { number: 1, of: 2 }).shard.list);
});

test('a path is found in a sorted list', () => {
  for (const [i, path] of fleet.entries()) assert.is(indexOfPath(fleet, path), i);
  for (const path of ['', 'zzz', 'registry-0', `${fleet[3]}x`]) assert.is(indexOfPath(fleet, path), -1);
  assert.is(indexOfPath([], 'a'), -1);
});

test('a record tells the bytes of its path', () => {
  assert.equal(recordedPath('a/b'), { path: 'a/b' });
  assert.equal(recordedPath(nameBytes('ä\n')), { path: 'ä\n' });
  assert.equal(recordedPath('a\xff'), { path: 'a\ufffd', pathBytes: 'Yf8=' });
  fc.assert(
    fc.property(anyPath, path =>
      assert.is(pathOfRecord(JSON.parse(JSON.stringify(recordedPath(path)))), path),
    ),
  );
});

test('a record whose path and bytes are of two paths has none', () => {
  for (const [path, pathBytes] of [
    ['a', 'Yg=='],
    ['a', 'YQ=='],
    ['a\ufffd', 'Yf8'],
    ['a\ufffd', 'Yf8=!'],
    ['', undefined],
    ['a\0b', undefined],
    ['\ud800', undefined],
  ] as const)
    assert.is(pathOfRecord({ path, ...(pathBytes !== undefined && { pathBytes }) }), null, path);
  // A name that has the replacement character is text.
  assert.is(pathOfRecord({ path: 'a\ufffd' }), nameBytes('a\ufffd'));
});

test('paths are shown so that two never look the same', () => {
  assert.is(shownPath('a\xff\n'), 'a\\xff\\n');
  assert.is(shownPath(nameBytes('ä')), 'ä');
});

test.run();
