import { type Entry, fromReader, Reader } from 'yauzl-promise';
import { InputError, isSystemError } from '../errors.js';
import { checkInside, YAUZL_PROMISE } from '../inside.js';
import type { Limits } from '../limits.js';
import { BLOCK, hasValidChecksum } from '../tar/header.js';
import { normalPath } from '../tar/path.js';
import { hex } from './listed.js';
import { FileWindow, readHead } from './read.js';
import type { ByteRange, SeekableMember, SeekableSource, SourceProblem } from './source.js';

/** Fixed part of a local file header: APPNOTE.TXT 4.3.7. */
const FIXED = 30;
const SIGNATURE = 0x04034b50;
/** General purpose bits (4.4.4): encrypted; the sizes follow the content; names are UTF-8. */
const [ENCRYPTED, SIZES_FOLLOW, UTF8] = [0x1, 0x8, 0x800];
/** Extra fields (4.5.2, 4.6.9): sizes of 64 bits, and Info-ZIP's name in Unicode. */
const [ZIP64, UNICODE_NAME] = [0x0001, 0x7075];
const IN_ZIP64 = 0xffffffff;

/** A local file header, which precedes an entry's content. Readers that read a zip from its beginning use it. */
interface LocalHeader {
  /** Where the content starts. */
  readonly end: number;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly name: Uint8Array;
}

/** @returns null where there is no local file header */
function localHeader(zip: FileWindow, at: number): LocalHeader | null {
  const fixed = Buffer.from(zip.read(at, FIXED));
  if (fixed.length < FIXED || fixed.readUInt32LE(0) !== SIGNATURE) return null;
  const nameLength = fixed.readUInt16LE(26);
  const extraLength = fixed.readUInt16LE(28);
  const rest = Buffer.from(zip.read(at + FIXED, nameLength + extraLength));
  if (rest.length < nameLength + extraLength) return null;
  const [compressedSize, size] = [fixed.readUInt32LE(18), fixed.readUInt32LE(22)];
  const large = zip64Sizes(rest.subarray(nameLength));
  return {
    end: at + FIXED + rest.length,
    flags: fixed.readUInt16LE(6),
    method: fixed.readUInt16LE(8),
    crc32: fixed.readUInt32LE(14),
    compressedSize: compressedSize === IN_ZIP64 ? (large?.compressedSize ?? compressedSize) : compressedSize,
    size: size === IN_ZIP64 ? (large?.size ?? size) : size,
    name: rest.subarray(0, nameLength),
  };
}

/** In a local header both sizes stand in it, whichever was needed (4.5.3). */
function zip64Sizes(extra: Buffer): { readonly size: number; readonly compressedSize: number } | null {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === ZIP64 && length >= 16 && at + 20 <= extra.length) {
      const [size, compressedSize] = [extra.readBigUInt64LE(at + 4), extra.readBigUInt64LE(at + 12)];
      return { size: Number(size), compressedSize: Number(compressedSize) };
    }
    at += 4 + length;
  }
  return null;
}

const sizesFollow = ({ flags }: LocalHeader): boolean => (flags & SIZES_FOLLOW) !== 0;

/** A field that the central directory and the local header disagree about, the directory's value first. */
interface Disagreement {
  readonly field: string;
  readonly readings: readonly [string, string];
}

function disagreements(entry: Entry, local: LocalHeader): Disagreement[] {
  const found: Disagreement[] = [];
  const compare = (field: string, central: number | string, here: number | string) => {
    if (central !== here) found.push({ field, readings: [String(central), String(here)] });
  };
  const name = localName(entry, local);
  if (name !== null) compare('name', entry.filename, name);
  compare('compression method', entry.compressionMethod, local.method);
  const encryption = (flags: number) => ((flags & ENCRYPTED) === 0 ? 'none' : 'encrypted');
  compare('encryption', encryption(entry.generalPurposeBitFlag), encryption(local.flags));
  // A writer to a pipe knows the sizes only afterwards, and writes zeros or an estimate.
  const isOpen = sizesFollow(local) || isOfArchiveUtility(entry);
  const isKnown = (here: number) => !isOpen || (here !== 0 && here !== IN_ZIP64);
  if (isKnown(local.crc32)) compare('CRC-32', hex(entry.crc32), hex(local.crc32));
  if (isKnown(local.compressedSize)) compare('packed size', entry.compressedSize, local.compressedSize);
  if (isKnown(local.size)) compare('size', entry.uncompressedSize, local.size);
  return found;
}

/** The zip of macOS omits the sizes of a symbolic link from its local header, and writes no data descriptor. */
const isOfArchiveUtility = ({ versionMadeBy }: Entry): boolean => versionMadeBy === 0x0315;

/**
 * The local header's name, where it can be compared with the directory's; null where they differ by their encoding
 * only.
 */
