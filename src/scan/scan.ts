import { deadlineIn } from '../containers/deadline.js';
import type { Member, Part, SourceProblem } from '../containers/source.js';
import type { Limits, Resources } from '../limits.js';
import type { Document, Head } from './blob/document.js';
import { type Analysis, UnpackedTotal } from './blob/examiner.js';
import type { BlobFacts } from './blob/facts.js';
import type { KnownBlobs } from './blob/known.js';
import type { ContentWanted } from './entries/content.js';

import { scanSeekable } from './scan-seekable.js';

export type { Head } from './blob/document.js';

/**
 * How deep to read. `metadata`: JSON documents and first bytes only; `digests`: every byte, hashed and unpacked;
 * `files`: also the entries of layers.
 */
export type Depth = 'metadata' | 'digests' | 'files';

/**
 * Applies a rule to an argument, once for each pair of both, and keeps the result for as long as the scan is held.
 * @param rule  a function of the module, not a closure: its identity is half of the key
 */
export type Once = <A extends object, R>(rule: (argument: A) => R, argument: A) => R;

/** One archive of members, read as deep as was asked for. The same for every way it can be delivered. */
export interface Scan {
  readonly depth: Depth;
  readonly limits: Limits;
  /** True if the members are files of a directory instead of a tar. */
  readonly isDirectory: boolean;
  readonly members: readonly Member[];
  readonly problems: readonly SourceProblem[];
  /** The file at a path, with links followed. */
  file(path: string): Member | null;
  /** True if a path leads to a directory through links. */
  isFolder(path: string): boolean;
  /** The member at a path, of any type. */
  at(path: string): Member | null;
  head(file: Member): Head;
  document(file: Member): Document;
  /** null at depth `metadata`. */
  facts(file: Member): BlobFacts | null;
  /** Computes what a rule makes of its argument once, and keeps it as long as this scan is held. */
  readonly once: Once;
}

export interface ScanOptions extends Pick<Resources, 'jobs' | 'memory'> {
  readonly depth: Depth;
  readonly limits: Limits;
  /** The deadline of `limits.seconds`, on the clock of `containers/deadline.ts`; by default it is counted from now. */
  readonly deadline?: number | undefined;
  /** A counter of unpacked bytes, shared if several parts of one file are scanned. */
  readonly unpacked?: UnpackedTotal | undefined;
  /** The file contents to read from layers, at depth `files`. */
  readonly contents?: ContentWanted | undefined;
  /** Facts about blobs that need not be unpacked again. Used where members can be read at any time. */
  readonly known?: KnownBlobs | undefined;
  /** Called with the bytes read since the last call. */
  readonly onProgress: (bytes: number) => void;
}

export async function scan({ source }: Part, options: ScanOptions): Promise<Scan> {
  const analysis = analysisOf(options);
  if (source.access === 'seekable') return scanSeekable(source, options, analysis);
  const { scanOnce } = await import('./scan-once.js');
  return scanOnce(source, options, analysis);
}

const analysisOf = ({ limits, depth, contents, deadline, unpacked, known }: ScanOptions): Analysis => ({
  limits,
  files: depth === 'files',
  contents,
  seeds: known?.seeds,
  deadline: deadline ?? deadlineIn(limits.seconds),
  unpacked: (unpacked ?? new UnpackedTotal()).memory,
});
