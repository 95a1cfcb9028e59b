// One layer's files, and one file's bytes: no other content of the archive is read.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cat, catFromLayers } from '../../src/commands/cat.js';
import { type ReadLayers, SingleLayers } from '../../src/commands/single-layers.js';
import { squash } from '../../src/filesystem/file-tree.js';
import { decidingTree } from '../../src/filesystem/upper-layers.js';
import { InputError, listFiles, listLayer, openArchive, readFile } from '../../src/index.js';
import { readArchive } from '../../src/report/read.js';
import type { EntryTable } from '../../src/scan/entries/table.js';
import { repositoryRoot } from '../support/corpus.js';
import { assemble, image, layerOf } from '../support/image.js';
import { tarFacts } from '../support/layer-facts.js';
import { dockerSave, file as member, skopeoOci } from '../support/layouts.js';
import { compress, toDirectory, toTar, toZip } from '../support/pack.js';
import { cutBeforeManifest, refusal, saved } from '../support/reading.js';
import { type TarEntry, tarBytes } from '../support/tar.js';
import { temporary } from '../support/tmp.js';

const test = suite('single layers');
const folder = temporary('single-layers');

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** The outcome of `waybill cat`, without the name of the file that messages begin with. */
async function outcomeOf(file: string, path: string, layer?: string) {
  const parts: Uint8Array[] = [];
  const put = async (bytes: Uint8Array) => void parts.push(Uint8Array.from(bytes));
  try {
    const { notes, exitCode } = await cat(file, path, put, { in: layer, jobs: 1 });
    return { bytes: Buffer.concat(parts).toString('latin1'), notes, exitCode };
  } catch (error) {
    assert.instance(error, InputError);
    const { what, remedy, damaged } = error as InputError;
    return { what, remedy, damaged };
  }
}

/** Bytes that this process has read from files, pipes and sockets. proc(5) */
const bytesRead = (): number => Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))![1]);

async function readDuring<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly bytes: number }> {
  const before = bytesRead();
  const result = await work();
  return { result, bytes: bytesRead() - before };
}

const MB = 1_000_000;

/** 40 MB in the base and in the middle, a few bytes on top. */
async function members() {
  const made = await image({
    layers: [
      {
        files: {
          'usr/base': new Uint8Array(20 * MB).fill(1),
          'etc/issue': 'base\n',
          'etc/only-base': 'old\n',
        },
      },
      { files: { 'usr/middle': new Uint8Array(20 * MB).fill(2), 'etc/motd': 'middle\n' } },
      {
        entries: [
          { path: 'etc/', type: 'directory' },
          { path: 'etc/issue', bytes: 'top\n' },
          { path: 'etc/.wh.motd' },
          { path: 'etc/link', type: 'symlink', link: '/etc/issue' },
        ],
      },
    ],
  });
  return skopeoOci({ image: made, tags: ['app:1'] });
}

const deliveries = {
  tar: async () => {
    const file = join(folder, 'app.tar');
    writeFileSync(file, await toTar(await members()));
    return file;
  },
  directory: async () => toDirectory(await members(), join(folder, 'layout')),
  zip: async () => {
    const file = join(folder, 'app.zip');
    writeFileSync(file, toZip(await members()));
    return file;
  },
};

for (const [name, deliver] of Object.entries(deliveries)) {
  test(`${name}: the files of one layer, and of a file the layers that determine it`, async () => {
    const file = await deliver();
    const archive = await openArchive(file, { jobs: 1 });
    const listed = await readDuring(() => all(listLayer(archive, 3)));
    assert.equal(
      listed.result.map(({ path, type, whiteout }) => [path, type, whiteout]),
      [
        ['etc', 'directory', false],
        ['etc/issue', 'file', false],
        ['etc/.wh.motd', 'file', true],
        ['etc/link', 'symlink', false],
      ],
    );
    assert.ok(listed.bytes < MB, `${listed.bytes} bytes for the listing`);
    for (const path of ['/etc/issue', 'etc/link']) {
      const read = await readDuring(() => readFile(archive, path));
      assert.is(read.result.toString(), 'top\n');
      assert.ok(read.bytes < MB, `${read.bytes} bytes for ${path}`);
    }
  });
}

