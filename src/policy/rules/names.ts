import { pathFilter } from '../../containers/path-filter.js';
import { unixSeconds } from '../../go/time.js';
import { valueWithoutSecrets } from '../../secrets/search.js';
import { formatPlatform, type Platform, platformMatches } from '../../spec/platform.js';
import { nameFilter, spellingsOf, tagOf } from '../image-names.js';
import { type Breach, defineRule, option, unset } from '../rule.js';
import type { ImageSubject } from '../subject.js';
import { flag, glob, listOf, namesWithPatterns, type Pattern, pattern, period, platform } from '../types.js';

export const noLatest = defineRule({
  code: 'no-latest',
  subject: 'config',
  severity: 'error',
  what: 'No name of the image has the tag `latest`, written or implied.',
  why: 'The tag `latest` moves to another image with each release. The name does not say which version runs, and there is no name to roll back to.',
  mend: 'Tag the image with a version or the commit (`docker tag app:latest app:1.2`), and save it under that name.',
  example: 'no-latest: on',
  options: {},
  *image({ names, image }) {
    for (const name of names)
      if (tagOf(name, image.docker === null) === 'latest') yield { data: { name }, key: name };
  },
  message: ({ name }: { readonly name: string }) =>
    `it is called ${JSON.stringify(name)}, whose tag is latest`,
  remedy: () => 'tag it with a version or the commit, and save it by that name',
});

interface NameBreach {
  readonly name: string | null;
  readonly allowed: readonly string[];
}

export const imageNames = defineRule({
  code: 'image-names',
  subject: 'config',
  severity: 'error',
  what: 'The image has a name, and each of its names matches one of these patterns.',
  why: 'The name decides to which repository the image is pushed, and which image an engine replaces when it loads the archive.',
  mend: 'Give the image a name that the policy allows, and save it under that name.',
  example: 'image-names: ["ghcr.io/acme/**"]',
  options: {
    allowed: option(
      listOf(glob('a name or pattern such as ghcr.io/acme/**'), 'a list of names'),
      'names or patterns, with or without a tag; any where it is left out',
      [] as readonly string[],
    ),
    required: option(flag, 'whether an image without a name breaks the rule', true),
  },
  main: 'allowed',
  *image({ names }, { allowed, required }) {
    if (names.length === 0 && required) yield { data: { name: null, allowed } };
    if (allowed.length === 0) return;
    const isAllowed = nameFilter(allowed);
    for (const name of names)
      if (!spellingsOf(name).some(isAllowed)) yield { data: { name, allowed }, key: name };
  },
  message: ({ name, allowed }: NameBreach) =>
    name === null
      ? `it has no name${allowed.length === 0 ? '' : `, expected one that matches ${allowed.join(' or ')}`}`
      : `its name ${JSON.stringify(name)} matches none of ${allowed.join(', ')}`,
  remedy: () => 'tag the image as the policy allows, and save it by that name',
});

export const imageTags = defineRule({
  code: 'image-tags',
  subject: 'config',
  severity: 'error',
  what: 'Each tag of the image matches one of these regular expressions.',
  why: 'Tags of one scheme can be sorted, and old ones can be found and deleted.',
  mend: 'Give the image a tag that the policy allows, and save it under that name.',
  example: "image-tags: '^v?\\d+\\.\\d+\\.\\d+$'",
  options: {
    allowed: option(
      listOf(pattern, 'a list of regular expressions'),
      'regular expressions (RE2), one of which each tag matches',
      [] as readonly Pattern[],
    ),
  },
  main: 'allowed',
  problem: ({ allowed }) => (allowed.length === 0 ? 'no tag is allowed at all: name a pattern' : null),
  *image({ names, image }, { allowed }) {
    for (const name of names) {
      const tag = tagOf(name, image.docker === null);
      if (tag === null || allowed.some(one => one.test(tag))) continue;
      yield { data: { name, tag, allowed: allowed.map(({ source }) => source) }, key: name };
    }
  },
  message: ({ name, tag, allowed }: { name: string; tag: string; allowed: readonly string[] }) =>
    `the tag ${JSON.stringify(tag)} of ${JSON.stringify(name)} matches none of ${allowed.join(', ')}`,
  remedy: () => 'tag the image as the policy asks for, and save it by that name',
});

interface ValueBreach {
  readonly name: string;
  /** null where there is none. */
  readonly value: string | null;
  /** null where any will do; for one that is forbidden too. */
  readonly pattern: string | null;
  readonly isForbidden: boolean;
}

