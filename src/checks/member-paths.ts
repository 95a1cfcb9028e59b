import { memberAt, type Observation, observe } from '../image/observation.js';
import type { Scan } from '../scan/scan.js';
import { isUnsafeName } from '../source/path.js';
import type { Member } from '../source/source.js';
import { isEnginePath } from '../spec/markers.js';
import { byPath } from './check.js';

/** What engines look for lies no deeper. */
const DEEPEST = 8;

/** Paths that two members claim, as one thing and another, and names that not all readers take for the same path. */
export function* checkMemberPaths(scan: Scan): Generator<Observation> {
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
  yield* conflicts(members, byName);
}

/** Engines that extract an archive, containerd and containers/image clean names, each in its way, and crane does not at all. */
function* checkName({ name, path }: Member): Generator<Observation> {
  const isUnsafe = isUnsafeName(name);
  if (!isUnsafe && !name.includes('\\')) return;
  const at = memberAt(path);
  if (name !== path && !path.startsWith('..') && isEnginePath(path))
    yield observe('member-ambiguous', at, { field: 'name', readings: [path, name] });
  else if (isUnsafe) yield observe('unsafe-name', at, { name });
}

/** A file takes the place of a directory and all that is in it, and a directory that of a file, if anything can be extracted. */
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