test('a file of the base needs all layers, but no other image; what was read is not read again', async () => {
  const file = await deliveries.tar();
  const archive = await openArchive(file, { jobs: 1 });
  const first = await readDuring(() => readFile(archive, 'etc/only-base'));
  assert.is(first.result.toString(), 'old\n');
  assert.ok(
    first.bytes > 40 * MB && first.bytes < 65 * MB,
    `${first.bytes} bytes: all layers, and one of them again`,
  );
  const again = await readDuring(() => readFile(archive, 'etc/issue', { layer: 1 }));
  assert.is(again.result.toString(), 'base\n');
  assert.ok(again.bytes < 25 * MB, `${again.bytes} bytes: the content of its layer only`);
});

for (const [name, deliver] of Object.entries(deliveries))
  test(`${name}: cat reads the layers that determine a file; below a link it reads all, for their faults`, async () => {
    const file = await deliver();
    const top = await readDuring(() => outcomeOf(file, 'etc/issue'));
    assert.equal(top.result, { bytes: 'top\n', notes: [], exitCode: 0 });
    assert.ok(top.bytes < MB, `${top.bytes} bytes for a file of the last layer`);
    const middle = await readDuring(() => outcomeOf(file, 'etc/motd', '2'));
    assert.equal(middle.result, { bytes: 'middle\n', notes: [], exitCode: 0 });
    assert.ok(middle.bytes < 45 * MB, `${middle.bytes} bytes: the middle layer, twice`);
    const link = await readDuring(() => outcomeOf(file, 'etc/link'));
    assert.equal(link.result, top.result);
    assert.ok(link.bytes > 40 * MB, `${link.bytes} bytes below a link`);
  });

test('listLayer: every layer has the entries that are in its tar, and the layer is named as elsewhere', async () => {
  const archive = await openArchive(join(repositoryRoot, 'samples/hello-docker-28.tar'));
  const [image] = archive.images;
  const byNumber = await all(listLayer(archive, 3));
  assert.equal(
    byNumber.map(({ path }) => path),
    ['app', 'app/.wh.notes.txt', 'app/LICENSE'],
  );
  assert.equal(await all(listLayer(archive, image!.layers[2]!.digest!.slice(0, 16))), byNumber);
  assert.equal(
    byNumber.map(({ layer }) => layer),
    [2, 2, 2],
  );
  await all(listFiles(archive));
  assert.equal(await all(listLayer(archive, 3)), byNumber, 'from the reading of all entries');
});

async function rejected(work: Promise<unknown>): Promise<InputError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.instance(error, InputError);
  return error as InputError;
}

test('listLayer: a layer that is damaged is an error behind its last entry', async () => {
  const archive = await openArchive(join(repositoryRoot, 'samples/broken-layer.tar'));
  const paths: string[] = [];
  const error = await rejected(
    (async () => {
      for await (const { path } of listLayer(archive, 2)) paths.push(path);
    })(),
  );
  assert.ok(paths.length > 0);
  assert.ok(error.damaged);
  assert.match(error.what, /^layer 2: expected the di/);
});

test('listLayer: no such layer', async () => {
  const archive = await openArchive(join(repositoryRoot, 'samples/hello-docker-28.tar'));
  assert.match((await rejected(all(listLayer(archive, 4)))).what, 'no layer 4');
});

test('a file that a later layer adds is named, where an earlier layer is asked', async () => {
  const archive = await openArchive(join(repositoryRoot, 'samples/hello-docker-28.tar'));
  assert.match((await rejected(readFile(archive, 'app/greet', { layer: 1 }))).what, 'layer 2 adds it');
  assert.match((await rejected(readFile(archive, 'app/notes.txt'))).what, 'layer 3 deletes it');
});

/** Layers above a base that changes what the path leads to, by the rule that notices it. */
const UNDECIDED: Readonly<
  Record<string, { readonly path: string; readonly layers: readonly (readonly TarEntry[])[] }>
> = {
  'a directory without an entry may be a link of the base': {
    path: 'a/x',
    layers: [[{ path: 'a', link: 'b' }], [{ path: 'a/x' }]],
  },
  'the directory of a whiteout may be a link of the base': {
    path: 'b/x',
    layers: [[{ path: 'a', link: 'b' }], [{ path: 'b/' }, { path: 'b/x' }], [{ path: 'a/.wh.x' }]],
  },
  'the target of a hard link may be a file of the base': {
    path: 'g',
    layers: [[{ path: 'f' }], [{ path: 'g', type: 'link', link: 'f' }]],
  },
  'a directory that became a link may lead into the base': {
    path: 'b/x',
    layers: [[{ path: 'b', link: 'b' }], [{ path: 'a/' }, { path: 'a', link: 'b' }, { path: 'a/x' }]],
  },
};

