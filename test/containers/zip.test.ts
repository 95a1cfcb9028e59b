// Redundant fields of a zip, and the places of its entries: contradictions are found, and sound zips have no problems.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readHead } from '../../src/containers/read.js';
import type { SourceProblem } from '../../src/containers/source.js';
import { openZip } from '../../src/containers/zip.js';
import { defaultLimits, type Limits } from '../../src/limits.js';
import { hasCommand } from '../support/compression.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import * as layouts from '../support/layouts.js';
import { toZip } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { withChecksum } from '../support/tar-blocks.js';
import { temporary } from '../support/tmp.js';

const MEMBERS = [
  layouts.file('first', 'the first'),
  layouts.file('second.json', '{"second": "the second, the second, the second"}'),
  { path: 'link', link: 'first' },
  layouts.file('third', 'the third'),
];
const ZIP = toZip(MEMBERS, { deflate: true });

/** Offsets of the headers of a member. */
function headers(zip: Buffer, name: string): { readonly local: number; readonly central: number } {
  const directory = zip.indexOf('PK\x01\x02', 0, 'latin1');
  return { local: zip.indexOf(name) - 30, central: zip.indexOf(name, directory) - 46 };
}

function changed(name: string, change: (zip: Buffer, local: number, central: number) => void): Buffer {
  const zip = Buffer.from(ZIP);
  const { local, central } = headers(zip, name);
  change(zip, local, central);
  return zip;
}

async function opened(zip: Uint8Array, limits: Limits = defaultLimits) {
  const file = saved(zip, 'made.zip');
  return openZip({ file, start: 0, length: zip.length, deflated: false }, limits);
}

const problems = async (zip: Uint8Array) => (await opened(zip)).problems;

test('a sound zip has members and no problems', async () => {
  const { members, problems } = await opened(ZIP);
  assert.equal(problems, []);
  assert.equal(
    members.map(({ path, type, size, target }) => [path, type, size, target]),
    [
      ['first', 'file', 9, null],
      ['second.json', 'file', 48, null],
      ['link', 'symlink', 0, 'first'],
      ['third', 'file', 9, null],
    ],
  );
  assert.is(
    Buffer.from(readHead(members[1]!.range!, 100)).toString(),
    '{"second": "the second, the second, the second"}',
  );
  assert.equal(members[0]!.range!.listed, { size: 9, crc32: crc32(Buffer.from('the first')) });
});

const zip64 = (name: string): Buffer => {
  // The local header has both sizes in 64 bits, as a writer does that did not know them at its beginning.
  const { local } = headers(Buffer.from(ZIP), name);
  const zip = Buffer.from(ZIP);
  const [packed, size] = [zip.readUInt32LE(local + 18), zip.readUInt32LE(local + 22)];
  zip.writeUInt32LE(0xffffffff, local + 18);
  zip.writeUInt32LE(0xffffffff, local + 22);
  zip.writeUInt16LE(20, local + 28);
  const extra = Buffer.alloc(20);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(16, 2);
  extra.writeBigUInt64LE(BigInt(size), 4);
  extra.writeBigUInt64LE(BigInt(packed), 12);
  return inserted(zip, local + 30 + name.length, extra);
};

/** Inserts bytes before the central directory, and moves every offset after them. */
function inserted(zip: Buffer, at: number, bytes: Uint8Array): Buffer {
  const moved = Buffer.concat([zip.subarray(0, at), bytes, zip.subarray(at)]);
  const end = moved.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  moved.writeUInt32LE(moved.readUInt32LE(end + 16) + bytes.length, end + 16);
  for (let central = moved.readUInt32LE(end + 16); central < end; ) {
    const offset = moved.readUInt32LE(central + 42);
    if (offset >= at) moved.writeUInt32LE(offset + bytes.length, central + 42);
    central +=
      46 +
      moved.readUInt16LE(central + 28) +
      moved.readUInt16LE(central + 30) +
      moved.readUInt16LE(central + 32);
  }
  return moved;
}

/** Sizes after the content, as written to a pipe. */
function described(name: string, descriptor: Uint8Array): Buffer {
  const zip = Buffer.from(ZIP);
  const { local, central } = headers(zip, name);
  const end = local + 30 + name.length + zip.readUInt32LE(local + 18);
  for (const flags of [local + 6, central + 8]) zip.writeUInt16LE(zip.readUInt16LE(flags) | 8, flags);
  zip.fill(0, local + 14, local + 26);
  return inserted(zip, end, descriptor);
}

