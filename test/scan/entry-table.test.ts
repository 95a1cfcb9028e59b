// The fields that are kept of a layer's entries, in every dialect of tar.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCodecs } from '../../src/codec/registry.js';
import { type Entry, entriesOf, transfersOf } from '../../src/scan/entries/table.js';

import { entriesIn, layerFacts, tarFacts } from '../support/layer-facts.js';
import { tarBytes } from '../support/tar.js';
import {
  gnuLong,
  padded,
  paxEntry,
  rawEntry,
  rawHeader,
  rawTar,
  withChecksum,
} from '../support/tar-blocks.js';

const FILE: Entry = {
  name: 'file',
  type: 'file',
  flag: '0',
  size: 0,
  storedSize: 0,
  claimedSize: 0,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0,
  mtimeNanos: 0,
  target: null,
  device: null,
  xattrs: [],
};

const sized = (size: number) => ({ size, storedSize: size, claimedSize: size });

/** Asserts the fields of one entry that differ from those of an empty file. */
function reads(what: string, tar: Uint8Array, expected: Partial<Entry>): void {
  test(what, () => {
    assert.equal(entriesIn(tar), [{ ...FILE, ...expected }]);
    assert.is(tarFacts(tar).error, null);
    assert.equal(tarFacts(tar, { piece: 100 }), tarFacts(tar), 'in pieces');
  });
}

reads(
  'the fields of a ustar header',
  rawTar(
    rawEntry({ name: 'b', prefix: 'a', mode: '0004755\0', uid: 1000, gid: 2000, mtime: 1700000000 }, 'hello'),
  ),
  { ...sized(5), name: 'a/b', mode: 0o4755, uid: 1000, gid: 2000, mtime: 1700000000 },
);
reads(
  'file type bits in the mode are left out, and numbers may be padded with spaces',
  rawTar(rawEntry({ name: 'file', mode: '100644 \0', uid: '  1750 \0', gid: '', mtime: '          7 ' })),
  { uid: 0o1750, mtime: 7 },
);
reads(
  'numbers of 61 bits, of which Linux keeps the lowest',
  rawTar(
    rawEntry({
      name: 'file',
      mode: '\xa0\0\0\0\0\0\x09\xb6',
      uid: '\xa0\0\0\0\0\0\0\x05',
      gid: '\xff\xff\xff\xff\0\0\0\x07',
    }),
  ),
  { mode: 0o4666, uid: 5, gid: 7 },
);
reads(
  'an owner with all bits set, who stays root',
  rawTar(
    paxEntry([
      ['uid', '-1'],
      ['gid', '4611686018427387909'],
    ]),
    rawEntry({ name: 'file', uid: 9, gid: 9 }),
  ),
  { uid: 0, gid: 5 },
);
reads(
  'an old tar from before POSIX',
  rawTar(rawEntry({ name: 'file', flag: '', format: 'v7' }, 'x')),
  sized(1),
);
reads('a directory of an old tar', rawTar(rawEntry({ name: 'file/', flag: '', format: 'v7' })), {
  name: 'file/',
  type: 'directory',
  flag: '5',
});
reads(
  'a directory has no content, with any size field',
  rawTar(rawEntry({ name: 'd/', flag: '5', size: 4096 })),
  {
    name: 'd/',
    type: 'directory',
    flag: '5',
    claimedSize: 4096,
  },
);
reads(
  'an old directory has no content either',
  rawTar(rawEntry({ name: 'd/', flag: '', size: 700, format: 'v7' })),
  {
    name: 'd/',
    type: 'directory',
    flag: '5',
    claimedSize: 700,
  },
);
reads('a slash does not make a directory of a file', rawTar(rawEntry({ name: 'file/' }, 'x')), {
  ...sized(1),
  name: 'file/',
});
reads('a symbolic link', rawTar(rawEntry({ name: 'file', flag: '2', link: '../target' })), {
  type: 'symlink',
  flag: '2',
  target: '../target',
});
reads(
  'a hard link that claims a size',
  rawTar(rawEntry({ name: 'file', flag: '1', link: 'other', size: 9 })),
  {
    type: 'hardlink',
    flag: '1',
    target: 'other',
    claimedSize: 9,
  },
);
reads('a character device', rawTar(rawEntry({ name: 'file', flag: '3', device: [5, 1] })), {
  type: 'char',
  flag: '3',
  device: { major: 5, minor: 1 },
});
reads('a block device', rawTar(rawEntry({ name: 'file', flag: '4', device: [0, 0] })), {
  type: 'block',
  flag: '4',
  device: { major: 0, minor: 0 },
});
reads('a fifo', rawTar(rawEntry({ name: 'file', flag: '6' })), { type: 'fifo', flag: '6' });
reads('a contiguous file', rawTar(rawEntry({ name: 'file', flag: '7' }, 'xy')), { ...sized(2), flag: '7' });
reads('an entry of an unknown type has its content', rawTar(rawEntry({ name: 'file', flag: 'Z' }, 'abc')), {
  ...sized(3),
  type: 'other',
  flag: 'Z',
});

