import type { ByteRange, Member } from '../containers/source.js';
import { splitDigest } from '../spec/digest.js';
import type { BlobFacts, BlobFailure } from './blob/facts.js';
import type { EntryTable } from './entries/table.js';

/** A large file that has no digest yet; see `ContentWanted.digests`. */
export interface LateFile {
  readonly member: Member;
  readonly table: EntryTable;
  readonly index: number;
  /** Its content. */
  readonly range: ByteRange;
}

/** Large files without a digest that are as long as another file, and may have the same content. */
export function lateFiles(
  facts: ReadonlyMap<Member, BlobFacts>,
  rangeOf: (member: Member) => ByteRange,
): LateFile[] {
  const late = new Map<number, LateFile[]>();
  const layers = [...facts].flatMap(([member, { tar }]) => {
    const table = tar?.table ?? null;
    return table?.contents == null
      ? []
      : [{ member, table, contents: table.contents, range: rangeOf(member) }];
  });
  for (const { member, table, contents, range } of layers)
    for (const { index, at } of contents.later) {
      const length = table.sizes[index]!;
      const file = { member, table, index, range: { ...range, start: range.start + at, length } };
      const alike = late.get(length);
      if (alike === undefined) late.set(length, [file]);
      else alike.push(file);
    }
  const counts = new Map<number, number>();
  for (const { table } of layers)
    for (const size of table.sizes) if (late.has(size)) counts.set(size, (counts.get(size) ?? 0) + 1);
  return [...late].flatMap(([size, files]) => (counts.get(size)! > 1 ? files : []));
}

/** The same facts about a layer that could not be read a second time. */
export const withFailure = (facts: BlobFacts, failure: BlobFailure): BlobFacts => ({
  ...facts,
  unpacked: null,
  failure: facts.failure ?? failure,
});

/** Gives a file its digest. @param digest  as `sha256:…` */
export function setDigest({ table, index }: LateFile, digest: string): void {
  table.contents!.digests.set(Buffer.from(splitDigest(digest)[1], 'hex'), 32 * index);
}
