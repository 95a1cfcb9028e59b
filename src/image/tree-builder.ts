import { nameAt, targetAt, typeAt } from '../scan/entry.js';
import { rootedPath } from '../scan/entry-name.js';
import type { EntryTable } from '../scan/entry-table.js';
import type { OddityKind } from './file-tree.js';
import { OddityList } from './oddities.js';
import { type NameBytes, NONE, ROOT } from './tree-columns.js';
import { HOPS, leavesRoot, PATH_MAX } from './tree-path.js';
import { TreeStore } from './tree-store.js';
import { hiddenPart, maybeHidden, OPAQUE, WHITEOUT, WHITEOUT_META } from './whiteout.js';
import { WrittenPaths } from './written-path.js';

/**
 * Bytes of the paths of directories that no entry names. Honest layers have next to none; a hostile name of a megabyte
 * would make half a million of them, each with a path of its own.
 */
const IMPLIED_BYTES = 64 * 1024 * 1024;
/** Bytes of link targets followed: links upon links for each of a million entries have no honest use. */
const FOLLOWED_BYTES = 64 * 1024 * 1024;

/** The directory that a path leads to. */
interface Folder {
  readonly id: number;
  /** Length of its own path, with a slash at the end, where the written one ends in that; else null. */
  readonly tail: number | null;
}

/** Applies layers to a file system, one after the other. `squash` says by what rules. */
export class TreeBuilder {
  readonly store: TreeStore;
  readonly incomplete: number[] = [];
  readonly oddities = new OddityList();
  private impliedBytes = 0;
  private followedBytes = 0;
  /** Where the folders of entries are, by how entries write them, until a directory or a link goes. */
  private readonly folders = new Map<string, Folder>();

  /**
   * @param layers  that will be applied
   * @param lost    is told of the last name of anything, when that goes
   */
  constructor(layers: readonly (EntryTable | null)[], lost: ((id: number) => void) | null = null) {
    const entries = layers.reduce((sum, table) => sum + (table?.count ?? 0), 0);
    this.store = new TreeStore(entries, lost);
  }

