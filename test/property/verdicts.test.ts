// The archive's verdicts combine those of its images and of findings that concern no image.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { doubtsBeside, doubtsOf, NO_DOUBTS, verdictsBy } from '../../src/checks/verdicts.js';
import { type ArchiveReading, reportOf, type Verdicts } from '../../src/commands.js';
import { NO_SHARED_FOLDER, sharedFolder, testWhen } from '../support/corpus.js';
import { image, plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { readMembers } from '../support/reading.js';
import { archiveRecipe, membersOf } from './archives.js';
import { tarOf } from './containers.js';
import { byteDamage, damagedBytes } from './damage.js';
import { isReading, outcomeOf, piped } from './readings.js';
import { always } from './runs.js';

const NAMES = ['intact', 'complete', 'conformant'] as const;

/** False if one is false; null if one is null. */
function both(verdicts: readonly (boolean | null)[]): boolean | null {
  if (verdicts.includes(false)) return false;
  return verdicts.includes(null) ? null : true;
}

/** The verdicts of findings that concern no image. */
function aside(reading: ArchiveReading): Verdicts {
  const parts = reading.parts.map(({ graph, concerns, findings }) => {
    const concerning = concerns.of(graph.images);
    return doubtsOf(
      findings.filter(finding => !concerning.has(finding)),
      graph,
    );
  });
  const doubts = [...parts, ...reading.findings.map(doubtsBeside)];
  return verdictsBy(
    doubts.reduce((sum, some) => sum | some, NO_DOUBTS),
    reading.depth !== 'metadata',
  );
}

function agree(reading: ArchiveReading, where: string): void {
  const report = reportOf(reading);
  const all = [aside(reading), ...report.images.map(({ verdicts }) => verdicts)];
  for (const name of NAMES)
    assert.is(report.verdicts[name], both(all.map(verdicts => verdicts[name])), `${where}: ${name}`);
}

const FOLDERS = ['corpus/archives', 'docker28', 'docker29', 'faults', 'attacks'];
const files = FOLDERS.flatMap(folder => {
  try {
    return readdirSync(join(sharedFolder, folder)).map(name => join(sharedFolder, folder, name));
  } catch {
    return [];
  }
}).filter(file => !/\.(md|jsonl?)$/.test(file));

testWhen(
  test,
  files.length > 0,
  NO_SHARED_FOLDER,
)('every archive that we have', async () => {
  let read = 0;
  for (const file of files) {
    if (statSync(file).size > 50e6) continue;
    const outcome = await outcomeOf(file);
    if (!isReading(outcome)) continue;
    agree(outcome, file);
    read++;
  }
  assert.ok(read > files.length / 2, `${read} of ${files.length} could be read`);
});

test('verdicts are consistent for any archive with any damage', async () => {
  const what = fc.record({ recipe: archiveRecipe, damage: byteDamage });
  await always(what, 200, async ({ recipe, damage }) => {
    const outcome = await outcomeOf(piped(damagedBytes(tarOf(membersOf(recipe)), damage)));
    if (isReading(outcome)) agree(outcome, recipe.layout);
  });
});

test('of two images only the one with a damaged blob is not intact', async () => {
  const [good, bad] = [await plainImage('good', 1), await plainImage('bad', 1)];
  const members = layouts.skopeoOci([good, bad]);
  const layer = layouts.blobPath(bad.layers[0]!.digest);
  const { report } = await readMembers(layouts.replaceBytes(members, layer, bytes => bytes.fill(1, 0, 9)));
  const verdict = Object.fromEntries(
    report.images.map(({ imageId, verdicts }) => [imageId, verdicts.intact]),
  );
  assert.equal(verdict, { [good.imageId]: true, [bad.imageId]: false });
  assert.is(report.verdicts.intact, false);
});

test('a fault of the archive as a whole is a fault of every image', async () => {
  const item = await image({ layers: [{ files: { x: 'x' } }] });
  const { report } = await readMembers(layouts.without(layouts.skopeoOci([item]), 'oci-layout'));
  assert.is(report.verdicts.conformant, false);
  assert.is(report.images[0]!.verdicts.conformant, false);
});

test('a broken blob that nothing refers to is not a fault of an image', async () => {
  const item = await plainImage('item', 1);
  const members = layouts.ociLayout({
    manifests: [layouts.manifestOf(item)],
    unreferenced: [{ digest: `sha256:${'0'.repeat(64)}`, bytes: Buffer.from('something else') }],
  });
  const { report } = await readMembers(members);
  assert.is(report.verdicts.intact, false);
  assert.is(report.images[0]!.verdicts.intact, true);
});

test('findings that are counted and not listed may be about any image', async () => {
  const bad = await Promise.all([0, 1, 2].map(i => plainImage(`bad${i}`, 1)));
  const members = layouts.skopeoOci(bad);
  const broken = bad.reduce(
    (all, { layers }) =>
      layouts.replaceBytes(all, layouts.blobPath(layers[0]!.digest), bytes => bytes.fill(1, 0, 9)),
    members,
  );
  const { report } = await readMembers(broken, { limits: { findingsPerCode: 1 } });
  assert.equal(
    report.images.map(({ verdicts }) => verdicts.intact),
    [false, false, false],
  );
});

test.run();
