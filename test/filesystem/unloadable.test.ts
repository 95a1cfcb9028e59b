// Layers that engines refuse to unpack one upon the other: recorded from podman 5.8.6 with vfs and overlay, and umoci
// 0.6.0 and 0.4.7. The same from a file and a pipe, and at both depths.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Depth, readArchive } from '../../src/commands.js';
import { type Unloadable, unloadables } from '../../src/filesystem/unloadable.js';
import { image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved, streamOf } from '../support/reading.js';
import { gnuLong, paxEntry, type RawHeader, rawEntry, rawTar } from '../support/tar-blocks.js';

const file = (name: string) => rawEntry({ name }, 'x');
const dir = (name: string) => rawEntry({ name, flag: '5' });
const hard = (name: string, link: string) => rawEntry({ name, flag: '1', link });
const soft = (name: string, link: string) => rawEntry({ name, flag: '2', link });
const typed = (name: string, flag: string, more: Partial<RawHeader> = {}) =>
  rawEntry({ name, flag, ...more });

type Entries = readonly Uint8Array[];

async function toldOf(tar: Uint8Array, depth: Depth, asPipe: boolean): Promise<Unloadable[]> {
  const input = asPipe ? streamOf(tar) : saved(tar);
  const { parts } = await readArchive(input, { depth });
  const { scan, graph } = parts[0]!;
  return [...unloadables(scan, graph.images[0]!)];
}

/** @param expected  `LAYER what path other (engines)`, the layer from 1 */
function tells(what: string, layers: readonly Entries[], expected: readonly string[]): void {
  test(what, async () => {
    const made = await image({ layers: layers.map(entries => ({ tar: rawTar(...entries) })) });
    const tar = await toTar(layouts.dockerSave({ image: made, tags: ['app:1'] }));
    for (const depth of ['digests', 'files'] as const)
      for (const asPipe of [false, true]) {
        const told = await toldOf(tar, depth, asPipe);
        const lines = told.map(
          one => `${one.layer + 1} ${one.what} ${one.path} ${one.other} (${one.engines.join(', ')})`,
        );
        assert.equal(lines, expected, `${depth}, ${asPipe ? 'a pipe' : 'a file'}`);
      }
  });
}

const ALL = '(podman, docker-classic, docker-containerd, umoci)';
const VFS = '(podman (vfs), docker-classic (vfs))';
const APART = '(podman (overlay), docker-classic (overlay2), docker-containerd)';

// Hard links.
tells('to nothing', [[hard('a', 'b')]], [`1 hard-link-to-nothing a b ${ALL}`]);
tells('to a later entry', [[hard('a', 'b'), file('b')]], [`1 hard-link-ahead a b ${ALL}`]);
tells('to itself', [[file('a')], [hard('./a', '/a')]], [`2 hard-link-to-itself a a ${ALL}`]);
tells('to a directory', [[dir('d/'), hard('a', 'd')]], [`1 hard-link-to-directory a d ${ALL}`]);
tells('to a lower directory', [[dir('d/')], [hard('a', 'd')]], [`2 hard-link-to-directory a d ${ALL}`]);
tells('to the root', [[hard('a', '/')]], [`1 hard-link-to-directory a  ${ALL}`]);
tells('below a file', [[file('f'), hard('a', 'f/x')]], [`1 hard-link-to-nothing a f/x ${ALL}`]);
tells(
  'to a lower file',
  [[file('a')], [hard('b', 'a')]],
  ['2 hard-link-to-lower b a (podman (overlay), docker-classic (overlay2))'],
);
tells(
  'to a lower file that the layer hides',
  [[file('a')], [file('.wh.a'), hard('b', 'a')]],
  [`2 hard-link-to-nothing b a ${ALL}`],
);
tells(
  'to a directory that only later entries imply',
  [[hard('a', 'c/a'), file('c/a/b')]],
  [`1 hard-link-to-nothing a c/a ${ALL}`],
);
tells(
  'to a lower file in a directory that the layer hides',
  [[file('d/a')], [hard('b', 'd/a'), file('.wh.d')]],
  [`2 hard-link-to-nothing b d/a ${ALL}`],
);
tells(
  'that engines take',
  [[dir('r/'), file('r/x'), soft('s', 'r'), hard('a', 's/x'), hard('d/b', '../r/x'), hard('l', 's')]],
  [],
);
tells(
  'by two names of one directory',
  [
    [dir('usr/lib/'), soft('lib', 'usr/lib')],
    [file('lib/x'), hard('y', 'usr/lib/x')],
  ],
  ['2 lower-as-directory lib lib/x ()'],
);

tells(
  'to a file below the path that it replaces',
  [[file('c/a')], [hard('c', 'c/a')]],
  [`2 hard-link-to-nothing c c/a ${ALL}`],
);

