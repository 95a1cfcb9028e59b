import type { Member } from '../source/source.js';
import { type Extracted, Extraction, Folder } from './extraction.js';

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