const HONEST: readonly (readonly [string, Uint8Array])[] = [
  ['stored', toZip(MEMBERS)],
  ['empty', toZip([])],
  ['sizes of 64 bits', zip64('first')],
  ['sizes that follow', described('first', Buffer.alloc(16))],
  ['sizes of 64 bits that follow', described('second.json', Buffer.alloc(24))],
  ['sizes that follow the last', described('third', Buffer.alloc(12))],
  [
    'a link by the Archive Utility of macOS',
    changed('link', (zip, local, central) => {
      zip.writeUInt16LE(0x0315, central + 4);
      zip.fill(0, local + 14, local + 26);
    }),
  ],
  ['a name in UTF-8', toZip(MEMBERS.map(m => (m.path === 'third' ? { ...m, path: 'Gr\u00fc\u00dfe' } : m)))],
];

for (const [what, zip] of HONEST)
  test(`no problem in a zip: ${what}`, async () => {
    assert.equal(await problems(zip), []);
  });

test('a name that is not UTF-8 is decoded by its code page', async () => {
  const zip = changed('third', (bytes, local, central) => {
    for (const [flags, name] of [
      [local + 6, local + 30],
      [central + 8, central + 46],
    ] as const) {
      bytes.writeUInt16LE(0, flags);
      bytes.writeUInt8(0x81, name);
    }
  });
  const { members, problems } = await opened(zip);
  assert.is(members[3]!.path, 'ühird');
  assert.equal(problems, []);
});

const said = (path: string, field: string, ...readings: string[]): SourceProblem[] => [
  { kind: 'ambiguous', path, field, readings },
];

const LIES: readonly (readonly [string, Uint8Array, readonly SourceProblem[]])[] = [
  [
    'another name',
    changed('first', (zip, local) => zip.write('fi1st', local + 30)),
    said('first', 'name', 'first', 'fi1st'),
  ],
  [
    'another method',
    changed('first', (zip, local) => zip.writeUInt16LE(0, local + 8)),
    said('first', 'compression method', '8', '0'),
  ],
  [
    'another checksum',
    changed('first', (zip, local) => zip.writeUInt32LE(1, local + 14)),
    said('first', 'CRC-32', crc32(Buffer.from('the first')).toString(16), '00000001'),
  ],
  [
    'another packed size',
    changed('first', (zip, local) => zip.writeUInt32LE(1, local + 18)),
    said('first', 'packed size', '11', '1'),
  ],
  [
    'another size',
    changed('first', (zip, local) => zip.writeUInt32LE(1, local + 22)),
    said('first', 'size', '9', '1'),
  ],
  [
    'encrypted for some',
    changed('first', (zip, local) => zip.writeUInt16LE(0x801, local + 6)),
    said('first', 'encryption', 'none', 'encrypted'),
  ],
  [
    'encrypted',
    changed('first', (zip, _, central) => zip.writeUInt16LE(0x801, central + 8)),
    [{ kind: 'zip-entry', path: 'first', reason: 'the entry is encrypted' }],
  ],
  [
    'no local header',
    changed('first', (zip, local) => zip.writeUInt32LE(0, local)),
    [
      { kind: 'zip-entry', path: 'first', reason: 'its local header is not where the directory says' },
      { kind: 'zip-gap', path: null, offset: 0, bytes: 46 },
    ],
  ],
  [
    'a local header beyond the directory',
    changed('first', (zip, _, central) => zip.writeUInt32LE(central + 5, central + 42)),
    [
      { kind: 'zip-entry', path: 'first', reason: 'its local header is not where the directory says' },
      { kind: 'zip-gap', path: null, offset: 0, bytes: 46 },
    ],
  ],
  [
    'a size beyond the file',
    changed('third', (zip, _, central) => zip.writeUInt32LE(5000, central + 20)),
    [
      { kind: 'zip-entry', path: 'third', reason: 'its content reaches into the central directory' },
      { kind: 'zip-gap', path: null, offset: headers(Buffer.from(ZIP), 'third').local, bytes: 46 },
    ],
  ],
];

for (const [what, zip, expected] of LIES)
  test(`a problem in a zip: ${what}`, async () => {
    assert.equal(await problems(zip), expected);
  });

test('entries that share bytes are a problem', async () => {
  // As in a zip bomb with one kernel: the directory lists the same content under many names.
  const zip = changed('second.json', (bytes, _, central) => bytes.writeUInt32LE(0, central + 42));
  const found = await problems(zip);
  assert.equal(
    found.filter(({ kind }) => kind === 'zip-overlap'),
    [{ kind: 'zip-overlap', path: 'second.json', other: 'first' }],
  );
  // As in a zip bomb with quoted headers: the content of one entry is all the entries after it.
  const quoting = changed('first', (bytes, local, central) => {
    bytes.writeUInt32LE(headers(bytes, 'third').local - local, central + 20);
  });
  assert.equal(
    (await problems(quoting)).filter(({ kind }) => kind === 'zip-overlap'),
    ['second.json', 'link', 'third'].map(path => ({ kind: 'zip-overlap', path, other: 'first' })),
  );
});