const base256 = (value: bigint, length: number) => {
  const bytes = Buffer.alloc(length);
  const wrapped = BigInt.asUintN(8 * length, value);
  for (let i = 0; i < length; i++) bytes[i] = Number((wrapped >> BigInt(8 * (length - 1 - i))) & 0xffn);
  bytes[0]! |= 0x80;
  return bytes.toString('latin1');
};

reads(
  'numbers in base 256, negative ones too',
  rawTar(
    rawEntry(
      {
        name: 'file',
        format: 'gnu',
        uid: base256(3_000_000n, 8),
        gid: base256(-2n, 8),
        mtime: base256(-5n, 12),
        size: base256(4n, 12),
      },
      'abcd',
    ),
  ),
  { ...sized(4), uid: 3_000_000, gid: 4_294_967_294, mtime: -5 },
);

const LONG = `${'d'.repeat(90)}/${'e'.repeat(90)}/\xff\xfe${'f'.repeat(90)}`;
reads(
  'GNU long names, for the name and the target, and bytes that are not UTF-8',
  rawTar(
    gnuLong('L', LONG),
    gnuLong('K', `${LONG}2`),
    rawEntry({ name: 'cut', flag: '2', link: 'cut', format: 'gnu' }),
  ),
  { name: LONG, type: 'symlink', flag: '2', target: `${LONG}2` },
);
reads(
  'GNU names win over PAX names, wherever they stand',
  rawTar(gnuLong('L', LONG), paxEntry([['path', 'pax']]), rawEntry({ name: 'cut', format: 'gnu' })),
  { name: LONG },
);
reads(
  'PAX records: names, owners, times, sizes',
  rawTar(
    paxEntry([
      ['path', LONG],
      ['uid', '4000000'],
      ['gid', '5000000'],
      ['mtime', '1700000000.25'],
      ['size', '3'],
      ['atime', 'nonsense'],
    ]),
    rawEntry({ name: 'cut', size: 77 }, 'abc'),
  ),
  { ...sized(3), name: LONG, uid: 4_000_000, gid: 5_000_000, mtime: 1_700_000_000, mtimeNanos: 250_000_000 },
);
reads('a time before 1970', rawTar(paxEntry([['mtime', '-1.25']]), rawEntry({ name: 'file' })), {
  mtime: -2,
  mtimeNanos: 750_000_000,
});
reads(
  'a PAX link target, and values that cannot be read, for which the header stands',
  rawTar(
    paxEntry([
      ['linkpath', LONG],
      ['uid', ''],
      ['gid', '0x10'],
      ['mtime', 'now'],
    ]),
    rawEntry({ name: 'file', flag: '2', link: 'cut', uid: 1, gid: 2, mtime: 3 }),
  ),
  { type: 'symlink', flag: '2', target: LONG, uid: 1, gid: 2, mtime: 3 },
);
reads(
  'only the last PAX header counts',
  rawTar(
    paxEntry([
      ['path', 'first'],
      ['uid', '7'],
    ]),
    paxEntry([['mtime', '9']]),
    rawEntry({ name: 'file' }),
  ),
  { mtime: 9 },
);
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
reads(
  'extended attributes, whose values may hold anything',
  rawTar(
    paxEntry([
      ['SCHILY.xattr.security.capability', CAPABILITY.toString('latin1')],
      ['SCHILY.xattr.user.evil', 'a\n12 path=no\n\0'],
      ['SCHILY.xattr.user.none', ''],
    ]),
    rawEntry({ name: 'file' }),
  ),
  {
    xattrs: [
      { name: 'security.capability', value: new Uint8Array(CAPABILITY) },
      { name: 'user.evil', value: new Uint8Array(Buffer.from('a\n12 path=no\n\0')) },
    ],
  },
);
reads(
  'records after a malformed one are not read',
  rawTar(
    rawEntry({ name: 'x', flag: 'x' }, '9 uid=12\n99 path=no\n10 gid=345\n'),
    rawEntry({ name: 'file' }),
  ),
  { uid: 12 },
);
for (const record of [
  '8 uid=12\n',
  '11 uid=12\n',
  '4 =\n',
  '0 uid=12\n',
  'uid=12\n',
  '9 uid:12\n',
  '9uid=123\n',
]) {
  const tar = rawTar(rawEntry({ name: 'x', flag: 'x' }, record), rawEntry({ name: 'file' }));
  reads(`an invalid record: ${JSON.stringify(record)}`, tar, {});
}
reads(
  'a global header describes nothing',
  rawTar(
    paxEntry(
      [
        ['path', 'all'],
        ['uid', '7'],
      ],
      'g',
    ),
    rawEntry({ name: 'file' }),
  ),
  {},
);
reads(
  'the shorter prefix of star',
  rawTar(
    rawEntry({
      name: 'b',
      format: 'star',
      prefix: 'a'.repeat(131),
      patch: block => block.write('14371573400\0', 476),
    }),
  ),
  {
    name: `${'a'.repeat(131)}/b`,
  },
);
reads(
  'the prefix that Go before 1.8 wrote into GNU headers',
  rawTar(rawEntry({ name: 'b', format: 'gnu', prefix: 'long/path' })),
  {
    name: 'long/path/b',
  },
);
reads(
  'a prefix that is not ASCII, in a GNU header',
  rawTar(rawEntry({ name: 'b', format: 'gnu', prefix: `${'\xff'.repeat(12)}no/time` })),
  { name: 'b' },
);
reads(
  'times of GNU, of which the second begins with a NUL',
  rawTar(rawEntry({ name: 'b', format: 'gnu', prefix: '14371573400\0\0not/a/time' })),
  { name: 'b' },
);
reads(
  'a time of GNU that no 64 bits hold',
  rawTar(rawEntry({ name: 'b', format: 'gnu', prefix: `14371573400\0\x80${'\xff'.repeat(11)}` })),
  { name: '14371573400/b' },
);
reads(
  'the times that GNU has there',
  rawTar(rawEntry({ name: 'b', format: 'gnu', prefix: '14371573400\x0014371573400\0' })),
  {
    name: 'b',
  },
);

