import type { Limits } from '../../limits.js';
import type { TarEntry } from '../../tar/entry.js';
import type { ContentCapture } from './content.js';
import { DETAIL, type EntryTable } from './table.js';

/**
 * Rows, and bytes per row, that are allocated for the first entry: most layers are small, and many members are not
 * layers.
 */
const FIRST_ROWS = 64;
const BYTES_PER_ROW = 64;

/** Collects the entries of one layer in columns, up to the limits. */
export class EntryTableBuilder {
  private count = 0;
  private used = 0;
  private truncated: EntryTable['truncated'] = null;
  private columns = NO_COLUMNS;
  private bytes = NO_BYTES;

  /** @param capture  provides the requested file contents at the end */
  constructor(
    private readonly limits: Pick<Limits, 'layerEntries' | 'layerEntryBytes'>,
    private readonly capture: ContentCapture | null = null,
  ) {}

  /** @returns true if the entry is kept */
  add(entry: TarEntry): boolean {
    if (this.truncated !== null) return false;
    const { name, target, xattrs } = entry;
    const length =
      name.length +
      target.length +
      DETAILS +
      xattrs.reduce((sum, [key, value]) => sum + key.length + value.length + 9, 0);
    if (this.count >= this.limits.layerEntries) this.truncated = 'layerEntries';
    else if (this.used + length > this.limits.layerEntryBytes) this.truncated = 'layerEntryBytes';
    else this.append(entry, length);
    return this.truncated === null;
  }

  finish(): EntryTable {
    const { count, columns, used } = this;
    if (count === 0 && this.truncated === null && this.capture === null) return NO_ENTRIES;
    columns.starts[count] = used;
    const cut = <C extends { slice(start: number, end: number): C }>(column: C) => column.slice(0, count);
    return {
      count,
      truncated: this.truncated,
      bytes: new Uint8Array(this.bytes.subarray(0, used)),
      starts: columns.starts.slice(0, count + 1),
      nameLengths: cut(columns.nameLengths),
      targetLengths: cut(columns.targetLengths),
      flags: cut(columns.flags),
      sizes: cut(columns.sizes),
      modes: cut(columns.modes),
      uids: cut(columns.uids),
      gids: cut(columns.gids),
      times: cut(columns.times),
      nanos: cut(columns.nanos),
      contents: this.capture?.finish(count) ?? null,
    };
  }

  private append(entry: TarEntry, length: number): void {
    this.makeRoom(length);
    const { columns, count } = this;
    columns.starts[count] = this.used;
    columns.nameLengths[count] = entry.name.length;
    columns.targetLengths[count] = entry.target.length;
    columns.flags[count] = entry.flag;
    columns.sizes[count] = entry.size;
    columns.modes[count] = entry.mode;
    columns.uids[count] = entry.uid;
    columns.gids[count] = entry.gid;
    columns.times[count] = entry.mtime;
    columns.nanos[count] = entry.mtimeNanos;
    this.text(entry.name);
    this.text(entry.target);
    this.details(entry);
    this.count++;
  }

  private details({ size, storedSize, claimedSize, major, minor, xattrs }: TarEntry): void {
    if (major !== 0 || minor !== 0) {
      this.tag(DETAIL.device);
      this.number(major);
      this.number(minor);
    }
    if (storedSize !== size) {
      this.tag(DETAIL.storedSize);
      this.double(storedSize);
    }
    if (claimedSize !== size) {
      this.tag(DETAIL.claimedSize);
      this.double(claimedSize);
    }
    for (const [key, value] of xattrs) {
      this.tag(DETAIL.xattr);
      this.number(key.length);
      this.text(key);
      this.number(value.length);
      this.text(value);
    }
  }

  private tag(tag: number): void {
    this.bytes[this.used++] = tag;
  }
  private number(value: number): void {
    this.used = this.bytes.writeUInt32LE(value >>> 0, this.used);
  }
  private double(value: number): void {
    this.used = this.bytes.writeDoubleLE(value, this.used);
  }
  /** Most texts are short, and calling a function that writes a string takes longer than writing the bytes. */
  private text(text: string): void {
    const { bytes, used } = this;
    for (let i = 0; i < text.length; i++) bytes[used + i] = text.charCodeAt(i);
    this.used = used + text.length;
  }

  private makeRoom(length: number): void {
    if (this.used + length > this.bytes.length) {
      const larger = Buffer.alloc(
        Math.max(FIRST_ROWS * BYTES_PER_ROW, 2 * this.bytes.length, this.used + length),
      );
      larger.set(this.bytes.subarray(0, this.used));
      this.bytes = larger;
    }
    const rows = this.columns.flags.length;
    if (this.count < rows) return;
    const larger = newColumns(Math.max(FIRST_ROWS, 2 * rows));
    for (const key of Object.keys(larger) as (keyof Columns)[]) larger[key].set(this.columns[key]);
    this.columns = larger;
  }
}

/** The maximum length of an entry's details without xattrs: a device's numbers and two sizes, each with its tag. */
const DETAILS = 9 + 9 + 9;

type Columns = ReturnType<typeof newColumns>;

const newColumns = (rows: number) => ({
  starts: new Uint32Array(rows + 1),
  nameLengths: new Uint32Array(rows),
  targetLengths: new Uint32Array(rows),
  flags: new Uint8Array(rows),
  sizes: new Float64Array(rows),
  modes: new Uint16Array(rows),
  uids: new Uint32Array(rows),
  gids: new Uint32Array(rows),
  times: new Float64Array(rows),
  nanos: new Uint32Array(rows),
});

const NO_COLUMNS = newColumns(0);
const NO_BYTES = Buffer.alloc(0);

/** The table of every member that is not a layer: a hundred thousand members may be none. */
const NO_ENTRIES: EntryTable = {
  count: 0,
  truncated: null,
  bytes: new Uint8Array(0),
  starts: new Uint32Array(1),
  nameLengths: new Uint32Array(0),
  targetLengths: new Uint32Array(0),
  flags: new Uint8Array(0),
  sizes: new Float64Array(0),
  modes: new Uint16Array(0),
  uids: new Uint32Array(0),
  gids: new Uint32Array(0),
  times: new Float64Array(0),
  nanos: new Uint32Array(0),
  contents: null,
};
