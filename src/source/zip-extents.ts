import type { SourceProblem } from './source.js';

/** The bytes of an entry: its local header and its content. */
export interface Extent {
  readonly path: string;
  /** Which of the members it is; -1 for one that is left out. */
  readonly index: number;
  readonly start: number;
  readonly end: number;
  /** Whether a record with its sizes may follow. */
  readonly described: boolean;
}

/** A record of sizes after the content (APPNOTE.TXT 4.3.9): with a signature or without, of 32 or 64 bits. */
const DESCRIPTORS: readonly number[] = [0, 12, 16, 20, 24];

/** What is wrong with where entries lie, and those that begin in the bytes of another. */
export interface Layout {
  readonly problems: readonly SourceProblem[];
  readonly overlapping: readonly Extent[];
}

/**
 * Whether every byte before the central directory belongs to one entry.
 * @param directory  where the central directory starts
 */
export function layoutOf(extents: readonly Extent[], directory: number): Layout {
  const problems: SourceProblem[] = [];
  const overlapping: Extent[] = [];
  const sorted = [...extents].sort((a, b) => a.start - b.start);
  let last: Extent = { path: '', index: -1, start: 0, end: 0, described: false };
  const checkGap = (to: number) => {
    const bytes = to - last.end;
    if (bytes > 0 && !(last.described && DESCRIPTORS.includes(bytes)))
      problems.push({ kind: 'zip-gap', path: null, offset: last.end, bytes });
  };
  for (const extent of sorted) {
    if (extent.start < last.end) {
      problems.push({ kind: 'zip-overlap', path: extent.path, other: last.path });
      overlapping.push(extent);
    } else checkGap(extent.start);
    if (extent.end > last.end) last = extent;
  }
  checkGap(directory);
  return { problems, overlapping };
}
