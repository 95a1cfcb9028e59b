// Every file of a fleet is in exactly one shard, and its record says what the fleet's truth says.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assertSameResults, linesOf, testFleet, waybill } from './runs.js';

const fleet = testFleet('shards', 160);
const { folder, archives, truths } = fleet;

type Line = Record<string, unknown>;
const keyOf = (line: { path?: unknown; pathBytes?: unknown }) => `${line.pathBytes ?? line.path}`;
const whole = join(folder, 'whole.ndjson');
waybill(['scan', archives, '-o', whole]);
const recordsOf = (file: string): Line[] => linesOf(file).slice(0, -1);

test('the record of each file says what its truth says', () => {
  const records = new Map(recordsOf(whole).map(record => [keyOf(record), record]));
  assert.equal([...records.keys()].sort(), truths.map(keyOf).sort());
  for (const truth of truths) {
    const record = records.get(keyOf(truth)) as Line;
    assert.is(record.kind, truth.kind, truth.path);
    if (truth.kind === 'other') continue;
    assert.is(record.exitCode, truth.exitCode, `${truth.is}: ${truth.path}`);
    const { intact, complete, conformant } = (record.verdicts ?? {}) as Line;
    assert.equal(record.verdicts ? { intact, complete, conformant } : null, truth.verdicts, truth.is);
    if (truth.images.length === 0) continue;
    const images = record.images as { imageId: string | null; layers: { diffId: string }[] }[];
    const seen = images.map(({ imageId, layers }) => ({
      imageId,
      diffIds: layers.map(layer => layer.diffId),
    }));
    assert.equal(seen, truth.images, truth.path);
  }
});

/** The list in another order for each shard, some with `./` and doubled slashes. */
function listOf(shard: number): Buffer {
  const paths = truths.map(({ path, pathBytes }) =>
    pathBytes === undefined ? Buffer.from(path) : Buffer.from(pathBytes, 'base64'),
  );
  const turned = [...paths.slice(shard * 7), ...paths.slice(0, shard * 7)];
  if (shard % 2 === 1) turned.reverse();
  return Buffer.concat(
    turned.map((path, at) =>
      Buffer.concat([Buffer.from(at % 5 === shard % 5 ? './/' : ''), path, Buffer.from('\0')]),
    ),
  );
}

for (const count of [1, 3, 10])
  test(`every archive is in exactly one of ${count} shards, in any order of the list`, () => {
    const files = Array.from({ length: count }, (_, at) => join(folder, `${count}-${at + 1}.ndjson`));
    for (const [at, file] of files.entries()) {
      const args = [
        'scan',
        '--root',
        archives,
        '--files-from',
        '-',
        '--shard',
        `${at + 1}/${count}`,
        '-o',
        file,
      ];
      const { status, stderr } = waybill(args, { input: listOf(at) });
      assert.ok(status !== null && status <= 2, stderr);
    }
    const keys = files.flatMap(file => recordsOf(file).map(keyOf));
    assert.equal(keys.sort(), truths.map(keyOf).sort());
    const merged = join(folder, `merged-${count}.ndjson`);
    const { status, stderr } = waybill(['merge', ...files, '-o', merged]);
    assert.is(status, 2, stderr);
    // A list names files, a folder is searched for archives: named files that are none are errors.
    const named = join(folder, 'named.ndjson');
    waybill(['scan', '--root', archives, '--files-from', '-', '-o', named], { input: listOf(0) });
    assertSameResults(merged, named);
  });

test('shards of equal size have every archive too, and prove it', () => {
  const files = [1, 2, 3].map(number => join(folder, `balanced-${number}.ndjson`));
  for (const [at, file] of files.entries())
    waybill(['scan', archives, '--balance', '--shard', `${at + 1}/3`, '-o', file]);
  const records = files.map(recordsOf);
  assert.equal(records.flat().map(keyOf).sort(), truths.map(keyOf).sort());
  const bytes = records.map(list => list.reduce((sum, { size }) => sum + ((size as number | null) ?? 0), 0));
  assert.ok(Math.max(...bytes) < 1.05 * Math.min(...bytes), `${bytes}`);
  const merged = join(folder, 'balanced.ndjson');
  assert.is(waybill(['merge', ...files, '-o', merged]).status, 2);
});

test('97 shards: most have an archive or two, and none is in two of them', () => {
  const list = join(folder, 'list');
  writeFileSync(list, listOf(0));
  const files: string[] = [];
  for (let number = 1; number <= 97; number += 24) {
    const file = join(folder, `97-${number}.ndjson`);
    files.push(file);
    waybill(['scan', '--root', archives, '--files-from', list, '--shard', `${number}/97`, '-o', file]);
  }
  const { status, stderr } = waybill(['merge', ...files, '-o', join(folder, 'few.ndjson')]);
  assert.is(status, 2);
  assert.match(stderr, /missing/);
});

test.run();
