// Runs every fuzz target for a moment with a fixed seed, and every input that ever failed. `npm run fuzz` runs without
// end.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryRoot } from '../support/corpus.js';
import { hexOf } from '../support/digest.js';
import { openSession } from './session.js';
import { targets } from './targets.js';

const factor = Number(process.env.WAYBILL_RUNS ?? 1);
const seed = Number(process.env.WAYBILL_SEED ?? 1);
/** Approximate seconds for each target on an idle machine: the number of inputs is the same everywhere. */
const SHARE = 0.2;

const cases = join(repositoryRoot, 'test/fuzz/cases');

test('target names are unique', () => {
  assert.is(new Set(targets.map(({ name }) => name)).size, targets.length);
});

for (const target of targets) {
  test(`fuzzing: ${target.name}`, async () => {
    const session = await openSession(target, seed);
    const tries = Math.max(1, Math.round(target.pace * SHARE * factor));
    for (let i = 0; i < tries; i++) {
      const failure = await session.next();
      if (failure === null) continue;
      const { input, error } = failure;
      const shown = Buffer.from(input.subarray(0, 2000)).toString('base64');
      throw new Error(
        `try ${i} with seed ${seed}, ${input.length} bytes, sha256:${hexOf(input)}\n${shown}\n${error.stack}`,
      );
    }
    assert.ok(session.outcomes() > 0);
  });
}

const found = readdirSync(cases, { withFileTypes: true }).filter(entry => entry.isDirectory());

test('inputs that failed are kept as cases', () => {
  assert.ok(found.length > 0);
});

for (const { name } of found) {
  test(`cases: ${name}`, async () => {
    const target = targets.find(one => one.name === name);
    assert.ok(target, `no target ${name}`);
    for (const file of readdirSync(join(cases, name))) {
      const input = new Uint8Array(readFileSync(join(cases, name, file)));
      await target.check(input);
    }
  });
}

test.run();
