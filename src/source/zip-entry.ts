import type { Entry } from 'yauzl-promise';
import type { FileWindow } from './file-window.js';

/** Fixed part of a local file header: APPNOTE.TXT 4.3.7. */
const FIXED = 30;
const SIGNATURE = 0x04034b50;
/** General purpose bits (4.4.4): encrypted; the sizes follow the content; names are UTF-8. */
const [ENCRYPTED, SIZES_FOLLOW, UTF8] = [0x1, 0x8, 0x800];
/** Extra fields (4.5.2, 4.6.9): sizes of 64 bits, and Info-ZIP's name in Unicode. */
const [ZIP64, UNICODE_NAME] = [0x0001, 0x7075];
const IN_ZIP64 = 0xffffffff;

/** What stands before an entry's content, for readers that go through a zip from its beginning. */
export interface LocalHeader {
  /** Where the content starts. */
  readonly end: number;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly name: Uint8Array;
}

/** @returns null where there is none */
export function localHeader(zip: FileWindow, at: number): LocalHeader | null {
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

export const sizesFollow = ({ flags }: LocalHeader): boolean => (flags & SIZES_FOLLOW) !== 0;

/** A field that the central directory and the local header disagree about, the directory's value first. */
export interface Disagreement {
  readonly field: string;
  readonly readings: readonly [string, string];
}

export function disagreements(entry: Entry, local: LocalHeader): Disagreement[] {
  const found: Disagreement[] = [];
  const compare = (field: string, central: number | string, here: number | string) => {
    if (central !== here) found.push({ field, readings: [String(central), String(here)] });
  };
  const name = localName(entry, local);
  if (name !== null) compare('name', entry.filename, name);
  compare('compression method', entry.compressionMethod, local.method);
  const encryption = (flags: number) => ((flags & ENCRYPTED) === 0 ? 'none' : 'encrypted');
  compare('encryption', encryption(entry.generalPurposeBitFlag), encryption(local.flags));
  // Who writes to a pipe knows sizes afterwards only, and puts zeros, or what he knows.
  const isOpen = sizesFollow(local) || isOfArchiveUtility(entry);
  const isKnown = (here: number) => !isOpen || (here !== 0 && here !== IN_ZIP64);
  if (isKnown(local.crc32)) compare('CRC-32', hex(entry.crc32), hex(local.crc32));
  if (isKnown(local.compressedSize)) compare('packed size', entry.compressedSize, local.compressedSize);
  if (isKnown(local.size)) compare('size', entry.uncompressedSize, local.size);
  return found;
}

/** The one of macOS leaves the sizes of a symbolic link out of its local header, and puts them nowhere else. */
const isOfArchiveUtility = ({ versionMadeBy }: Entry): boolean => versionMadeBy === 0x0315;

export const hex = (crc32: number): string => crc32.toString(16).padStart(8, '0');

/** The local header's name, where it can be compared with the directory's; null where they differ by their encoding only. */
function localName({ filename, extraFields }: Entry, { flags, name }: LocalHeader): string | null {
  if ((flags & UTF8) !== 0) return Buffer.from(name).toString();
  const latin = Buffer.from(name).toString('latin1');
  if (!/[^\x20-\x7e]/.test(latin)) return latin;
  // Of a code page of its own time. Its ASCII part is alike in all of them.
  if (extraFields.some(({ id }) => id === UNICODE_NAME)) return null;
  const ascii = (text: string) => text.replace(/[^\x20-\x7e]/g, '?');
  return ascii(latin) === ascii(filename) ? null : latin;
}
