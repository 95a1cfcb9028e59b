import { type Apart, type BaseImage, type BaseReport, baseOf, baseReport } from '../../analysis/base.js';
import { dockerfileLine } from '../../analysis/instruction.js';
import { type Estimates, type Sizes, sumOf, weigher } from '../../analysis/weigh.js';
import { layerDoubt } from '../../docker/stores/sizes.js';
import { type LayerFault, layerFaults } from '../../filesystem/layer-tables.js';
import type { Image, Layer } from '../../link/graph.js';
import type { ArchiveReading, PartReading } from '../../report/read.js';
import type { ImageReport, LayerReport, Report } from '../../report/report.js';
import { grouped } from '../../spec/grouped.js';
import { formatPlatform } from '../../spec/platform.js';
import type { BreakdownReport } from './breakdown.js';

export type { BaseImage };

/** The report of `waybill sizes --json`: the general report, with all sizes. */
export interface SizesReport extends Omit<Report, 'images'> {
  /** Sizes of the archive: all layers of all its images, selected or not, each blob once. */
  readonly sizes: Sizes;
  /** Sizes of all images for a platform together, each blob once. */
  readonly platforms: readonly {
    readonly platform: string | null;
    readonly images: number;
    readonly sizes: Sizes;
  }[];
  readonly images: readonly ImageSizes[];
}

export interface ImageSizes extends Omit<ImageReport, 'layers'> {
  /** Sums over the layers: a layer that is listed twice counts twice. */
  readonly sizes: Sizes;
  /** Sizes of the layers that other images of the archive also have, each blob once. */
  readonly shared: Sizes;
  /** Sizes of the other layers, each blob once. */
  readonly unique: Sizes;
  /** Layers whose sizes are not all known, with the reason; unknown sizes are not in the sums. */
  readonly unknown: readonly { readonly layer: number; readonly reason: string }[];
  /** Layers whose entries are not all known, or whose bytes differ from the image's claims. */
  readonly faults: readonly LayerFault[];
  readonly layers: readonly LayerSizes[];
  /** null for a breakdown by layer. */
  readonly breakdown: BreakdownReport | null;
  /** The base that it begins with; null where it is none of those that were named. Left out where none was. */
  readonly base?: BaseReport | null;
  /** The sizes of the base's layers, and of those above; null if no base was found. Absent if none was named. */
  readonly baseSizes?: Apart<Sizes> | null;
}

export interface LayerSizes extends LayerReport {
  readonly sizes: Sizes;
  /** The line of a Dockerfile that created the layer; empty if it is not known. */
  readonly instruction: string;
  /** Number of other images of the archive that have the layer too. */
  readonly sharedWith: number;
}

/** @param layers  what each layer weighs, base first */
export const sizesApart = (base: BaseReport | null, layers: readonly Sizes[]): Apart<Sizes> | null =>
  base === null
    ? null
    : { theirs: sumOf(layers.slice(0, base.layers)), ours: sumOf(layers.slice(base.layers)) };

/** Identifies equal layers by their bytes, wherever they are stored. */
interface Blob {
  readonly key: string;
  /** The member that contains it, in a form that can be compared. */
  readonly place: string;
  readonly sizes: Sizes;
  readonly layer: Layer;
}

/**
 * @param report  of the chosen images
 * @param breakdowns  in their order
 * @param bases  of which one may be that of an image; undefined where none were named
 */
export function sizesReport(
  reading: ArchiveReading,
  chosen: ReadonlySet<Image>,
  report: Report,
  estimates: Estimates | null,
  breakdowns: readonly (BreakdownReport | null)[],
  bases?: readonly BaseImage[],
): SizesReport {
  const blobs = new Map<Image, Blob[]>();
  for (const [i, part] of reading.parts.entries()) {
    const weigh = weigher(part.scan, estimates);
    for (const image of part.graph.images)
      blobs.set(
        image,
        image.layers.map(layer => blobOf(part, i, layer, weigh(layer))),
      );
  }
  const owners = ownersOf(blobs);
  const inOrder = chosenImages(reading, chosen);
  const images = report.images.map((imageReport, i): ImageSizes => {
    const [part, image] = inOrder[i]!;
    const own = blobs.get(image)!;
    const layerSizes = own.map(({ sizes }) => sizes);
    const base = baseReport(baseOf(imageReport, bases ?? []));
    return {
      ...imageSizes(imageReport, part, own, owners, breakdowns[i] ?? null),
      faults: layerFaults(part.scan, image),
      ...(bases !== undefined && { base, baseSizes: sizesApart(base, layerSizes) }),
    };
  });
  return { ...report, sizes: distinct([...blobs.values()].flat()), platforms: platformsOf(blobs), images };
}

/** Images in the order of the report. */
export function chosenImages(
  { parts }: ArchiveReading,
  chosen: ReadonlySet<Image>,
): (readonly [PartReading, Image])[] {
  return parts.flatMap(part =>
    part.graph.images.filter(image => chosen.has(image)).map(image => [part, image] as const),
  );
}

function blobOf({ scan }: PartReading, part: number, layer: Layer, sizes: Sizes): Blob {
  const { member, claimedDigest, ref } = layer;
  const digest = member === null ? null : (scan.facts(member)?.digests?.sha256 ?? null);
  const place = `${part} ${member?.path ?? `absent ${claimedDigest ?? ref}`}`;
  return { key: digest ?? place, place, sizes, layer };
}

function ownersOf(blobs: ReadonlyMap<Image, readonly Blob[]>): ReadonlyMap<string, number> {
  const owners = new Map<string, number>();
  for (const own of blobs.values())
    for (const key of new Set(own.map(blob => blob.key))) owners.set(key, (owners.get(key) ?? 0) + 1);
  return owners;
}

/** Counts each blob once; a blob that is stored in two places counts as two stored blobs. */
function distinct(blobs: readonly Blob[]): Sizes {
  const once = (of: (blob: Blob) => string) => [
    ...new Map(blobs.map(blob => [of(blob), blob.sizes])).values(),
  ];
  return { ...sumOf(once(blob => blob.key)), stored: sumOf(once(blob => blob.place)).stored };
}

function platformsOf(blobs: ReadonlyMap<Image, readonly Blob[]>): SizesReport['platforms'] {
  const nameOf = ({ platform }: Image) => (platform === null ? null : formatPlatform(platform));
  return [...grouped(blobs, ([image]) => nameOf(image))].map(([platform, own]) => {
    return { platform, images: own.length, sizes: distinct(own.flatMap(([, list]) => list)) };
  });
}

function imageSizes(
  report: ImageReport,
  { scan }: PartReading,
  blobs: readonly Blob[],
  owners: ReadonlyMap<string, number>,
  breakdown: BreakdownReport | null,
): Omit<ImageSizes, 'faults'> {
  const isShared = ({ key }: Blob) => owners.get(key)! > 1;
  return {
    ...report,
    sizes: sumOf(blobs.map(blob => blob.sizes)),
    shared: distinct(blobs.filter(isShared)),
    unique: distinct(blobs.filter(blob => !isShared(blob))),
    unknown: blobs.flatMap(({ layer, sizes }, i) => {
      const reason = sizes.docker === null ? layerDoubt(scan, layer, 'vfs') : null;
      return reason === null ? [] : [{ layer: i, reason }];
    }),
    layers: report.layers.map((layer, i) => ({
      ...layer,
      sizes: blobs[i]!.sizes,
      instruction: dockerfileLine(layer.createdBy ?? ''),
      sharedWith: owners.get(blobs[i]!.key)! - 1,
    })),
    breakdown,
  };
}
