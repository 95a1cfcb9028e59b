import type { Entry } from '../scan/entry.js';
import { rootedPath } from '../scan/entry-name.js';

/** What things take on disk, in bytes. */
export interface Measure {
  file(size: number): number;
  symlink(targetLength: number): number;
  /** @param names  bytes of each name in it */
  directory(names: Iterable<number>): number;
}

/** An inode that is no directory: hard links are one leaf under several names. */
interface Leaf {
  readonly kind: 'leaf';
  readonly bytes: number;
  /** Names that it has in the tree. */
  links: number;
  /** Where a symbolic link points; null for anything else. */
  readonly target: string | null;
}

interface Directory {
  readonly kind: 'directory';
  /** The root's is itself. */
  parent: Directory;
  readonly children: Map<string, Leaf | Directory>;
}

/** Linux follows no more links than this on the way to one file. https://man7.org/linux/man-pages/man7/path_resolution.7.html */
const HOPS = 40;
/** Linux takes no longer path, with the NUL that ends it, and no longer name in one. */
const PATH_MAX = 4096;
const NAME_MAX = 255;
/** Directories that no entry names, and links followed: more of either has no honest use, and costs memory and time. */
const IMPLIED_CAP = 300_000;
const FOLLOWED_CAP = 10_000_000;

/**
 * What unpacking one layer into an empty directory leaves there, entry by entry, as moby unpacks for overlay2: whiteouts
 * become devices, an entry replaces what has its name but a directory another directory, missing parents are made, links
 * on the way are followed inside the root. moby go-archive archive.go (Unpack), archive_linux.go (ConvertRead)
 */
export class LayerTree {
  private readonly root = newDirectory(null);
  private leafBytes = 0;
  private implied = 0;
  private followed = 0;
  /** The directory of the last entry, which is mostly the next one's too. */
  private last: { readonly path: string; readonly directory: Directory } | null = null;

  constructor(private readonly measure: Measure) {}

  /** @returns why Docker refuses the layer for this entry, which is then left out; null where it does not */
  add(entry: Entry): string | null {
    const path = rootedPath(entry.name);
    if (path === '') return null;
    if (isTooLong(path)) return 'a name is longer than Linux takes';
    const slash = path.lastIndexOf('/');
    const base = path.slice(slash + 1);
    const parent = this.directoryFor(path.slice(0, Math.max(0, slash)));
    if (parent === null) return 'an entry lies below what is no directory';
    const isMerged = entry.type === 'directory' && parent.children.get(base)?.kind === 'directory';
    if (!isMerged) this.remove(parent, base);
    return base.startsWith(WHITEOUT)
      ? this.addWhiteout(parent, base.slice(WHITEOUT.length))
      : this.create(parent, base, entry);
  }

  /** Bytes of all that is there, each inode once, the root included. */
  bytes(): number {
    let sum = this.leafBytes;
    const todo = [this.root];
    for (let directory = todo.pop(); directory !== undefined; directory = todo.pop()) {
      sum += this.measure.directory(nameLengths(directory));
      for (const child of directory.children.values()) if (child.kind === 'directory') todo.push(child);
    }
    return sum;
  }

  private create(parent: Directory, base: string, entry: Entry): string | null {
    const { type } = entry;
    const target = entry.target ?? '';
    const unknown = unknownType(entry);
    if (unknown !== null) return unknown;
    if (type === 'hardlink') return this.addHardLink(parent, base, target);
    if (type === 'symlink') {
      if (target === '' || target.length >= PATH_MAX) return 'a symbolic link has no target that Linux takes';
      this.addLeaf(parent, base, this.measure.symlink(target.length), target);
    } else if (type === 'file') this.addLeaf(parent, base, this.measure.file(entry.size));
    else if (type !== 'directory') this.addLeaf(parent, base, 0);
    else if (!parent.children.has(base)) parent.children.set(base, newDirectory(parent));
    return null;
  }

