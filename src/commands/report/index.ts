import type { Severity } from '../../link/observation.js';
import type { Result } from '../../report/doc.js';
import { type ArchiveReading, imagesIn, type ReadOptions } from '../../report/read.js';
import type { Selection } from '../../report/select.js';
import type { Units } from '../../report/units.js';
import { filesReport, type ImageFiles } from '../files/index.js';
import { sizesOf } from '../sizes/index.js';
import type { ImageSizes, SizesReport } from '../sizes/report.js';
import { verify } from '../verify.js';
import { type ImageWaste, wasteReadOptions, wasteReport } from '../waste/index.js';
import { overviewDoc } from './view.js';

export interface OverviewOptions extends Selection {
  /** Rows of the lists of the largest files and wastes. Default 15 and 10. */
  readonly top?: number | undefined;
  readonly units?: Units | undefined;
  /** Fail on findings of this severity or worse. Default `error`. */
  readonly failOn?: Severity | 'never' | undefined;
}

/** The report of `waybill report --json`: those of `verify`, `sizes`, `files` and `waste` in one. */
export interface OverviewReport extends Omit<SizesReport, 'images'> {
  readonly images: readonly ImageOverview[];
}

export interface ImageOverview
  extends Omit<ImageSizes, 'breakdown'>,
    Pick<ImageWaste, 'dive' | 'waste'>,
    Required<Pick<ImageFiles, 'files'>>,
    Pick<ImageFiles, 'faults' | 'oddities' | 'refusals'> {}

/** What must be read for `overview`. */
export const overviewReadOptions: ReadOptions = wasteReadOptions;

/**
 * `waybill report`: everything that people look at, of the images of an archive: whether they are intact, what they weigh, what
 * is in them and what they waste. The exit code is that of `verify`.
 * @throws InputError when the selection matches nothing
 */
export function overview(reading: ArchiveReading, options: OverviewOptions = {}): Result {
  const { failOn = 'error', ...rest } = options;
  const data = overviewReport(reading, rest);
  const { exitCode, doc: verified } = verify(reading, { ...rest, failOn });
  return {
    data,
    get doc() {
      return overviewDoc(data, verified, imagesIn(reading), rest);
    },
    exitCode,
  };
}

/** The report of `overview`. */
export function overviewReport(reading: ArchiveReading, { ref, platform }: Selection = {}): OverviewReport {
  // Rows are cut where they are shown: all of them are in the data, and in the map of the files.
  const selection: Selection = { ref, platform };
  const sizes = sizesOf(reading, selection);
  const files = filesReport(reading, selection).images;
  const wastes = wasteReport(reading, selection).images;
  const images = sizes.images.map(({ breakdown: _, ...image }, i): ImageOverview => {
    const { files: list = [], faults, oddities, refusals } = files[i]!;
    const { dive, waste } = wastes[i]!;
    return { ...image, dive, waste, files: list, faults, oddities, refusals };
  });
  return { ...sizes, images };
}