  /** @param table  null for a layer whose entries are not known */
  apply(table: EntryTable | null): void {
    const { store } = this;
    store.tables.push(table);
    if (table === null || table.truncated !== null) this.incomplete.push(store.layer);
    if (table === null) return;
    const hidden = maybeHidden(table);
    this.applyWhiteouts(table, hidden);
    const names = new WrittenPaths(table, store.columns.addSource(table));
    const passing = new Set<string>();
    for (let index = 0, next = 0; index < table.count; index++) {
      if (index === hidden[next]) {
        next++;
        if (this.isHidden(table, index, passing)) continue;
      }
      if (names.read(index)) this.add(table, index, names.folder, names);
      else this.addOdd(table, index);
    }
    for (const path of passing) this.removeAt(path);
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
      if (hiddenPart(path) !== path) continue;
      const [directory, base] = split(path);
      if (base === WHITEOUT && directory !== '') {
        this.odd('whiteout-of-directory', path);
        opaque.push(directory);
      } else if (base === OPAQUE) opaque.push(directory);
      else if (!base.startsWith(WHITEOUT_META))
        this.whiteout(table, path, directory, base.slice(WHITEOUT.length));
    }
    for (const path of opaque) {
      const directory = this.lower(table, path);
      const { first } = this.store.columns.rows;
      while (directory !== NONE && first[directory] !== NONE) this.remove(first[directory]!);
    }
  }

  private whiteout(table: EntryTable, path: string, directory: string, hidden: string): void {
    const isName = hidden !== '' && hidden !== '.' && hidden !== '..';
    const parent = isName ? this.lower(table, directory) : NONE;
    const target = parent === NONE ? NONE : this.store.child(parent, hidden);
    if (!isName) this.odd('whiteout-invalid', path);
    else if (target === NONE) this.odd('whiteout-of-nothing', path);
    else this.remove(target);
  }

  /**
   * The directory of lower layers that a whiteout is about. A link on the way is followed, unless this layer puts something
   * else in its place: below that is nothing yet that could be hidden.
   */
  private lower(table: EntryTable, path: string): number {
    let at = ROOT;
    let done = '';
    for (const segment of path === '' ? [] : path.split('/')) {
      const child = this.store.child(at, segment);
      if (child === NONE) return NONE;
      done = done === '' ? segment : `${done}/${segment}`;
      const isReplaced = this.store.is(child, 'symlink') && namesOf(table).has(done);
      at = isReplaced ? NONE : this.directory(child, false);
      if (at === NONE) return NONE;
    }
    return at;
  }

  /** Whether an entry is a whiteout. What is below one passes away, once hard links may have been made to it. */
  private isHidden(table: EntryTable, index: number, passing: Set<string>): boolean {
    const path = rootedPath(nameAt(table, index));
    const hidden = hiddenPart(path);
    if (hidden === path) return true;
    if (hidden === null) return false;
    passing.add(hidden);
    if (!split(hidden)[1].startsWith(WHITEOUT_META)) this.odd('below-whiteout', path);
    return false;
  }

  /** An entry whose path does not end in a name. */
  private addOdd(table: EntryTable, index: number): void {
    const path = rootedPath(nameAt(table, index));
    const [directory, base] = split(path);
    if (path !== '') this.add(table, index, directory, this.store.columns.kept(base));
    else if (typeAt(table, index) === 'directory') this.store.setEntry(ROOT, index);
    else this.odd('root-replaced', path);
  }

  /** @param written  the folder, as the entry has it */
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
    if (old !== NONE) {
      if (columns.rows.inode[old] === linked) {
        columns.rows.layer[old] = store.layer;
        return;
      }
      if (type === 'directory' && store.is(old, 'directory')) {
        store.setEntry(old, index);
        return;
      }
      this.remove(old);
    }
    const id =
      linked === NONE ? store.add(folder.id, name, type, index) : store.addLink(folder.id, name, linked);
    // A path that stands as such in what was read need not be put together again.
    if (folder.tail !== null && name.source > 0) columns.rows.tail[id] = folder.tail + name.end - name.start;
  }

  /** What a hard link is a further name of; `NONE` where it leads to nothing that can have one. */
  private linked(table: EntryTable, index: number): number {
    const { store } = this;
    const [directory, base] = split(rootedPath(targetAt(table, index)));
    const parent = this.resolve(ROOT, directory, false, { hops: 0 });
    const found = parent === NONE ? NONE : store.child(parent, base);
    if (found !== NONE && !store.is(found, 'directory')) return store.columns.rows.inode[found]!;
    this.oddEntry('hard-link-to-nothing', table, index);
    return NONE;
  }

  /** Whether the layer that is being applied has an entry for it. */
  private isOwn(id: number): boolean {
    const { layer, index, inode } = this.store.columns.rows;
    return layer[id] === this.store.layer && index[inode[id]!]! >= 0;
  }

  private folderAt(written: string): Folder | null {
    const id = this.parentFor(rootedPath(written));
    if (id === NONE) return null;
    const path = this.store.columns.path(id);
    const length = path === '' ? 0 : path.length + 1;
    const folder = { id, tail: written.endsWith(path) ? length : null };
    this.folders.set(written, folder);
    return folder;
  }

  /** The directory at a path, made with all above it where it is missing. What is in the way gives way. */
  private parentFor(path: string): number {
    let at = ROOT;
    let length = 0;
    for (const segment of path === '' ? [] : path.split('/')) {
      length += segment.length + 1;
      const child = this.store.child(at, segment);
      let next = child === NONE ? NONE : this.directory(child, true);
      if (next === NONE) {
        if (child !== NONE) {
          this.odd('parent-replaced', path.slice(0, length - 1));
          this.remove(child);
        }
        next = this.makeDirectory(at, segment, length);
        if (next === NONE) return NONE;
      }
      at = next;
    }
    return at;
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
      const child = this.store.child(at, segment);
      if (child !== NONE) at = this.directory(child, make, way);
      else at = make ? this.makeDirectory(at, segment, path.length) : NONE;
      if (at === NONE) return NONE;
    }
    return at;
  }

  private makeDirectory(parent: number, name: string, pathLength: number): number {
    this.impliedBytes += pathLength;
    if (this.impliedBytes > IMPLIED_BYTES) return NONE;
    return this.store.add(parent, this.store.columns.named(name), 'directory', -1);
  }

  private removeAt(path: string): void {
    const [directory, base] = split(path);
    const parent = this.resolve(ROOT, directory, false, { hops: 0 });
    const found = parent === NONE ? NONE : this.store.child(parent, base);
    if (found !== NONE) this.remove(found);
  }

  private remove(id: number): void {
    if (this.store.is(id, 'directory') || this.store.is(id, 'symlink')) this.folders.clear();
    this.store.remove(id);
  }
}

function split(path: string): [directory: string, base: string] {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? ['', path] : [path.slice(0, slash), path.slice(slash + 1)];
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