test('global headers are counted, and are not entries', () => {
  const tar = rawTar(
    paxEntry([['comment', 'x']], 'g'),
    rawEntry({ name: 'a' }),
    paxEntry([], 'g'),
    rawEntry({ name: 'b' }),
  );
  const { globalHeaders, entries, error } = tarFacts(tar);
  assert.equal([globalHeaders, entries, error], [2, 2, null]);
});

// Sparse files: 1,000,000 bytes of which only "data" is stored.
const SPARSE = { size: 1_000_000, storedSize: 4, claimedSize: 1_000_000 };
const NEXT = rawEntry({ name: 'next' }, 'x');

function sparse(what: string, stored: number, ...blocks: readonly Uint8Array[]): void {
  test(`a sparse file, ${what}`, () => {
    const tar = rawTar(...blocks, NEXT);
    const [file, next] = entriesIn(tar);
    assert.equal([file, next!.name], [{ ...FILE, ...SPARSE, storedSize: stored, flag: file!.flag }, 'next']);
    assert.is(tarFacts(tar).error, null);
    assert.equal(tarFacts(tar, { piece: 511 }), tarFacts(tar), 'in pieces');
  });
}

/** An old GNU header; `extensions` blocks with the rest of its map follow it. */
function oldSparse(extensions: number): Buffer {
  const patch = (block: Buffer) => {
    block.write('00000000000\0'.repeat(2), 386, 'latin1');
    block[482] = extensions > 0 ? 1 : 0;
    block.write(`${(1_000_000).toString(8).padStart(11, '0')}\0`, 483, 'latin1');
  };
  const more = Array.from({ length: extensions }, (_, i) => {
    const block = Buffer.alloc(512, '0');
    block[504] = i + 1 < extensions ? 1 : 0;
    return block;
  });
  const header = rawHeader({ name: 'file', flag: 'S', format: 'gnu', patch }, 4);
  return Buffer.concat([header, ...more, padded('data')]);
}

sparse('as old GNU tar wrote it', 4, oldSparse(0));
sparse('with a map of several blocks', 4, oldSparse(3));
sparse(
  'PAX 0.0',
  4,
  paxEntry([
    ['GNU.sparse.size', '1000000'],
    ['GNU.sparse.numblocks', '1'],
    ['GNU.sparse.offset', '0'],
    ['GNU.sparse.numbytes', '4'],
  ]),
  rawEntry({ name: 'file' }, 'data'),
);
sparse(
  'PAX 0.1',
  4,
  paxEntry([
    ['GNU.sparse.size', '1000000'],
    ['GNU.sparse.map', '0,4'],
    ['GNU.sparse.name', 'file'],
  ]),
  rawEntry({ name: 'GNUSparseFile.1/file' }, 'data'),
);
sparse(
  'PAX 1.0, whose map stands before the content',
  516,
  paxEntry([
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', 'file'],
    ['GNU.sparse.realsize', '1000000'],
  ]),
  rawEntry({ name: 'GNUSparseFile.1/file' }, Buffer.concat([padded('1\n0\n4\n'), Buffer.from('data')])),
);

