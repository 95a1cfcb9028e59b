import {
  type Block,
  type Doc,
  gap,
  limitedTable,
  type Span,
  span,
  type Text,
  text,
} from '../../report/doc.js';
import { type WasteCause, wasteCauses } from '../../report/waste-causes.js';
import { archiveHead, count, imageTitle, madeBy, sizeWriter } from '../../report/words.js';
import { baseWords } from '../sizes/view.js';

import type { ImageWaste, WasteOptions, WasteReport } from './index.js';

type SizeWriter = (bytes: number | null) => string;

/** Default number of wastes, and of rows of dive's list, in a printed report. */
const GROUPS = 10;
const ROWS = 20;

export function wasteDoc(report: WasteReport, imagesInAll: number, options: WasteOptions): Doc {
  return [
    ...archiveHead(report, imagesInAll),
    ...report.images.flatMap(image => imageDoc(image, sizeWriter(options.units), options)),
  ];
}

function imageDoc(image: ImageWaste, write: SizeWriter, { score, top }: WasteOptions): Doc {
  const ours = score !== 'dive';
  const rows: [string, Text][] = [
    ...(ours ? [wastedRow(image, write), ...baseRows(image, write)] : []),
    ...(score === 'ours' ? [] : [diveRow(image, write)]),
  ];
  return [
    gap,
    imageTitle(image),
    { kind: 'pairs', rows },
    ...image.unknown.map(({ layer, reason }) =>
      text([span(`layer ${layer + 1} is not looked at, or not to its end: ${reason}`, 'warn')], 2),
    ),
    ...(ours ? groupsDoc(image, write, top ?? GROUPS) : diveTable(image, write, top ?? ROWS)),
  ];
}

const percent = (part: number) => `${(part * 100).toFixed(2)} %`;

function wastedRow({ waste, unknown }: ImageWaste, write: SizeWriter): [string, Text] {
  const { overwritten, metadataOnly, deleted, duplicated, cached, total, efficiency } = waste;
  const same = metadataOnly === 0 ? '' : ` (${write(metadataOnly)} with the same bytes)`;
  const parts: string[] = [
    ...(overwritten > 0 ? [`overwritten ${write(overwritten)}${same}`] : []),
    ...(deleted > 0 ? [`deleted ${write(deleted)}`] : []),
    ...(duplicated > 0 ? [`duplicated ${write(duplicated)}`] : []),
    ...(cached > 0 ? [`caches and the like ${write(cached)}`] : []),
  ];
  const isWhole = unknown.length === 0;
  if (total === 0) {
    const words = isWhole
      ? 'nothing found'
      : 'unknown: not every layer can be read, and those that can have none';
    return ['wasted', [span(words, isWhole ? 'good' : 'warn')]];
  }
  const share = isWhole ? `, ${percent(1 - efficiency)} of all files` : '';
  return [
    'wasted',
    [span(`${isWhole ? '' : 'at least '}${write(total)}${share}`, 'strong'), `: ${parts.join(', ')}`],
  ];
}

/** The part of the base, and the part above it. */
function baseRows({ base, baseWaste }: ImageWaste, write: SizeWriter): [string, Text][] {
  if (base === undefined) return [];
  if (base === null || baseWaste == null) return [['base', [span('begins with none of the bases', 'warn')]]];
  return [
    ['in the base', `${write(baseWaste.theirs.total)}  (${baseWords(base)})`],
    ['above it', [span(write(baseWaste.ours.total), 'strong')]],
  ];
}

function diveRow({ dive }: ImageWaste, write: SizeWriter): [string, Text] {
  if (dive === null) return ['dive', [span('cannot tell: not every layer can be read to its end', 'dim')]];
  const { efficiency, wastedBytes, userWastedPercent } = dive;
  const user =
    userWastedPercent === null ? '' : `, ${percent(userWastedPercent)} of what is above the first layer`;
  return ['dive', `efficiency ${percent(efficiency)}, ${write(wastedBytes)} wasted${user}`];
}

function groupsDoc(image: ImageWaste, write: SizeWriter, top: number): Doc {
  const sorted = wasteCauses(
    image.waste.files,
    image.layers.map(({ instruction }) => instruction),
  );
  const rest = sorted.slice(top);
  const restBytes = rest.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    ...sorted.slice(0, top).flatMap(cause => causeDoc(cause, image, write)),
    ...(rest.length === 0
      ? []
      : [
          gap,
          text(
            [
              span(
                `and ${rest.length} more, ${write(restBytes)} in all: --top ${sorted.length} shows all`,
                'dim',
              ),
            ],
            2,
          ),
        ]),
  ];
}

function causeDoc(cause: WasteCause, { layers }: ImageWaste, write: SizeWriter): Block[] {
  const { bytes, what, place, files, layers: makers, kind, hiddenBy, instead } = cause;
  const maker = (layer: number) => `layer ${layer + 1}: ${madeBy(layers[layer]?.instruction ?? '')}`;
  const where: (string | Span)[] = files === 1 ? [place] : [place, span(`  ${count(files, 'file')}`, 'dim')];
  return [
    gap,
    text([span(write(bytes), 'strong'), `  ${what}  `, ...where], 2),
    ...makers.slice(0, 3).map(layer => text(['shipped by ', maker(layer)], 4)),
    ...(makers.length > 3 ? [text(`and by ${count(makers.length - 3, 'more layer')}`, 4)] : []),
    ...(hiddenBy === null ? [] : [text([`${kind} by `, maker(hiddenBy)], 4)]),
    text([span(`instead: ${instead}`, 'good')], 4),
  ];
}

function diveTable({ dive }: ImageWaste, write: SizeWriter, top: number): Doc {
  const files = dive?.inefficient ?? [];
  if (files.length === 0) return [];
  const columns = [
    { title: 'count', align: 'right' as const },
    { title: 'wasted', align: 'right' as const },
    { title: 'file', shrink: true },
  ];
  const rows = files.map(({ path, bytes, count: n }): Text[] => [String(n), write(bytes), path]);
  return [gap, ...limitedTable(columns, rows, top)];
}
