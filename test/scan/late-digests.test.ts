// Digests of large files that are computed later: they tell the same copies as digests of all files.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { wasteReport } from '../../src/commands/waste/index.js';
import { type ReadOptions, readArchive } from '../../src/commands.js';
import { tablesOf } from '../../src/filesystem/layer-tables.js';
import { defaultLimits } from '../../src/limits.js';
import { POOL_FROM } from '../../src/scan/analyse-members.js';
import { digestOf, LARGE_FILE } from '../../src/scan/entries/content.js';
import { nameAt } from '../../src/scan/entries/table.js';
import { sha256Of } from '../../src/scan/threads/range.js';
import { digestOf as bytesDigest } from '../support/digest.js';
import { image, type LayerSpec } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { deliveries, toDirectory, toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const folder = temporary('late-digests');

/** Bytes that no compression makes a hole of, different for each seed. */
function bytesOf(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const LONG = LARGE_FILE + 1000;
const LAYERS: readonly LayerSpec[] = [
  { files: { short: bytesOf(1, 1000), 'a/first': bytesOf(2, LONG), alone: bytesOf(3, LONG + 1) } },
  { files: { copy: bytesOf(1, 1000), 'b/second': bytesOf(2, LONG), 'b/alike': bytesOf(4, LONG) } },
  { files: { 'a/first': bytesOf(2, LONG), least: bytesOf(5, LARGE_FILE), most: bytesOf(5, LARGE_FILE) } },
];

const SAME: ReadOptions = { depth: 'files', files: { digests: 'duplicates' } };
const ALL: ReadOptions = { depth: 'files', files: { digests: true } };

async function wasted(input: string, options: ReadOptions) {
  return wasteReport(await readArchive(input, options)).images[0]!.waste;
}

for (const compression of ['none', 'gzip'] as const)
  test(`the waste of an image is the same, layers ${compression}, however it is delivered`, async () => {
    const layers = LAYERS.map(
      (layer, i) => ({ ...layer, compression: i < 2 ? compression : 'none' }) as const,
    );
    const members = layouts.skopeoOci({ image: await image({ layers }), tags: ['app:1'] });
    for (const { kind, file } of await deliveries(members, join(folder, compression))) {
      const all = await wasted(file, ALL);
      assert.equal(await wasted(file, SAME), all, kind);
      assert.is(all.duplicated, 1000 + LONG + LARGE_FILE, kind);
      assert.is(all.metadataOnly, LONG, kind);
    }
  });

for (const jobs of [1, 2])
  test(`only large files that are as long as another have a digest, with ${jobs} threads`, async () => {
    const filler = { files: { filler: new Uint8Array(POOL_FROM) } };
    const made = await image({ layers: [...LAYERS, filler] });
    const file = saved(await toTar(layouts.skopeoOci({ image: made, tags: ['app:1'] })), 'large.tar');
    const { parts } = await readArchive(file, { ...SAME, jobs });
    const { scan, graph } = parts[0]!;
    const digests = tablesOf(scan, graph.images[0]!).flatMap(table =>
      Array.from({ length: table!.count }, (_, i) => [nameAt(table!, i), digestOf(table!, i)] as const),
    );
    const known = new Map(digests.filter(([, digest]) => digest !== null));
    assert.is(known.get('b/second'), bytesDigest(bytesOf(2, LONG)));
    assert.is(known.get('b/alike'), bytesDigest(bytesOf(4, LONG)));
    assert.is(known.get('most'), bytesDigest(bytesOf(5, LARGE_FILE)));
    assert.is(known.get('short'), bytesDigest(bytesOf(1, 1000)));
    assert.is(known.has('alone'), false);
    assert.is(known.has('filler'), false);
  });

test('a layer whose large files cannot be read a second time is not known', async () => {
  const copies = { files: { one: bytesOf(6, 1_000_000), two: bytesOf(6, 1_000_000) } };
  const made = await image({ layers: [copies] });
  const layout = toDirectory(layouts.skopeoOci({ image: made, tags: ['app:1'] }), join(folder, 'gone'));
  const blob = join(layout, 'blobs', made.layers[0]!.digest.replace(':', '/'));
  const reading = await readArchive(layout, {
    ...SAME,
    jobs: 1,
    // The layer is the largest member, and read first.
    onProgress: () => rmSync(blob, { force: true }),
  });
  const { unknown, waste } = wasteReport(reading).images[0]!;
  assert.equal(
    unknown.map(({ layer }) => layer),
    [0],
  );
  assert.is(waste.duplicated, 0);
});

test('digests of files say why there is none', () => {
  const content = bytesOf(7, 5000);
  const range = { file: '/no/such/file', start: 0, length: 5000, deflated: false };
  const analysis = { limits: defaultLimits, files: true };
  assert.equal(sha256Of([{ ...range, content }], analysis), [bytesDigest(content)]);
  assert.equal(sha256Of([range], analysis), [{ kind: 'unreadable', reason: 'no such file or directory' }]);
  assert.equal(sha256Of([{ ...range, content, length: 6000 }], analysis), [
    { kind: 'unreadable', reason: 'it has become shorter' },
  ]);
  assert.equal(sha256Of([{ ...range, content }], { ...analysis, deadline: 0 }), [
    { kind: 'limit', limit: 'seconds', value: defaultLimits.seconds, unpacked: 0 },
  ]);
});

test('a layer that is listed twice has the same files as itself', async () => {
  const big = bytesOf(8, LONG);
  const directories = { 'x/': '', 'y/': '' };
  const a: LayerSpec = { entries: [{ path: 's/big', bytes: big }] };
  const layers: readonly LayerSpec[] = [
    { files: { ...directories, s: { type: 'symlink', link: 'x' } } },
    a,
    { files: { s: { type: 'symlink', link: 'y' } } },
    a,
  ];
  const over: readonly LayerSpec[] = [
    { files: { 'a/big': big } },
    { files: { other: 'x' } },
    { files: { 'a/big': big } },
  ];
  for (const [name, specs] of [
    ['linked', layers],
    ['over', over],
  ] as const) {
    const members = layouts.skopeoOci({ image: await image({ layers: specs }), tags: ['app:1'] });
    const file = saved(await toTar(members), `${name}.tar`);
    const all = await wasted(file, ALL);
    assert.equal(await wasted(file, SAME), all, name);
    assert.is(name === 'over' ? all.metadataOnly : all.duplicated, LONG, name);
  }
});

test.run();
