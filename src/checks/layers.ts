import type { Artifact, Graph, Image, Layer } from '../image/graph.js';
import { memberAt, type Observation, observe } from '../image/observation.js';
import type { LimitName, LimitReached } from '../limits.js';
import type { Scan } from '../scan/scan.js';
import type { Member } from '../source/source.js';
import { layerType } from '../spec/media-types.js';
import { cutMembers } from './blobs.js';
import { checkContent } from './layer-content.js';
import { brokenLinkAt } from './links.js';
import { checkUnpacking } from './unpacking.js';

/** Layers of images and artifacts: there, of the promised compression, unpackable, and what the config says they are. */
export function* checkLayers(scan: Scan, graph: Graph): Generator<Observation> {
  const cut = cutMembers(scan);
  for (const image of graph.images) {
    yield* checkStack(scan, image, image.layers, 'image', cut, graph);
    yield* checkUnpacking(scan, image);
    for (const [i, { member }] of image.layers.entries()) {
      if (member === null) continue;
      yield* checkLists(scan, graph, member);
      yield* checkHoles(scan, graph, member, i);
    }
  }
  const attestations = graph.images.flatMap(image => image.attestations);
  for (const artifact of [...attestations, ...graph.artifacts]) {
    yield* checkStack(scan, artifact, artifact.layers, 'artifact', cut, graph);
  }
}

/** What a limit left out of the lists of a layer's files. The layer itself was read and judged. */
function* checkLists(scan: Scan, { limits }: Graph, member: Member): Generator<Observation> {
  const tar = scan.facts(member)?.tar ?? null;
  const table = tar?.table ?? null;
  const reached: LimitReached[] = [...(tar?.reached ?? [])];
  const isFull = table?.contents?.full === true;
  const listed: LimitName | null = table?.truncated ?? (isFull ? 'keptContentBytes' : null);
  if (listed !== null) reached.push({ limit: listed, value: limits[listed] });
  for (const { limit, value, seen = null } of reached) {
    // What a record says of an entry may be where its content ends.
    const severity = limit === 'paxBytes' ? undefined : 'warning';
    yield observe('limit-reached', memberAt(member.path), { limit, value, seen }, severity);
  }
}

/** What engines write of sparse files and the layer does not hold: by the same rule as what a compressed layer unpacks to. */
function* checkHoles(scan: Scan, { limits }: Graph, member: Member, layer: number): Generator<Observation> {
  const facts = scan.facts(member);
  const bytes = facts?.tar?.holes ?? 0;
  if (bytes > limits.unpackedFree && bytes > limits.unpackedRatio * facts!.size)
    yield observe('layer-holes', memberAt(member.path), { layer, bytes });
}

function* checkStack(
  scan: Scan,
  owner: Image | Artifact,
  layers: readonly Layer[],
  kind: 'image' | 'artifact',
  cut: ReadonlySet<string>,
  { root }: Graph,
): Generator<Observation> {
  for (const [i, layer] of layers.entries()) {
    if (layer.member === null) {
      const { ref, urls } = layer;
      yield layer.foreign
        ? observe('foreign-layer-absent', layer.at, { ref, layer: i, urls: [...urls] })
        : observe('layer-missing', layer.at, {
            ref,
            layer: i,
            target: brokenLinkAt(scan, root, ref),
            urls: [...urls],
          });
      continue;
    }
    yield* checkCompression(scan, layer, layer.member, i);
    const facts = scan.facts(layer.member);
    if (facts === null || cut.has(layer.member.path) || facts.failure?.kind === 'unreadable') continue;
    yield* checkContent(owner, layer, layer.member, i, facts, kind);
  }
}

function* checkCompression(scan: Scan, layer: Layer, member: Member, i: number): Generator<Observation> {
  const expected = layerType(layer.mediaType).compression;
  // A path of manifest.json makes no claim about compression: its LayerSources describe the layer as it was pulled.
  if (expected === null || layer.claimedDigest === null) return;
  const actual = scan.head(member).compression;
  if (actual === expected) return;
  yield observe('compression-mismatch', memberAt(member.path), {
    layer: i,
    mediaType: layer.mediaType!,
    expected,
    actual,
  });
  if (expected === 'gzip' && actual === 'zstd') {
    const producer = 'containerd, importing an archive';
    const detail = 'zstd layers are labelled gzip';
    yield observe('producer-bug', layer.at, { bug: 'zstd-labelled-gzip', producer, detail });
  }
}
