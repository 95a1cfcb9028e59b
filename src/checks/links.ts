import type { Graph } from '../image/graph.js';
import { type LinkFault, memberAt, type Observation, observe } from '../image/observation.js';
import { isLink } from '../scan/links.js';
import type { Scan } from '../scan/scan.js';
import { normalPath, parentPath } from '../source/path.js';
import type { Member } from '../source/source.js';
import { isBlobPath } from '../spec/markers.js';
import { byPath } from './check.js';

/**
 * Links of the outer archive. Engines that extract it follow them as a file system does, others by their text, and others
 * not at all: all agree about one that leads from a blob straight to another, and about no other.
 */
export function* checkLinks(scan: Scan, graph: Graph): Generator<Observation> {
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
    // podman names layers in v1 folders beside them; a layer that is removed leaves its name behind, which nothing looks for.
    const isHarmless = fault === 'nothing' && !hard && isBlobPath(inRoot(graph, member.path));
    yield observe(
      'link-unexpected',
      at,
      { target: target ?? '', hard, fault },
      isHarmless ? 'info' : undefined,
    );
  }
}

/** Where a link leads that is all that stands at a path which a document names; null where there is none. */
export function brokenLinkAt(scan: Scan, root: string, ref: string): string | null {
  const member = scan.at(root + normalPath(ref));
  return member !== null && isLink(member) ? member.target : null;
}

/** Whether a link that leads to nothing is told of as what is missing there. */
function brokenRefs(graph: Graph): (path: string) => boolean {
  const missing = new Set<string>();
  const isLayout = graph.layout === 'oci-layout' || graph.layout === 'docker-hybrid';
  const miss = (ref: string) => void missing.add(graph.root + normalPath(ref));
  for (const { config, layers } of graph.images) {
    if (config !== null && config.member === null) miss(config.path);
    for (const { member, ref } of layers) if (member === null) miss(ref);
  }
  return path => missing.has(path) || (isLayout && path.startsWith(`${graph.root}blobs/`));
}

function faultOf(scan: Scan, graph: Graph, member: Member, hasManifest: boolean): LinkFault | null {
  const { path } = member;
  const file = scan.file(path);
  if (file === null) return scan.isFolder(path) ? 'folder' : 'nothing';
  if (!isBlobPath(inRoot(graph, path))) return 'no blob';
  // One that another member has replaced is told of as that.
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

/** Whether following a link would leave the archive. Hard links are named from the top, symbolic ones from where they lie. */
function leadsOut({ path, type, target }: Member): boolean {
  if (target === null || target === '') return false;
  if (/^[\\/]|^[A-Za-z]:[\\/]/.test(target)) return true;
  const from = type === 'symlink' ? parentPath(path) : '';
  return `${from === '' ? '' : `${from}/`}${target}`.split(/[\\/]/).reduce(depthAfter, 0) < 0;
}

/** How deep below the top a path has come; negative for good once it has left it. */
function depthAfter(depth: number, segment: string): number {
  if (depth < 0 || segment === '' || segment === '.') return depth;
  return segment === '..' ? depth - 1 : depth + 1;
}
