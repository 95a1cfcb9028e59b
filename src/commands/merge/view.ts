import type { LayerSum } from '../../fleet/merge-layers.js';
import {
  type FleetArchive,
  type LayerBytes,
  nameOfArchive,
  VERDICT_NAMES,
} from '../../fleet/merge-totals.js';
import type { Severity } from '../../link/observation.js';
import { type Block, type Column, type Doc, gap, heading, span, type Text, text } from '../../report/doc.js';
import { count, id, NONE, sizeWriter, type Units } from '../../report/words.js';
import { shortDigest } from '../../spec/digest.js';
import { type FleetReport, type ImageSummary, sameBytes } from './report.js';

export interface FleetViewOptions {
  readonly units: Units;
  /** Rows of each table that are shown at once, at least 1; the others are folded. */
  readonly top: number;
}

/**
 * Rows of a table that a page or a text has at most: more would make a page that no browser opens in a moment. JSON,
 * CSV and rows have all.
 */
const MOST = 10_000;

/** The report for people: the verdict and the worst archives first, then why, which images, and how many bytes. */
export function fleetDoc(report: FleetReport, options: FleetViewOptions): Doc {
  return [
    ...head(report),
    ...archivesPart(report, options),
    ...findingsPart(report, options),
    ...verdictsPart(report),
    ...bytesPart(report, options),
    ...basesPart(report, options),
    ...duplicatesPart(report, options),
    ...imagesPart(report, options),
  ];
}

function head(report: FleetReport): Doc {
  const { totals, tool, command, policy, list, problems, exitCode } = report;
  const run = [
    ...(command === null ? [] : [`${command} by ${tool}`]),
    list.shards === 1 ? 'one run' : count(list.shards, 'shard'),
    policy === null ? 'no policy' : `policy ${shortDigest(policy)}`,
  ].join(', ');
  const images = `${count(totals.images, 'image')}, ${totals.distinctImages} distinct`;
  const others = totals.others === 0 ? '' : `; ${count(totals.others, 'other file')} of folders: no archives`;
  const result = span(resultText(report), exitCode === 0 ? 'good' : 'bad');
  return [
    ...(problems.length === 0
      ? []
      : [text([span('INCOMPLETE: these are not all results (--allow-partial)', 'bad')])]),
    {
      kind: 'pairs',
      rows: [
        ['fleet', [span(count(totals.archives, 'archive'), 'strong'), others]],
        ['result', [result]],
        ['images', images],
        ['run', run],
      ],
    },
    ...partialLines(report),
    ...reasonsPart(report),
  ];
}

/** `90 without a report, 212 failed, 9698 passed`. */
function resultText({ totals }: FleetReport): string {
  const { archives, unread, failed, passed } = totals;
  if (archives === 0) return 'no archives';
  return [
    ...(unread === 0 ? [] : [`${unread} without a report`]),
    ...(failed === 0 ? [] : [`${failed} failed`]),
    passed === archives ? 'all passed' : `${passed} passed`,
  ].join(', ');
}

function partialLines({ problems }: FleetReport): Doc {
  if (problems.length === 0) return [];
  return [
    gap,
    text([span('Missing, or not as it should be:', 'bad')]),
    ...problems.flatMap(({ what, remedy }) => [
      text([span(what, 'warn')], 2),
      ...(remedy === null ? [] : remedy.split('\n').map(line => text(line, 4))),
    ]),
  ];
}

/** Reasons that are shown at the top. */
const REASONS = 8;

/** Why archives are bad: the reasons, those of most archives first, and an archive of each. */
function reasonsPart({ unread, findings, totals }: FleetReport): Doc {
  const rows = [
    ...unread.map(({ what, archives, first }) => ({ archives, result: 2 as const, reason: what, first })),
    ...findings
      .filter(({ failing }) => failing > 0)
      .map(({ code, archives, first }) => ({ archives, result: 1 as const, reason: code, first })),
  ];
  if (rows.length === 0)
    return totals.failed === 0
      ? []
      : [text('No finding fails: the exit code of the failed archives is 1 for another reason.')];
  const columns: readonly Column[] = [
    { title: 'archives', align: 'right' },
    { title: 'result' },
    { title: 'why', fold: true },
    { title: 'first in', shrink: true, fold: true },
  ];
  const row = ({ archives, result, reason, first }: (typeof rows)[number]): Text[] => [
    String(archives),
    [RESULTS[result]],
    reason,
    first,
  ];
  return [gap, ...longTable(columns, rows, row, REASONS, 'reasons')];
}

