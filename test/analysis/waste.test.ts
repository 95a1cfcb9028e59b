// The waste of layers: each rule with layers made for it, and the sum for every real image.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  breakdown,
  byDirectory,
  byExtension,
  byFile,
  byLayer,
  type Grouping,
} from '../../src/analysis/breakdown.js';
import { unpack } from '../../src/analysis/hidden-files.js';
import { CACHE_RULES, cacheRuleOf, type WastedFile, wasteOf } from '../../src/analysis/waste.js';
import { type SizeName, sumOf, weigher } from '../../src/analysis/weigh.js';
import { tablesOf } from '../../src/filesystem/layer-tables.js';
import { readArchive } from '../../src/report/read.js';
import type { EntryTable } from '../../src/scan/entries/table.js';
import { corpus, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { tarFacts } from '../support/layer-facts.js';
import { rawEntry, rawTar } from '../support/tar-blocks.js';
import { imagesWithTruth } from '../support/truth-images.js';

type Layer = readonly Uint8Array[];

const file = (name: string, content: string, mode = '0000644\0') => rawEntry({ name, mode }, content);
const directory = (name: string) => rawEntry({ name: `${name}/`, flag: '5' });
const hardlink = (name: string, link: string) => rawEntry({ name, flag: '1', link });
const symlink = (name: string, link: string) => rawEntry({ name, flag: '2', link });

const tableOf = (entries: Layer): EntryTable =>
  tarFacts(rawTar(...entries), { contents: { digests: true } }).table!;
const unpacked = (...layers: readonly Layer[]) => unpack(layers.map(tableOf));

const hidden = (...layers: readonly Layer[]) =>
  unpacked(...layers).stowaways.map(
    ({ path, bytes, layer, hiddenBy, how, metadataOnly }) =>
      `${path} ${bytes} ${layer}>${hiddenBy} ${how}${metadataOnly ? ' same' : ''}`,
  );

const stowaways: Readonly<Record<string, readonly [layers: readonly Layer[], found: readonly string[]]>> = {
  'a file over a file': [[[file('a', 'old')], [file('a', 'newer')]], ['a 3 0>1 overwritten']],
  'the same file again': [
    [[file('a', 'same')], [file('a', 'same', '0000755\0')]],
    ['a 4 0>1 overwritten same'],
  ],
  'a whiteout': [[[file('d/a', 'xx'), file('d/b', 'y')], [file('d/.wh.a', '')]], ['d/a 2 0>1 deleted']],
  'a whiteout of a directory': [[[file('d/e/a', 'xx')], [file('.wh.d', '')]], ['d/e/a 2 0>1 deleted']],
  'an opaque directory': [
    [
      [file('d/a', 'xx'), file('d/b', 'yy')],
      [file('d/a', 'z'), file('d/.wh..wh..opq', '')],
    ],
    ['d/a 2 0>1 overwritten', 'd/b 2 0>1 deleted'],
  ],
  'a file deleted and made again in one layer': [
    [[file('a', 'x')], [file('.wh.a', ''), file('a', 'y')]],
    ['a 1 0>1 overwritten'],
  ],
  'a file over a directory': [[[file('d/a', 'x')], [file('d', 'yy')]], ['d/a 1 0>1 deleted']],
  'a directory over a file': [[[file('d', 'x')], [file('d/a', 'yy')]], ['d 1 0>1 overwritten']],
  'a link over a file': [[[file('a', 'x')], [symlink('a', 'b')]], ['a 1 0>1 overwritten']],
  'three versions': [
    [[file('a', '1')], [file('a', '22')], [file('a', '333')]],
    ['a 1 0>1 overwritten', 'a 2 1>2 overwritten'],
  ],
  'deleted, and made again later': [
    [[file('a', '1')], [file('.wh.a', '')], [file('a', '1')]],
    ['a 1 0>1 deleted'],
  ],
  'two entries of one name': [[[file('a', '1'), file('a', '22')]], ['a 1 0>0 overwritten']],
  'a file while a hard link is left': [[[file('a', '1'), hardlink('b', 'a')], [file('.wh.a', '')]], []],
  'a file whose last name goes': [
    [[file('a', '1'), hardlink('b', 'a')], [file('.wh.a', '')], [file('.wh.b', '')]],
    ['b 1 0>2 deleted'],
  ],
  'a file below a linked directory': [
    [[directory('usr'), symlink('lib', 'usr')], [file('lib/a', '1')], [file('usr/.wh.a', '')]],
    ['usr/a 1 1>2 deleted'],
  ],
  'a whiteout with content': [[[file('.wh.a', 'why')]], ['.wh.a 3 0>0 deleted']],
  'empty files': [[[file('a', '')], [file('a', '')]], []],
  'a layer of its own': [[[file('a', '1')], [file('b', '1')]], []],
};

for (const [what, [layers, found]] of Object.entries(stowaways)) {
  test(`hidden files: ${what}`, () => {
    assert.equal(hidden(...layers), found);
  });
}

test('a layer whose entries are not known hides nothing', () => {
  const { stowaways: found, tree } = unpack([tableOf([file('a', 'x')]), null, tableOf([file('a', 'y')])]);
  assert.equal(
    found.map(({ hiddenBy }) => hiddenBy),
    [2],
  );
  assert.equal(tree.incomplete, [1]);
});

const named = ({ files }: { files: readonly WastedFile[] }, kind: WastedFile['kind']) =>
  files.filter(found => found.kind === kind).map(({ path }) => path);

test('all copies of a content but the first are waste', () => {
  const waste = wasteOf(
    unpacked([file('z/copy', 'content')], [file('a', 'content'), file('b', 'content'), file('c', 'other!!')]),
  );
  assert.is(waste.duplicated, 14);
  assert.equal(named(waste, 'duplicated'), ['a', 'b']);
  assert.ok(waste.files.every(found => found.kind !== 'duplicated' || found.copyOf === 'z/copy'));
  assert.is(waste.total, 14);
  assert.is(waste.efficiency, 0.5);
});

test('a hard link is not a copy, and a copy with two names counts once', () => {
  const first = [file('a', 'content'), hardlink('b', 'a')];
  assert.is(wasteOf(unpacked(first)).duplicated, 0);
  assert.is(wasteOf(unpacked(first, [file('c', 'content'), hardlink('d', 'c')])).duplicated, 7);
});

test('empty files are not copies', () => {
  assert.equal(wasteOf(unpacked([file('a', ''), file('b', '')])).files, []);
});

test('a hidden copy is not counted again', () => {
  const waste = wasteOf(unpacked([file('a', 'content'), file('b', 'content')], [file('.wh.b', '')]));
  assert.equal([waste.deleted, waste.duplicated, waste.total], [7, 0, 7]);
});

test('files that were overwritten with the same bytes are counted separately', () => {
  const waste = wasteOf(
    unpacked([file('a', 'same'), file('b', 'old')], [file('a', 'same', '0004755\0'), file('b', 'new')]),
  );
  assert.equal([waste.overwritten, waste.metadataOnly], [7, 4]);
});

test('without digests no file is a copy', () => {
  const table = tarFacts(rawTar(file('a', 'x'), file('b', 'x'))).table!;
  assert.is(wasteOf(unpack([table])).duplicated, 0);
});

test('caches: a store whose files are hard links to files in use is not a cache', () => {
  const cache = [file('var/cache/apt/x.deb', 'deb'), file('root/.pnpm-store/v3/f', 'module')];
  const used = hardlink('app/node_modules/f', 'root/.pnpm-store/v3/f');
  const waste = wasteOf(unpacked([...cache, used]));
  assert.is(waste.cached, 3);
  assert.equal(named(waste, 'cached'), ['var/cache/apt/x.deb']);
});

test('a copy in a cache counts once in the total', () => {
  const waste = wasteOf(unpacked([file('a', 'content')], [file('var/log/copy', 'content')]));
  assert.equal([waste.duplicated, waste.cached, waste.total], [7, 7, 7]);
});

test('wastes are sorted by size, largest first', () => {
  const waste = wasteOf(
    unpacked(
      [file('a', '1'), file('b', '4444'), file('c', '22')],
      [file('a', 'x'), file('b', 'x'), file('c', 'y')],
    ),
  );
  assert.equal(
    waste.files.map(({ bytes }) => bytes),
    [4, 2, 1, 1],
  );
});

test('an image without files is efficient', () => {
  assert.is(wasteOf(unpacked()).efficiency, 1);
});

const CACHES: Readonly<Record<string, string | null>> = {
  'var/lib/apt/lists/deb.debian.org_dists_sid_InRelease': 'apt-lists',
  'var/cache/apt/pkgcache.bin': 'apt-cache',
  'var/lib/dpkg/status-old': 'dpkg-backups',
  'var/lib/dpkg/status': null,
  'var/cache/apk/APKINDEX.tar.gz': 'apk-cache',
  'var/cache/dnf/x.solv': 'rpm-cache',
  'root/.cache/pip/http/a': 'pip-cache',
  'usr/lib/python3/__pycache__/os.cpython-311.pyc': 'python-bytecode',
  'usr/lib/python3/os.py': null,
  'opt/conda/pkgs/x.conda': 'conda-packages',
  'root/.npm/_cacache/index-v5/a': 'npm-cache',
  'home/node/.cache/yarn/v6/a': 'yarn-pnpm-cache',
  'root/go/pkg/mod/cache/download/a': 'go-cache',
  'root/go/pkg/mod/example.org/a.go': null,
  'usr/local/cargo/registry/src/a': 'cargo-cache',
  'root/.m2/repository/a.jar': 'java-cache',
  'usr/local/bundle/cache/rails-7.gem': 'ruby-cache',
  'root/.composer/cache/files/a.zip': 'php-cache',
  'app/.git/objects/ab/cd': 'version-control',
  'app/.gitignore': null,
  'root/.cache/fontconfig/a': 'user-cache',
  'tmp/a': 'temporary',
  'app/tmp/a': null,
  'var/log/apt/history.log': 'logs',
};

test('cached files are recognised by their paths', () => {
  const found = Object.keys(CACHES).map(path => [path, cacheRuleOf(path)?.name ?? null]);
  assert.equal(Object.fromEntries(found), CACHES);
  assert.is(new Set(CACHE_RULES.map(({ name }) => name)).size, CACHE_RULES.length);
});

const LAYERS: readonly Layer[] = [
  [
    file('usr/lib/libc.so.6', 'libc'),
    file('usr/lib/a.txt', 'old'),
    file('top', 'x'),
    hardlink('usr/top', 'top'),
  ],
  [file('usr/lib/a.txt', 'newer'), file('etc/.hidden', 'h'), file('etc/A.TXT', 'T')],
];

function rows(grouping: Grouping, wanted: (path: string) => boolean = () => true): string[] {
  const { shares } = breakdown(unpacked(...LAYERS), grouping, wanted);
  return shares
    .map(
      ({ name, bytes, shipped, files, layers }) =>
        `${name} ${bytes}/${shipped} ${files} in ${layers.join('+')}`,
    )
    .sort();
}

test('breakdown by file: visible and shipped bytes', () => {
  assert.equal(rows(byFile), [
    'etc/.hidden 1/1 1 in 1',
    'etc/A.TXT 1/1 1 in 1',
    'top 1/1 1 in 0',
    'usr/lib/a.txt 5/8 1 in 0+1',
    'usr/lib/libc.so.6 4/4 1 in 0',
  ]);
});

test('breakdown by directory: including everything below it, down to a depth', () => {
  assert.equal(rows(byDirectory(1)), [' 12/15 5 in 0+1', 'etc 2/2 2 in 1', 'usr 9/12 2 in 0+1']);
  assert.ok(rows(byDirectory(2)).includes('usr/lib 9/12 2 in 0+1'));
  assert.equal(rows(byDirectory(0)), [' 12/15 5 in 0+1']);
});

test('breakdown by extension: without version numbers, in lower case', () => {
  assert.equal(rows(byExtension), [' 2/2 2 in 0+1', '.so 4/4 1 in 0', '.txt 6/9 2 in 0+1']);
});

test('breakdown by layer, with a filter', () => {
  assert.equal(rows(byLayer), ['0 5/8 2 in 0', '1 7/7 3 in 1']);
  assert.equal(
    rows(byLayer, path => path.endsWith('a.txt')),
    ['0 0/3 0 in 0', '1 5/5 1 in 1'],
  );
});

const withCorpus = testWhen(test, corpus().length > 0, NO_SHARED_FOLDER);
if (corpus().length === 0) withCorpus('real images', () => {});

for (const { id, file: archive, truth } of corpus()) {
  withCorpus(`${id}: sizes, and what is shadowed`, async () => {
    const reading = await readArchive(archive, { depth: 'files', files: { digests: true } }).catch(
      () => null,
    );
    for (const { part, image, truth: expected } of reading === null ? [] : imagesWithTruth(reading, truth)) {
      const layers = image.layers.map(weigher(part.scan, null));
      assert.equal(
        layers.map(({ unpacked: tar, content }) => [tar, content]),
        expected.layers!.map(layer => [layer.uncompressed_size, layer.tar?.regular_bytes ?? null]),
      );
      const { stored, unpacked: tars, content } = sumOf(layers);
      const { blob_bytes, uncompressed_bytes, regular_bytes } = expected.totals!;
      // If no layer is known, the recorded truth has 0.
      const sum = (name: SizeName, truth: number) =>
        layers.length > 0 && layers.every(sizes => sizes[name] === null) ? null : truth;
      assert.equal(
        [stored, tars, content],
        [sum('stored', blob_bytes), sum('unpacked', uncompressed_bytes), sum('content', regular_bytes)],
      );
      if (expected.squash == null) continue;
      const whole = unpack(tablesOf(part.scan, image));
      const { overwritten, deleted } = wasteOf(whole);
      assert.is(overwritten + deleted, expected.squash.shadowed_bytes);
      const { all } = breakdown(whole, byFile, () => true);
      assert.equal([all.bytes, all.shipped], [expected.squash.bytes, regular_bytes]);
    }
  });
}

test.run();
