// Layers that engines refuse because of their headers: recorded from podman 5.8.6 and umoci 0.6.0, Docker's from its
// source.
import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { idsReport } from '../../src/commands/ids/index.js';
import { readArchive } from '../../src/report/read.js';
import { reportOf } from '../../src/report/report.js';
import { testWhen } from '../support/corpus.js';
import { digestOf } from '../support/digest.js';
import { image } from '../support/image.js';
import { skopeoOci } from '../support/layouts.js';
import { hasCommand, toTar } from '../support/pack.js';
import { streamOf } from '../support/reading.js';
import { paxEntry, type RawHeader, rawEntry, rawTar } from '../support/tar-blocks.js';

type Records = readonly (readonly [string, string])[];

async function reading(tar: Uint8Array, depth: 'digests' | 'files' = 'digests') {
  const one = await image({ layers: [{ tar }] });
  return readArchive(streamOf(await toTar(skopeoOci({ image: one, tags: ['app:1'] }))), { depth });
}

/** The findings about the layer, at both depths, and podman's answer. */
async function told(tar: Uint8Array) {
  const [quick, deep] = await Promise.all([reading(tar), reading(tar, 'files')]);
  const of = (one: typeof quick) => reportOf(one).findings.filter(({ code }) => code.startsWith('layer-'));
  assert.equal(of(quick), of(deep), 'at every depth');
  const [first] = of(quick);
  const { engines } = idsReport(quick).images[0]!;
  const podman = engines.find(({ engine }) => engine === 'podman')!;
  return {
    code: first?.code ?? null,
    data: first?.data as { what?: string; engines?: string[] },
    podman: podman.id ?? podman.refusal!,
  };
}

const xattr = (name: string, value: string, header: RawHeader = { name: 'f' }) =>
  rawTar(paxEntry([[`SCHILY.xattr.${name}`, value]]), rawEntry(header, header.flag === undefined ? 'x' : ''));
const capability = (version: number, words: number) =>
  `\x01\0\0${String.fromCharCode(version)}${'\x01\0\0\0'.repeat(words)}`;

const ALL = ['podman', 'docker-classic', 'docker-containerd', 'umoci'];
const REFUSED: readonly (readonly [
  name: string,
  value: string,
  what: string,
  words: string,
  header?: RawHeader,
  engines?: string[],
])[] = [
  ['', '1', 'xattr-name', 'lsetxattr /f: numerical result out of range'],
  ['user.', '1', 'xattr-name', 'lsetxattr /f: invalid argument'],
  ['security.', '1', 'xattr-name', 'lsetxattr /f: invalid argument'],
  [
    'trusted.',
    '1',
    'xattr-name',
    'lsetxattr /f: invalid argument',
    undefined,
    ['podman', 'docker-classic', 'umoci'],
  ],
  [`user.${'n'.repeat(251)}`, '1', 'xattr-name', 'lsetxattr /f: numerical result out of range'],
  ['user.a', 'v'.repeat(65_537), 'xattr-size', 'lsetxattr /f: argument list too long'],
  ['security.capability', 'xx', 'xattr-capability', 'lsetxattr /f: invalid argument'],
  ['security.capability', capability(2, 3), 'xattr-capability', 'lsetxattr /f: invalid argument'],
  ['security.capability', capability(1, 2), 'xattr-capability', 'lsetxattr /f: invalid argument'],
  ['security.capability', capability(9, 4), 'xattr-capability', 'lsetxattr /f: invalid argument'],
  [
    'user.a',
    '1',
    'xattr-on-special',
    'lsetxattr /l: operation not permitted',
    { name: 'l', flag: '2', link: 'f' },
    ['podman', 'docker-containerd', 'umoci'],
  ],
  [
    'user.a',
    '1',
    'xattr-on-special',
    'lsetxattr /p: operation not permitted',
    { name: 'p', flag: '6' },
    ['podman', 'docker-containerd', 'umoci'],
  ],
];

for (const [name, value, what, words, header, engines = ALL] of REFUSED) {
  test(`refused: an extended attribute ${JSON.stringify(name).slice(0, 30)} of ${value.length} bytes, ${what}`, async () => {
    const { code, data, podman } = await told(xattr(name, value, header));
    assert.equal([code, data.what, data.engines], ['layer-unloadable', what, engines]);
    assert.ok(podman.includes(words), podman);
  });
}

const TAKEN: readonly (readonly [name: string, value: string, header?: RawHeader])[] = [
  ['user.a', ''],
  ['user', '1'],
  [`user.${'n'.repeat(250)}`, '1'],
  ['user.a', 'v'.repeat(65_536)],
  ['security.capability', ''],
  ['security.capability', capability(2, 4)],
  ['security.capability', capability(3, 5)],
  ['foo.bar', '1'],
  ['trusted.overlay.impure', 'y', { name: 'd/', flag: '5' }],
  ['security.selinux', 'x', { name: 'l', flag: '2', link: 'f' }],
  ['trusted.a', '1', { name: 'l', flag: '2', link: 'f' }],
  ['', '1', { name: '.wh.gone', flag: '0' }],
];

