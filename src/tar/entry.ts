import { isGoNumber, isHeaderOnly, numericField } from './header.js';
import { NO_PAX, type PaxRecords, paxInteger, paxSparse, paxTime } from './pax.js';

/** The records before an entry's header, which describe the entry. */
export interface EntryRecords {
  /** The records of the last PAX header; earlier ones are ignored, as in Go. */
  readonly pax: PaxRecords;
  readonly longName: string | null;
  readonly longTarget: string | null;
}

export const NO_RECORDS: EntryRecords = { pax: NO_PAX, longName: null, longTarget: null };

/** Bytes, one per character, as UTF-8. */
export const textOf = (bytes: string): string =>
  /[\x80-\xff]/.test(bytes) ? Buffer.from(bytes, 'latin1').toString() : bytes;

/** The fields of an entry that every walk needs. Strings are bytes, one per character. Sizes are bytes. */
export interface EntryHeader {
  readonly name: string;
  readonly flag: number;
  /** Bytes of content, the holes of a sparse file included; 0 for a type without content. */
  readonly size: number;
  /** To be passed over in the tar. */
  readonly storedSize: number;
  readonly claimedSize: number;
}

/** An entry in full. */
export interface TarEntry extends EntryHeader, Device {
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly mtimeNanos: number;
  readonly xattrs: readonly (readonly [name: string, value: string])[];
}

/**
 * Reads a header as Go's archive/tar does, which every engine reads layers with: GNU long names win over PAX, an empty
 * PAX value leaves the header's own, a link or directory has no content whatever its size says, and global PAX headers
 * describe nothing. https://pkg.go.dev/archive/tar
 *
 * @param headerSize  the header's own size field
 */
export function entryHeader(block: Uint8Array, records: EntryRecords, headerSize: number): EntryHeader {
  const { pax, longName } = records;
  const sparse = paxSparse(pax);
  const name = sparse?.name || longName || pax.get('path') || nameOf(block);
  const flag = flagOf(block, name);
  const claimed = Math.max(0, paxInteger(pax.get('size')) ?? headerSize);
  const storedSize = isHeaderOnly(flag) ? 0 : claimed;
  const real = flag === GNU_SPARSE && isGnu(block) ? numericField(block, 483, 495) : (sparse?.size ?? null);
  const size = isHeaderOnly(flag) ? 0 : Math.max(0, real ?? claimed);
  return { name, flag, size, storedSize, claimedSize: isHeaderOnly(flag) ? claimed : size };
}

/** Reads the rest of what a header says. */
export function entryDetails(header: EntryHeader, block: Uint8Array, records: EntryRecords): TarEntry {
  const { pax } = records;
  const { name, flag, size, storedSize, claimedSize } = header;
  const time = pax.size === 0 ? null : paxTime(pax.get('mtime'));
  const { major, minor } = deviceOf(block, flag);
  return {
    name,
    flag,
    size,
    storedSize,
    claimedSize,
    target: entryTarget(block, records),
    mode: lowBits(block, 100, 108) & 0o7777,
    uid: ownerOf(pax.get('uid') ?? '', block, 108, 116),
    gid: ownerOf(pax.get('gid') ?? '', block, 116, 124),
    mtime: time?.seconds ?? numericField(block, 136, 148) ?? 0,
    mtimeNanos: time?.nanos ?? 0,
    major,
    minor,
    xattrs: xattrsOf(pax),
  };
}

/**
 * The lowest 32 bits of a number field. Hazard: base 256 has 62 bits, of which JavaScript's numbers lose the lowest.
 */
function lowBits(block: Uint8Array, from: number, to: number): number {
  if ((block[from]! & 0x80) === 0) return numericField(block, from, to) ?? 0;
  return Buffer.from(block.buffer, block.byteOffset + to - 4, 4).readUInt32BE();
}

/** To Linux, an owner with all bits set says that a file keeps the one that it has: engines unpack as root. chown(2) */
const UNCHANGED = 0xffffffff;

/** The owner or group that Linux gives a file: it keeps 32 bits of the number. */
function ownerOf(pax: string, block: Uint8Array, from: number, to: number): number {
  const isPax = pax !== '' && paxInteger(pax) !== null;
  const id = isPax ? Number(BigInt.asUintN(32, BigInt(pax))) : lowBits(block, from, to);
  return id === UNCHANGED ? 0 : id;
}