test('a tar that ends inside a sparse map', () => {
  const { error, isCut, entries } = tarFacts(oldSparse(2).subarray(0, 1024));
  assert.equal([error, isCut, entries], ['it ends inside its entry 1', true, 1]);
});

const several = rawTar(...['a', 'b', 'c'].map(name => rawEntry({ name }, name.repeat(600))));

test('entries before the damage are kept, including the damaged one', () => {
  for (const at of [600, 1100, 1700, 2600, 3200]) {
    const { table, error, entries } = tarFacts(several.subarray(0, at));
    assert.is(table!.count, entries, `${at} bytes`);
    assert.ok(error !== null, `${at} bytes`);
    assert.equal([...entriesOf(table!)].map(({ name }) => name).join(''), 'abc'.slice(0, entries));
  }
  const broken = Buffer.from(several);
  broken[3072 + 3] = 0x41;
  const { table, error, isCut } = tarFacts(broken);
  assert.equal([table!.count, error], [2, 'the header after its entry 2 is damaged (checksum)']);
  assert.equal([isCut, tarFacts(several).isCut], [false, false]);
});

test('a file that is not a tar has an empty table, and a document has none', () => {
  assert.is(tarFacts(Buffer.alloc(2000, 'x')).table!.count, 0);
  assert.is(tarFacts(new Uint8Array(0)).table!.count, 0);
  assert.is(layerFacts(Buffer.from('{"a":1}')).tar, null);
});

test('a table ends at its limits, and names the limit', () => {
  const all = tarFacts(several);
  assert.is(all.table!.truncated, null);
  const few = tarFacts(several, { limits: { layerEntries: 2 } });
  assert.equal([few.table!.count, few.table!.truncated, few.entries], [2, 'layerEntries', 3]);
  const exact = tarFacts(several, { limits: { layerEntries: 3 } });
  assert.equal(exact.table, all.table);
  const small = tarFacts(several, { limits: { layerEntryBytes: 29 } });
  assert.equal([small.table!.count, small.table!.truncated, small.entries], [2, 'layerEntryBytes', 3]);
});

test('a table is transferred, not copied', () => {
  const { table } = tarFacts(several);
  const expected = tarFacts(several).table;
  const received = structuredClone(table!, { transfer: transfersOf(table!) });
  assert.equal(received, expected);
  for (const column of Object.values(table!)) if (ArrayBuffer.isView(column)) assert.is(column.byteLength, 0);
});

test('no table is kept at other depths', () => {
  const kept = tarFacts(several);
  assert.equal(tarFacts(several, { files: false }), { ...kept, table: null });
});

test('every column grows with the layer', async () => {
  const count = 1000;
  const tar = await tarBytes(
    Array.from({ length: count }, (_, i) => ({
      path: `${i}-${'n'.repeat(i % 150)}`,
      bytes: 'x'.repeat(i % 7),
      uid: i,
      gid: 2 * i,
      mode: 1 + (i % 0o7777),
      mtime: 3 * i,
      ...(i % 3 === 0 && { pax: { 'SCHILY.xattr.user.n': String(i) } }),
    })),
  );
  entriesIn(tar).forEach((entry, i) => {
    const xattrs = i % 3 === 0 ? [{ name: 'user.n', value: new Uint8Array(Buffer.from(String(i))) }] : [];
    assert.equal(entry, {
      ...FILE,
      ...sized(i % 7),
      name: `${i}-${'n'.repeat(i % 150)}`,
      uid: i,
      gid: 2 * i,
      mode: 1 + (i % 0o7777),
      mtime: 3 * i,
      xattrs,
    });
  });
  assert.is(entriesIn(tar).length, count);
});

test('a header with a signed checksum, as in old tars', () => {
  const block = rawHeader({ name: '\xff\xfe' });
  const signed = block.reduce(
    (sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte > 127 ? byte - 256 : byte),
    0,
  );
  assert.is.not(
    withChecksum(Buffer.from(block)).toString('latin1', 148, 154),
    signed.toString(8).padStart(6, '0'),
  );
  block.write(signed.toString(8).padStart(6, '0'), 148, 'latin1');
  assert.equal(entriesIn(rawTar(block)), [{ ...FILE, name: '\xff\xfe' }]);
});

await loadCodecs();
test.run();
