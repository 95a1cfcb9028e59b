import type { Member, SourceProblem } from '../containers/source.js';
import type { LimitReached } from '../limits.js';
import type { Graph, Location } from '../link/graph.js';
import { layoutNamed } from '../link/layouts/registry.js';
import { type LinkFault, memberAt, type Observation, observe } from '../link/observation.js';
import { isLink } from '../scan/extraction.js';
import type { Scan } from '../scan/scan.js';
import { isBlobPath, isEnginePath } from '../spec/markers.js';
import { isUnsafeName, longestPart, NAME_MAX, normalPath, parentPath } from '../tar/path.js';
import { byPath } from './rule.js';

/**
 * Links of the outer archive. Engines that extract it follow them as a file system does, others by their text, and
 * others not at all: all agree about one that leads from a blob straight to another, and about no other.
 */
function* checkLinks(scan: Scan, graph: Graph): Generator<Observation> {
  const links = byPath(scan.members.filter(isLink));
  if (links.length === 0) return;
  const told = brokenRefs(graph);
  const hasManifest = scan.file(`${graph.root}manifest.json`) !== null;
  for (const member of links) {
    const at = memberAt(member.path);
    const { target } = member;
    if (target !== null && leadsOut(member)) {
      yield observe('unsafe-link', at, { target });
      continue;
    }
    const fault = faultOf(scan, graph, member, hasManifest);
    if (fault === null || (fault === 'nothing' && told(member.path))) continue;
    const hard = member.type === 'hardlink';
    // podman links v1 folders to layers; the link of a removed layer stays, and no reader follows it.
    const isHarmless = fault === 'nothing' && !hard && isBlobPath(inRoot(graph, member.path));
    yield observe(
      'link-unexpected',
      at,
      { target: target ?? '', hard, fault },
      isHarmless ? 'info' : undefined,
    );
  }
}

/** The target of a broken link at a path which a document names; null where no link is there. */
export function brokenLinkAt(scan: Scan, root: string, ref: string): string | null {
  const member = scan.at(root + normalPath(ref));
  return member !== null && isLink(member) ? member.target : null;
}

/** Tests whether a link that leads to nothing is reported as a missing blob. */
function brokenRefs(graph: Graph): (path: string) => boolean {
  const missing = new Set<string>();
  const { hasBlobFolder } = layoutNamed(graph.layout);
  const miss = (ref: string) => void missing.add(graph.root + normalPath(ref));
  for (const { config, layers } of graph.images) {
    if (config !== null && config.member === null) miss(config.path);
    for (const { member, ref } of layers) if (member === null) miss(ref);
  }
  return path => missing.has(path) || (hasBlobFolder === true && path.startsWith(`${graph.root}blobs/`));
}

function faultOf(scan: Scan, graph: Graph, member: Member, hasManifest: boolean): LinkFault | null {
  const { path } = member;
  const file = scan.file(path);
  if (file === null) return scan.isFolder(path) ? 'folder' : 'nothing';
  if (!isBlobPath(inRoot(graph, path))) return 'no blob';
  // A member that another one replaces is reported as that.
  if (member.type === 'hardlink') return hasManifest ? 'hard link' : null;
  if (scan.at(path) !== member) return null;
  const straight = targetOf(member);
  const found = scan.at(straight);
  if (found !== file || found.type !== 'file') return 'links between';
  return isBlobPath(inRoot(graph, straight)) ? null : 'no blob';
}

/** A path as the layout has it, whose folder may lie below the top. */
const inRoot = ({ root }: Graph, path: string): string =>
  path.startsWith(root) ? path.slice(root.length) : path;

/** Where a link leads, by its text alone. */
const targetOf = ({ path, type, target }: Member): string =>
  normalPath(type === 'symlink' ? `${parentPath(path)}/${target}` : (target ?? ''));

/**
 * Whether following a link would leave the archive. Hard links are named from the top, symbolic ones from where they
 * lie.
 */
