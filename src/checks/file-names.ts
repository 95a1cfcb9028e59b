import type { Graph, Image, Layer } from '../image/graph.js';
import { memberAt, type Observation, observe } from '../image/observation.js';
import type { BlobFacts } from '../scan/facts.js';
import type { Scan } from '../scan/scan.js';
import type { Member } from '../source/source.js';
import { digestOfBlobPath, sameAlgorithm } from '../spec/digest.js';
import { cutMembers } from './blobs.js';
import { byPath } from './check.js';

/**
 * Names outside of a layout's folder of blobs that are digests. Folders of layers (`<hex>/layer.tar`) are not called by
 * digests but by v1 IDs, or by sums of their writers.
 */
export function* checkFileNames(scan: Scan, graph: Graph): Generator<Observation> {
  const cut = cutMembers(scan);
  if (graph.layout === 'skopeo-dir') yield* checkBlobs(scan, graph, cut, digestOfDirName);
  if (graph.layout === 'docker-archive') yield* checkBlobs(scan, graph, cut, digestOfBlobPath);
  const said = new Set<string>();
  for (const image of graph.images) {
    if (image.docker === null) continue;
    for (const [i, layer] of image.layers.entries()) {
      if (layer.member === null || cut.has(layer.member.path) || layer.encrypted) continue;
      const observation = layerName(scan, image, layer, layer.member, i);
      if (observation === null || said.has(observation.at.path)) continue;
      said.add(observation.at.path);
      yield observation;
    }
  }
}

/** What promises its digest by its name in a layout that has no folder of blobs, or no index of it. */
function* checkBlobs(
  scan: Scan,
  { root, claims }: Graph,
  cut: ReadonlySet<string>,
  promised: (path: string) => string | null,
): Generator<Observation> {
  const claimed = new Set(
    claims.flatMap(claim => (claim.kind === 'digest' ? [`${claim.member.path} ${claim.value}`] : [])),
  );
  for (const { path } of byPath(scan.members)) {
    const expected = path.startsWith(root) ? promised(path.slice(root.length)) : null;
    const file = expected === null ? null : scan.file(path);
    // What a document promises too has been reported as the document's.
    if (file === null || cut.has(file.path) || claimed.has(`${file.path} ${expected}`)) continue;
    const digests = scan.facts(file)?.digests ?? null;
    const actual = digests === null ? null : sameAlgorithm(digests, expected!);
    if (actual !== null && actual !== expected)
      yield observe('blob-name-mismatch', memberAt(path), { expected: expected!, actual });
  }
}

/** skopeo's dir keeps blobs as `<hex>`, and the manifests of a list as `<hex>.manifest.json`. */
function digestOfDirName(path: string): string | null {
  const hex = /^([0-9a-f]{64}|[0-9a-f]{128})(?:\.manifest\.json)?$/.exec(path)?.[1];
  return hex === undefined ? null : `${hex.length === 64 ? 'sha256' : 'sha512'}:${hex}`;
}

/** `<hex>.tar.gz`, `<hex>.tar`, `sha256:<hex>`, `<hex>`. */
const NAME = /(?:^|[/:])([0-9a-f]{64})(\.tar|\.tgz|\.tar\.\w+)?$/;

/** A layer whose name is the digest of neither its bytes nor its tar. */
function layerName(scan: Scan, image: Image, layer: Layer, member: Member, i: number): Observation | null {
  const facts = scan.facts(member);
  const [path] = [layer.ref, member.path].filter(name => NAME.test(name) && digestOfBlobPath(name) === null);
  if (path === undefined || facts === null) return null;
  const [, hex, extension] = NAME.exec(path)!;
  const { stored, content } = digestsOf(facts);
  const expected = `sha256:${hex}`;
  if (stored === null || content === null || stored === expected || content === expected) return null;
  // That it is another layer than the config's says more.
  const { claimedDiffId } = layer;
  if (claimedDiffId?.startsWith('sha256:') === true && claimedDiffId !== content) return null;
  // podman and skopeo call a layer by the diff_id of the image that it came from, all others by the digest of its bytes.
  const isDiffId = extension === '.tar' && !/(^|\/)sha256:/.test(image.docker!.config ?? '');
  const data = { layer: i, expected, stored, diffId: content };
  return observe('layer-name-mismatch', memberAt(member.path), data, isDiffId ? 'info' : undefined);
}

const digestsOf = ({ digests, unpacked }: BlobFacts) => ({
  stored: digests?.sha256 ?? null,
  content: unpacked?.digests.sha256 ?? null,
});
