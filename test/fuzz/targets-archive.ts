// Whole archives, real and arbitrary, with damaged members and bytes.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { InputError, type ReadOptions, reportOf } from '../../src/commands.js';
import { isZip } from '../../src/containers/kind.js';
import { archiveRecipe, membersOf } from '../property/archives.js';
import { checkCommands, checkRefusal, EVERYTHING, REPORTS } from '../property/commands.js';
import { tarOf, tarStyle } from '../property/containers.js';
import { byteDamage, damagedBytes, damagedMembers, memberDamage } from '../property/damage.js';
import { contentsOf, isReading, kept, type Outcome, outcomeOf, piped } from '../property/readings.js';
import { assertSame } from '../property/same.js';
import { corpusFolder, repositoryRoot } from '../support/corpus.js';
import { file, isLink, type Member } from '../support/members.js';
import { fromTar, toZip } from '../support/pack.js';
import { mutated, spliced } from './mutate.js';
import type { Random } from './random.js';
import type { Target } from './target.js';

/** Larger archives take too long to be tried often. */
const LARGEST = 400_000;

const one = <T>(arbitrary: fc.Arbitrary<T>, random: Random): T =>
  fc.sample(arbitrary, { seed: random.seed(), numRuns: 1 })[0]!;

let real: readonly Uint8Array[] | undefined;

/** The small archives of the samples, and of the corpus on request: a test must try the same everywhere. */
function realArchives(): readonly Uint8Array[] {
  const corpus = process.env.WAYBILL_CORPUS === undefined ? [] : [join(corpusFolder, 'archives')];
  const folders = [join(repositoryRoot, 'samples'), ...corpus].filter(existsSync);
  real ??= folders
    .flatMap(folder => readdirSync(folder).map(name => join(folder, name)))
    .flatMap(path => {
      const stats = statSync(path);
      if (stats.isDirectory()) return [tarOf(membersBelow(path))];
      return stats.size <= LARGEST && !/\.(ts|md)$/.test(path) ? [new Uint8Array(readFileSync(path))] : [];
    })
    .filter(bytes => bytes.length <= LARGEST);
  return real;
}

const membersBelow = (folder: string): Member[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter(path => statSync(join(folder, path)).isFile())
    .map(path => file(path, new Uint8Array(readFileSync(join(folder, path)))));

async function damaged(seeds: readonly Uint8Array[], random: Random): Promise<Uint8Array> {
  if (random.once(4)) return fromScratch(random);
  const bytes = random.pick(seeds);
  if (random.once(3)) return mutated(bytes, random, TOKENS);
  if (random.once(3)) return damagedBytes(bytes, one(byteDamage, random));
  if (random.once(10)) return spliced(bytes, random.pick(seeds), random);
  const members = await membersIn(bytes);
  if (members === null) return damagedBytes(bytes, one(byteDamage, random));
  let changed: readonly Member[] = members;
  for (let rounds = random.size(5); rounds > 0; rounds--)
    changed = damagedMembers(changed, one(memberDamage, random));
  return tarOf(changed, one(tarStyle, random));
}

function fromScratch(random: Random): Uint8Array {
  let members = membersOf(one(archiveRecipe, random));
  for (let rounds = random.below(4); rounds > 0; rounds--)
    members = damagedMembers(members, one(memberDamage, random));
  return tarOf(members, one(tarStyle, random));
}

/** The members of a plain tar, read by another reader. */
async function membersIn(bytes: Uint8Array): Promise<Member[] | null> {
  try {
    const members = await fromTar(bytes);
    // Names may be missing, which the reader's types do not say.
    const isNamed = (member: Member) =>
      typeof member.path === 'string' && (!isLink(member) || typeof member.link === 'string');
    return members.length > 0 && members.every(isNamed) ? members : null;
  } catch {
    return null;
  }
}

const TOKENS = [
  'ustar\0',
  '././@LongLink',
  '\x1f\x8b\x08',
  '\x28\xb5\x2f\xfd',
  'PK\x03\x04',
  '"size":-1',
  '"digest":',
  '"mediaType":',
  'null',
  '\0'.repeat(512),
  'sha256:',
];

/** The codes of the findings: an archive with a new set of them is mutated further. */
function codesOf(outcome: Outcome): string {
  if (!isReading(outcome)) return outcome.what.replace(/[\d"].*$/s, '').slice(0, 40);
  const { findings, archive } = reportOf(outcome);
  return [archive.layout, ...[...new Set(findings.map(({ code }) => code))].sort()].join(' ');
}

const WAYS: readonly ReadOptions[] = [{ depth: 'digests' }, { depth: 'metadata' }, EVERYTHING];

export const archiveTargets: readonly Target[] = [
  {
    name: 'archive',
    seeds: realArchives,
    make: damaged,
    pace: 40,
    check: async input => {
      const options = WAYS[input.length % WAYS.length]!;
      const outcome = await outcomeOf(kept(input), options);
      if (outcome instanceof InputError) checkRefusal(outcome, 'the reader');
      if (input.length > 0 && !isZip(input))
        assertSame(
          contentsOf(await outcomeOf(piped(input), options)),
          contentsOf(outcome),
          'a pipe and a file',
        );
      return codesOf(outcome);
    },
  },
  {
    name: 'zip',
    seeds: async () => {
      const zips: Uint8Array[] = [];
      for (const bytes of realArchives().filter(({ length }) => length < 60_000)) {
        const members = await membersIn(bytes);
        if (members !== null) zips.push(toZip(members, { deflate: zips.length % 2 === 0 }));
      }
      return zips;
    },
    tokens: [
      'PK\x01\x02',
      'PK\x03\x04',
      'PK\x05\x06',
      'PK\x06\x06',
      '\xff\xff',
      '\xff\xff\xff\xff',
      '\x08\0',
      '\0\0',
    ],
    pace: 40,
    check: async input => {
      const outcome = await outcomeOf(kept(input, 'image.zip'), EVERYTHING);
      if (outcome instanceof InputError) checkRefusal(outcome, 'the reader');
      return codesOf(outcome);
    },
  },
  {
    name: 'commands',
    seeds: realArchives,
    make: damaged,
    pace: 4,
    check: async input => {
      const outcome = await outcomeOf(kept(input), EVERYTHING);
      if (isReading(outcome)) checkCommands(outcome, [REPORTS[input.length % REPORTS.length]!]);
      else checkRefusal(outcome, 'the reader');
      return codesOf(outcome);
    },
  },
];
