// Headers inside a layer that tar readers interpret differently or refuse: each kind is reported once, and tars of real
// writers have none.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCodecs } from '../../src/codec/registry.js';
import type { TarFacts } from '../../src/scan/blob/facts.js';
import { goHeaderFault } from '../../src/tar/entry.js';
import { hasPlainNumbers } from '../../src/tar/header.js';
import { hasGo, readByGo } from '../scan/go-tar.js';
import { testWhen } from '../support/corpus.js';
import { entriesIn, tarFacts } from '../support/layer-facts.js';
import { gnuLong, paxEntry, type RawHeader, rawEntry, rawHeader, rawTar } from '../support/tar-blocks.js';

await loadCodecs();

type Odd = Partial<Pick<TarFacts, 'ambiguities' | 'malformed' | 'reached'>>;

const NOTHING: Required<Odd> = { ambiguities: [], malformed: null, reached: [] };

/** Tars without those that are cut short or reach limits of ours. */
const forGo: { readonly what: string; readonly tar: Uint8Array; readonly refused: boolean }[] = [];

/** Asserts the oddities of a tar: the same with kept and with counted entries, and with chunks of any size. */
function finds(what: string, tar: Uint8Array, expected: Odd, limits = {}): void {
  if (expected.reached === undefined && tarFacts(tar).error === null)
    forGo.push({ what, tar, refused: expected.malformed !== undefined });
  test(what, () => {
    for (const options of [{}, { files: false }, { piece: 7 }]) {
      const { ambiguities, malformed, reached } = tarFacts(tar, { limits, ...options });
      assert.equal({ ambiguities, malformed, reached }, { ...NOTHING, ...expected }, JSON.stringify(options));
    }
  });
}

const ambiguous = (field: string, path: string, ...readings: string[]) =>
  ({ ambiguities: [{ field, path, readings, count: 1 }] }) as Odd;
const malformed = (path: string, reason: string): Odd => ({ malformed: { reason, path, count: 1 } });

const file = (header: Partial<RawHeader> = {}, content = '') => rawEntry({ name: 'f', ...header }, content);
const pax = (...records: [string, string][]) => paxEntry(records);
/** A PAX header with the given bytes. */
const rawPax = (content: string, flag = 'x') => rawEntry({ name: 'x', flag }, content);

const LONG = `${'d'.repeat(120)}/f`;

finds('plain entries', rawTar(file({}, 'x'), file({ name: 'd/', flag: '5' })), {});
finds(
  'records of Go and GNU tar for long names, times and large numbers',
  rawTar(
    pax(['path', LONG], ['mtime', '1700000000.25'], ['uid', '3000000'], ['SCHILY.xattr.user.a', 'b\0c']),
    file({}, 'x'),
    gnuLong('L', LONG),
    gnuLong('K', `${LONG}2`),
    file({ flag: '2', format: 'gnu' }),
    rawPax('19 comment=anything\n'.replace('19', '20'), 'g'),
    file({ name: 'last' }),
  ),
  {},
);
finds(
  'a directory with a size, as old writers give it',
  rawTar(file({ name: 'd/', flag: '5', size: 4096 })),
  {},
);
finds(
  'a size that eleven digits cannot hold',
  rawTar(pax(['size', String(8 ** 11)]), file({ size: 0 })).subarray(0, 1536),
  {},
);

