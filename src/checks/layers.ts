import type { Artifact, Graph, Image, Layer, Place } from '../image/graph.js';
import { memberAt, type Observation, observe } from '../image/observation.js';
import type { LimitName, LimitReached } from '../limits.js';
import type { BlobFacts, TarFacts } from '../scan/facts.js';
import type { Scan } from '../scan/scan.js';
import type { Member } from '../source/source.js';
import { sameAlgorithm } from '../spec/digest.js';
import { layerType } from '../spec/media-types.js';
import { cutMembers, unchecked } from './blobs.js';

/** Layers of images and artifacts: there, of the promised compression, unpackable, and what the config says they are. */
export function* checkLayers(scan: Scan, graph: Graph): Generator<Observation> {
  const cut = cutMembers(scan);
  for (const image of graph.images) {
    yield* checkStack(scan, image, image.layers, 'image', cut);
    for (const [i, { member }] of image.layers.entries()) {
      if (member === null) continue;
      yield* checkLists(scan, graph, member);
      yield* checkHoles(scan, graph, member, i);
    }
  }
  const attestations = graph.images.flatMap(image => image.attestations);
  for (const artifact of [...attestations, ...graph.artifacts]) {
    yield* checkStack(scan, artifact, artifact.layers, 'artifact', cut);
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
): Generator<Observation> {
  for (const [i, layer] of layers.entries()) {
    if (layer.member === null) {
      const { ref, urls } = layer;
      yield layer.foreign
        ? observe('foreign-layer-absent', layer.at, { ref, layer: i, urls: [...urls] })
        : observe('layer-missing', layer.at, { ref, layer: i, urls: [...urls] });
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
    yield observe('limit-reached', at, { limit: failure.limit, value: failure.value, seen: null });
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
    yield* unchecked(expected, { path: config, pointer: `/rootfs/diff_ids/${i}` });
  } else if (expected !== null && actual !== null && actual !== expected) {
    yield observe('diff-id-mismatch', at, { layer: i, expected, actual });
  }
  if (kind !== 'image') return;
  const reason = tar === null ? 'it is a JSON document' : tar.error;
  if (reason !== null) yield observe('layer-not-tar', at, { layer: i, reason });
  if (tar !== null) yield* checkEntries(tar, i, at);
  if (tar?.duplicate != null) yield observe('layer-duplicate-path', at, { layer: i, path: tar.duplicate });
}

/** What the entries of a layer are to one reader, and not to another. */
function* checkEntries(
  { ambiguities, malformed }: TarFacts,
  layer: number,
  at: Place,
): Generator<Observation> {
  for (const { field, path, readings, count } of ambiguities) {
    const data = { layer, path, field, readings: [...readings], entries: count };
    yield observe('layer-ambiguous', at, data, field === 'content' ? 'warning' : undefined);
  }
  if (malformed === null) return;
  const { reason, path, count } = malformed;
  yield observe('layer-record-invalid', at, { layer, path, reason, entries: count });
}