function localName({ filename, extraFields }: Entry, { flags, name }: LocalHeader): string | null {
  if ((flags & UTF8) !== 0) return Buffer.from(name).toString();
  const latin = Buffer.from(name).toString('latin1');
  if (!/[^\x20-\x7e]/.test(latin)) return latin;
  // A name in an old code page. ASCII is the same in all of them.
  if (extraFields.some(({ id }) => id === UNICODE_NAME)) return null;
  const ascii = (text: string) => text.replace(/[^\x20-\x7e]/g, '?');
  return ascii(latin) === ascii(filename) ? null : latin;
}

/** The bytes of an entry: its local header and its content. */
interface Extent {
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

/** Faults of the positions of entries, and the entries that begin in the bytes of another. */
interface EntryExtents {
  readonly problems: readonly SourceProblem[];
  readonly overlapping: readonly Extent[];
}

/**
 * Whether every byte before the central directory belongs to one entry.
 * @param directory  where the central directory starts
 */
function layoutOf(extents: readonly Extent[], directory: number): EntryExtents {
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

const STORED = 0;
const DEFLATED = 8;
/** A second end of the central directory, inside the comment of the first (APPNOTE.TXT 4.3.16). */
const END = Buffer.from('PK\x05\x06', 'latin1');

/**
 * Reads a zip's central directory. Contents stay where they are: each member is a range of the zip file.
 * @throws InputError when there is no readable central directory
 */
export async function openZip(range: ByteRange, limits: Limits): Promise<SeekableSource> {
  const [directory, contents] = [new FileWindow(range), new FileWindow(range)];
  try {
    return await readEntries(range, directory, contents, limits);
  } finally {
    directory.close();
    contents.close();
  }
}

async function readEntries(
  range: ByteRange,
  directory: FileWindow,
  contents: FileWindow,
  limits: Limits,
): Promise<SeekableSource> {
  const { file } = range;
  const members: SeekableMember[] = [];
  const problems: SourceProblem[] = [];
  // waybill checks names and sizes itself: yauzl would refuse a whole zip because of one `..`.
  const options = { validateFilenames: false, validateEntrySizes: false };
  const zip = await fromReader(new WindowReader(directory), range.length, options).catch(error => {
    if (isSystemError(error)) throw error;
    const what = `the zip cannot be read: ${(error as Error).message}`;
    throw new InputError(what, file, 'Was the download cut short?', { damaged: true, isLasting: true });
  });
  const place = directoryOf(zip);
  const reader = new EntryReader(contents, place.centralDirectoryOffset, limits, problems);
  try {
    const comment = contents.read(range.length - zip.comment.length, zip.comment.length);
    if (Buffer.from(comment).includes(END)) problems.push(TWO_ENDS);
    // Engines read no zips: of a file that is a zip and a tar, they read the tar.
    const head = contents.read(0, BLOCK);
    if (head.length === BLOCK && hasValidChecksum(head)) problems.push(TWO_KINDS);
    for await (const entry of zip) {
      if (members.length >= limits.members) {
        problems.push({ kind: 'limit', path: null, limit: 'members', value: limits.members });
        return { access: 'seekable', isDirectory: false, members, problems };
      }
      const member = reader.read(file, entry, members.length);
      if (member !== null) members.push(member);
    }
    const { problems: found, overlapping } = reader.layout();
    for (const problem of [...found, ...behind(place)]) problems.push(problem);
    // Hazard: many entries with the same bytes unpack to a multiple of the file. Only the first of them is read.
    for (const { index } of overlapping)
      if (index >= 0) members[index] = { ...members[index]!, type: 'other', size: 0, range: null };
  } catch (error) {
    if (isSystemError(error)) throw error;
    problems.push({ kind: 'zip-entry', path: null, reason: (error as Error).message });
  }
  return { access: 'seekable', isDirectory: false, members, problems };
}

/** yauzl asks for about 100 bytes at a time and waits for each: a read of the file for each of them would be slow. */
class WindowReader extends Reader {
  constructor(private readonly window: FileWindow) {
    super();
  }

  override async _read(start: number, length: number): Promise<Buffer> {
    const bytes = Buffer.from(this.window.read(start, length));
    if (bytes.length < length) throw new Error('it ends too early');
    return bytes;
  }
}

const TWO_ENDS: SourceProblem = {
  kind: 'ambiguous',
  path: null,
  field: 'end of the zip',
  readings: ['one', 'another in its comment'],
};

const TWO_KINDS: SourceProblem = {
  kind: 'ambiguous',
  path: null,
  field: 'kind of the file',
  readings: ['a zip', 'a tar'],
};

/** Properties of yauzl's reader that its types do not declare. */
interface Directory {
  readonly isZip64: boolean;
  readonly centralDirectoryOffset: number;
  readonly centralDirectorySize: number;
  /** Where the record starts that is at the end of the zip. */
  readonly footerOffset: number;
}

/** @throws Error where yauzl-promise does not know it under these names */
export function directoryOf(zip: object): Directory {
  const { isZip64, centralDirectoryOffset, centralDirectorySize, footerOffset } = zip as Partial<Directory>;
  checkInside(YAUZL_PROMISE, 'boolean', { 'Zip.isZip64': isZip64 });
  checkInside(YAUZL_PROMISE, 'number', {
    'Zip.centralDirectoryOffset': centralDirectoryOffset,
    'Zip.centralDirectorySize': centralDirectorySize,
    'Zip.footerOffset': footerOffset,
  });
  return zip as Directory;
}

/** Between the central directory and the record at the end there is nothing but more records of 64 bits. */
function behind(directory: Directory): SourceProblem[] {
  const offset = directory.centralDirectoryOffset + directory.centralDirectorySize;
  const bytes = directory.isZip64 ? 0 : directory.footerOffset - offset;
  return bytes > 0 ? [{ kind: 'zip-gap', path: null, offset, bytes }] : [];
}

/** Makes members of entries, and remembers where they lie. */
class EntryReader {
  private readonly extents: Extent[] = [];

  constructor(
    private readonly zip: FileWindow,
    private readonly directory: number,
    private readonly limits: Limits,
    private readonly problems: SourceProblem[],
  ) {}

  /**
   * @param index  of the member that it becomes
   * @returns null for an entry that is left out
   */
  read(file: string, entry: Entry, index: number): SeekableMember | null {
    const name = entry.filename;
    const path = normalPath(name);
    const local = localHeader(this.zip, entry.fileHeaderOffset);
    const isLink = isSymlink(entry);
    const length = Math.max(Buffer.byteLength(name), isLink ? entry.uncompressedSize : 0);
    const isLeftOut = length > this.limits.pathBytes;
    const reason = this.placed(path, isLeftOut ? -1 : index, entry, local) ?? unsupported(entry);
    if (isLeftOut) {
      this.report({
        kind: 'limit',
        path: null,
        limit: 'pathBytes',
        value: this.limits.pathBytes,
        seen: length,
      });
      return null;
    }
    const base = { path, name, size: 0, target: null, range: null };
    if (reason !== null || local === null) {
      this.report({ kind: 'zip-entry', path, reason: reason ?? NO_HEADER });
      return { ...base, type: 'other' };
    }
    for (const { field, readings } of disagreements(entry, local))
      this.report({ kind: 'ambiguous', path, field, readings });
    if (name.endsWith('/')) {
      const readings = ['a directory', `a file of ${entry.uncompressedSize} bytes`];
      if (entry.uncompressedSize > 0) this.report({ kind: 'ambiguous', path, field: 'type', readings });
      return { ...base, type: 'directory' };
    }
    const range = rangeOf(file, entry, local);
    if (!isLink) return { ...base, type: 'file', size: entry.uncompressedSize, range };
    const target = Buffer.from(readHead(range, this.limits.pathBytes)).toString();
    return { ...base, type: 'symlink', target };
  }

  layout(): EntryExtents {
    return layoutOf(this.extents, this.directory);
  }

  private placed(path: string, index: number, entry: Entry, local: LocalHeader | null): string | null {
    if (local === null) return NO_HEADER;
    const end = local.end + entry.compressedSize;
    if (end > this.directory) return 'its content reaches into the central directory';
    this.extents.push({ path, index, start: entry.fileHeaderOffset, end, described: sizesFollow(local) });
    return null;
  }

  private report(problem: SourceProblem): void {
    this.problems.push(problem);
  }
}

const NO_HEADER = 'its local header is not where the directory says';

function unsupported(entry: Entry): string | null {
  if (entry.isEncrypted()) return 'the entry is encrypted';
  const { compressionMethod: method } = entry;
  if (method !== STORED && method !== DEFLATED)
    return `compression method ${method} is neither stored (0) nor deflated (8)`;
  return null;
}

/**
 * Unix mode in the upper half of the external attributes (APPNOTE.TXT 4.4.15): a symbolic link's content is its target.
 */
const isSymlink = ({ externalFileAttributes }: Entry): boolean =>
  ((externalFileAttributes >>> 16) & 0o170000) === 0o120000;

function rangeOf(file: string, entry: Entry, local: LocalHeader): ByteRange {
  const { crc32, uncompressedSize, uncompressedSizeIsCertain, compressedSize, compressionMethod } = entry;
  return {
    file,
    start: local.end,
    length: compressedSize,
    deflated: compressionMethod === DEFLATED,
    listed: { crc32, size: uncompressedSizeIsCertain ? uncompressedSize : null },
  };
}