/** Names that have to be there, with values that match, and names that must not. */
function* valueBreaches(
  values: ReadonlyMap<string, string>,
  required: ReadonlyMap<string, Pattern | null>,
  forbidden: readonly string[],
): Generator<Breach<ValueBreach>> {
  for (const [name, wanted] of required) {
    const value = values.get(name) ?? null;
    if (value !== null && (wanted === null ? value !== '' : wanted.test(value))) continue;
    const shown = value === null ? null : valueWithoutSecrets(name, value);
    const data = { name, value: shown, pattern: wanted?.source ?? null, isForbidden: false };
    yield { data, key: name };
  }
  const isForbidden = forbidden.length === 0 ? () => false : pathFilter(forbidden);
  for (const [name, value] of values)
    if (isForbidden(name))
      yield {
        data: { name, value: valueWithoutSecrets(name, value), pattern: null, isForbidden: true },
        key: name,
      };
}

function valueText(what: string, { name, value, pattern: wanted, isForbidden }: ValueBreach): string {
  if (isForbidden) return `the ${what} ${JSON.stringify(name)} is not allowed`;
  const expected = wanted === null ? '' : ` that matches ${wanted}`;
  if (value === null) return `the ${what} ${JSON.stringify(name)}${expected} is missing`;
  return value === ''
    ? `the ${what} ${JSON.stringify(name)} is empty, expected a value${expected}`
    : `the ${what} ${JSON.stringify(name)} is ${JSON.stringify(value)}, expected a value${expected}`;
}

const NAMES = {
  required: option(
    namesWithPatterns,
    'names, each with the regular expression (RE2) that its value matches; null for any value',
    new Map() as ReadonlyMap<string, Pattern | null>,
  ),
  forbidden: option(
    listOf(glob('a name or pattern'), 'a list of names'),
    'names or patterns that must not be there',
    [] as readonly string[],
  ),
};

function namesProblem({
  required,
  forbidden,
}: {
  readonly required: ReadonlyMap<string, unknown>;
  readonly forbidden: readonly string[];
}): string | null {
  if (required.size === 0 && forbidden.length === 0)
    return 'nothing is asked for: expected required or forbidden with names';
  const both = forbidden.length === 0 ? undefined : [...required.keys()].find(pathFilter(forbidden));
  return both === undefined ? null : `${JSON.stringify(both)} is required and forbidden`;
}

export const labels = defineRule({
  code: 'labels',
  subject: 'config',
  severity: 'error',
  what: 'The image has these labels, with values that match.',
  why: 'Labels such as org.opencontainers.image.source and .revision name the source of a running container.',
  mend: 'Write LABEL name=value in the Dockerfile, or build with `--label`. docker/metadata-action sets the labels of OCI.',
  example:
    'labels:\n  required:\n    org.opencontainers.image.source: ^https://github\\.com/acme/\n    org.opencontainers.image.revision: ^[0-9a-f]{40}$\n    org.opencontainers.image.licenses: null   # any value',
  options: NAMES,
  main: 'required',
  problem: namesProblem,
  *image(subject, { required, forbidden }) {
    const at = subject.configPlace('Labels');
    for (const breach of valueBreaches(subject.run.labels, required, forbidden)) yield { ...breach, at };
  },
  message: (data: ValueBreach) => valueText('label', data),
  remedy: ({ name, isForbidden }) => (isForbidden ? `remove LABEL ${name}` : `LABEL ${name}=…`),
});

export const annotations = defineRule({
  code: 'annotations',
  subject: 'config',
  severity: 'error',
  what: 'The manifest of the image, or the descriptor that leads to it, has these annotations, with values that match.',
  why: 'Registries and their tools show and search annotations without reading the config, where labels are.',
  mend: '`docker buildx build --annotation name=value`, or `waybill manifest annotate` for a list. An archive of `docker save` before 25 has no manifest, and no annotations.',
  example: 'annotations: [org.opencontainers.image.source]',
  options: NAMES,
  main: 'required',
  problem: namesProblem,
  *image({ image }, { required, forbidden }) {
    const { manifest } = image;
    const values = new Map(manifest?.descriptors.flatMap(({ descriptor }) => [...descriptor.annotations]));
    for (const [name, value] of manifest?.parsed.annotations ?? []) values.set(name, value);
    yield* valueBreaches(values, required, forbidden);
  },
  message: (data: ValueBreach) => valueText('annotation', data),
  remedy: ({ name, isForbidden }) =>
    isForbidden ? `build without the annotation ${name}` : `buildx build --annotation ${name}=…`,
});

const DAY = 24 * 60 * 60;

interface AgeBreach {
  readonly created: string | null;
  readonly most: number;
  /** Seconds; below 0 for a time that is to come, null where none is known. */
  readonly age: number | null;
}

