import { normalPath } from './path.js';
import { paxInteger, paxSparse } from './pax.js';
import type { Member, SourceProblem } from './source.js';
import {
  type EntryRecords,
  entryHeader,
  entryTarget,
  hasSparseExtension,
  NO_RECORDS,
  textOf,
} from './tar-entry.js';
import { headerSize, isHeaderOnly } from './tar-header.js';
import { isKnownType, type Readings, sizeReadings, tellReadings } from './tar-readings.js';

/** What a header and the records before it say. */
export interface MemberHeader {
  readonly member: Member;
  /** Bytes of content in the tar, for a member of any type. */
  readonly stored: number;
  /** Whether blocks with more of a sparse file's map come before the content. */
  readonly extended: boolean;
}

const [FILE, HARD_LINK, SYMLINK, DIRECTORY, CONTIGUOUS, OLD_SPARSE] = [...'01257S'].map(flag =>
  flag.charCodeAt(0),
) as [number, number, number, number, number, number];
/** The most that 11 octal digits can say. */
const OCTAL_MAX = 8 ** 11 - 1;

/** Whether a size is what the field says, or larger than any that it could hold: those need a PAX record beside it. */
export const agreesWithField = (size: number, field: number): boolean =>
  size === field || (size > OCTAL_MAX && (field === 0 || field === OCTAL_MAX));

/** @returns the reason where there is no telling where the content ends */
export function memberHeader(
  block: Uint8Array,
  records: EntryRecords | undefined,
  report: (problem: SourceProblem) => void,
): MemberHeader | string {
  const { pax } = records ?? NO_RECORDS;
  const field = headerSize(block);
  if (!Number.isSafeInteger(field)) return 'the size is not a number from 0 to 2^53-1';
  const told = pax.get('size') || null;
  const size = told === null ? field : (paxInteger(told) ?? -1);
  if (size < 0 || !Number.isSafeInteger(size)) return 'the PAX size is not a number from 0 to 2^53-1';
  const header = entryHeader(block, records ?? NO_RECORDS, field);
  const { flag } = header;
  const name = textOf(header.name);
  const path = normalPath(name);
  const isSparse = flag === OLD_SPARSE || paxSparse(pax) !== null;
  const type = isSparse ? 'other' : typeOf(flag);
  if (isSparse) report({ kind: 'sparse', path });
  else tellReadings(block, header, records ?? NO_RECORDS, path, report);
  const sizes = sizesOf(flag, field, size) ?? (told === null ? sizeReadings(block, size) : null);
  if (sizes !== null) report({ kind: 'ambiguous', path, field: 'size', readings: sizes });
  const stored = header.storedSize;
  const isLink = type === 'hardlink' || type === 'symlink';
  const target = isLink ? textOf(entryTarget(block, records ?? NO_RECORDS)) : null;
  const member: Member = { path, name, type, size: type === 'file' ? stored : 0, target };
  return {
    member: isKnownType(flag) ? member : { ...member, flag },
    stored,
    extended: hasSparseExtension(block, flag),
  };
}

function typeOf(flag: number): Member['type'] {
  if (flag === FILE || flag === CONTIGUOUS) return 'file';
  if (flag === DIRECTORY) return 'directory';
  return flag === SYMLINK ? 'symlink' : flag === HARD_LINK ? 'hardlink' : 'other';
}

/** How many bytes of content readers see that disagree; null where all see the same. */
function sizesOf(flag: number, field: number, size: number): Readings | null {
  if (!agreesWithField(size, field)) return [String(size), String(field)];
  // Old writers give directories the space that was set aside for them.
  return isHeaderOnly(flag) && flag !== DIRECTORY && size > 0 ? ['0', String(size)] : null;
}
