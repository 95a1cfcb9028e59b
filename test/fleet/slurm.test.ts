// The recipe for Slurm runs: an array of 8 tasks, and the merge after it.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { testWhen } from '../support/corpus.js';
import { assertSameResults, RECIPES, testFleet, waybill, workplace } from './runs.js';
import { hasSlurm, NO_SLURM, Slurm } from './slurm.js';

testWhen(
  test,
  hasSlurm,
  NO_SLURM,
)('an array of 8 tasks scans a fleet, and a job merges the results', async () => {
  const { folder, archives } = testFleet('slurm', 32);
  const place = workplace('slurm');
  const own = join(place.folder, 'slurm');
  mkdirSync(own);
  const node = { name: 'node1', address: '127.0.0.1', within: [] };
  const slurm = await Slurm.start(own, place.env, '127.0.0.1', [node]);
  const results = join(place.folder, 'results');
  try {
    slurm.env.ARCHIVES = archives;
    slurm.env.RESULTS = results;
    assert.match(slurm.run(join(RECIPES, 'slurm/submit.sh')), /^scan \d+, merge \d+$/m);
    await slurm.ended();
  } finally {
    await slurm.stop();
  }
  const whole = join(folder, 'whole.ndjson');
  waybill(['scan', '--root', archives, '--files-from', join(results, 'list'), '-o', whole]);
  assert.ok(existsSync(join(results, 'fleet.ndjson')), readFileSync(join(results, 'merge.log'), 'utf8'));
  assertSameResults(join(results, 'fleet.ndjson'), whole);
});

test.run();