  private addLeaf(parent: Directory, base: string, bytes: number, target: string | null = null): void {
    this.leafBytes += bytes;
    parent.children.set(base, { kind: 'leaf', bytes, links: 1, target });
  }

  private addHardLink(parent: Directory, base: string, target: string): string | null {
    const path = rootedPath(target);
    const slash = path.lastIndexOf('/');
    const found = this.lookUp(path.slice(0, Math.max(0, slash)))?.children.get(path.slice(slash + 1));
    if (found?.kind !== 'leaf') return 'a hard link points at what is no file of the layer';
    found.links++;
    parent.children.set(base, found);
    return null;
  }

  /** An opaque directory's marker is an attribute of the directory. */
  private addWhiteout(parent: Directory, hidden: string): string | null {
    if (hidden === OPAQUE) return null;
    const isTaken = ['', '.', '..'].includes(hidden) || parent.children.has(hidden);
    if (isTaken) return 'a whiteout stands where the layer has a file';
    this.addLeaf(parent, hidden, 0);
    return null;
  }

  private remove(parent: Directory, base: string): void {
    const old = parent.children.get(base);
    if (old === undefined) return;
    parent.children.delete(base);
    this.last = null;
    const todo = [old];
    for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
      if (node.kind === 'directory') for (const child of node.children.values()) todo.push(child);
      else if (--node.links === 0) this.leafBytes -= node.bytes;
    }
  }

  /** The directory at a path, made with all above it where it is missing; null where something else is in the way. */
  private directoryFor(path: string): Directory | null {
    if (this.last?.path === path) return this.last.directory;
    const directory = this.lookUp(path, true);
    if (directory !== null) this.last = { path, directory };
    return directory;
  }

  private lookUp(path: string, make = false): Directory | null {
    return this.walk(this.root, path, make, { hops: 0 });
  }

  private walk(from: Directory, path: string, make: boolean, way: { hops: number }): Directory | null {
    let at: Directory | null = path.startsWith('/') ? this.root : from;
    for (const segment of path.split('/')) {
      if (segment === '' || segment === '.') continue;
      const next: Leaf | Directory | undefined = segment === '..' ? at.parent : at.children.get(segment);
      if (next === undefined) at = make ? this.makeDirectory(at, segment) : null;
      else at = next.kind === 'directory' ? next : this.follow(at, next, way);
      if (at === null) return null;
    }
    return at;
  }

  private follow(from: Directory, { target }: Leaf, way: { hops: number }): Directory | null {
    if (target === null || ++way.hops > HOPS) return null;
    this.followed += target.length;
    return this.followed > FOLLOWED_CAP ? null : this.walk(from, target, false, way);
  }

  private makeDirectory(parent: Directory, name: string): Directory | null {
    if (++this.implied > IMPLIED_CAP) return null;
    const directory = newDirectory(parent);
    parent.children.set(name, directory);
    return directory;
  }
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..opq';

/** Why Docker refuses an entry for its type: contiguous and old GNU sparse files are files to tar, and nothing to Docker. */
export function unknownType({ type, flag }: Pick<Entry, 'type' | 'flag'>): string | null {
  const isKnown = type === 'file' ? flag === '0' : type !== 'other';
  return isKnown ? null : `an entry is of a type that Docker does not unpack (${JSON.stringify(flag)})`;
}

function isTooLong(path: string): boolean {
  if (path.length <= NAME_MAX) return false;
  return path.length + 1 >= PATH_MAX || path.split('/').some(segment => segment.length > NAME_MAX);
}

function newDirectory(parent: Directory | null): Directory {
  const directory: { kind: 'directory'; parent: Directory | null; children: Directory['children'] } = {
    kind: 'directory',
    parent,
    children: new Map(),
  };
  directory.parent ??= directory as Directory;
  return directory as Directory;
}

function* nameLengths({ children }: Directory): Generator<number> {
  for (const name of children.keys()) yield name.length;
}
