import { type Apart, type BaseImage, type BaseReport, baseOf, baseReport } from '../../analysis/base.js';
import { shownStep } from '../../analysis/instruction.js';
import { type ImagePackage, packagesIn, WANTED_FOR_PACKAGES } from '../../analysis/packages.js';
import { pathFilter } from '../../containers/path-filter.js';
import { UsageError } from '../../errors.js';
import { type LayerFault, layerFaults, tablesOf } from '../../filesystem/layer-tables.js';
import type { Distribution } from '../../packages/os-release.js';
import type { DatabaseNote } from '../../packages/package.js';
import { PACKAGE_TYPES, type PackageType, purlOf } from '../../packages/purl.js';
import type { BillOfMaterials, Result } from '../../report/doc.js';
import { type ArchiveReading, imagesIn, type ReadOptions } from '../../report/read.js';
import { type ImageReport, type LayerReport, type Report, reportOf } from '../../report/report.js';
import { auditedResult, type ReportingOptions } from '../../report/reported.js';
import {
  type ChosenImage,
  chosenImages,
  imagesWithLayer,
  oneImage,
  requireImages,
  type Selection,
} from '../../report/select.js';
import { didYouMean, nearest } from '../../spec/nearest.js';
import { billOf } from './bill.js';
import { packagesDoc } from './view.js';

export interface PackagesOptions extends Selection, ReportingOptions {
  /** How the printed list is grouped. Default: by layer. */
  readonly by?: 'layer' | 'type' | 'name' | undefined;
  /** Only packages of these types. */
  readonly types?: readonly PackageType[] | undefined;
  /** Only packages whose names match one of these patterns: `*` and `?`, `[a-z]`, `{a,b}`. */
  readonly named?: readonly string[] | undefined;
  /** Only packages that this layer brings: its number, digest or diff_id. */
  readonly in?: string | undefined;
  /** Only packages above the base. */
  readonly ours?: boolean | undefined;
  /** Number of rows of each group to print; the data has all. */
  readonly top?: number | undefined;
  /** Bases, one of which may be that of an image: what is above it is told apart. */
  readonly bases?: readonly BaseImage[] | undefined;
  /** The result also is a bill of materials, and thus about exactly one image. */
  readonly isBill?: boolean | undefined;
  /** SOURCE_DATE_EPOCH, in seconds since 1970: the time of a bill of materials. Default: that of the image. */
  readonly epoch?: number | null | undefined;
}

/** The report of `waybill packages --json`: the general report, with the packages of each image. */
export interface PackagesReport extends Omit<Report, 'images'> {
  readonly images: readonly ImagePackagesReport[];
}

export interface ImagePackagesReport extends Omit<ImageReport, 'layers'> {
  readonly layers: readonly (LayerReport & { readonly instruction: string })[];
  /** As os-release names it; null where it does not. */
  readonly distribution: Distribution | null;
  /** By type, name and version; those that the filters leave. */
  readonly packages: readonly PackageReport[];
  /** How many there are of each type, whatever the filters. */
  readonly packageCounts: Readonly<Partial<Record<PackageType, number>>>;
  /** Files that state packages and could not be read, or not to their end. */
  readonly packageNotes: readonly DatabaseNote[];
  /** Layers whose files are not all known, or are not what the image claims. */
  readonly faults: readonly LayerFault[];
  /** The base that it begins with; null where it is none of those that were named. Left out where none was. */
  readonly base?: BaseReport | null;
  /** How many packages the base's layers bring, and how many the layers above; whatever the filters. */
  readonly basePackages?: Apart<number> | null;
}

export interface PackageReport extends ImagePackage {
  /** The package URL; null where the specification needs what is not known. */
  readonly purl: string | null;
  /** Whether a layer above the base brings it. Left out where no base is known. */
  readonly ours?: boolean;
}

/** The read options that `packages` needs. */
export const packagesReadOptions: ReadOptions = { depth: 'files', files: WANTED_FOR_PACKAGES };

/**
 * `waybill packages`: the packages that the databases and metadata in images list, with the layers that bring them. The
 * exit code is 1 if the list may lack some: a layer, a database or a file with metadata could not be read.
 * @throws InputError if the selection matches nothing; for a bill of materials, if it matches several images
 */
