import { parentPath, resolvePath } from '../source/path.js';
import type { Member } from '../source/source.js';

/** Links that lead to links: more hops than this are a loop. */
const HOPS = 12;

/** Looks members up by path, as an extraction would leave them: of two with one name the later stands. */
export class Members<M extends Member> {
  private readonly byPath = new Map<string, M>();

  constructor(readonly all: readonly M[]) {
    for (const member of all) if (member.path !== '') this.byPath.set(member.path, member);
  }

  at(path: string): M | null {
    return this.byPath.get(path) ?? null;
  }

  /** The file at `path`, through symbolic and hard links; null when there is none. Links never lead out of the archive. */
  file(path: string): M | null {
    let member = this.at(path);
    for (let hop = 0; member !== null && hop < HOPS; hop++) {
      if (member.type === 'file') return member;
      if (member.type === 'hardlink') member = this.at(resolvePath('', member.target ?? ''));
      else if (member.type === 'symlink')
        member = this.at(resolvePath(parentPath(member.path), member.target ?? ''));
      else return null;
    }
    return null;
  }
}
