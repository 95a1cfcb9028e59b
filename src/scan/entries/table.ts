import type { LanguagePackage } from '../../packages/language.js';
import type { Secret } from '../../secrets/secret.js';

/**
 * The entries of one layer as columns. A layer easily has 100,000; a million objects with their strings would take ten
 * times the memory and could not be transferred between threads. Plain data, read by the functions below.
 */
export interface EntryTable {
  readonly count: number;
  /** The limit at which the rest of the layer's entries was left out; null if all are here. */
  readonly truncated: 'layerEntries' | 'layerEntryBytes' | 'archiveEntries' | null;
  /** Name, link target and details of each entry, one after the other. Bytes as in the tar. */
  readonly bytes: Uint8Array;
  /** The offset in `bytes` at which each entry begins, followed by the end of the last entry. */
  readonly starts: Uint32Array;
  readonly nameLengths: Uint32Array;
  readonly targetLengths: Uint32Array;
  /** The type flag of the header. NUL, as in old tars, is stored as `0`, or as `5` if the name ends in a slash. */
  readonly flags: Uint8Array;
  /** Bytes of content, including the holes of sparse files. */
  readonly sizes: Float64Array;
  /** Permission bits with setuid, setgid and sticky. */
  readonly modes: Uint16Array;
  /** The tar's value, truncated to 32 bits as a kernel does. */
  readonly uids: Uint32Array;
  readonly gids: Uint32Array;
  /** Whole seconds since 1970, and the nanoseconds that follow. */
  readonly times: Float64Array;
  readonly nanos: Uint32Array;
  /** Contents of the files; null if not requested. `content.ts` reads it. */
  readonly contents: EntryContents | null;
}

/** The requested contents of a layer's files. */
export interface EntryContents {
  /** sha256, 32 bytes for each entry: zeros if there is none. Empty if digests were not requested. */
  readonly digests: Uint8Array;
  /** Large files without a digest, which could still be computed. */
  readonly later: readonly EntryPlace[];
  /** In the order of the entries. */
  readonly kept: readonly { readonly index: number; readonly bytes: Uint8Array }[];
  /** Entries whose requested content was not kept: a limit was reached, or the tar ends early. */
  readonly missing: readonly number[];
  /** True if the limit on kept content was reached. */
  readonly full: boolean;
  /** null where files were not searched for secrets. */
  readonly secrets: LayerSecrets | null;
  /** null where files were not searched for packages. */
  readonly packages: LayerPackages | null;
}

/** Where the content of a file begins. */
export interface EntryPlace {
  /** The index of the entry. */
  readonly index: number;
  /** Bytes from the start of the unpacked layer. */
  readonly at: number;
}

/** The packages of languages that the files of a layer state. */
export interface LayerPackages {
  /** In the order of the entries. */
  readonly found: readonly EntryPackage[];
  /** Files that could not be read, or not to their end. */
  readonly problems: readonly { readonly index: number; readonly reason: string }[];
  /** Bytes of the largest file that was not read because of the limit `packageFileBytes`; null for none. */
  readonly largest: number | null;
}

export interface EntryPackage extends LanguagePackage {
  /** The index of the entry. */
  readonly index: number;
}

/** The secrets in the files of a layer, without their values. */
export interface LayerSecrets {
  /** In the order of the entries, and of the lines of each. */
  readonly found: readonly EntrySecret[];
  /**
   * Files of which not all was searched: longer than `secretFileBytes`, or too much to search in all layers together.
   */
  readonly cut: number;
  /** There were more than the limit `layerSecrets` allows. */
  readonly full: boolean;
  /** The search ended before the last file: the layers of the archive cost more than searching may cost (`Effort`). */
  readonly spent: boolean;
  /** The cost of searching this layer, as `Effort` counts it. */
  readonly effort: number;
}

export interface EntrySecret extends Secret {
  /** The index of the entry. */
  readonly index: number;
}

/** Details that few entries have. In `EntryTable.bytes`: a tag of one byte, then the value, little-endian. */
export const DETAIL = {
  /** Major and minor number, 32 bits each. */
  device: 1,
  /** Stored bytes in the tar if they differ from the size, as a double. */
  storedSize: 2,
  /** The size in the header if the type has no content, as a double. */
  claimedSize: 3,
  /** Length and bytes of the name, length and bytes of the value; lengths of 32 bits. */
  xattr: 4,
} as const;

/** The buffers of a table, to be transferred to another thread without copying. */
export function transfersOf(table: EntryTable): ArrayBuffer[] {
  // The empty table has no content, and is shared with other members.
  if (table.count === 0) return [];
  const { contents } = table;
  const views = contents === null ? [] : [contents.digests, ...contents.kept.map(({ bytes }) => bytes)];
  return [...Object.values(table), ...views]
    .filter(value => ArrayBuffer.isView(value))
    .map(view => view.buffer as ArrayBuffer);
}

export type EntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo' | 'other';

/**
 * One entry of a layer. Names are bytes, one per character (latin1), so that different names stay different in any
 * encoding.
 */