export function packages(reading: ArchiveReading, options: PackagesOptions = {}): Result {
  requireImages(reading);
  const chosen = imagesFor(reading, options);
  const report = packagesReport(reading, options);
  const exitCode = report.images.every(isWhole) ? 0 : 1;
  const images = new Set(chosen.map(({ image }) => image));
  const audited = auditedResult(reading, images, exitCode, options);
  const doc = packagesDoc(report, imagesIn(reading), options);
  const [only] = report.images;
  const bill: BillOfMaterials | undefined =
    options.isBill === true ? billOf(only!, { ...options, isWhole: isWhole(only!) }) : undefined;
  return { ...audited, data: report, doc, ...(bill !== undefined && { bill }) };
}

const isWhole = ({ faults, packageNotes }: ImagePackagesReport): boolean =>
  packageNotes.length === 0 && faults.every(({ kind }) => kind === 'changed');

/** The images that are meant: those that have the layer of `in`, and one alone for a bill of materials. */
function imagesFor(reading: ArchiveReading, options: PackagesOptions): ChosenImage[] {
  if (options.isBill === true) return [oneImage(reading, options)];
  const chosen = chosenImages(reading, options);
  return options.in === undefined ? chosen : imagesWithLayer(chosen, options.in, reading.opened.file);
}

/** The report of `packages`. */
export function packagesReport(reading: ArchiveReading, options: PackagesOptions = {}): PackagesReport {
  const { bases, in: layer } = options;
  const images = imagesFor(reading, options);
  const layers = layer === undefined ? null : imagesWithLayer(images, layer, reading.opened.file);
  const report = reportOf(reading, new Set(images.map(({ image }) => image)));
  const reports = images.map(({ part, image }, i): ImagePackagesReport => {
    const own = report.images[i]!;
    const base = baseReport(baseOf(own, bases ?? []));
    const { packages: all, distribution, notes } = packagesIn(tablesOf(part.scan, image));
    const kept = all.filter(wantedBy(options, layers?.[i]?.index ?? null, base));
    const counts: Partial<Record<PackageType, number>> = {};
    for (const { type } of all) counts[type] = (counts[type] ?? 0) + 1;
    return {
      ...own,
      layers: own.layers.map(one => ({ ...one, instruction: shownStep(one.createdBy ?? '') })),
      distribution,
      packages: kept.map(entry => ({
        ...entry,
        purl: purlOf(entry, distribution),
        ...(base !== null && { ours: entry.layer >= base.layers }),
      })),
      packageCounts: counts,
      packageNotes: notes,
      faults: layerFaults(part.scan, image),
      ...(bases !== undefined && { base, basePackages: packagesApart(all, base) }),
    };
  });
  return { ...report, images: reports };
}

function packagesApart(all: readonly ImagePackage[], base: BaseReport | null): Apart<number> | null {
  if (base === null) return null;
  const ours = all.filter(({ layer }) => layer >= base.layers).length;
  return { theirs: all.length - ours, ours };
}

function wantedBy({ types, named, ours }: PackagesOptions, layer: number | null, base: BaseReport | null) {
  const isNamed = named === undefined ? null : named.map(nameTest);
  return (entry: ImagePackage): boolean =>
    (types === undefined || types.includes(entry.type)) &&
    (isNamed === null || isNamed.some(test => test(entry))) &&
    (layer === null || entry.layer === layer) &&
    (ours !== true || base === null || entry.layer >= base.layers);
}

/**
 * A pattern for a name; one with a colon for Maven's `group:name`. Slashes of scopes and modules count as any
 * character.
 */
function nameTest(pattern: string): (entry: ImagePackage) => boolean {
  const matches = pathFilter([pattern.replaceAll('/', '\u0001')]);
  return ({ group, name }) =>
    [name, ...(group === null ? [] : [`${group}:${name}`])].some(one =>
      matches(one.replaceAll('/', '\u0001')),
    );
}

/** Names of types in other tools. */
const TYPE_ALIASES: Readonly<Record<string, PackageType>> = {
  dpkg: 'deb',
  python: 'pypi',
  pip: 'pypi',
  go: 'golang',
  java: 'maven',
  jar: 'maven',
  node: 'npm',
};

/** The types that `--type` names, with commas between. @throws UsageError for one that there is not */
export function packageTypes(values: readonly string[]): PackageType[] {
  return values
    .flatMap(value => value.split(','))
    .map(value => {
      const word = value.trim().toLowerCase();
      const type = PACKAGE_TYPES.find(one => one === word) ?? TYPE_ALIASES[word];
      if (type !== undefined) return type;
      const near = didYouMean(nearest(word, [...PACKAGE_TYPES, ...Object.keys(TYPE_ALIASES)]));
      throw new UsageError(
        `--type: expected one of ${PACKAGE_TYPES.join(', ')}, found ${JSON.stringify(value)}${near}`,
      );
    });
}
