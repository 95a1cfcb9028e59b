import type { EntryTable } from '../scan/entries/table.js';

/** Names are numbered in the order in which they are added; the root is the first. */
export const ROOT = 0;
/** No name. */
export const NONE = -1;

/** Where the bytes of a name are, and the hash of the name. */
export interface NameBytes {
  /** The number of the source that contains them. */
  readonly source: number;
  readonly start: number;
  readonly end: number;
  readonly hash: number;
}

/** Rows that are allocated in addition to the expected number. */
const FIRST_ROWS = 64;

/** A random seed for hashes, so that an archive cannot contain names whose hashes collide. */
const SEED = Math.floor(Math.random() * 2 ** 31);

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = SEED;
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ bytes[at]!, 0x5bd1e995);
    hash ^= hash >>> 13;
  }
  return hash;
}

/**
 * The names of a file system in columns. An image easily has 100,000: as objects, with a map for each directory, they
 * take five times the memory, and most of the time goes to the garbage collector. This class only stores; it has no
 * rules.
 */
export class TreeColumns {
  count = 0;
  rows: Rows;
  /** The bytes that contain names: first the names added as text, then those of tables. */
  private readonly sources: Buffer[] = [Buffer.alloc(1024)];
  private textEnd = 0;
  /** The last name of each hash; `chain` leads to the others. */
  private buckets: Int32Array;

  /** @param expected  approximate number of names */
  constructor(expected: number) {
    const room = expected + (expected >> 3) + FIRST_ROWS;
    this.rows = newRows(room);
    this.buckets = newBuckets(room);
  }

  /** @returns the number of the table as a source of names */
  addSource(table: EntryTable): number {
    return this.sources.push(bufferOf(table)) - 1;
  }

  /** A name given as text, bytes one per character. Valid until the next call, unless it is added. */
  named(name: string): NameBytes {
    const [start, end] = [this.textEnd, this.textEnd + name.length];
    if (end > this.sources[0]!.length) {
      const larger = Buffer.alloc(2 * end);
      larger.set(this.sources[0]!);
      this.sources[0] = larger;
    }
    const bytes = this.sources[0]!;
    for (let i = 0; i < name.length; i++) bytes[start + i] = name.charCodeAt(i);
    return { source: 0, start, end, hash: hashOf(bytes, start, end) };
  }

  /** A name given as text that stays valid, whether it is added or not. */
  kept(name: string): NameBytes {
    const bytes = this.named(name);
    this.textEnd = bytes.end;
    return bytes;
  }

  /** Adds a name, which must not exist yet, as the last of its directory. The root's parent is `NONE`. */
  add(parent: number, { source, start, end, hash }: NameBytes): number {
    const id = this.count++;
    if (id === this.rows.parent.length) this.grow(2 * id);
    if (source === 0) this.textEnd = Math.max(this.textEnd, end);
    const { rows } = this;
    rows.parent[id] = parent;
    rows.source[id] = source;
    rows.start[id] = start;
    rows.length[id] = end - start;
    rows.hash[id] = hash;
    rows.first[id] = NONE;
    rows.last[id] = NONE;
    rows.next[id] = NONE;
    const before = parent === NONE ? NONE : rows.last[parent]!;
    rows.previous[id] = before;
    if (before !== NONE) rows.next[before] = id;
    if (parent === NONE) return id;
    if (before === NONE) rows.first[parent] = id;
    rows.last[parent] = id;
    this.chain(id);
    return id;
  }

  /** The node with a name in a directory; `NONE` if there is none. */
  child(parent: number, { source, start, end, hash }: NameBytes): number {
    const { rows } = this;
    const length = end - start;
    let id = this.buckets[this.bucketOf(parent, hash)]!;
    for (; id !== NONE; id = rows.chain[id]!) {
      const isAlike = rows.hash[id] === hash && rows.parent[id] === parent && rows.length[id] === length;
      if (isAlike && this.difference(rows.source[id]!, rows.start[id]!, source, start, length) === 0) break;
    }
    return id;
  }