function leadsOut({ path, type, target }: Member): boolean {
  if (target === null || target === '') return false;
  if (/^[\\/]|^[A-Za-z]:[\\/]/.test(target)) return true;
  const from = type === 'symlink' ? parentPath(path) : '';
  return `${from === '' ? '' : `${from}/`}${target}`.split(/[\\/]/).reduce(depthAfter, 0) < 0;
}

/** Levels below the root that a path has reached; negative for good once it has left the root. */
function depthAfter(depth: number, segment: string): number {
  if (depth < 0 || segment === '' || segment === '.') return depth;
  return segment === '..' ? depth - 1 : depth + 1;
}

/** Engines look for no file deeper than this. */
const DEEPEST = 8;

/** Paths that two members have, and names that readers resolve to different paths. */
function* checkMemberPaths(scan: Scan): Generator<Observation> {
  const members = byPath(scan.members);
  const byName = new Map<string, Member | Member[]>();
  for (const member of members) {
    yield* checkName(member);
    if (member.type === 'directory') continue;
    const others = byName.get(member.path);
    if (others === undefined) byName.set(member.path, member);
    else if (Array.isArray(others)) others.push(member);
    else byName.set(member.path, [others, member]);
  }
  for (const [path, same] of byName) {
    if (!Array.isArray(same)) continue;
    const differ = areDifferent(scan, same);
    const severity = differ === true ? 'error' : undefined;
    yield observe('duplicate-entry', memberAt(path), { count: same.length, differ }, severity);
  }
  yield* alike(byName);
  yield* conflicts(members, byName);
}

/**
 * Hazard: a tool that unpacks the archive on a disk that ignores case (macOS, Windows) opens one of two files in place
 * of the other. Engines tell them apart.
 */
function* alike(byName: ReadonlyMap<string, unknown>): Generator<Observation> {
  for (const path of byName.keys()) {
    if (!NOT_PLAIN.test(path)) continue;
    const plain = path.toUpperCase().toLowerCase();
    if (plain === path || !isEnginePath(plain) || !byName.has(plain)) continue;
    yield observe('member-ambiguous', memberAt(path), { field: 'name', readings: [path, plain] }, 'warning');
  }
}

/** Capitals, and all that is not ASCII. */
const NOT_PLAIN = /[A-Z\u0080-\uffff]/;

/**
 * Engines that extract an archive, containerd and containers/image clean names, each in its way, and crane does not at
 * all.
 */
function* checkName({ name, path }: Member): Generator<Observation> {
  const isUnsafe = isUnsafeName(name);
  if (!isUnsafe && !name.includes('\\')) return;
  const at = memberAt(path);
  if (name !== path && !path.startsWith('..') && isEnginePath(path))
    yield observe('member-ambiguous', at, { field: 'name', readings: [path, name] });
  else if (isUnsafe) yield observe('unsafe-name', at, { name });
}

/**
 * A file takes the place of a directory and all that is in it, and a directory that of a file, if anything can be
 * extracted.
 */
function* conflicts(members: readonly Member[], files: ReadonlyMap<string, unknown>): Generator<Observation> {
  const told = new Set<string>();
  let last = '';
  for (const { path, type } of members) {
    if (type === 'directory' && files.has(path) && !told.has(path)) {
      told.add(path);
      yield observe('path-conflict', memberAt(path), { below: null });
    }
    const end = path.lastIndexOf('/');
    if (end < 0 || (end === last.length && path.startsWith(last))) continue;
    last = path.slice(0, end);
    for (const folder of foldersOf(path)) {
      if (!files.has(folder) || told.has(folder)) continue;
      told.add(folder);
      yield observe('path-conflict', memberAt(folder), { below: path });
    }
  }
}

