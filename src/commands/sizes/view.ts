import type { BaseReport } from '../../analysis/base.js';
import type { SizeName, Sizes } from '../../analysis/weigh.js';
import type { LayerFault } from '../../filesystem/layer-tables.js';
import { type Block, type Column, type Doc, gap, span, type Text, text } from '../../report/doc.js';
import {
  archiveHead,
  count,
  faultLine,
  id,
  imageTitle,
  madeBy,
  NONE,
  sizeWords,
  sizeWriter,
  UNKNOWN,
} from '../../report/words.js';

import type { BreakdownReport, BreakdownRow } from './breakdown.js';
import type { SizesOptions } from './index.js';
import type { ImageSizes, LayerSizes, SizesReport } from './report.js';

type SizeWriter = (bytes: number | null) => string;

/** Default number of rows of a breakdown in a printed report. */
const ROWS = 25;

export function sizesDoc(report: SizesReport, imagesInAll: number, options: SizesOptions): Doc {
  const write = sizeWriter(options.units);
  const { sizes, platforms, images } = report;
  const together = `${sumWords(sizes, write)}; shared layers counted once`;
  return [
    ...archiveHead(report, imagesInAll, [['layers', together]]),
    ...(platforms.length > 1 ? platformsTable(report, write) : []),
    ...images.flatMap(image => imageDoc(image, write, options)),
    ...legend(images, options),
  ];
}

const SUMS: readonly (readonly [name: SizeName, text: (size: string) => string, unknown: string])[] = [
  ['stored', size => `${size} stored`, 'stored elsewhere'],
  ['compressed', size => `${size} compressed`, ''],
  ['unpacked', size => `${size} unpacked`, 'unpacked not known'],
  ['content', size => `${size} content`, 'content not known'],
  ['docker', size => `${size} in Docker`, 'in Docker not known'],
];

const sumWords = (sizes: Sizes, write: SizeWriter) =>
  SUMS.filter(([name]) => name !== 'compressed' || sizes.compressed !== sizes.stored)
    .map(([name, known, unknown]) => (sizes[name] === null ? unknown : known(sizeWords(sizes, name, write))))
    .filter(words => words !== '')
    .join(', ');

const NUMBERS: readonly Column[] = ['stored', 'compressed', 'unpacked', 'content', 'docker'].map(title => ({
  title,
  align: 'right',
}));

/** @param isPlain  true if it is stored uncompressed, so that the transferred size depends on the compressor */
function cells(sizes: Sizes, isPlain: boolean, write: SizeWriter): Text[] {
  const { stored, compressed, estimated } = sizes;
  const packed = compressed === null && estimated !== null ? `~${write(estimated)}` : write(compressed);
  return [
    stored === null ? 'absent' : write(stored),
    compressed === null && estimated === null && isPlain ? NONE : packed,
    ...(['unpacked', 'content', 'docker'] as const).map(name => sizeWords(sizes, name, write)),
  ];
}

const isPlainLayer = ({ present, compression, encrypted }: LayerSizes) =>
  present && compression === 'none' && !encrypted;

const isPlainImage = ({ layers }: ImageSizes) => layers.some(isPlainLayer);

function platformsTable({ platforms, images }: SizesReport, write: SizeWriter): Doc {
  const isPlain = images.some(isPlainImage);
  return [
    gap,
    {
      kind: 'table',
      columns: [{ title: 'platform' }, ...NUMBERS],
      rows: platforms.map(({ platform, sizes }) => [platform ?? 'unknown', ...cells(sizes, isPlain, write)]),
    },
  ];
}

function imageDoc(image: ImageSizes, write: SizeWriter, options: SizesOptions): Doc {
  const { layers, unknown, faults, breakdown } = image;
  return [
    gap,
    imageTitle(image),
    ...(layers.length === 0 ? [text('no layers', 2)] : layersTable(image, write, options)),
    ...unknown.map(({ layer, reason }) =>
      text([span(`layer ${layer + 1}: ${reason}. What is not known of it is not in the sums.`, 'warn')], 2),
    ),
    ...faults.filter(fault => isToldOf(fault, image)).map(fault => faultLine(fault, 2)),
    ...(breakdown === null ? [] : breakdownDoc(breakdown, image, write, options)),
  ];
}

