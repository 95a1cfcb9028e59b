import { nameAt } from '../scan/entry.js';
import { rootedPath } from '../scan/entry-name.js';
import type { EntryTable } from '../scan/entry-table.js';
import { FolderCache } from './folder-cache.js';
import { NONE, ROOT } from './tree-columns.js';
import { HOPS, PATH_MAX } from './tree-path.js';
import type { TreeStore } from './tree-store.js';

/**
 * Bytes of the paths of directories that no entry names. Honest layers have next to none; a hostile name of a megabyte
 * would make half a million of them, each with a path of its own.
 */
const IMPLIED_BYTES = 8 * 1024 * 1024;
/** Bytes of link targets followed: links upon links for each of a million entries have no honest use. */
const FOLLOWED_BYTES = 64 * 1024 * 1024;
/** Parts of paths looked up. An honest image of a million files has a tenth as many folders, ten deep. */
const STEPS = 8 * 1024 * 1024;

/** Finds its way in a file system that is being made, through links, and makes the directories that are missing. */
export class TreeWalk {
  private impliedBytes = 0;
  private followedBytes = 0;
  private steps = 0;
  /** Directories by their paths … */
  private readonly known = new FolderCache<number>();
  /** … and those of lower layers that whiteouts of this layer are about. */
  private readonly lowers = new FolderCache<number>();
  /** By directories and links: the round in which it was passed on the way to something that is remembered. */
  private passedIn = new Uint32Array(0);
  private round = 1;

  /**
   * @param others   of what is made of the directories that are found; they are forgotten together with these
   * @param giveWay  removes what is in the way of a directory that has to be made
   */
  constructor(
    private readonly store: TreeStore,
    private readonly others: readonly Pick<FolderCache<unknown>, 'clear'>[],
    private readonly giveWay: (id: number, path: string) => void,
  ) {}

  /** Whether more was asked for than any honest layer wants: what was not found since then may be there. */
  get isSpent(): boolean {
    return this.steps > STEPS || this.followedBytes > FOLLOWED_BYTES || this.impliedBytes > IMPLIED_BYTES;
  }

  /** A layer begins, or what is below its whiteouts has gone. */
  startLayer(): void {
    this.lowers.clear();
  }

  /** A directory or a link has gone. As a rule it was on the way to nothing: a layer can remove one between any two entries. */
  removed(id: number): void {
    if (this.passedIn[id] !== this.round) return;
    this.round++;
    for (const cache of [this.known, this.lowers, ...this.others]) cache.clear();
  }

  /** The directory that a path leads to, through links; `NONE` where nothing is there. */
  find(path: string): number {
    const known = this.known.get(path);
    if (known !== undefined) return known;
    const found = this.resolve(ROOT, path, false, { hops: 0 });
    if (found !== NONE) this.known.set(path, found);
    return found;
  }

  /** The directory at a path, made with all above it where it is missing. What is in the way gives way. */
  make(path: string): number {
    let at = ROOT;
    let length = 0;
    for (const segment of path === '' ? [] : path.split('/')) {
      length += segment.length + 1;
      const child = this.step(at, segment);
      let next = child === NONE ? NONE : this.directory(child, true);
      if (next === NONE) {
        if (this.isSpent) return NONE;
        if (child !== NONE) this.giveWay(child, path.slice(0, length - 1));
        next = this.makeDirectory(at, segment, length);
        if (next === NONE) return NONE;
      }
      at = next;
    }
    return at;
  }

  /**
   * The directory of lower layers that a whiteout is about. A link on the way is followed, unless this layer puts something
   * else in its place: below that is nothing yet that could be hidden.
   */
  lower(table: EntryTable, path: string): number {
    const known = this.lowers.get(path);
    if (known !== undefined) return known;
    let at = ROOT;
    let end = 0;
    for (const segment of path === '' ? [] : path.split('/')) {
      const child = this.step(at, segment);
      if (child === NONE) return NONE;
      end += segment.length + 1;
      const isReplaced = this.store.is(child, 'symlink') && namesOf(table).has(path.slice(0, end - 1));
      at = isReplaced ? NONE : this.directory(child, false);
      if (at === NONE) return NONE;
    }
    this.lowers.set(path, at);
    return at;
  }

  /** What has a name in a directory, on the way to what is below it. */
  private step(at: number, segment: string): number {
    if (++this.steps > STEPS) return NONE;
    const child = this.store.child(at, segment);
    if (child !== NONE) this.pass(child);
    return child;
  }

  /** The directory that a name is or, as a link, leads to. */
  private directory(id: number, make: boolean, way = { hops: 0 }): number {
    const { store } = this;
    if (store.is(id, 'directory')) return id;
    if (!store.is(id, 'symlink')) return NONE;
    const target = store.target(id);
    this.followedBytes += target.length;
    if (++way.hops > HOPS || target.length >= PATH_MAX || this.followedBytes > FOLLOWED_BYTES) return NONE;
    return this.resolve(target.startsWith('/') ? ROOT : store.columns.rows.parent[id]!, target, make, way);
  }

  private resolve(from: number, path: string, make: boolean, way: { hops: number }): number {
    let at = from;
    for (const segment of path.split('/')) {
      if (segment === '' || segment === '.') continue;
      if (segment === '..') {
        at = Math.max(ROOT, this.store.columns.rows.parent[at]!);
        continue;
      }
      const child = this.step(at, segment);
      if (child !== NONE) at = this.directory(child, make, way);
      else at = make && !this.isSpent ? this.makeDirectory(at, segment, path.length) : NONE;
      if (at === NONE) return NONE;
    }
    return at;
  }

  private makeDirectory(parent: number, name: string, pathLength: number): number {
    this.impliedBytes += pathLength;
    if (this.impliedBytes > IMPLIED_BYTES) return NONE;
    const id = this.store.add(parent, this.store.columns.named(name), 'directory', -1);
    this.pass(id);
    return id;
  }

  private pass(id: number): void {
    if (id >= this.passedIn.length) {
      const larger = new Uint32Array(this.store.columns.rows.parent.length);
      larger.set(this.passedIn);
      this.passedIn = larger;
    }
    this.passedIn[id] = this.round;
  }
}

const names = new WeakMap<EntryTable, ReadonlySet<string>>();

/** All paths that a layer has entries for. Seldom wanted. */
function namesOf(table: EntryTable): ReadonlySet<string> {
  let known = names.get(table);
  if (known === undefined) {
    known = new Set(Array.from({ length: table.count }, (_, index) => rootedPath(nameAt(table, index))));
    names.set(table, known);
  }
  return known;
}