for (const [rule, { path, layers }] of Object.entries(UNDECIDED))
  test(rule, async () => {
    const tables: (EntryTable | null)[] = [];
    for (const entries of layers) tables.push(tarFacts(await tarBytes(entries)).table);
    assert.is(decidingTree([null, ...tables.slice(1)], 1, path), null);
  });

test('a layer whose entries are not known determines nothing', () =>
  assert.is(decidingTree([null, null], 1, 'a'), null));

/** Entries of few names, so that they meet: directories with and without entries, links, whiteouts. */
const entry: fc.Arbitrary<TarEntry> = (() => {
  const segment = fc.constantFrom('a', 'b', 'c');
  const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map(segments => segments.join('/'));
  const target = fc.oneof(
    path,
    path.map(to => `/${to}`),
    fc.constantFrom('..', '../a', '.'),
  );
  return fc.oneof(
    { weight: 4, arbitrary: path.map((at): TarEntry => ({ path: at, bytes: at })) },
    { weight: 5, arbitrary: path.map((at): TarEntry => ({ path: `${at}/`, type: 'directory' })) },
    fc.tuple(path, target).map(([at, linkname]): TarEntry => ({ path: at, type: 'symlink', link: linkname })),
    fc.tuple(path, path).map(([at, linkname]): TarEntry => ({ path: at, type: 'link', link: linkname })),
    path.map((at): TarEntry => ({ path: at.replace(/[^/]*$/, '.wh.$&') })),
    path.map((at): TarEntry => ({ path: `${at}/.wh..wh..opq` })),
  );
})();

/** Entries after the directories that they are in, as engines write layers; a few come without. */
function withParents(entries: readonly TarEntry[]): TarEntry[] {
  return entries.flatMap(one => {
    const segments = one.path.split('/').slice(0, one.path.endsWith('/') ? -2 : -1);
    const parents = segments.map(
      (_, i): TarEntry => ({ path: `${segments.slice(0, i + 1).join('/')}/`, type: 'directory' }),
    );
    return [...parents, one];
  });
}

test('the layers that determine a path do so on every base', async () => {
  const entries = fc.array(entry, { maxLength: 5 });
  const layer = fc.oneof({ weight: 6, arbitrary: entries.map(withParents) }, entries);
  const paths = ['a', 'b', 'a/b', 'b/a', 'a/b/c', 'c/a/b'];
  let decided = 0;
  const property = fc.asyncProperty(layer, layer, layer, layer, async (...specs) => {
    const tables: EntryTable[] = [];
    for (const spec of specs) tables.push(tarFacts(await tarBytes(spec)).table!);
    const whole = squash(tables);
    for (const lowest of [1, 2, 3]) {
      const known = tables.map((table, i) => (i < lowest ? null : table));
      for (const path of paths) {
        const { node } = decidingTree(known, lowest, path)?.follow(path) ?? { node: null };
        if (node === null) continue;
        decided++;
        const expected = whole.follow(path).node;
        const seen = ({ inode, path: at }: NonNullable<typeof expected>) => [
          at,
          inode.type,
          inode.layer,
          inode.index,
        ];
        assert.equal(seen(node), expected === null ? null : seen(expected), `${path} from layer ${lowest}`);
      }
    }
  });
  await fc.assert(property, { numRuns: 600, seed: 16 });
  assert.ok(decided > 300, `${decided} paths were determined`);
});

type Damage = 'none' | 'forged' | 'cut' | 'absent' | 'corrupt';

/** A docker-archive whose layers are not what its config claims, and its layers as they are in it. */
async function damagedArchive(layers: readonly { entries: readonly TarEntry[]; damage: Damage }[]) {
  const sound = await image({
    layers: layers.map(({ entries, damage }) => ({ entries, absent: damage === 'absent' })),
  });
  const stored = await Promise.all(
    sound.layers.map(async (layer, i) => {
      const { damage, entries } = layers[i]!;
      if (damage === 'forged') return layerOf(await tarBytes([...entries, { path: 'forged' }]));
      if (damage === 'corrupt') return layerOf(compress(layer.tar, 'gzip').subarray(0, 40));
      return damage === 'cut' ? layerOf(layer.tar.subarray(0, layer.tar.length - 1400)) : layer;
    }),
  );
  const tar = await toTar(dockerSave({ image: assemble(sound.configBytes, stored), tags: ['app:1'] }));
  return { tar, stored };
}

