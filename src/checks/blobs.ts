import type { Claim, Graph } from '../image/graph.js';
import { memberAt, type Observation, observe } from '../image/observation.js';
import type { Scan } from '../scan/scan.js';
import type { Member } from '../source/source.js';
import { type Digests, digestKind, digestOf, digestOfBlobPath, sameAlgorithm } from '../spec/digest.js';
import { byPath } from './check.js';

/** Every blob against every claim made about it: digest, size, name, inline data. */
export function* checkBlobs(scan: Scan, graph: Graph): Generator<Observation> {
  const cut = cutMembers(scan);
  for (const member of byPath(scan.members)) {
    const failure = scan.facts(member)?.failure;
    if (failure?.kind === 'unreadable')
      yield observe('unreadable', memberAt(member.path), { reason: failure.reason });
  }
  // Several documents may claim the same of one blob: what is false is said once, of the first.
  const said = new Set<string>();
  for (const claim of graph.claims) {
    const key = `${claim.kind} ${claim.member.path} ${claim.value}`;
    if (cut.has(claim.member.path) || said.has(key)) continue;
    said.add(key);
    yield* checkClaim(scan, claim);
  }
  if (graph.layout === 'oci-layout' || graph.layout === 'docker-hybrid') {
    yield* checkBlobFolder(scan, graph, cut);
  }
}

/** Members whose bytes end too early: that is said once, by the container's check, not again by everything that follows. */
export function cutMembers(scan: Scan): ReadonlySet<string> {
  return new Set(scan.problems.flatMap(p => (p.kind === 'tar-truncated' && p.path !== null ? [p.path] : [])));
}

/** At depth `metadata` only documents have been read whole. */
function digestsOf(scan: Scan, member: Member): Digests | null {
  const facts = scan.facts(member);
  if (facts !== null) return facts.digests;
  const { bytes, digest } = scan.head(member).json ? scan.document(member) : { bytes: null, digest: null };
  return bytes === null || digest === null ? null : { sha256: digest, sha512: digestOf(bytes, 'sha512') };
}

function* checkClaim(scan: Scan, claim: Claim): Generator<Observation> {
  const { member, by } = claim;
  const at = memberAt(member.path);
  if (claim.kind === 'size') {
    const actual = scan.facts(member)?.size ?? member.size;
    if (actual !== claim.value)
      yield observe('size-mismatch', at, { expected: claim.value, actual, claimedBy: by });
  } else if (claim.kind === 'inline-data') {
    if (digestKind(claim.digest) !== 'computable') return;
    const actual = digestOf(claim.value, claim.digest.startsWith('sha512:') ? 'sha512' : 'sha256');
    if (actual !== claim.digest)
      yield observe('inline-data-mismatch', by, { expected: claim.digest, actual });
  } else {
    const digests = digestsOf(scan, member);
    if (digests === null) return;
    const actual = sameAlgorithm(digests, claim.value);
    if (actual === null) yield observe('digest-unchecked', by, { digest: claim.value });
    else if (actual !== claim.value) {
      yield observe('digest-mismatch', at, { expected: claim.value, actual, claimedBy: by });
    }
  }
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#blobs */
function* checkBlobFolder(scan: Scan, graph: Graph, cut: ReadonlySet<string>): Generator<Observation> {
  const folder = `${graph.root}blobs/`;
  const extra: Member[] = [];
  for (const member of byPath(scan.members)) {
    if (!member.path.startsWith(folder) || member.type === 'directory') continue;
    const file = scan.file(member.path);
    if (file === null) {
      yield observe('blob-link-broken', memberAt(member.path), { target: member.target ?? '' });
      continue;
    }
    if (!graph.referenced.has(member.path)) extra.push(member);
    const expected = digestOfBlobPath(member.path);
    if (expected === null) yield observe('blob-name-odd', memberAt(member.path), {});
    else if (!cut.has(file.path)) yield* checkBlobName(scan, graph, member, file, expected);
  }
  if (extra.length === 0) return;
  yield observe('unreferenced-blobs', memberAt(folder.slice(0, -1)), {
    count: extra.length,
    bytes: extra.reduce((sum, member) => sum + member.size, 0),
    paths: extra.map(member => member.path),
  });
}

function* checkBlobName(
  scan: Scan,
  graph: Graph,
  member: Member,
  file: Member,
  expected: string,
): Generator<Observation> {
  const digests = scan.facts(file)?.digests ?? null;
  const actual = digests === null ? null : sameAlgorithm(digests, expected);
  if (actual === null || actual === expected) return;
  const claimed = graph.claims.some(c => c.kind === 'digest' && c.member === file && c.value === expected);
  // The same mismatch has been reported as the broken promise of a document, which says more than a name.
  if (!claimed) yield observe('blob-name-mismatch', memberAt(member.path), { expected, actual });
}
