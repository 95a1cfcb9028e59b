import { rootedPath } from '../scan/entries/name.js';
import { type EntryTable, nameAt, targetAt, typeAt } from '../scan/entries/table.js';
import { isWhiteout, OPAQUE_WHITEOUT, WHITEOUT, WHITEOUT_META } from '../spec/whiteout.js';
import type { Oddity, OddityKind } from './file-tree.js';
import { type NameBytes, NONE, ROOT, WrittenPaths } from './tree-columns.js';
import { HOPS, leavesRoot, PATH_MAX } from './tree-path.js';
import { TreeStore } from './tree-store.js';

/** Cap on the characters of remembered paths: more than real layers need, and little memory. */
const MOST_CHARACTERS = 8 * 1024 * 1024;

/** Remembers where paths lead, until a directory or link on the way is removed. */
class FolderCache<T> {
  private readonly known = new Map<string, T>();
  private characters = 0;

  get(path: string): T | undefined {
    return this.known.get(path);
  }

  set(path: string, found: T): void {
    this.characters += path.length;
    if (this.characters > MOST_CHARACTERS) {
      this.clear();
      this.characters = path.length;
    }
    this.known.set(path, found);
  }

  clear(): void {
    this.known.clear();
    this.characters = 0;
  }
}

/** Occurrences kept of each kind; the others are only counted. */
const PLACES = 100;

/** Collects oddities of layers. */
class OddityList {
  private readonly byKind = new Map<
    OddityKind,
    { count: number; places: { layer: number; path: string }[] }
  >();

  /** @param path  bytes, one per character */
  add(kind: OddityKind, layer: number, path: string): void {
    let known = this.byKind.get(kind);
    if (known === undefined) {
      known = { count: 0, places: [] };
      this.byKind.set(kind, known);
    }
    known.count++;
    if (known.places.length < PLACES) known.places.push({ layer, path });
  }

  all(): Oddity[] {
    return [...this.byKind].map(([kind, seen]) => ({ kind, ...seen }));
  }
}

/**
 * Cap on the bytes of the paths of directories that no entry names. Real layers have next to none. Hazard: a hostile
 * name of a megabyte would create half a million directories, each with its own path.
 */
const IMPLIED_BYTES = 8 * 1024 * 1024;
/** Cap on the bytes of link targets that are followed. Hazard: a million entries may each lead through many links. */
const FOLLOWED_BYTES = 64 * 1024 * 1024;
/**
 * Cap on the path segments that are looked up. A real image of a million files has a tenth as many directories, ten
 * deep.
 */
const STEPS = 8 * 1024 * 1024;

/** Resolves paths in a file system under construction, through links, and creates missing directories. */
class TreeWalk {
  private impliedBytes = 0;
  private followedBytes = 0;
  private steps = 0;
  /** Directories by path. */
  private readonly known = new FolderCache<number>();
  /** Directories of lower layers that whiteouts of this layer refer to, by path. */
  private readonly lowers = new FolderCache<number>();
  private names: { readonly table: EntryTable; readonly paths: ReadonlySet<string> } | null = null;
  /** For each directory and link: the number of the round in which a remembered path last passed through it. */
  private passedIn = new Uint32Array(0);
  private round = 1;

  /**
   * @param others   caches of what is derived from the directories; cleared together with these
   * @param giveWay  removes an object at the path of a directory that has to be created
   */
  constructor(
    private readonly store: TreeStore,
    private readonly others: readonly Pick<FolderCache<unknown>, 'clear'>[],
    private readonly giveWay: (id: number, path: string) => void,
  ) {}

  /** True if a cap is exceeded. A path that was not found since then may exist. */
  get isSpent(): boolean {
    return this.steps > STEPS || this.followedBytes > FOLLOWED_BYTES || this.impliedBytes > IMPLIED_BYTES;
  }

  /** Called when a layer begins, and when the entries that its whiteouts hide have been removed. */
  startLayer(): void {
    this.lowers.clear();
  }

  /**
   * Called when a directory or a link was removed. The caches are cleared only if a remembered path passes through it:
   * a layer can remove one between any two entries.
   */
  removed(id: number): void {
    if (this.passedIn[id] !== this.round) return;
    this.round++;
    for (const cache of [this.known, this.lowers, ...this.others]) cache.clear();
  }

  /** The directory that a path leads to, through links; `NONE` if it does not exist. */
  find(path: string): number {
    const known = this.known.get(path);
    if (known !== undefined) return known;
    const found = this.resolve(ROOT, path, false, { hops: 0 });
    if (found !== NONE) this.known.set(path, found);
    return found;
  }

