import type { KindCount } from '../../analysis/diff/changes.js';
import type { Aspect } from '../../analysis/diff/files.js';
import type { Change } from '../../analysis/diff/image.js';
import type { Sizes } from '../../analysis/weigh.js';
import type { LayerFault } from '../../filesystem/layer-tables.js';
import type { PackageChange } from '../../packages/package.js';
import type { ArchiveReport, ImageReport, LayerReport } from '../../report/report.js';
import type { EntryType } from '../../scan/entries/table.js';

/** The report of `waybill diff --json`. Ignored differences are counted but not listed. */
export interface DiffReport {
  readonly schemaVersion: 1;
  readonly a: ArchiveReport;
  readonly b: ArchiveReport;
  /** True if there are only ignored differences. */
  readonly same: boolean;
  /** Number of differences by kind, of all pairs of images; see `KINDS`. */
  readonly differences: readonly KindCount[];
  /** Number of ignored differences by kind. */
  readonly ignored: readonly KindCount[];
  readonly images: readonly ImageDiff[];
  /** Images without a counterpart. */
  readonly onlyA: readonly ImageRef[];
  readonly onlyB: readonly ImageRef[];
  /** Digests of artifacts that only one archive has. */
  readonly artifacts: OnlyIn<string>;
  /** Notes on what could not be compared, with the reason. */
  readonly notes: readonly string[];
}

export interface OnlyIn<T> {
  readonly onlyA: readonly T[];
  readonly onlyB: readonly T[];
}

export type ImageRef = Pick<
  ImageReport,
  'names' | 'platform' | 'imageId' | 'manifestDigest' | 'v1Id' | 'created' | 'inside'
>;

/** The comparison of two images: `a` is regarded as the older one, so that `b` has the additions. */
export interface ImageDiff {
  readonly a: ImageRef;
  readonly b: ImageRef;
  readonly same: boolean;
  readonly differences: readonly KindCount[];
  readonly ignored: readonly KindCount[];
  /** Full names, as Docker resolves them. */
  readonly names: OnlyIn<string>;
  readonly config: readonly Change[];
  readonly history: readonly Change[];
  /** Changes of the manifests, except digests. */
  readonly manifest: readonly Change[];
  /** Digests of the manifests of attestations. */
  readonly attestations: OnlyIn<string>;
  readonly layers: LayersDiff;
  readonly files: FilesDiff;
  readonly packages: readonly PackageChange[];
  /** Sizes of all layers together, in bytes. */
  readonly sizes: { readonly a: Sizes; readonly b: Sizes };
  /** Layers whose entries are not all known, or whose bytes differ from the claims of their own image. */
  readonly faults: { readonly a: readonly LayerFault[]; readonly b: readonly LayerFault[] };
  readonly notes: readonly string[];
}

export interface LayersDiff {
  /** Number of equal layers from the base on. */
  readonly shared: number;
  /** Number of equal layers at any position, including the shared ones. */
  readonly same: number;
  /** Layers that are not the same, or not stored in the same bytes; in order. */
  readonly changes: readonly LayerDifference[];
}

export interface LayerDifference {
  readonly state: 'added' | 'removed' | 'changed' | 'recompressed';
  readonly a: LayerRef | null;
  readonly b: LayerRef | null;
  /** Differences between two versions of a layer, compared on its own; null if they are not known. */
  readonly differences: readonly KindCount[] | null;
}

export interface LayerRef
  extends Pick<LayerReport, 'digest' | 'size' | 'diffId' | 'unpackedSize' | 'compression' | 'createdBy'> {
  /** From 0 for the base. */
  readonly index: number;
}

/** Differences of the squashed file systems. */
export interface FilesDiff {
  readonly added: readonly FileRef[];
  readonly removed: readonly FileRef[];
  readonly changed: readonly FileChange[];
}

export interface FileChange {
  readonly path: string;
  readonly aspects: readonly Aspect[];
  readonly a: FileRef;
  readonly b: FileRef;
  /** The change of a small text file as a unified diff; null if not requested, or not possible. */
  readonly text: string | null;
}

export interface FileRef {
  /** Without a leading slash; empty for the root. */
  readonly path: string;
  readonly type: EntryType;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, with fraction. */
  readonly mtime: number;
  readonly target: string | null;
  readonly layer: number;
  readonly digest: string | null;
}
