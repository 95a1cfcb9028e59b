// Contents of files in layers that are kept: digests, whole files, sparse files with their holes.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readArchive } from '../../src/commands.js';
import { contentOf, digestOf } from '../../src/scan/entries/content.js';
import type { EntryTable } from '../../src/scan/entries/table.js';
import * as digests from '../support/digest.js';
import { image } from '../support/image.js';
import { type LayerOptions, layerFacts, tarFacts } from '../support/layer-facts.js';
import * as layouts from '../support/layouts.js';
import { compress, toTar } from '../support/pack.js';
import { saved, streamOf } from '../support/reading.js';
import { tarBytes } from '../support/tar.js';
import { paxEntry, rawEntry, rawHeader, rawTar } from '../support/tar-blocks.js';

const BOTH = { contents: { digests: true, keep: ['**'] } } as const;

const tableOf = (tar: Uint8Array, options: LayerOptions = BOTH): EntryTable => tarFacts(tar, options).table!;

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('latin1'));

const TAR = await tarBytes([
  { path: 'd/' },
  { path: 'd/one', bytes: 'one\n' },
  { path: 'empty', bytes: '' },
  { path: 'l', type: 'symlink', link: 'd/one' },
  { path: 'big', bytes: 'x'.repeat(100_000) },
]);

for (const piece of [TAR.length, 700, 1]) {
  test(`digests and content, in chunks of ${piece} bytes`, () => {
    const table = tableOf(TAR, { ...BOTH, piece });
    const all = [null, 'one\n', '', null, 'x'.repeat(100_000)];
    assert.equal(
      all.map((_, i) => text(contentOf(table, i))),
      all,
    );
    assert.equal(
      all.map((_, i) => digestOf(table, i)),
      all.map(content => (content === null ? null : digests.digestOf(content))),
    );
  });
}

test('nothing is kept unless requested', () => {
  assert.is(tableOf(TAR, {}).contents, null);
  const onlyDigests = tableOf(TAR, { contents: { digests: true } });
  assert.is(digestOf(onlyDigests, 1), digests.digestOf('one\n'));
  assert.is(contentOf(onlyDigests, 1), null);
  const onlyContent = tableOf(TAR, { contents: { keep: ['d'] } });
  assert.is(digestOf(onlyContent, 1), null);
  assert.equal(
    [1, 2, 4].map(i => text(contentOf(onlyContent, i))),
    ['one\n', null, null],
  );
  assert.equal(onlyContent.contents!.missing, []);
});

test('paths are matched as they are in the image', async () => {
  const tar = await tarBytes([
    { path: './lib//apk/../apk/db/installed', bytes: 'P:x' },
    { path: '/var/lib/x', bytes: 'v' },
  ]);
  const table = tableOf(tar, { contents: { keep: ['/lib/apk/db/installed', 'var/lib/*'] } });
  assert.equal(
    [0, 1].map(i => text(contentOf(table, i))),
    ['P:x', 'v'],
  );
});

test('content is kept up to a limit, and what is not kept is reported', () => {
  const table = tableOf(TAR, { ...BOTH, limits: { keptContentBytes: 1000 } });
  assert.equal(
    [1, 2, 4].map(i => text(contentOf(table, i))),
    ['one\n', '', null],
  );
  assert.equal(
    [1, 2, 4].map(i => table.contents!.missing.includes(i)),
    [false, false, true],
  );
  assert.is(digestOf(table, 4), digests.digestOf('x'.repeat(100_000)));
});

test('a file in which the tar ends has no content', () => {
  const facts = layerFacts(TAR.slice(0, TAR.length - 60_000), BOTH);
  const table = facts.tar!.table!;
  assert.is(table.count, 5);
  assert.is(contentOf(table, 4), null);
  assert.is(digestOf(table, 4), null);
  assert.ok(table.contents!.missing.includes(4));
});

test('a file that claims an impossible size', () => {
  const table = tableOf(rawTar(rawEntry({ name: 'huge', size: '77777777777\0' }, 'x')));
  assert.is(contentOf(table, 0), null);
  assert.ok(table.contents!.missing.includes(0));
});

test('entries beyond a limit are not kept', () => {
  const table = tableOf(TAR, { ...BOTH, limits: { layerEntries: 2 } });
  assert.is(table.count, 2);
  assert.is(text(contentOf(table, 1)), 'one\n');
  assert.is(table.contents!.digests.length, 64);
});

