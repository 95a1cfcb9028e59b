// Changes that do not affect an image do not affect the report: the order of members, the writer, the container, an
// unrelated file.
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import { reportOf } from '../../src/commands.js';
import { file } from '../support/layouts.js';
import { isLink, type Member } from '../support/members.js';
import { toDirectory, toZip } from '../support/pack.js';
import { temporary } from '../support/tmp.js';
import { type ArchiveRecipe, archiveRecipe, membersOf } from './archives.js';
import { PLAIN, tarOf, tarStyle } from './containers.js';
import { damagedMembers, memberDamage } from './damage.js';
import { isReading, kept, type Outcome, outcomeOf, piped } from './readings.js';
import { always } from './runs.js';
import { assertSame } from './same.js';

/** Images by names and content, verdicts, and sorted findings. */
function said(outcome: Outcome): object {
  // The error about a file without an image depends on its first member.
  if (!isReading(outcome)) return { error: true };
  const { images, artifacts, absent, verdicts, findings, archive } = reportOf(outcome);
  const sorted = (values: readonly unknown[]) => values.map(value => JSON.stringify(value)).sort();
  return {
    layout: archive.layout,
    images: sorted(images.map(({ names, ...image }) => ({ ...image, names: [...names].sort() }))),
    artifacts: sorted(artifacts),
    absent: sorted(absent),
    verdicts,
    findings: sorted(findings),
  };
}

const read = async (input: string | AsyncIterable<Uint8Array>) => said(await outcomeOf(input));
/** Members that any file system and any zip can hold. */
const portable = archiveRecipe.map((recipe): ArchiveRecipe => ({ ...recipe, extras: recipe.extras & ~4 }));

test('the order of members does not matter', async () => {
  const what = archiveRecipe.chain(recipe => {
    const members = membersOf(recipe);
    return fc.record({
      recipe: fc.constant(recipe),
      order: fc.shuffledSubarray(
        members.map((_, i) => i),
        { minLength: members.length },
      ),
    });
  });
  await always(what, 60, async ({ recipe, order }) => {
    const members = membersOf(recipe);
    const shuffled = order.map(i => members[i]!);
    assertSame(await read(piped(tarOf(shuffled))), await read(kept(tarOf(members))), 'in another order');
  });
});

test('the writer and the compressor do not matter', async () => {
  await always(fc.record({ recipe: archiveRecipe, style: tarStyle }), 60, async ({ recipe, style }) => {
    const members = membersOf(recipe);
    assertSame(
      await read(kept(tarOf(members, style))),
      await read(kept(tarOf(members, PLAIN))),
      JSON.stringify(style),
    );
  });
});

/** Damage that keeps names valid for file systems. */
const inside = memberDamage.filter(
  ({ kind }) => !['rename', 'twice', 'swap', 'link', 'point'].includes(kind),
);

test('the container does not matter: a zip, a directory', async () => {
  const root = temporary('same-image');
  const delivered = fc.record({
    recipe: portable,
    damages: fc.array(inside, { maxLength: 3 }),
    deflate: fc.boolean(),
  });
  let number = 0;
  await always(delivered, 50, async ({ recipe, damages, deflate }) => {
    const members = damages.reduce(damagedMembers, membersOf(recipe));
    // A directory holds only one of two members with one name.
    if (new Set(members.map(({ path }) => path)).size < members.length) return;
    const tar = await read(kept(tarOf(members)));
    assertSame(await read(kept(toZip(members, { deflate }), 'image.zip')), tar, 'a zip');
    const directory = await read(toDirectory(members, join(root, String(number++))));
    // Not every folder that may contain an image is searched.
    if (!('error' in directory)) assertSame(directory, tar, 'a directory');
  });
});

test('an unrelated file only adds findings', async () => {
  const at = fc.double({ min: 0, max: 1, noNaN: true });
  await always(fc.record({ recipe: archiveRecipe, at }), 60, async ({ recipe, at }) => {
    const members = membersOf(recipe);
    const place = Math.floor(at * members.length);
    const stray: Member = file('an unrelated file', 'hello');
    const more = [...members.slice(0, place), stray, ...members.slice(place)];
    const outcomes = [await outcomeOf(piped(tarOf(members))), await outcomeOf(piped(tarOf(more)))];
    const [before, after] = outcomes.map(outcome => (isReading(outcome) ? reportOf(outcome) : null));
    if (before == null) return;
    if (after == null) throw new Error('it is no longer an archive');
    // An unrelated file beside a folder changes whether the folder is recognised.
    if (isNested(recipe)) return;
    assertSame(after.images, before.images, 'images');
    const known = new Set(after.findings.map(finding => JSON.stringify(finding)));
    const lost = before.findings.filter(finding => !known.has(JSON.stringify(finding)));
    if (lost.length > 0)
      throw new Error(`no longer found: ${lost.map(({ code, message }) => `${code} ${message}`)}`);
  });
});

const isNested = ({ extras }: ArchiveRecipe) => (extras & 8) !== 0;

test('archives with links are among those that are tried', () => {
  const links = fc.sample(archiveRecipe, { numRuns: 100, seed: 1 }).flatMap(membersOf).filter(isLink);
  if (links.length === 0) throw new Error('no archive has a link');
});

test.run();
