import { type Apart, type BaseImage, type BaseReport, baseOf, baseReport } from '../../analysis/base.js';
import { type DiveScore, diveScore } from '../../analysis/dive.js';
import { unpackImage } from '../../analysis/hidden-files.js';
import { dockerfileLine } from '../../analysis/instruction.js';
import { type Waste, type WastedBytes, wastedBytes, wasteOf } from '../../analysis/waste.js';
import { layerFaults, tablesOf } from '../../filesystem/layer-tables.js';
import type { Image } from '../../link/graph.js';
import type { Result } from '../../report/doc.js';
import { type ArchiveReading, imagesIn, type PartReading, type ReadOptions } from '../../report/read.js';
import { type ImageReport, type LayerReport, type Report, reportOf } from '../../report/report.js';
import { auditedResult, type ReportingOptions } from '../../report/reported.js';
import { requireImages, type Selection, selectImages } from '../../report/select.js';
import { type WastedFileReport, wastedFileReport } from '../../report/waste-causes.js';
import type { Units } from '../../report/words.js';
import { nameText } from '../../scan/entries/name.js';
import type { EntryTable } from '../../scan/entries/table.js';
import { chosenImages } from '../sizes/report.js';
import { wasteDoc } from './view.js';

export interface WasteOptions extends Selection, ReportingOptions {
  /** The score to print; the data has both. Default both. */
  readonly score?: 'dive' | 'ours' | undefined;
  /** Number of the largest wastes to print. Default 10. */
  readonly top?: number | undefined;
  readonly units?: Units | undefined;
  /** Bases, one of which may be that of an image: what is above it is told apart. */
  readonly bases?: readonly BaseImage[] | undefined;
}

/** The report of `waybill waste --json`: the general report, with the waste of each image. */
export interface WasteReport extends Omit<Report, 'images'> {
  readonly images: readonly ImageWaste[];
}

export interface ImageWaste extends Omit<ImageReport, 'layers'> {
  readonly layers: readonly (LayerReport & { readonly instruction: string })[];
  /** dive's score; null if not every layer can be read to its end, because dive then prints none. */
  readonly dive: DiveScore | null;
  readonly waste: WasteNumbers;
  /** Layers that were not, or not completely, read, with the reason. */
  readonly unknown: readonly { readonly layer: number; readonly reason: string }[];
  /** The base that it begins with; null where it is none of those that were named. Left out where none was. */
  readonly base?: BaseReport | null;
  /** The waste in the base's layers, whichever layer hides it, and in those above. */
  readonly baseWaste?: Apart<WastedBytes> | null;
}

export interface WasteNumbers extends Omit<Waste, 'files'> {
  readonly files: readonly WastedFileReport[];
}

/** The read options that `waste` needs. */
export const wasteReadOptions: ReadOptions = { depth: 'files', files: { digests: 'duplicates' } };

/**
 * `waybill waste`: the bytes that images ship without need, with remedies; and dive's score. The exit code is 1 if
 * layers are absent or damaged.
 * @throws InputError if the selection matches nothing
 */
export function waste(reading: ArchiveReading, options: WasteOptions = {}): Result {
  requireImages(reading);
  const report = wasteReport(reading, options);
  const exitCode = report.images.some(({ unknown }) => unknown.length > 0) ? 1 : 0;
  const audited = auditedResult(reading, selectImages(reading, options), exitCode, options);
  return { ...audited, data: report, doc: wasteDoc(report, imagesIn(reading), options) };
}

/** The report of `waste`. */
export function wasteReport(
  reading: ArchiveReading,
  { bases, ...selection }: Pick<WasteOptions, 'bases'> & Selection = {},
): WasteReport {
  const chosen = selectImages(reading, selection);
  const report = reportOf(reading, chosen);
  const images = chosenImages(reading, chosen).map(([part, image], i) =>
    imageWaste(report.images[i]!, part, image, bases),
  );
  return { ...report, images };
}

function imageWaste(
  report: ImageReport,
  { scan }: PartReading,
  image: Image,
  bases: readonly BaseImage[] | undefined,
): ImageWaste {
  const tables = tablesOf(scan, image);
  const unknown = layerFaults(scan, image).filter(({ kind }) => kind === 'incomplete');
  // Before the files are unpacked: both together would take twice the memory.
  const dive = unknown.length === 0 && isKnown(tables) ? diveInText(diveScore(tables)) : null;
  const found = wasteOf(unpackImage(scan, image));
  const base = baseReport(baseOf(report, bases ?? []));
  return {
    ...report,
    layers: report.layers.map(layer => ({ ...layer, instruction: dockerfileLine(layer.createdBy ?? '') })),
    dive,
    waste: { ...found, files: found.files.map(wastedFileReport) },
    unknown: unknown.map(({ layer, reason }) => ({ layer, reason })),
    ...(bases !== undefined && { base, baseWaste: wasteApart(base, found) }),
  };
}

const wasteApart = (base: BaseReport | null, { files }: Waste): Apart<WastedBytes> | null =>
  base === null
    ? null
    : {
        theirs: wastedBytes(files, layer => layer < base.layers),
        ours: wastedBytes(files, layer => layer >= base.layers),
      };

const isKnown = (tables: readonly (EntryTable | null)[]): tables is readonly EntryTable[] =>
  tables.every(table => table !== null);

function diveInText(score: DiveScore | null): DiveScore | null {
  if (score === null) return null;
  return { ...score, inefficient: score.inefficient.map(file => ({ ...file, path: nameText(file.path) })) };
}
