import { rootedPath } from '../scan/entries/name.js';
import { type EntryTable, nameAt, targetAt, typeAt } from '../scan/entries/table.js';
import { OPAQUE_HIDDEN, WHITEOUT } from '../spec/whiteout.js';
import { textOf } from '../tar/entry.js';
import { type NameBytes, NONE, ROOT, TreeColumns, WrittenPaths } from './tree-columns.js';
import type { UnloadableKind } from './unloadable.js';

/** Measures sizes on disk, in bytes. */
export interface Measure {
  file(size: number): number;
  symlink(targetLength: number): number;
  /** @param names  length of each name in the directory, in bytes */
  directory(names: Iterable<number>): number;
}

/**
 * Linux follows at most this many links to resolve one path.
 * https://man7.org/linux/man-pages/man7/path_resolution.7.html
 */
const HOPS = 40;
/** Linux limits on the length of a path, including the NUL at its end, and of one name, in bytes. */
const PATH_MAX = 4096;
const NAME_MAX = 255;
/**
 * Cap on directories that no entry names, and on links that are followed. Real layers have fewer; more would only cost
 * memory and time.
 */
const IMPLIED_CAP = 300_000;
const FOLLOWED_CAP = 10_000_000;

/** Types of names in the columns; 0 for any other type. */
const DIRECTORY = 1;

/** Why Docker refuses a layer because of an entry: the arguments of `refusalText`. */
export interface LayerRefusal {
  readonly kind: UnloadableKind;
  readonly path: string;
  readonly other: string;
}

/**
 * Models unpacking one layer into an empty directory, entry by entry, as moby does for overlay2: a whiteout becomes a
 * device, an entry replaces the one of its name (except a directory another directory), missing parents are created,
 * links on the way are followed inside the root. moby go-archive archive.go (Unpack), archive_linux.go (ConvertRead)
 */
export class LayerTree {
  private readonly columns: TreeColumns;
  private readonly paths: WrittenPaths;
  private leafBytes = 0;
  private implied = 0;
  private followed = 0;
  /** Directories by the paths in the entries; cleared when a directory or a link is removed. */
  private readonly folders = new Map<string, number>();

  constructor(
    private readonly table: EntryTable,
    private readonly measure: Measure,
  ) {
    this.columns = new TreeColumns(table.count);
    this.newDirectory(NONE, this.columns.named(''));
    this.paths = new WrittenPaths(table, this.columns.addSource(table));
  }

  /** @returns why Docker refuses the layer because of this entry, which is then left out; null if Docker accepts it */
  add(index: number): LayerRefusal | null {
    const { table, paths, columns } = this;
    if (table.nameLengths[index]! > NAME_MAX && isTooLong(rootedPath(nameAt(table, index))))
      return this.refusal('name-too-long', index);
    if (paths.read(index)) return this.unpack(index, paths.folder, paths);
    const path = rootedPath(nameAt(table, index));
    if (path === '') return null;
    const slash = path.lastIndexOf('/');
    return this.unpack(index, path.slice(0, Math.max(0, slash)), columns.kept(path.slice(slash + 1)));
  }

  /** Total size, in bytes: each inode once, including the root. */
  bytes(): number {
    const { columns, measure } = this;
    const { isGone, type, length } = columns.rows;
    let sum = this.leafBytes;
    for (let id = 0; id < columns.count; id++)
      if (type[id] === DIRECTORY && isGone[id] === 0)
        sum += measure.directory(columns.children(id).map(child => length[child]!));
    return sum;
  }

  private refusal(kind: UnloadableKind, index: number, other = ''): LayerRefusal {
    return { kind, path: textOf(rootedPath(nameAt(this.table, index))), other: textOf(other) };
  }

  private unpack(index: number, written: string, name: NameBytes): LayerRefusal | null {
    const { columns } = this;
    const parent = this.folders.get(written) ?? this.folderAt(written);
    if (parent === NONE) return this.refusal('folder-is-none', index);
    const old = columns.child(parent, name);
    const isMerged = old !== NONE && this.isDirectory(old) && typeAt(this.table, index) === 'directory';
    if (old !== NONE && !isMerged) this.remove(old);
    if (!columns.beginsWith(name, WHITEOUT)) return this.create(parent, name, index);
    return this.addWhiteout(parent, columns.text(name).slice(WHITEOUT.length), index);
  }

  private create(parent: number, name: NameBytes, index: number): LayerRefusal | null {
    const { table } = this;
    const type = typeAt(table, index);
    const unknown = unknownType(table, index);
    if (unknown !== null) return unknown;
    if (type === 'hardlink') return this.addHardLink(parent, name, index);
    if (type === 'symlink') {
      const { length } = targetAt(table, index);
      if (length === 0 || length >= PATH_MAX) return this.refusal('link-without-target', index);
    }
    if (type !== 'directory') this.addLeaf(parent, name, index);
    else if (this.columns.child(parent, name) === NONE) this.newDirectory(parent, name);
    return null;
  }

  /** @param index  of its entry; -1 for a whiteout */
  private addLeaf(parent: number, name: NameBytes, index: number): void {
    const id = this.columns.add(parent, name);
    const { rows } = this.columns;
    rows.inode[id] = id;
    rows.index[id] = index;
    rows.links[id] = 1;
    this.leafBytes += this.leafSize(index);
  }

