import type { Member, SourceProblem } from '../containers/source.js';
import type { LimitName, Limits } from '../limits.js';
import {
  type EntryRecords,
  entryHeader,
  entryTarget,
  entryTime,
  goHeaderFault,
  hasSparseExtension,
  isSparseExtended,
  NO_RECORDS,
  nameOf,
  textOf,
} from './entry.js';
import {
  BLOCK,
  firstNonZero,
  hasValidChecksum,
  headerSize,
  isHeaderOnly,
  isMetadataFlag,
  isZeroBlock,
} from './header.js';
import { normalPath } from './path.js';
import { paxInteger, paxSparse } from './pax.js';
import { isKnownType, type Readings, RecordReader, sizeReadings, tellReadings } from './records.js';

/** A header together with the records before it. */
interface MemberHeader {
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
function memberHeader(
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
  const mtime = entryTime(block, pax);
  const member: Member = { path, name, type, size: type === 'file' ? stored : 0, target, mtime };
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

/** Bytes that the walk wants to see: up to `length` of them at `at`, fewer only at the tar's end. */
interface Wanted {
  readonly kind: 'bytes';
  readonly at: number;
  readonly length: number;
}

/** A member and where its content lies, in bytes from the start of the tar. */
interface TarMember {
  readonly kind: 'member';
  readonly member: Member;
  readonly start: number;
}

type TarStep = Wanted | TarMember;

type Walk<T> = Generator<TarStep, T, Uint8Array>;
type Report = (problem: SourceProblem) => void;

/** Where the walk's bytes come from. */
interface TarBytes {
  /** How long the tar is; infinite until that is known, which it is once bytes came short. */
  readonly length: number;
}

/** Bytes of a name that weigh as much as a member: each engine that is asked looks at every part of every path. */
const NAME_BYTES = 32;

/**
 * Walks an outer tar. The caller supplies the bytes that it asks for, always forward; so one rule serves a file, where
 * the content is skipped, and a stream, where it passes. The caller answers a member with nothing. Format: POSIX.1-2017
 * pax interchange format (ustar), and GNU tar's manual, "Basic Tar Format".
 */
export function* walkTar(tar: TarBytes, limits: Limits, report: Report): Walk<void> {
  let at = 0;
  for (let count = 0; ; ) {
    const found = yield* readHeader(at, count, tar, limits, report);
    if (found === null) return;
    const { start, records } = found;
    const { member, stored } = found.header;
    const length = pathLength(member, limits.pathBytes);
    if (length <= limits.pathBytes) count += Math.max(1, length / NAME_BYTES);
    if (length > limits.pathBytes) reportLimit(report, limits, 'pathBytes', length);
    else if (count > limits.members) {
      reportLimit(report, limits, 'members');
      return;
    } else {
      for (const problem of records?.ambiguities(member.path) ?? []) report(problem);
      yield { kind: 'member', member, start };
    }
    const end = start + stored;
    const padding = yield { kind: 'bytes', at: end, length: -stored & (BLOCK - 1) };
    if (tar.length < end) {
      report({ kind: 'tar-truncated', path: member.path, expected: stored, actual: tar.length - start });
      return;
    }
    const dirty = firstNonZero(padding);
    if (dirty >= 0) report({ kind: 'padding-not-zero', path: member.path, offset: end + dirty });
    at = end + padding.length;
  }
}

function reportLimit(report: Report, limits: Limits, limit: LimitName, seen?: number): void {
  const problem = { kind: 'limit', path: null, limit, value: limits[limit] } as const;
  report(seen === undefined ? problem : { ...problem, seen });
}

/** The longer of a member's name and its target, in bytes; less where both are surely within the limit. */
function pathLength({ name, target }: Member, limit: number): number {
  const most = Math.max(name.length, target?.length ?? 0);
  // A character of UTF-16 takes three bytes of UTF-8 at most.
  return most * 3 <= limit ? most : Math.max(Buffer.byteLength(name), Buffer.byteLength(target ?? ''));
}

interface Found {
  readonly header: MemberHeader;
  readonly start: number;
  readonly records: RecordReader | null;
}

/**
 * The next member's header, with the records before it; null at the end of the tar, and where it cannot be read.
 * @param before  how many members come before it
 */
function* readHeader(
  from: number,
  before: number,
  tar: TarBytes,
  limits: Limits,
  report: Report,
): Walk<Found | null> {
  let records: RecordReader | null = null;
  for (let at = from; ; ) {
    const block = yield { kind: 'bytes', at, length: BLOCK };
    if (block.length === 0 && records?.describe !== true) {
      report({ kind: 'end-marker-missing', path: null, offset: tar.length, zeroBlocks: 0 });
      return null;
    }
    if (block.length < BLOCK) {
      report({ kind: 'tar-truncated', path: null, expected: BLOCK, actual: block.length });
      return null;
    }
    const bad = (reason: string) => {
      report({ kind: 'tar-header', path: null, offset: at, reason });
      return null;
    };
    if (block[0] === 0 && isZeroBlock(block)) {
      if (records?.describe === true) return bad('a zero block after a PAX or long-name record');
      yield* readEnd(at + BLOCK, limits, report);
      return null;
    }
    if (!hasValidChecksum(block)) return bad('the checksum does not match');
    const field = goHeaderFault(block);
    // A size that cannot be read ends the walk.
    if (field !== null && field !== 'size')
      report({ kind: 'tar-field', path: null, offset: at, field, before });
    const flag = block[156]!;
    if (!isMetadataFlag(flag)) {
      const header = memberHeader(block, records?.records, report);
      if (typeof header === 'string') return bad(header);
      const start = header.extended ? yield* afterSparseMap(at + BLOCK, report) : at + BLOCK;
      return start === null ? null : { header, start, records };
    }
    const size = headerSize(block);
    if (!Number.isSafeInteger(size)) return bad('the size is not a number from 0 to 2^53-1');
    // The block is gone once more is read.
    const header = { flag, name: nameOf(block), offset: at, before };
    const sizes = sizeReadings(block, size);
    const record = yield* readRecord(at + BLOCK, size, sizes, limits, report);
    if (record === null) return null;
    records ??= new RecordReader();
    for (const problem of records.take(header, record.subarray(0, size))) report(problem);
    at += BLOCK + paddedSize(size);
  }
}

const paddedSize = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;

/**
 * The bytes of a PAX or long-name record with its padding; null if it is longer than a limit, or cut.
 * @param sizes  the different sizes that readers take from its header; null if all take the same
 */
function* readRecord(
  at: number,
  size: number,
  sizes: readonly string[] | null,
  limits: Limits,
  report: Report,
): Walk<Uint8Array | null> {
  if (size > limits.tarMetadataBytes) {
    reportLimit(report, limits, 'tarMetadataBytes', size);
    return null;
  }
  if (sizes !== null) report({ kind: 'ambiguous', path: null, field: 'size', readings: sizes });
  const record = yield { kind: 'bytes', at, length: paddedSize(size) };
  if (record.length === paddedSize(size)) return record;
  report({ kind: 'tar-truncated', path: null, expected: paddedSize(size), actual: record.length });
  return null;
}

/** Old GNU tar puts the rest of a sparse file's map between its header and its content. */
function* afterSparseMap(from: number, report: Report): Walk<number | null> {
  for (let at = from; ; at += BLOCK) {
    const block = yield { kind: 'bytes', at, length: BLOCK };
    if (block.length < BLOCK) {
      report({ kind: 'tar-truncated', path: null, expected: BLOCK, actual: block.length });
      return null;
    }
    if (!isSparseExtended(block)) return at + BLOCK;
  }
}

/** Bytes behind the end of the tar that are examined at a time. */
const PIECE = 64 * 1024;

/** One zero block has been read. A second must follow; then only zeros, up to the blocking factor of the writer. */
function* readEnd(from: number, limits: Limits, report: Report): Walk<void> {
  const second = yield { kind: 'bytes', at: from, length: BLOCK };
  if (second.length < BLOCK || !isZeroBlock(second))
    report({
      kind: 'end-marker-missing',
      path: null,
      offset: from,
      zeroBlocks: 1,
      ...(second.length > 0 && second.length < BLOCK && { cut: true as const }),
    });
  const dirty = firstNonZero(second);
  if (dirty >= 0) report({ kind: 'trailing-bytes', path: null, offset: from + dirty });
  if (dirty >= 0 || second.length < BLOCK) return;
  const end = from + limits.trailingBytes;
  for (let at = from + BLOCK; at < end; at += PIECE) {
    const length = Math.min(PIECE, end - at);
    const piece = yield { kind: 'bytes', at, length };
    const found = firstNonZero(piece);
    if (found >= 0) report({ kind: 'trailing-bytes', path: null, offset: at + found });
    if (found >= 0 || piece.length < length) return;
  }
  const beyond = yield { kind: 'bytes', at: end, length: 1 };
  if (beyond.length > 0) reportLimit(report, limits, 'trailingBytes');
}
