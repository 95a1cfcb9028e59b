import { type Block, type Doc, gap, heading, span, text } from '../../report/doc.js';
import { fileMap } from '../../report/file-report.js';
import { sizeWriter } from '../../report/units.js';
import { imageTitle, madeBy } from '../../report/words.js';
import { visiblePath } from '../../visible.js';
import { sizesDoc } from '../sizes/view.js';
import { wasteDoc } from '../waste/view.js';
import type { ImageOverview, OverviewOptions, OverviewReport } from './index.js';

/** The largest files that people get to see where nothing can be drawn. */
const LARGEST = 15;

/** @param verified  the document of `verify` */
export function overviewDoc(
  report: OverviewReport,
  verified: Doc,
  imagesInAll: number,
  { units, top }: Pick<OverviewOptions, 'units' | 'top'>,
): Doc {
  const write = sizeWriter(units);
  const images = report.images.map(image => ({ ...image, breakdown: null }));
  const weights = sizesDoc({ ...report, images }, imagesInAll, { units });
  const wastes = wasteDoc({ ...report, images }, imagesInAll, { units, top });
  return [
    ...weights.slice(0, 1),
    ...chapter('Verification', verified.slice(1)),
    ...chapter('Layers', weights.slice(1)),
    ...chapter(
      'Files',
      report.images.flatMap(image => filesDoc(image, write, top ?? LARGEST)),
    ),
    ...chapter('Waste', wastes.slice(1)),
  ];
}

const chapter = (title: string, doc: Doc): Doc => (doc.length === 0 ? [] : [gap, heading(title, 2), ...doc]);

function filesDoc(image: ImageOverview, write: (bytes: number) => string, top: number): Doc {
  const { files, layers, faults } = image;
  const names = layers.map(({ instruction }, i) => `layer ${i + 1}: ${madeBy(instruction)}`);
  return [
    gap,
    imageTitle(image),
    ...(files.length === 0
      ? [text('no files', 2)]
      : [{ kind: 'map' as const, map: fileMap(files, names) }, ...largestTable(image, write, top)]),
    ...faults
      .filter(({ kind }) => kind === 'incomplete')
      .map(({ layer, reason }) =>
        text([span(`the files of layer ${layer + 1} are not all known: ${reason}`, 'warn')], 2),
      ),
  ];
}

function largestTable({ files }: ImageOverview, write: (bytes: number) => string, top: number): Doc {
  const all = files.filter(({ type, size }) => type === 'file' && size > 0).sort((a, b) => b.size - a.size);
  const largest = all.slice(0, top);
  const table: Block = {
    kind: 'table',
    columns: [
      { title: 'size', align: 'right' },
      { title: 'layer', align: 'right' },
      { title: 'largest files', shrink: true },
    ],
    rows: largest.map(({ size, layer, path }) => [write(size), String(layer + 1), `/${visiblePath(path)}`]),
    bars: largest.map(({ size }) => size),
  };
  const more = all.length - largest.length;
  return more === 0
    ? [table]
    : [table, text([span(`and ${more} more: --top ${all.length} shows all`, 'dim')], 2)];
}