test('cat has one result for an archive that can be read anywhere, and for one that is read whole', async () => {
  const damage = fc.oneof(
    { weight: 3, arbitrary: fc.constant<Damage>('none') },
    fc.constantFrom<Damage>('forged', 'cut', 'absent', 'corrupt'),
  );
  const list = fc.array(entry, { minLength: 2, maxLength: 6 });
  const layer = fc.record({
    entries: fc.oneof({ weight: 6, arbitrary: list.map(withParents) }, list),
    damage,
  });
  const met = { content: 0, note: 0, refusal: 0 };
  const property = fc.asyncProperty(fc.array(layer, { minLength: 2, maxLength: 5 }), async layers => {
    const { tar, stored } = await damagedArchive(layers);
    const [plain, packed] = [join(folder, 'same.tar'), join(folder, 'same.tar.gz')];
    writeFileSync(plain, tar);
    writeFileSync(packed, compress(tar, 'gzip'));
    const digest = stored.at(-1)!.digest;
    const files = layers.flatMap(({ entries }) => entries).filter(({ bytes, link }) => bytes ?? link);
    const paths = [...new Set(files.map(({ path }) => path))].slice(-5);
    for (const path of ['a/b/c', ...paths])
      for (const which of [undefined, ['2', digest, digest.slice(7, 11)][paths.indexOf(path) % 3]]) {
        const outcome = await outcomeOf(plain, path, which);
        assert.equal(outcome, await outcomeOf(packed, path, which), `${path} in ${which}`);
        met[outcome.what !== undefined ? 'refusal' : outcome.exitCode === 0 ? 'content' : 'note']++;
      }
  });
  await fc.assert(property, { numRuns: 40, seed: 16 });
  assert.ok(
    Object.values(met).every(times => times > 20),
    JSON.stringify(met),
  );
});

test('the number of readings does not grow with the number of layers, and few layers are read one by one', async () => {
  const made = await image({
    layers: Array.from({ length: 300 }, (_, i) => ({ files: { [`f${i}`]: `${i}` } })),
  });
  const file = join(folder, 'many.tar');
  writeFileSync(file, await toTar(skopeoOci({ image: made, tags: ['app:1'] })));
  const reading = await readArchive(file, { depth: 'metadata' });
  for (const [path, expected] of [
    ['f299', [1]],
    ['f297', [1, 2, 3]],
    ['f0', null],
  ] as const) {
    const single = new SingleLayers(reading, {});
    const readings: number[] = [];
    const readLayers: ReadLayers = (chosen, layers) => {
      readings.push(layers.length);
      return single.read(chosen, layers, { onProgress: () => {} });
    };
    const parts: Uint8Array[] = [];
    await catFromLayers(reading, path, async piece => void parts.push(piece), readLayers, {});
    assert.is(Buffer.concat(parts).toString(), path.slice(1));
    if (expected === null) assert.ok(readings.length < 22 && readings.at(-1) === 300, readings.join());
    else assert.equal(readings, expected);
  }
});

test('a layer is found by a digest that no document claims, as from a reading of all layers', async () => {
  const made = await image({
    layers: [{ files: { a: 'one' } }, { files: { a: 'two' }, compression: 'gzip' }],
  });
  const layers = made.layers.map(({ blob }, i) => member(`${i}.tar`, blob));
  const manifest = [{ Config: 'config.json', RepoTags: ['app:1'], Layers: layers.map(({ path }) => path) }];
  const file = join(folder, 'unclaimed.tar');
  const documents = [
    member('config.json', made.configBytes),
    member('manifest.json', JSON.stringify(manifest)),
  ];
  writeFileSync(file, await toTar([...documents, ...layers]));
  const two = made.layers[1]!;
  for (const name of [two.digest, two.digest.slice(7, 11), two.diffId])
    assert.equal(await outcomeOf(file, 'a', name), { bytes: 'two', notes: [], exitCode: 0 });
  const listed = await all(listLayer(await openArchive(file), two.digest));
  assert.equal(
    listed.map(({ path }) => path),
    ['a'],
  );
});

test('of an archive that is cut before the list of layers, no file is read or listed', async () => {
  const archive = await openArchive(saved(cutBeforeManifest(), 'guessed.tar'));
  for (const asked of [readFile(archive, 'app/LICENSE'), all(listFiles(archive))])
    assert.match((await refusal(asked)).what, /upper layers may be missing too/);
});

test.run();