  /** Removes a name from its directory. Its children stay below it. */
  remove(id: number): void {
    const { rows, buckets } = this;
    const [parent, next, previous] = [rows.parent[id]!, rows.next[id]!, rows.previous[id]!];
    if (next === NONE) rows.last[parent] = previous;
    else rows.previous[next] = previous;
    if (previous === NONE) rows.first[parent] = next;
    else rows.next[previous] = next;
    const bucket = this.bucketOf(parent, rows.hash[id]!);
    if (buckets[bucket] === id) buckets[bucket] = rows.chain[id]!;
    else {
      let before = buckets[bucket]!;
      while (rows.chain[before] !== id) before = rows.chain[before]!;
      rows.chain[before] = rows.chain[id]!;
    }
  }

  text({ source, start, end }: NameBytes): string {
    return this.textAt(source, start, end);
  }

  beginsWith({ source, start, end }: NameBytes, text: string): boolean {
    const bytes = this.sources[source]!;
    let same = 0;
    while (same < text.length && bytes[start + same] === text.charCodeAt(same)) same++;
    return same === text.length && start + same <= end;
  }

  /** Bytes, one per character. */
  name(id: number): string {
    return this.lastBytes(id, this.rows.length[id]!);
  }

  /** From the root, without a leading slash. */
  path(id: number): string {
    const { parent, tail } = this.rows;
    if (tail[id]! > 0) return this.lastBytes(id, tail[id]!);
    const names: string[] = [];
    for (let at = id; parent[at] !== NONE; at = parent[at]!) {
      names.push(this.lastBytes(at, tail[at]! || this.rows.length[at]!));
      if (tail[at]! > 0) break;
    }
    return names.reverse().join('/');
  }

  private lastBytes(id: number, count: number): string {
    const source = this.rows.source[id]!;
    const end = this.rows.start[id]! + this.rows.length[id]!;
    return this.textAt(source, end - count, end);
  }

  private textAt(source: number, start: number, end: number): string {
    return this.sources[source]!.toString('latin1', start, end);
  }

  /** The children of a directory, in the order in which they were added. */
  children(id: number): number[] {
    const ids: number[] = [];
    for (let child = this.rows.first[id]!; child !== NONE; child = this.rows.next[child]!) ids.push(child);
    return ids;
  }

