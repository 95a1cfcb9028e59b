import type { Graph, Place } from '../image/graph.js';
import { memberAt, type Observation, observe } from '../image/observation.js';
import type { LimitReached } from '../limits.js';
import type { Scan } from '../scan/scan.js';
import { longestPart, NAME_MAX } from '../source/path.js';
import type { SourceProblem } from '../source/source.js';
import { isEnginePath } from '../spec/markers.js';
import { byPath } from './check.js';
import { checkLinks } from './links.js';
import { checkMemberPaths } from './member-paths.js';

/** The outer archive: whether it is whole, and whether tools can extract it safely. */
export function* checkContainer(scan: Scan, graph: Graph): Generator<Observation> {
  for (const problem of scan.problems) yield fromProblem(problem);
  yield* listings(scan);
  yield* checkMemberPaths(scan);
  for (const { path } of byPath(scan.members.filter(member => longestPart(member.path) > NAME_MAX)))
    yield observe('name-too-long', memberAt(path), { bytes: longestPart(path) });
  yield* checkLinks(scan, graph);
  // What could not be read is no file either.
  const told = new Set(scan.problems.map(problem => problem.path));
  for (const { path } of byPath(scan.members.filter(member => member.type === 'other'))) {
    const severity = isEnginePath(path) ? 'error' : undefined;
    if (!told.has(path)) yield observe('special-file', memberAt(path), {}, severity);
  }
}

export function fromProblem(problem: SourceProblem): Observation {
  const at = memberAt(problem.path ?? '');
  switch (problem.kind) {
    case 'tar-truncated':
      return observe('tar-truncated', at, { expected: problem.expected, actual: problem.actual });
    case 'tar-header':
      return observe('tar-header-invalid', at, { offset: problem.offset, reason: problem.reason });
    case 'tar-field':
      return observe('tar-field-invalid', at, { offset: problem.offset, field: problem.field });
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
    case 'outer-skippable':
      return observe('outer-skippable-frame', at, {});
    case 'tar-record':
      return observe('tar-record-invalid', at, { offset: problem.offset, reason: problem.reason });
    case 'sparse':
      return observe('member-sparse', at, {});
    case 'ambiguous': {
      const { field } = problem;
      const readings = problem.readings.map(shortened);
      // What some take for a file is none that any engine looks for.
      const isHarmless = field === 'type' && !isEnginePath(problem.path ?? '');
      return observe('member-ambiguous', at, { field, readings }, isHarmless ? 'warning' : 'error');
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