  private leafSize(index: number): number {
    const { table, measure } = this;
    const type = index < 0 ? 'char' : typeAt(table, index);
    if (type === 'symlink') return measure.symlink(targetAt(table, index).length);
    return type === 'file' ? measure.file(table.sizes[index]!) : 0;
  }

  private addHardLink(parent: number, name: NameBytes, index: number): LayerRefusal | null {
    const { columns, table } = this;
    const target = targetAt(table, index);
    const path = rootedPath(target);
    const slash = path.lastIndexOf('/');
    const folder = this.lookUp(path.slice(0, Math.max(0, slash)));
    const found = folder === NONE ? NONE : this.child(folder, path.slice(slash + 1));
    if (found === NONE) return this.refusal('hard-link-out-of-layer', index, target);
    if (this.isDirectory(found)) return this.refusal('hard-link-to-directory', index, target);
    const id = columns.add(parent, name);
    columns.rows.inode[id] = columns.rows.inode[found]!;
    columns.rows.links[columns.rows.inode[found]!]!++;
    return null;
  }

  /** The marker of an opaque directory becomes an attribute of the directory. */
  private addWhiteout(parent: number, hidden: string, index: number): LayerRefusal | null {
    if (hidden === OPAQUE_HIDDEN) return null;
    if (hidden === '') return this.refusal('whiteout-without-name', index);
    if (hidden === '.' || hidden === '..') return this.refusal('whiteout-of-dots', index);
    if (this.child(parent, hidden) !== NONE) return this.refusal('whiteout-of-own', index, hidden);
    this.addLeaf(parent, this.columns.named(hidden), -1);
    return null;
  }

  private child(parent: number, name: string): number {
    return this.columns.child(parent, this.columns.named(name));
  }

  private isDirectory(id: number): boolean {
    return this.columns.rows.type[id] === DIRECTORY;
  }

  private remove(id: number): void {
    const { columns } = this;
    const { rows } = columns;
    if (this.isDirectory(id) || this.targetOf(id) !== null) this.folders.clear();
    columns.remove(id);
    const todo = [id];
    for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
      rows.isGone[at] = 1;
      if (this.isDirectory(at)) for (const child of columns.children(at)) todo.push(child);
      else if (--rows.links[rows.inode[at]!]! === 0)
        this.leafBytes -= this.leafSize(rows.index[rows.inode[at]!]!);
    }
  }

  private folderAt(written: string): number {
    const id = this.lookUp(rootedPath(written), true);
    if (id !== NONE) this.folders.set(written, id);
    return id;
  }

  private lookUp(path: string, make = false): number {
    return this.walk(ROOT, path, make, { hops: 0 });
  }

  private walk(from: number, path: string, make: boolean, way: { hops: number }): number {
    let at = path.startsWith('/') ? ROOT : from;
    for (const segment of path.split('/')) {
      if (segment === '' || segment === '.') continue;
      if (segment === '..') at = Math.max(ROOT, this.columns.rows.parent[at]!);
      else {
        const next = this.child(at, segment);
        if (next === NONE) at = make ? this.makeDirectory(at, segment) : NONE;
        else at = this.isDirectory(next) ? next : this.follow(at, next, way);
      }
      if (at === NONE) return NONE;
    }
    return at;
  }

  private follow(from: number, link: number, way: { hops: number }): number {
    const target = this.targetOf(link);
    if (target === null || ++way.hops > HOPS) return NONE;
    this.followed += target.length;
    return this.followed > FOLLOWED_CAP ? NONE : this.walk(from, target, false, way);
  }

  /** Target of a symbolic link; null for any other type. */
  private targetOf(id: number): string | null {
    const { inode, index } = this.columns.rows;
    const entry = index[inode[id]!]!;
    return entry >= 0 && typeAt(this.table, entry) === 'symlink' ? targetAt(this.table, entry) : null;
  }

  private makeDirectory(parent: number, name: string): number {
    return ++this.implied > IMPLIED_CAP ? NONE : this.newDirectory(parent, this.columns.named(name));
  }

  private newDirectory(parent: number, name: NameBytes): number {
    const id = this.columns.add(parent, name);
    this.columns.rows.type[id] = DIRECTORY;
    return id;
  }
}

/** Why Docker refuses an entry for its type: contiguous and old GNU sparse files are files to tar, and nothing to Docker. */
export function unknownType(table: EntryTable, index: number): LayerRefusal | null {
  const type = typeAt(table, index);
  const isKnown = type === 'file' ? table.flags[index] === REGULAR : type !== 'other';
  if (isKnown) return null;
  const other = String.fromCharCode(table.flags[index]!);
  return { kind: 'unknown-type', path: textOf(rootedPath(nameAt(table, index))), other };
}

const REGULAR = '0'.charCodeAt(0);

function isTooLong(path: string): boolean {
  if (path.length <= NAME_MAX) return false;
  return path.length + 1 >= PATH_MAX || path.split('/').some(segment => segment.length > NAME_MAX);
}
