// File systems on disk: what umoci unpacks, what waybill extracts and what it lists must be the same.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { extractFiles } from '../../src/commands/extract/files.js';
import { extractLayers } from '../../src/commands/extract/layers.js';
import { readArchive } from '../../src/commands.js';
import { type FileTree, squash } from '../../src/filesystem/file-tree.js';
import { tablesOf } from '../../src/filesystem/layer-tables.js';
import { hasCommand } from '../support/compression.js';
import { corpus, testWhen } from '../support/corpus.js';
import { type Found, walked } from '../support/file-system.js';
import { assemble, type Image, image, type Layer, type LayerSpec, layerOf } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { manifestOf } from '../support/oci.js';
import { toDirectory, toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const isRoot = process.getuid?.() === 0;
const run = testWhen(
  test,
  hasCommand('umoci') && isRoot,
  'umoci is not installed, or this is not root, who alone may make devices',
);

/** An OCI layout of an image, for umoci. */
function layout(of: Image): string {
  const manifest = manifestOf(of, { annotations: { 'org.opencontainers.image.ref.name': 'latest' } });
  return toDirectory(
    layouts.ociLayout({
      manifests: [
        layouts.described(manifest, { annotations: { 'org.opencontainers.image.ref.name': 'latest' } }),
      ],
    }),
    temporary('umoci'),
  );
}

function unpackedByUmoci(of: Image): Map<string, Found> {
  const root = join(temporary('umoci-root'), 'root');
  const args = ['raw', 'unpack', '--image', `${layout(of)}:latest`, root];
  const { status, stderr, stdout } = spawnSync('umoci', args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  assert.is(status, 0, `${stdout}${stderr}`);
  return walked(root);
}

/** Our tree, in the same form. */
function said({ nodes }: FileTree): Map<string, Found> {
  const firsts = new Map<unknown, string>();
  for (const { inode, path } of nodes) {
    const known = firsts.get(inode);
    if (known === undefined || path < known) firsts.set(inode, path);
  }
  return new Map(
    nodes.map(({ path, entry, inode }) => [
      path,
      {
        type: inode.type as Found['type'],
        mode: inode.type === 'symlink' ? 0o777 : entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        size: entry.size,
        mtime: entry.mtime,
        target: inode.type === 'symlink' ? entry.target : null,
        device: entry.device === null ? null : `${entry.device.major},${entry.device.minor}`,
        first: firsts.get(inode)!,
      },
    ]),
  );
}

/**
 * For a directory that no entry names only its existence is compared. umoci does not restore the time of one that a
 * later layer changed through a link.
 */
function same(actual: Map<string, Found>, expected: Map<string, Found>, tree: FileTree, what: string): void {
  const certain = (found: Map<string, Found>) =>
    [...found]
      .map(([path, file]) => {
        if (tree.get(path)?.inode.index === -1) return { path, type: file.type };
        const isNow = file.type === 'directory' && (expected.get(path)?.mtime ?? 0) >= BEGUN;
        return { path, ...file, mtime: isNow ? 'now' : file.mtime };
      })
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  assert.equal(certain(actual), certain(expected), what);
}

const BEGUN = Math.floor(Date.now() / 1000);

async function compare(of: Image): Promise<void> {
  const file = saved(await toTar(layouts.dockerSave({ image: of, tags: ['app:1'] })), 'umoci.tar');
  const { parts } = await readArchive(file, { depth: 'files' });
  const tree = squash(tablesOf(parts[0]!.scan, parts[0]!.graph.images[0]!));
  const umoci = unpackedByUmoci(of);
  same(said(tree), umoci, tree, 'said');
  const directory = join(temporary('umoci-extract'), 'root');
  const answer = await extractFiles(file, directory, { owner: true, devices: true });
  assert.equal(
    answer.notes.filter(note => !/extended attributes/.test(note)),
    [],
  );
  same(walked(directory), umoci, tree, 'extracted');
}

/** The layers of a real image, with a config that matches them. */
function rebuilt(folder: string): Image {
  const names = readdirSync(folder).sort();
  const layers: Layer[] = names.map(name => layerOf(readFileSync(join(folder, name))));
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  };
  return assemble(Buffer.from(JSON.stringify(config)), layers);
}

const seen = new Set<string>();
let compared = 0;
for (const { id, file, truth } of corpus()) {
  const images = Object.values(truth.views)
    .flat()
    .filter(({ squash, layers = [] }) => squash != null && layers.length > 0);
  for (const [i, { image_id }] of images.entries()) {
    const layers = images[i]!.layers!.map(({ diff_id }) => diff_id).join();
    if (image_id == null || seen.has(layers)) continue;
    seen.add(layers);
    run(`${id} ${i}: as umoci unpacks it`, async () => {
      const folder = join(temporary('umoci-layers'), 'layers');
      // Layers that do not match the claims of a trimmed archive are left out, because umoci would refuse them.
      const answer = await extractLayers(file, { ref: image_id }, folder).catch(() => null);
      if (answer === null || answer.exitCode !== 0) return;
      await compare(rebuilt(folder));
      compared++;
    });
  }
}

if (seen.size > 0)
  run('nearly all real images were compared', () =>
    assert.ok(compared > 0.7 * seen.size, `${compared} of ${seen.size}`),
  );

const FILE = { mtime: 1_600_000_000 } as const;
const LAYERS: Readonly<Record<string, readonly LayerSpec[]>> = {
  'whiteouts of a file, a directory and a link': [
    { files: { 'a/one': 'x', 'a/two': 'y', 'b/c/d': 'z', l: { type: 'symlink', link: 'a' } } },
    { files: { 'a/.wh.one': '', '.wh.b': '', '.wh.l': '' } },
  ],
  'a whiteout and the same name again': [
    { files: { 'a/one': 'x', 'a/deep/er': 'x' } },
    { files: { 'a/deep/new': 'y', 'a/.wh.deep': '' } },
    { files: { '.wh.a': '', 'a/one': 'z' } },
  ],
  'an opaque directory, its marker last': [
    { files: { 'a/one': 'x', 'a/sub/two': 'y', 'b/kept': 'k' } },
    { files: { 'a/new': 'n', 'a/sub/three': 't', 'a/.wh..wh..opq': '' } },
  ],
  'an opaque directory in place of a link to another': [
    { files: { 'usr/lib/x': 'x', lib: { type: 'symlink', link: 'usr/lib' } } },
    { files: { 'lib/new': 'n', 'lib/.wh..wh..opq': '' } },
  ],
  'files below a link to a directory': [
    { files: { 'usr/lib/x': 'x', lib: { type: 'symlink', link: '/usr/lib', ...FILE } } },
    {
      entries: [
        { path: 'lib/y', bytes: 'y' },
        { path: 'lib/sub/z', bytes: 'z' },
      ],
    },
    { entries: [{ path: 'lib/.wh.x' }] },
  ],
  'a link that climbs above the root on the way': [
    { files: { 'a/up': { type: 'symlink', link: '../../../../b' }, 'b/x': 'x' } },
    { entries: [{ path: 'a/up/y', bytes: 'y' }] },
  ],
  'types that change': [
    { files: { 'd/x/y': '1', f: '2', l: { type: 'symlink', link: 'f' }, e: '3' } },
    { files: { d: 'now a file', 'f/x': 'now a directory', 'l/': { mode: 0o700 }, e: { type: 'fifo' } } },
  ],
  'a directory again, with other attributes': [
    { files: { 'd/': { mode: 0o700, uid: 1, mtime: 5 }, 'd/x': '1' } },
    { files: { 'd/': { mode: 0o1777, uid: 2, gid: 3, mtime: 9 } } },
  ],
  'hard links, and their first name gone': [
    { files: { a: 'content', b: { type: 'link', link: 'a' }, 'c/d': { type: 'link', link: './b' } } },
    { files: { '.wh.a': '' } },
    { files: { b: 'other' } },
    { files: { e: { type: 'link', link: '/c/d' } } },
  ],
  'names that begin with ./ and /, and have .. in them': [
    {
      entries: [
        { path: './', mode: 0o711 },
        { path: './etc/' },
        { path: './etc/x', bytes: 'x' },
        { path: '/abs', bytes: 'a' },
        { path: 'etc/../../../up', bytes: 'u' },
      ],
    },
  ],
  'devices and a fifo': [
    {
      files: {
        'dev/null': { type: 'character-device', device: [1, 3], mode: 0o666 },
        'dev/sda': { type: 'block-device', device: [8, 0], mode: 0o660 },
        'dev/pipe': { type: 'fifo', mode: 0o644 },
      },
    },
  ],
  'setuid, setgid, sticky and nothing at all': [
    {
      files: {
        'bin/su': { bytes: 's', mode: 0o4755, ...FILE },
        'bin/wall': { bytes: 'w', mode: 0o2755, uid: 7, gid: 5 },
        'tmp/': { mode: 0o1777 },
        locked: { bytes: 'l', mode: 0 },
      },
    },
  ],
  'directories that no entry names': [
    { entries: [{ path: 'a/b/c/file', bytes: 'x' }] },
    { entries: [{ path: 'a/b/', mode: 0o750 }] },
  ],
  'names that are long, or no text': [
    { files: { [`${'n'.repeat(250)}/${'m'.repeat(250)}`]: 'x', 'é ü': 'y' } },
  ],
};

for (const [name, layers] of Object.entries(LAYERS)) {
  run(name, async () => compare(await image({ layers })));
}

test.run();
