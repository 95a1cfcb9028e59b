// The hash of a layer's files: the same for all tars of one tree, another for another tree.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lockReadOptions } from '../../src/commands/lock/index.js';
import { readArchive } from '../../src/commands.js';
import { treeHash } from '../../src/lock/tree-hash.js';
import { digestOf } from '../support/digest.js';
import { image } from '../support/image.js';
import { skopeoOci } from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { streamOf } from '../support/reading.js';
import { type TarEntry, type TarOptions, tarBytes } from '../support/tar.js';

async function hashOfTar(tar: Uint8Array): Promise<string | null> {
  const members = skopeoOci({ image: await image({ layers: [{ tar }] }), tags: ['app:1'] });
  const reading = await readArchive(streamOf(await toTar(members)), lockReadOptions(true));
  const { scan, graph } = reading.parts[0]!;
  return treeHash(scan, graph.images[0]!.layers[0]!.member!);
}

const hashOf = async (entries: readonly TarEntry[], options?: TarOptions) =>
  hashOfTar(await tarBytes(entries, options));

const TREE: readonly TarEntry[] = [
  { path: 'etc/' },
  { path: 'etc/a', bytes: 'one', mode: 0o600, uid: 1, gid: 2 },
  { path: 'etc/b', link: 'a' },
  { path: 'etc/c', bytes: 'three' },
  { path: 'dev/sda', type: 'block-device', device: [8, 0] },
];

const [first, second] = [TREE[1]!, TREE[3]!];
const replaced = (at: number, change: Partial<TarEntry>) =>
  TREE.map((entry, i) => (i === at ? { ...entry, ...change } : entry));

test('order, times, names of owners, ./ and formats of headers do not matter', async () => {
  const hash = await hashOf(TREE);
  assert.match(hash!, /^sha256:[0-9a-f]{64}$/);
  const same: (readonly TarEntry[])[] = [
    [...TREE].reverse(),
    TREE.map(entry => ({ ...entry, mtime: 1_700_000_000 })),
    TREE.map(entry => ({ ...entry, owner: 'someone' })),
    TREE.map(entry => ({ ...entry, path: `./${entry.path}` })),
    TREE.map(entry => ({ ...entry, pax: { comment: 'x' } })),
    replaced(1, { type: 'contiguous-file' }),
  ];
  for (const [i, entries] of same.entries()) assert.is(await hashOf(entries), hash, String(i));
  assert.is(await hashOf(TREE, { trailing: new Uint8Array(1024) }), hash);
});

test('path, type, mode, owner, content and links matter', async () => {
  const hashes = [
    await hashOf(TREE),
    await hashOf(TREE.slice(1)),
    await hashOf(replaced(1, { path: 'etc/A' })),
    await hashOf(replaced(1, { bytes: 'two' })),
    await hashOf(replaced(1, { mode: 0o4600 })),
    await hashOf(replaced(1, { uid: 0 })),
    await hashOf(replaced(1, { gid: 0 })),
    await hashOf(replaced(2, { link: 'c' })),
    await hashOf(replaced(2, { link: 'a', type: 'link' })),
    await hashOf(replaced(4, { device: [8, 1] })),
    await hashOf(replaced(4, { type: 'character-device' })),
    await hashOf(replaced(1, { pax: { 'SCHILY.xattr.security.capability': 'x' } })),
    await hashOf([...TREE, { path: 'etc/.wh.old', bytes: '' }]),
    await hashOf([...TREE, { path: 'etc/.wh..wh..opq', bytes: '' }]),
    await hashOf([...TREE, { ...first, bytes: 'later' }]),
    await hashOf([]),
  ];
  assert.is(new Set(hashes).size, hashes.length);
  assert.not.ok(hashes.includes(null));
});