finds(
  'a header and a PAX record with different sizes',
  rawTar(pax(['size', '3']), file({ size: 700 }, 'abc')),
  ambiguous('size', 'f', '3', '700'),
);
finds(
  'a size of 0 in the header',
  rawTar(pax(['size', '3']), file({ size: 0 }, 'abc')),
  ambiguous('size', 'f', '3', '0'),
);
finds(
  'a size after a NUL',
  rawTar(file({ size: '\x000000000003' }, 'abc')),
  ambiguous('size', 'f', '3', '0'),
);
finds('a size after spaces', rawTar(file({ size: '          3\0' }, 'abc')), {});
finds(
  'a prefix where a GNU header has times',
  rawTar(file({ format: 'gnu', prefix: 'dir' })),
  ambiguous('name', 'dir/f', 'dir/f', 'f'),
);
finds(
  'a prefix in a header without a magic',
  rawTar(file({ format: 'v7', prefix: 'dir' })),
  ambiguous('name', 'f', 'f', 'dir/f'),
);
finds('times in a GNU header', rawTar(file({ format: 'gnu', prefix: '00000000001' })), {});
finds(
  'a hard link with content',
  rawTar(file({ name: 'a' }), file({ flag: '1', link: 'a', size: 9 })),
  ambiguous('content', 'f', '0', '9'),
);
finds(
  'two records of one key',
  rawTar(pax(['path', 'one'], ['path', 'two']), file()),
  ambiguous('name', 'two', 'two', 'one'),
);
finds('two that agree', rawTar(pax(['path', 'one'], ['path', 'one']), file()), {});
finds(
  'two records of a key that is neither name nor size',
  rawTar(pax(['uid', '0'], ['uid', '1000']), file()),
  ambiguous('PAX records', 'f', 'uid=1000', 'uid=0'),
);
finds(
  'the pairs of a sparse file of version 0.0 are no contradiction',
  rawTar(
    pax(
      ['GNU.sparse.size', '8'],
      ['GNU.sparse.numblocks', '2'],
      ['GNU.sparse.offset', '0'],
      ['GNU.sparse.numbytes', '1'],
      ['GNU.sparse.offset', '4'],
      ['GNU.sparse.numbytes', '2'],
    ),
    file({}, 'abc'),
  ),
  {},
);
finds(
  'a GNU name and a PAX name',
  rawTar(gnuLong('L', 'gnu'), pax(['path', 'pax']), file({ format: 'gnu' })),
  ambiguous('name', 'gnu', 'gnu', 'pax'),
);
finds(
  'a GNU target and a PAX target',
  rawTar(pax(['linkpath', 'pax']), gnuLong('K', 'gnu'), file({ flag: '2', format: 'gnu' })),
  ambiguous('link target', 'f', 'gnu', 'pax'),
);
finds(
  'two GNU names',
  rawTar(gnuLong('L', 'one'), gnuLong('L', 'two'), file({ format: 'gnu' })),
  ambiguous('name', 'two', 'two', 'one'),
);
finds(
  'a GNU name with bytes after its end',
  rawTar(gnuLong('L', 'one\0two'), file({ format: 'gnu' })),
  ambiguous('name', 'one', 'one', 'one\0two\0'),
);
finds(
  'two PAX headers for one entry',
  rawTar(pax(['path', 'a']), pax(['mtime', '5']), file()),
  ambiguous('PAX headers', 'f', 'the last of 2', 'all of them'),
);
for (const record of [pax(['path', 'renamed']), gnuLong('L', 'renamed')])
  finds(
    `a name before a global PAX header (${record.toString('latin1', 156, 157)})`,
    rawTar(record, rawPax('15 comment=any\n', 'g'), file()),
    ambiguous('records before a global PAX header', '', 'none', 'all of them'),
  );
finds(
  'a global PAX header that renames the next entry',
  rawTar(paxEntry([['path', 'all']], 'g'), file()),
  ambiguous('global PAX header', '', 'nothing', 'path=all'),
);
test('the first of each kind is kept, and the others are counted', () => {
  const one = [pax(['size', '0']), file({ size: 5 })];
  const { ambiguities } = tarFacts(rawTar(...one, ...one, pax(['size', '0']), file({ name: 'g', size: 6 })));
  assert.equal(ambiguities, [{ field: 'size', path: 'f', readings: ['0', '5'], count: 3 }]);
});

