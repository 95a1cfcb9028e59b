// The file system that layers result in, by the rules of layer.md, and the oddities of layers that break the rules.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type FileTree, type Oddity, squash, type TreeNode } from '../../src/filesystem/file-tree.js';
import { tarFacts } from '../support/layer-facts.js';
import { type TarEntry, tarBytes } from '../support/tar.js';
import { gnuLong, paxEntry, rawEntry, rawTar } from '../support/tar-blocks.js';

const dir = (path: string, more: Partial<TarEntry> = {}): TarEntry => ({ path: `${path}/`, ...more });
const file = (path: string, bytes = path, more: Partial<TarEntry> = {}): TarEntry => ({
  path,
  bytes,
  ...more,
});
const link = (path: string, to: string): TarEntry => ({ path, link: to, type: 'symlink' });
const hard = (path: string, to: string): TarEntry => ({ path, link: to, type: 'link' });
const gone = (path: string): TarEntry => ({ path });

type Layers = readonly (readonly TarEntry[])[];

const tables = (layers: Layers) =>
  Promise.all(layers.map(async entries => tarFacts(await tarBytes(entries)).table));

const treeOf = async (...layers: Layers): Promise<FileTree> => squash(await tables(layers));

/** `path`, with a slash for a directory, `-> target` for links, `= first` for further names, and the layer from 1. */
function line({ path, type, entry, linkedTo, layer }: TreeNode): string {
  const slash = type === 'directory' ? '/' : '';
  const target = linkedTo !== null ? ` = ${linkedTo}` : entry.target === null ? '' : ` -> ${entry.target}`;
  return `${path}${slash}${target} ${layer + 1}`;
}

const lines = ({ nodes }: FileTree) => nodes.map(line);
const odd = ({ oddities }: FileTree) =>
  oddities.map(
    ({ kind, places }: Oddity) =>
      `${kind} ${places.map(({ layer, path }) => `${layer + 1}:${path}`).join(' ')}`,
  );

/** Asserts the tree and the oddities that layers result in. */
function makes(
  what: string,
  layers: Layers,
  expected: readonly string[],
  oddities: readonly string[] = [],
): void {
  test(what, async () => {
    const tree = await treeOf(...layers);
    assert.equal(lines(tree), expected);
    assert.equal(odd(tree), oddities);
    for (const node of tree.nodes) assert.is(tree.get(node.path), node);
    for (const pass of ['first', 'second'])
      assert.equal(
        [tree.passing.length, ...Array.from(tree.passing, line)],
        [expected.length, ...expected],
        pass,
      );
  });
}

test('a node of a pass is not kept', async () => {
  const { nodes, passing } = await treeOf([file('a')]);
  const [first] = passing;
  const [second] = passing;
  assert.is(first!.path, 'a');
  assert.is.not(first, second);
  assert.is.not(first, nodes[0]);
});