/**
 * True if a fault is already reported as the reason for an unknown size. Other faults matter only for a breakdown by
 * files.
 */
const isToldOf = ({ kind, layer }: LayerFault, { unknown, breakdown }: ImageSizes) =>
  kind === 'changed' || (breakdown !== null && !unknown.some(one => one.layer === layer));

/** The sum, and the layers with the largest first; for another breakdown only the sum. */
function layersTable(image: ImageSizes, write: SizeWriter, { top, sort }: SizesOptions): Block[] {
  const { layers, sizes, shared, unique, breakdown, base, baseSizes } = image;
  const isPlain = isPlainImage(image);
  const numbered = layers.map((layer, i) => ({ layer, place: String(i + 1) }));
  const sorted = sort === 'name' ? numbered : numbered.sort((a, b) => weightOf(b.layer) - weightOf(a.layer));
  const shown = breakdown === null ? sorted.slice(0, top) : [];
  const more = breakdown === null ? sorted.length - shown.length : 0;
  const parts: (readonly [string, Sizes])[] =
    shared.stored === 0 || shared.stored === null
      ? []
      : [
          ['in other images too', shared],
          ['in this image only', unique],
        ];
  if (base != null && baseSizes != null)
    parts.push(
      [`base: ${baseWords(base)}`, baseSizes.theirs],
      [`above it: ${count(layers.length - base.layers, 'layer')}`, baseSizes.ours],
    );
  const table: Block = {
    kind: 'table',
    columns: [{ title: '#', align: 'right' }, ...NUMBERS, { title: 'made by', shrink: true }],
    rows: [
      [
        '',
        ...cells(sizes, isPlain, write).map(cell => [span(cell as string, 'strong')]),
        count(layers.length, 'layer'),
      ],
      ...shown.map(({ layer, place }) => [
        place,
        ...cells(layer.sizes, isPlainLayer(layer), write),
        madeBy(layer.instruction),
      ]),
      ...parts.map(([what, part]) => ['', ...cells(part, isPlain, write), [span(what, 'dim')]]),
    ],
    bars: [null, ...shown.map(({ layer }) => weightOf(layer)), ...parts.map(() => null)],
  };
  const unfound = base === null ? [text([span('begins with none of the bases', 'warn')], 2)] : [];
  return [table, ...moreRows(more, sorted.length), ...unfound];
}

/** A base for people: its name, and how many of the image's layers it has. */
export const baseWords = ({
  names,
  chainId,
  layers,
}: Pick<BaseReport, 'names' | 'chainId' | 'layers'>): string =>
  `${names[0] ?? id(chainId)}, ${count(layers, 'layer')}`;

const moreRows = (more: number, all: number): Block[] =>
  more > 0 ? [text([span(`and ${more} more: --top ${all} shows all`, 'dim')], 2)] : [];

const weightOf = ({ sizes: { docker, unpacked, stored } }: LayerSizes) => docker ?? unpacked ?? stored ?? 0;

