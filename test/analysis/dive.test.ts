// dive's score: each rule, dive's own recorded output, and every real image.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DiveScore, diveScore } from '../../src/analysis/dive.js';
import { tablesOf } from '../../src/filesystem/layer-tables.js';
import { readArchive } from '../../src/report/read.js';
import type { EntryTable } from '../../src/scan/entries/table.js';
import { corpus, NO_SHARED_FOLDER, sharedFolder, testWhen } from '../support/corpus.js';
import { tarFacts } from '../support/layer-facts.js';
import { rawEntry, rawTar } from '../support/tar-blocks.js';
import { imagesWithTruth } from '../support/truth-images.js';

const file = (name: string, size: number) => rawEntry({ name }, 'x'.repeat(size));
const directory = (name: string) => rawEntry({ name: `${name}/`, flag: '5' });

const tableOf = (entries: readonly Uint8Array[]): EntryTable => tarFacts(rawTar(...entries)).table!;
const scoreOf = (...layers: readonly (readonly Uint8Array[])[]): DiveScore => diveScore(layers.map(tableOf))!;

/** Count, bytes and path, as dive lists them. */
const wasted = ({ inefficient }: DiveScore) =>
  inefficient.map(({ count, bytes, path }) => `${count} ${bytes} ${path}`);

test('a path in one layer only is efficient', () => {
  const score = scoreOf([file('a', 10), directory('b'), file('b/c', 5)]);
  assert.equal(score, {
    efficiency: 1,
    wastedBytes: 0,
    userWastedPercent: null,
    sizeBytes: 15,
    userSizeBytes: 0,
    inefficient: [],
  });
});

test('a path in two layers is wasted completely, including the first copy', () => {
  const score = scoreOf([file('a', 10), file('b', 100)], [file('a', 30)]);
  assert.equal(wasted(score), ['2 40 /a']);
  assert.is(score.efficiency, 110 / 140);
  assert.is(score.userWastedPercent, 40 / 30);
});

test('paths are sorted by size; of equal ones, the one found later comes first', () => {
  const layer = [file('a', 10), file('b', 20), file('c', 10)];
  assert.equal(wasted(scoreOf(layer, layer)), ['2 40 /b', '2 20 /c', '2 20 /a']);
});

test('a deleted file counts as 0 bytes', () => {
  const score = scoreOf([file('a', 10), file('b', 10)], [file('.wh.a', 0)]);
  assert.equal(wasted(score), ['2 10 /a']);
  assert.is(score.efficiency, 10 / 20);
});

test('a deleted directory counts as everything in it, in addition to the files themselves', () => {
  const score = scoreOf(
    [directory('d'), file('d/a', 10), directory('d/e'), file('d/e/b', 5)],
    [file('.wh.d', 0)],
  );
  assert.is(score.efficiency, 1);
  assert.equal(wasted(score), []);
  const twice = scoreOf([directory('d'), file('d/a', 10)], [file('.wh.d', 0)], [directory('d')]);
  assert.equal(wasted(twice), ['2 10 /d']);
  assert.is(twice.efficiency, 10 / 20);
});

test('a directory counts in a layer that has nothing inside it', () => {
  assert.equal(wasted(scoreOf([directory('d')], [directory('d')], [directory('d'), file('d/a', 1)])), [
    '2 0 /d',
  ]);
});

test('an opaque whiteout is ignored', () => {
  const score = scoreOf([directory('d'), file('d/a', 10)], [directory('d'), file('d/.wh..wh..opq', 0)]);
  assert.equal(wasted(score), []);
  assert.is(score.efficiency, 1);
});

test('a whiteout of nothing ends its layer', () => {
  const score = scoreOf([file('a', 10), file('z', 10)], [file('a', 10), file('m/.wh.x', 0), file('z', 10)]);
  assert.equal(wasted(score), ['2 20 /a']);
  // By then dive has already counted the path, with minus one byte.
  assert.is(score.efficiency, (10 + 10 - 1) / 30);
});

