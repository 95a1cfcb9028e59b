import { DETAIL, type EntryTable } from './entry-table.js';

export type EntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo' | 'other';

/** One entry of a layer. Names are bytes, one per character (latin1): two that differ stay two, whatever their encoding. */
export interface Entry {
  /** As the tar spells it, after PAX and GNU long names. */
  readonly name: string;
  readonly type: EntryType;
  /** The type flag of the header. */
  readonly flag: string;
  /** Bytes of content, the holes of a sparse file included; 0 where there is none. */
  readonly size: number;
  /** Bytes in the tar: fewer than `size` for a sparse file. */
  readonly storedSize: number;
  /** What the tar says the size is: Go's readers believe it even of types that have no content, and sum it up. */
  readonly claimedSize: number;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since 1970, and the nanoseconds that follow. */
  readonly mtime: number;
  readonly mtimeNanos: number;
  /** Where a symbolic or hard link points, as the tar spells it; null for anything else. */
  readonly target: string | null;
  /** null for anything but a device. */
  readonly device: Device | null;
  readonly xattrs: readonly Xattr[];
}

export interface Device {
  readonly major: number;
  readonly minor: number;
}

export interface Xattr {
  /** With its namespace, e.g. `security.capability`. */
  readonly name: string;
  readonly value: Uint8Array;
}

/** `0`, `7` (contiguous) and `S` (GNU sparse) are files to every reader. POSIX ustar; GNU tar manual, "Basic Tar Format". */
const TYPES: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  S: 'file',
};

export const typeOf = (flag: string): EntryType => TYPES[flag] ?? 'other';

/** By the byte of the flag. */
const TYPE_OF_BYTE: readonly EntryType[] = Array.from({ length: 256 }, (_, byte) =>
  typeOf(String.fromCharCode(byte)),
);

export const typeOfByte = (flag: number): EntryType => TYPE_OF_BYTE[flag]!;

/** @param index  from 0 to below `table.count` */
export function entryAt(table: EntryTable, index: number): Entry {
  const start = table.starts[index]!;
  const nameEnd = start + table.nameLengths[index]!;
  const targetEnd = nameEnd + table.targetLengths[index]!;
  const flag = table.flags[index]!;
  const type = TYPE_OF_BYTE[flag]!;
  const size = table.sizes[index]!;
  const text = textOf(table);
  const isLink = type === 'symlink' || type === 'hardlink';
  const isDevice = type === 'char' || type === 'block';
  const entry: Entry = {
    name: text.slice(start, nameEnd),
    type,
    flag: String.fromCharCode(flag),
    size,
    storedSize: size,
    claimedSize: size,
    mode: table.modes[index]!,
    uid: table.uids[index]!,
    gid: table.gids[index]!,
    mtime: table.times[index]!,
    mtimeNanos: table.nanos[index]!,
    target: isLink ? text.slice(nameEnd, targetEnd) : null,
    device: isDevice ? NO_DEVICE : null,
    xattrs: NO_XATTRS,
  };
  const end = table.starts[index + 1]!;
  return end === targetEnd ? entry : { ...entry, ...detailsOf(table, targetEnd, end) };
}

/** Name, type and link target of an entry, without the rest: for passes over all entries. */
export function nameAt(table: EntryTable, index: number): string {
  const start = table.starts[index]!;
  return textOf(table).slice(start, start + table.nameLengths[index]!);
}

export const typeAt = (table: EntryTable, index: number): EntryType => TYPE_OF_BYTE[table.flags[index]!]!;

/** What the tar says the size is; see `Entry`. */
export function claimedSizeAt(table: EntryTable, index: number): number {
  const end = table.starts[index]! + table.nameLengths[index]! + table.targetLengths[index]!;
  return end === table.starts[index + 1]! ? table.sizes[index]! : entryAt(table, index).claimedSize;
}

/** As the tar spells it; empty for what is no link. */
export function targetAt(table: EntryTable, index: number): string {
  const start = table.starts[index]! + table.nameLengths[index]!;
  return textOf(table).slice(start, start + table.targetLengths[index]!);
}

/** Part of what a table has of its entries' names and targets, by places as in `starts`. */
export const textBetween = (table: EntryTable, start: number, end: number): string =>
  textOf(table).slice(start, end);

/** Every entry, in the order of the tar. */
export function* entriesOf(table: EntryTable): Generator<Entry> {
  for (let index = 0; index < table.count; index++) yield entryAt(table, index);
}

const NO_DEVICE: Device = { major: 0, minor: 0 };
const NO_XATTRS: readonly Xattr[] = [];

function detailsOf(table: EntryTable, start: number, end: number): Partial<Entry> {
  const { bytes } = table;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const xattrs: Xattr[] = [];
  let details: Partial<Entry> = {};
  let at = start;
  const number = () => {
    at += 4;
    return view.getUint32(at - 4, true);
  };
  const double = () => {
    at += 8;
    return view.getFloat64(at - 8, true);
  };
  const run = () => {
    const length = number();
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < end) {
    const tag = bytes[at++];
    if (tag === DETAIL.device) details = { ...details, device: { major: number(), minor: number() } };
    else if (tag === DETAIL.storedSize) details = { ...details, storedSize: double() };
    else if (tag === DETAIL.claimedSize) details = { ...details, claimedSize: double() };
    else xattrs.push({ name: Buffer.from(run()).toString('latin1'), value: run().slice() });
  }
  return xattrs.length === 0 ? details : { ...details, xattrs };
}

/** All bytes of a table as one string: names are parts of it, which cost a tenth of strings of their own. */
function textOf(table: EntryTable): string {
  let text = texts.get(table);
  if (text === undefined) {
    const { buffer, byteOffset, length } = table.bytes;
    text = Buffer.from(buffer, byteOffset, length).toString('latin1');
    texts.set(table, text);
  }
  return text;
}

const texts = new WeakMap<EntryTable, string>();