function breakdownDoc(
  { by, rows, count: all, partial, bytes, shipped, files, notes, ours }: BreakdownReport,
  { layers, faults }: ImageSizes,
  write: SizeWriter,
  { top }: SizesOptions,
): Doc {
  const shown = rows.slice(0, top ?? ROWS);
  const showsFiles = by !== 'file';
  const showsOurs = ours !== undefined;
  const cut = faults.filter(({ kind }) => kind === 'incomplete').map(({ layer }) => layer);
  const line = (weight: BreakdownNumbers, what: Text, from: Text, isCut: boolean) => {
    const least = isCut ? 'at least ' : '';
    return [
      least + write(weight.shipped),
      least + write(weight.bytes),
      ...(showsOurs ? [least + write(weight.ours?.shipped ?? 0)] : []),
      ...(showsFiles ? [`${least}${weight.files}`] : []),
      what,
      from,
    ];
  };
  const isCut = ({ name }: BreakdownRow) => by === 'layer' && cut.includes(Number(name));
  const total = `${partial ? 'at least ' : ''}${count(files, 'file')}`;
  return [
    gap,
    {
      kind: 'table',
      columns: [
        { title: 'shipped', align: 'right' },
        { title: 'visible', align: 'right' },
        ...(showsOurs ? [{ title: 'ours', align: 'right' as const }] : []),
        ...(showsFiles ? [{ title: 'files', align: 'right' as const }] : []),
        { title: by, shrink: true },
        { title: 'made by', shrink: true },
      ],
      rows: [
        line({ shipped, bytes, files, ...(showsOurs && { ours }) }, [span(total, 'strong')], '', partial),
        ...shown.map(row => line(row, nameOf(row, by), makers(row, layers), isCut(row))),
        ...(by === 'layer' ? unknownRows(rows, cut, layers, showsOurs) : []),
      ],
    },
    ...moreRows(all - shown.length, all),
    ...notes.map(({ path, reason }) => text([span(`${path}: ${reason}`, 'warn')], 2)),
  ];
}

type BreakdownNumbers = Pick<BreakdownRow, 'shipped' | 'bytes' | 'files' | 'ours'>;

/** Rows of layers whose files are not known. */
function unknownRows(
  rows: readonly BreakdownRow[],
  cut: readonly number[],
  layers: readonly LayerSizes[],
  showsOurs: boolean,
): Text[][] {
  const known = new Set(rows.map(({ name }) => Number(name)));
  return cut
    .filter(layer => !known.has(layer))
    .map(layer => [
      UNKNOWN,
      UNKNOWN,
      ...(showsOurs ? [UNKNOWN] : []),
      UNKNOWN,
      `layer ${layer + 1}`,
      madeBy(layers[layer]?.instruction ?? ''),
    ]);
}

function nameOf({ name, package: owner }: BreakdownRow, by: BreakdownReport['by']): Text {
  if (by === 'layer') return `layer ${Number(name) + 1}`;
  if (by === 'directory' || by === 'file') return `/${name}`;
  if (owner !== null) return [name, span(` ${owner.version}`, 'dim')];
  return name === '' ? [span(by === 'package' ? 'no package' : 'none', 'dim')] : name;
}

/** The instruction that created a row's layers, and the number of further ones. */
function makers(row: BreakdownRow, layers: readonly LayerSizes[]): string {
  const [first, ...others] = row.layers;
  if (first === undefined) return NONE;
  const more = others.length === 0 ? '' : `layer ${first + 1} and ${count(others.length, 'more layer')}: `;
  return more + madeBy(layers[first]?.instruction ?? '');
}

function legend(images: readonly ImageSizes[], { units, estimates }: SizesOptions): Doc {
  const dim = (line: string) => text([span(line, 'dim')]);
  const isPlain = images.some(image => isPlainImage(image) && image.sizes.estimated === null);
  const plain =
    estimates === null
      ? 'What a registry would transfer cannot be estimated: the archive came through a pipe, and cannot be read again.'
      : 'What a registry would transfer of layers that are stored plain depends on who compresses them: --estimate tries gzip.';
  const [only] = images.length === 1 ? images : [];
  const isAbove = images.some(({ breakdown }) => breakdown?.ours !== undefined);
  const ours = isAbove ? ' ours: shipped in layers above the base.' : '';
  const overlay2 =
    only === undefined || only.sizes.overlay2 === only.sizes.docker ? null : only.sizes.overlay2;
  const native =
    overlay2 === null
      ? ''
      : ` (with native overlay2: ${sizeWriter(units)(overlay2)}, for symbolic links count)`;
  return [
    gap,
    dim(
      `stored: bytes in this archive. compressed: what a registry transfers (~ is an estimate by gzip). unpacked: the tar. content: regular files. docker: what docker history and .Size say${native}.`,
    ),
    ...(isPlain ? [dim(plain)] : []),
    ...(images.some(({ breakdown }) => breakdown !== null)
      ? [dim(`shipped: in all layers, hidden or not. visible: in the image as it runs.${ours}`)]
      : []),
  ];
}
