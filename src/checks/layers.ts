import type { Member } from '../containers/source.js';
import { isPlainTar } from '../filesystem/layer-tables.js';
import { severityOf, unloadables } from '../filesystem/unloadable.js';
import type { LimitName, LimitReached } from '../limits.js';
import type { Artifact, Graph, Image, Layer, Location } from '../link/graph.js';
import { memberAt, type Observation, observe } from '../link/observation.js';
import type { BlobFacts, TarFacts } from '../scan/blob/facts.js';
import type { Scan } from '../scan/scan.js';
import { sameAlgorithm } from '../spec/digest.js';
import { layerType } from '../spec/media-types.js';
import { cutMembers, unchecked } from './blobs.js';
import { brokenLinkAt } from './container.js';

/**
 * Checks the content of a layer: it unpacks, to the diff_id of its config, and is a tar where its media type says so.
 */
function* checkContent(
  owner: Image | Artifact,
  layer: Layer,
  member: Member,
  i: number,
  facts: BlobFacts,
  kind: 'image' | 'artifact',
): Generator<Observation> {
  const at = memberAt(member.path);
  if (layer.encrypted) {
    const plain = isPlainTar(facts);
    const data = { layer: i, mediaType: layer.mediaType!, plain };
    yield observe('layer-encrypted', layer.at, data, plain ? 'warning' : undefined);
    if (!plain) return;
  }
  const failure = failureOf(facts, i, at);
  if (failure !== null) {
    yield failure;
    return;
  }
  yield* checkTail(facts, i, at);
  yield* checkDiffId(owner, layer, i, facts, at);
  if (kind === 'image') yield* checkTar(layer, i, facts, at);
}

/** Why the layer was not unpacked to its end. */
function failureOf({ failure }: BlobFacts, layer: number, at: Location): Observation | null {
  if (failure === null || failure.kind === 'unreadable') return null;
  if (failure.kind === 'limit') {
    const { limit, value, seen = null, enough } = failure;
    return observe('limit-reached', at, { limit, value, seen, ...(enough === undefined ? {} : { enough }) });
  }
  const { kind, codec, reason, unpacked } = failure;
  if (kind === 'unsupported') return observe('layer-unsupported', at, { layer, codec, reason });
  return observe('layer-corrupt', at, { layer, codec, cut: kind === 'truncated', reason, unpacked });
}

/**
 * Bytes after a compressed stream. Only xz allows zeros as padding, in fours; other formats read them as a next part.
 */
function* checkTail({ stream, compression }: BlobFacts, layer: number, at: Location): Generator<Observation> {
  if (stream === null) return;
  const { trailingZeros: zeros, trailingGarbage } = stream;
  const isPadding = compression === 'xz' && zeros % 4 === 0;
  const bytes = trailingGarbage + (isPadding ? 0 : zeros);
  if (bytes > 0) yield observe('layer-trailing-bytes', at, { layer, codec: compression, bytes });
}

function* checkDiffId(
  owner: Image | Artifact,
  { claimedDiffId: expected }: Layer,
  layer: number,
  { unpacked }: BlobFacts,
  at: Location,
): Generator<Observation> {
  if (expected === null) return;
  const actual = unpacked === null ? null : sameAlgorithm(unpacked.digests, expected);
  const config = owner.config?.path ?? owner.at.path;
  if (actual === null) yield* unchecked(expected, { path: config, pointer: `/rootfs/diff_ids/${layer}` });
  else if (actual !== expected) yield observe('diff-id-mismatch', at, { layer, expected, actual });
}

function* checkTar(
  { mediaType }: Layer,
  layer: number,
  facts: BlobFacts,
  at: Location,
): Generator<Observation> {
  const { tar } = facts;
  const reason = tar === null ? 'it is a JSON document' : tar.error;
  if (mediaType !== null && !layerType(mediaType).tar) {
    yield observe('layer-type-other', at, { layer, mediaType, plain: reason === null });
    if (reason !== null) return;
  }
  if (reason !== null) yield observe('layer-not-tar', at, { layer, reason });
  if (tar === null) return;
  yield* checkEntries(tar, layer, at);
  if (tar.behind > 0)
    yield observe('layer-trailing-bytes', at, { layer, codec: 'tar', bytes: tar.behind }, 'warning');
  if (tar.duplicate !== null) yield observe('layer-duplicate-path', at, { layer, path: tar.duplicate });
}

/** Entries of a layer that readers interpret differently. */
function* checkEntries(
  { ambiguities, malformed }: TarFacts,
  layer: number,
  at: Location,
): Generator<Observation> {
  for (const { field, path, readings, count } of ambiguities) {
    const data = { layer, path, field, readings: [...readings], entries: count };
    yield observe('layer-ambiguous', at, data, field === 'content' ? 'warning' : undefined);
  }
  if (malformed === null) return;
  const { reason, path, count } = malformed;
  yield observe('layer-record-invalid', at, { layer, path, reason, entries: count });
}

/** Entries that engines refuse when they unpack the layers of an image in order, or unpack differently. */
function* checkUnpacking(scan: Scan, image: Image): Generator<Observation> {
  const { layers } = image;
  for (const [layer, { member }] of layers.entries()) {
    if (member === null) continue;
    const { compression: codec, tarToo: tar, skippable } = scan.head(member);
    // A compressed stream that some readers do not recognise as one.
    if (tar || skippable)
      yield observe('layer-stream-ambiguous', memberAt(member.path), { layer, codec, tar });
  }
  for (const unloadable of unloadables(scan, image)) {
    const at = memberAt(layers[unloadable.layer]!.member!.path);
    const data = { ...unloadable, engines: [...unloadable.engines] };
    yield observe('layer-unloadable', at, data, severityOf(unloadable));
  }
}

/**
 * Layers of images and artifacts: present, of the compression that the media type claims, unpackable, with the claimed
 * diff_id.
 */
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

/**
 * Limits that leave entries of a layer unread or not compared, so that one which engines refuse, or unpack in different
 * ways, is not seen; and, as warnings, those that only cut the list of its files.
 */
function* checkLists(scan: Scan, { limits }: Graph, member: Member): Generator<Observation> {
  const tar = scan.facts(member)?.tar ?? null;
  const table = tar?.table ?? null;
  const uncompared = tar?.reached ?? [];
  const reached: LimitReached[] = [];
  const isFull = table?.contents?.full === true;
  const listed: LimitName | null = table?.truncated ?? (isFull ? 'keptContentBytes' : null);
  if (listed !== null && !uncompared.some(({ limit }) => limit === listed))
    reached.push({ limit: listed, value: limits[listed] });
  if (table?.contents?.secrets?.full) reached.push({ limit: 'layerSecrets', value: limits.layerSecrets });
  const seen = table?.contents?.packages?.largest ?? null;
  if (seen !== null) reached.push({ limit: 'packageFileBytes', value: limits.packageFileBytes, seen });
  const isCut = (table?.contents?.secrets?.cut ?? 0) > 0;
  const { secretFileBytes } = limits;
  if (isCut)
    yield observe(
      'limit-reached',
      memberAt(member.path),
      { limit: 'secretFileBytes', value: secretFileBytes, seen: null },
      'info',
    );
  for (const { limit, value, seen = null } of uncompared)
    yield observe('limit-reached', memberAt(member.path), { limit, value, seen });
  for (const { limit, value, seen = null } of reached)
    yield observe('limit-reached', memberAt(member.path), { limit, value, seen }, 'warning');
}

/** Bytes of sparse files that engines write and the layer does not hold, under the same limit as decompression. */
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