test('bytes that belong to no entry are a problem', async () => {
  const { local } = headers(Buffer.from(ZIP), 'second.json');
  const directory = Buffer.from(ZIP).indexOf('PK\x01\x02', 0, 'latin1');
  for (const at of [0, local, directory])
    assert.equal(await problems(inserted(Buffer.from(ZIP), at, Buffer.alloc(7))), [
      { kind: 'zip-gap', path: null, offset: at, bytes: 7 },
    ]);
});

test('two end records, one in the comment of the other', async () => {
  const end = Buffer.from(ZIP.subarray(-22));
  const directoryEnd = ZIP.length - 22;
  const commented = (comment: Uint8Array) => {
    const zip = Buffer.concat([ZIP, comment]);
    zip.writeUInt16LE(comment.length, ZIP.length - 2);
    return zip;
  };
  assert.equal(await problems(commented(Buffer.from('a comment'))), []);
  assert.equal(await problems(commented(Buffer.concat([end, Buffer.from('x')]))), [
    {
      kind: 'ambiguous',
      path: null,
      field: 'end of the zip',
      readings: ['one', 'another in its comment'],
    },
  ]);
  // A reader that searches from the end finds the one in the comment, and the other belongs to no entry.
  assert.equal(await problems(commented(end)), [
    { kind: 'zip-gap', path: null, offset: directoryEnd, bytes: 22 },
  ]);
});

test('a zip that is also a tar', async () => {
  // The tar's first header begins with the zip's first local header, whose extra field contains the rest of it.
  const extra = 512 - 30 - 'first'.length;
  const zip = inserted(Buffer.from(ZIP), 30 + 'first'.length, Buffer.alloc(extra));
  zip.writeUInt16LE(extra, 28);
  assert.equal(await problems(zip), []);
  withChecksum(zip.subarray(0, 512));
  assert.equal(await problems(zip), [
    { kind: 'ambiguous', path: null, field: 'kind of the file', readings: ['a zip', 'a tar'] },
  ]);
});

test('a directory with a content', async () => {
  const zip = changed('first', (bytes, local, central) => {
    bytes.write('firs/', local + 30);
    bytes.write('firs/', central + 46);
  });
  assert.equal(await problems(zip), said('firs', 'type', 'a directory', 'a file of 9 bytes'));
});

test('names and links that are too long are left out', async () => {
  const { members, problems } = await opened(ZIP, { ...defaultLimits, pathBytes: 8 });
  assert.equal(
    members.map(({ path }) => path),
    ['first', 'link', 'third'],
  );
  assert.equal(problems, [{ kind: 'limit', path: null, limit: 'pathBytes', value: 8, seen: 11 }]);
});

test('the sample zip has no problems', async () => {
  const file = join(repositoryRoot, 'samples/hello-oci.zip');
  const { length } = readFileSync(file);
  assert.equal((await openZip({ file, start: 0, length, deflated: false }, defaultLimits)).problems, []);
});

testWhen(
  test,
  hasCommand('zip') || hasCommand('python3') || hasCommand('go'),
  'no other writer of zips is here',
)('zips of other writers have nothing to be said about', async () => {
  const folder = temporary('zips');
  mkdirSync(join(folder, 'in'));
  writeFileSync(join(folder, 'in/a'), 'a'.repeat(1000));
  writeFileSync(join(folder, 'in/grüße'), 'b');
  symlinkSync('a', join(folder, 'in/link'));
  const WRITERS: readonly (readonly [string, readonly string[]])[] = [
    ['zip', ['-qry', '../zip.zip', '.']],
    ['zip', ['-qr', '-fd', '../streamed.zip', '.']],
    ['python3', ['-m', 'zipfile', '-c', '../python.zip', 'a', 'grüße']],
  ];
  let written = 0;
  for (const [command, args] of WRITERS.filter(([name]) => hasCommand(name))) {
    assert.is(spawnSync(command, args, { cwd: join(folder, 'in') }).status, 0, command);
    const file = join(folder, args.find(arg => arg.endsWith('.zip'))!.slice(3));
    assert.ok(existsSync(file));
    const { members, problems } = await openZip(
      { file, start: 0, length: readFileSync(file).length, deflated: false },
      defaultLimits,
    );
    assert.equal(problems, [], args.join(' '));
    assert.ok(members.length >= 2);
    written++;
  }
  assert.ok(written > 0);
});

test.run();
