import type { Member } from '../containers/source.js';

/** Links that the kernel follows in one path. path_resolution(7) */
const HOPS = 40;
/** What Linux takes for a path, in bytes. */
const PATH_MAX = 4096;
/** Segments that the targets of links add to all paths together: many lookups through long chains end here. */
const DETOURS = 2_000_000;

/** A directory of an extracted archive. */
export class Folder<M extends Member> {
  readonly children = new Map<string, Extracted<M>>();

  constructor(
    readonly parent: Folder<M> | null,
    /** The last one that describes it; null where only names of others imply it. */
    public member: M | null,
  ) {}
}

/** What stands at a place of an extracted archive. Of a hard link it is the member that it leads to. */
type Extracted<M extends Member> = M | Folder<M>;

/** Why a member cannot be extracted. */
export type Unplaced = 'outside' | 'parent is no directory' | 'no target' | 'too long';

/**
 * The files that an extraction of an archive leaves, as moby's and containers/storage's archive.Untar make them: a member
 * takes the place of an earlier one of its path, unless both are directories; the folders of its path may be links, and a
 * hard link is the file that its target was when its turn came. Paths resolve as in the kernel. Nothing leads out of it.
 */
export class Extraction<M extends Member> {
  readonly root = new Folder<M>(null, null);
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
    let here: Extracted<M> = from;
    for (let hops = 0; todo.length > 0; ) {
      if (!(here instanceof Folder)) return null;
      const folder: Folder<M> = here;
      const next = this.step(folder, todo.pop()!);
      if (next === null) return null;
      here = next;
      if (next instanceof Folder || next.type !== 'symlink' || (todo.length === 0 && !followLast)) continue;
      const target = this.follow(next);
      if (target === null || ++hops > HOPS || target.length + todo.length > PATH_MAX) return null;
      here = next.target!.startsWith('/') ? this.root : folder;
      for (const part of target) todo.push(part);
    }
    return here;
  }

  private step(here: Folder<M>, segment: string): Extracted<M> | null {
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

  private makeFolder(path: string): Folder<M> | null {
    let here = this.root;
    for (const segment of path.split('/')) {
      let next = here.children.get(segment) ?? null;
      if (next === null) {
        next = new Folder(here, null);
        here.children.set(segment, next);
      } else if (!(next instanceof Folder) && next.type === 'symlink') next = this.find(segment, true, here);
      if (!(next instanceof Folder)) return null;
      here = next;
    }
    return here;
  }

  private put(folder: Folder<M>, name: string, member: M): Unplaced | null {
    const { children } = folder;
    if (member.type === 'directory') {
      const existing = children.get(name);
      if (existing instanceof Folder) existing.member = member;
      else children.set(name, new Folder(folder, member));
      return null;
    }
    children.set(name, member);
    if (member.type !== 'hardlink') return null;
    const target = this.find(member.target ?? '', false);
    // Once the link is in its place, it would be its own target.
    if (target === null || target instanceof Folder || target === member) return 'no target';
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

export const isLink = ({ type }: Member): boolean => type === 'symlink' || type === 'hardlink';

/** Looks members up by path, as an extraction leaves them: of two with one name the later stands. */
export class Members<M extends Member> {
  private readonly byPath = new Map<string, M>();
  /** null where there are no links: then every path leads to the member that has it. */
  private readonly extraction: Extraction<M> | null;

  constructor(readonly all: readonly M[]) {
    this.extraction = all.some(isLink) ? new Extraction<M>(false) : null;
    for (const member of all) {
      if (this.extraction !== null) this.extraction.add(member, member.path);
      else if (member.path !== '') this.byPath.set(member.path, member);
    }
  }

  /** The member at `path`, which may be a link, but for a hard link that leads to another member, which is that. */
  at(path: string): M | null {
    if (this.extraction === null) return this.byPath.get(path) ?? null;
    return memberOf(this.extraction.find(path, false));
  }

  /** The file at `path`, through symbolic and hard links; null when there is none. Links never lead out of the archive. */
  file(path: string): M | null {
    const member = this.extraction === null ? this.at(path) : memberOf(this.extraction.find(path, true));
    return member?.type === 'file' ? member : null;
  }

  /** Whether a path leads to a directory through links, where there are any. */
  isFolder(path: string): boolean {
    return this.extraction?.find(path, true) instanceof Folder;
  }
}

const memberOf = <M extends Member>(found: Extracted<M> | null): M | null =>
  found instanceof Folder ? found.member : found;
