import { kindOf, NAME, NameTable, type Seeds } from './table.js';

/** The hash of a path in two halves. The hash of its directory is computed on the way. */
export class PathHash {
  low = 0;
  high = 0;
  /** Hash of the part before the last slash; not set if `slash` is -1. */
  parentLow = 0;
  parentHigh = 0;
  slash = -1;

  constructor(private readonly seeds: Seeds) {}

  /** Starts with the empty path, to be continued by `extend`. */
  start(): void {
    [this.low, this.high] = this.seeds;
  }

  /**
   * Continues the hash with the next piece of a path, so that hashing all parents of a path takes no longer than
   * hashing the path.
   */
  extend(text: string, from: number, end: number): void {
    let { low, high } = this;
    for (let i = from; i < end; i++) {
      const byte = text.charCodeAt(i);
      low = Math.imul(low ^ byte, 0x5bd1e995);
      low ^= low >>> 15;
      high = Math.imul(high ^ byte, 0x2c1b3c6d);
      high ^= high >>> 13;
    }
    this.low = low >>> 0;
    this.high = high >>> 0;
  }

  /**
   * @param end  of the path in the text
   * @returns false if the path may not be clean: a segment is empty or begins with a dot
   */
  take(text: string, end = text.length): boolean {
    let [low, high] = this.seeds;
    let isPlain = end > 0;
    let previous = SLASH;
    let slash = -1;
    let [parentLow, parentHigh] = [0, 0];
    for (let i = 0; i < end; i++) {
      const byte = text.charCodeAt(i);
      if (byte === SLASH) {
        slash = i;
        parentLow = low;
        parentHigh = high;
      }
      if (previous === SLASH && (byte === SLASH || byte === DOT)) isPlain = false;
      previous = byte;
      low = Math.imul(low ^ byte, 0x5bd1e995);
      low ^= low >>> 15;
      high = Math.imul(high ^ byte, 0x2c1b3c6d);
      high ^= high >>> 13;
    }
    this.slash = slash;
    this.parentLow = parentLow >>> 0;
    this.parentHigh = parentHigh >>> 0;
    this.low = low >>> 0;
    this.high = high >>> 0;
    return isPlain && previous !== SLASH;
  }
}

const SLASH = '/'.charCodeAt(0);
const DOT = '.'.charCodeAt(0);

/**
 * The targets of a layer's symbolic links, as `PATH NUL TARGET NUL` one after the other: compact, because they are
 * rarely needed.
 */
export class SymlinkTargets {
  private bytes: Buffer;
  private used = 0;
  private known: Map<string, string> | null = null;

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.used = bytes.length;
  }

  /** Number of bytes that are kept. */
  get size(): number {
    return this.used;
  }

  /** @param path, target  bytes, one per character */
  add(path: string, target: string): void {
    const end = this.used + path.length + target.length + 2;
    if (end > this.bytes.length) {
      const larger = Buffer.alloc(Math.max(1024, 2 * end));
      larger.set(this.bytes.subarray(0, this.used));
      this.bytes = larger;
    }
    this.used += this.bytes.write(`${path}\0${target}\0`, this.used, 'latin1');
    this.known?.set(path, target);
  }

  /** The target of the last link with this path; null if there is none. */
  get(path: string): string | null {
    this.known ??= this.parsed();
    return this.known.get(path) ?? null;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes.subarray(0, this.used));
  }

  private parsed(): Map<string, string> {
    const parts = this.bytes.toString('latin1', 0, this.used).split('\0');
    const known = new Map<string, string>();
    for (let i = 0; i + 1 < parts.length; i += 2) known.set(parts[i]!, parts[i + 1]!);
    return known;
  }
}

/** Linux follows at most this many links to resolve one path, and limits the length of a path. path_resolution(7) */
export const HOPS = 40;
export const PATH_MAX = 4096;
/**
 * Cap on the bytes of paths that are resolved segment by segment: a minimum for any layer, an amount for each byte of a
 * path, and a maximum. Real paths have at most twenty-four segments.
 */
const WORK = { most: 64 * 1024 * 1024, least: 128 * 1024, forEach: 12 };

export const isDirectoryKind = (kind: number) => kind === NAME.directory || kind === NAME.implied;

export const join = (directory: string, name: string) => (directory === '' ? name : `${directory}/${name}`);

/** @param isHere  true if `markHere` and `holdHere` refer to that path */
type Missing = (path: string, link: string | null, isHere: boolean) => void;

interface Blocked {
  /** The file or link that blocks the path. */
  readonly path: string;
  readonly isLoop: boolean;
}

