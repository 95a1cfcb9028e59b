// The files of layers are searched as they pass: the same on every way to read, within limits, and nothing ever throws.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readArchive } from '../../src/commands.js';
import { contentOf } from '../../src/scan/entries/content.js';
import { type EntryTable, nameAt } from '../../src/scan/entries/table.js';
import { secretsIn } from '../../src/secrets/search.js';
import { drawn, githubToken, PLANTED } from '../secrets/planted.js';
import { image } from '../support/image.js';
import { type LayerOptions, tarFacts } from '../support/layer-facts.js';
import * as layouts from '../support/layouts.js';
import { compress, deliveries, toTar } from '../support/pack.js';
import { saved, streamOf } from '../support/reading.js';
import { tarBytes } from '../support/tar.js';
import { temporary } from '../support/tmp.js';

const WANTED = { contents: { secrets: true } } as const;
const found = (tar: Uint8Array, options: LayerOptions = WANTED) => {
  const table = tarFacts(tar, options).table!;
  const { found: secrets, cut, full } = table.contents!.secrets!;
  return {
    secrets: secrets.map(({ index, kind, line }) => `${nameAt(table, index)}:${line} ${kind}`),
    cut,
    full,
  };
};

const LAYER = await tarBytes([
  { path: 'srv/' },
  ...PLANTED.slice(0, 20).map(({ path, text }, i) => ({ path: `${i}/${path}`, bytes: text })),
  { path: 'usr/bin/program', bytes: `\x7fELF\0${githubToken()}` },
]);

for (const piece of [LAYER.length, 700, 64, 1])
  test(`secrets of a layer, ${piece} bytes at a time`, () => {
    const expected = PLANTED.slice(0, 20).map(
      ({ path, kind, line = 1 }, i) => `${i}/${path}:${line} ${kind}`,
    );
    assert.equal(found(LAYER, { ...WANTED, piece }), { secrets: expected, cut: 0, full: false });
  });

test('nothing is searched unless it is asked for', () => {
  assert.is(tarFacts(LAYER, {}).table!.contents, null);
  assert.is(tarFacts(LAYER, { contents: { digests: true } }).table!.contents!.secrets, null);
});

test('a large file is searched up to the limit, and that is said', async () => {
  const filler = 'x y z\n'.repeat(1000);
  const tar = await tarBytes([
    { path: 'srv/early.txt', bytes: `${githubToken()}\n${filler}` },
    { path: 'srv/late.txt', bytes: `${filler}${githubToken()}\n` },
    { path: 'srv/image.png', bytes: filler },
  ]);
  for (const piece of [tar.length, 512])
    assert.equal(found(tar, { ...WANTED, piece, limits: { secretFileBytes: 1000 } }), {
      secrets: ['srv/early.txt:1 github-token'],
      cut: 2,
      full: false,
    });
  assert.equal(found(tar).secrets.length, 2);
});

test('a file of several windows is searched to its end, also where two windows meet, in UTF-8 and in UTF-16', async () => {
  const MiB = 1024 * 1024;
  const line = `${'x y z '.repeat(16)}abc\n`;
  const before = (bytes: number) => line.repeat(Math.floor(bytes / line.length));
  const key = PLANTED.find(({ kind }) => kind === 'private-key')!.text.trim();
  const places = [MiB - 32 * 1024 - 50, MiB - 50, 2 * MiB - 90_000, 3 * MiB + 17];
  for (const at of places)
    for (const encoding of ['latin1', 'utf16le'] as const) {
      const scale = encoding === 'latin1' ? 1 : 2;
      const text = `${before(at / scale)}${key}\n${before(MiB / 2)}${githubToken()}\n`;
      const mark = encoding === 'latin1' ? '' : '\ufeff';
      const tar = await tarBytes([
        { path: 'srv/dump.txt', bytes: new Uint8Array(Buffer.from(mark + text, encoding)) },
      ]);
      const lines = [text.split(key)[0]!, text.split('gh')[0]!].map(part => part.split('\n').length);
      for (const piece of [tar.length, 65536, 100_001])
        assert.equal(
          found(tar, { ...WANTED, piece }),
          {
            secrets: [`srv/dump.txt:${lines[0]} private-key`, `srv/dump.txt:${lines[1]} github-token`],
            cut: 0,
            full: false,
          },
          `${at} ${encoding} ${piece}`,
        );
    }
});

test('more secrets than the limit allows', async () => {
  const tar = await tarBytes(
    Array.from({ length: 5 }, (_, i) => ({ path: `srv/${i}.txt`, bytes: githubToken() })),
  );
  const { secrets, full } = found(tar, { ...WANTED, limits: { layerSecrets: 3 } });
  assert.equal([secrets.length, full], [3, true]);
});

test('a file that the tar ends in, and one with holes', () => {
  const cut = LAYER.subarray(0, 512 + 512 + 100);
  assert.equal(found(cut).secrets, ['0/root/.ssh/id_ed25519:1 truncated-private-key']);
});

