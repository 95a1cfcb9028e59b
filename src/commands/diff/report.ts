import type { KindCount } from '../../analysis/diff/changes.js';
import type { Aspect } from '../../analysis/diff/files.js';
import type { Change } from '../../analysis/diff/image.js';
import type { Sizes } from '../../analysis/weigh.js';
import type { PackageChange } from '../../packages/package.js';
import type { ArchiveReport, ImageReport, LayerReport } from '../../report/report.js';
import type { EntryType } from '../../scan/entries/table.js';

/** The report of `waybill diff --json`. What is ignored is counted, and listed nowhere. */
export interface DiffReport {
  readonly schemaVersion: 1;
  readonly a: ArchiveReport;
  readonly b: ArchiveReport;
  /** Nothing differs but what is ignored. */
  readonly same: boolean;
  /** What differs, in all pairs of images together; see `KINDS`. */
  readonly differences: readonly KindCount[];
  /** What differs and is ignored. */
  readonly ignored: readonly KindCount[];
  readonly images: readonly ImageDiff[];
  /** Images without a partner. */
  readonly onlyA: readonly ImageRef[];
  readonly onlyB: readonly ImageRef[];
  /** Digests of artifacts that only one has. */
  readonly artifacts: OnlyIn<string>;
  /** What could not be compared, and why. */
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

/** Two images that are compared: `a` is the older, so to say, and `b` has what was added. */
export interface ImageDiff {
  readonly a: ImageRef;
  readonly b: ImageRef;
  readonly same: boolean;
  readonly differences: readonly KindCount[];
  readonly ignored: readonly KindCount[];
  /** In full, as Docker resolves them. */
  readonly names: OnlyIn<string>;
  readonly config: readonly Change[];
  readonly history: readonly Change[];
  /** Changes of the manifests, apart from the digests. */
  readonly manifest: readonly Change[];
  /** Digests of attestations' manifests. */
  readonly attestations: OnlyIn<string>;
  readonly layers: LayersDiff;
  readonly files: FilesDiff;
  readonly packages: readonly PackageChange[];
  /** Sizes of all layers together. */
  readonly sizes: { readonly a: Sizes; readonly b: Sizes };
  readonly notes: readonly string[];
}

export interface LayersDiff {
  /** Layers from the base on that both have. */
  readonly shared: number;
  /** Those that both have anywhere, the shared ones included. */
  readonly same: number;
  /** In order: what is not the same, or not stored in the same bytes. */
  readonly changes: readonly LayerChange[];
}

export interface LayerChange {
  readonly state: 'added' | 'removed' | 'changed' | 'recompressed';
  readonly a: LayerRef | null;
  readonly b: LayerRef | null;
  /** In what a changed layer differs, looked at alone; null where that cannot be told. */
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
  /** The change of a small text file as a unified diff; null where none was asked for, or none can be made. */
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
  /** Seconds since 1970, with their fraction. */
  readonly mtime: number;
  readonly target: string | null;
  readonly layer: number;
  readonly digest: string | null;
}
