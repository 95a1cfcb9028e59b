import type { Compression } from '../../codec/registry.js';
import { rfc3339, unixSeconds } from '../../go/time.js';
import { pathIn } from '../../report/read.js';
import { nameText, rootedPath } from '../../scan/entries/name.js';
import { type EntryTable, nameAt } from '../../scan/entries/table.js';
import { defineRule, option, unset } from '../rule.js';
import type { ImageSubject } from '../subject.js';
import { choice, flag, instant, listOf, textLike } from '../types.js';

const FAMILIES = { oci: 'application/vnd.oci.', docker: 'application/vnd.docker.' } as const;

interface MediaTypeBreach {
  readonly of: string;
  readonly mediaType: string | null;
  readonly allowed: readonly string[];
}

export const mediaTypes = defineRule({
  code: 'media-types',
  subject: 'form',
  severity: 'error',
  what: 'Manifest, config and layers of the image have these media types.',
  why: 'Some registries, mirrors and runtimes refuse the media types of Docker, others those of OCI. Some clients cannot read an image that has both.',
  mend: '`buildx build --output type=oci` (or `type=docker,oci-mediatypes=true`), `skopeo copy --format oci` or `--format v2s2` write all media types of one kind.',
  example: 'media-types: oci',
  options: {
    allowed: option(
      listOf(textLike('oci, docker or a media type'), 'a list of media types'),
      '`oci`, `docker`, or media types in full',
      ['oci'] as readonly string[],
    ),
    undeclared: option(
      flag,
      'whether a part without a media type is allowed, as `docker save` before 25 writes all of them',
      false,
    ),
  },
  main: 'allowed',
  *image(subject, { allowed, undeclared }) {
    const { manifest, layers } = subject.image;
    const parts = [
      { of: 'manifest', mediaType: manifest?.mediaType ?? null },
      { of: 'config', mediaType: manifest?.parsed.config?.mediaType ?? null },
      ...layers.map(({ mediaType }, layer) => ({ of: `layer ${layer + 1}`, mediaType, layer })),
    ];
    for (const { of, mediaType, ...place } of parts) {
      const isAllowed = mediaType === null ? undeclared : allowed.some(one => isOfType(mediaType, one));
      if (!isAllowed) yield { data: { of, mediaType, allowed }, ...place, key: of };
    }
  },
  message: ({ of, mediaType, allowed }: MediaTypeBreach) =>
    `the media type of its ${of}: expected ${allowed.join(' or ')}, found ${mediaType ?? 'none'}`,
  remedy: () => 'write the archive as one kind: skopeo copy --format oci, or buildx --output type=oci',
});

const isOfType = (mediaType: string, allowed: string) =>
  allowed in FAMILIES
    ? mediaType.startsWith(FAMILIES[allowed as keyof typeof FAMILIES])
    : mediaType === allowed;

const COMPRESSIONS = ['none', 'gzip', 'zstd', 'xz', 'bzip2'] as const satisfies readonly Compression[];

export const compression = defineRule({
  code: 'compression',
  subject: 'form',
  severity: 'error',
  what: 'Each layer is compressed with one of these.',
  why: 'Old engines cannot read zstd, and few engines read xz and bzip2. An archive with uncompressed layers is several times as large.',
  mend: '`buildx build --output type=oci,compression=zstd,force-compression=true`, or `skopeo copy --dest-compress-format zstd`.',
  example: 'compression: [gzip, zstd]',
  options: {
    allowed: option(
      listOf(choice(...COMPRESSIONS), 'a list of none, gzip, zstd, xz, bzip2'),
      'what a layer may be compressed with',
      ['gzip', 'zstd'] as readonly (typeof COMPRESSIONS)[number][],
    ),
  },
  main: 'allowed',
  *image({ image, report, layerSizes }, { allowed }) {
    for (const [layer, { compression: found }] of report.layers.entries()) {
      const isEncrypted = image.layers[layer]!.encrypted && layerSizes[layer]!.unpacked === null;
      if (found === null || isEncrypted) {
        yield { unchecked: `the compression of layer ${layer + 1} is not known`, layer, key: String(layer) };
      } else if (!(allowed as readonly string[]).includes(found))
        yield { data: { found, allowed }, layer, key: String(layer) };
    }
  },
  message: ({ found, allowed }: { readonly found: string; readonly allowed: readonly string[] }) =>
    `its compression: expected ${allowed.join(' or ')}, found ${found}`,
  remedy: ({ allowed }) => `compress it again: skopeo copy --dest-compress-format ${allowed[0] ?? 'gzip'}`,
});

interface HistoryGap {
  readonly layers: number;
  readonly entries: number;
  /** How many of the layers have no instruction. */
  readonly unnamed: number;
}

export const history = defineRule({
  code: 'history',
  subject: 'form',
  severity: 'error',
  what: 'The history says which instruction made each layer.',
  why: 'Without it a finding about a layer cannot name the line of the Dockerfile that has to change.',
  mend: 'Build without --squash, and with a builder that writes history (BuildKit and buildah do; `buildah --omit-history` does not).',
  example: 'history: on',
  options: {},
  *image(subject) {
    const { layers, config } = subject.image;
    const entries = config?.parsed?.history.filter(step => !step.emptyLayer).length ?? 0;
    const first = layers.findIndex((_, layer) => subject.instructionOf(layer) === null);
    if (entries === layers.length && first < 0) return;
    const unnamed = layers.filter((_, layer) => subject.instructionOf(layer) === null).length;
    yield { data: { layers: layers.length, entries, unnamed }, layer: first < 0 ? undefined : first };
  },
  message: ({ layers, entries, unnamed }: HistoryGap) =>
    entries === layers
      ? `the history does not name the instruction of ${unnamed} of its ${layers} layers`
      : `the history has ${entries} entries for its ${layers} layers`,
  remedy: () => 'build it without --squash, with a builder that writes history',
});