test('no bytes make it throw, and none take long', () => {
  const pieces = [
    '-----BEGIN RSA PRIVATE KEY-----\n',
    '-----BEGIN PRIVATE KEY-----',
    '"auth":"',
    '"auths"',
    'A_PASSWORD="',
    '://a:b',
    'http://u:p%zz@h ',
    'LS0tLS1CRUdJTi',
    `${'AK'}IA${drawn(16, 'ABCDEFGH234567')} `,
    'SK0123456789abcdef0123456789abcdef ',
    '<password>',
    '<!--',
    'login a password ',
    '_authToken=',
    ' ',
    '\n',
    'a',
    '\\',
    '\xff\xfe',
    'PuTTY-User-Key-File-',
  ];
  const paths = ['.npmrc', '.netrc', '.env', 'settings.xml', '.docker/config.json', '.pgpass', 'a.conf'];
  for (const piece of pieces)
    for (const path of paths) {
      const bytes = Buffer.alloc(60_000, Buffer.from(piece, 'latin1'));
      for (const end of [bytes.length, 7_001, 3, 0]) {
        const secrets = secretsIn(bytes.subarray(0, end), path, 'credentials');
        assert.ok(secrets.length <= 100);
      }
    }
});

test('truncated anywhere, a file gives what stands there, and never throws', () => {
  for (const { path, text } of PLANTED)
    for (let end = 0; end < text.length; end += 1 + (text.length >> 4))
      secretsIn(Buffer.from(text.slice(0, end)), path, 'credentials');
});

test('many places that may hold a token end the search, and that is said', async () => {
  const flood = `${'SK'}0123456789abcdef0123456789abcdef `.repeat(20_000);
  const tar = await tarBytes(Array.from({ length: 10 }, (_, i) => ({ path: `srv/${i}.txt`, bytes: flood })));
  const path = saved(await toTar(await layersOf(tar)));
  const { parts } = await readArchive(path, { depth: 'files', files: { secrets: true } });
  const [findings] = parts.map(part => part.findings.filter(({ code }) => code === 'limit-reached'));
  assert.match(findings![0]!.message, /not all of the layer was searched for secrets/);
  assert.is(findings![0]!.severity, 'info');
});

async function layersOf(tar: Uint8Array, compression?: 'gzip') {
  const built = await image({ layers: [{ tar, ...(compression && { compression }) }] });
  return layouts.skopeoOci({ image: built, tags: ['app:1'] });
}

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\napp:x:10001:10001::/:/bin/sh\n';
const FILES = await tarBytes([
  { path: 'etc/passwd', bytes: PASSWD },
  { path: 'srv/.env', bytes: 'DB_PASSWORD=correct-horse-1\n' },
  // Enough for a worker of its own, and more.
  { path: 'srv/zeros.bin', bytes: new Uint8Array(3_000_000) },
  { path: 'srv/token.txt', bytes: `\n${githubToken()}\n` },
]);
const CONTENTS = { depth: 'files', files: { secrets: true, keep: ['/etc/passwd'] } } as const;

/** The kept bytes of /etc/passwd, and the secrets of the layer, by any way to read it. */
async function contentsOf(input: string | AsyncIterable<Uint8Array>, options = {}) {
  const { parts } = await readArchive(input, { ...CONTENTS, ...options });
  const { scan } = parts[0]!;
  const tables = scan.members.map(member => scan.facts(member)?.tar?.table ?? null);
  const table = tables.find((one): one is EntryTable => (one?.count ?? 0) > 0)!;
  return {
    passwd: Buffer.from(contentOf(table, 0)!).toString(),
    secrets: table.contents!.secrets!.found.map(({ kind, line, fingerprint }) => [kind, line, fingerprint]),
  };
}

test('kept bytes and secrets are the same in a file, a pipe, a folder, a zip, packed and on workers', async () => {
  for (const compression of [undefined, 'gzip'] as const) {
    const members = await layersOf(FILES, compression);
    const expected = await contentsOf(saved(await toTar(members)));
    assert.is(expected.passwd, PASSWD);
    assert.equal(
      expected.secrets.map(([kind, line]) => [kind, line]),
      [
        ['password', 1],
        ['github-token', 2],
      ],
    );
    const ways = await deliveries(members, temporary('contents'));
    assert.ok(ways.length >= 4);
    for (const { kind, file } of ways) assert.equal(await contentsOf(file), expected, kind);
    const tar = await toTar(members);
    assert.equal(await contentsOf(streamOf(tar)), expected, 'from a pipe');
    assert.equal(await contentsOf(streamOf(compress(tar, 'gzip'))), expected, 'packed, from a pipe');
  }
});

test('secrets on worker threads and in rings are the same', async () => {
  const large = await tarBytes([
    { path: 'etc/passwd', bytes: PASSWD },
    { path: 'srv/token.txt', bytes: `\n${githubToken()}\n` },
    { path: 'srv/noise.bin', bytes: Buffer.from(drawn(400_000).repeat(100)) },
    { path: 'srv/.env', bytes: 'DB_PASSWORD=correct-horse-1\n' },
  ]);
  const members = await layersOf(large, 'gzip');
  // Members below 32 MiB are read without workers.
  const tar = await toTar([...members, layouts.file('blobs/sha256/more', new Uint8Array(40_000_000))]);
  const path = saved(tar);
  const alone = await contentsOf(path, { jobs: 1 });
  assert.is(alone.secrets.length, 2);
  assert.equal(await contentsOf(path, { jobs: 2 }), alone);
  assert.equal(await contentsOf(path, { jobs: 4 }), alone);
  assert.equal(await contentsOf(streamOf(tar), { jobs: 4 }), alone);
});

test.run();