makes(
  'one layer, a directory followed by all in it',
  [[file('b'), dir('a-b'), dir('a'), file('a/x'), file('a.b')]],
  ['a/ 1', 'a/x 1', 'a-b/ 1', 'a.b 1', 'b 1'],
);
makes('the last layer counts', [[file('a', '1')], [file('a', '22')]], ['a 2']);
makes(
  'a whiteout hides a file, and a directory with all in it',
  [
    [file('a'), dir('d'), file('d/x'), dir('d/e'), file('d/e/y')],
    [gone('.wh.a'), gone('.wh.d')],
  ],
  [],
);
makes(
  'a whiteout hides lower layers only, wherever it stands',
  [
    [dir('d'), file('d/old')],
    [dir('d'), file('d/new'), gone('.wh.d')],
  ],
  ['d/ 2', 'd/new 2'],
);
makes(
  'an opaque directory hides lower entries, even if its marker comes last',
  [
    [dir('d'), file('d/old'), dir('d/e'), file('d/e/x')],
    [dir('d'), dir('d/e'), file('d/e/y'), gone('d/.wh..wh..opq')],
  ],
  ['d/ 2', 'd/e/ 2', 'd/e/y 2'],
);
makes(
  'an opaque marker without its directory leaves the directory as it was',
  [[dir('d', { mode: 0o700 }), file('d/old')], [gone('d/.wh..wh..opq')]],
  ['d/ 1'],
);
makes(
  'an opaque root',
  [
    [file('a'), dir('b')],
    [gone('.wh..wh..opq'), file('c')],
  ],
  ['c 2'],
);
makes(
  'AUFS metadata that is a file stays one, as overlay and umoci create it',
  [
    [
      gone('.wh..wh.aufs'),
      dir('.wh..wh.plnk'),
      file('.wh..wh.plnk/12.34', 'xyz'),
      hard('a', '.wh..wh.plnk/12.34'),
      hard('b', 'a'),
    ],
  ],
  ['.wh..wh.plnk/ 1', '.wh..wh.plnk/12.34 1', 'a = .wh..wh.plnk/12.34 1', 'b = .wh..wh.plnk/12.34 1'],
);
makes(
  'a directory over a directory keeps its contents',
  [[dir('d'), file('d/x')], [dir('d', { mode: 0o700 })]],
  ['d/ 2', 'd/x 1'],
);
makes('a file over a directory removes its contents', [[dir('d'), file('d/x')], [file('d')]], ['d 2']);
makes(
  'a directory over a file and a link',
  [
    [file('f'), link('l', 'f')],
    [dir('f'), dir('l')],
  ],
  ['f/ 2', 'l/ 2'],
);
makes('a link over a directory', [[dir('d'), file('d/x')], [link('d', 'e')]], ['d -> e 2']);
makes(
  'names with ./, / and ..',
  [[file('./a'), file('/b'), file('c//d'), file('../e'), file('f/../g'), file('/../../h')]],
  ['a 1', 'b 1', 'c/ 1', 'c/d 1', 'e 1', 'g 1', 'h 1'],
);
makes('the root itself has attributes and no name', [[dir('.', { mode: 0o711 }), file('a')]], ['a 1']);
makes('directories that no entry names are created', [[file('a/b/c')]], ['a/ 1', 'a/b/ 1', 'a/b/c 1']);
makes(
  'a directory that was made gets its entry later',
  [[file('a/b'), dir('a', { mode: 0o700 })]],
  ['a/ 1', 'a/b 1'],
);
makes(
  'files below a link lie where it leads',
  [
    [dir('usr'), dir('usr/lib'), link('lib', 'usr/lib')],
    [file('lib/x'), file('lib/sub/y')],
  ],
  ['lib -> usr/lib 1', 'usr/ 1', 'usr/lib/ 1', 'usr/lib/sub/ 2', 'usr/lib/sub/y 2', 'usr/lib/x 2'],
);
makes(
  'a link to nothing leads to a directory that is made',
  [[link('l', '/n/m')], [file('l/x')]],
  ['l -> /n/m 1', 'n/ 2', 'n/m/ 2', 'n/m/x 2'],
);
makes(
  'a whiteout below a link is about where it leads',
  [[dir('d'), file('d/x'), link('l', 'd')], [gone('l/.wh.x')]],
  ['d/ 1', 'l -> d 1'],
);
makes(
  'but not where the layer has a directory in its place',
  [
    [dir('usr'), file('usr/x'), link('lib', 'usr')],
    [dir('lib'), gone('lib/.wh..wh..opq'), file('lib/y')],
  ],
  ['lib/ 2', 'lib/y 2', 'usr/ 1', 'usr/x 1'],
);
makes(
  'a deleted link is not followed',
  [
    [dir('d'), link('l', 'd')],
    [gone('.wh.l'), file('l/x')],
  ],
  ['d/ 1', 'l/ 2', 'l/x 2'],
);

