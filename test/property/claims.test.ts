// A change of bytes under a claim is always reported, and the archive is not intact.
import fc from 'fast-check';
import { test } from 'uvu';
import { reportOf } from '../../src/commands.js';
import { isOutside, regionsOf, tells } from '../support/claims.js';
import { isFile, type Member } from '../support/members.js';
import { type ArchiveRecipe, archiveRecipe, LAYOUTS, membersOf } from './archives.js';
import { PLAIN, tarOf, tarStyle } from './containers.js';
import { byteDamage, damagedBytes } from './damage.js';
import { contentsOf, isReading, kept, type Outcome, outcomeOf, piped } from './readings.js';
import { always } from './runs.js';
import { differences } from './same.js';

/** Rows of FORMATS section 1 in which everything is under a claim, by the letter in test/support/claims.ts. */
const CLAIMED = {
  dockerSave: 'B',
  dockerSave25: 'C',
  buildxOci: 'E',
  podmanDockerArchive: 'F',
  skopeoOci: 'E',
  orasBackup: 'E',
  nested: 'E',
  dockerContainerd: 'C',
} as const;

const claimed = archiveRecipe
  .filter(({ layout }) => layout in CLAIMED)
  // Files outside of the images may change without a report; no others are added.
  .map((recipe): ArchiveRecipe => ({ ...recipe, extras: recipe.extras & 1 }));

const findingsIn = (outcome: Outcome) => (isReading(outcome) ? reportOf(outcome).findings : outcome);
const isIntact = (outcome: Outcome) => isReading(outcome) && reportOf(outcome).verdicts.intact === true;

test('a changed bit in any byte of any archive is found', async () => {
  const what = fc.record({
    recipe: claimed,
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    bit: fc.nat(7),
  });
  await always(what, 150, async ({ recipe, at, bit }) => {
    const members = membersOf(recipe);
    const tar = tarOf(members, PLAIN);
    const whole = findingsIn(await outcomeOf(piped(tar)));
    const bad = damagedBytes(tar, { kind: 'flip', at, bit });
    const place = Math.floor(at * tar.length);
    if (tells(findingsIn(await outcomeOf(piped(bad))), whole)) return;
    const region = regionsOf(members, tar.length).find(({ start, end }) => start <= place && place < end)!;
    const [before, after] = [tar, bad].map(bytes => bytes.subarray(region.start, region.end)) as [
      Uint8Array,
      Uint8Array,
    ];
    const row = CLAIMED[recipe.layout as keyof typeof CLAIMED];
    if (isOutside(row, region, before, after, place - region.start)) return;
    throw new Error(`byte ${place - region.start} of the ${region.kind} of ${region.path}: nothing is said`);
  });
});

/**
 * Blobs and layers: members with a digest. The name that `docker save` gives a config is not such a claim, because
 * engines compute the image's ID from its bytes.
 */
const isClaimed = (member: Member) =>
  isFile(member) && /(^|\/)blobs\/|layer\.tar$|^[0-9a-f]{64}\.tar$/.test(member.path);

test('changed content under a digest is not intact', async () => {
  const what = fc.record({ recipe: claimed, at: fc.nat(), damage: byteDamage });
  await always(what, 150, async ({ recipe, at, damage }) => {
    const members = membersOf(recipe);
    const blobs = members.filter(isClaimed);
    const chosen = blobs[at % blobs.length];
    if (chosen === undefined || !isFile(chosen)) return;
    const bytes = damagedBytes(chosen.bytes, damage);
    if (Buffer.compare(bytes, chosen.bytes) === 0) return;
    const changed = members.map(member => (member === chosen ? { ...chosen, bytes } : member));
    const outcome = await outcomeOf(piped(tarOf(changed)));
    if (isIntact(outcome))
      throw new Error(`${chosen.path} was changed, and the archive is said to be intact`);
  });
});

test('a compressed archive that was changed: reported, or with the same content', async () => {
  const packed = tarStyle.filter(({ outer }) => outer !== 'none');
  const recipe = archiveRecipe.filter(({ layout }) => layout !== 'jib' && layout !== 'containerify');
  const what = fc.record({ recipe, style: packed, damage: byteDamage });
  await always(what, 100, async ({ recipe, style, damage }) => {
    const bytes = tarOf(membersOf(recipe), style);
    const whole = await outcomeOf(kept(bytes));
    const outcome = await outcomeOf(kept(damagedBytes(bytes, damage)));
    if (tells(findingsIn(outcome), findingsIn(whole))) return;
    const found = differences(contentsOf(outcome), contentsOf(whole));
    if (found.length > 0) throw new Error(found.join('\n'));
  });
});

test('the layouts in which everything is under a claim are among all layouts', () => {
  if (!Object.keys(CLAIMED).every(name => (LAYOUTS as readonly string[]).includes(name)))
    throw new Error('misspelt');
});

test.run();