export const noUnreferencedBlobs = defineRule({
  code: 'no-unreferenced-blobs',
  subject: 'form',
  severity: 'error',
  what: 'Each blob of the archive belongs to one of its images or artifacts. `unreferenced-blobs` of `verify` gets this severity.',
  why: 'Blobs to which nothing refers make the archive larger. They may be data that was meant to be removed.',
  mend: 'Write the archive again: `skopeo copy --all oci:OLD oci:NEW`, or `umoci gc --layout DIR`.',
  example: 'no-unreferenced-blobs: on',
  options: {},
  raises: ['unreferenced-blobs'],
  message: () => '',
});

export const noMissingBlobs = defineRule({
  code: 'no-missing-blobs',
  subject: 'form',
  severity: 'error',
  what: 'The archive has all platforms, manifests, configs and layers that its documents name, foreign layers too. Findings of `verify` about what is absent get this severity.',
  why: 'Without a network a missing blob cannot be fetched.',
  mend: '`skopeo copy --all` writes all platforms; foreign layers need `--dest-oci-accept-uncompressed-layers` or a file of their own.',
  example: 'no-missing-blobs: on',
  options: {},
  raises: [
    'platform-absent',
    'manifest-missing',
    'config-missing',
    'layer-missing',
    'foreign-layer-absent',
    'v1-parent-missing',
    'parent-missing',
  ],
  message: () => '',
});

interface LateTime {
  /** Where the first is: config, history entry, file of a layer, member of the archive. */
  readonly of: string;
  readonly time: string;
  readonly latest: string;
  /** How many more there are of the kind. */
  readonly more: number;
}

export const reproducible = defineRule({
  code: 'reproducible',
  subject: 'form',
  severity: 'error',
  what: 'No time in the image is later than SOURCE_DATE_EPOCH: not in its config, its history or the files of its layers, nor in the headers of the archive.',
  why: 'Two builds of one source have the same digest only if no time of the build is in them. https://reproducible-builds.org/specs/source-date-epoch/',
  mend: '`SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) docker buildx build --output type=oci,dest=image.tar,rewrite-timestamp=true .`',
  example: 'reproducible: on\n# or, without the environment\nreproducible: 2026-11-01',
  options: {
    latest: unset(
      instant,
      'the latest time that is allowed; SOURCE_DATE_EPOCH of the environment where it is left out, or else the time of the config',
    ),
  },
  main: 'latest',
  needs: () => ({ files: true }),
  *image(subject, options) {
    const { image, context, part } = subject;
    const created = timeOf(image.config?.parsed?.created ?? null);
    const latest = options.latest ?? context.epoch ?? created;
    if (latest === null)
      return yield { unchecked: 'neither the policy, SOURCE_DATE_EPOCH nor the config names a time' };
    if (subject.unread !== null)
      yield { unchecked: `the times of not all files are known: ${subject.unread}`, key: 'files' };
    const late = (of: string, seconds: number, more = 0): LateTime => ({
      of,
      time: rfc3339(seconds),
      latest: rfc3339(latest),
      more,
    });
    if (created !== null && created > latest) yield { data: late('config', created), key: 'config' };
    const steps = image.config?.parsed?.history ?? [];
    const times = steps.map(step => timeOf(step.created) ?? 0);
    const first = times.findIndex(time => time > latest);
    if (first >= 0) {
      const more = times.filter(time => time > latest).length - 1;
      yield { data: late(`history entry ${first + 1}`, times[first]!, more), key: 'history' };
    }
    for (const [layer, table] of subject.tables.entries()) {
      const found = table === null ? null : lateEntry(table, latest);
      if (found === null) continue;
      const { path, seconds, more } = found;
      yield { data: late(`/${path}`, seconds, more), path, layer, key: String(layer) };
    }
    const late1 = lateMember(subject, latest);
    if (late1 !== null)
      yield {
        data: late(`member ${late1.path}`, late1.seconds, late1.more),
        at: { path: pathIn(part.part, late1.path), pointer: null },
        key: 'members',
      };
  },
  message: ({ of, time, latest, more }: LateTime) =>
    `the time of ${of} is ${time}, after ${latest}${more === 0 ? '' : ` (and ${more} more)`}`,
  remedy: ({ of }) =>
    of.startsWith('/')
      ? 'buildx build --output …,rewrite-timestamp=true sets the times of files'
      : 'build with SOURCE_DATE_EPOCH set',
});

const timeOf = (text: string | null) => (text === null ? null : unixSeconds(text.toUpperCase()));

function lateEntry(table: EntryTable, latest: number) {
  let first = -1;
  let count = 0;
  for (let index = 0; index < table.count; index++) {
    if (table.times[index]! <= latest) continue;
    if (first < 0) first = index;
    count++;
  }
  if (first < 0) return null;
  const path = nameText(rootedPath(nameAt(table, first)));
  return { path, seconds: table.times[first]!, more: count - 1 };
}

function lateMember({ part }: ImageSubject, latest: number) {
  const late = part.scan.members.filter(({ mtime }) => mtime !== undefined && mtime > latest);
  const [first] = late;
  return first === undefined ? null : { path: first.path, seconds: first.mtime!, more: late.length - 1 };
}

export const formRules = [
  mediaTypes,
  compression,
  history,
  noUnreferencedBlobs,
  noMissingBlobs,
  reproducible,
];