function archivesPart({ archives, totals }: FleetReport, { top }: FleetViewOptions): Doc {
  const bad = totals.failed + totals.unread;
  const columns: readonly Column[] = [
    { title: 'archive', fold: true },
    { title: 'result' },
    { title: 'why', shrink: true, fold: true },
    { title: 'findings' },
    { title: 'images', align: 'right' },
  ];
  if (archives.length === 0) return [];
  if (bad === 0)
    return [gap, heading('Archives', 2), ...longTable(columns, archives, archiveRow, top, 'archives')];
  const passed = archives.slice(bad);
  return [
    gap,
    heading(`Archives, worst first: ${bad} of ${totals.archives} bad`, 2),
    ...longTable(columns, archives.slice(0, bad), archiveRow, top, 'bad archives'),
    ...(passed.length === 0
      ? []
      : [folded(columns, passed, archiveRow, `${passed.length} passed`, '--verbose lists them')]),
  ];
}

const RESULTS = [span('passed', 'good'), span('failed', 'bad'), span('no report', 'bad')] as const;

/** Characters of a reason in a table. */
const REASON = 160;

function archiveRow(archive: FleetArchive): Text[] {
  const { exitCode, error, images, findings, worst } = archive;
  const why = error ?? (worst === null ? '' : `${worst.code}: ${worst.message}`);
  return [
    nameOfArchive(archive),
    [RESULTS[exitCode]],
    why.length <= REASON ? why : `${why.slice(0, REASON).replace(/[\ud800-\udbff]$/, '')}…`,
    error === null ? severityCounts(findings) : NONE,
    error === null ? String(images) : NONE,
  ];
}

const NOUNS: readonly (readonly [Severity, string])[] = [
  ['error', 'error'],
  ['warning', 'warning'],
  ['info', 'note'],
];

function severityCounts(findings: Readonly<Record<Severity, number>>): string {
  const parts = NOUNS.filter(([severity]) => findings[severity] > 0);
  return parts.map(([severity, noun]) => count(findings[severity], noun)).join(', ') || NONE;
}

/**
 * The first rows, and the others where a format can unfold them.
 * @param bar  bytes of a row, for a bar beside it
 */
function longTable<T>(
  columns: readonly Column[],
  items: readonly T[],
  row: (item: T) => readonly Text[],
  top: number,
  noun: string,
  bar?: (item: T) => number | null,
): Doc {
  const first = items.slice(0, top);
  const table: Block = {
    kind: 'table',
    columns,
    rows: first.map(row),
    ...(bar !== undefined && { bars: first.map(bar) }),
  };
  const left = items.length - first.length;
  if (left === 0) return [table];
  const hint = `--top ${items.length} shows all`;
  return [table, folded(columns, items.slice(top), row, `and ${left} more ${noun}`, hint)];
}

function folded<T>(
  columns: readonly Column[],
  items: readonly T[],
  row: (item: T) => readonly Text[],
  summary: string,
  hint: string,
): Block {
  const shown = items.slice(0, MOST);
  const rows = { [Symbol.iterator]: () => rowsOf(shown, row) };
  const beyond = items.length - shown.length;
  const listing: Block = { kind: 'listing', columns, rows, count: shown.length };
  const rest = beyond === 0 ? [] : [text(`${beyond} more are in the JSON, the CSV and the rows.`, 2)];
  return { kind: 'folded', summary, hint, rest: [listing, ...rest] };
}

function* rowsOf<T>(items: readonly T[], row: (item: T) => readonly Text[]): Generator<readonly Text[]> {
  for (const item of items) yield row(item);
}

const STYLES = { error: 'bad', warning: 'warn', info: 'dim' } as const;

function findingsPart({ findings }: FleetReport, { top }: FleetViewOptions): Doc {
  if (findings.length === 0) return [];
  const columns: readonly Column[] = [
    { title: 'finding' },
    { title: 'severity' },
    { title: 'archives', align: 'right' },
    { title: 'findings', align: 'right' },
    { title: 'failing', align: 'right' },
    { title: 'first in', shrink: true },
  ];
  const row = ({ code, severity, archives, count: all, failing, first }: FleetReport['findings'][number]) => [
    [span(code, failing > 0 ? 'strong' : null)],
    [span(severity === 'info' ? 'note' : severity, STYLES[severity])],
    String(archives),
    String(all),
    String(failing),
    first,
  ];
  return [
    gap,
    heading('Findings', 2),
    ...longTable(columns, findings, row, top, 'kinds of findings'),
    text([span('`waybill explain CODE` says what a finding means and what to do.', 'dim')], 2),
  ];
}

