import type { Place } from '../image/graph.js';
import { memberAt, type Observation, observe } from '../image/observation.js';
import type { LimitReached } from '../limits.js';
import type { Scan } from '../scan/scan.js';
import { isUnsafeName, parentPath } from '../source/path.js';
import type { Member, SourceProblem } from '../source/source.js';
import { byPath } from './check.js';

/** The outer archive: is it whole, and could anybody unpack it without harm? */
export function* checkContainer(scan: Scan): Generator<Observation> {
  for (const problem of scan.problems) yield fromProblem(problem);
  yield* listings(scan);
  yield* duplicates(scan);
  // What could not be read is no file either.
  const told = new Set(scan.problems.map(problem => problem.path));
  for (const member of byPath(scan.members)) {
    const at = memberAt(member.path);
    if (isUnsafeName(member.name)) yield observe('unsafe-name', at, { name: member.name });
    if (member.target !== null && leadsOut(member))
      yield observe('unsafe-link', at, { target: member.target });
    if (member.type === 'other' && !told.has(member.path)) yield observe('special-file', at, {});
  }
}

export function fromProblem(problem: SourceProblem): Observation {
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
    case 'tar-record':
      return observe('tar-record-invalid', at, { offset: problem.offset, reason: problem.reason });
    case 'sparse':
      return observe('member-sparse', at, {});
    case 'ambiguous': {
      const { field } = problem;
      const readings = problem.readings.map(shortened);
      return observe('member-ambiguous', at, { field, readings }, field === 'type' ? 'warning' : 'error');
    }
    case 'zip-entry':
      return observe('zip-entry-unreadable', at, { reason: problem.reason });
    case 'zip-content': {
      const { field, expected, actual } = problem;
      return observe('zip-content-mismatch', at, { field, expected, actual });
    }
    case 'zip-overlap':
      return observe('zip-entries-overlap', at, { other: problem.other });
    case 'zip-gap':
      return observe('zip-unlisted-bytes', at, { offset: problem.offset, bytes: problem.bytes });
    case 'unreadable':
      return observe('unreadable', at, { reason: problem.reason });
    case 'changed':
      return observe('file-changed', at, { expected: problem.expected, actual: problem.actual });
    case 'limit':
      return fromLimit(problem, at);
  }
}

/** Nothing reads what stands behind the end, and nothing is left unjudged where only that was not looked at. */
function fromLimit({ limit, value, seen = null }: LimitReached, at: Place): Observation {
  const severity = limit === 'trailingBytes' ? 'warning' : undefined;
  return observe('limit-reached', at, { limit, value, seen }, severity);
}

function* listings(scan: Scan): Generator<Observation> {
  for (const member of scan.members) {
    const listed = scan.facts(member)?.listed;
    if (listed !== undefined) yield observe('zip-content-mismatch', memberAt(member.path), { ...listed });
  }
}

/** A name in a finding need not be one of a megabyte. */
const shortened = (text: string) => (text.length <= 200 ? text : `${text.slice(0, 200)}…`);

function* duplicates(scan: Scan): Generator<Observation> {
  const byName = new Map<string, Member[]>();
  for (const member of byPath(scan.members)) {
    if (member.type === 'directory') continue;
    const others = byName.get(member.path);
    if (others === undefined) byName.set(member.path, [member]);
    else others.push(member);
  }
  for (const [path, members] of byName) {
    if (members.length === 1) continue;
    const differ = areDifferent(scan, members);
    const severity = differ === true ? 'error' : undefined;
    yield observe('duplicate-entry', memberAt(path), { count: members.length, differ }, severity);
  }
}

/** Whether members are not one and the same thing; null where their contents were not read. */
function areDifferent(scan: Scan, [first, ...others]: readonly Member[]): boolean | null {
  const isOther = ({ type, size, target }: Member) =>
    type !== first!.type || size !== first!.size || target !== first!.target;
  if (others.some(isOther)) return true;
  if (first!.type !== 'file') return false;
  const digests = [first!, ...others].map(member => scan.facts(member)?.digests?.sha256 ?? null);
  return digests.includes(null) ? null : digests.some(digest => digest !== digests[0]);
}

/** Whether following a link would leave the archive. Hard links are named from the top, symbolic ones from where they lie. */
function leadsOut({ path, type, target }: Member): boolean {
  if (target === null || target === '') return false;
  if (/^[\\/]|^[A-Za-z]:[\\/]/.test(target)) return true;
  let depth =
    type === 'symlink'
      ? parentPath(path)
          .split('/')
          .filter(s => s !== '').length
      : 0;
  for (const segment of target.split(/[\\/]/)) {
    if (segment === '..') depth--;
    else if (segment !== '' && segment !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}
