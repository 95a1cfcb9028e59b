import type { Verdicts } from '../checks/verdicts.js';
import type { Severity } from '../link/observation.js';

/**
 * The lines of a results file of `scan`: a record for each item of the work list, and a trailer. docs/fleet.md. All
 * sizes are bytes.
 */
export type ResultLine = ArchiveRecord | OtherRecord | Trailer;

/** The command that a run of many archives does for each. */
export type FleetCommand = 'scan' | 'verify' | 'check' | 'sizes';

/** The part of a run that a results file has. Records of two shards can be merged if these agree but for `number`. */
export interface Shard {
  /** From 1 to `of`. */
  readonly number: number;
  readonly of: number;
  /** Whether paths alone say which shard an archive belongs to, or their sizes too. */
  readonly by: 'path' | 'size';
  /**
   * Digest of the whole work list: sha256 over all paths, sorted by their bytes, each ended by a NUL. With `by` `size`
   * each path is followed by its size in decimal digits and another NUL.
   */
  readonly list: string;
}

/** The run that made a record: tool, command, options and shard. Records of one run agree in all of it. */
export interface Provenance {
  readonly schemaVersion: 1;
  /** Name and version: `waybill 0.1.0`. */
  readonly tool: string;
  readonly command: FleetCommand;
  /** Digest of the policy with everything that it extends and names; null where there is none. */
  readonly policy: string | null;
  /** Digest of all other options that change records: limits, platform, --fail-on, keys … */
  readonly settings: string;
  readonly shard: Shard;
}

/** An item of the work list, as it was when its reading began. */
export interface Item {
  /** Relative to the root, with `/`; bytes that are not UTF-8 are shown as U+FFFD. */
  readonly path: string;
  /** The bytes of the path in base64, where they are not UTF-8. */
  readonly pathBytes?: string;
  /** null for a folder, and where there is none. */
  readonly size: number | null;
  /** RFC 3339 with nanoseconds, UTC; null where there is none. Of a folder the latest of its members. */
  readonly mtime: string | null;
}

/** One archive. */
export interface ArchiveRecord extends Item, Provenance {
  readonly kind: 'archive';
  /** Digest of the file, `sha256:…`; null for a folder and where not all of it could be read. */
  readonly sha256: string | null;
  /** The only value that differs between two runs over the same files. */
  readonly durationMs: number;
  /** 2 where there is an error. */
  readonly exitCode: 0 | 1 | 2;
  /** The reason why there is no report. */
  readonly error: { readonly what: string; readonly remedy: string | null } | null;
  /** Everything below is left out where there is an error. */
  readonly container?: string;
  readonly compression?: string;
  readonly layout?: string;
  readonly producer?: string | null;
  readonly verdicts?: Verdicts;
  /** Whether the archive keeps to the policy; absent without one. */
  readonly passed?: boolean;
  /** The time of the run decided on it: an exception that expires, an age, a certificate. Absent where it did not. */
  readonly timed?: true;
  readonly images?: readonly ImageRecord[];
  readonly findings?: readonly FindingRecord[];
}

/** A file of a folder that is not an archive. One that is named itself is an `ArchiveRecord` with an error. */
export interface OtherRecord extends Item, Provenance {
  readonly kind: 'other';
  readonly reason: string;
}

export interface ImageRecord {
  readonly imageId: string | null;
  readonly manifestDigest: string | null;
  readonly names: readonly string[];
  readonly platform: string | null;
  readonly created: string | null;
  readonly verdicts: Verdicts;
  /** Base image as annotations or labels claim it (org.opencontainers.image.base.name and .digest). */
  readonly base: { readonly name: string | null; readonly digest: string | null } | null;
  readonly layers: readonly LayerRecord[];
  /** Sums over the layers. null where one is not known. */
  readonly sizes: SizesRecord;
}

export interface LayerRecord {
  readonly digest: string | null;
  readonly diffId: string | null;
  /** Stored bytes. */
  readonly size: number | null;
  readonly unpackedSize: number | null;
}

export interface SizesRecord {
  readonly stored: number | null;
  readonly unpacked: number | null;
  readonly docker: number | null;
}

export interface FindingRecord {
  readonly code: string;
  readonly severity: Severity;
  /** Whether it makes the exit code 1. */
  readonly failing: boolean;
  /** Index of the image in `images`; null where it is about the archive. */
  readonly image: number | null;
  /** Member of the archive or path in the image; null where there is none. */
  readonly path: string | null;
  /** Equal for the same finding of a later build; see docs/ci.md. */
  readonly fingerprint: string;
  readonly message: string;
}

/** The last line. A results file without it is not complete. */
export interface Trailer extends Provenance {
  readonly kind: 'end';
  /** Records of this file. */
  readonly count: number;
  /** Items of the whole list, of all shards. */
  readonly listCount: number;
  /**
   * sha256 over the sha256 digests, 32 bytes each, of the lines of the records in the order of their paths' bytes. A
   * line is hashed without its line break and with 0 as its `durationMs`. `RecordSummary` of results.ts.
   */
  readonly records: string;
  readonly exitCode: 0 | 1 | 2;
  /** Wall clock of the run that completed the file; of merged results the sum of those of its shards. */
  readonly durationMs: number;
}
