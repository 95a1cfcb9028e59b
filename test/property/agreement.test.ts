// In every delivery and with any damage, waybill gives the same result, and throws only expected errors.
import fc from 'fast-check';
import { test } from 'uvu';
import type { ReadOptions } from '../../src/commands.js';
import { isZip } from '../../src/containers/kind.js';
import { archiveRecipe, membersOf } from './archives.js';
import { PLAIN, tarOf, tarStyle } from './containers.js';
import { byteDamage, damagedBytes, damagedMembers, memberDamage } from './damage.js';
import { contentsOf, kept, outcomeOf, piped } from './readings.js';
import { always } from './runs.js';
import { assertSame } from './same.js';

const EVERYTHING: ReadOptions = { depth: 'files', files: { digests: true, keep: ['**'] } };
const WAYS: readonly ReadOptions[] = [{ depth: 'digests' }, { depth: 'metadata' }, EVERYTHING];

/** Compares a file and a pipe of the same bytes. */
async function agrees(bytes: Uint8Array, options: ReadOptions): Promise<void> {
  // Empty input is reported differently for a pipe, and a zip's directory is at its end.
  if (bytes.length === 0 || isZip(bytes)) return;
  const seekable = contentsOf(await outcomeOf(kept(bytes), options));
  const streamed = contentsOf(await outcomeOf(piped(bytes), options));
  assertSame(seekable, streamed, 'a file and a pipe');
}

const way = fc.constantFrom(...WAYS);

test('sound archives give the same from a file and a pipe', async () => {
  await always(
    fc.record({ recipe: archiveRecipe, style: tarStyle, way }),
    60,
    async ({ recipe, style, way }) => {
      await agrees(tarOf(membersOf(recipe), style), way);
    },
  );
});

test('archives with damaged members give the same from a file and a pipe', async () => {
  const damages = fc.array(memberDamage, { minLength: 1, maxLength: 4 });
  await always(fc.record({ recipe: archiveRecipe, damages, way }), 200, async ({ recipe, damages, way }) => {
    await agrees(tarOf(damages.reduce(damagedMembers, membersOf(recipe)), PLAIN), way);
  });
});

test('archives with damaged bytes give the same from a file and a pipe', async () => {
  const damages = fc.array(byteDamage, { minLength: 1, maxLength: 3 });
  const what = fc.record({ recipe: archiveRecipe, style: tarStyle, damages, way });
  await always(what, 200, async ({ recipe, style, damages, way }) => {
    await agrees(damages.reduce(damagedBytes, tarOf(membersOf(recipe), style)), way);
  });
});

test.run();
