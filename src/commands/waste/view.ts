import { CACHE_RULES } from '../../analysis/waste.js';
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
import { archiveHead, count, imageTitle, madeBy, sizeWriter } from '../../report/words.js';
import { baseWords } from '../sizes/view.js';

import type { ImageWaste, WastedFileReport, WasteOptions, WasteReport } from './index.js';

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

/** Wasted files that have one cause and one remedy. */
interface WasteGroup {
  readonly files: WastedFileReport[];
  bytes: number;
}

function groupsDoc(image: ImageWaste, write: SizeWriter, top: number): Doc {
  const groups = new Map<string, WasteGroup>();
  for (const file of image.waste.files) {
    const { kind, layer, hiddenBy, metadataOnly, copyOf, rule } = file;
    const key = JSON.stringify(rule ?? copyOf ?? [kind, layer, hiddenBy, metadataOnly]);
    const group = groups.get(key) ?? { files: [], bytes: 0 };
    groups.set(key, group);
    group.files.push(file);
    group.bytes += file.bytes;
  }
  const sorted = [...groups.values()].sort((a, b) => b.bytes - a.bytes);
  const rest = sorted.slice(top);
  const restBytes = rest.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    ...sorted.slice(0, top).flatMap(group => groupDoc(group, image, write)),
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

function groupDoc({ files, bytes }: WasteGroup, { layers }: ImageWaste, write: SizeWriter): Block[] {
  const file = files[0]!;
  const maker = (layer: number) => `layer ${layer + 1}: ${madeBy(layers[layer]?.instruction ?? '')}`;
  const makers = [...new Set(files.map(({ layer }) => layer))].sort((a, b) => a - b);
  const where: (string | Span)[] =
    files.length === 1
      ? [`/${file.path}`]
      : [placeOf(files), span(`  ${count(files.length, 'file')}`, 'dim')];
  return [
    gap,
    text([span(write(bytes), 'strong'), `  ${WHAT[file.kind](file)}  `, ...where], 2),
    ...makers.slice(0, 3).map(layer => text(['shipped by ', maker(layer)], 4)),
    ...(makers.length > 3 ? [text(`and by ${count(makers.length - 3, 'more layer')}`, 4)] : []),
    ...(file.hiddenBy === null ? [] : [text([`${file.kind} by `, maker(file.hiddenBy)], 4)]),
    text([span(`instead: ${remedyOf(file, layers[file.layer]?.instruction ?? '')}`, 'good')], 4),
  ];
}

/** The directory that contains all files. */
function placeOf(files: readonly WastedFileReport[]): string {
  let common = files[0]!.path.split('/').slice(0, -1);
  for (const { path } of files) {
    const segments = path.split('/').slice(0, -1);
    const differs = common.findIndex((segment, i) => segment !== segments[i]);
    if (differs >= 0) common = common.slice(0, differs);
  }
  return `/${common.join('/')}`;
}

const WHAT: Readonly<Record<WastedFileReport['kind'], (file: WastedFileReport) => string>> = {
  overwritten: ({ metadataOnly }) => (metadataOnly ? 'overwritten with the same bytes' : 'overwritten'),
  deleted: () => 'deleted, and still shipped',
  duplicated: ({ copyOf }) => `the same as /${copyOf}`,
  cached: ({ rule }) => ruleNamed(rule)?.what ?? 'caches',
};

const ruleNamed = (name: string | null) => CACHE_RULES.find(rule => rule.name === name);

function remedyOf(
  { kind, rule, metadataOnly, layer, hiddenBy }: WastedFileReport,
  instruction: string,
): string {
  const isCopied = /^(?:COPY|ADD) /.test(instruction);
  if (kind === 'cached') return ruleNamed(rule)?.instead ?? '';
  if (kind === 'duplicated') return 'keep one and link to it (ln -s)';
  if (layer === hiddenBy)
    return 'the layer has two entries of this name, of which the last counts: mend what wrote it';
  if (kind === 'deleted') {
    return isCopied
      ? 'do not copy it (.dockerignore), or copy into a stage of its own and COPY --from what is needed'
      : 'delete it in the RUN that makes it, or make it in a stage of its own';
  }
  if (!metadataOnly) return 'change it where it is added, so that it ships once';
  return isCopied
    ? 'say mode and owner where it is added: COPY --chmod=… --chown=…'
    : 'set mode and owner in the RUN that makes it';
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