finds('a record without a length', rawTar(rawPax('path=x\n'), file()), malformed('f', 'no length at byte 0'));
finds(
  'a record that is longer than its header',
  rawTar(rawPax('99 path=x\n'), file()),
  malformed('f', 'the record at byte 0 claims 99 bytes, but 10 are left'),
);
finds(
  'a record that does not end in a new line',
  rawTar(rawPax('10 path=xy'), file()),
  malformed('f', 'the record at byte 0 does not end where its length says'),
);
finds(
  'records before a malformed one are applied',
  rawTar(rawPax('10 path=x\n9 a=b\n'), file()),
  malformed('x', 'the record at byte 10 claims 9 bytes, but 6 are left'),
);
finds(
  'a record without a key',
  rawTar(rawPax('5 =x\n'), file()),
  malformed('f', 'the record at byte 0 has no key'),
);
finds(
  'a NUL in a name',
  rawTar(pax(['path', 'a\0b']), file()),
  malformed('a\0b', 'the PAX record path is "a\\u0000b"'),
);
finds(
  'a NUL in a key',
  rawTar(pax(['a\0b', 'c']), file()),
  malformed('f', 'a PAX record has a key with a NUL in it'),
);
finds(
  'an owner that is not a number',
  rawTar(pax(['uid', '0x10']), file()),
  malformed('f', 'the PAX record uid is "0x10"'),
);
finds(
  'an invalid time',
  rawTar(pax(['mtime', '1.2.3']), file()),
  malformed('f', 'the PAX record mtime is "1.2.3"'),
);

for (const [field, header] of [
  ['mode', { mode: 'rwxr-xr\0' }],
  ['uid', { uid: '00000x0\0' }],
  ['gid', { gid: '8888888\0' }],
  ['mtime', { mtime: '12 34567890\0' }],
  ['devmajor', { patch: (block: Buffer) => block.write('x', 329) }],
  ['devminor', { patch: (block: Buffer) => block.write('0 1', 337) }],
  ['type', { flag: 'S' }],
] as const)
  finds(
    `a ${field} that Go does not take`,
    rawTar(file({ name: 'before' }), file(header as Partial<RawHeader>)),
    malformed('f', `Go does not take the field ${field} of its header`),
  );
finds(
  'an owner that Go does not take of a record',
  rawTar(rawEntry({ name: 'x', flag: 'x', uid: 'nobody\0\0' }, '11 path=ab\n'), file()),
  malformed('', 'Go does not take the field uid of its header'),
);
finds(
  'numbers in every format that Go accepts',
  rawTar(
    file({ mode: '   644 \0', uid: '  1750 ', gid: '\x80\0\0\0\0\x20\0\0', mtime: ' 7777777777 ' }),
    file({ name: 'v7', format: 'v7', patch: block => block.write('x', 329) }),
    file({ name: 'empty', uid: '', gid: '', mtime: '', mode: '' }),
  ),
  {},
);
test('plain numbers are accepted by Go', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  let plain = 0;
  for (let round = 0; round < 20_000; round++) {
    const block = rawHeader({ name: 'f' });
    for (let change = random(4); change >= 0; change--) {
      const at = random(2) === 0 ? 100 + random(48) : 329 + random(16);
      block[at] = ' \x0001234567'.charCodeAt(random(10));
    }
    if (!hasPlainNumbers(block)) continue;
    plain++;
    assert.is(goHeaderFault(block), null, block.toString('latin1', 100, 148));
  }
  assert.ok(plain > 1000 && plain < 20_000, `${plain} were plain`);
});

for (const size of ['-1', '9007199254740992', 'x', '1.5']) {
  test(`a PAX size of ${size} ends the walk, as it does in Go`, () => {
    const facts = tarFacts(rawTar(file({ name: 'a' }), pax(['size', size]), file(), file({ name: 'b' })));
    assert.is(facts.error, 'entry 2 has no valid size');
    assert.is(facts.entries, 1);
  });
}
test("an empty PAX size does not change the header's size", () => {
  const facts = tarFacts(rawTar(pax(['size', '']), file({}, 'abc'), file({ name: 'b' })));
  assert.equal([facts.error, facts.entries], [null, 2]);
});