makes(
  'hard links are one file',
  [[file('b', 'xyz'), hard('a', 'b'), hard('c', './a')]],
  ['a = b 1', 'b 1', 'c = b 1'],
);
makes(
  'a hard link keeps the file when its first name goes',
  [[file('a', 'xyz'), hard('b', 'a'), hard('c', 'a')], [gone('.wh.a')]],
  ['b 1', 'c = b 1'],
);
makes(
  'a name that is overwritten leaves the others as they are',
  [[file('a', 'xyz'), hard('b', 'a')], [file('a', 'other')]],
  ['a 2', 'b 1'],
);
makes('a hard link to a lower layer', [[file('a', 'xyz')], [hard('b', '/a')]], ['a 1', 'b = a 2']);
makes(
  'a hard link to a symbolic link is that link',
  [[link('l', 'nowhere'), hard('m', 'l')]],
  ['l -> nowhere 1', 'm = l 1'],
);
makes('a hard link to itself changes nothing', [[file('a', 'xyz')], [hard('a', 'a')]], ['a 2']);

makes(
  'a hard link to nothing',
  [[hard('a', 'nowhere'), dir('d'), hard('b', 'd')]],
  ['a -> nowhere 1', 'b -> d 1', 'd/ 1'],
  ['hard-link-to-nothing 1:a 1:b'],
);
makes(
  'a whiteout of nothing',
  [[file('a')], [gone('.wh.b'), gone('d/.wh.x')]],
  ['a 1'],
  ['whiteout-of-nothing 2:.wh.b 2:d/.wh.x'],
);
makes(
  'a whiteout that names nothing',
  [
    [dir('d'), file('d/x')],
    [gone('.wh.'), gone('d/.wh...'), gone('d/.wh..')],
  ],
  ['d/ 1', 'd/x 1'],
  ['whiteout-invalid 2:.wh. 2:d/.wh... 2:d/.wh..'],
);
makes(
  'a whiteout without a name empties its directory',
  [
    [dir('d'), file('d/x')],
    [gone('d/.wh.'), file('d/y')],
  ],
  ['d/ 1', 'd/y 2'],
  ['whiteout-of-directory 2:d/.wh.'],
);
makes(
  'two entries of one name: the last counts',
  [[file('a', '1'), file('a', '22'), dir('d'), file('./d')]],
  ['a 1', 'd 1'],
  ['duplicate-name 1:a 1:d'],
);
makes(
  'an entry that is not a directory is replaced if another lies below it',
  [[file('a')], [file('a/x')]],
  ['a/ 2', 'a/x 2'],
  ['parent-replaced 2:a'],
);
makes(
  'links in a circle give way too',
  [[link('a', 'b'), link('b', 'a')], [file('a/x')]],
  ['a/ 2', 'a/x 2', 'b -> a 1'],
  ['parent-replaced 2:a'],
);
makes('the root is always a directory', [[file('a'), file('.', 'x')]], ['a 1'], ['root-replaced 1:']);
makes(
  'links that climb above the root',
  [[link('a', '../x'), link('d/b', '../../x'), link('d/c', '../x'), link('e', '/../x')]],
  ['a -> ../x 1', 'd/ 1', 'd/b -> ../../x 1', 'd/c -> ../x 1', 'e -> /../x 1'],
  ['link-leaves-root 1:a 1:d/b 1:e'],
);
makes(
  'only the last segment makes a whiteout: above it, the name is that of a directory',
  [[file('a'), file('.wh.a/x'), gone('.wh.a/.wh.x')]],
  ['.wh.a/ 1', '.wh.a/x 1', 'a 1'],
  ['whiteout-of-nothing 1:.wh.a/.wh.x'],
);

test('a directory has the attributes of its last entry', async () => {
  const tree = await treeOf(
    [dir('d', { mode: 0o700, uid: 1, mtime: 5 })],
    [dir('d', { mode: 0o1777, uid: 2, mtime: 9 })],
  );
  const { mode, uid, mtime } = tree.get('d')!.entry;
  assert.equal({ mode, uid, mtime }, { mode: 0o1777, uid: 2, mtime: 9 });
});

test('a hard link has the attributes and the inode of its file', async () => {
  const tree = await treeOf([file('a', 'xyz', { mode: 0o600, uid: 7 })], [hard('b', 'a')]);
  const { entry, inode, type, layer } = tree.get('b')!;
  assert.equal([type, entry.size, entry.mode, entry.uid, layer], ['hardlink', 3, 0o600, 7, 1]);
  assert.equal([inode.layer, inode.index, inode.links], [0, 0, 2]);
  assert.is(tree.get('a')!.inode, inode);
});

