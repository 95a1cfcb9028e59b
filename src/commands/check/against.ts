import { KEPT_FOR_PACKAGES } from '../../analysis/installed.js';
import { isTextBeginningWith, readText } from '../../containers/text-file.js';
import { InputError } from '../../errors.js';
import type {
  Against,
  DirectoryChange,
  ImageComparison,
  LayerChange,
  PackageChange,
} from '../../policy/comparison.js';
import { signed } from '../../policy/rules/comparison.js';
import { parseSavedReport } from '../../policy/saved-report.js';
import { subjectsOf } from '../../policy/subject.js';
import { type Block, type Doc, span, type Text, text } from '../../report/doc.js';
import type { ArchiveReading, ReadOptions } from '../../report/read.js';
import { reportOf } from '../../report/report.js';
import { requireImages, selectImages } from '../../report/select.js';
import { count, madeBy, NONE, size } from '../../report/words.js';

/** The options to read an archive for its inventory. */
export const inventoryReadOptions: ReadOptions = { depth: 'files', files: KEPT_FOR_PACKAGES };

/** A report lists five thousand directories and a thousand packages for each image. */
const REPORT_BYTES = 256 * 1024 * 1024;

/**
 * Reads what `--against` names: a report of `waybill check --json`, or an archive.
 * @param name  for people: without the directories that it lies in
 * @throws InputError for what is neither, and for an archive without an image
 */
export async function loadAgainst(
  { archive, ref }: { readonly archive: string; readonly ref?: string | undefined },
  read: (file: string, options: ReadOptions) => Promise<ArchiveReading>,
): Promise<Against> {
  const isReport = /\.json$/i.test(archive) || (await isTextBeginningWith(archive, '{'));
  return isReport ? savedIn(archive) : imagesIn(archive, ref, await read(archive, inventoryReadOptions));
}

async function savedIn(file: string): Promise<Against> {
  const result = await readText(file, REPORT_BYTES);
  const parsed = 'reason' in result ? result : parseSavedReport(result.text);
  if ('reason' in parsed) throw new InputError(`--against: ${parsed.reason}`, file);
  return { file, images: parsed.images };
}

function imagesIn(file: string, ref: string | undefined, reading: ArchiveReading): Against {
  requireImages(reading);
  const chosen = selectImages(reading, { ref });
  const subjects = subjectsOf(reading, chosen, reportOf(reading, chosen), { now: 0, epoch: null });
  const images = subjects.map(({ names, report: { platform }, inventory }) => ({
    names,
    platform,
    inventory,
  }));
  return { file, images };
}

/** Rows of each list that are shown unless all are asked for. */
const ROWS = 10;

/** The changes since the earlier image: sizes, then growth and shrinkage by layer, directory and package. */
export function comparisonDoc(comparison: ImageComparison, isAll: boolean): Doc {
  const { file, names, layers, directories, packages } = comparison;
  const rows = [
    ...limited(layers.filter(isResized), isAll).map(layerRow),
    ...limited([...(directories ?? [])].sort(byChange), isAll).map(directory =>
      directoryRow(directory, layers),
    ),
    ...limited([...(packages ?? [])].sort(byChange), isAll).map(packageRow),
  ];
  const named = names.length === 0 ? '' : ` (${names.join(', ')})`;
  return [
    text([span('compared with ', 'dim'), `${file}${named}: `, span(totalText(comparison), 'strong')], 2),
    ...(rows.length === 0 ? [] : [growthTable(rows)]),
    ...packagesLine(packages, isAll),
  ];
}

const byChange = (a: DirectoryChange | PackageChange, b: DirectoryChange | PackageChange) =>
  Math.abs(b.after - b.before) - Math.abs(a.after - a.before);

const limited = <T>(items: readonly T[], isAll: boolean): readonly T[] =>
  isAll ? items : items.slice(0, ROWS);

/** A layer that is there, and whose size is not known. */
const isUnknown = ({ layer, isNew, before, after }: LayerChange) =>
  (layer !== null && after === null) || (!isNew && before === null);

const isResized = (change: LayerChange) => isUnknown(change) || (change.before ?? 0) !== (change.after ?? 0);

function totalText({ sizes: { unpacked } }: ImageComparison): string {
  if (unpacked === undefined) return 'what it grew by is not known';
  const { before, after, atLeast = false } = unpacked;
  if (atLeast)
    return `what it grew by is not known: at least ${size(before)} unpacked before, at least ${size(after)} now`;
  if (before === after) return `${size(after)} unpacked, as before`;
  const share =
    before === 0
      ? ''
      : `, ${after < before ? '-' : '+'}${Number(((Math.abs(after - before) / before) * 100).toPrecision(3))}%`;
  return `${signed(after - before)} unpacked (${size(before)} to ${size(after)}${share})`;
}

const growthTable = (rows: readonly (readonly Text[])[]): Block => ({
  kind: 'table',
  columns: [
    { title: 'growth', align: 'right' },
    { title: 'before', align: 'right' },
    { title: 'after', align: 'right' },
    { title: 'what', shrink: true },
    { title: 'made by', shrink: true },
  ],
  rows,
});

const growthCells = (before: number, after: number): Text[] => [
  [span(signed(after - before), after > before ? 'bad' : 'good')],
  size(before),
  size(after),
];

function layerRow(change: LayerChange): Text[] {
  const { instruction, layer, isNew, before, after } = change;
  const cells = isUnknown(change)
    ? ['unknown', size(before), size(after)]
    : growthCells(before ?? 0, after ?? 0);
  const name = layer === null ? 'a layer that is gone' : `layer ${layer + 1}${isNew ? ', new' : ''}`;
  return [...cells, name, madeBy(instruction)];
}

function directoryRow(
  { path, before, after, isNew, layer }: DirectoryChange,
  layers: readonly LayerChange[],
): Text[] {
  const maker = layer === null ? undefined : layers.find(one => one.layer === layer);
  return [
    ...growthCells(before, after),
    `/${path}${isNew ? ', new' : ''}`,
    maker === undefined ? NONE : madeBy(maker.instruction),
  ];
}

function packageRow({ name, from, to, before, after }: PackageChange): Text[] {
  const versions = from === null ? `${to}, new` : to === null ? `${from}, gone` : `${from} to ${to}`;
  return [...growthCells(before, after), `package ${name} ${versions}`, NONE];
}

function packagesLine(packages: readonly PackageChange[] | null, isAll: boolean): Block[] {
  const rest = (packages?.length ?? 0) - ROWS;
  if (packages === null || isAll || rest <= 0) return [];
  return [text([span(`and ${count(rest, 'more package')} that changed: --all lists them`, 'dim')], 2)];
}
