// waybill must show the image that engines load: random archives of two images, read by all engines.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { skipUnless } from '../support/corpus.js';
import { rawEntry, rawTar } from '../support/tar-blocks.js';
import { outcomeOf, shrunk, titleOf } from './case.js';
import { recipeOf, writeArchive } from './generate.js';
import { misnamed, saidOf, unnoticed } from './judge.js';
import { firstParts, type Loaded, plainParts, unpackedBytes } from './loaded.js';
import { MOVES } from './moves.js';
import { disagreements } from './predictions.js';
import { READERS, type Reader, readersHere } from './readers.js';

const SEEDS = 400;
/** Seeds per test, and number of archives that are read in parallel. */
const PORTION = 50;
const JOBS = 2;

// Short and in lower case: podman makes a name of a directory's path, and refuses a run directory of over 50 bytes.
const folder = join(tmpdir(), `differ-${process.pid}`);
mkdirSync(folder);
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const readers = readersHere();
for (const { name } of READERS)
  skipUnless(
    readers.some(reader => reader.name === name),
    `${name} is not here, or cannot be run without root`,
  );

test('a seed always gives the same archive', async () => {
  for (const seed of [0, 7, 100, 2001]) {
    const recipe = await recipeOf(seed);
    assert.equal(await recipeOf(seed), recipe);
    if (recipe.form === 'directory') continue;
    const paths = ['one.tar', 'other.tar'].map(name => join(folder, name));
    for (const path of paths) await writeArchive(recipe, path);
    const [one, other] = paths.map(path => readFileSync(path));
    assert.ok(one!.equals(other!), `seed ${seed}`);
  }
});

test('every kind of move occurs among the archives', async () => {
  const recipes = await Promise.all(Array.from({ length: SEEDS }, (_, seed) => recipeOf(seed)));
  const tried = new Set(recipes.flatMap(({ moves }) => moves));
  assert.equal(
    MOVES.map(({ name }) => name).filter(name => !tried.has(name)),
    [],
  );
  assert.is(new Set(MOVES.map(({ name }) => name)).size, MOVES.length);
});

test('an image that waybill does not show is detected', async () => {
  const path = join(folder, 'plain.tar');
  await writeArchive({ seed: 1, base: 'oci', form: 'tar', pair: 0, moves: [] }, path);
  const said = await saidOf(path);
  const [{ imageId, diffIds }] = said.images as [Loaded];
  const attempt = (loaded: Loaded) => [{ reader: 'it', asked: null, loaded: [loaded], refusal: null }];
  const image = { imageId, diffIds, who: 'GOOD', manifestDigest: null, names: [] };
  assert.equal(unnoticed(said, attempt(image)), []);
  assert.is(unnoticed(said, attempt({ ...image, imageId: 'sha256:0' })).length, 1);
  assert.is(unnoticed(said, attempt({ ...image, diffIds: [] })).length, 1);
  const named = { reader: 'it', asked: '1', loaded: [{ ...image, imageId: 'sha256:0' }], refusal: null };
  assert.is(misnamed(said, [named]).length, 1);
  assert.is(unnoticed({ ...said, exitCode: 1 }, attempt({ ...image, diffIds: [] })).length, 0);
});

test('a manifest with ambiguous keys is interpreted by the engines', () => {
  const config = '"config":{"digest":"sha256:1"}';
  assert.equal(plainParts(`{${config},"layers":[{"digest":"sha256:2"}]}`), {
    config: 'sha256:1',
    layers: ['sha256:2'],
  });
  for (const text of [`{${config},${config}}`, `{${config},"CONFIG":{}}`, `{${config}}x`, '{}'])
    assert.is(plainParts(text), null, text);
  assert.is(firstParts(`{${config}}{}`)?.config, 'sha256:1');
});

test('layers are unpacked as by containers/image', () => {
  const tar = rawTar(rawEntry({ name: 'who' }, 'GOOD'));
  assert.equal(unpackedBytes(gzipSync(tar)), tar);
  assert.equal(unpackedBytes(tar), tar);
  // A skippable zstd frame is not recognised, and text is not a tar.
  for (const bytes of [Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]), Buffer.from('text')])
    assert.is(unpackedBytes(bytes), null);
});

test('wrong predictions are reported', async () => {
  const recipe = { seed: 1, base: 'docker', form: 'tar' as const, pair: 0, moves: [] };
  const outcome = await outcomeOf(recipe, folder, []);
  const [{ imageId, diffIds }] = outcome.said.images as [Loaded];
  const image = { imageId, diffIds, who: 'GOOD', manifestDigest: null, names: [] };
  const told = (reader: string, loaded: readonly Loaded[]) =>
    disagreements({ ...outcome, attempts: [{ reader, asked: null, loaded, refusal: 'no' }] });
  assert.equal(told('podman', [image]), []);
  assert.equal(told('podman', []), [`podman has no ${imageId}: no`]);
  assert.match(told('skopeo oci-archive', [image])[0]!, `skopeo-oci-archive loads ${imageId}, predicted: `);
});

async function failuresAmong(seeds: readonly number[], all: readonly Reader[]): Promise<string[]> {
  const failures: string[] = [];
  const queue = seeds.values();
  const work = async () => {
    for (const seed of queue) {
      const place = join(folder, String(seed));
      mkdirSync(place);
      const outcome = await outcomeOf(await recipeOf(seed), place, all);
      if (outcome.failures.length === 0) continue;
      const smallest = await shrunk(outcome, place, all);
      failures.push(`${titleOf(smallest)}: ${smallest.failures.join('; ')}`);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, work));
  return failures;
}

for (let first = 0; first < SEEDS; first += PORTION) {
  const seeds = Array.from({ length: PORTION }, (_, i) => first + i);
  const engines = readers.map(({ name }) => name).join(', ') || 'no engine';
  test(`archives ${first} to ${first + PORTION - 1}, read by ${engines}`, async () => {
    assert.equal(await failuresAmong(seeds, readers), []);
  });
}

test.run();
