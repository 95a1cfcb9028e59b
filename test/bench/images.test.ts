// The benchmark images: sound, the same on every machine, and made only once.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Form, ImageCache } from '../../bench/cache.js';
import { layerOf } from '../../bench/images/image.js';
import { readArchive, reportOf } from '../../src/commands.js';
import { TarWalk } from '../../src/scan/entries/walk-layer.js';
import { testWhen } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';

const base = temporary('bench');
const told: string[] = [];
const cache = new ImageCache(base, text => told.push(text));
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const forms: readonly Form[] = ['docker', 'outer', 'gzip', 'zstd', 'layout'];

for (const form of forms) {
  testWhen(
    test,
    cache.canMake(form),
    `nothing here packs ${form}`,
  )(`an image as ${form} is sound, with nothing to report`, async () => {
    const report = reportOf(await readArchive(await cache.path('tiny', form)));
    const { intact, complete, conformant } = report.verdicts;
    assert.equal({ intact, complete, conformant }, { intact: true, complete: true, conformant: true });
    assert.equal(report.findings, []);
  });
}

test('image bytes are the same on every machine', async () => {
  const path = await cache.path('tiny', 'docker');
  assert.is(statSync(path).size, 332_800);
  assert.is(sha256(path), '90e68bd13a7f7ed017cbf7f9152417c8ed1333283d28cc6ba5ca8763035f7f0d');
});

test('the compression ratio is that of a real distribution', async () => {
  const [plain, packed] = [
    statSync(await cache.path('tiny', 'docker')),
    statSync(await cache.path('tiny', 'outer')),
  ];
  const ratio = plain.size / packed.size;
  assert.ok(ratio > 2.1 && ratio < 3, `${ratio.toFixed(2)} : 1`);
});

test('an image has the requested number of entries', async () => {
  const path = await cache.path('entries-1000', 'docker');
  const layers = [0, 1].map(number => {
    const walk = new TarWalk();
    walk.write(layerOf(path, number));
    return walk.end();
  });
  assert.equal(
    layers.map(({ entries, error }) => ({ entries, error })),
    [
      { entries: 500, error: null },
      { entries: 500, error: null },
    ],
  );
});

test('an image is made once, and again when the code that makes it changes', async () => {
  const before = told.length;
  const path = await cache.path('tiny', 'docker');
  const { mtimeMs } = statSync(path);
  const again = new ImageCache(base, text => told.push(text));
  assert.is(await again.path('tiny', 'docker'), path);
  assert.is(statSync(path).mtimeMs, mtimeMs);
  assert.is(told.length, before);
  mkdirSync(join(base, 'images-of-another-maker'));
  writeFileSync(join(base, 'notes'), 'not ours');
  new ImageCache(base, () => {});
  assert.not(existsSync(join(base, 'images-of-another-maker')));
  assert.ok(existsSync(join(base, 'notes')) && existsSync(path));
  assert.equal(
    readdirSync(cache.folder).filter(name => name.endsWith('.part')),
    [],
  );
});

test.run();
