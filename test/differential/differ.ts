// npm run differ [-- --count 1000 --seed 1 --keep DIR --only MOVE --ids --log FILE --jobs 2]
//
// The engines are those on the PATH, or with WAYBILL_ENGINE_PREFIX, words that are put before each of their commands,
// any others: WAYBILL_ENGINE_PREFIX='chroot /newer' if that directory contains them and the same temporary files.
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Outcome, outcomeOf, shrunk, titleOf } from './case.js';
import { recipeOf } from './generate.js';
import { disagreements } from './predictions.js';
import { readersHere } from './readers.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    /** Directory for failing archives and their reports. */
    keep: { type: 'string', default: 'dist/differ-found' },
    /** Only archives with a move whose name matches. */
    only: { type: 'string', default: '' },
    /** Compare the predictions of `ids` too, for engines of the versions that it models. */
    ids: { type: 'boolean', default: false },
    /** A file with a line of JSON for every archive. */
    log: { type: 'string' },
    jobs: { type: 'string', default: '2' },
  },
});

const readers = readersHere();
const first = Number(values.seed);
const wanted = new RegExp(values.only);
const all = await Promise.all(Array.from({ length: Number(values.count) }, (_, i) => recipeOf(first + i)));
const recipes = all.filter(({ moves }) => values.only === '' || moves.some(move => wanted.test(move)));
let failed = 0;

mkdirSync(values.keep, { recursive: true });
console.log(`${recipes.length} archives, read by ${readers.map(({ name }) => name).join(', ')}`);
const started = Date.now();
const queue = recipes.values();
await Promise.all(Array.from({ length: Number(values.jobs) }, work));
console.log(`${failed} of ${recipes.length} failed, ${Math.round((Date.now() - started) / 1000)} s`);
process.exitCode = failed === 0 ? 0 : 1;

async function work(): Promise<void> {
  for (const recipe of queue) {
    const outcome = await outcomeOf(recipe, values.keep, readers);
    if (outcome.failures.length > 0) told(await shrunk(outcome, values.keep, readers));
    else rmSync(outcome.path, { recursive: true, force: true });
    if (values.log !== undefined)
      appendFileSync(values.log, `${JSON.stringify({ ...outcome, path: undefined })}\n`);
    if (!values.ids) continue;
    for (const line of disagreements(outcome)) console.log(`IDS ${titleOf(outcome)}: ${line}`);
  }
}

function told(outcome: Outcome): void {
  failed++;
  console.log(`FAIL ${titleOf(outcome)}\n  ${outcome.path}\n  ${outcome.failures.join('\n  ')}`);
  const { failures, said, attempts } = outcome;
  const record = JSON.stringify({ recipe: outcome.recipe, failures, said, attempts }, null, 1);
  writeFileSync(join(values.keep, `case-${outcome.recipe.seed}.json`), record);
}
