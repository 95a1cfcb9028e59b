import type { Estimates } from '../../analysis/weigh.js';
import { UsageError } from '../../errors.js';
import type { Result } from '../../report/doc.js';
import { requireImages } from '../../report/no-image.js';
import type { ArchiveReading, ReadOptions } from '../../report/read.js';
import { imagesIn } from '../../report/read.js';
import { type Selection, selectImages } from '../../report/select.js';
import type { Units } from '../../report/units.js';
import { type BreakdownOptions, type BreakdownReport, type By, breakdownOf } from './breakdown.js';
import { KEPT_FOR_PACKAGES } from './installed.js';
import { chosenImages, type ImageSizes, type SizesReport, sizesReport } from './report.js';
import { sizesDoc } from './view.js';

export interface SizesOptions extends Selection, Partial<BreakdownOptions> {
  /** Default: by layer, or by what `depth` (directory) or `top` (file) speaks of. */
  readonly by?: By | undefined;
  readonly units?: Units | undefined;
  /** From `estimateSizes`: null where that cannot be done; left out where it was not asked for. */
  readonly estimates?: Estimates | null | undefined;
}

/** What must be read for `sizes`. */
export function sizesReadOptions(options: Pick<SizesOptions, 'by' | 'depth' | 'top'>): ReadOptions {
  return chosenBreakdown(options) === 'package'
    ? { depth: 'files', files: KEPT_FOR_PACKAGES }
    : { depth: 'files' };
}

/**
 * `waybill sizes`: what images weigh, in every size that they have, by layer, directory, file, extension or package. The exit
 * code is 1 where a size is not known because a layer is absent, damaged or refused by Docker, or where not all files are known that
 * are added up.
 * @throws InputError when the selection matches nothing, UsageError for options that contradict each other
 */
export function sizes(reading: ArchiveReading, options: SizesOptions = {}): Result {
  requireImages(reading);
  const report = sizesOf(reading, options);
  const exitCode = report.images.some(isUnknown) ? 1 : 0;
  return { data: report, doc: sizesDoc(report, imagesIn(reading), options), exitCode };
}

const isUnknown = ({ unknown, breakdown, faults }: ImageSizes) =>
  unknown.length > 0 || (breakdown !== null && faults.some(({ kind }) => kind === 'incomplete'));

/** The report of `sizes`. */
export function sizesOf(reading: ArchiveReading, options: SizesOptions = {}): SizesReport {
  const by = chosenBreakdown(options);
  const chosen = selectImages(reading, options);
  const { sort } = options;
  const wantsFiles = by !== 'layer' || options.where !== undefined || (sort !== undefined && sort !== 'name');
  const breakdowns = chosenImages(reading, chosen).map(([{ scan }, image]): BreakdownReport | null =>
    wantsFiles ? breakdownOf(scan, image, { ...options, by }) : null,
  );
  return sizesReport(reading, chosen, options.estimates ?? null, breakdowns);
}

function chosenBreakdown({ by, depth, top }: Pick<SizesOptions, 'by' | 'depth' | 'top'>): By {
  if (depth !== undefined && by !== undefined && by !== 'directory')
    throw new UsageError(`--depth is about directories, not --by ${by}`);
  return by ?? (depth !== undefined ? 'directory' : top !== undefined ? 'file' : 'layer');
}
