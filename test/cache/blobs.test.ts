// Facts about blobs in a cache: reports are the same with and without, and no wrong entry is used.
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Cache, type CacheStatistics, openCache } from '../../src/cache/cache.js';
import type { SeekableSource } from '../../src/containers/source.js';
import { InputError } from '../../src/errors.js';
import { limitsOf } from '../../src/limits.js';
import { type ReadOptions, readArchive } from '../../src/report/read.js';
import { reportOf } from '../../src/report/report.js';
import type { Analysis } from '../../src/scan/blob/examiner.js';
import { confirmed } from '../../src/scan/blob/known.js';
import { UnpackedTotal } from '../../src/scan/blob/unpacked-total.js';
import { scan } from '../../src/scan/scan.js';
import { docker28, repositoryRoot, sharedFolder } from '../support/corpus.js';
import { image, type LayerSpec } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const folder = temporary('cache-blobs');
let number = 0;
const fresh = () => join(folder, `cache${number++}`);

const FILES = { digests: true, secrets: true, packages: true, keep: ['etc/**'] };
const DEPTHS: readonly ReadOptions[] = [{ depth: 'digests' }, { depth: 'files', files: FILES }];

/** Everything that is known of an archive, without the seeds of its hashes and what is hashed with them. */
async function known(file: string, options: ReadOptions) {
  try {
    const reading = await readArchive(file, options);
    const facts = reading.parts.flatMap(({ scan }) =>
      scan.members.map(member => {
        const fact = scan.facts(member);
        if (fact?.tar == null) return fact;
        const { seeds: _seeds, table: _table, ...names } = fact.tar.names;
        return { ...fact, tar: { ...fact.tar, names } };
      }),
    );
    return { report: reportOf(reading), facts };
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

async function noise(length: number, seed = 1): Promise<Uint8Array> {
  const words = new Uint32Array(length / 4);
  for (let i = 0, state = seed; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state ^ (state >>> 15);
  }
  return new Uint8Array(words.buffer);
}

/** An image with a layer of 200 kB, and with one of its own. */
async function archive(own: string, name = 'image.tar'): Promise<string> {
  const layers: LayerSpec[] = [
    { files: { 'bin/shared': await noise(200_000) }, compression: 'gzip' },
    { files: { own } },
  ];
  const made = await image({ layers });
  return saved(await toTar(layouts.dockerContainerd({ image: made, tags: [`app:${own}`] })), name);
}

async function readWith(
  cache: Cache,
  file: string,
  options: ReadOptions = {},
): Promise<CacheStatistics['blobs']> {
  cache.take();
  await readArchive(file, { ...options, known: cache.blobs });
  return cache.take().blobs;
}

const entriesIn = (dir: string): string[] =>
  readdirSync(join(dir, 'entries'), { recursive: true, encoding: 'utf8' })
    .map(name => join(dir, 'entries', name))
    .filter(file => statSync(file).isFile())
    .sort();

const archivesIn = (dir: string): string[] => {
  try {
    return readdirSync(dir)
      .sort()
      .map(name => join(dir, name));
  } catch {
    return [];
  }
};

const ARCHIVES = [
  ...archivesIn(join(repositoryRoot, 'samples')),
  ...archivesIn(join(sharedFolder, 'corpus', 'archives')),
  ...archivesIn(docker28()),
  ...archivesIn(join(sharedFolder, 'docker29')),
].filter(file => !/\.(md|json|txt|jsonl|pub)$/.test(file));

for (const file of ARCHIVES) {
  test(`${file.split('/').slice(-2).join('/')}: the same report with a cache, an empty one and a full one`, async () => {
    const cache = openCache(fresh(), { leastBlob: 1 });
    for (const options of DEPTHS) {
      const without = await known(file, options);
      assert.equal(await known(file, { ...options, known: cache.blobs }), without, 'the first time');
      const { kept } = cache.take().blobs;
      assert.equal(await known(file, { ...options, known: cache.blobs }), without, 'the second time');
      const { blobs, ignored } = cache.take();
      assert.is(blobs.hits >= kept, true, `${blobs.hits} of ${kept} entries were used`);
      assert.equal(ignored, {});
      if (typeof without === 'string') break;
    }
  });
}

test('a layer that a hundred archives share is unpacked once', async () => {
  const cache = openCache(fresh());
  const counts = { hits: 0, misses: 0, kept: 0 };
  for (let i = 0; i < 100; i++) {
    const { hits, misses, kept } = await readWith(cache, await archive(`number ${i}`));
    counts.hits += hits;
    counts.misses += misses;
    counts.kept += kept;
  }
  assert.equal(counts, { hits: 99, misses: 1, kept: 1 });
});

test('worker threads compute the digests of large blobs that are known', async () => {
  const content = await noise(34 * 1024 * 1024);
  const layers: LayerSpec[] = [
    { files: { a: content.subarray(0, 17_000_000) } },
    { files: { b: content.subarray(17_000_000) } },
  ];
  const members = layouts.dockerSave25({ image: await image({ layers }), tags: ['large:1'] });
  const file = saved(await toTar(members), 'large.tar');
  const options: ReadOptions = {
    depth: 'files',
    files: { digests: true },
    jobs: 2,
    memory: 512 * 1024 * 1024,
  };
  const cache = openCache(fresh());
  const without = await known(file, options);
  for (const expected of [
    { hits: 0, misses: 2, kept: 2 },
    { hits: 2, misses: 0, kept: 0 },
  ]) {
    assert.equal(await known(file, { ...options, known: cache.blobs }), without);
    assert.equal(cache.take().blobs, expected);
  }
});

test('facts are used by the settings that they were made with, and by no others', async () => {
  const file = await archive('settings');
  const cache = openCache(fresh());
  const settings: readonly ReadOptions[] = [
    {},
    { depth: 'files' },
    { depth: 'files', files: { digests: true } },
    { depth: 'files', files: { digests: true, secrets: true } },
    { depth: 'files', files: { keep: ['bin/**'] } },
    { depth: 'files', files: { keep: ['bin/**'], keepBytes: 1 } },
    { limits: { layerEntries: 10 } },
    { limits: { paxBytes: 1000 } },
    { limits: { unpackedFree: 1000, unpackedRatio: 50 } },
  ];
  for (const options of settings)
    assert.equal(await readWith(cache, file, options), { hits: 0, misses: 1, kept: 1 });
  for (const options of settings)
    assert.equal(await readWith(cache, file, options), { hits: 1, misses: 0, kept: 0 });
  assert.equal(await readWith(cache, file, { limits: { seconds: 1000 } }), { hits: 1, misses: 0, kept: 0 });
});

test('every limit that the analysis of a blob looks at is one by which facts are kept', async () => {
  const asked = new Set<string>();
  const limits = new Proxy(limitsOf(), {
    get: (all, name) => {
      asked.add(String(name));
      return all[name as keyof typeof all];
    },
  });
  const file = await archive('proxy');
  const { opened } = await readArchive(file);
  await scan(opened.parts[0]!, { depth: 'files', contents: FILES, limits, onProgress: () => {} });
  asked.delete('seconds');
  assert.ok(asked.size > 5);
  for (const name of asked) {
    if (!Object.hasOwn(limitsOf(), name)) continue;
    const cache = openCache(fresh());
    await readWith(cache, file);
    const other = { [name]: limitsOf()[name as 'layerEntries'] - 1 };
    assert.is((await readWith(cache, file, { limits: other })).hits, 0, name);
  }
});

test('another blob of the same size, with the same ends, is not taken for a known one', async () => {
  const content = await noise(900_000);
  const other = Uint8Array.from(content);
  // Between the places that are looked at first.
  other[700_000]! ^= 1;
  const files = await Promise.all(
    [content, other].map(async (bytes, i) => {
      const made = await image({ layers: [{ files: { data: bytes } }] });
      return saved(await toTar(layouts.dockerSave25({ image: made, tags: ['app:1'] })), `similar${i}.tar`);
    }),
  );
  const options: ReadOptions = { depth: 'files', files: { digests: true } };
  const cache = openCache(fresh());
  for (const file of [...files, ...files]) {
    const without = await known(file, options);
    assert.equal(await known(file, { ...options, known: cache.blobs }), without);
  }
  const { blobs, ignored } = cache.take();
  assert.is(blobs.hits, 0);
  assert.is(blobs.misses, 4);
  assert.equal(ignored, {});
});

test('a blob that is damaged after it became known is found out', async () => {
  const file = await archive('damaged');
  const cache = openCache(fresh());
  await readWith(cache, file);
  const bytes = readFileSync(file);
  const at = bytes.indexOf(gzipSync('').subarray(0, 3)) + 70_000;
  bytes[at]! ^= 1;
  writeFileSync(file, bytes);
  const { report } = (await known(file, { known: cache.blobs })) as {
    report: { verdicts: { intact: boolean } };
  };
  assert.is(report.verdicts.intact, false);
  assert.equal(
    cache.take().blobs,
    { hits: 0, misses: 1, kept: 0 },
    'a blob that cannot be unpacked is not kept',
  );
});

/** A cache with one entry, and what replaces that entry. */
async function poisoned(change: (entry: string, dir: string) => void) {
  const file = await archive('poisoned');
  const dir = fresh();
  await readWith(openCache(dir), file);
  const [entry] = entriesIn(dir);
  change(entry!, dir);
  const cache = openCache(dir);
  await readArchive(file, { known: cache.blobs });
  const { ignored, blobs } = cache.take();
  const again = await readWith(cache, file);
  return { ignored, blobs, again };
}

const REPLACED = { hits: 0, misses: 1, kept: 1 };
const POISONS: readonly (readonly [
  what: string,
  reason: string,
  change: (entry: string, dir: string) => void,
])[] = [
  [
    'a verdict is changed, with its length',
    'damaged',
    entry => rewrite(entry, bytes => void bytes.write('17', bytes.indexOf('"entries":') + 10)),
  ],
  ['it is cut', 'truncated', entry => truncateSync(entry, 1000)],
  ['it is empty', 'truncated', entry => truncateSync(entry, 0)],
  ['it is of another format', 'version', entry => rewrite(entry, bytes => void bytes.write('wbcache2'))],
  [
    'it is of another version of waybill',
    'version',
    entry => rewrite(entry, bytes => void bytes.write('waybill 9', 72)),
  ],
  [
    'it is a directory',
    'not a file',
    entry => {
      truncateSync(entry, 0);
      replace(entry, path => mkdirSync(join(path, 'below'), { recursive: true }));
    },
  ],
  [
    'it is a symlink to an entry',
    'not a file',
    (entry, dir) => {
      const copy = join(dir, 'copy');
      copyFileSync(entry, copy);
      replace(entry, path => symlinkSync(copy, path));
    },
  ],
  ['it is sparse and huge', 'too large', entry => truncateSync(entry, 300 * 1024 * 1024)],
];

function rewrite(file: string, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(file);
  change(bytes);
  writeFileSync(file, bytes);
}

function replace(file: string, make: (path: string) => void): void {
  rmSync(file);
  make(file);
}

for (const [what, reason, change] of POISONS) {
  test(`an entry is ignored and replaced: ${what}`, async () => {
    const { ignored, blobs, again } = await poisoned(change);
    assert.equal(ignored, { [reason]: 1 });
    assert.equal(blobs, REPLACED);
    assert.equal(again, { hits: 1, misses: 0, kept: 0 });
  });
}

test('an entry that was copied to the place of another one is ignored and replaced', async () => {
  const file = await archive('copied');
  const dir = fresh();
  await readWith(openCache(dir), file, { limits: { layerEntries: 1 } });
  const [evil] = entriesIn(dir);
  const before = readFileSync(evil!);
  await readWith(openCache(dir), file);
  const good = entriesIn(dir).find(entry => entry !== evil)!;
  writeFileSync(good, before);
  const cache = openCache(dir);
  await readArchive(file, { known: cache.blobs });
  const { ignored, blobs } = cache.take();
  assert.equal(ignored, { foreign: 1 });
  assert.equal(blobs, REPLACED);
});

test('an entry signed with another key is not found, and does not disturb', async () => {
  const file = await archive('keys');
  const dir = fresh();
  const keys = [undefined, Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  for (const key of keys) assert.equal(await readWith(openCache(dir, { key }), file), REPLACED);
  for (const key of keys) assert.is((await readWith(openCache(dir, { key }), file)).hits, 1);
});

test('the bounds that all blobs of an archive share hold with known facts', async () => {
  const file = await archive('bounds');
  const cache = openCache(fresh());
  const { opened } = await readArchive(file, { known: cache.blobs });
  const { source } = opened.parts[0]!;
  assert.is(source.access, 'seekable');
  const { members } = source as SeekableSource;
  const { range } = members.find(({ size }) => size > 100_000)!;
  const unpacked = new UnpackedTotal();
  unpacked.hasStored(300_000);
  const analysis: Analysis = { limits: limitsOf(), files: false, unpacked: unpacked.memory };
  const found = () => {
    const lookup = cache.blobs.lookUp(range!, ['sha256'], analysis)!;
    return confirmed(lookup, lookup.candidate!.digests, analysis);
  };
  assert.ok(found());
  assert.ok(unpacked.add(0) > 200_000, 'it counts as unpacked');
  unpacked.add(limitsOf().archiveBytes - 300_000);
  const before = unpacked.add(0);
  assert.is(found(), null, 'beyond the bound it has to be analysed');
  assert.is(unpacked.add(0), before);
});

test('a cache stays below its size: what was not used for the longest time goes', async () => {
  const dir = fresh();
  const size = 64 * 1024;
  const cache = openCache(dir, { size, leastBlob: 1 });
  for (let i = 0; i < 40; i++) {
    await readArchive(await archive(`evicted ${i}`), { known: cache.blobs });
    cache.close();
    const total = entriesIn(dir).reduce(
      (sum, entry) => sum + 4096 * Math.ceil(statSync(entry).size / 4096),
      0,
    );
    assert.ok(total <= size, `${total} bytes after ${i} archives`);
  }
  assert.ok(cache.statistics.removed > 0);
  assert.ok(entriesIn(dir).length >= 5);
  const own = readFileSync(join(dir, 'usage'), 'latin1');
  assert.match(own, /^\d+\n/);
});

test('a list of sizes that is not one is made again', async () => {
  const dir = fresh();
  const cache = openCache(dir, { leastBlob: 1 });
  await readArchive(await archive('sizes'), { known: cache.blobs });
  cache.close();
  for (const text of ['-1\n', '1e99\n', 'x'.repeat(100_000)]) {
    writeFileSync(join(dir, 'usage'), text);
    await readArchive(await archive(`sizes ${text.length}`), { known: cache.blobs });
    cache.close();
    assert.match(readFileSync(join(dir, 'usage'), 'latin1'), /^\d{4,6}\n$/);
  }
});

test('files that a killed process left are removed in time, and nothing else is', async () => {
  const dir = fresh();
  openCache(dir);
  const left = join(dir, 'unfinished', 'a'.repeat(24));
  const young = join(dir, 'unfinished', 'b'.repeat(24));
  const other = join(dir, 'unfinished', 'of-the-user.txt');
  for (const file of [left, young, other]) writeFileSync(file, 'x');
  for (const file of [left, other]) utimesSync(file, 1000, 1000);
  const cache = openCache(dir, { leastBlob: 1 });
  await readArchive(await archive('left'), { known: cache.blobs });
  cache.close();
  assert.equal(readdirSync(join(dir, 'unfinished')).sort(), ['b'.repeat(24), 'of-the-user.txt']);
});

test.run();
