import { nameAt, targetAt, typeAt } from '../scan/entry.js';
import { rootedPath } from '../scan/entry-name.js';
import type { EntryTable } from '../scan/entry-table.js';
import { OddityList } from './oddities.js';
import { Inode, Name } from './tree-name.js';
import { HOPS, PATH_MAX } from './tree-path.js';
import { hiddenPart, mayHaveWhiteouts, OPAQUE, WHITEOUT, WHITEOUT_META } from './whiteout.js';

/**
 * Bytes of the paths of directories that no entry names. Honest layers have next to none; a hostile name of a megabyte
 * would make half a million of them, each with a path of its own.
 */
const IMPLIED_BYTES = 64 * 1024 * 1024;
/** Bytes of link targets followed: links upon links for each of a million entries have no honest use. */
const FOLLOWED_BYTES = 64 * 1024 * 1024;

/** A file system to which layers are applied, one after the other. `squash` says by what rules. */
export class TreeBuilder {
  readonly root = new Name('', null, new Inode('directory', null, -1, 0), 0);
  readonly incomplete: number[] = [];
  readonly oddities = new OddityList();
  private layer = -1;
  private impliedBytes = 0;
  private followedBytes = 0;
  /** The directory of the last entry, which is mostly the next one's too. */
  private last: { readonly path: string; readonly directory: Name } | null = null;

  /** @param lost  is told of the last name of anything, when that goes */
  constructor(private readonly lost: ((name: Name) => void) | null = null) {}

  /** @param table  null for a layer whose entries are not known */
  apply(table: EntryTable | null): void {
    this.layer++;
    this.last = null;
    if (table === null || table.truncated !== null) this.incomplete.push(this.layer);
    if (table === null) return;
    if (mayHaveWhiteouts(table)) this.applyWhiteouts(table);
    const passing = new Set<string>();
    for (let index = 0; index < table.count; index++) {
      const path = rootedPath(nameAt(table, index));
      const hidden = hiddenPart(path);
      if (hidden === path) continue;
      if (hidden !== null) {
        passing.add(hidden);
        if (!split(hidden)[1].startsWith(WHITEOUT_META)) this.odd('below-whiteout', path);
      }
      this.add(table, index, path);
    }
    for (const path of passing) this.removeAt(path);
  }

