import type { Severity } from '../link/observation.js';
import { type Block, type Doc, type FileMap, gap, heading, type Result, span, text } from '../report/doc.js';
import { fileMap, fileReport } from '../report/file-report.js';
import { type ArchiveReading, imagesIn, type ReadOptions } from '../report/read.js';
import type { ReportingOptions } from '../report/reported.js';
import type { Selection } from '../report/select.js';
import { imageTitle, madeBy, sizeWriter, type Units } from '../report/words.js';
import { shownPath } from '../spec/byte-path.js';
import { type FoundFiles, findFiles, type ImageFiles, type ImageTree, reportOnFiles } from './files/index.js';
import type { TreeRow } from './files/rows.js';
import { sizesOf } from './sizes/index.js';
import type { ImageSizes, SizesReport } from './sizes/report.js';
import { sizesDoc } from './sizes/view.js';
import { type VerifyReport, verify } from './verify.js';
import { type ImageWaste, wasteReadOptions, wasteReport } from './waste/index.js';
import { wasteDoc } from './waste/view.js';

/** Rows of the largest files in formats that cannot draw a map. */
const LARGEST = 15;

/** @param verified  the document of `verify` */
function overviewDoc(
  { sizes, wastes, found }: Overview,
  verified: Doc,
  imagesInAll: number,
  { units, top }: Pick<OverviewOptions, 'units' | 'top'>,
): Doc {
  const write = sizeWriter(units);
  const weights = sizesDoc(sizes, imagesInAll, { units });
  const images = sizes.images.map((image, i) => ({ ...image, ...scoresOf(wastes[i]!) }));
  const wasted = wasteDoc({ ...sizes, images }, imagesInAll, { units, top });
  return [
    ...weights.slice(0, 1),
    ...chapter('Verification', verified.slice(1)),
    ...chapter('Layers', weights.slice(1)),
    ...chapter(
      'Files',
      found.images.flatMap((image, i) => filesDoc(sizes.images[i]!, image, write, top ?? LARGEST)),
    ),
    ...chapter('Waste', wasted.slice(1)),
  ];
}

const chapter = (title: string, doc: Doc): Doc => (doc.length === 0 ? [] : [gap, heading(title, 2), ...doc]);

function filesDoc(
  image: ImageSizes,
  { view: { items }, faults }: ImageTree,
  write: (bytes: number) => string,
  top: number,
): Doc {
  return [
    gap,
    imageTitle(image),
    ...(items.length === 0
      ? [text('no files', 2)]
      : [mapOf(items, image.layers), ...largestTable(items, write, top)]),
    ...faults
      .filter(({ kind }) => kind === 'incomplete')
      .map(({ layer, reason }) =>
        text([span(`the files of layer ${layer + 1} are not all known: ${reason}`, 'warn')], 2),
      ),
  ];
}

/** Made only for a format that draws it. */
function mapOf(items: Iterable<TreeRow>, layers: ImageSizes['layers']): Block {
  let map: FileMap | null = null;
  return {
    kind: 'map',
    get map() {
      const names = layers.map(({ instruction }, i) => `layer ${i + 1}: ${madeBy(instruction)}`);
      map ??= fileMap(Array.from(items, fileReport), names);
      return map;
    },
  };
}

function largestTable(items: Iterable<TreeRow>, write: (bytes: number) => string, top: number): Doc {
  const { largest, count } = largestOf(items, top);
  const table: Block = {
    kind: 'table',
    columns: [
      { title: 'size', align: 'right' },
      { title: 'layer', align: 'right' },
      { title: 'largest files', shrink: true },
    ],
    rows: largest.map(({ size, layer, path }) => [write(size), String(layer + 1), `/${shownPath(path)}`]),
    bars: largest.map(({ size }) => size),
  };
  const more = count - largest.length;
  return more === 0 ? [table] : [table, text([span(`and ${more} more: --top ${count} shows all`, 'dim')], 2)];
}

