import { memberAt, type Observation, observe } from '../image/observation.js';
import type { Scan } from '../scan/scan.js';
import { isUnsafeName, parentPath } from '../source/path.js';
import type { Member, SourceProblem } from '../source/source.js';
import { byPath } from './check.js';

/** The outer archive: is it whole, and could anybody unpack it without harm? */
export function* checkContainer(scan: Scan): Generator<Observation> {
  for (const problem of scan.problems) yield fromProblem(problem);
  yield* duplicates(scan);
  for (const member of byPath(scan.members)) {
    const at = memberAt(member.path);
    if (isUnsafeName(member.name)) yield observe('unsafe-name', at, { name: member.name });
    if (member.target !== null && leadsOut(member))
      yield observe('unsafe-link', at, { target: member.target });
  }
}

function fromProblem(problem: SourceProblem): Observation {
  const at = memberAt(problem.path ?? '');
  switch (problem.kind) {
    case 'tar-truncated':
      return observe('tar-truncated', at, { expected: problem.expected, actual: problem.actual });
    case 'tar-header':
      return observe('tar-header-invalid', at, { offset: problem.offset, reason: problem.reason });
    case 'end-marker-missing':
      return observe('end-marker-missing', at, { offset: problem.offset, zeroBlocks: problem.zeroBlocks });
    case 'trailing-bytes':
      return observe('trailing-bytes', at, { offset: problem.offset });
    case 'padding-not-zero':
      return observe('padding-not-zero', at, { offset: problem.offset });
    case 'outer-compression': {
      const { codec, cut, reason, readable } = problem;
      return observe('outer-compression-invalid', at, { codec, cut, reason, readable });
    }
    case 'outer-trailing':
      return observe('outer-trailing-bytes', at, { codec: problem.codec, bytes: problem.bytes });
    case 'zip-entry':
      return observe('zip-entry-unreadable', at, { reason: problem.reason });
    case 'unreadable':
      return observe('unreadable', at, { reason: problem.reason });
    case 'limit':
      return observe('limit-reached', at, { limit: problem.limit, value: problem.value });
  }
}

function* duplicates(scan: Scan): Generator<Observation> {
  const counts = new Map<string, number>();
  for (const member of byPath(scan.members)) {
    if (member.type !== 'directory') counts.set(member.path, (counts.get(member.path) ?? 0) + 1);
  }
  for (const [path, count] of counts) {
    if (count > 1) yield observe('duplicate-entry', memberAt(path), { count });
  }
}

/** Whether following a link would leave the archive. Hard links are named from the top, symbolic ones from where they lie. */
function leadsOut({ path, type, target }: Member): boolean {
  if (target === null || target === '') return false;
  if (target.startsWith('/')) return true;
  let depth =
    type === 'symlink'
      ? parentPath(path)
          .split('/')
          .filter(s => s !== '').length
      : 0;
  for (const segment of target.split('/')) {
    if (segment === '..') depth--;
    else if (segment !== '' && segment !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}
