import { deadlineIn } from '../containers/deadline.js';
import type { Member, Part, SourceProblem } from '../containers/source.js';
import type { Limits, Resources } from '../limits.js';
import type { Document, Head } from './blob/document.js';
import { type Analysis, UnpackedTotal } from './blob/examiner.js';
import type { BlobFacts } from './blob/facts.js';
import type { ContentWanted } from './entries/content.js';

import type { Once } from './once.js';
import { scanSeekable } from './scan-seekable.js';

export type { Head } from './blob/document.js';

/** How deep to read: JSON documents and first bytes only; every byte, hashed and unpacked; or the entries of layers too. */
export type Depth = 'metadata' | 'digests' | 'files';

/** One archive of members, read as deep as was asked for. The same for every way it can be delivered. */
export interface Scan {
  readonly depth: Depth;
  readonly limits: Limits;
  /** Whether the members are files of a directory, which is no tar. */
  readonly isDirectory: boolean;
  readonly members: readonly Member[];
  readonly problems: readonly SourceProblem[];
  /** The file at a path, through links. */
  file(path: string): Member | null;
  /** Whether a path leads to a directory, in an archive with links. */
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
  /** When `limits.seconds` are over, on the clock of `source/deadline.ts`; by default as many seconds from now. */
  readonly deadline?: number | undefined;
  /** Counts what is unpacked, where several parts of one file are scanned; by default of this one alone. */
  readonly unpacked?: UnpackedTotal | undefined;
  /** What is wanted of the content of layers' files, at depth `files`. */
  readonly contents?: ContentWanted | undefined;
  /** Bytes read since the last call. */
  readonly onProgress: (bytes: number) => void;
}

export async function scan({ source }: Part, options: ScanOptions): Promise<Scan> {
  const analysis = analysisOf(options);
  if (source.access === 'seekable') return scanSeekable(source, options, analysis);
  const { scanOnce } = await import('./scan-once.js');
  return scanOnce(source, options, analysis);
}

const analysisOf = ({ limits, depth, contents, deadline, unpacked }: ScanOptions): Analysis => ({
  limits,
  files: depth === 'files',
  contents,
  deadline: deadline ?? deadlineIn(limits.seconds),
  unpacked: (unpacked ?? new UnpackedTotal()).memory,
});
