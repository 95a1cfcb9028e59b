import { kindOf, NAME, NameTable, type Seeds } from './name-table.js';
import { PathHash } from './path-hash.js';
import { SymlinkTargets } from './symlink-targets.js';

/** Linux follows no more links than this on the way to one file, and takes no longer path. path_resolution(7) */
export const HOPS = 40;
export const PATH_MAX = 4096;
/**
 * Bytes of paths that are looked up part by part, at most; so many of any layer, and so many for each byte of a path: an honest one
 * has no more than twenty-four parts.
 */
const WORK = { most: 64 * 1024 * 1024, least: 128 * 1024, forEach: 12 };

export const isDirectoryKind = (kind: number) => kind === NAME.directory || kind === NAME.implied;

export const join = (directory: string, name: string) => (directory === '' ? name : `${directory}/${name}`);

/** @param isHere  whether `markHere` and `holdHere` are about that path */
type Missing = (path: string, link: string | null, isHere: boolean) => void;

export interface Blocked {
  /** The file or the link that is in the way. */
  readonly path: string;
  readonly isLoop: boolean;
}

/** The names of one layer as far as they have come, as a file system that knows what they are by their hashes. */
export class LayerPaths {
  readonly table: NameTable;
  readonly hash: PathHash;
  readonly symlinks = new SymlinkTargets();
  /** A directory became something else, so that names below it are no longer there. */
  hasReplaced = false;
  private work = 0;
  private allowed = WORK.least;
  /** As of any other directory. */
  private rootHolds = 0;
  /** The halves of the hashes of each part of a path that is being followed, one after the other. */
  private readonly way: number[] = [];

  constructor(most: number, seeds: Seeds) {
    this.table = new NameTable(most);
    this.hash = new PathHash(seeds);
  }

  /** More was to be looked up than any honest layer wants. */
  get isSpent(): boolean {
    return this.work > this.allowed;
  }

  /** All that is said of a path. */
  value(text: string, end?: number): number {
    if (text === '') return NAME.directory | this.rootHolds;
    this.hash.take(text, end);
    return this.table.get(this.hash.low, this.hash.high);
  }

  kind(text: string, end?: number): number {
    return kindOf(this.value(text, end));
  }

  /** Says of every directory above a path what it holds, up to the first of which that is said already. */
  hold(path: string, bit: number): void {
    this.way.length = 0;
    for (let from = 0, end = path.indexOf('/'); end >= 0; from = end, end = path.indexOf('/', end + 1))
      if (end > 0) this.passOn(path, from, end);
    this.holdWay(bit, this.way.length);
  }

  /** The same of the path that is being followed, as far as it has been. */
  holdHere(bit: number): void {
    this.holdWay(bit, this.way.length - 2);
  }

  /** @returns what was said of it before */
  markHere(value: number): number {
    const { way } = this;
    return this.table.put(way[way.length - 2]!, way[way.length - 1]!, value);
  }

  private passOn(path: string, from: number, end: number): void {
    const { hash, way } = this;
    if (way.length === 0) hash.start();
    else {
      // What is told of a part may have hashed something else.
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

  /** Whether an entry has put something there. */
  has(path: string): boolean {
    const kind = this.kind(path);
    return kind === NAME.directory || kind === NAME.leaf || kind === NAME.symlink;
  }

  /** @returns what was said of it before */
  mark(path: string, value: number): number {
    const { hash, table } = this;
    hash.take(path);
    return table.put(hash.low, hash.high, value);
  }

  /**
   * Where a directory is, links followed.
   * @param path     clean
   * @param missing  is told of parts that are not in this layer, and of the link that led there
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
    /** The link whose target is being followed, and how many parts are left once it has been. */
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
