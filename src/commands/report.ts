import type { Severity } from '../link/observation.js';
import { type Block, type Doc, gap, heading, type Result, span, text } from '../report/doc.js';
import { fileMap } from '../report/file-report.js';
import { type ArchiveReading, imagesIn, type ReadOptions } from '../report/read.js';
import type { ReportingOptions } from '../report/reported.js';
import type { Selection } from '../report/select.js';
import { imageTitle, madeBy, sizeWriter, type Units } from '../report/words.js';
import { visiblePath } from '../visible.js';
import { filesReport, type ImageFiles } from './files/index.js';
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
  const data: OverviewReport = {
    ...overviewReport(reading, rest),
    findings,
    ...(baseline === undefined ? {} : { baseline }),
  };
  return {
    ...result,
    data,
    get doc() {
      return overviewDoc(data, verified, imagesIn(reading), rest);
    },
  };
}

/** The report of `overview`. */
export function overviewReport(reading: ArchiveReading, { ref, platform }: Selection = {}): OverviewReport {
  // Rows are only cut in the printed document: the data and the map of the files have all of them.
  const selection: Selection = { ref, platform };
  const sizes = sizesOf(reading, selection);
  // Waste first: it needs more of the file system, which is then at hand for the list of files.
  const wastes = wasteReport(reading, selection).images;
  const files = filesReport(reading, selection).images;
  const images = sizes.images.map(({ breakdown: _, ...image }, i): ImageOverview => {
    const { files: list = [], faults, oddities, refusals } = files[i]!;
    const { dive, waste } = wastes[i]!;
    return { ...image, dive, waste, files: list, faults, oddities, refusals };
  });
  return { ...sizes, images };
}