/** The names of one layer up to the current entry, as a file system that stores the type of each name by its hash. */
export class LayerPaths {
  readonly table: NameTable;
  readonly hash: PathHash;
  readonly symlinks = new SymlinkTargets();
  /** True if a directory was replaced by another type, so that names below it no longer exist. */
  hasReplaced = false;
  private work = 0;
  private allowed = WORK.least;
  /** The flags of the root, as for any other directory. */
  private rootHolds = 0;
  /** The two halves of the hash of each segment of the path that is being followed. */
  private readonly way: number[] = [];

  constructor(most: number, seeds: Seeds) {
    this.table = new NameTable(most);
    this.hash = new PathHash(seeds);
  }

  /** True if more lookups were needed than the cap allows. */
  get isSpent(): boolean {
    return this.work > this.allowed;
  }

  /** Everything recorded for a path. */
  value(text: string, end?: number): number {
    if (text === '') return NAME.directory | this.rootHolds;
    this.hash.take(text, end);
    return this.table.get(this.hash.low, this.hash.high);
  }

  kind(text: string, end?: number): number {
    return kindOf(this.value(text, end));
  }

  /** Adds a flag to every directory above a path, up to the first that already has it. */
  hold(path: string, bit: number): void {
    this.way.length = 0;
    for (let from = 0, end = path.indexOf('/'); end >= 0; from = end, end = path.indexOf('/', end + 1))
      if (end > 0) this.passOn(path, from, end);
    this.holdWay(bit, this.way.length);
  }

  /** The same for the path that is being followed, up to the current segment. */
  holdHere(bit: number): void {
    this.holdWay(bit, this.way.length - 2);
  }

  /** @returns the value recorded before */
  markHere(value: number): number {
    const { way } = this;
    return this.table.put(way[way.length - 2]!, way[way.length - 1]!, value);
  }

  private passOn(path: string, from: number, end: number): void {
    const { hash, way } = this;
    if (way.length === 0) hash.start();
    else {
      // The callback may have hashed another path.
      hash.low = way[way.length - 2]!;
      hash.high = way[way.length - 1]!;
    }
    hash.extend(path, from, end);
    way.push(hash.low, hash.high);
  }

  private holdWay(bit: number, end: number): void {
    const { table, way } = this;
    for (let i = end - 2; i >= 0; i -= 2) if ((table.add(way[i]!, way[i + 1]!, bit) & bit) !== 0) return;
    this.rootHolds |= bit;
  }

  /** True if an entry created an object at this path. */
  has(path: string): boolean {
    const kind = this.kind(path);
    return kind === NAME.directory || kind === NAME.leaf || kind === NAME.symlink;
  }

  /** @returns the value recorded before */
  mark(path: string, value: number): number {
    const { hash, table } = this;
    hash.take(path);
    return table.put(hash.low, hash.high, value);
  }

  /**
   * The real path of a directory, with links followed.
   * @param path     clean
   * @param missing  called for segments that this layer does not have, with the link that led there
   */
  follow(path: string, missing: Missing): string | Blocked {
    const { hash, table } = this;
    this.way.length = 0;
    this.allowed = Math.min(WORK.most, this.allowed + WORK.forEach * path.length);
    for (let end = 0; end < path.length; ) {
      const from = end;
      const slash = path.indexOf('/', end + 1);
      end = slash < 0 ? path.length : slash;
      this.passOn(path, from, end);
      this.work += end - from;
      const kind = kindOf(table.get(hash.low, hash.high));
      if (kind === NAME.symlink) return this.followLinks(path, missing);
      if (kind === NAME.leaf) return { path: path.slice(0, end), isLoop: false };
      if (!isDirectoryKind(kind)) missing(path.slice(0, end), null, true);
    }
    return path;
  }

  private followLinks(path: string, missing: Missing): string | Blocked {
    const todo = path.split('/').reverse();
    let at = '';
    let hops = 0;
    /** The link whose target is being followed, and the number of segments that remain after it. */
    let link: string | null = null;
    let rest = 0;
    for (let part = todo.pop(); part !== undefined && !this.isSpent; part = todo.pop()) {
      if (link !== null && todo.length < rest) link = null;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
        continue;
      }
      const next = join(at, part);
      const kind = this.kind(next);
      this.work += next.length;
      if (kind === NAME.leaf) return { path: next, isLoop: false };
      if (kind !== NAME.symlink) {
        if (!isDirectoryKind(kind)) missing(next, link, false);
        at = next;
        continue;
      }
      const target = this.symlinks.get(next) ?? '';
      this.work += target.length;
      if (++hops > HOPS || target.length >= PATH_MAX) return { path: next, isLoop: true };
      if (link === null) [link, rest] = [next, todo.length];
      if (target.startsWith('/')) at = '';
      for (const step of target.split('/').reverse()) todo.push(step);
    }
    return at;
  }
}