// Tars of the same entries of which engines make different trees.
const throughLink: TarEntry = { path: 'l', link: 'd' };
const linked: TarEntry = { path: 'h', type: 'link', link: 'l/x' };
const early: TarEntry = { path: 'd/x', bytes: '1' };
const late: TarEntry = { path: 'd/x', bytes: '2' };
const ORDERED: readonly (readonly [what: string, one: readonly TarEntry[], other: readonly TarEntry[]])[] = [
  [
    'two names of one path',
    [{ path: 'd/' }, throughLink, early, { path: 'l/x', bytes: '3' }],
    [{ path: 'd/' }, throughLink, { path: 'l/x', bytes: '3' }, early],
  ],
  [
    'a hard link that makes its file setuid, or not',
    [
      { path: 'a', bytes: '1' },
      { path: 'b', type: 'link', link: 'a', mode: 0o4755 },
    ],
    [
      { path: 'b', bytes: '1', mode: 0o4755 },
      { path: 'a', type: 'link', link: 'b' },
    ],
  ],
  [
    'a hard link through a link, to a file that is replaced',
    [throughLink, early, linked, late],
    [throughLink, early, late, linked],
  ],
];
for (const [what, one, other] of ORDERED)
  test(`order matters: ${what}`, async () => {
    const hashes = [await hashOf(one), await hashOf(other)];
    assert.not.ok(hashes.includes(null));
    assert.is.not(hashes[0], hashes[1]);
  });

test('it is the digest of the lines that docs/lock.md describes', async () => {
  const lines = [
    ['dev/sda', 'block', '0755', '0:0', '8:0', null, {}],
    ['etc', 'directory', '0755', '0:0', null, null, {}],
    ['etc/a', 'file', '0600', '1:2', digestOf(Buffer.from('one')), null, {}],
    ['etc/b', 'symlink', '0777', '0:0', 'a', null, {}],
    ['etc/c', 'file', '0644', '0:0', digestOf(Buffer.from('three')), null, {}],
  ];
  const text = lines.map(line => `${JSON.stringify(line)}\n`).join('');
  assert.is(await hashOf(TREE), digestOf(Buffer.from(text)));
});

test('which of several names has the content does not matter, and how many there are does', async () => {
  const own = { mode: 0o600, uid: 1, gid: 2 };
  const link = (path: string, to: string): TarEntry => ({ ...own, path, type: 'link', link: to });
  const pair = await hashOf([first, link('etc/z', 'etc/a')]);
  assert.is(await hashOf([{ ...first, path: 'etc/z' }, link('etc/a', './etc/z')]), pair);
  assert.is.not(await hashOf([first, { ...first, path: 'etc/z' }]), pair);
  const three = [first, link('etc/y', 'etc/a'), link('etc/z', 'etc/y')];
  const other = [first, link('etc/y', 'etc/a'), link('etc/z', 'etc/a')];
  assert.is(await hashOf(three), await hashOf(other));
  // A link to a lower layer.
  assert.is.not(await hashOf([link('x', 'bin/sh')]), await hashOf([link('x', 'bin/bash')]));
});

test('modes, owners and content of whiteouts do not matter', async () => {
  const whiteout = { path: 'etc/.wh.old', bytes: '' };
  assert.is(
    await hashOf([...TREE, whiteout]),
    await hashOf([...TREE, { ...whiteout, mode: 0o600, uid: 5, bytes: 'x' }]),
  );
});

test('a layer that is damaged, and one whose files were not read, has none', async () => {
  const tar = await tarBytes([first, second]);
  assert.is(await hashOfTar(tar.subarray(0, 514)), null);
  const members = skopeoOci({ image: await image({ layers: [{ tar }] }), tags: ['app:1'] });
  const archive = await toTar(members);
  const few = { ...lockReadOptions(true), limits: { layerEntries: 1 } };
  for (const options of [{}, { depth: 'files' }, few] as const) {
    const reading = await readArchive(streamOf(archive), options);
    const { scan, graph } = reading.parts[0]!;
    assert.is(treeHash(scan, graph.images[0]!.layers[0]!.member!), null, JSON.stringify(options));
  }
});

test.run();