/** The numbers of a device; 0 for any other type. */
export interface Device {
  readonly major: number;
  readonly minor: number;
}

const NO_DEVICE: Device = { major: 0, minor: 0 };

export function deviceOf(block: Uint8Array, flag: number): Device {
  if ((flag !== CHAR && flag !== BLOCK_DEVICE) || !hasGoMagic(block)) return NO_DEVICE;
  return { major: numericField(block, 329, 337) ?? 0, minor: numericField(block, 337, 345) ?? 0 };
}

/** Whole seconds since 1970. */
export const entryTime = (block: Uint8Array, pax: EntryRecords['pax']): number =>
  (pax.size === 0 ? null : paxTime(pax.get('mtime')))?.seconds ?? numericField(block, 136, 148) ?? 0;

export const entryTarget = (block: Uint8Array, { pax, longTarget }: EntryRecords): string =>
  longTarget || pax.get('linkpath') || textField(block, 157, 257);

/** Whether blocks with more of an old GNU sparse map follow this header, before its content. */
export const hasSparseExtension = (block: Uint8Array, flag: number): boolean =>
  flag === GNU_SPARSE && isGnu(block) && block[482] !== 0;

/** Whether another such block follows this one. */
export const isSparseExtended = (extension: Uint8Array): boolean => extension[504] !== 0;

const [REGULAR, DIRECTORY, CHAR, BLOCK_DEVICE, GNU_SPARSE] = [...'0534S'].map(flag => flag.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
];

/** Tars from before POSIX have a NUL for files and directories, and tell them apart by the name. */
function flagOf(block: Uint8Array, name: string): number {
  const flag = block[156]!;
  if (flag !== 0) return flag;
  return name.endsWith('/') ? DIRECTORY : REGULAR;
}

/** Extended attributes, as star and everybody after it write them. */
const XATTR = 'SCHILY.xattr.';
const NO_XATTRS: TarEntry['xattrs'] = [];

function xattrsOf(pax: PaxRecords): TarEntry['xattrs'] {
  if (pax.size === 0) return NO_XATTRS;
  return [...pax].flatMap(([key, value]) =>
    key.startsWith(XATTR) && value !== '' ? [[key.slice(XATTR.length), value] as const] : [],
  );
}

