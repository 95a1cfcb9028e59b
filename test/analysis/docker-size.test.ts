// The size of a layer in Docker: each rule of unpacking, and real images with Docker's recorded sizes.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type LayerSize, naiveSize, overlaySize, snapshotUsage } from '../../src/analysis/weigh.js';
import { loadCodecs } from '../../src/codec/registry.js';
import { readArchive } from '../../src/report/read.js';
import type { BlobFacts } from '../../src/scan/blob/facts.js';
import { corpus, docker28, hasDocker28, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { layerFacts } from '../support/layer-facts.js';
import { paxEntry, rawEntry, rawTar } from '../support/tar-blocks.js';

await loadCodecs();

const file = (name: string, size: number) => rawEntry({ name }, 'x'.repeat(size));
const directory = (name: string) => rawEntry({ name: `${name}/`, flag: '5' });
const symlink = (name: string, link: string) => rawEntry({ name, flag: '2', link });
const hardlink = (name: string, link: string) => rawEntry({ name, flag: '1', link });

const sizeOf = (rule: (layer: BlobFacts) => LayerSize | null, ...entries: readonly Uint8Array[]): LayerSize =>
  rule(layerFacts(rawTar(...entries)))!;

/** Asserts the size on overlay2, for a layer that Docker accepts. */
function weighs(what: string, bytes: number, ...entries: readonly Uint8Array[]): void {
  test(`overlay2: ${what}`, () => {
    assert.equal(sizeOf(overlaySize, ...entries), { bytes, doubt: null });
  });
}

/** Asserts that Docker refuses the layer: the size of the rest, and the reason. */
function refuses(what: string, bytes: number, why: RegExp, ...entries: readonly Uint8Array[]): void {
  test(`overlay2 refuses ${what}`, () => {
    const size = sizeOf(overlaySize, ...entries);
    assert.is(size.bytes, bytes);
    assert.match(size.doubt ?? 'nothing', why);
  });
}

weighs('an empty layer', 0);
weighs('files, and their directories not', 107, directory('a'), file('a/b', 100), file('c', 7));
weighs('a symbolic link, the bytes of its target', 6, symlink('a', '/bin/b'));
weighs('a target in bytes, not characters', 4, symlink('a', Buffer.from('ää').toString('latin1')));
weighs('a hard link as 0', 10, file('a', 10), hardlink('b', 'a'), hardlink('c/d', './b'));
weighs('a hard link to a symbolic link as 0', 2, symlink('a', 'xx'), hardlink('b', '/a'));
weighs('a file with only a hard link left', 10, file('a', 10), hardlink('b', 'a'), file('a', 0));
weighs(
  'no device, pipe or whiteout',
  0,
  ...['3', '4', '6'].map(flag => rawEntry({ name: flag, flag, device: [1, 3] })),
);
weighs('whiteouts as 0', 0, file('.wh.gone', 0), file('a/.wh.b', 0), file('c/.wh..wh..opq', 0));
weighs('a whiteout with content as 0', 0, file('.wh.gone', 500));
weighs('a file that replaces its own whiteout', 5, file('.wh.a', 0), file('a', 5));
weighs('the later of two files with one name', 5, file('a', 10), file('./a', 5));
weighs(
  'a file in place of a directory with all below it',
  1,
  file('a/b/c', 10),
  file('a/d', 20),
  file('a', 1),
);
weighs('a link in place of a directory', 1, file('a/b', 10), symlink('a', 'c'));
weighs('a directory in place of a file', 3, file('a', 10), directory('a'), file('a/b', 3));
weighs('a directory twice, as one', 7, directory('a'), file('a/b', 3), directory('a'), file('a/c', 4));
weighs('parents that have no entry', 2, file('a/b/c', 1), file('a/b/d', 1));
weighs(
  'absolute names and names with dots',
  3,
  file('/a', 1),
  file('./b/./c', 1),
  file('d/../e', 1),
  file('/a', 1),
);
weighs('names that lead above the root', 1, file('../../a', 5), file('a', 1));
weighs(
  'a file below a linked directory',
  1,
  directory('a'),
  symlink('b', 'a'),
  file('b/c', 9),
  file('a/c', 0),
);
weighs(
  'the same, from the root',
  '/a/../a/d'.length,
  directory('a/d'),
  symlink('b', '/a/../a/d'),
  file('b/c', 9),
  hardlink('e', 'b/c'),
  file('a/d/c', 0),
  file('e', 0),
);
weighs(
  'a link from the root, in a directory',
  '/a/d'.length + 9,
  directory('a/d'),
  symlink('x/b', '/a/d'),
  file('x/b/c', 9),
  hardlink('e', 'a/d/c'),
);
weighs('entries for the root', 1, directory('.'), directory('/'), directory('./'), file('a', 1));
weighs(
  'a sparse file with its holes',
  1_000_000,
  paxEntry([
    ['GNU.sparse.size', '1000000'],
    ['GNU.sparse.map', '0,4'],
  ]),
  rawEntry({ name: 'a' }, 'data'),
);
weighs(
  'the links that AUFS kept apart',
  9,
  directory('.wh..wh.plnk'),
  file('.wh..wh.plnk/1.2', 9),
  hardlink('a', '.wh..wh.plnk/1.2'),
);
weighs('a layer with global headers', 1, paxEntry([['size', '99']], 'g'), file('a', 1));

refuses('a hard link to nothing', 3, /hard link/, hardlink('a', 'b'), file('c', 3));
refuses('a hard link to a directory', 0, /hard link/, directory('a'), hardlink('b', 'a'));
refuses('a hard link to itself', 0, /hard link/, file('a', 4), hardlink('a', 'a'));
refuses('a whiteout of a file in the same layer', 4, /whiteout/, file('a', 4), file('.wh.a', 0));
refuses('a whiteout of nothing', 0, /whiteout/, file('a/.wh.', 0));
refuses('a whiteout of its directory', 0, /whiteout/, file('a/.wh..', 0));
refuses('a file below a file', 4, /no directory/, file('a', 4), file('a/b', 5), directory('a/c'));
refuses('a file below a link to nothing', 1, /no directory/, symlink('a', 'b'), file('a/c', 5));
refuses('a file below a link to itself', 1, /no directory/, symlink('a', 'a'), file('a/c', 5));
refuses('a symbolic link to an empty name', 0, /no target/, symlink('a', ''));
refuses(
  'a name that Linux has no room for',
  1,
  /longer/,
  paxEntry([['path', 'n'.repeat(256)]]),
  file('x', 5),
  file('a', 1),
);
refuses(
  'a path that Linux has no room for',
  0,
  /longer/,
  paxEntry([['path', 'n/'.repeat(2048)]]),
  file('x', 5),
);
refuses('a contiguous file', 2, /type/, rawEntry({ name: 'a', flag: '7' }, 'xyz'), file('b', 2));
refuses('an unknown type', 2, /type.*"V"/, rawEntry({ name: 'a', flag: 'V' }), file('b', 2));
refuses(
  'a file below a link that was replaced through itself',
  5,
  /no directory/,
  symlink('l', '.'),
  file('l/l', 5),
  file('l/x', 7),
);

test('names of the maximum length are accepted', () => {
  const path = `${`${'n'.repeat(250)}/`.repeat(16)}f`;
  assert.equal(sizeOf(overlaySize, paxEntry([['path', path]]), file('x', 5)), { bytes: 5, doubt: null });
});

/** Links from l0 to the directory l39, the maximum that Linux follows, with targets that are longer than necessary. */
const chain = (detour: string) => [
  ...Array.from({ length: 39 }, (_, i) => symlink(`l${i}`, `${detour}l${i + 1}`)),
  directory('l39'),
];

test('chains of links are followed as far as Linux follows them', () => {
  assert.is(sizeOf(overlaySize, ...chain(''), file('l0/a', 5)).doubt, null);
  const further = [symlink('m', 'l0'), symlink('n', 'm'), ...chain('')];
  assert.match(sizeOf(overlaySize, ...further, file('n/a', 5)).doubt!, /no directory/);
});

test('detours through links take bounded work and memory', () => {
  const detour = './'.repeat(45);
  const many = Array.from({ length: 4000 }, (_, i) => file(`l0/${i}/a`, 1));
  const links = sizeOf(overlaySize, ...chain(detour), ...many);
  assert.match(links.doubt!, /no directory/);
  assert.ok(links.bytes < 39 * 100 + 4000);
  const deep = Array.from({ length: 200 }, (_, i) => [
    paxEntry([['path', `${i}/${'d/'.repeat(2000)}a`]]),
    file('x', 1),
  ]);
  const directories = sizeOf(overlaySize, ...deep.flat());
  assert.match(directories.doubt!, /no directory/);
  assert.ok(directories.bytes < 200);
});

test('the sample with a hard link and a symbolic link has the recorded sizes', () => {
  const sample = [file('data', 100_090), hardlink('same', 'data'), symlink('link', 'dat')];
  assert.equal(sizeOf(overlaySize, ...sample), { bytes: 100_093, doubt: null });
  assert.equal(sizeOf(naiveSize, ...sample), { bytes: 100_090, doubt: null });
});

test('naive: every size in a header counts, even of an entry that is replaced', () => {
  const sized = (flag: string, size: number) => rawEntry({ name: flag, flag, size, link: 'a' });
  assert.equal(
    sizeOf(
      naiveSize,
      file('a', 10),
      file('a', 10),
      ...['1', '2', '3', '5', '6'].map((flag, i) => sized(flag, 100 + i)),
      file('.wh.b', 3),
      file('.wh..wh.plnk/1.2', 4),
      symlink('c', '/somewhere'),
      paxEntry([['size', '7']], 'g'),
      hardlink('d', 'below'),
    ),
    { bytes: 10 + 10 + 100 + 101 + 102 + 103 + 104 + 3 + 4, doubt: null },
  );
  const sparse = [
    paxEntry([
      ['GNU.sparse.size', '1000000'],
      ['GNU.sparse.map', '0,4'],
    ]),
    rawEntry({ name: 'a' }, 'data'),
  ];
  assert.equal(sizeOf(naiveSize, ...sparse), { bytes: 1_000_000, doubt: null });
  assert.match(sizeOf(naiveSize, rawEntry({ name: 'a', flag: '7' }, 'xyz')).doubt!, /type/);
});

test('snapshots: every inode counts with blocks of 4 KiB', () => {
  const used = (...entries: readonly Uint8Array[]) => sizeOf(snapshotUsage, ...entries).bytes / 4096;
  assert.is(used(), 1, 'the root');
  assert.is(used(file('a', 0), file('b', 1), file('c', 4096), file('d', 4097)), 1 + 0 + 1 + 1 + 2);
  assert.is(used(file('a/b/c', 1), hardlink('d', 'a/b/c')), 3 + 1);
  assert.is(used(symlink('a', 'x'.repeat(59)), symlink('b', 'x'.repeat(60))), 1 + 0 + 1);
  assert.is(used(file('.wh.a', 0), rawEntry({ name: 'p', flag: '6' }), file('b/.wh..wh..opq', 0)), 2);
  assert.is(used(file('a/b', 5000), file('a', 1)), 1 + 1, 'what was replaced is gone');
  const many = Array.from({ length: 170 }, (_, i) => file(String(i).padStart(16, 'n'), 0));
  assert.equal([used(...many.slice(1)), used(...many)], [1, 3], 'a directory outgrows its block');
});

test('an unread layer has no size, and a damaged one has a doubtful size', () => {
  const tar = rawTar(file('a', 600), file('b', 600));
  for (const rule of [overlaySize, naiveSize, snapshotUsage]) {
    assert.is(rule(layerFacts(tar, { files: false })), null);
    assert.is(rule(layerFacts(Buffer.from('{}'))), null, 'a document');
    assert.is(rule(layerFacts(new Uint8Array(0)))?.doubt, null, 'to Docker, an empty file is an empty layer');
    assert.match(rule(layerFacts(Buffer.alloc(600, 'x')))?.doubt ?? '', /no tar header/);
    assert.match(rule(layerFacts(tar, { limits: { layerEntries: 1 } }))?.doubt ?? '', /layerEntries/);
  }
  assert.is(overlaySize(layerFacts(tar, { limits: { layerEntries: 1 } }))!.bytes, 600);
  assert.equal(overlaySize(layerFacts(tar.subarray(0, 2300))), {
    bytes: 1200,
    doubt: 'it ends inside its entry 2',
  });
});

/** The sizes of every layer of an archive's first image, from the base up. */
async function sizesIn(file: string): Promise<{ overlay: number[]; naive: number[] }> {
  const { parts } = await readArchive(file, { depth: 'files' });
  const { scan, graph } = parts[0]!;
  const layers = graph.images[0]!.layers.map(({ member }) => scan.facts(member!)!);
  const all = (rule: (layer: BlobFacts) => LayerSize | null) =>
    layers.map(layer => {
      const { bytes, doubt } = rule(layer)!;
      assert.is(doubt, null);
      return bytes;
    });
  return { overlay: all(overlaySize), naive: all(naiveSize) };
}

const sum = (sizes: readonly number[]) => sizes.reduce((a, b) => a + b, 0);

testWhen(
  test,
  hasDocker28,
  NO_SHARED_FOLDER,
)('what Docker 28 said of its layers, on a naive driver', async () => {
  const history = readFileSync(docker28('expected', '018.txt'), 'utf8').trim().split('\n');
  const said = history.map(line => JSON.parse(line) as { CreatedBy: string; Size: string }).reverse();
  const { naive, overlay } = await sizesIn(docker28('docker28-save.tar'));
  const layers = said.filter(({ CreatedBy }) => /^(COPY|RUN|WORKDIR)/.test(CreatedBy));
  assert.equal(
    naive,
    layers.map(({ Size }) => Number(Size)),
  );
  const inspected = JSON.parse(readFileSync(docker28('expected', '001.json'), 'utf8')) as [{ Size: number }];
  assert.is(sum(naive), inspected[0].Size);
  // 268 links to /bin/busybox, and one to run.sh.
  assert.is(sum(overlay) - sum(naive), 268 * '/bin/busybox'.length + 'run.sh'.length);
});

const dive = corpus().find(({ id }) => id === 'dive.test-docker-image.tar');
testWhen(
  test,
  dive !== undefined,
  NO_SHARED_FOLDER,
)('what Docker says of the sample of dive', async () => {
  const { naive, overlay } = await sizesIn(dive!.file);
  assert.equal([sum(naive), sum(overlay)], [1_220_598, 1_220_598]);
});

test.run();