  /** All names except the root: a directory is followed by its contents, in the byte order of the names. */
  sorted(): Int32Array {
    const order = new Int32Array(this.count);
    let length = 0;
    const open = this.sortedChildren(ROOT).reverse();
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      order[length++] = id;
      if (this.rows.first[id] === NONE) continue;
      const below = this.sortedChildren(id);
      for (let i = below.length; i-- > 0; ) open.push(below[i]!);
    }
    return order.subarray(0, length);
  }

  /** The children are usually added in order. */
  private sortedChildren(id: number): number[] {
    const ids = this.children(id);
    let isSorted = true;
    for (let i = 1; isSorted && i < ids.length; i++) isSorted = this.compare(ids[i - 1]!, ids[i]!) < 0;
    return isSorted ? ids : ids.sort((a, b) => this.compare(a, b));
  }

  private compare(a: number, b: number): number {
    const { source, start, length } = this.rows;
    const shared = Math.min(length[a]!, length[b]!);
    const order = this.difference(source[a]!, start[a]!, source[b]!, start[b]!, shared);
    return order === 0 ? length[a]! - length[b]! : order;
  }

  private difference(a: number, aStart: number, b: number, bStart: number, length: number): number {
    const [left, right] = [this.sources[a]!, this.sources[b]!];
    for (let i = 0; i < length; i++) {
      const difference = left[aStart + i]! - right[bStart + i]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  private bucketOf(parent: number, hash: number): number {
    return (hash ^ Math.imul(parent, 0x9e3779b1)) & (this.buckets.length - 1);
  }

  private chain(id: number): void {
    const bucket = this.bucketOf(this.rows.parent[id]!, this.rows.hash[id]!);
    this.rows.chain[id] = this.buckets[bucket]!;
    this.buckets[bucket] = id;
  }

  private grow(length: number): void {
    const { rows, buckets } = this;
    const larger = newRows(length);
    for (const key of Object.keys(larger) as (keyof Rows)[]) larger[key].set(rows[key]);
    this.rows = larger;
    this.buckets = newBuckets(length);
    for (const first of buckets) for (let id = first; id !== NONE; id = rows.chain[id]!) this.chain(id);
  }
}

const bufferOf = ({ bytes }: EntryTable) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

const newBuckets = (count: number) => new Int32Array(2 ** Math.ceil(Math.log2(count))).fill(NONE);

type Rows = ReturnType<typeof newRows>;

const newRows = (count: number) => ({
  parent: new Int32Array(count),
  source: new Int32Array(count),
  start: new Uint32Array(count),
  length: new Uint32Array(count),
  hash: new Int32Array(count),
  chain: new Int32Array(count),
  /** The first child of a directory. */
  first: new Int32Array(count),
  last: new Int32Array(count),
  /** Siblings in the directory. */
  next: new Int32Array(count),
  previous: new Int32Array(count),
  /** For the code that builds the tree. The inode of a name, identified by the first name that it had. */
  inode: new Int32Array(count),
  /** Columns of an inode: its type, the layer and index of its entry, the number of its names. */
  type: new Uint8Array(count),
  home: new Int32Array(count),
  index: new Int32Array(count),
  links: new Int32Array(count),
  /** The layer that added the name, and whether the name was removed since. */
  layer: new Int32Array(count),
  isGone: new Uint8Array(count),
  /** Number of bytes, up to the name's end, that are its path; 0 if its path is not written anywhere. */
  tail: new Uint32Array(count),
});

const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * Reads the paths of a layer's entries where they are stored: the last segment, directly as a name for a tree, and the
 * directory as text, which consecutive entries usually share.
 */
export class WrittenPaths implements NameBytes {
  /** Start of the last segment; a slash at its end is left out. */
  start = 0;
  end = 0;
  hash = 0;
  /** The path before the last slash; empty if there is none. */
  folder = '';
  private folderStart = 0;
  private folderEnd = 0;
  private readonly bytes: Buffer;

  /** @param source  the number of the table's bytes in a tree */
  constructor(
    private readonly table: EntryTable,
    readonly source: number,
  ) {
    this.bytes = bufferOf(table);
  }

  /** @returns false if the last segment is not a name: empty, `.` or `..`. The fields are then not valid */
  read(index: number): boolean {
    const { bytes } = this;
    const { starts, nameLengths } = this.table;
    const from = starts[index]!;
    let end = from + nameLengths[index]!;
    if (end > from && bytes[end - 1] === SLASH) end--;
    let start = end;
    while (start > from && bytes[start - 1] !== SLASH) start--;
    const length = end - start;
    const isDot = bytes[start] === DOT && (length === 1 || (length === 2 && bytes[start + 1] === DOT));
    if (length === 0 || isDot) return false;
    this.start = start;
    this.end = end;
    this.hash = hashOf(bytes, start, end);
    this.readFolder(from, Math.max(from, start - 1));
    return true;
  }

  private readFolder(from: number, to: number): void {
    const { bytes } = this;
    let isSame = to - from === this.folderEnd - this.folderStart;
    for (let at = to - 1, last = this.folderEnd - 1; isSame && at >= from; at--, last--)
      isSame = bytes[at] === bytes[last];
    this.folderStart = from;
    this.folderEnd = to;
    if (!isSame) this.folder = bytes.toString('latin1', from, to);
  }
}
