import { type BaseImage, baseOf, diffIdOf } from '../../analysis/base.js';
import { unixSeconds } from '../../go/time.js';
import { shortDigest } from '../../spec/digest.js';
import { nameFilter, spellingsOf } from '../image-names.js';
import { type Breach, defineRule, files, option } from '../rule.js';
import type { ImageSubject } from '../subject.js';
import { glob, listOf, type NamedFile, period } from '../types.js';

const from = files(
  'a list that `waybill base` made, or an archive, named relative to the policy',
  'lists of bases, besides those of --base',
);

/** The bases that a rule's own lists and `--base` name. */
const basesFor = ({ context }: ImageSubject, lists: readonly NamedFile[]): readonly BaseImage[] => [
  ...(context.bases ?? []),
  ...lists.flatMap(({ path }) => context.baseLists?.get(path) ?? []),
];

const NO_LIST =
  'no base is named: name a list with `from` or --base (`waybill base ARCHIVE… > bases.json` makes it)';

interface BaseBreach {
  /** The base that it begins with; null for none of the list. */
  readonly base: string | null;
  /** Patterns of the names of bases that are allowed. */
  readonly allowed: readonly string[];
  /** How many bases were looked for. */
  readonly known: number;
  /** The base that has most of its layers in common with it. */
  readonly closest: { readonly name: string; readonly shared: number; readonly layers: number } | null;
}

const nameOf = ({ names, chainId }: BaseImage) => names[0] ?? shortDigest(chainId);

export const baseImage = defineRule({
  code: 'base-image',
  subject: 'base',
  severity: 'error',
  what: 'The image begins with one of these bases: its first layers are all layers of the base, by their diff_ids.',
  why: 'The diff_ids of the layers identify the base; a label only claims one. An unmaintained base gets no security updates, and FROM with a tag uses the image that has the tag on the day of the build.',
  mend: 'Build FROM one of the allowed bases, by digest (`FROM debian:12@sha256:…`). If a base has a new version, make the list again (`waybill base`).',
  example:
    'base-image: bases.json\n# or, of these bases only some\nbase-image:\n  from: bases.json\n  names: ["docker.io/library/debian:*"]',
  options: {
    from,
    names: option(
      listOf(glob('a name or pattern such as docker.io/library/debian:*'), 'a list of names'),
      'names or patterns of bases that are allowed; all of the lists where it is left out',
      [] as readonly string[],
    ),
  },
  main: 'from',
  *image(subject, { from: lists, names }): Generator<Breach<BaseBreach>> {
    const bases = basesFor(subject, lists);
    if (bases.length === 0) {
      yield { unchecked: NO_LIST };
      return;
    }
    const isAllowed = names.length === 0 ? () => true : nameFilter(names);
    const base = baseOf(subject.report, bases);
    if (base !== null && (names.length === 0 || base.names.some(name => spellingsOf(name).some(isAllowed))))
      return;
    const place = subject.image.layers.length === 0 ? {} : { layer: 0 };
    const closest = base === null ? closestOf(subject, bases) : null;
    yield {
      data: { base: base === null ? null : nameOf(base), allowed: names, known: bases.length, closest },
      ...place,
    };
  },
  message: ({ base, allowed, known, closest }: BaseBreach) => {
    if (base !== null) return `its base is ${JSON.stringify(base)}, allowed are ${allowed.join(', ')}`;
    const near =
      closest === null
        ? ''
        : `; it has the first ${closest.shared} of the ${closest.layers} layers of ${JSON.stringify(closest.name)}`;
    return `it begins with none of the ${known} bases${near}`;
  },
  remedy: ({ allowed }) =>
    `FROM one of the bases${allowed.length === 0 ? '' : ` that match ${allowed.join(', ')}`}, by digest`,
});

function closestOf({ report }: ImageSubject, bases: readonly BaseImage[]): BaseBreach['closest'] {
  const own = report.layers.map(diffIdOf);
  let best: BaseBreach['closest'] = null;
  for (const base of bases) {
    const differs = base.diffIds.findIndex((diffId, i) => diffId !== own[i]);
    if (differs > (best?.shared ?? 0))
      best = { name: nameOf(base), shared: differs, layers: base.diffIds.length };
  }
  return best;
}

const DAY = 24 * 60 * 60;

interface OldBase {
  readonly base: string;
  readonly created: string;
  /** Seconds. */
  readonly age: number;
  readonly most: number;
}

const unknownAge = (base: BaseImage, found: string): string =>
  `the age of its base ${JSON.stringify(nameOf(base))} is not known: its config names ${found}`;

export const baseAge = defineRule({
  code: 'base-age',
  subject: 'base',
  severity: 'error',
  what: 'The base of the image is not older than this, by the time of creation in the config of the base.',
  why: 'An image that was built yesterday on a base of last year has the vulnerabilities of last year. The age of the image does not show that.',
  mend: 'Build with `docker build --pull`, or update the digest in FROM. Then make the list of bases again.',
  example: 'base-age: 90d\n# or, with a list of its own\nbase-age:\n  most: 30d\n  from: bases.json',
  options: { most: option(period, 'how old it may be', 90 * DAY), from },
  main: 'most',
  *image(subject, { most, from: lists }): Generator<Breach<OldBase>> {
    const bases = basesFor(subject, lists);
    const base = baseOf(subject.report, bases);
    if (base === null) {
      yield { unchecked: bases.length === 0 ? NO_LIST : `it begins with none of the ${bases.length} bases` };
      return;
    }
    const created = base.created === null ? null : unixSeconds(base.created.toUpperCase());
    // Builds that can be reproduced name no time, or one at which there were no containers.
    if (created === null || created <= 0) {
      yield { unchecked: unknownAge(base, base.created === null ? 'no time' : JSON.stringify(base.created)) };
      return;
    }
    const age = subject.context.now - created;
    // Clocks of builders are not all right to the minute.
    if (age < -DAY) {
      yield { unchecked: unknownAge(base, `${base.created}, which is in the future`) };
      return;
    }
    if (age > most)
      yield {
        data: { base: nameOf(base), created: base.created!, age, most },
        layer: base.diffIds.length - 1,
      };
  },
  message: ({ base, created, age, most }: OldBase) =>
    `its base ${JSON.stringify(base)} was created at ${created}, ${Math.floor(age / DAY)} days ago; at most ${period.write(most)} are allowed`,
  remedy: () => 'build it again with --pull, or raise the digest in FROM',
});

export const baseRules = [baseImage, baseAge];
