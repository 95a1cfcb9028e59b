import type { Member } from '../containers/source.js';
import type { Claim, Graph, Location } from '../link/graph.js';
import { layoutNamed } from '../link/layouts/registry.js';
import { memberAt, type Observation, observe } from '../link/observation.js';
import type { Scan } from '../scan/scan.js';
import {
  type Digests,
  digestKind,
  digestOf,
  digestOfBlobPath,
  isWeak,
  sameAlgorithm,
} from '../spec/digest.js';
import { byPath } from './rule.js';

/** Compares every blob with every claim about it: digest, size, name, inline data. */
export function* checkBlobs(scan: Scan, graph: Graph): Generator<Observation> {
  const cut = cutMembers(scan);
  for (const member of byPath(scan.members)) {
    const facts = scan.facts(member);
    const at = memberAt(member.path);
    if (facts?.failure?.kind === 'unreadable')
      yield observe('unreadable', at, { reason: facts.failure.reason });
    // A limit ends the reading of a deflated zip entry; of any other blob it ends only the unpacking.
    if (facts?.failure?.kind === 'limit' && facts.digests === null) {
      const { limit, value } = facts.failure;
      yield observe('limit-reached', at, { limit, value, seen: null });
    }
  }
  // Several documents may make the same claim about one blob: a false one is reported once, for the first.
  const said = new Set<string>();
  for (const claim of graph.claims) {
    const key = `${claim.kind} ${claim.member.path} ${claim.value}`;
    if (cut.has(claim.member.path) || said.has(key)) continue;
    said.add(key);
    yield* checkClaim(scan, claim);
  }
  if (layoutNamed(graph.layout).hasBlobFolder) yield* checkBlobFolder(scan, graph, cut);
}

/**
 * Members whose bytes end too early. The container's check reports them; consequences of the cut are not reported
 * again.
 */
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
    const facts = scan.facts(member);
    // The size of a member that was not read to its end is the container's.
    const actual = facts === null || facts.digests === null ? member.size : facts.size;
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
    if (actual === null) yield* unchecked(claim.value, by);
    else if (actual !== claim.value) {
      yield observe('digest-mismatch', at, { expected: claim.value, actual, claimedBy: by });
    }
  }
}

/** Findings for a digest whose algorithm is neither sha256 nor sha512. */
export function* unchecked(digest: string, at: Location): Generator<Observation> {
  yield observe('digest-unchecked', at, { digest });
  if (isWeak(digest)) yield observe('digest-weak', at, { digest });
}

/**
 * Blobs that nothing refers to, and names that are not the digests of the bytes.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#blobs
 */
function* checkBlobFolder(scan: Scan, graph: Graph, cut: ReadonlySet<string>): Generator<Observation> {
  const folder = `${graph.root}blobs/`;
  const extra: Member[] = [];
  const claimed = new Map<Member, Set<string>>();
  for (const claim of graph.claims) {
    if (claim.kind !== 'digest') continue;
    const known = claimed.get(claim.member);
    if (known === undefined) claimed.set(claim.member, new Set([claim.value]));
    else known.add(claim.value);
  }
  for (const member of byPath(scan.members)) {
    if (!member.path.startsWith(folder) || member.type === 'directory') continue;
    const file = scan.file(member.path);
    if (file === null) {
      if (member.target !== null)
        yield observe('blob-link-broken', memberAt(member.path), { target: member.target });
      continue;
    }
    const isExpected = graph.referenced.has(member.path) || graph.leftovers.has(member.path);
    if (!isExpected) extra.push(member);
    const expected = digestOfBlobPath(member.path);
    if (expected === null) yield observe('blob-name-odd', memberAt(member.path), {});
    else if (!cut.has(file.path)) yield* checkBlobName(scan, claimed, member, file, expected);
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
  claimed: ReadonlyMap<Member, ReadonlySet<string>>,
  member: Member,
  file: Member,
  expected: string,
): Generator<Observation> {
  const digests = scan.facts(file)?.digests ?? null;
  const actual = digests === null ? null : sameAlgorithm(digests, expected);
  if (actual === null || actual === expected) return;
  // The same mismatch has been reported for the claim of a document, which says more than a file name.
  if (!claimed.get(file)?.has(expected))
    yield observe('blob-name-mismatch', memberAt(member.path), { expected, actual });
}