function verdictsPart({ verdicts, totals, command }: FleetReport): Doc {
  if (totals.archives === 0 || command === 'sizes') return [];
  const columns: readonly Column[] = [
    { title: 'verdict' },
    { title: 'yes', align: 'right' },
    { title: 'no', align: 'right' },
    { title: 'not known', align: 'right' },
  ];
  const rows = VERDICT_NAMES.map((name): Text[] => {
    const { yes, no, unknown } = verdicts[name];
    return [name, String(yes), [span(String(no), no > 0 ? 'bad' : null)], String(unknown)];
  });
  return [gap, heading('Verdicts', 2), { kind: 'table', columns, rows }];
}

function bytesPart({ bytes, sharedLayers, totals }: FleetReport, { top, units }: FleetViewOptions): Doc {
  if (totals.archives === 0) return [];
  const write = sizeWriter(units);
  const { files, copies, stored, unpacked } = bytes;
  const columns: readonly Column[] = [
    { title: '' },
    { title: 'in all', align: 'right' },
    { title: 'once in the fleet', align: 'right' },
    { title: 'the same', align: 'right' },
    { title: 'layers', align: 'right' },
    { title: 'distinct', align: 'right' },
  ];
  const once = { ...files, bytes: files.bytes - copies.bytes, count: files.count - copies.count };
  const rows: Text[][] = [
    ['archive files', atLeast(files, write), atLeast(once, write), share(files, once, write), '', ''],
    layersRow('layers, stored (by digest)', stored, write),
    layersRow('layers, unpacked (by diff_id)', unpacked, write),
  ];
  return [
    gap,
    heading('Bytes', 2),
    { kind: 'table', columns, rows },
    text(
      [span(`An image by itself: ${imageSums(stored, unpacked, write)}, added up over all images.`, 'dim')],
      2,
    ),
    ...sharedPart(sharedLayers, write, top),
  ];
}

const imageSums = (stored: LayerBytes, unpacked: LayerBytes, write: Write) =>
  `${atLeast(stored.inImages, write)} stored, ${atLeast(unpacked.inImages, write)} unpacked`;

type Write = (bytes: number | null) => string;

const atLeast = ({ bytes, unknown }: LayerSum, write: Write): string =>
  `${unknown > 0 ? 'at least ' : ''}${write(bytes)}`;

const layersRow = (label: string, { inArchives, distinct }: LayerBytes, write: Write): Text[] => [
  label,
  atLeast(inArchives, write),
  atLeast(distinct, write),
  share(inArchives, distinct, write),
  String(inArchives.count),
  String(distinct.count),
];

function share(all: LayerSum, distinct: LayerSum, write: Write): string {
  const same = sameBytes(all, distinct);
  return same === 0 ? write(0) : `${write(same)} (${Math.floor((100 * same) / all.bytes)} %)`;
}

function sharedPart({ count: all, largest }: FleetReport['sharedLayers'], write: Write, top: number): Doc {
  if (all === 0) return [];
  const columns: readonly Column[] = [
    { title: 'shared layer (diff_id)' },
    { title: 'unpacked', align: 'right' },
    { title: 'archives', align: 'right' },
    { title: 'the same', align: 'right' },
    { title: 'first in image', shrink: true },
  ];
  const row = ({ diffId, size, archives, image }: (typeof largest)[number]): Text[] => [
    id(diffId),
    write(size),
    String(archives),
    write(size === null ? null : size * (archives - 1)),
    image,
  ];
  return [
    gap,
    heading(`Shared layers: ${all}`, 3),
    ...longTable(columns, largest, row, top, 'of the largest', ({ size, archives }) =>
      size === null ? null : size * (archives - 1),
    ),
  ];
}

function basesPart({ bases, totals }: FleetReport, { top }: FleetViewOptions): Doc {
  const { inFleet, claimed } = bases;
  if (inFleet.length + claimed.length === 0) return [];
  const built = inFleet.reduce((sum, { images }) => sum + images, 0);
  const columns: readonly Column[] = [
    { title: 'base', shrink: true },
    { title: 'image ID' },
    { title: 'layers', align: 'right' },
    { title: 'images on it', align: 'right' },
    { title: 'archives', align: 'right' },
  ];
  const row = ({ image, imageId, layers, images, archives }: (typeof inFleet)[number]): Text[] => [
    image,
    id(imageId),
    String(layers),
    String(images),
    String(archives),
  ];
  const found: Doc =
    inFleet.length === 0
      ? []
      : [
          text(
            `${built} of ${count(totals.distinctImages, 'distinct image')} begin with all layers of another image of the fleet.`,
          ),
          ...longTable(columns, inFleet, row, top, 'bases'),
        ];
  return [gap, heading('Bases', 2), ...found, ...claimedPart(claimed, top)];
}

