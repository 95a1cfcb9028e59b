import type { Verdicts } from '../../checks/verdicts.js';
import type { LayerSum } from '../../fleet/merge-layers.js';
import {
  type FleetArchive,
  type FleetBytes,
  type FleetImage,
  type FleetTotals,
  nameOfArchive,
  type VerdictCounts,
} from '../../fleet/merge-totals.js';
import type { FleetCommand } from '../../fleet/record.js';
import type { Severity } from '../../link/observation.js';
import type { ProblemReport } from './problems.js';

/** The data of `waybill merge --json`: docs/schema.json, `fleet`. All sizes are bytes. */
export interface FleetReport {
  readonly schemaVersion: 1;
  /** False with `--allow-partial` where something is missing or does not agree: `problems` says what. */
  readonly complete: boolean;
  readonly problems: readonly ProblemReport[];
  readonly tool: string | null;
  readonly command: FleetCommand | null;
  readonly policy: string | null;
  readonly settings: string | null;
  /** The work list: its digest, its items, and the shards that it was scanned in. */
  readonly list: { readonly digest: string | null; readonly count: number | null; readonly shards: number };
  readonly exitCode: 0 | 1 | 2;
  readonly totals: {
    readonly archives: number;
    /** Exit code 0, 1 and 2. */
    readonly passed: number;
    readonly failed: number;
    readonly unread: number;
    /** Files of folders that are not archives. */
    readonly others: number;
    readonly images: number;
    readonly distinctImages: number;
    /** Milliseconds that all archives took, added up. */
    readonly durationMs: number;
  };
  readonly verdicts: Readonly<Record<keyof Verdicts, VerdictCounts>>;
  readonly bytes: FleetBytes;
  readonly findings: readonly {
    readonly code: string;
    readonly severity: Severity;
    readonly count: number;
    readonly failing: number;
    readonly archives: number;
    /** Path of the first archive that has it. */
    readonly first: string;
  }[];
  /** Why archives have no report, by reason; those that differ only in numbers are one. */
  readonly unread: readonly { readonly what: string; readonly archives: number; readonly first: string }[];
  /** Worst first. */
  readonly archives: readonly FleetArchive[];
  /** Those in most archives first. */
  readonly images: readonly ImageSummary[];
  readonly bases: {
    readonly inFleet: readonly BaseSummary[];
    readonly claimed: readonly {
      readonly name: string | null;
      readonly digest: string | null;
      readonly images: number;
      readonly confirmed: number;
      readonly refuted: number;
    }[];
  };
  readonly duplicates: {
    /** Images that are in several archives. */
    readonly images: number;
    /** Paths of files that are equal. */
    readonly files: readonly {
      readonly sha256: string;
      readonly size: number | null;
      readonly paths: readonly string[];
    }[];
    /** Names that images of one platform share although they differ. */
    readonly names: readonly {
      readonly name: string;
      readonly platform: string | null;
      readonly images: readonly string[];
    }[];
  };
  /** Unpacked layers that several archives have: the ones with most bytes in further archives. */
  readonly sharedLayers: {
    readonly count: number;
    readonly largest: readonly {
      readonly diffId: string;
      readonly size: number | null;
      readonly archives: number;
      /** Title of the first image that has it. */
      readonly image: string;
    }[];
  };
}

export interface ImageSummary extends Omit<FleetImage, 'archives' | 'base'> {
  /** Paths of the archives that have it. */
  readonly archives: readonly string[];
  /** The image of the fleet that it is built upon, and the number of its layers. */
  readonly base: { readonly image: string; readonly layers: number } | null;
}

export interface BaseSummary {
  /** Its first name, or its ID. */
  readonly image: string;
  readonly imageId: string | null;
  readonly layers: number;
  /** Distinct images that are built upon it, and the archives that have them. */
  readonly images: number;
  readonly archives: number;
}

/** Shared layers that are listed. */
const LAYERS = 100;

