// Every command for every archive, in every format: no bug, well formed, and no control characters.
import fc from 'fast-check';
import { test } from 'uvu';
import { diff } from '../../src/commands.js';
import { archiveRecipe, membersOf } from './archives.js';
import { checkCommands, checkRefusal, EVERYTHING } from './commands.js';
import { PLAIN, tarOf } from './containers.js';
import { byteDamage, damagedBytes, damagedMembers, memberDamage } from './damage.js';
import { checkResult } from './formats.js';
import { isReading, outcomeOf, piped } from './readings.js';
import { always } from './runs.js';

async function isFit(bytes: Uint8Array): Promise<void> {
  const outcome = await outcomeOf(piped(bytes), EVERYTHING);
  if (isReading(outcome)) checkCommands(outcome);
  else checkRefusal(outcome, 'the reader');
}

test('sound archives in every format', async () => {
  await always(archiveRecipe, 15, async recipe => isFit(tarOf(membersOf(recipe), PLAIN)));
});

test('damaged archives in every format', async () => {
  const what = fc.record({
    recipe: archiveRecipe,
    damages: fc.array(memberDamage, { minLength: 1, maxLength: 4 }),
    more: fc.array(byteDamage, { maxLength: 1 }),
  });
  await always(what, 40, async ({ recipe, damages, more }) => {
    const tar = tarOf(damages.reduce(damagedMembers, membersOf(recipe)), PLAIN);
    await isFit(more.reduce(damagedBytes, tar));
  });
});

test('an archive and a damaged copy, compared', async () => {
  const what = fc.record({
    recipe: archiveRecipe,
    damages: fc.array(memberDamage, { minLength: 1, maxLength: 3 }),
    text: fc.boolean(),
  });
  await always(what, 30, async ({ recipe, damages, text }) => {
    const members = membersOf(recipe);
    const a = await outcomeOf(piped(tarOf(members)), EVERYTHING);
    const b = await outcomeOf(piped(tarOf(damages.reduce(damagedMembers, members))), EVERYTHING);
    if (!isReading(a) || !isReading(b)) return;
    const result = diff({ reading: a, selection: {} }, { reading: b, selection: {} }, { text });
    checkResult(result, 'diff', { schema: false });
    const again = diff({ reading: a, selection: {} }, { reading: a, selection: {} }, { text });
    if (again.exitCode !== 0) throw new Error('an archive differs from itself');
  });
});

test.run();
