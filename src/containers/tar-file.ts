import type { Limits } from '../limits.js';
import { walkTar } from '../tar/walk-archive.js';
import type { StreamCursor } from './cursor.js';
import { FileWindow } from './read.js';
import type { ByteRange, SeekableMember, SeekableSource, SourceProblem, Visitor } from './source.js';

const NOTHING = new Uint8Array(0);

/** Indexes a tar in a file by its headers: contents are stepped over. @throws the system's error */
export function indexTar(range: ByteRange, limits: Limits): SeekableSource {
  const members: SeekableMember[] = [];
  const problems: SourceProblem[] = [];
  const window = new FileWindow(range);
  try {
    const walk = walkTar(window, limits, problem => void problems.push(problem));
    for (let step = walk.next(NOTHING); step.done !== true; ) {
      const { value } = step;
      if (value.kind === 'bytes') {
        step = walk.next(window.read(value.at, value.length));
        continue;
      }
      const { start } = value;
      // Spelled out, for a spread costs as much as all the rest of a member.
      const { path, name, type, size, target, flag } = value.member;
      const length = Math.max(0, Math.min(size, window.length - start));
      const content =
        type === 'file' ? { file: range.file, start: range.start + start, length, deflated: false } : null;
      const member = { path, name, type, size, target, range: content };
      members.push(flag === undefined ? member : { ...member, flag });
      step = walk.next(NOTHING);
    }
  } finally {
    window.close();
  }
  return { access: 'seekable', isDirectory: false, members, problems };
}

/** Visits the members of a tar that passes by. What a visit leaves of a member's content is skipped. */
export async function passTar(
  cursor: StreamCursor,
  limits: Limits,
  report: (problem: SourceProblem) => void,
  visit: Visitor,
): Promise<void> {
  const walk = walkTar(cursor, limits, report);
  for (let step = walk.next(NOTHING); step.done !== true; ) {
    const { value } = step;
    if (value.kind === 'bytes') {
      const { at, length } = value;
      step = walk.next(cursor.arrived(at, length) ?? (await cursor.read(at, length)));
    } else {
      await visit(value.member, cursor.pieces(value.member.size));
      step = walk.next(NOTHING);
    }
  }
}
