import type { Member } from '../containers/source.js';

/** Maximum number of links that the kernel follows in one path. path_resolution(7) */
const HOPS = 40;
/** Maximum length of a path on Linux, in bytes. */
const PATH_MAX = 4096;
/**
 * Cap on the segments that link targets add to all paths together: it bounds many lookups through long chains of links.
 */
const DETOURS = 2_000_000;

/** A directory of an extracted archive. */
export class ExtractedDirectory<M extends Member> {
  readonly children = new Map<string, ExtractedMember<M>>();

  constructor(
    readonly parent: ExtractedDirectory<M> | null,
    /** The last member that describes the directory; null if only the paths of other members imply it. */
    public member: M | null,
  ) {}
}

/** The object at a path of an extracted archive. For a hard link, the member that it refers to. */
type ExtractedMember<M extends Member> = M | ExtractedDirectory<M>;

/** The reason why a member cannot be extracted. */
export type Unplaced = 'outside' | 'parent is no directory' | 'no target' | 'too long';

/**
 * Models the files that result from extracting an archive with archive.Untar of moby and containers/storage. A member
 * replaces an earlier one of its path, unless both are directories. Directories of its path may be links. A hard link
 * refers to the file that its target was at that moment. Paths resolve as in the kernel, and never outside of the
 * archive.
 */
export class Extraction<M extends Member> {
  readonly root = new ExtractedDirectory<M>(null, null);
  private detours = DETOURS;

  /** @param scoped  true if a link to `/` or above the top stays inside, as in a chroot, instead of leading nowhere */
  constructor(private readonly scoped: boolean) {}

  /** @returns the reason why it cannot be extracted; null if it is extracted */
  add(member: M, path: string): Unplaced | null {
    if (path === '' || path === '.') return null;
    if (path === '..' || path.startsWith('../')) return 'outside';
    if (path.length > PATH_MAX || (member.target?.length ?? 0) > PATH_MAX) return 'too long';
    const slash = path.lastIndexOf('/');
    const folder = slash < 0 ? this.root : this.makeFolder(path.slice(0, slash));
    return folder === null ? 'parent is no directory' : this.put(folder, path.slice(slash + 1), member);
  }

  /** The object at a path; a link in the last segment is followed or not. null if there is none. */
  find(path: string, followLast: boolean, from = this.root): ExtractedMember<M> | null {
    const todo = segmentsOf(path);
    let here: ExtractedMember<M> = from;
    for (let hops = 0; todo.length > 0; ) {
      if (!(here instanceof ExtractedDirectory)) return null;
      const folder: ExtractedDirectory<M> = here;
      const next = this.step(folder, todo.pop()!);
      if (next === null) return null;
      here = next;
      if (next instanceof ExtractedDirectory || next.type !== 'symlink' || (todo.length === 0 && !followLast))
        continue;
      const target = this.follow(next);
      if (target === null || ++hops > HOPS || target.length + todo.length > PATH_MAX) return null;
      here = next.target!.startsWith('/') ? this.root : folder;
      for (const part of target) todo.push(part);
    }
    return here;
  }

  private step(here: ExtractedDirectory<M>, segment: string): ExtractedMember<M> | null {
    if (segment === '.') return here;
    if (segment !== '..') return here.children.get(segment) ?? null;
    return here.parent ?? (this.scoped ? here : null);
  }

  /** The segments of a link's target in reverse order; null if it leads outside. */
  private follow({ target }: M): string[] | null {
    if (target === null || target === '' || (target.startsWith('/') && !this.scoped)) return null;
    const segments = segmentsOf(target);
    this.detours -= segments.length + 1;
    return this.detours < 0 ? null : segments;
  }

  private makeFolder(path: string): ExtractedDirectory<M> | null {
    let here = this.root;
    for (const segment of path.split('/')) {
      let next = here.children.get(segment) ?? null;
      if (next === null) {
        next = new ExtractedDirectory(here, null);
        here.children.set(segment, next);
      } else if (!(next instanceof ExtractedDirectory) && next.type === 'symlink')
        next = this.find(segment, true, here);
      if (!(next instanceof ExtractedDirectory)) return null;
      here = next;
    }
    return here;
  }

  private put(folder: ExtractedDirectory<M>, name: string, member: M): Unplaced | null {
    const { children } = folder;
    if (member.type === 'directory') {
      const existing = children.get(name);
      if (existing instanceof ExtractedDirectory) existing.member = member;
      else children.set(name, new ExtractedDirectory(folder, member));
      return null;
    }
    children.set(name, member);
    if (member.type !== 'hardlink') return null;
    const target = this.find(member.target ?? '', false);
    // Once the link is created, it would be its own target.
    if (target === null || target instanceof ExtractedDirectory || target === member) return 'no target';
    children.set(name, target);
    return null;
  }
}

/** The segments of a path, in reverse order. */
function segmentsOf(path: string): string[] {
  return path
    .split('/')
    .filter(segment => segment !== '')
    .reverse();
}

export const isLink = ({ type }: Member): boolean => type === 'symlink' || type === 'hardlink';

/** Looks up members by path, as an extraction would leave them: of two with one name, the later one is found. */
export class Members<M extends Member> {
  private readonly byPath = new Map<string, M>();
  /** null if there are no links: then every path leads to the member of that name. */
  private readonly extraction: Extraction<M> | null;

  constructor(readonly all: readonly M[]) {
    this.extraction = all.some(isLink) ? new Extraction<M>(false) : null;
    for (const member of all) {
      if (this.extraction !== null) this.extraction.add(member, member.path);
      else if (member.path !== '') this.byPath.set(member.path, member);
    }
  }

  /** The member at `path`. A symbolic link is returned itself; for a hard link, the member that it refers to. */
  at(path: string): M | null {
    if (this.extraction === null) return this.byPath.get(path) ?? null;
    return memberOf(this.extraction.find(path, false));
  }

  /**
   * The file at `path`, through symbolic and hard links; null if there is none. Links never lead out of the archive.
   */
  file(path: string): M | null {
    const member = this.extraction === null ? this.at(path) : memberOf(this.extraction.find(path, true));
    return member?.type === 'file' ? member : null;
  }

  /** True if a path leads to a directory through links. */
  isFolder(path: string): boolean {
    return this.extraction?.find(path, true) instanceof ExtractedDirectory;
  }
}

const memberOf = <M extends Member>(found: ExtractedMember<M> | null): M | null =>
  found instanceof ExtractedDirectory ? found.member : found;
