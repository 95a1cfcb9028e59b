import type { LayerFault } from '../image/layer-faults.js';
import type { Sizes } from '../image/weigh.js';
import type { BreakdownReport, BreakdownRow } from './breakdown.js';
import { type Block, type Column, type Doc, gap, span, type Text, text } from './doc.js';
import type { SizesOptions } from './sizes.js';
import type { ImageSizes, LayerSizes, SizesReport } from './sizes-report.js';
import { sizeWriter } from './units.js';
import { archiveHead, count, faultLine, imageTitle, madeBy, NONE } from './words.js';

type Write = (bytes: number | null) => string;

/** Rows of a breakdown that people get to see unless they ask for another number. */
const ROWS = 25;

export function sizesDoc(report: SizesReport, imagesInAll: number, options: SizesOptions): Doc {
  const write = sizeWriter(options.units);
  const { sizes, platforms, images } = report;
  const together = `${sizeWords(sizes, write)}; shared layers counted once`;
  return [
    ...archiveHead(report, imagesInAll, [['layers', together]]),
    ...(platforms.length > 1 ? platformsTable(report, write) : []),
    ...images.flatMap(image => imageDoc(image, write, options)),
    ...legend(images, options),
  ];
}

const sizeWords = ({ stored, compressed, unpacked, content, docker }: Sizes, write: Write) =>
  [
    `${write(stored)} stored`,
    ...(compressed === null || compressed === stored ? [] : [`${write(compressed)} compressed`]),
    ...(unpacked === null ? ['unpacked not known'] : [`${write(unpacked)} unpacked`]),
    ...(content === null ? [] : [`${write(content)} content`]),
    ...(docker === null ? ['in Docker not known'] : [`${write(docker)} in Docker`]),
  ].join(', ');

const NUMBERS: readonly Column[] = ['stored', 'compressed', 'unpacked', 'content', 'docker'].map(title => ({
  title,
  align: 'right',
}));

const cells = ({ stored, compressed, estimated, unpacked, content, docker }: Sizes, write: Write): Text[] => [
  write(stored),
  compressed === null && estimated !== null ? `~${write(estimated)}` : write(compressed),
  write(unpacked),
  write(content),
  write(docker),
];

function platformsTable({ platforms }: SizesReport, write: Write): Doc {
  return [
    gap,
    {
      kind: 'table',
      columns: [{ title: 'platform' }, ...NUMBERS],
      rows: platforms.map(({ platform, sizes }) => [platform ?? 'unknown', ...cells(sizes, write)]),
    },
  ];
}

function imageDoc(image: ImageSizes, write: Write, options: SizesOptions): Doc {
  const { layers, unknown, faults, breakdown } = image;
  return [
    gap,
    imageTitle(image),
    layers.length === 0 ? text('no layers', 2) : layersTable(image, write, options),
    ...unknown.map(({ layer, reason }) =>
      text([span(`layer ${layer + 1}: ${reason}. What is not known of it is not in the sums.`, 'warn')], 2),
    ),
    ...faults.filter(fault => isToldOf(fault, image)).map(fault => faultLine(fault, 2)),
    ...(breakdown === null ? [] : breakdownDoc(breakdown, layers, write, options)),
  ];
}

/** What keeps a size from being known is said of that; whatever else is not known matters where files are added up. */
const isToldOf = ({ kind, layer }: LayerFault, { unknown, breakdown }: ImageSizes) =>
  kind === 'changed' || (breakdown !== null && !unknown.some(one => one.layer === layer));

