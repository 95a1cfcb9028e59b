import { nameAt, targetAt, typeAt } from '../scan/entry.js';
import { rootedPath } from '../scan/entry-name.js';
import type { EntryTable } from '../scan/entry-table.js';
import type { OddityKind } from './file-tree.js';
import { FolderCache } from './folder-cache.js';
import { OddityList } from './oddities.js';
import { type NameBytes, NONE, ROOT } from './tree-columns.js';
import { leavesRoot } from './tree-path.js';
import { TreeStore } from './tree-store.js';
import { TreeWalk } from './tree-walk.js';
import { hiddenPart, maybeHidden, OPAQUE, WHITEOUT, WHITEOUT_META } from './whiteout.js';
import { WrittenPaths } from './written-path.js';

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
  private readonly walk: TreeWalk;
  /** Where the folders of entries are, by how entries write them. */
  private readonly folders = new FolderCache<Folder>();

  /**
   * @param layers  that will be applied
   * @param lost    is told of the last name of anything, when that goes
   * @param named   is told of each entry that has a name when it is applied: its index in the layer, and the name
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
    else if (typeAt(table, index) === 'directory') this.setEntry(ROOT, index);
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
    // A path that stands as such in what was read need not be put together again.
    if (folder.tail !== null && name.source > 0) columns.rows.tail[id] = folder.tail + name.end - name.start;
  }

  private setEntry(id: number, index: number): void {
    this.store.setEntry(id, index);
    this.named?.(index, id);
  }

  /** What a hard link is a further name of; `NONE` where it leads to nothing that can have one. */
  private linked(table: EntryTable, index: number): number {
    const { store } = this;
    const [directory, base] = split(rootedPath(targetAt(table, index)));
    const parent = this.walk.find(directory);
    const found = parent === NONE ? NONE : store.child(parent, base);
    if (found !== NONE && !store.is(found, 'directory')) return store.columns.rows.inode[found]!;
    this.oddEntry(this.walk.isSpent ? 'too-many-directories' : 'hard-link-to-nothing', table, index);
    return NONE;
  }

  /** Whether the layer that is being applied has an entry for it. */
  private isOwn(id: number): boolean {
    const { layer, index, inode } = this.store.columns.rows;
    return layer[id] === this.store.layer && index[inode[id]!]! >= 0;
  }

  private folderAt(written: string): Folder | null {
    const id = this.walk.make(rootedPath(written));
    if (id === NONE) return null;
    const path = this.store.columns.path(id);
    const length = path === '' ? 0 : path.length + 1;
    const folder = { id, tail: written.endsWith(path) ? length : null };
    this.folders.set(written, folder);
    return folder;
  }

  private removeAt(path: string): void {
    const [directory, base] = split(path);
    const parent = this.walk.find(directory);
    const found = parent === NONE ? NONE : this.store.child(parent, base);
    if (found !== NONE) this.remove(found);
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
