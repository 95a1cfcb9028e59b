import { deadlineIn } from '../containers/deadline.js';
import type { Member, Part, SeekableMember, SourceProblem } from '../containers/source.js';
import type { Limits, Resources } from '../limits.js';
import type { Document, Head } from './blob/document.js';
import type { Analysis } from './blob/examiner.js';
import type { BlobFacts } from './blob/facts.js';
import type { KnownBlobs } from './blob/known.js';
import { UnpackedTotal } from './blob/unpacked-total.js';
import type { ContentWanted } from './entries/wanted.js';

import { factsIn, keptResults } from './once.js';
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
  /** Ends the scan with its reason. */
  readonly signal?: AbortSignal | undefined;
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
  if (source.access === 'seekable') return scanSeekable(source, options, analysisOf(options, source.members));
  const { scanOnce } = await import('./scan-once.js');
  return scanOnce(source, options, analysisOf(options, null));
}

/**
 * The same scan at depth `files` with the facts of some members: their bytes are read, and no others.
 * @param read  facts from an earlier call, which are used and added to
 * @throws the reason of the signal
 */
export async function scanMembers(
  scanned: Scan,
  members: readonly SeekableMember[],
  read: Map<Member, BlobFacts>,
  options: Omit<ScanOptions, 'depth' | 'limits' | 'known'>,
): Promise<Scan> {
  const { limits } = scanned;
  const work: ScanOptions = { ...options, depth: 'files', limits };
  const unread = members.filter(member => !read.has(member));
  if (unread.length > 0) {
    const { analyseMembers } = await import('./analyse-members.js');
    for (const [member, facts] of await analyseMembers(unread, work, analysisOf(work, unread)))
      read.set(member, facts);
  }
  return { ...scanned, depth: 'files', facts: factsIn(read), once: keptResults() };
}

/** @param members  null where none can be read again */
const analysisOf = (
  { limits, depth, contents, deadline, unpacked, known }: ScanOptions,
  members: readonly SeekableMember[] | null,
): Analysis => ({
  limits,
  files: depth === 'files',
  contents: isPlain(members) ? contents : withDigests(contents),
  seeds: known?.seeds,
  deadline: deadline ?? deadlineIn(limits.seconds),
  unpacked: (unpacked ?? new UnpackedTotal()).memory,
});

/** Whether the bytes of all members lie in the file as they are. */
const isPlain = (members: readonly SeekableMember[] | null): boolean =>
  members?.every(({ range }) => range?.deflated !== true) ?? false;

/** For what is read once: no digest can be computed later. */
const withDigests = (contents: ContentWanted | undefined): ContentWanted | undefined =>
  contents?.digests === 'duplicates' ? { ...contents, digests: true } : contents;
