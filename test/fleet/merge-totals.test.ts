// Sums over a fleet: layers counted once, bases by chains of diff_ids, duplicates, worst first.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isWholeRecord } from '../../src/fleet/merge-shape.js';
import { FleetTotals } from '../../src/fleet/merge-totals.js';
import type { ArchiveRecord } from '../../src/fleet/record.js';
import { broken, type FleetItem, finding, image, item, layer, SOURCE } from '../support/fleet.js';

const test = suite('totals of a fleet');

function totalsOf(...items: readonly FleetItem[]): FleetTotals {
  const totals = new FleetTotals();
  const shard = { number: 1, of: 1, by: 'path', list: '' } as const;
  for (const one of items) {
    const record: ArchiveRecord = { ...one, schemaVersion: 1, ...SOURCE, shard };
    assert.ok(isWholeRecord(record));
    totals.add(record);
  }
  return totals;
}

const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((name, i) => layer(name, 10 ** i, 2 * 10 ** i));
const one = (path: string, ...layers: Parameters<typeof image>[1][]) =>
  item(path, { images: layers.map((own, i) => image([`${path}:${i}`], own)), size: 100 });

test('layers: in each image, in each archive, and once in the fleet', () => {
  const { stored, unpacked } = totalsOf(one('1', [A!, B!], [A!, C!]), one('2', [A!, B!, C!])).bytes();
  assert.equal(stored.inImages, { count: 7, bytes: 11 + 101 + 111, unknown: 0 });
  assert.equal(stored.inArchives, { count: 6, bytes: 111 + 111, unknown: 0 });
  assert.equal(stored.distinct, { count: 3, bytes: 111, unknown: 0 });
  assert.equal(unpacked.distinct, { count: 3, bytes: 222, unknown: 0 });
});

test('one layer, compressed in two ways: two digests, one diff_id', () => {
  const again = { ...A!, digest: 'sha256:other', size: 5 };
  const { stored, unpacked } = totalsOf(one('1', [A!]), one('2', [again])).bytes();
  assert.equal([stored.distinct.bytes, stored.distinct.count], [6, 2]);
  assert.equal([unpacked.distinct.bytes, unpacked.distinct.count], [2, 1]);
});

test('sizes that are not known are counted, and known ones of another archive are used', () => {
  const open = { ...A!, size: null };
  const { stored } = totalsOf(
    one('1', [open]),
    one('2', [A!]),
    one('3', [{ ...B!, digest: null, size: null }]),
  ).bytes();
  assert.equal(stored.distinct, { count: 2, bytes: 1, unknown: 1 });
  assert.equal(stored.inArchives, { count: 3, bytes: 2, unknown: 1 });
});

test('the base is the longest chain that is another image; equal chains are none of each other', () => {
  const totals = totalsOf(
    one('base', [A!]),
    one('middle', [A!, B!]),
    one('app', [A!, B!, C!]),
    one('other', [B!, C!]),
  );
  assert.equal(
    totals.images().map(({ base }) => base),
    [null, { image: 0, layers: 1 }, { image: 1, layers: 2 }, null],
  );
  assert.equal(totals.bases(), [
    { image: 1, layers: 2, images: 1, archives: 1 },
    { image: 0, layers: 1, images: 1, archives: 1 },
  ]);
  // The base may come last, and a layer that is not known ends the comparison.
  const late = totalsOf(
    one('app', [A!, B!]),
    one('base', [A!]),
    one('unknown', [A!, { ...D!, diffId: null }]),
  );
  assert.equal(
    late.images().map(({ base }) => base?.image ?? null),
    [1, null, null],
  );
});

test('claimed bases: in the fleet and true, in the fleet and false, not in the fleet', () => {
  const base = image(['debian:12'], [A!]);
  const claim = { name: 'debian:12', digest: base.manifestDigest };
  const claiming = (path: string, layers: Parameters<typeof image>[1], claimed: typeof claim | null) =>
    item(path, { images: [image([path], layers, { base: claimed })] });
  const totals = totalsOf(
    item('base', { images: [base] }),
    claiming('true', [A!, B!], claim),
    claiming('false', [C!, B!], claim),
    claiming('elsewhere', [C!], { name: 'alpine', digest: 'sha256:00' }),
  );
  assert.equal(totals.claimedBases(), [
    { ...claim, images: 2, confirmed: 1, refuted: 1 },
    { name: 'alpine', digest: 'sha256:00', images: 1, confirmed: 0, refuted: 0 },
  ]);
});

test('one image under many names and in many archives; one name of different images', () => {
  const names = (path: string, own: readonly string[], layers: Parameters<typeof image>[1]) =>
    item(path, { images: [image(own, layers)] });
  const totals = totalsOf(
    names('1', ['a:1', 'b:1'], [A!]),
    names('2', ['c:1', 'a:1'], [A!]),
    names('3', ['a:1'], [B!]),
  );
  const [first, second] = totals.images();
  assert.equal(first!.names, ['a:1', 'b:1', 'c:1']);
  assert.equal([first!.nameCount, first!.archives, second!.archives], [3, [0, 1], [2]]);
  assert.equal(totals.sharedNames(), [{ name: 'a:1', platform: 'linux/amd64', images: [0, 1] }]);
});

test('the platforms of one image have one name, and are no clash', () => {
  const images = ['linux/amd64', 'linux/arm64'].map((platform, i) =>
    image(['a:1'], [i === 0 ? A! : B!], { platform }),
  );
  assert.equal(totalsOf(item('1', { images })).sharedNames(), []);
});

test('equal files', () => {
  const totals = totalsOf(
    item('1', { sha256: 'sha256:aa', size: 10 }),
    item('2', { sha256: 'sha256:bb', size: 30 }),
    item('3', { sha256: 'sha256:aa', size: 10 }),
    item('4', { sha256: 'sha256:bb', size: 30 }),
    item('folder', { sha256: null, size: null }),
    item('folder 2', { sha256: null, size: null }),
  );
  assert.equal(totals.equalFiles(), [
    [1, 3],
    [0, 2],
  ]);
  assert.equal(totals.bytes().files, { count: 6, bytes: 80, unknown: 2 });
  assert.equal(totals.bytes().copies, { count: 2, bytes: 40, unknown: 0 });
});

test('worst first: no report, failing findings, errors, warnings, then the path', () => {
  const with_ = (path: string, exitCode: 0 | 1, ...findings: ReturnType<typeof finding>[]) =>
    item(path, { exitCode, findings });
  const error = finding('a', 'error', true, 'a');
  const warning = finding('b', 'warning', false, 'b');
  const totals = totalsOf(
    with_('fine', 0),
    with_('warned', 0, warning),
    with_('one', 1, error),
    with_('two', 1, error, error),
    broken('cut', 'cut short at 12'),
    with_('fine too', 0),
    broken('cut too', 'cut short at 4711'),
  );
  assert.equal(
    totals.worstFirst().map(i => totals.archives[i]!.path),
    ['cut', 'cut too', 'two', 'one', 'warned', 'fine', 'fine too'],
  );
  assert.equal(totals.findings(), [
    { code: 'a', severity: 'error', count: 3, failing: 3, archives: 2, first: 2 },
    { code: 'b', severity: 'warning', count: 1, failing: 0, archives: 1, first: 1 },
  ]);
  assert.equal(totals.unreadReasons(), [{ what: 'cut short at 12', archives: 2, first: 4 }]);
  assert.equal(totals.exitCodes, [3, 2, 2]);
  assert.equal(totals.verdicts.intact, { yes: 5, no: 0, unknown: 2 });
});

test.run();