export const imageAge = defineRule({
  code: 'image-age',
  subject: 'config',
  severity: 'error',
  what: 'The image is not older than this, by the time of creation in its config.',
  why: 'An image that is not rebuilt does not get the security updates of its base.',
  mend: 'Build the image again with --pull, so that the base is updated too. A build with SOURCE_DATE_EPOCH has that time as its creation time: set it to the time of the commit.',
  example: 'image-age: 90d',
  options: { most: option(period, 'how old it may be', 90 * DAY) },
  main: 'most',
  *image({ image, context }, { most }) {
    const created = image.config?.parsed?.created ?? null;
    const time = created === null ? null : unixSeconds(created.toUpperCase());
    const age = time === null ? null : context.now - time;
    // Clocks of builders are not all right to the minute.
    if (age !== null && age <= most && age > -DAY) return;
    yield { data: { created, most, age } };
  },
  message: ({ created, most, age }: AgeBreach) => {
    if (age === null)
      return `its age is not known: the config names ${created === null ? 'no time' : JSON.stringify(created)}`;
    if (age < 0) return `it was created at ${created}, which is in the future`;
    return `it was created at ${created}, ${Math.floor(age / DAY)} days ago; at most ${period.write(most)} are allowed`;
  },
  remedy: () => 'build it again with --pull',
});

const platformList = listOf(platform, 'a list of platforms such as [linux/amd64, linux/arm64]');

const textOf = (known: Platform | null) => (known === null ? null : formatPlatform(known));

interface PlatformBreach {
  readonly wanted: readonly string[];
  readonly found: readonly (string | null)[];
  readonly name: string | null;
}

export const platformsRequired = defineRule({
  code: 'platforms-required',
  subject: 'config',
  severity: 'error',
  what: 'Under each name the archive has an image for each of these platforms.',
  why: '`docker save` often writes only the platform of the machine on which it runs. That the others are missing is then noticed on the machine that loads the archive.',
  mend: '`docker buildx build --platform A,B --output type=oci,dest=image.tar`, or `skopeo copy --all`: `docker save` writes the platforms that the machine has.',
  example: 'platforms-required: [linux/amd64, linux/arm64]',
  options: { platforms: option(platformList, 'platforms that have to be there', []) },
  main: 'platforms',
  problem: ({ platforms }) =>
    platforms.length === 0 ? 'no platform is asked for: expected a list such as [linux/amd64]' : null,
  *archive(subjects, { platforms }) {
    for (const group of byName(subjects)) {
      const found = group.map(({ image }) => image.platform);
      const missing = platforms.filter(
        wanted => !found.some(have => have !== null && platformMatches(have, wanted)),
      );
      if (missing.length === 0) continue;
      const [subject = null] = group;
      const name = subject?.names[0] ?? null;
      const data = { wanted: missing.map(formatPlatform), found: found.map(textOf), name };
      yield { data, subject: group.length === 1 ? subject : null, key: name ?? '' };
    }
  },
  message: ({ wanted, found, name }: PlatformBreach) =>
    `${name === null ? 'the archive' : JSON.stringify(name)} has no image for ${wanted.join(', ')}; there ${found.length === 1 ? 'is' : 'are'} ${found.map(one => one ?? 'unknown').join(', ')}`,
  remedy: ({ wanted }) => `build or copy it for ${wanted.join(', ')} too (skopeo copy --all)`,
});

/** Images that share their names: the platforms of one multi-platform image. */
function byName(subjects: readonly ImageSubject[]): ImageSubject[][] {
  const groups = new Map<string, ImageSubject[]>();
  for (const subject of subjects) {
    const key = JSON.stringify([...subject.names].sort());
    groups.set(key, [...(groups.get(key) ?? []), subject]);
  }
  return [...groups.values()];
}

export const platformsAllowed = defineRule({
  code: 'platforms-allowed',
  subject: 'config',
  severity: 'error',
  what: 'Each image is for one of these platforms.',
  why: 'An image of another platform does not start ("exec format error"), or runs emulated and slowly.',
  mend: 'Build with --platform. In a stage that has to run on another platform, write FROM --platform=…',
  example: 'platforms-allowed: [linux/amd64]',
  options: { platforms: unset(platformList, 'platforms that an image may be for') },
  main: 'platforms',
  problem: ({ platforms }) => (platforms === null ? 'no platform is allowed at all: name one' : null),
  *image({ image }, { platforms }) {
    const have = image.platform;
    if (have !== null && platforms?.some(wanted => platformMatches(have, wanted))) return;
    yield { data: { wanted: platforms?.map(formatPlatform) ?? [], found: [textOf(have)], name: null } };
  },
  message: ({ wanted, found }: PlatformBreach) =>
    `its platform is ${found[0] ?? 'not known'}, allowed are ${wanted.join(', ')}`,
  remedy: ({ wanted }) => `build it with --platform ${wanted[0] ?? 'linux/amd64'}`,
});

export const nameRules = [
  noLatest,
  imageNames,
  imageTags,
  labels,
  annotations,
  imageAge,
  platformsRequired,
  platformsAllowed,
];