  /** Every name but the root's, in the order of the tree. */
  finish(): Name[] {
    const nodes: Name[] = [];
    const todo = [this.root];
    for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
      if (node !== this.root) {
        nodes.push(node);
        if (node.inode.type === 'symlink' && leavesRoot(node.path, node.entry.target ?? ''))
          this.oddities.add('link-leaves-root', node.layer, node.path);
      }
      if (node.children === null) continue;
      const names = [...node.children.keys()].sort();
      for (let i = names.length; i-- > 0; ) todo.push(node.children.get(names[i]!)!);
    }
    return nodes;
  }

  private odd(kind: Parameters<OddityList['add']>[0], path: string): void {
    this.oddities.add(kind, this.layer, path);
  }

  private applyWhiteouts(table: EntryTable): void {
    const opaque: string[] = [];
    for (let index = 0; index < table.count; index++) {
      const path = rootedPath(nameAt(table, index));
      if (hiddenPart(path) !== path) continue;
      const [directory, base] = split(path);
      if (base === OPAQUE) opaque.push(directory);
      else if (!base.startsWith(WHITEOUT_META))
        this.whiteout(table, path, directory, base.slice(WHITEOUT.length));
    }
    for (const path of opaque) {
      const directory = this.lower(table, path);
      for (const child of directory?.children?.values() ?? []) this.remove(child);
    }
  }

  private whiteout(table: EntryTable, path: string, directory: string, hidden: string): void {
    const isName = hidden !== '' && hidden !== '.' && hidden !== '..';
    const target = isName ? this.lower(table, directory)?.children?.get(hidden) : undefined;
    if (!isName) this.odd('whiteout-invalid', path);
    else if (target === undefined) this.odd('whiteout-of-nothing', path);
    else this.remove(target);
  }

  /**
   * The directory of lower layers that a whiteout is about. A link on the way is followed, unless this layer puts something
   * else in its place: below that is nothing yet that could be hidden.
   */
  private lower(table: EntryTable, path: string): Name | null {
    let at = this.root;
    let done = '';
    for (const segment of path === '' ? [] : path.split('/')) {
      const child = at.children?.get(segment);
      if (child === undefined) return null;
      done = done === '' ? segment : `${done}/${segment}`;
      const isReplaced = child.inode.type === 'symlink' && namesOf(table).has(done);
      const next = isReplaced ? null : this.directory(child, false);
      if (next === null) return null;
      at = next;
    }
    return at;
  }

  private add(table: EntryTable, index: number, path: string): void {
    const type = typeAt(table, index);
    if (path === '') {
      if (type === 'directory') this.root.replace(new Inode(type, table, index, this.layer), this.layer);
      else this.odd('root-replaced', path);
      return;
    }
    const [directory, base] = split(path);
    const parent = this.parentFor(directory);
    if (parent === null) {
      this.odd('too-many-directories', path);
      return;
    }
    if (type === 'other') this.odd('unknown-type', path);
    const old = parent.children!.get(base);
    if (old?.layer === this.layer && old.inode.index >= 0) this.odd('duplicate-name', path);
    const inode = this.inodeFor(table, index, path);
    if (old !== undefined && (old.inode === inode || (old.children !== null && type === 'directory'))) {
      old.replace(inode, this.layer);
      return;
    }
    if (old !== undefined) this.remove(old);
    // Mostly no link was followed, and the path is as it was written: one string less for each file.
    const real = parent.path === directory ? path : pathIn(parent, base);
    parent.children!.set(base, new Name(real, parent, inode, this.layer));
  }

  private inodeFor(table: EntryTable, index: number, path: string): Inode {
    const type = typeAt(table, index);
    if (type === 'hardlink') {
      const [directory, base] = split(rootedPath(targetAt(table, index)));
      const found = this.resolve(this.root, directory, false, { hops: 0 })?.children?.get(base);
      if (found !== undefined && found.children === null) return found.inode;
      this.odd('hard-link-to-nothing', path);
    }
    return new Inode(type, table, index, this.layer);
  }

  /** The directory at a path, made with all above it where it is missing. What is in the way gives way. */
  private parentFor(path: string): Name | null {
    if (this.last?.path === path) return this.last.directory;
    let at = this.root;
    let length = 0;
    for (const segment of path === '' ? [] : path.split('/')) {
      length += segment.length + 1;
      let child = at.children!.get(segment);
      let next = child === undefined ? null : this.directory(child, true);
      if (next === null) {
        if (child !== undefined) {
          this.odd('parent-replaced', path);
          this.remove(child);
        }
        next = this.makeDirectory(at, segment, length);
        if (next === null) return null;
        child = next;
      }
      at = next;
    }
    this.last = { path, directory: at };
    return at;
  }

  /** The directory that a name is or, as a link, leads to. */
  private directory(name: Name, make: boolean, way = { hops: 0 }): Name | null {
    if (name.children !== null) return name;
    if (name.inode.type !== 'symlink') return null;
    const target = name.entry.target ?? '';
    this.followedBytes += target.length;
    if (++way.hops > HOPS || target.length >= PATH_MAX || this.followedBytes > FOLLOWED_BYTES) return null;
    return this.resolve(target.startsWith('/') ? this.root : name.parent!, target, make, way);
  }

  private resolve(from: Name, path: string, make: boolean, way: { hops: number }): Name | null {
    let at = from;
    for (const segment of path.split('/')) {
      if (segment === '' || segment === '.') continue;
      let next: Name | null;
      if (segment === '..') next = at.parent ?? at;
      else {
        const child = at.children!.get(segment);
        if (child !== undefined) next = this.directory(child, make, way);
        else next = make ? this.makeDirectory(at, segment, path.length) : null;
      }
      if (next === null) return null;
      at = next;
    }
    return at;
  }

  private makeDirectory(parent: Name, name: string, pathLength: number): Name | null {
    this.impliedBytes += pathLength;
    if (this.impliedBytes > IMPLIED_BYTES) return null;
    const inode = new Inode('directory', null, -1, this.layer);
    const directory = new Name(pathIn(parent, name), parent, inode, this.layer);
    parent.children!.set(name, directory);
    return directory;
  }

  private removeAt(path: string): void {
    const [directory, base] = split(path);
    const found = this.resolve(this.root, directory, false, { hops: 0 })?.children?.get(base);
    if (found !== undefined) this.remove(found);
  }

  private remove(name: Name): void {
    this.last = null;
    name.parent!.children!.delete(split(name.path)[1]);
    const todo = [name];
    for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
      node.unlink();
      if (node.inode.links === 0) this.lost?.(node);
      if (node.children !== null) for (const child of node.children.values()) todo.push(child);
    }
  }
}

function split(path: string): [directory: string, base: string] {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? ['', path] : [path.slice(0, slash), path.slice(slash + 1)];
}

const pathIn = ({ path }: Name, name: string) => (path === '' ? name : `${path}/${name}`);

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

/** Whether a link climbs above the root, where a process in the image would be stopped, and one outside would not. */
function leavesRoot(path: string, target: string): boolean {
  if (!target.includes('..')) return false;
  let depth = target.startsWith('/') ? 0 : path.split('/').length - 1;
  for (const segment of target.split('/')) {
    if (segment === '..') depth--;
    else if (segment !== '' && segment !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}
