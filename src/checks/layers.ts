import type { Artifact, Graph, Image, Layer } from '../image/graph.js';
import { memberAt, type Observation, observe } from '../image/observation.js';
import type { BlobFacts } from '../scan/facts.js';
import type { Scan } from '../scan/scan.js';
import type { Member } from '../source/source.js';
import { sameAlgorithm } from '../spec/digest.js';
import { layerType } from '../spec/media-types.js';
import { cutMembers } from './blobs.js';

/** Layers of images and artifacts: there, of the promised compression, unpackable, and what the config says they are. */
export function* checkLayers(scan: Scan, graph: Graph): Generator<Observation> {
  const cut = cutMembers(scan);
  for (const image of graph.images) yield* checkStack(scan, image, image.layers, 'image', cut);
  const attestations = graph.images.flatMap(image => image.attestations);
  for (const artifact of [...attestations, ...graph.artifacts]) {
    yield* checkStack(scan, artifact, artifact.layers, 'artifact', cut);
  }
}

function* checkStack(
  scan: Scan,
  owner: Image | Artifact,
  layers: readonly Layer[],
  kind: 'image' | 'artifact',
  cut: ReadonlySet<string>,
): Generator<Observation> {
  for (const [i, layer] of layers.entries()) {
    if (layer.member === null) {
      const { ref, urls } = layer;
      yield layer.foreign
        ? observe('foreign-layer-absent', layer.at, { ref, layer: i, urls: [...urls] })
        : observe('layer-missing', layer.at, { ref, layer: i });
      continue;
    }
    if (layer.encrypted)
      yield observe('layer-encrypted', layer.at, { layer: i, mediaType: layer.mediaType! });
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

function* checkContent(
  owner: Image | Artifact,
  layer: Layer,
  member: Member,
  i: number,
  facts: BlobFacts,
  kind: 'image' | 'artifact',
): Generator<Observation> {
  const at = memberAt(member.path);
  if (layer.encrypted) return;
  const { failure, stream, unpacked, tar } = facts;
  if (failure?.kind === 'limit') {
    yield observe('limit-reached', at, { limit: failure.limit, value: failure.value });
    return;
  }
  if (failure?.kind === 'unsupported') {
    yield observe('layer-unsupported', at, { layer: i, codec: failure.codec, reason: failure.reason });
    return;
  }
  if (failure !== null) {
    const { codec, reason, unpacked: bytes } = failure as Extract<typeof failure, { codec: string }>;
    yield observe('layer-corrupt', at, {
      layer: i,
      codec,
      cut: failure.kind === 'truncated',
      reason,
      unpacked: bytes,
    });
    return;
  }
  if (stream !== null && stream.trailingGarbage > 0) {
    const bytes = stream.trailingGarbage;
    yield observe('layer-trailing-bytes', at, { layer: i, codec: facts.compression, bytes });
  }
  const expected = layer.claimedDiffId;
  const actual = expected === null || unpacked === null ? null : sameAlgorithm(unpacked.digests, expected);
  const config = owner.config?.path ?? owner.at.path;
  if (expected !== null && actual === null) {
    yield observe(
      'digest-unchecked',
      { path: config, pointer: `/rootfs/diff_ids/${i}` },
      { digest: expected },
    );
  } else if (expected !== null && actual !== null && actual !== expected) {
    yield observe('diff-id-mismatch', at, { layer: i, expected, actual });
  }
  if (kind !== 'image') return;
  const reason = tar === null ? 'it is a JSON document' : tar.error;
  if (reason !== null) yield observe('layer-not-tar', at, { layer: i, reason });
  if (tar?.duplicate != null) yield observe('layer-duplicate-path', at, { layer: i, path: tar.duplicate });
}