/** The name in the header: ustar keeps its beginning in a prefix of its own, star in a shorter one. */
export function nameOf(block: Uint8Array): string {
  const name = textField(block, 0, 100);
  const prefix = block[345] === 0 ? '' : prefixOf(block);
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** The name in the header by its parts: the prefix as Go reads it, and as readers do that read it in another way. */
export function headerName(block: Uint8Array) {
  const [name, prefix, whole] = [textField(block, 0, 100), prefixOf(block), textField(block, 345, 500)];
  if (!isGnu(block)) return { name, prefix, others: whole };
  // GNU tar has times there, and no prefix.
  return { name, prefix, others: prefix !== '' || hasTimes(block) ? '' : whole };
}

function prefixOf(block: Uint8Array): string {
  if (isUstar(block)) return textField(block, 345, isStar(block) ? 476 : 500);
  // Where GNU has times, Go before 1.8 wrote a prefix; images of that age are about. https://golang.org/issue/12594
  if (!isGnu(block) || hasTimes(block)) return '';
  const prefix = textField(block, 345, 500);
  return /[\x80-\xff]/.test(prefix) ? '' : prefix;
}

const hasTimes = (block: Uint8Array) => isTime(block, 345) && isTime(block, 357);

/** Whether Go takes a field of a GNU header for a time: one that begins with a NUL it does not even look at. */
const isTime = (block: Uint8Array, at: number) => block[at] === 0 || isGoNumber(block, at, at + 12);

/** Whether all readers know of the same prefix. */
export const hasPlainPrefix = (block: Uint8Array): boolean =>
  block[345] === 0 || (isUstar(block) && !isStar(block));

const isUstar = (block: Uint8Array) => hasMagic(block) && block[262] === 0;
export const isGnu = (block: Uint8Array) =>
  hasMagic(block) && block[262] === SPACE && block[263] === SPACE && block[264] === 0;

function hasMagic(block: Uint8Array): boolean {
  for (let i = 0; i < MAGIC.length; i++) if (block[257 + i] !== MAGIC[i]) return false;
  return true;
}

/** star's trailer: the end of the header is its own, and two more times stand before it. */
const isStar = (block: Uint8Array) =>
  isUstar(block) && block[508] === 0x74 && block[509] === 0x61 && block[510] === 0x72 && block[511] === 0;

/** A field of a header: its name, where it begins, where it ends. */
type NumberField = readonly [name: string, from: number, to: number];

/** Number fields of every header. */
const NUMBERS: readonly NumberField[] = [
  ['size', 124, 136],
  ['mode', 100, 108],
  ['uid', 108, 116],
  ['gid', 116, 124],
  ['mtime', 136, 148],
];
/** Number fields of a header with a magic only. */
const DEVICE_NUMBERS: readonly NumberField[] = [
  ['devmajor', 329, 337],
  ['devminor', 337, 345],
];
const STAR_TIMES: readonly NumberField[] = [
  ['atime', 476, 488],
  ['ctime', 488, 500],
];

/**
 * The field for which Go's archive/tar, and every engine with it, refuses the whole tar with "archive/tar: invalid tar
 * header"; null where it accepts the header. The checksum is taken for right. archive/tar reader.go (readHeader,
 * handleRegularFile, readOldGNUSparseMap)
 */
export function goHeaderFault(block: Uint8Array): string | null {
  const fault = badNumber(block, NUMBERS);
  if (fault !== null) return fault;
  const flag = block[156]!;
  if (isNegative(block, 124) && !isHeaderOnly(flag)) return 'size';
  if (hasGoMagic(block)) {
    const own = badNumber(block, DEVICE_NUMBERS) ?? (isStar(block) ? badNumber(block, STAR_TIMES) : null);
    if (own !== null) return own;
  }
  return flag === GNU_SPARSE ? sparseFault(block) : null;
}

function badNumber(block: Uint8Array, fields: readonly NumberField[]): string | null {
  for (const [name, from, to] of fields) if (!isGoNumber(block, from, to)) return name;
  return null;
}

/** Only base 256 has a sign, in the bit after the one that tells it. */
const isNegative = (block: Uint8Array, at: number) => (block[at]! & 0xc0) === 0xc0;

const hasGoMagic = (block: Uint8Array) => isUstar(block) || isGnu(block);

/**
 * Old GNU sparse files: the real size, and up to four pieces of content, which end before an offset that begins with
 * NUL.
 */
function sparseFault(block: Uint8Array): string | null {
  if (!isGnu(block)) return 'type';
  if (!isGoNumber(block, 483, 495) || isNegative(block, 483)) return 'real size';
  for (let at = 386; at < 482 && block[at] !== 0; at += 24) {
    if (!isGoNumber(block, at, at + 12) || !isGoNumber(block, at + 12, at + 24)) return 'sparse map';
  }
  return null;
}

const MAGIC = Buffer.from('ustar');
const SPACE = 0x20;

function textField(block: Uint8Array, from: number, to: number): string {
  let end = from;
  while (end < to && block[end] !== 0) end++;
  if (end === from) return '';
  const bytes = block instanceof Buffer ? block : Buffer.from(block.buffer, block.byteOffset, block.length);
  return bytes.toString('latin1', from, end);
}

/** Takes the content of one file as it passes by, with the holes of a sparse file. */
export interface ContentSink {
  /** @param bytes  valid only during the call */
  write(bytes: Uint8Array): void;
  /** So many zeros that the tar does not have. */
  hole(length: number): void;
  /** @param complete  false where the tar ends, or contradicts itself, before the content does */
  end(complete: boolean): void;
}

/** Asked at every file of a layer. */
export interface ContentTaker {
  /**
   * @param index  of the entry, from 0
   * @param at     bytes of the tar before the content; null where the tar has only parts of it (a sparse file)
   * @returns what takes its content; null where it is not wanted
   */
  begin(index: number, header: EntryHeader, at: number | null): ContentSink | null;
}
