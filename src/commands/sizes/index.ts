import { type BaseImage, baseOf } from '../../analysis/base.js';
import { KEPT_FOR_PACKAGES } from '../../analysis/installed.js';
import type { Estimates } from '../../analysis/weigh.js';
import type { Member } from '../../containers/source.js';
import { UsageError } from '../../errors.js';
import { limitsOf, type Resources } from '../../limits.js';
import type { Layer } from '../../link/graph.js';
import type { Result } from '../../report/doc.js';
import { type ArchiveReading, imagesIn, type PartReading, type ReadOptions } from '../../report/read.js';
import { reportOf } from '../../report/report.js';
import { auditedResult, type ReportingOptions } from '../../report/reported.js';
import { requireImages, type Selection, selectImages } from '../../report/select.js';
import type { Units } from '../../report/words.js';
import { gzipSizes } from '../../write/estimate.js';
import { type BreakdownOptions, type BreakdownReport, type By, breakdownOf } from './breakdown.js';
import { chosenImages, type ImageSizes, type SizesReport, sizesReport } from './report.js';
import { sizesDoc } from './view.js';

export { BREAKDOWNS } from './breakdown.js';

export interface SizesOptions extends Selection, ReportingOptions, Partial<Omit<BreakdownOptions, 'by'>> {
  /** Default: by layer, or by directory if `depth` is given, by file if `top` is given. */
  readonly by?: By | undefined;
  readonly units?: Units | undefined;
  /** From `estimateSizes`: null if estimating is not possible; absent if it was not requested. */
  readonly estimates?: Estimates | null | undefined;
  /** Bases, one of which may be that of an image: what is above it is told apart. */
  readonly bases?: readonly BaseImage[] | undefined;
}

/** The read options that `sizes` needs. */
export function sizesReadOptions(options: Pick<SizesOptions, 'by' | 'depth' | 'top'>): ReadOptions {
  return chosenBreakdown(options) === 'package'
    ? { depth: 'files', files: KEPT_FOR_PACKAGES }
    : { depth: 'files' };
}

/**
 * `waybill sizes`: all sizes of images, by layer, directory, file, extension or package. The exit code is 1 if a size
 * is not known because a layer is absent, damaged or refused by Docker, or if not all of the files that are added up
 * are known.
 * @throws InputError if the selection matches nothing; UsageError for options that contradict each other
 */
export function sizes(reading: ArchiveReading, options: SizesOptions = {}): Result {
  chosenBreakdown(options);
  requireImages(reading);
  const report = sizesOf(reading, options);
  const exitCode = report.images.some(isUnknown) ? 1 : 0;
  const audited = auditedResult(reading, selectImages(reading, options), exitCode, options);
  return { ...audited, data: report, doc: sizesDoc(report, imagesIn(reading), options) };
}

/** Whether not all that is asked of an image's sizes is known. */
export const isUnknown = ({ unknown, breakdown, faults }: ImageSizes) =>
  unknown.length > 0 || (breakdown !== null && faults.some(({ kind }) => kind === 'incomplete'));

/** The report of `sizes`. */
export function sizesOf(reading: ArchiveReading, options: SizesOptions = {}): SizesReport {
  const by = chosenBreakdown(options);
  const chosen = selectImages(reading, options);
  const { sort, bases } = options;
  const report = reportOf(reading, chosen);
  const wantsFiles = by !== 'layer' || options.where !== undefined || (sort !== undefined && sort !== 'name');
  const breakdowns = chosenImages(reading, chosen).map(([{ scan }, image], i): BreakdownReport | null => {
    const base = bases === undefined ? null : baseOf(report.images[i]!, bases);
    const baseLayers = base === null ? null : base.diffIds.length;
    return wantsFiles ? breakdownOf(scan, image, { ...options, by, baseLayers }) : null;
  });
  return sizesReport(reading, chosen, report, options.estimates ?? null, breakdowns, bases);
}

function chosenBreakdown({ by, depth, top }: Pick<SizesOptions, 'by' | 'depth' | 'top'>): By {
  if (depth !== undefined && by !== undefined && by !== 'directory')
    throw new UsageError(`--depth is about directories, not --by ${by}`);
  return by ?? (depth !== undefined ? 'directory' : top !== undefined ? 'file' : 'layer');
}

export interface EstimateOptions extends Resources {
  /** Called while compressing, with the bytes done and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Compresses the layers that an archive holds uncompressed, to estimate the size that a registry would transfer. The
 * archive is read again.
 * @returns null for an archive that was read from a pipe, which cannot be read again
 * @throws InputError if the selection matches nothing, or the archive cannot be read any more
 */
export async function estimateSizes(
  reading: ArchiveReading,
  selection: Selection,
  options: EstimateOptions = {},
): Promise<Estimates | null> {
  const { opened, parts } = reading;
  if (opened.container === 'stream') return null;
  const chosen = selectImages(reading, selection);
  const places = parts.flatMap(part => {
    const images = part.graph.images.filter(image => chosen.has(image));
    const layers = images.flatMap(image => image.layers);
    const plain = new Set(layers.flatMap(layer => plainMember(part, layer) ?? []));
    return [...plain].map(member => ({ inside: part.part.inside, path: member.path, member }));
  });
  const total = places.reduce((sum, { member }) => sum + member.size, 0);
  let done = 0;
  const limits = limitsOf(options.limits);
  const sizes = await gzipSizes(opened.file, places, limits, bytes => {
    done += bytes;
    options.onProgress?.(done, total);
  });
  return new Map([...sizes].map(([{ member }, size]) => [member, size]));
}

/** An encrypted layer is transferred as it is. */
function plainMember({ scan }: PartReading, { member, encrypted }: Layer): Member | null {
  if (member === null || encrypted) return null;
  return scan.facts(member)?.compression === 'none' ? member : null;
}
