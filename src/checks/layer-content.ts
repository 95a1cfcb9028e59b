import type { Artifact, Image, Layer, Place } from '../image/graph.js';
import { isPlainTar } from '../image/layer-faults.js';
import { memberAt, type Observation, observe } from '../image/observation.js';
import type { BlobFacts, TarFacts } from '../scan/facts.js';
import type { Member } from '../source/source.js';
import { sameAlgorithm } from '../spec/digest.js';
import { layerType } from '../spec/media-types.js';
import { unchecked } from './blobs.js';

/** What was read of a layer: whether it unpacks, to what its config says, and is the tar that its media type says. */
export function* checkContent(
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
function failureOf({ failure }: BlobFacts, layer: number, at: Place): Observation | null {
  if (failure === null || failure.kind === 'unreadable') return null;
  if (failure.kind === 'limit') {
    const { limit, value, seen = null, enough } = failure;
    return observe('limit-reached', at, { limit, value, seen, ...(enough === undefined ? {} : { enough }) });
  }
  const { kind, codec, reason, unpacked } = failure;
  if (kind === 'unsupported') return observe('layer-unsupported', at, { layer, codec, reason });
  return observe('layer-corrupt', at, { layer, codec, cut: kind === 'truncated', reason, unpacked });
}

/** Bytes after a compressed stream. Zeros are padding to xz alone, in fours; others take them for the next part. */
function* checkTail({ stream, compression }: BlobFacts, layer: number, at: Place): Generator<Observation> {
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
  at: Place,
): Generator<Observation> {
  if (expected === null) return;
  const actual = unpacked === null ? null : sameAlgorithm(unpacked.digests, expected);
  const config = owner.config?.path ?? owner.at.path;
  if (actual === null) yield* unchecked(expected, { path: config, pointer: `/rootfs/diff_ids/${layer}` });
  else if (actual !== expected) yield observe('diff-id-mismatch', at, { layer, expected, actual });
}

function* checkTar({ mediaType }: Layer, layer: number, facts: BlobFacts, at: Place): Generator<Observation> {
  const { tar } = facts;
  const reason = tar === null ? 'it is a JSON document' : tar.error;
  if (mediaType !== null && !layerType(mediaType).tar) {
    yield observe('layer-type-other', at, { layer, mediaType, plain: reason === null });
    if (reason !== null) return;
  }
  if (reason !== null) yield observe('layer-not-tar', at, { layer, reason });
  if (tar === null) return;
  yield* checkEntries(tar, layer, at);
  if (tar.duplicate !== null) yield observe('layer-duplicate-path', at, { layer, path: tar.duplicate });
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