  /** The directory at a path. Missing directories are created; other objects in their place are removed. */
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
   * The directory of lower layers that a whiteout refers to. A link on the way is followed, unless this layer replaces
   * it: below the replacement there is nothing to hide.
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
      const isReplaced = this.store.is(child, 'symlink') && this.namesOf(table).has(path.slice(0, end - 1));
      at = isReplaced ? NONE : this.directory(child, false);
      if (at === NONE) return NONE;
    }
    this.lowers.set(path, at);
    return at;
  }

  /** All paths of a layer's entries. Rarely needed, and then for one layer after another. */
  private namesOf(table: EntryTable): ReadonlySet<string> {
    if (this.names?.table !== table) {
      const paths = Array.from({ length: table.count }, (_, index) => rootedPath(nameAt(table, index)));
      this.names = { table, paths: new Set(paths) };
    }
    return this.names.paths;
  }

  /** The node with a name in a directory, on the way to a deeper path. */
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

/** Indexes of the entries that may be whiteouts: rarely any. */
function maybeHidden({ bytes, starts }: EntryTable): number[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: number[] = [];
  let index = 0;
  for (let at = text.indexOf(WHITEOUT); at >= 0; at = text.indexOf(WHITEOUT, starts[index]!)) {
    index = entryWith(starts, at);
    found.push(index++);
  }
  return found;
}