/** `ab` at 0, a hole, `cd` at 5000, a hole to 6000. */
const SPARSE = `ab${'\0'.repeat(4998)}cd${'\0'.repeat(998)}`;
const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`;
const oldMap = (extents: readonly (readonly [number, number])[]) =>
  extents.map(([at, length]) => octal(at) + octal(length)).join('');

const oldSparse = (
  block: Buffer,
  extents: readonly (readonly [number, number])[],
  size: number,
  more = false,
) => {
  block.write(oldMap(extents), 386, 'latin1');
  block[482] = more ? 1 : 0;
  block.write(octal(size), 483, 'latin1');
};

const mapOf10 = `2\n0\n2\n5000\n2\n`.padEnd(512, '\0');

const SPARSE_TARS: Readonly<Record<string, Uint8Array>> = {
  'the old format of GNU': rawTar(
    rawEntry(
      {
        name: 's',
        flag: 'S',
        format: 'gnu',
        patch: b =>
          oldSparse(
            b,
            [
              [0, 2],
              [5000, 2],
              [6000, 0],
            ],
            6000,
          ),
      },
      'abcd',
    ),
    rawEntry({ name: 'after' }, 'z'),
  ),
  'the old format of GNU, its map in several blocks': rawTar(
    Buffer.concat([
      rawHeader({
        name: 's',
        flag: 'S',
        format: 'gnu',
        size: 4,
        patch: b =>
          oldSparse(
            b,
            [
              [0, 1],
              [1, 1],
              [5000, 1],
              [5001, 1],
            ],
            6000,
            true,
          ),
      }),
      Buffer.concat([Buffer.from(oldMap([[6000, 0]]), 'latin1'), Buffer.alloc(512 - 24)]),
      Buffer.from('abcd'.padEnd(512, '\0')),
    ]),
    rawEntry({ name: 'after' }, 'z'),
  ),
  'PAX 0.0': rawTar(
    paxEntry([
      ['GNU.sparse.size', '6000'],
      ['GNU.sparse.numblocks', '2'],
      ['GNU.sparse.offset', '0'],
      ['GNU.sparse.numbytes', '2'],
      ['GNU.sparse.offset', '5000'],
      ['GNU.sparse.numbytes', '2'],
    ]),
    rawEntry({ name: 's' }, 'abcd'),
    rawEntry({ name: 'after' }, 'z'),
  ),
  'PAX 0.1': rawTar(
    paxEntry([
      ['GNU.sparse.size', '6000'],
      ['GNU.sparse.numblocks', '2'],
      ['GNU.sparse.map', '0,2,5000,2'],
      ['GNU.sparse.name', 's'],
    ]),
    rawEntry({ name: 'GNUSparseFile.0/s' }, 'abcd'),
    rawEntry({ name: 'after' }, 'z'),
  ),
  'PAX 1.0': rawTar(
    paxEntry([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', 's'],
      ['GNU.sparse.realsize', '6000'],
    ]),
    rawEntry({ name: 'GNUSparseFile.0/s' }, `${mapOf10}abcd`),
    rawEntry({ name: 'after' }, 'z'),
  ),
};

for (const [format, tar] of Object.entries(SPARSE_TARS)) {
  for (const piece of [tar.length, 100]) {
    test(`a sparse file in ${format}, in chunks of ${piece} bytes`, () => {
      const table = tableOf(tar, { ...BOTH, piece });
      assert.is(text(contentOf(table, 0)), SPARSE);
      assert.is(digestOf(table, 0), digests.digestOf(SPARSE));
      assert.is(text(contentOf(table, 1)), 'z');
    });
  }
}

for (const [what, map, content] of [
  ['pieces that overlap', '0,3,2,1', 'abcd'],
  ['pieces beyond the end', '0,2,5999,2', 'abcd'],
  ['an odd number', '0,2,5', 'abcd'],
  ['no numbers', 'a,b', 'abcd'],
  ['less content than pieces', '0,2,5000,4', 'abcd'],
] as const) {
  test(`a sparse file whose map is invalid: ${what}`, () => {
    const tar = rawTar(
      paxEntry([
        ['GNU.sparse.size', '6000'],
        ['GNU.sparse.map', map],
      ]),
      rawEntry({ name: 's' }, content),
      rawEntry({ name: 'after' }, 'z'),
    );
    const table = tableOf(tar);
    assert.is(contentOf(table, 0), null);
    assert.is(digestOf(table, 0), null);
    assert.ok(table.contents!.missing.includes(0));
    assert.is(text(contentOf(table, 1)), 'z');
  });
}

test('a sparse file of 8 PiB takes no time or memory', () => {
  const tar = rawTar(
    paxEntry([
      ['GNU.sparse.size', String(2 ** 53 - 1)],
      ['GNU.sparse.map', '0,1'],
    ]),
    rawEntry({ name: 's' }, 'a'),
  );
  const started = Date.now();
  const table = tableOf(tar);
  assert.is(contentOf(table, 0), null);
  assert.is(digestOf(table, 0), null);
  assert.ok(Date.now() - started < 1000);
});

const BIG = await image({
  layers: [
    { files: { 'etc/a': 'a', 'data/large': 'y'.repeat(40 * 1024 * 1024) } },
    { files: { 'etc/b': 'b'.repeat(2 * 1024 * 1024) }, compression: 'gzip' },
  ],
});

for (const [how, deliver] of [
  ['a file, in workers', (tar: Uint8Array) => saved(tar, 'contents.tar')],
  ['a pipe, in workers', (tar: Uint8Array) => streamOf(tar)],
  ['a packed file', (tar: Uint8Array) => saved(compress(tar, 'gzip'), 'contents.tar.gz')],
] as const) {
  test(`the contents are the same from ${how}`, async () => {
    const tar = await toTar(layouts.dockerSave25([{ image: BIG, tags: ['app:1'] }]));
    const { parts } = await readArchive(deliver(tar), {
      depth: 'files',
      files: { digests: true, keep: ['etc'] },
    });
    const [{ scan, graph }] = parts as [(typeof parts)[0]];
    const [first, second] = graph.images[0]!.layers.map(({ member }) => scan.facts(member!)!.tar!.table!);
    assert.equal(
      [0, 1, 2, 3].map(i => text(contentOf(first!, i))),
      [null, 'a', null, null],
    );
    assert.is(digestOf(first!, 3), digests.digestOf('y'.repeat(40 * 1024 * 1024)));
    assert.is(text(contentOf(second!, 1))!.length, 2 * 1024 * 1024);
  });
}

test.run();