test('a whiteout in the lowest layer looks in that layer', () => {
  assert.equal(wasted(scoreOf([file('a', 10), file('.wh.a', 0)])), ['2 10 /a']);
});

test('files that a whiteout hides do not exist for the layers above', () => {
  const score = scoreOf([file('a', 10)], [file('.wh.a', 0)], [file('.wh.a', 0), file('b', 7)]);
  assert.is(score.efficiency, (0 + 0) / 10);
});

test('names are cleaned, and compared as bytes', () => {
  const score = scoreOf(
    [file('/a', 1), file('./b//c', 2), file('\xff', 4)],
    [file('a', 1), file('b/./c', 2), file('\xc3', 4)],
  );
  assert.equal(wasted(score), ['2 4 /b/c', '2 2 /a']);
});

test('sizes are what headers claim, as Go reads them', () => {
  const link = rawEntry({ name: 'b', flag: '1', link: 'a', size: 9 });
  assert.is(scoreOf([file('a', 10), link]).sizeBytes, 19);
});

test('without layers nothing is wasted', () => {
  assert.is(scoreOf().efficiency, 1);
});

test('a name of half a million directories has no score, and is rejected quickly', () => {
  const name = 'a/'.repeat(500_000);
  const long = Buffer.concat([rawEntry({ name: '././@LongLink', flag: 'L' }, `${name}\0`), file('x', 0)]);
  const { table } = tarFacts(rawTar(long), { limits: { pathBytes: 2 ** 20 } });
  assert.is(diveScore([table!]), null);
});

const withCorpus = testWhen(test, corpus().length > 0, NO_SHARED_FOLDER);

for (const { id, file: archive, truth } of corpus()) {
  withCorpus(`${id}: dive`, async () => {
    const reading = await readArchive(archive, { depth: 'files' }).catch(() => null);
    for (const { part, image, truth: expected } of reading === null ? [] : imagesWithTruth(reading, truth)) {
      if (expected.dive == null) continue;
      const { efficiency, sizeBytes, userSizeBytes, wastedBytes, userWastedPercent, inefficient } = diveScore(
        tablesOf(part.scan, image).map(table => table!),
      )!;
      const ours = { efficiency, sizeBytes, userSizeBytes, wastedBytes };
      const inefficientFiles = inefficient.length;
      assert.equal({ ...ours, wastedUserPercent: userWastedPercent, inefficientFiles }, expected.dive);
    }
  });
}

interface DiveExport {
  readonly image: {
    readonly efficiencyScore: number;
    readonly inefficientBytes: number;
    readonly sizeBytes: number;
    readonly fileReference: readonly {
      readonly count: number;
      readonly file: string;
      readonly sizeBytes: number;
    }[];
  };
  readonly layer: readonly { readonly sizeBytes: number }[];
}

withCorpus("dive's own export", async () => {
  const golden = readFileSync(join(sharedFolder, 'corpus/peer-raw/dive.export_test.snap'), 'utf8');
  const json = golden.slice(golden.indexOf('{'), golden.indexOf('\n---'));
  const { image, layer } = JSON.parse(json) as DiveExport;
  const { parts } = await readArchive(join(sharedFolder, 'corpus/archives/dive.test-docker-image.tar'), {
    depth: 'files',
  });
  const { scan, graph } = parts[0]!;
  const tables = tablesOf(scan, graph.images[0]!).map(table => table!);
  const score = diveScore(tables)!;
  assert.is(score.efficiency, image.efficiencyScore);
  assert.is(score.wastedBytes, image.inefficientBytes);
  assert.is(score.sizeBytes, image.sizeBytes);
  assert.equal(
    score.inefficient,
    image.fileReference.map(({ file: path, sizeBytes: bytes, count }) => ({ path, bytes, count })),
  );
  assert.equal(
    tables.map(table => diveScore([table])!.sizeBytes),
    layer.map(({ sizeBytes }) => sizeBytes),
  );
});

test.run();