export interface Entry {
  /** As in the tar, after PAX and GNU long names are applied. */
  readonly name: string;
  readonly type: EntryType;
  /** The type flag of the header. */
  readonly flag: string;
  /** Bytes of content, including the holes of a sparse file; 0 if there is none. */
  readonly size: number;
  /** Bytes in the tar: fewer than `size` for a sparse file. */
  readonly storedSize: number;
  /** The size in the tar. Go's readers use it even for types without content, and add it up. */
  readonly claimedSize: number;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since 1970, and the nanoseconds that follow. */
  readonly mtime: number;
  readonly mtimeNanos: number;
  /** Target of a symbolic or hard link, as in the tar; null for any other type. */
  readonly target: string | null;
  /** null for any other type than a device. */
  readonly device: Device | null;
  readonly xattrs: readonly Xattr[];
}

interface Device {
  readonly major: number;
  readonly minor: number;
}

interface Xattr {
  /** With its namespace, for example `security.capability`. */
  readonly name: string;
  readonly value: Uint8Array;
}

/**
 * `0`, `7` (contiguous) and `S` (GNU sparse) are files to every reader. POSIX ustar; GNU tar manual, "Basic Tar
 * Format".
 */
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

const typeOf = (flag: string): EntryType => TYPES[flag] ?? 'other';

/** Indexed by the byte of the flag. */
const TYPE_OF_BYTE: readonly EntryType[] = Array.from({ length: 256 }, (_, byte) =>
  typeOf(String.fromCharCode(byte)),
);

export const typeOfByte = (flag: number): EntryType => TYPE_OF_BYTE[flag]!;

/** @param index  from 0 to below `table.count` */
export const entryAt = (table: EntryTable, index: number): Entry => new TableEntry(table, index);

/** Reads what it is asked for: of a million entries most are asked for two or three properties. */
class TableEntry implements Entry {
  private details: Partial<Entry> | null = null;

  constructor(
    private readonly table: EntryTable,
    private readonly index: number,
  ) {}

  get name(): string {
    return nameAt(this.table, this.index);
  }
  get type(): EntryType {
    return typeAt(this.table, this.index);
  }
  get flag(): string {
    return String.fromCharCode(this.table.flags[this.index]!);
  }
  get size(): number {
    return this.table.sizes[this.index]!;
  }
  get storedSize(): number {
    return this.rare().storedSize ?? this.size;
  }
  get claimedSize(): number {
    return this.rare().claimedSize ?? this.size;
  }
  get mode(): number {
    return this.table.modes[this.index]!;
  }
  get uid(): number {
    return this.table.uids[this.index]!;
  }
  get gid(): number {
    return this.table.gids[this.index]!;
  }
  get mtime(): number {
    return this.table.times[this.index]!;
  }
  get mtimeNanos(): number {
    return this.table.nanos[this.index]!;
  }
  get target(): string | null {
    const isLink = this.type === 'symlink' || this.type === 'hardlink';
    return isLink ? targetAt(this.table, this.index) : null;
  }
  get device(): Device | null {
    const isDevice = this.type === 'char' || this.type === 'block';
    return this.rare().device ?? (isDevice ? NO_DEVICE : null);
  }
  get xattrs(): readonly Xattr[] {
    return this.rare().xattrs ?? NO_XATTRS;
  }

  private rare(): Partial<Entry> {
    this.details ??= hasDetails(this.table, this.index) ? detailsOf(this.table, this.index) : NOTHING_RARE;
    return this.details;
  }
}

/**
 * Whether an entry has a device number, extended attributes or sizes besides: few have, and the others need not be read
 * for them.
 */
export const hasDetails = (table: EntryTable, index: number): boolean =>
  table.starts[index + 1]! > table.starts[index]! + table.nameLengths[index]! + table.targetLengths[index]!;

/** Name, type and link target of an entry, without the rest, for passes over all entries. */
export function nameAt(table: EntryTable, index: number): string {
  const start = table.starts[index]!;
  return textOf(table).slice(start, start + table.nameLengths[index]!);
}

export const typeAt = (table: EntryTable, index: number): EntryType => TYPE_OF_BYTE[table.flags[index]!]!;

/** The size in the tar; see `Entry`. */
export function claimedSizeAt(table: EntryTable, index: number): number {
  return hasDetails(table, index) ? entryAt(table, index).claimedSize : table.sizes[index]!;
}

/** As in the tar; empty if the entry is not a link. */
export function targetAt(table: EntryTable, index: number): string {
  const start = table.starts[index]! + table.nameLengths[index]!;
  return textOf(table).slice(start, start + table.targetLengths[index]!);
}

/** Every entry, in the order of the tar. */
export function* entriesOf(table: EntryTable): Generator<Entry> {
  for (let index = 0; index < table.count; index++) yield entryAt(table, index);
}

const NO_DEVICE: Device = { major: 0, minor: 0 };
const NO_XATTRS: readonly Xattr[] = [];
const NOTHING_RARE: Partial<Entry> = {};

function detailsOf({ bytes, starts, nameLengths, targetLengths }: EntryTable, index: number): Partial<Entry> {
  const end = starts[index + 1]!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const xattrs: Xattr[] = [];
  let details: Partial<Entry> = {};
  let at = starts[index]! + nameLengths[index]! + targetLengths[index]!;
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

/** All bytes of a table as one string: names are slices of it, which take a tenth of the memory of separate strings. */
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
