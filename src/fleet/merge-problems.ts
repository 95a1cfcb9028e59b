import type { FleetCommand } from './record.js';

/** A file of results as the user named it, and a line of it from 1; 0 for the file as a whole. */
export interface ResultsPlace {
  readonly file: string;
  readonly line: number;
}

/** Why a line is not accepted. */
export type LineReason =
  | 'not-json'
  | 'not-a-result'
  | 'other-schema'
  /** It has no line break at its end: the process that wrote it was killed. */
  | 'torn'
  /** It is a result, and its images or findings are not what `record.ts` says. */
  | 'malformed'
  | 'too-long'
  /** The first line of what `--allow-partial` wrote. */
  | 'partial-merge';

/** In what results must agree to be merged. */
export type AgreedMember = 'tool' | 'command' | 'policy' | 'settings' | 'of' | 'by' | 'list' | 'listCount';

/** Paths that a problem names: the first ones, as records have them, and how many there are. */
export interface SomePaths {
  readonly count: number;
  readonly first: readonly string[];
}

/**
 * Why results cannot be merged, or not with proof that nothing is lost. Facts only: sentences are made by the command.
 */
export type MergeProblem =
  /** The file cannot be read; `reason` is that of the system. */
  | { readonly code: 'unreadable'; readonly file: string; readonly reason: string }
  | { readonly code: 'named-twice'; readonly file: string; readonly other: string }
  | { readonly code: 'empty'; readonly file: string }
  /** No line is a result. */
  | {
      readonly code: 'not-results';
      readonly at: ResultsPlace;
      readonly reason: LineReason;
      readonly found: string;
    }
  | {
      readonly code: 'bad-lines';
      readonly at: ResultsPlace;
      readonly reason: LineReason;
      readonly found: string;
      readonly count: number;
    }
  /** Lines of other runs among the records of one. */
  | { readonly code: 'mixed'; readonly at: ResultsPlace; readonly member: string; readonly count: number }
  | {
      readonly code: 'no-trailer';
      readonly file: string;
      readonly shard: ShardName;
      /** Whole ones. */
      readonly records: number;
      /** Whether the last line is cut. */
      readonly isTorn: boolean;
    }
  | { readonly code: 'count'; readonly at: ResultsPlace; readonly expected: number; readonly found: number }
  | { readonly code: 'records'; readonly at: ResultsPlace; readonly expected: string; readonly found: string }
  | {
      readonly code: 'exit-code';
      readonly at: ResultsPlace;
      readonly expected: number;
      readonly found: number;
    }
  | {
      readonly code: 'disagree';
      readonly member: AgreedMember;
      readonly values: readonly {
        readonly value: string | number | null;
        readonly files: readonly string[];
      }[];
    }
  | { readonly code: 'shard-missing'; readonly shard: ShardName }
  | {
      readonly code: 'shard-twice';
      readonly shard: ShardName;
      readonly files: readonly string[];
      readonly same: boolean;
    }
  | { readonly code: 'path-twice'; readonly files: readonly [string, string]; readonly paths: SomePaths }
  | {
      readonly code: 'wrong-shard';
      readonly file: string;
      readonly shard: ShardName;
      readonly belongs: number;
      readonly paths: SomePaths;
    }
  /** The shards together, each of which is whole, are not the list. */
  | { readonly code: 'list-count'; readonly expected: number; readonly found: number }
  | { readonly code: 'list-digest'; readonly expected: string; readonly found: string }
  /** Only with `--list`. */
  | { readonly code: 'not-scanned'; readonly list: string; readonly paths: SomePaths }
  | { readonly code: 'not-listed'; readonly list: string; readonly paths: SomePaths };

export interface ShardName {
  readonly number: number;
  readonly of: number;
}

/** The facts from which the command is made that scans a shard again. */
export interface RunDescription {
  readonly command: FleetCommand;
  readonly hasPolicy: boolean;
  readonly by: 'path' | 'size';
  /** Result files by the number of their shard. */
  readonly files: ReadonlyMap<number, string>;
}