finds(
  'a path longer than the limit, and a target',
  rawTar(
    file({ name: 'a' }),
    pax(['path', 'p'.repeat(5000)]),
    file({}, 'content'),
    pax(['linkpath', 't'.repeat(6000)]),
    file({ flag: '2' }),
    file({ name: 'b' }),
  ),
  { reached: [{ limit: 'pathBytes', value: 4096, seen: 6000 }] },
);
test('entries with such a path are left out, and all others are kept', () => {
  const tar = rawTar(
    file({ name: 'a' }, 'one'),
    gnuLong('L', 'p'.repeat(5000)),
    file({ format: 'gnu' }, 'two'),
    file({ name: 'b' }, 'three'),
  );
  const contents = { keep: ['*'] };
  const { entries, table, error } = tarFacts(tar, { contents });
  assert.equal([entries, table!.count, error], [3, 2, null]);
  assert.equal(
    table!.contents!.kept.map(({ index, bytes }) => [index, Buffer.from(bytes).toString()]),
    [
      [0, 'one'],
      [1, 'three'],
    ],
  );
});
finds(
  'a record larger than the limit',
  rawTar(pax(['path', 'p'.repeat(2000)]), file(), file({ name: 'b' })),
  { reached: [{ limit: 'paxBytes', value: 1000, seen: 2011 }] },
  { paxBytes: 1000 },
);
finds(
  'more entries than names are compared of',
  rawTar(file({ name: 'a' }), file({ name: 'b' }), file({ name: 'c' })),
  { reached: [{ limit: 'layerEntries', value: 2, seen: null }] },
  { layerEntries: 2 },
);
finds(
  'as many entries as the limit',
  rawTar(file({ name: 'a' }), file({ name: 'b' })),
  {},
  { layerEntries: 2 },
);

test('two global PAX headers with one name are a repeated name, as in tar-split', () => {
  const header = paxEntry([['comment', 'x']], 'g');
  assert.is(tarFacts(rawTar(header, file())).duplicate, null);
  assert.is(tarFacts(rawTar(header, file(), header)).duplicate, 'PaxHeaders.0/x');
});

test('thousands of names are compared, up to the limit', () => {
  const names = Array.from({ length: 5000 }, (_, i) => `usr/share/doc/package-${i}/README`);
  const tar = (...more: readonly string[]) => rawTar(...[...names, ...more].map(name => file({ name })));
  assert.is(tarFacts(tar(), { files: false }).duplicate, null);
  assert.is(tarFacts(tar('./usr/share//doc/package-4711/README'), { files: false }).duplicate, names[4711]);
  const limits = { layerEntries: 5000 };
  assert.is(tarFacts(tar(names[0]!), { files: false, limits }).duplicate, names[0]);
  assert.is(tarFacts(tar('new', names[0]!), { files: false, limits }).duplicate, null);
});

for (const [a, b] of [
  ['a', './a'],
  ['a/', 'a'],
  ['a/b', 'a//b'],
  ['a/b', 'a/./b'],
  ['a/c', 'a/b/../c'],
  ['/a', '//a'],
  ['.', './'],
] as const)
  test(`${a} and ${b} are the same name`, () => {
    const { duplicate } = tarFacts(rawTar(file({ name: a }), file({ name: b })));
    assert.ok(duplicate, 'not found');
  });
for (const [a, b] of [
  ['a', '/a'],
  ['a', 'A'],
  ['a', 'a.'],
  ['.a', 'a'],
  ['a/b', 'a/.b'],
  ['../a', 'a'],
] as const)
  test(`${a} and ${b} are different names`, () => {
    const { duplicate } = tarFacts(rawTar(file({ name: a }), file({ name: b })));
    assert.is(duplicate, null);
  });

testWhen(
  test,
  hasGo,
  'Go is not installed',
)('Go refuses what is malformed, and of the rest believes the first reading', () => {
  const answers = readByGo(forGo.map(({ tar }) => tar));
  for (const [i, { what, tar, refused }] of forGo.entries()) {
    const { entries, error } = answers[i]!;
    assert.is(error !== '', refused, `${what}: ${error}`);
    if (refused) continue;
    const ours = entriesIn(tar).map(({ name, claimedSize, target, uid, mtime }) => {
      return [name, claimedSize, target ?? '', uid, mtime];
    });
    const theirs = entries.map(one => [text(one.name), one.size, text(one.target), one.uid, one.seconds]);
    assert.equal(ours, theirs, what);
  }
});
const text = (base64: string) => Buffer.from(base64, 'base64').toString('latin1');

test.run();