test('accepted: extended attributes that Linux accepts, and those of whiteouts', async () => {
  for (const [name, value, header] of TAKEN) {
    const { code, podman } = await told(xattr(name, value, header));
    assert.is(code, null, name);
    assert.ok(podman.startsWith('sha256:'), podman);
  }
});

const padded = (map: string) => map + '\0'.repeat(-map.length & 511);
const version1 = (size: number): Records => [
  ['GNU.sparse.major', '1'],
  ['GNU.sparse.minor', '0'],
  ['GNU.sparse.name', 'f'],
  ['GNU.sparse.realsize', String(size)],
];
/** PAX sparse 1.0: the map precedes the content. */
const sparse1 = (map: string, data: string, size = 10, header: Partial<RawHeader> = {}) =>
  rawTar(paxEntry(version1(size)), rawEntry({ name: 'GNUSparseFile.0/f', ...header }, padded(map) + data));
const sparse0 = (numblocks: string, map: string, header: RawHeader = { name: 'f' }) =>
  rawTar(
    paxEntry([
      ['GNU.sparse.size', '10'],
      ['GNU.sparse.numblocks', numblocks],
      ['GNU.sparse.map', map],
    ]),
    rawEntry(header, header.flag === undefined ? 'hello' : ''),
  );

const INVALID = 'archive/tar: invalid tar header';
const MAPS: readonly (readonly [why: string, tar: Uint8Array, words: string])[] = [
  ['no number', sparse1('x\n0\n5\n', 'hello'), INVALID],
  ['behind the end', sparse1('1\n0\n50\n', 'hello'), INVALID],
  ['not in order', sparse1('2\n5\n3\n0\n2\n', 'hello'), INVALID],
  ['larger than the file', sparse1('1\n0\n5\n', 'hello', 3), INVALID],
  ['without an end', sparse1('99999999999\n0\n5\n', 'hello'), 'unexpected EOF'],
  [
    'more than is stored',
    sparse1('1\n0\n5\n', 'hel'),
    'archive/tar: sparse file references non-existent data',
  ],
  [
    'less than is stored',
    sparse1('1\n0\n2\n', 'hello'),
    'archive/tar: sparse file contains unreferenced data',
  ],
  ['of a directory', rawTar(paxEntry(version1(0)), rawEntry({ name: 'd/', flag: '5' })), 'unexpected EOF'],
  [
    'of a link',
    rawTar(paxEntry(version1(0)), rawEntry({ name: 'l', flag: '2', link: 'f' })),
    'unexpected EOF',
  ],
  ['0.1, no number', sparse0('1', '0,x'), INVALID],
  ['0.1, of another count', sparse0('2', '0,5'), INVALID],
];

for (const [why, tar, words] of MAPS) {
  test(`refused: the map of a sparse file: ${why}`, async () => {
    const { code, podman } = await told(tar);
    assert.is(code, 'layer-record-invalid');
    assert.ok(podman.includes(words), podman);
  });
}

test('accepted: sparse files as GNU tar writes them', async () => {
  for (const tar of [
    sparse1('1\n0\n5\n', 'hello'),
    sparse1('2\n0\n5\n10\n0\n', 'hello'),
    sparse0('1', '0,5'),
    sparse0('0', '', { name: 'd/', flag: '5' }),
  ]) {
    const { code, podman } = await told(tar);
    assert.is(code, null);
    assert.ok(podman.startsWith('sha256:'), podman);
  }
});

const xz = testWhen(test, hasCommand('xz'), 'xz is not installed');
xz('xz without an integrity check is refused only by podman 4.3', async () => {
  const tar = rawTar(rawEntry({ name: 'f' }, 'x'));
  for (const check of ['none', 'crc32']) {
    const { stdout } = spawnSync('xz', ['-c', `--check=${check}`], { input: tar });
    const packed = await image({ layers: [{ tar }] });
    const one = { ...packed, layers: [{ ...packed.layers[0]!, ...stored(stdout) }] };
    const read = await readArchive(streamOf(await toTar(skopeoOci({ image: one, tags: ['app:1'] }))));
    const found = reportOf(read).findings.filter(({ code }) => code === 'layer-unloadable');
    const expected = check === 'none' ? [['info', 'xz-unchecked', ['podman 4.3']]] : [];
    const brief = found.map(({ severity, data }) => {
      const { what, engines } = data as { what?: string; engines?: string[] };
      return [severity, what, engines];
    });
    assert.equal(brief, expected);
  }
});

const stored = (blob: Uint8Array) => ({ blob, digest: digestOf(blob), size: blob.length });

test.run();
