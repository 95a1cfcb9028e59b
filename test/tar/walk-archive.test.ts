// The walk of an outer tar compared with tar-stream, on real and made archives, and with itself for chunks of any size.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StreamCursor } from '../../src/containers/cursor.js';
import { isTar } from '../../src/containers/kind.js';
import type { Member, SourceProblem } from '../../src/containers/source.js';
import { indexTar, passTar } from '../../src/containers/tar-file.js';
import { defaultLimits, type Limits } from '../../src/limits.js';
import { hasCommand } from '../support/compression.js';
import { corpus, docker28, hasDocker28, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { saved, streamOf } from '../support/reading.js';
import { type TarEntry, tarBytes } from '../support/tar.js';
import { gnuLong, paxEntry, rawEntry, rawHeader, rawTar } from '../support/tar-blocks.js';
import { temporary } from '../support/tmp.js';

interface Seen {
  readonly name: string;
  readonly type: string;
  readonly target: string | null;
  /** null for anything but a file. */
  readonly content: string | null;
}

const TYPES: Readonly<Record<string, string>> = {
  file: 'file',
  'contiguous-file': 'file',
  link: 'hardlink',
  symlink: 'symlink',
  directory: 'directory',
};

async function byTarStream(tar: Uint8Array): Promise<Seen[]> {
  const reading = extract({ allowUnknownFormat: true } as object);
  const seen: Seen[] = [];
  const ended = new Promise<void>((resolve, reject) => reading.on('finish', resolve).on('error', reject));
  reading.on('entry', (header, content, next) => {
    const parts: Buffer[] = [];
    const type = TYPES[header.type ?? ''] ?? 'other';
    const isLink = type === 'symlink' || type === 'hardlink';
    content.on('data', part => parts.push(part as Buffer));
    content.on('end', () => {
      const bytes = Buffer.concat(parts).toString('latin1');
      const target = isLink ? (header.linkname ?? '') : null;
      seen.push({ name: header.name, type, target, content: type === 'file' ? bytes : null });
      next();
    });
  });
  reading.end(Buffer.from(tar));
  await ended;
  return seen;
}

interface Walked {
  readonly seen: readonly Seen[];
  readonly problems: readonly SourceProblem[];
}

const toSeen = ({ name, type, target }: Member, content: string): Seen => ({
  name,
  type,
  target,
  content: type === 'file' ? content : null,
});

function indexed(tar: Uint8Array, limits: Limits = defaultLimits): Walked {
  const file = saved(tar, 'walk.tar');
  const { members, problems } = indexTar({ file, start: 0, length: tar.length, deflated: false }, limits);
  const bytes = Buffer.from(tar);
  const seen = members.map(member => {
    const { start = 0, length = 0 } = member.range ?? {};
    return toSeen(member, bytes.toString('latin1', start, start + length));
  });
  return { seen, problems };
}

/** @param take  the number of bytes that are read of each member's content; the rest is skipped */
async function passed(tar: Uint8Array, piece: number, take = Number.POSITIVE_INFINITY): Promise<Walked> {
  const problems: SourceProblem[] = [];
  const seen: Seen[] = [];
  await passTar(
    new StreamCursor(streamOf(tar, piece)),
    defaultLimits,
    problem => problems.push(problem),
    async (member, content) => {
      let text = '';
      for await (const chunk of content) {
        text += Buffer.from(chunk).toString('latin1');
        if (text.length >= take) break;
      }
      seen.push(toSeen(member, text));
    },
  );
  return { seen, problems };
}

const PIECES = [1, 511, 512, 513, 10_240, 1 << 20];

async function assertAlike(tar: Uint8Array, what: string): Promise<Walked> {
  const walked = indexed(tar);
  assert.equal(walked.seen, await byTarStream(tar), what);
  for (const piece of PIECES)
    assert.equal(await passed(tar, piece), walked, `${what}, in pieces of ${piece} bytes`);
  return walked;
}

const LONG = 'd/'.repeat(120);
const ENTRIES: readonly TarEntry[] = [
  { path: 'blobs/' },
  { path: 'blobs/sha256/aa', bytes: 'a'.repeat(1000) },
  { path: 'empty' },
  { path: 'exactly', bytes: 'x'.repeat(512) },
  { path: `${LONG}file`, bytes: 'deep' },
  { path: 'link', link: 'blobs/sha256/aa' },
  { path: 'hard', link: 'blobs/sha256/aa', type: 'link' },
  { path: 'far', link: `${LONG}target` },
  { path: 'Grüße/日本.txt', bytes: 'utf-8' },
  { path: 'device', type: 'character-device', device: [1, 3] },
  { path: 'pipe', type: 'fifo' },
  { path: 'more', bytes: 'y', pax: { mtime: '1.5', 'SCHILY.xattr.user.a': 'b' } },
];

test('what tar-stream writes is read as tar-stream reads it', async () => {
  const { seen, problems } = await assertAlike(await tarBytes(ENTRIES), 'tar-stream');
  assert.is(seen.length, ENTRIES.length);
  assert.equal(problems, []);
});

const SIZES = [0, 1, 511, 512, 513, 4095, 70_000];

test('contents of every size, one after the other', async () => {
  const entries = Array.from({ length: 400 }, (_, i): TarEntry => {
    const size = SIZES[(i * 5) % SIZES.length]! + (i % 3);
    return { path: `${'n'.repeat((i * 37) % 250)}${i}`, bytes: Buffer.alloc(size, i % 251) };
  });
  const { problems } = await assertAlike(await tarBytes(entries), 'sizes');
  assert.equal(problems, []);
});

const FORMATS: readonly (readonly [string, Uint8Array])[] = [
  ['a name in two parts', rawTar(rawEntry({ name: 'file', prefix: 'in/a/prefix' }, 'x'))],
  [
    'GNU long name',
    rawTar(gnuLong('L', `${LONG}name`), rawEntry({ name: LONG.slice(0, 100), format: 'gnu' }, 'x')),
  ],
  [
    'GNU long target',
    rawTar(gnuLong('K', `${LONG}target`), rawEntry({ name: 'a', flag: '2', link: 'd', format: 'gnu' })),
  ],
  [
    'PAX path',
    rawTar(
      paxEntry([['path', `${LONG}name`]]),
      rawEntry({ name: 'cut' }, 'x'),
      rawEntry({ name: 'after' }, 'y'),
    ),
  ],
  [
    'a size in base 256',
    rawTar(
      rawEntry({ name: 'big', size: '\x80\0\0\0\0\0\0\0\0\0\0\x03' }, 'abc'),
      rawEntry({ name: 'after' }, 'y'),
    ),
  ],
  [
    'a size with spaces',
    rawTar(rawEntry({ name: 'old', size: '         3  ' }, 'abc'), rawEntry({ name: 'after' }, 'y')),
  ],
  ['a name of 100 bytes', rawTar(rawEntry({ name: 'n'.repeat(100) }, 'x'))],
];

for (const [what, tar] of FORMATS)
  test(`equal to tar-stream: ${what}`, async () => {
    const { problems } = await assertAlike(tar, what);
    assert.equal(problems, []);
  });

testWhen(
  test,
  hasCommand('tar'),
  'tar is not here',
)('what GNU tar writes in each of its formats, as tar-stream reads it', async () => {
  const folder = temporary('gnu');
  mkdirSync(join(folder, LONG), { recursive: true });
  writeFileSync(join(folder, LONG, 'deep'), 'deep');
  writeFileSync(join(folder, 'file'), Buffer.alloc(30_000, 1));
  symlinkSync(`${LONG}deep`, join(folder, 'link'));
  for (const format of ['gnu', 'oldgnu', 'pax', 'posix']) {
    const { status, stdout } = spawnSync('tar', [`--format=${format}`, '-cC', folder, '.'], {
      maxBuffer: 1 << 24,
    });
    assert.is(status, 0);
    const { seen, problems } = await assertAlike(stdout, format);
    assert.ok(seen.length > 100, `${format}: ${seen.length}`);
    assert.equal(problems, []);
  }
});

testWhen(
  test,
  hasDocker28,
  NO_SHARED_FOLDER,
)('every plain tar of the corpus, as tar-stream reads it', async () => {
  let compared = 0;
  const files = [
    ...corpus().map(({ file }) => file),
    docker28('docker28-save.tar'),
    docker28('crane-pull.tar'),
  ];
  for (const file of files) {
    if (!statSync(file).isFile()) continue;
    const tar = readFileSync(file);
    if (!isTar(tar.subarray(0, 512))) continue;
    // tar-stream refuses archives that are cut; and only it reads on after an end marker.
    const expected = await byTarStream(tar).catch(() => null);
    const { seen, problems } = indexed(tar);
    if (problems.some(({ kind }) => kind === 'trailing-bytes' || kind === 'tar-truncated')) continue;
    assert.equal(seen, expected, file);
    assert.equal(await passed(tar, 65_536), { seen, problems }, file);
    compared++;
  }
  assert.ok(compared > 60, `${compared} tars`);
});

test('a directory of a tar before POSIX is recognised by its name', () => {
  const tar = rawTar(
    rawEntry({ name: 'dir/', flag: '', format: 'v7' }),
    rawEntry({ name: 'a', flag: '', format: 'v7' }, 'x'),
  );
  const { seen, problems } = indexed(tar);
  assert.equal(
    seen.map(({ type }) => type),
    ['directory', 'file'],
  );
  assert.equal(problems, []);
});

test('content that is not read is skipped', async () => {
  const tar = await tarBytes(ENTRIES);
  const names = indexed(tar).seen.map(({ name }) => name);
  for (const piece of PIECES) {
    const { seen, problems } = await passed(tar, piece, 0);
    assert.equal(
      seen.map(({ name }) => name),
      names,
      `pieces of ${piece}`,
    );
    assert.equal(problems, []);
  }
});

test('a tar that is cut anywhere gives the same result in chunks of any size', async () => {
  const tar = await tarBytes(ENTRIES.slice(0, 6));
  for (let length = 1; length < tar.length; length += 97) {
    const cut = tar.subarray(0, length);
    const walked = indexed(cut);
    assert.ok(walked.problems.length > 0, `${length} bytes`);
    for (const piece of [512, 777])
      assert.equal(await passed(cut, piece), walked, `${length} bytes by ${piece}`);
  }
});

test('members are found with a window of any size', () => {
  // Alternately far apart and close together, so that the window grows and shrinks.
  const gaps = [0, 1, 300_000, 5, 5, 5, 100_000, 2_000_000, 3, 700, 0, 0, 600_000];
  const tar = rawTar(...gaps.map((size, i) => rawEntry({ name: `m${i}` }, Buffer.alloc(size, i))));
  const { seen, problems } = indexed(tar);
  assert.equal(problems, []);
  assert.equal(
    seen.map(({ content }) => content!.length),
    gaps,
  );
  for (const [i, { content }] of seen.entries())
    assert.ok(content === String.fromCharCode(i).repeat(gaps[i]!), `content of m${i}`);
});

test('a tar may begin at any offset of its file', () => {
  const tar = rawTar(rawEntry({ name: 'a' }, 'abc'), rawEntry({ name: 'b' }, 'def'));
  const file = saved(Buffer.concat([Buffer.alloc(77, 1), tar, Buffer.alloc(99, 2)]), 'inside.bin');
  const { members, problems } = indexTar(
    { file, start: 77, length: tar.length, deflated: false },
    defaultLimits,
  );
  assert.equal(problems, []);
  assert.equal(
    members.map(({ path, range }) => [path, range!.start]),
    [
      ['a', 77 + 512],
      ['b', 77 + 3 * 512],
    ],
  );
});

const ambiguous = (tar: Uint8Array) =>
  indexed(tar).problems.map(problem =>
    problem.kind === 'ambiguous' ? [problem.field, ...problem.readings] : problem.kind,
  );

const DIFFERENTIALS: readonly (readonly [string, Uint8Array, readonly (string | readonly string[])[]])[] = [
  [
    'a PAX size and another',
    rawTar(paxEntry([['size', '3']]), rawEntry({ name: 'a', size: 600 }, 'abc')),
    [['size', '3', '600']],
  ],
  [
    'a PAX size equal to that of the header',
    rawTar(paxEntry([['size', '3']]), rawEntry({ name: 'a' }, 'abc')),
    [],
  ],
  [
    'a link with a size',
    rawTar(rawEntry({ name: 'a', flag: '1', link: 'b', size: 3 })),
    [['size', '0', '3']],
  ],
  ['a directory with a size', rawTar(rawEntry({ name: 'a/', flag: '5', size: 4096 })), []],
  [
    'one PAX key twice',
    rawTar(
      paxEntry([
        ['path', 'a'],
        ['path', 'b'],
      ]),
      rawEntry({ name: 'c' }, 'x'),
    ),
    [['name', 'b', 'a']],
  ],
  [
    'one PAX key twice, the same',
    rawTar(
      paxEntry([
        ['path', 'a'],
        ['path', 'a'],
      ]),
      rawEntry({ name: 'c' }, 'x'),
    ),
    [],
  ],
  [
    'two PAX headers',
    rawTar(paxEntry([['path', 'a']]), paxEntry([['mtime', '1']]), rawEntry({ name: 'c' }, 'x')),
    [['PAX headers', 'the last of 2', 'all of them']],
  ],
  [
    'GNU and PAX names',
    rawTar(gnuLong('L', 'a'), paxEntry([['path', 'b']]), rawEntry({ name: 'c' }, 'x')),
    [['name', 'a', 'b']],
  ],
  [
    'PAX and GNU names',
    rawTar(paxEntry([['path', 'b']]), gnuLong('L', 'a'), rawEntry({ name: 'c' }, 'x')),
    [['name', 'a', 'b']],
  ],
  ['a NUL in a name', rawTar(paxEntry([['path', 'a\0b']]), rawEntry({ name: 'c' }, 'x')), ['tar-record']],
  [
    'a global path',
    rawTar(paxEntry([['path', 'b']], 'g'), rawEntry({ name: 'c' }, 'x')),
    [['global PAX path', 'none', 'b']],
  ],
  [
    'names before a global header',
    rawTar(
      gnuLong('L', 'a'),
      paxEntry([['path', 'b']]),
      paxEntry([['comment', 'g']], 'g'),
      rawEntry({ name: 'c' }, 'x'),
    ),
    [['records before a global PAX header', 'none', 'all of them']],
  ],
  ['a global comment', rawTar(paxEntry([['comment', 'b']], 'g'), rawEntry({ name: 'c' }, 'x')), []],
  [
    'an unknown type',
    rawTar(rawEntry({ name: 'c', flag: 'Q' }, 'x')),
    [['type', 'nothing', 'a file (type "Q")']],
  ],
  [
    'a volume label',
    rawTar(rawEntry({ name: 'label', flag: 'V' })),
    [['type', 'nothing', 'a file (type "V")']],
  ],
  ['a mode with the type of the member', rawTar(rawEntry({ name: 'c', mode: '0100644\0' }, 'x')), []],
  [
    'a mode with another type',
    rawTar(rawEntry({ name: 'c', mode: '0120777\0', link: 'd' }, 'x')),
    [['type', 'a file', 'a symbolic link, by its mode']],
  ],
  [
    'a file whose name ends in a slash',
    rawTar(rawEntry({ name: 'c/' }, 'x')),
    [['type', 'a file', 'a directory, for its name ends in a slash']],
  ],
  ['a directory of old tars', rawTar(rawEntry({ name: 'c/', flag: '' })), []],
  ['a size after a NUL', rawTar(rawEntry({ name: 'c', size: '\x000000000001' }, 'x')), [['size', '1', '0']]],
  ['a size after spaces', rawTar(rawEntry({ name: 'c', size: '          1\0' }, 'x')), []],
  [
    'a size of a record after a NUL',
    rawTar(rawEntry({ name: 'x', flag: 'L', size: '\x000000000002' }, 'n\0'), rawEntry({ name: 'c' })),
    [['size', '2', '0']],
  ],
  [
    'a prefix in a GNU header',
    rawTar(rawEntry({ name: 'c', format: 'gnu', prefix: 'dir' })),
    [['name', 'dir/c', 'c']],
  ],
  ['times in a GNU header', rawTar(rawEntry({ name: 'c', format: 'gnu', prefix: '00000000001' })), []],
  [
    'a prefix in a header without a magic',
    rawTar(rawEntry({ name: 'c', format: 'v7', prefix: 'dir' })),
    [['name', 'c', 'dir/c']],
  ],
  [
    'a prefix that goes on where star has times',
    rawTar(
      rawEntry({
        name: 'c',
        format: 'star',
        prefix: 'p'.repeat(131),
        patch: block => void block.write('7', 476, 'latin1'),
      }),
    ),
    [['name', `${'p'.repeat(131)}/c`, `${'p'.repeat(131)}7/c`]],
  ],
  ['garbage in a mode', rawTar(rawEntry({ name: 'c', mode: 'zzzzzzz\0' }, 'x')), ['tar-field']],
  [
    'garbage in the owner of a record',
    rawTar(rawHeader({ name: 'x', flag: 'x', uid: '-1' }), rawEntry({ name: 'c' })),
    ['tar-field'],
  ],
  ['a time that is none', rawTar(paxEntry([['mtime', 'now']]), rawEntry({ name: 'c' })), ['tar-record']],
  [
    'a record that is too large for Go',
    rawTar(rawEntry({ name: 'x', flag: 'L' }, 'n'.padEnd(2 ** 20 + 1, '\0')), rawEntry({ name: 'c' })),
    ['tar-record'],
  ],
  ['a global PAX header at the end', rawTar(rawEntry({ name: 'c' }), paxEntry([['comment', 'b']], 'g')), []],
  [
    'a global PAX header with the name of a document',
    rawTar(rawEntry({ name: 'manifest.json', flag: 'g' }, '20 comment=anything\n')),
    [['type', 'a global PAX header', 'a file']],
  ],
  [
    'a sparse file',
    rawTar(
      paxEntry([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', 's'],
      ]),
      rawEntry({ name: 'c' }, 'x'),
    ),
    ['sparse'],
  ],
  [
    'the name of a sparse file before a member that is not sparse to Go',
    rawTar(paxEntry([['GNU.sparse.name', 's']]), rawEntry({ name: 'c' }, 'x')),
    [['PAX GNU.sparse.name', 'none', 's']],
  ],
  [
    'the version of a sparse file without its second half',
    rawTar(paxEntry([['GNU.sparse.major', '1']]), rawEntry({ name: 'c' }, 'x')),
    [['PAX GNU.sparse.major', 'none', '1']],
  ],
  [
    'a PAX record that is too long',
    rawTar(rawEntry({ name: 'x', flag: 'x' }, '99 path=b\n'), rawEntry({ name: 'c' }, 'x')),
    ['tar-record'],
  ],
  ['a PAX size below zero', rawTar(paxEntry([['size', '-3']]), rawEntry({ name: 'c' }, 'x')), ['tar-header']],
  [
    'a PAX size beyond 2^53',
    rawTar(paxEntry([['size', '9007199254740993']]), rawEntry({ name: 'c' }, 'x')),
    ['tar-header'],
  ],
  ['an invalid PAX size', rawTar(paxEntry([['size', '3x']]), rawEntry({ name: 'c' }, 'x')), ['tar-header']],
  ['a size below zero', rawTar(rawEntry({ name: 'c', size: '\xff'.repeat(12) }, 'x')), ['tar-header']],
];

for (const [what, tar, expected] of DIFFERENTIALS)
  test(`ambiguous member: ${what}`, async () => {
    assert.equal(ambiguous(tar), expected);
    assert.equal(await passed(tar, 513), indexed(tar));
  });

test('an old GNU sparse file whose map continues after its header', async () => {
  const more = (patch: Record<number, number>) => {
    const block = Buffer.alloc(512);
    for (const [at, byte] of Object.entries(patch)) block[Number(at)] = byte;
    return block;
  };
  const sparse = rawEntry({
    name: 's',
    flag: 'S',
    format: 'gnu',
    size: 3,
    patch: block => block.writeUInt8(1, 482),
  });
  const tar = rawTar(
    sparse,
    more({ 504: 1 }),
    more({}),
    Buffer.concat([Buffer.from('abc'), Buffer.alloc(509)]),
    rawEntry({ name: 'after' }, 'x'),
  );
  const { seen, problems } = indexed(tar);
  assert.equal(
    seen.map(({ name, type }) => [name, type]),
    [
      ['s', 'other'],
      ['after', 'file'],
    ],
  );
  assert.equal(problems, [{ kind: 'sparse', path: 's' }]);
  assert.equal(await passed(tar, 100), { seen, problems });
  for (const [length, actual] of [
    [512, 0],
    [612, 100],
    [1024, 0],
  ] as const) {
    const cut = tar.subarray(0, length);
    const walked = indexed(cut);
    assert.equal(walked.problems[1], { kind: 'tar-truncated', path: null, expected: 512, actual });
    assert.equal(await passed(cut, 100), walked);
  }
});

test('a path beyond the limit is left out and reported', () => {
  const tar = rawTar(
    gnuLong('L', '\xc3\xa4'.repeat(600)),
    rawEntry({ name: 'c' }, 'x'),
    rawEntry({ name: 'after' }, 'y'),
  );
  const { seen, problems } = indexed(tar, { ...defaultLimits, pathBytes: 1000 });
  assert.equal(
    seen.map(({ name }) => name),
    ['after'],
  );
  assert.equal(problems, [{ kind: 'limit', path: null, limit: 'pathBytes', value: 1000, seen: 1200 }]);
});

test.run();