/** The sum first, then the layers, the one that costs most before the others; only the sum where something else was asked for. */
function layersTable(image: ImageSizes, write: Write, { top, sort }: SizesOptions): Block {
  const { layers, sizes, shared, unique, breakdown } = image;
  const numbered = layers.map((layer, i) => ({ layer, place: String(i + 1) }));
  const sorted = sort === 'name' ? numbered : numbered.sort((a, b) => weightOf(b.layer) - weightOf(a.layer));
  const shown = breakdown === null || breakdown.by === 'layer' ? sorted.slice(0, top) : [];
  const parts: readonly (readonly [string, Sizes])[] =
    shared.stored === 0 || shared.stored === null
      ? []
      : [
          ['in other images too', shared],
          ['in this image only', unique],
        ];
  return {
    kind: 'table',
    columns: [{ title: '#', align: 'right' }, ...NUMBERS, { title: 'made by', shrink: true }],
    rows: [
      [
        '',
        ...cells(sizes, write).map(cell => [span(cell as string, 'strong')]),
        count(layers.length, 'layer'),
      ],
      ...shown.map(({ layer, place }) => [place, ...cells(layer.sizes, write), madeBy(layer.instruction)]),
      ...parts.map(([what, part]) => ['', ...cells(part, write), [span(what, 'dim')]]),
    ],
    bars: [null, ...shown.map(({ layer }) => weightOf(layer)), ...parts.map(() => null)],
  };
}

const weightOf = ({ sizes: { docker, unpacked, stored } }: LayerSizes) => docker ?? unpacked ?? stored ?? 0;

function breakdownDoc(
  { by, rows, count: all, bytes, shipped, files, notes }: BreakdownReport,
  layers: readonly LayerSizes[],
  write: Write,
  { top }: SizesOptions,
): Doc {
  const shown = rows.slice(0, top ?? ROWS);
  const showsFiles = by !== 'file';
  const line = (weight: { shipped: number; bytes: number; files: number }, what: Text, from: Text) => [
    write(weight.shipped),
    write(weight.bytes),
    ...(showsFiles ? [String(weight.files)] : []),
    what,
    from,
  ];
  const more = all - shown.length;
  return [
    gap,
    {
      kind: 'table',
      columns: [
        { title: 'shipped', align: 'right' },
        { title: 'visible', align: 'right' },
        ...(showsFiles ? [{ title: 'files', align: 'right' as const }] : []),
        { title: by, shrink: true },
        { title: 'made by', shrink: true },
      ],
      rows: [
        line({ shipped, bytes, files }, [span(count(files, 'file'), 'strong')], ''),
        ...shown.map(row => line(row, nameOf(row, by), makers(row, layers))),
      ],
    },
    ...(more > 0 ? [text([span(`and ${more} more: --top ${all} shows all`, 'dim')], 2)] : []),
    ...notes.map(({ path, reason }) => text([span(`${path}: ${reason}`, 'warn')], 2)),
  ];
}

function nameOf({ name, package: owner }: BreakdownRow, by: BreakdownReport['by']): Text {
  if (by === 'layer') return `layer ${Number(name) + 1}`;
  if (by === 'directory' || by === 'file') return `/${name}`;
  if (owner !== null) return [name, span(` ${owner.version}`, 'dim')];
  return name === '' ? [span(by === 'package' ? 'no package' : 'none', 'dim')] : name;
}

/** The instruction, and of how many layers more. */
function makers(row: BreakdownRow, layers: readonly LayerSizes[]): string {
  const [first, ...others] = row.layers;
  if (first === undefined) return NONE;
  const more = others.length === 0 ? '' : `${first + 1} and ${count(others.length, 'more layer')}: `;
  return more + madeBy(layers[first]?.instruction ?? '');
}

function legend(images: readonly ImageSizes[], { units, estimates }: SizesOptions): Doc {
  const dim = (line: string) => text([span(line, 'dim')]);
  const isPlain = images.some(({ sizes }) => sizes.compressed === null && sizes.estimated === null);
  const plain =
    estimates === null
      ? 'What a registry would transfer cannot be estimated: the archive came through a pipe, and cannot be read again.'
      : 'What a registry would transfer of layers that are stored plain depends on who compresses them: --estimate tries gzip.';
  const [only] = images.length === 1 ? images : [];
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
      ? [dim('shipped: in all layers, hidden or not. visible: in the image as it runs.')]
      : []),
  ];
}
