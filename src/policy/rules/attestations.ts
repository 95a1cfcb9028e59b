import { WANTED_FOR_PACKAGES } from '../../analysis/packages.js';
import { compareSbom, type SbomDifference } from '../../attestations/compare.js';
import type { Attestation } from '../../attestations/discover.js';
import type { SbomFormat } from '../../attestations/sbom.js';
import { PACKAGE_TYPES, type PackageType } from '../../packages/purl.js';
import { pathIn } from '../../report/read.js';
import { nameFilter } from '../image-names.js';
import { type Breach, defineRule, option } from '../rule.js';
import type { ImageSubject } from '../subject.js';
import { choice, flag, glob, listOf } from '../types.js';

type SbomBreach =
  | { readonly what: 'none' }
  | { readonly what: 'about-another'; readonly format: SbomFormat; readonly subject: string | null }
  | {
      readonly what: 'differs';
      readonly format: SbomFormat;
      readonly differences: number;
      readonly missingHere: number;
      readonly missingThere: number;
      readonly otherVersion: number;
      /** The first ones. */
      readonly first: readonly SbomDifference[];
    };

const type = choice(...(PACKAGE_TYPES as readonly [PackageType, ...PackageType[]]));

/** Differences in the data of a finding. */
const TOLD = 5;

export const sbomMatches = defineRule({
  code: 'sbom-matches',
  subject: 'content',
  severity: 'error',
  what: 'Each SBOM that is attached to the image is about this image, and lists the packages that the image has, in their versions.',
  why: 'An SBOM is believed when the next vulnerability is looked up. One of another build hides the package that is in the image, or tells of one that is not.',
  mend: 'Make the SBOM from the image that is delivered: `docker buildx build --sbom=true`, or `waybill packages IMAGE -o sbom.cdx.json`. `waybill attestations ARCHIVE --compare` lists all differences. Epochs, architectures, vendors and source packages are forgiven; docs/sbom.md has the list. `allow` takes packages that may differ.',
  example:
    'sbom-matches: on\n# or, of the distribution alone\nsbom-matches:\n  types: [deb, apk, rpm]\n  required: true',
  options: {
    types: option(listOf(type, 'types of packages'), 'types that are compared; all if there are none', []),
    allow: option(
      listOf(glob('a name or pattern such as lib*'), 'a list of names'),
      'packages that may differ',
      [],
    ),
    required: option(flag, 'an image without an SBOM does not keep to the rule', false),
  },
  main: 'types',
  needs: () => ({ files: true, contents: WANTED_FOR_PACKAGES }),
  *image(subject, options): Generator<Breach<SbomBreach>> {
    const sboms = subject.attestations.filter(({ kind }) => kind === 'sbom');
    if (sboms.length === 0 && options.required) yield { data: { what: 'none' }, key: 'none' };
    for (const attestation of sboms) yield* breachesOf(subject, attestation, options);
  },
  message: sbomText,
  remedy: ({ what }) =>
    what === 'none'
      ? 'attach one: docker buildx build --sbom=true'
      : 'make the SBOM from this image, and attach it again',
});

interface Options {
  readonly types: readonly PackageType[];
  readonly allow: readonly string[];
}

function* breachesOf(
  subject: ImageSubject,
  attestation: Attestation,
  options: Options,
): Generator<Breach<SbomBreach>> {
  const { member, artifact, sbom, sbomFormat, problem } = attestation;
  const format = sbomFormat!;
  const path = pathIn(subject.part.part, member?.path ?? artifact.path);
  const place = { at: { path, pointer: null }, key: format };
  if (attestation.subject === 'another-image' || attestation.subject === 'elsewhere') {
    yield { ...place, data: { what: 'about-another', format, subject: attestation.subjects[0] ?? null } };
    return;
  }
  const unread = unreadIn(subject);
  if (sbom === null || problem !== null || unread !== null) {
    const reason = unread ?? `the SBOM (${format}) cannot be read: ${problem?.code ?? 'no-sbom'}`;
    yield { ...place, unchecked: reason };
    return;
  }
  const isAllowed = options.allow.length === 0 ? () => false : nameFilter(options.allow);
  const { differences } = compareSbom(sbom, subject.packages.packages);
  const told = differences.filter(
    one => (options.types.length === 0 || options.types.includes(one.type)) && !isAllowed(one.name),
  );
  if (told.length > 0) yield { ...place, data: { what: 'differs', format, ...countsOf(told) } };
}

/** Why the packages of the image are not all known; null where they are. */
function unreadIn({ unread, packages }: ImageSubject): string | null {
  if (unread !== null) return `not all files of the image are known: ${unread}`;
  const [note] = packages.notes;
  return note === undefined ? null : `not all packages of the image are known: /${note.path}: ${note.reason}`;
}

function countsOf(all: readonly SbomDifference[]) {
  const of = (wanted: SbomDifference['kind']) => all.filter(({ kind }) => kind === wanted).length;
  return {
    differences: all.length,
    missingHere: of('missing-here'),
    missingThere: of('missing-there'),
    otherVersion: of('other-version'),
    first: all.slice(0, TOLD),
  };
}

const FORMATS: Readonly<Record<SbomFormat, string>> = { spdx: 'SPDX', cyclonedx: 'CycloneDX', syft: 'syft' };

function sbomText(data: SbomBreach): string {
  if (data.what === 'none') return 'no SBOM is attached to the image';
  const sbom = `the SBOM (${FORMATS[data.format]})`;
  if (data.what === 'about-another')
    return `${sbom} that is attached to the image is about another one: ${data.subject ?? 'no digest'}`;
  const parts = [
    [data.otherVersion, 'in another version'],
    [data.missingHere, 'not in the image'],
    [data.missingThere, 'not in the SBOM'],
  ].flatMap(([number, words]) => (number === 0 ? [] : [`${number} ${words}`]));
  const first = data.first.map(differenceText).join(', ');
  const more =
    data.differences > data.first.length ? ` and ${data.differences - data.first.length} more` : '';
  return `${sbom} is not that of the image: packages ${parts.join(', ')}: ${first}${more}`;
}

function differenceText({ kind, name, listed, installed }: SbomDifference): string {
  const versions = (all: readonly string[]) => all.map(version => version || 'unknown').join(' and ');
  if (kind === 'missing-here') return `${name} ${versions(listed)} (not in the image)`;
  if (kind === 'missing-there') return `${name} ${versions(installed)} (not in the SBOM)`;
  if (installed.length === 0) return `${name} ${versions(listed)} (not in the image in this version)`;
  if (listed.length === 0) return `${name} ${versions(installed)} (not in the SBOM in this version)`;
  return `${name} ${versions(installed)} (the SBOM says ${versions(listed)})`;
}

export const attestationRules = [sbomMatches];