function* foldersOf(path: string): Generator<string> {
  let slash = path.indexOf('/');
  for (let depth = 0; slash >= 0 && depth < DEEPEST; depth++) {
    yield path.slice(0, slash);
    slash = path.indexOf('/', slash + 1);
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

/** The outer archive: whether it is whole, and whether tools can extract it safely. */
export function* checkContainer(scan: Scan, graph: Graph): Generator<Observation> {
  for (const problem of scan.problems) yield fromProblem(problem);
  yield* listings(scan);
  yield* checkMemberPaths(scan);
  for (const { path } of byPath(scan.members.filter(member => longestPart(member.path) > NAME_MAX)))
    yield observe('name-too-long', memberAt(path), { bytes: longestPart(path) });
  yield* checkLinks(scan, graph);
  // Members that could not be read are reported as unreadable.
  const told = new Set(scan.problems.map(problem => problem.path));
  for (const { path } of byPath(scan.members.filter(member => member.type === 'other'))) {
    const severity = isEnginePath(path) ? 'error' : undefined;
    if (!told.has(path)) yield observe('special-file', memberAt(path), {}, severity);
  }
}

/** The finding for a fault of the container. */
export function fromProblem(problem: SourceProblem): Observation {
  const at = memberAt(problem.path ?? '');
  switch (problem.kind) {
    case 'tar-truncated':
      return observe('tar-truncated', at, { expected: problem.expected, actual: problem.actual });
    case 'tar-header':
      return observe('tar-header-invalid', at, { offset: problem.offset, reason: problem.reason });
    case 'tar-field':
      return observe('tar-field-invalid', at, { offset: problem.offset, field: problem.field });
    case 'tar-record':
      return observe('tar-record-invalid', at, { offset: problem.offset, reason: problem.reason });
    case 'end-marker-missing':
      return observe('end-marker-missing', at, { offset: problem.offset, zeroBlocks: problem.zeroBlocks });
    case 'trailing-bytes':
    case 'padding-not-zero':
      return observe(problem.kind, at, { offset: problem.offset });
    case 'sparse':
      return observe('member-sparse', at, {});
    case 'ambiguous':
      return fromAmbiguity(problem, at);
    case 'unreadable':
      return observe('unreadable', at, { reason: problem.reason });
    case 'changed':
      return observe('file-changed', at, { expected: problem.expected, actual: problem.actual });
    case 'limit':
      return fromLimit(problem, at);
    default:
      return fromPackaging(problem, at);
  }
}

/** Faults of what the tar or the members are packed in: an outer compression, or a zip. */
function fromPackaging(
  problem: Extract<SourceProblem, { kind: `outer-${string}` | `zip-${string}` }>,
  at: Location,
): Observation {
  switch (problem.kind) {
    case 'outer-compression': {
      const { codec, cut, reason, readable } = problem;
      return observe('outer-compression-invalid', at, { codec, cut, reason, readable });
    }
    case 'outer-trailing':
      return observe('outer-trailing-bytes', at, { codec: problem.codec, bytes: problem.bytes });
    case 'outer-skippable':
      return observe('outer-skippable-frame', at, {});
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
  }
}

function fromAmbiguity(
  { field, readings, path }: Extract<SourceProblem, { kind: 'ambiguous' }>,
  at: Location,
): Observation {
  // Readers differ in whether the member is a file, and no engine opens a file of that path.
  const isHarmless = field === 'type' && !isEnginePath(path ?? '');
  const data = { field, readings: readings.map(shortened) };
  return observe('member-ambiguous', at, data, isHarmless ? 'warning' : 'error');
}

/** No reader uses bytes behind the end of a tar, so that a limit on these is only a warning. */
function fromLimit({ limit, value, seen = null, enough, outer }: LimitReached, at: Location): Observation {
  const severity = limit === 'trailingBytes' ? 'warning' : undefined;
  const more = { ...(enough === undefined ? {} : { enough }), ...(outer === undefined ? {} : { outer }) };
  return observe('limit-reached', at, { limit, value, seen, ...more }, severity);
}

function* listings(scan: Scan): Generator<Observation> {
  for (const member of scan.members) {
    const listed = scan.facts(member)?.listed;
    if (listed !== undefined) yield observe('zip-content-mismatch', memberAt(member.path), { ...listed });
  }
}

/** The beginning of a name: a hostile one may be a megabyte long. */
const shortened = (text: string) => (text.length <= 200 ? text : `${text.slice(0, 200)}…`);