/** Candidates that are collected before the smaller ones are dropped. */
const CANDIDATES = 1000;

/** The largest files, in the order of the tree where they are equal, and the number of all that are not empty. */
function largestOf(items: Iterable<TreeRow>, top: number) {
  let largest: TreeRow[] = [];
  let least = 0;
  let count = 0;
  const drop = () => {
    largest = largest.sort((a, b) => b.size - a.size).slice(0, top);
  };
  for (const item of items) {
    if (item.type !== 'file' || item.size === 0) continue;
    count++;
    if (item.size <= least || largest.push(item) < top + CANDIDATES) continue;
    drop();
    least = largest.at(-1)?.size ?? 0;
  }
  drop();
  return { largest, count };
}

export interface OverviewOptions extends Selection, ReportingOptions {
  /** Rows of the lists of the largest files and of waste. Default 15 and 10. */
  readonly top?: number | undefined;
  readonly units?: Units | undefined;
  /** Fail on findings of this severity or worse. Default `error`. */
  readonly failOn?: Severity | 'never' | undefined;
}

/** The report of `waybill report --json`: the reports of `verify`, `sizes`, `files` and `waste` in one. */
export interface OverviewReport extends Omit<SizesReport, 'images'>, Pick<VerifyReport, 'baseline'> {
  readonly images: readonly ImageOverview[];
}

interface ImageOverview
  extends Omit<ImageSizes, 'breakdown'>,
    Pick<ImageWaste, 'dive' | 'waste'>,
    Required<Pick<ImageFiles, 'files'>>,
    Pick<ImageFiles, 'faults' | 'oddities' | 'refusals'> {}

/** The read options that `overview` needs. */
export const overviewReadOptions: ReadOptions = wasteReadOptions;

/**
 * `waybill report`: an overview of the images of an archive: verdicts, sizes, files and waste. The exit code is that of
 * `verify`.
 * @throws InputError if the selection matches nothing
 */
export function overview(reading: ArchiveReading, options: OverviewOptions = {}): Result {
  const { failOn = 'error', ...rest } = options;
  const { data: verifyReport, doc: verified, ...result } = verify(reading, { ...rest, failOn });
  const { findings, baseline } = verifyReport as VerifyReport;
  const parts = overviewOf(reading, rest);
  return {
    ...result,
    get data(): OverviewReport {
      return { ...reportOn(parts), findings, ...(baseline === undefined ? {} : { baseline }) };
    },
    get doc() {
      return overviewDoc(parts, verified, imagesIn(reading), rest);
    },
  };
}

/** The report of `overview`. */
export function overviewReport(reading: ArchiveReading, selection: Selection = {}): OverviewReport {
  return reportOn(overviewOf(reading, selection));
}

/** The parts of an overview, before a report is made for each file. Their images are in the same order. */
interface Overview {
  readonly sizes: SizesReport;
  readonly wastes: readonly ImageWaste[];
  readonly found: FoundFiles;
}

function overviewOf(reading: ArchiveReading, { ref, platform }: Selection): Overview {
  // Rows are only cut in the printed document: the data and the map of the files have all of them.
  const selection: Selection = { ref, platform };
  const sizes = sizesOf(reading, selection);
  // Waste first: it needs more of the file system, which is then at hand for the list of files.
  const wastes = wasteReport(reading, selection).images;
  return { sizes, wastes, found: findFiles(reading, selection) };
}

function reportOn({ sizes, wastes, found }: Overview): OverviewReport {
  const files = reportOnFiles(found).images;
  const images = sizes.images.map(({ breakdown: _, ...image }, i): ImageOverview => {
    const { files: list = [], faults, oddities, refusals } = files[i]!;
    return { ...image, ...scoresOf(wastes[i]!), files: list, faults, oddities, refusals };
  });
  return { ...sizes, images };
}

const scoresOf = ({ dive, waste }: ImageWaste) => ({ dive, waste });