/** The facts that all results files agree in. */
export interface FleetOrigin {
  readonly tool: string | null;
  readonly command: FleetCommand | null;
  readonly policy: string | null;
  readonly settings: string | null;
  readonly list: FleetReport['list'];
  readonly problems: readonly ProblemReport[];
  readonly exitCode: 0 | 1 | 2;
}

export function fleetReport(totals: FleetTotals, origin: FleetOrigin): FleetReport {
  const { tool, command, policy, settings, list, problems, exitCode } = origin;
  const { archives, exitCodes, others, imageCount, durationMs } = totals;
  const images = totals.images();
  const [passed, failed, unread] = exitCodes;
  return {
    schemaVersion: 1,
    complete: problems.length === 0,
    problems,
    tool,
    command,
    policy,
    settings,
    list,
    exitCode,
    totals: {
      archives: archives.length,
      passed,
      failed,
      unread,
      others,
      images: imageCount,
      distinctImages: images.length,
      durationMs,
    },
    verdicts: totals.verdicts,
    bytes: totals.bytes(),
    findings: totals
      .findings()
      .map(({ first, ...finding }) => ({ ...finding, first: nameOfArchive(archives[first]!) })),
    unread: totals
      .unreadReasons()
      .map(({ first, ...reason }) => ({ ...reason, first: nameOfArchive(archives[first]!) })),
    archives: totals.worstFirst().map(i => archives[i]!),
    images: imageSummaries(images, archives),
    bases: { inFleet: baseSummaries(totals, images), claimed: totals.claimedBases() },
    duplicates: duplicatesOf(totals, images),
    sharedLayers: sharedLayersOf(totals, images),
  };
}

function imageSummaries(images: readonly FleetImage[], archives: readonly FleetArchive[]): ImageSummary[] {
  return images
    .map(
      (image): ImageSummary => ({
        ...image,
        archives: image.archives.map(i => nameOfArchive(archives[i]!)),
        base:
          image.base === null
            ? null
            : { image: imageTitle(images[image.base.image]!), layers: image.base.layers },
      }),
    )
    .sort((a, b) => b.archives.length - a.archives.length || b.nameCount - a.nameCount);
}

const baseSummaries = (totals: FleetTotals, images: readonly FleetImage[]): BaseSummary[] =>
  totals.bases().map(base => ({
    ...base,
    image: imageTitle(images[base.image]!),
    imageId: images[base.image]!.imageId,
  }));

function duplicatesOf(totals: FleetTotals, images: readonly FleetImage[]): FleetReport['duplicates'] {
  const { archives } = totals;
  return {
    images: images.filter(image => image.archives.length > 1).length,
    files: totals.equalFiles().map(group => ({
      sha256: archives[group[0]!]!.sha256!,
      size: archives[group[0]!]!.size,
      paths: group.map(i => nameOfArchive(archives[i]!)),
    })),
    names: totals.sharedNames().map(({ name, platform, images: own }) => ({
      name,
      platform,
      images: own.map(i => identityOf(images[i]!)),
    })),
  };
}

function sharedLayersOf(totals: FleetTotals, images: readonly FleetImage[]): FleetReport['sharedLayers'] {
  const { layers, count } = totals.sharedLayers(LAYERS);
  return {
    count,
    largest: layers.map(({ digest, size, archives, image }) => ({
      diffId: digest,
      size,
      archives,
      image: imageTitle(images[image]!),
    })),
  };
}

/** ID of an image, or the digest of its manifest. */
export const identityOf = ({ imageId, manifestDigest }: Pick<FleetImage, 'imageId' | 'manifestDigest'>) =>
  imageId ?? manifestDigest ?? '(no ID)';

/** First name of an image, or its ID. */
export const imageTitle = (image: Pick<FleetImage, 'names' | 'imageId' | 'manifestDigest'>): string =>
  image.names[0] ?? identityOf(image);

/** Bytes that a fleet holds more than once. */
export const sameBytes = (all: LayerSum, distinct: LayerSum): number => all.bytes - distinct.bytes;