// Directories.
tells(
  'a file',
  [[file('a'), file('a/b')]],
  ['1 file-as-directory a a/b (podman, docker-classic, docker-containerd)'],
);
tells('a lower file', [[file('a/b')], [file('a/b/c/d')]], [`2 file-as-directory a/b a/b/c/d ${VFS}`]);
tells('a lower file that gives way', [[file('a')], [dir('a/'), file('a/b')]], []);
tells(
  'a link to a file',
  [[file('r'), soft('a', 'r'), file('a/x')]],
  ['1 file-as-directory r a/x (podman, docker-classic, docker-containerd)'],
);
tells(
  'a link to nothing',
  [[soft('a', 'zz'), file('a/b')]],
  ['1 dangling-directory a zz (podman, docker-classic)'],
);
tells('a lower link to nothing', [[soft('a', 'zz')], [file('a/b')]], [`2 dangling-directory a a/b ${VFS}`]);
tells('links in a circle', [[soft('a', 'b'), soft('b', 'a'), file('a/x')]], [`1 link-loop a a/x ${ALL}`]);
tells(
  'links that lead up and back',
  [[dir('r/'), soft('q/a', '/r'), soft('b', '../../r'), file('q/a/x'), file('b/y')]],
  [],
);
tells(
  'a lower link to a directory',
  [[dir('usr/lib/'), soft('lib', 'usr/lib')], [file('lib/x/y')]],
  ['2 lower-as-directory lib lib/x/y ()'],
);
tells(
  'a lower link to a directory that gives way',
  [
    [dir('usr/lib/'), soft('lib', 'usr/lib')],
    [dir('lib/'), file('lib/x/y')],
  ],
  [],
);
tells(
  'a lower link to a directory, above a whiteout',
  [[file('usr/lib/x'), soft('lib', 'usr/lib')], [file('lib/.wh.x')]],
  ['2 lower-as-directory lib lib/.wh.x ()'],
);
tells(
  'a link to a lower directory',
  [[dir('r/')], [soft('a', 'r'), file('a/x')]],
  ['2 link-to-lower a r (podman (overlay), docker-classic (overlay2), docker-containerd)'],
);
tells(
  'one that gives way again',
  [[dir('a/b/'), file('a')]],
  ['1 directory-replaced a  (podman, docker-classic)'],
);

const many = Array.from({ length: 4000 }, (_, i) =>
  file(`app/runfiles/some_workspace/external/python_deps/pkg${i}/f.py`),
);
tells(
  'thousands of directories that no entry names, above many layers',
  [...Array.from({ length: 40 }, (_, i) => [file(`base${i}`)]), many],
  [],
);

// The root, types, names.
for (const name of ['./', '.', ''])
  tells(
    `root as ${JSON.stringify(name)}`,
    [[soft(name, '/etc')]],
    [`1 root-replaced ${name === '' ? '' : '.'}  (podman (vfs), docker-classic (vfs), umoci)`],
  );
tells('root as "/"', [[soft('/', '/etc')]], ['1 root-replaced /  (podman, docker-classic, umoci)']);
tells('root as a directory', [[dir('./')]], []);
for (const flag of ['7', 'S', 'V', 'Z', '8', 'X'])
  tells(`type ${flag}`, [[typed('a', flag, { format: 'gnu' })]], [`1 unknown-type a ${flag} ${ALL}`]);
tells('types that are known', [[typed('a', ''), typed('p', '6'), typed('c', '3', { device: [1, 3] })]], []);
tells('an unknown type that is a whiteout', [[typed('.wh.a', '7')]], []);
tells('a global PAX header', [[paxEntry([['comment', 'x']], 'g'), file('a')]], ['1 global-header   (umoci)']);
tells(
  'a name that is too long',
  [[gnuLong('L', 'n'.repeat(256)), typed('x', '0', { format: 'gnu' })]],
  [`1 name-too-long ${'n'.repeat(200)}…  ${ALL}`],
);
tells('a link without a target', [[soft('a', '')]], [`1 link-without-target a  ${ALL}`]);
tells('names that lead out of the root', [[file('../../b'), file('/c'), hard('d', '../../../b')]], []);