function claimedPart(claimed: FleetReport['bases']['claimed'], top: number): Doc {
  if (claimed.length === 0) return [];
  const columns: readonly Column[] = [
    { title: 'claimed base', shrink: true },
    { title: 'digest' },
    { title: 'images', align: 'right' },
    { title: 'in the fleet' },
  ];
  const row = ({ name, digest, images, confirmed, refuted }: (typeof claimed)[number]): Text[] => [
    name ?? NONE,
    id(digest),
    String(images),
    refuted > 0
      ? [span(`NOT the base of ${refuted}`, 'bad')]
      : confirmed > 0
        ? [span(`the base of ${confirmed}`, 'good')]
        : NONE,
  ];
  return [
    gap,
    heading('Claimed bases', 3),
    text('By org.opencontainers.image.base.name and .digest, in annotations or labels.'),
    ...longTable(columns, claimed, row, top, 'claimed bases'),
  ];
}

function duplicatesPart({ duplicates }: FleetReport, { units, top }: FleetViewOptions): Doc {
  const { files, names } = duplicates;
  if (files.length + names.length === 0) return [];
  const write = sizeWriter(units);
  const fileColumns: readonly Column[] = [
    { title: 'times', align: 'right' },
    { title: 'each', align: 'right' },
    { title: 'equal files', shrink: true },
  ];
  const fileRow = ({ size, paths }: (typeof files)[number]): Text[] => [
    String(paths.length),
    write(size),
    someOf(paths),
  ];
  const nameColumns: readonly Column[] = [
    { title: 'images', align: 'right' },
    { title: 'name', shrink: true },
    { title: 'platform' },
    { title: 'IDs', shrink: true },
  ];
  const nameRow = ({ name, platform, images }: (typeof names)[number]): Text[] => [
    String(images.length),
    name,
    platform ?? NONE,
    someOf(images.map(shortDigest)),
  ];
  return [
    gap,
    heading('Duplicates', 2),
    ...(files.length === 0
      ? []
      : [
          heading(`Files that are there more than once: ${files.length}`, 3),
          ...longTable(fileColumns, files, fileRow, top, 'files'),
        ]),
    ...(names.length === 0
      ? []
      : [
          heading(`One name, different images: ${names.length}`, 3),
          ...longTable(nameColumns, names, nameRow, top, 'names'),
        ]),
  ];
}

/** Texts of one cell. */
const SOME = 3;

const someOf = (texts: readonly string[]): string =>
  texts.length <= SOME
    ? texts.join(', ')
    : `${texts.slice(0, SOME).join(', ')} and ${texts.length - SOME} more`;

function imagesPart({ images, duplicates }: FleetReport, { units, top }: FleetViewOptions): Doc {
  if (images.length === 0) return [];
  const write = sizeWriter(units);
  const columns: readonly Column[] = [
    { title: 'image', shrink: true },
    { title: 'image ID' },
    { title: 'platform' },
    { title: 'archives', align: 'right' },
    { title: 'stored', align: 'right' },
    { title: 'unpacked', align: 'right' },
    { title: 'base in the fleet', shrink: true },
    { title: 'found in', shrink: true, fold: true },
  ];
  const row = (image: ImageSummary): Text[] => [
    namesOf(image),
    id(image.imageId ?? image.manifestDigest),
    image.platform ?? NONE,
    String(image.archives.length),
    write(image.stored),
    write(image.unpacked),
    image.base?.image ?? NONE,
    someOf(image.archives),
  ];
  const title =
    duplicates.images === 0
      ? `Images: ${images.length} distinct`
      : `Images: ${images.length} distinct, ${duplicates.images} in several archives`;
  return [gap, heading(title, 2), ...longTable(columns, images, row, top, 'images')];
}

const namesOf = (image: ImageSummary): string => {
  if (image.names.length === 0) return '(untagged)';
  const more = image.nameCount - Math.min(SOME, image.names.length);
  const names = image.names.slice(0, SOME).join(', ');
  return more <= 0 ? names : `${names} and ${more} more`;
};