/** The last entry whose bytes begin at or before an offset. */
function entryWith(starts: Uint32Array, at: number): number {
  let low = 0;
  for (let high = starts.length - 2; low < high; ) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The directory that the path of an entry leads to. */
interface Directory {
  readonly id: number;
  /**
   * Length of the directory's own path including a slash at the end, if the path in the entry ends with it; otherwise
   * null.
   */
  readonly tail: number | null;
}

/** Applies layers to a file system, one after the other. The rules are described at `squash`. */
export class TreeBuilder {
  readonly store: TreeStore;
  readonly incomplete: number[] = [];
  readonly oddities = new OddityList();
  private readonly walk: TreeWalk;
  /** Directories by the paths in the entries. */
  private readonly folders = new FolderCache<Directory>();

  /**
   * @param layers  that will be applied
   * @param lost    called when an inode loses its last name, with that name
   * @param named   called for each entry that has a name when it is applied: its index in the layer, and the name
   */
  constructor(
    layers: readonly (EntryTable | null)[],
    lost: ((id: number) => void) | null = null,
    private readonly named: ((index: number, id: number) => void) | null = null,
  ) {
    const entries = layers.reduce((sum, table) => sum + (table?.count ?? 0), 0);
    this.store = new TreeStore(entries, lost);
    this.walk = new TreeWalk(this.store, [this.folders], (id, path) => {
      this.odd('parent-replaced', path);
      this.remove(id);
    });
  }

  /** @param table  null for a layer whose entries are not known */
  apply(table: EntryTable | null): void {
    const { store } = this;
    store.tables.push(table);
    if (table === null || table.truncated !== null) this.incomplete.push(store.layer);
    if (table === null) return;
    const hidden = maybeHidden(table);
    this.walk.startLayer();
    this.applyWhiteouts(table, hidden);
    const names = new WrittenPaths(table, store.columns.addSource(table));
    for (let index = 0, next = 0; index < table.count; index++) {
      if (index === hidden[next]) {
        next++;
        if (isWhiteout(rootedPath(nameAt(table, index)))) continue;
      }
      if (names.read(index)) this.add(table, index, names.folder, names);
      else this.addOdd(table, index);
    }
  }

  /** Every name but the root's, in the order of the tree. */
  finish(): Int32Array {
    const { store } = this;
    const { columns } = store;
    const order = columns.sorted();
    for (const id of order) {
      if (!store.is(id, 'symlink')) continue;
      const path = columns.path(id);
      if (leavesRoot(path, store.target(id)))
        this.oddities.add('link-leaves-root', columns.rows.layer[id]!, path);
    }
    return order;
  }

  private odd(kind: OddityKind, path: string): void {
    this.oddities.add(kind, this.store.layer, path);
  }

  private oddEntry(kind: OddityKind, table: EntryTable, index: number): void {
    this.odd(kind, rootedPath(nameAt(table, index)));
  }

  private applyWhiteouts(table: EntryTable, hidden: readonly number[]): void {
    const opaque: string[] = [];
    for (const index of hidden) {
      const path = rootedPath(nameAt(table, index));
      if (!isWhiteout(path)) continue;
      const [directory, base] = split(path);
      if (base === WHITEOUT && directory !== '') {
        this.odd('whiteout-of-directory', path);
        opaque.push(directory);
      } else if (base === OPAQUE_WHITEOUT) opaque.push(directory);
      else if (!base.startsWith(WHITEOUT_META))
        this.whiteout(table, path, directory, base.slice(WHITEOUT.length));
    }
    for (const path of opaque) {
      const directory = this.walk.lower(table, path);
      const { first } = this.store.columns.rows;
      while (directory !== NONE && first[directory] !== NONE) this.remove(first[directory]!);
    }
  }

  private whiteout(table: EntryTable, path: string, directory: string, hidden: string): void {
    const isName = hidden !== '' && hidden !== '.' && hidden !== '..';
    const parent = isName ? this.walk.lower(table, directory) : NONE;
    const target = parent === NONE ? NONE : this.store.child(parent, hidden);
    if (!isName) this.odd('whiteout-invalid', path);
    else if (target === NONE)
      this.odd(this.walk.isSpent ? 'too-many-directories' : 'whiteout-of-nothing', path);
    else this.remove(target);
  }

  /** An entry whose path does not end in a name. */
  private addOdd(table: EntryTable, index: number): void {
    const path = rootedPath(nameAt(table, index));
    const [directory, base] = split(path);
    if (path !== '') this.add(table, index, directory, this.store.columns.kept(base));
    else if (typeAt(table, index) === 'directory') this.setEntry(ROOT, index);
    else this.odd('root-replaced', path);
  }

  /** @param written  the directory, as the entry writes it */
  private add(table: EntryTable, index: number, written: string, name: NameBytes): void {
    const { store } = this;
    const { columns } = store;
    const type = typeAt(table, index);
    const folder = this.folders.get(written) ?? this.folderAt(written);
    if (folder === null) {
      this.oddEntry('too-many-directories', table, index);
      return;
    }
    if (type === 'other') this.oddEntry('unknown-type', table, index);
    const old = columns.child(folder.id, name);
    if (old !== NONE && this.isOwn(old)) this.oddEntry('duplicate-name', table, index);
    const linked = type === 'hardlink' ? this.linked(table, index) : NONE;
    if (linked !== NONE && store.is(linked, 'file')) store.noteLink(linked, index);
    if (old !== NONE) {
      if (columns.rows.inode[old] === linked) {
        columns.rows.layer[old] = store.layer;
        this.named?.(index, old);
        return;
      }
      if (type === 'directory' && store.is(old, 'directory')) {
        this.setEntry(old, index);
        return;
      }
      this.remove(old);
    }
    const id =
      linked === NONE ? store.add(folder.id, name, type, index) : store.addLink(folder.id, name, linked);
    this.named?.(index, id);
    // If the path occurs as it is in the bytes that were read, it need not be built again.
    if (folder.tail !== null && name.source > 0) columns.rows.tail[id] = folder.tail + name.end - name.start;
  }

  private setEntry(id: number, index: number): void {
    this.store.setEntry(id, index);
    this.named?.(index, id);
  }

  /** The inode that a hard link refers to; `NONE` if the target does not exist or cannot have another name. */
  private linked(table: EntryTable, index: number): number {
    const { store } = this;
    const [directory, base] = split(rootedPath(targetAt(table, index)));
    const parent = this.walk.find(directory);
    const found = parent === NONE ? NONE : store.child(parent, base);
    if (found !== NONE && !store.is(found, 'directory')) return store.columns.rows.inode[found]!;
    this.oddEntry(this.walk.isSpent ? 'too-many-directories' : 'hard-link-to-nothing', table, index);
    return NONE;
  }

  /** True if the layer that is being applied has an entry for it. */
  private isOwn(id: number): boolean {
    const { layer, index, inode } = this.store.columns.rows;
    return layer[id] === this.store.layer && index[inode[id]!]! >= 0;
  }

  private folderAt(written: string): Directory | null {
    const id = this.walk.make(rootedPath(written));
    if (id === NONE) return null;
    const path = this.store.columns.path(id);
    const length = path === '' ? 0 : path.length + 1;
    const folder = { id, tail: written.endsWith(path) ? length : null };
    this.folders.set(written, folder);
    return folder;
  }

  private remove(id: number): void {
    if (this.store.is(id, 'directory') || this.store.is(id, 'symlink')) this.walk.removed(id);
    this.store.remove(id);
  }
}

function split(path: string): [directory: string, base: string] {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? ['', path] : [path.slice(0, slash), path.slice(slash + 1)];
}