// Whiteouts.
tells(
  'of the root',
  [[file('.wh.')]],
  ['1 whiteout-of-root .wh.  (podman, docker-classic, docker-containerd)'],
);
tells(
  'without a name',
  [[dir('etc/'), file('etc/k')], [file('etc/.wh.')]],
  [`2 whiteout-without-name etc/.wh.  ${APART}`],
);
tells('of dots', [[file('a/b/c')], [file('a/b/.wh..')]], [`2 whiteout-of-dots a/b/.wh..  ${APART}`]);
tells(
  'of dots that are the root',
  [[file('a/b')], [file('a/.wh...')]],
  ['2 whiteout-of-root a/.wh...  (podman, docker-classic, docker-containerd)'],
);
tells('after a file of its name', [[file('a'), file('.wh.a')]], [`1 whiteout-of-own .wh.a a ${APART}`]);
tells('before a file of its name', [[file('a')], [file('.wh.a'), file('a')]], []);
tells(
  'before a directory of its name',
  [[file('d/k')], [file('.wh.d'), dir('d/')]],
  ['2 whiteout-and-directory .wh.d d ()'],
);
tells(
  'before a file below its name',
  [[], [file('.wh.d'), file('d/a')]],
  [`2 below-whiteout .wh.d d ${APART}`],
);
tells(
  'before whiteouts below its name, as some tools write them',
  [[file('d/a')], [file('.wh.d'), file('d/.wh.a')]],
  [],
);
tells(
  'after whiteouts below its name',
  [[file('d/a')], [file('d/.wh.a'), file('.wh.d')]],
  [`2 whiteout-after-below .wh.d d ${APART}`],
);
tells(
  'after an opaque whiteout in its name',
  [[file('d/a')], [file('d/.wh..wh..opq'), file('.wh.d')]],
  [`2 whiteout-after-below .wh.d d ${APART}`],
);
tells('below a lower file', [[file('a')], [file('a/.wh.b')]], [`2 whiteout-below-file a a/.wh.b ${VFS}`]);
tells('opaque, first', [[file('d/a')], [dir('d/'), file('d/.wh..wh..opq'), file('d/x/y')]], []);
tells(
  'opaque, after an entry in a directory that no entry names',
  [[], [file('d/x/y'), file('d/.wh..wh..opq')]],
  ['2 opaque-after-own d/.wh..wh..opq d ()'],
);
tells(
  'opaque, below a lower file',
  [[file('a')], [file('a/.wh..wh..opq')]],
  ['2 lower-as-directory a a/.wh..wh..opq ()'],
);
tells(
  'opaque, below a lower link',
  [[dir('d/'), soft('a', 'd')], [file('a/.wh..wh..opq')]],
  ['2 lower-as-directory a a/.wh..wh..opq ()'],
);
tells('opaque, below a lower file that gives way', [[file('a')], [file('a/.wh..wh..opq'), dir('a/')]], []);
tells('opaque, of the root of the base', [[file('./.wh..wh..opq')]], []);
tells('opaque, of the root', [[file('a')], [file('./.wh..wh..opq')]], ['2 opaque-root .wh..wh..opq  ()']);
tells(
  'of AUFS, and a link to its metadata',
  [[file('.wh..wh.plnk/q'), hard('a', '.wh..wh.plnk/q')]],
  ['1 aufs-metadata .wh..wh.plnk .wh..wh.plnk/q ()'],
);
for (const name of ['.wh.s', '.wh..wh..opq'])
  tells(
    `below a link of the layer: ${name}`,
    [[file('d/s')], [dir('d/'), soft('l', 'd'), file(`l/${name}`)]],
    [`2 whiteout-through-link l/${name} l ()`],
  );
tells(
  'opaque, in a directory behind a link of the layer',
  [[file('d/e/s')], [dir('d/'), dir('d/e/'), soft('l', 'd'), file('l/e/.wh..wh..opq')]],
  ['2 whiteout-through-link l/e/.wh..wh..opq l/e ()'],
);
tells(
  'as the name of a directory',
  [[file('a/.wh.b/c')], [file('.wh.d/.wh.e')]],
  ['1 whiteout-as-directory a/.wh.b a/.wh.b/c ()', '2 whiteout-as-directory .wh.d .wh.d/.wh.e ()'],
);

// What overlay takes for its own.
const marked = (name: string, attribute: string, value = 'y') =>
  Buffer.concat([paxEntry([[`SCHILY.xattr.${attribute}`, value]]), dir(name)]);
for (const device of [
  [0, 0],
  [4096, 1048576],
] as const)
  tells(
    `the device ${device.join(':')}`,
    [[file('a')], [typed('a', '3', { device })]],
    ['2 overlay-whiteout a  ()'],
  );
tells('a device of no name', [[typed('.wh.a', '3', { device: [0, 0] })]], []);
tells(
  'devices with numbers',
  [[typed('a', '3', { device: [0, 1] }), typed('b', '4', { device: [0, 0] })]],
  [],
);
for (const [name, value] of [
  ['trusted.overlay.opaque', 'y'],
  ['user.overlay.redirect', '/etc'],
  ['trusted.overlay.metacopy', ''],
  ['user.fuseoverlayfs.opaque', 'y'],
] as const)
  tells(`the attribute ${name}`, [[marked('d/', name, value)]], [`1 overlay-attribute d ${name} ()`]);
tells(
  'attributes that overlay keeps for itself',
  [[marked('d/', 'trusted.overlay.impure'), marked('e/', 'user.overlay.origin')]],
  [],
);

test('an absent layer may have any name', async () => {
  const made = await image({ layers: [{ files: { a: 'x' } }, { tar: rawTar(hard('b', 'a'), file('c/d')) }] });
  const members = layouts.skopeoOci({ image: made, tags: ['app:1'] });
  const path = layouts.blobPath(made.layers[0]!.digest);
  const told = await toldOf(await toTar(layouts.without(members, path)), 'digests', false);
  assert.equal(told, []);
});

test.run();