test('names that are not UTF-8 are distinguished', () => {
  const tar = rawTar(
    rawEntry({ name: 'a\xff' }),
    rawEntry({ name: 'a\xfe' }),
    rawEntry({ name: 'a\xc3\xbf' }),
  );
  const tree = squash([tarFacts(tar).table]);
  assert.equal(
    tree.nodes.map(({ path }) => path),
    ['a\xc3\xbf', 'a\xfe', 'a\xff'],
  );
});

test('names of 4096 bytes, as one segment and as many', () => {
  const one = 'n'.repeat(4096);
  const many = `${'d/'.repeat(2047)}ee`;
  const tar = rawTar(
    gnuLong('L', one),
    rawEntry({ name: 'x' }),
    paxEntry([['path', many]]),
    rawEntry({ name: 'y' }),
  );
  const tree = squash([tarFacts(tar).table]);
  assert.is(tree.get(one)!.type, 'file');
  assert.is(tree.get(many)!.type, 'file');
  assert.is(tree.nodes.length, 2 + 2047);
});

test('the directories that a name of a megabyte implies are capped', () => {
  const names = Array.from({ length: 40 }, (_, i) => `${i}/${'d/'.repeat(500_000)}x`);
  const tar = rawTar(
    ...names.flatMap(name => [paxEntry([['path', name]]), rawEntry({ name: 'x' })]),
    rawEntry({ name: 'last' }),
  );
  const tree = squash([tarFacts(tar, { limits: { pathBytes: 2 ** 20 } }).table]);
  assert.ok(tree.nodes.length < 20_000, String(tree.nodes.length));
  assert.equal(
    tree.oddities.map(({ kind, count }) => [kind, count]),
    [['too-many-directories', 40]],
  );
  assert.ok(tree.get('last'));
});

test('a layer whose entries are not known, and one that a limit cuts', async () => {
  const tar = await tarBytes([file('a'), file('b'), file('c')]);
  const cut = tarFacts(tar, { limits: { layerEntries: 2 } }).table;
  const tree = squash([null, cut]);
  assert.equal(tree.incomplete, [0, 1]);
  assert.equal(lines(tree), ['a 2', 'b 2']);
});

test('a tar that ends early: the entries before the end are in the tree', async () => {
  const tar = await tarBytes([file('a'), file('b', 'x'.repeat(2000)), file('c')]);
  const facts = tarFacts(tar.slice(0, 2000));
  assert.ok(facts.error);
  assert.equal(lines(squash([facts.table])), ['a 1', 'b 1']);
});

const FOLLOWED: Layers = [
  [
    dir('etc'),
    file('etc/os-release', 'x'),
    dir('usr'),
    dir('usr/lib'),
    link('lib', 'usr/lib'),
    link('usr/lib/release', '/../../etc/os-release'),
    link('loop', 'pool'),
    link('pool', './loop'),
    link('up', '../../../etc'),
    link('dangling', '/no/where'),
  ],
];

for (const [path, expected] of [
  ['etc/os-release', 'etc/os-release'],
  ['/lib/release', 'etc/os-release'],
  ['lib/../lib/release', 'etc/os-release'],
  ['lib/../etc/os-release', 'missing'],
  ['up/os-release', 'etc/os-release'],
  ['../../etc/./os-release', 'etc/os-release'],
  ['loop', 'loop'],
  ['dangling', 'missing'],
  ['etc/os-release/x', 'not-a-directory'],
  ['etc/nothing', 'missing'],
  ['/', ''],
] as const) {
  test(`following ${path}`, async () => {
    const tree = await treeOf(...FOLLOWED);
    const found = tree.follow(path);
    assert.is(found.node === null ? found.reason : found.node.path, expected);
  });
}

test('an image without layers', () => {
  const tree = squash([]);
  assert.equal([tree.nodes.length, tree.root.type, tree.root.entry.mode], [0, 'directory', 0o755]);
});

test.run();
