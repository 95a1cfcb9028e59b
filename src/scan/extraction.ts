import type { Member } from '../source/source.js';

/** Links that the kernel follows in one path. path_resolution(7) */
const HOPS = 40;
/** What Linux takes for a path, in bytes. */
const PATH_MAX = 4096;
/** Segments that the targets of links add to all paths together: many lookups through long chains end here. */
const DETOURS = 2_000_000;

/** What stands at a place of an extracted archive. Hard links are one node in several places. */
export interface Extracted<M extends Member> {
  /** The member that it came from, the last one of a directory; null for a directory that only names of others imply. */
  member: M | null;
  /** By name; null for what is no directory. */
  readonly children: Map<string, Extracted<M>> | null;
  readonly parent: Extracted<M> | null;
}

/** Why a member cannot be extracted. */
export type Unplaced = 'outside' | 'parent is no directory' | 'no target' | 'too long';

/**
 * The files that an extraction of an archive leaves, as moby's and containers/storage's archive.Untar make them: a member
 * takes the place of an earlier one of its path, unless both are directories; the folders of its path may be links, and a
 * hard link is the file that its target was when its turn came. Paths resolve as in the kernel. Nothing leads out of it.
 */
export class Extraction<M extends Member> {
  readonly root: Extracted<M> = { member: null, children: new Map(), parent: null };
  private detours = DETOURS;

  /** @param scoped  a link to `/` or above the top stays inside, as in a chroot, and does not lead to nothing */
  constructor(private readonly scoped: boolean) {}

  /** @returns why it cannot be extracted; null where it is. */
  add(member: M, path: string): Unplaced | null {
    if (path === '' || path === '.') return null;
    if (path === '..' || path.startsWith('../')) return 'outside';
    if (path.length > PATH_MAX || (member.target?.length ?? 0) > PATH_MAX) return 'too long';
    const slash = path.lastIndexOf('/');
    const folder = slash < 0 ? this.root : this.makeFolder(path.slice(0, slash));
    return folder === null ? 'parent is no directory' : this.put(folder, path.slice(slash + 1), member);
  }

  /** What stands at a path, of whose links the last is followed or not; null where there is nothing. */
  find(path: string, followLast: boolean, from = this.root): Extracted<M> | null {
    const todo = segmentsOf(path);
    let here = from;
    for (let hops = 0; todo.length > 0; ) {
      const segment = todo.pop()!;
      const next = this.step(here, segment);
      if (next === null) return null;
      if (next.member?.type !== 'symlink' || (todo.length === 0 && !followLast)) {
        here = next;
        continue;
      }
      const target = this.follow(next.member);
      if (target === null || ++hops > HOPS || target.length + todo.length > PATH_MAX) return null;
      if (next.member.target!.startsWith('/')) here = this.root;
      for (const part of target) todo.push(part);
    }
    return here;
  }

  private step(here: Extracted<M>, segment: string): Extracted<M> | null {
    if (here.children === null) return null;
    if (segment === '.') return here;
    if (segment !== '..') return here.children.get(segment) ?? null;
    return here.parent ?? (this.scoped ? here : null);
  }

  /** The segments of a link's target, the first one last; null where it leads out. */
  private follow({ target }: M): string[] | null {
    if (target === null || target === '' || (target.startsWith('/') && !this.scoped)) return null;
    const segments = segmentsOf(target);
    this.detours -= segments.length + 1;
    return this.detours < 0 ? null : segments;
  }

  private makeFolder(path: string): Extracted<M> | null {
    let here = this.root;
    for (const segment of path.split('/')) {
      let next = here.children!.get(segment) ?? null;
      if (next === null) {
        next = { member: null, children: new Map(), parent: here };
        here.children!.set(segment, next);
      } else if (next.member?.type === 'symlink') next = this.find(segment, true, here);
      if (next === null || next.children === null) return null;
      here = next;
    }
    return here;
  }

  private put(folder: Extracted<M>, name: string, member: M): Unplaced | null {
    const children = folder.children!;
    if (member.type === 'directory') {
      const existing = children.get(name) ?? null;
      if (existing !== null && existing.children !== null) existing.member = member;
      else children.set(name, { member, children: new Map(), parent: folder });
      return null;
    }
    children.set(name, { member, children: null, parent: folder });
    if (member.type !== 'hardlink') return null;
    const target = this.find(member.target ?? '', false);
    // Once the link is in its place, it would be its own target.
    if (target === null || target.children !== null || target.member === member) return 'no target';
    children.set(name, target);
    return null;
  }
}

/** The segments of a path, the first one last. */
function segmentsOf(path: string): string[] {
  return path
    .split('/')
    .filter(segment => segment !== '')
    .reverse();
}
