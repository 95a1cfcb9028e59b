import { limitText } from '../limits.js';
import type { BlobFacts, BlobFailure } from '../scan/facts.js';
import type { Scan } from '../scan/scan.js';
import { sameAlgorithm } from '../spec/digest.js';
import type { Image, Layer } from './graph.js';
import { beyondLimit } from './layer-tables.js';

/** Why what is known of a layer's files is not all there is, or not what the image claims. */
export interface LayerFault {
  /** Index into the image's layers. */
  readonly layer: number;
  /** `incomplete`: entries are missing from the list. `changed`: all are there, but the bytes are not what was claimed. */
  readonly kind: 'incomplete' | 'changed';
  /** For people; it may quote the archive. */
  readonly reason: string;
}

/** What is wrong with the layers of an image, from a scan of depth `files`. */
export function layerFaults(scan: Scan, image: Image): LayerFault[] {
  const beyond = beyondLimit(scan, image);
  return image.layers.flatMap((layer, i): LayerFault[] => {
    const facts = layer.member === null ? null : scan.facts(layer.member);
    const missing =
      facts === null
        ? absence(layer)
        : (incompleteness(layer, facts) ?? (i === beyond?.layer ? limitText(beyond.limit) : null));
    if (missing !== null) return [{ layer: i, kind: 'incomplete', reason: missing }];
    const changed = facts === null ? null : mismatch(layer, facts);
    return changed === null ? [] : [{ layer: i, kind: 'changed', reason: changed }];
  });
}

function absence({ member, urls }: Layer): string {
  if (member !== null) return 'it was not read';
  const from = urls.length === 0 ? '' : `; it is fetched from ${urls.join(', ')}`;
  return `the archive does not hold it${from}`;
}

/** Whether a layer that is labelled encrypted is none: what is encrypted is no tar. */
export const isPlainTar = ({ failure, unpacked, tar }: BlobFacts): boolean =>
  failure === null && unpacked !== null && unpacked.size > 0 && tar !== null && tar.error === null;

function incompleteness({ encrypted }: Layer, facts: BlobFacts): string | null {
  const { failure, unpacked, tar } = facts;
  if (encrypted && !isPlainTar(facts)) return 'it is encrypted';
  if (failure !== null) return failureReason(failure);
  // An empty file is no tar, but to engines a layer with nothing in it.
  if (unpacked?.size === 0) return null;
  if (tar === null) return 'it is no tar';
  if (tar.error !== null) return tar.error;
  const limit = tar.table?.truncated ?? null;
  if (limit !== null) return `it has more entries than --limit ${limit} allows`;
  // Names that were not compared are all here.
  const reached = tar.reached.find(one => one.limit !== 'layerEntries');
  return reached === undefined ? null : limitText(reached);
}

/** How a layer's bytes differ from what the image claims of them; null where they do not, or nothing tells. */
export function mismatch(
  { claimedDigest, claimedDiffId }: Layer,
  { digests, unpacked }: BlobFacts,
): string | null {
  const wrong = (what: string, claim: string | null, actual: BlobFacts['digests']) => {
    const found = claim === null || actual === null ? null : sameAlgorithm(actual, claim);
    return found === null || found === claim ? null : `expected ${what} ${claim}, found ${found}`;
  };
  return (
    wrong('the digest', claimedDigest, digests) ??
    wrong('the diff_id', claimedDiffId, unpacked?.digests ?? null)
  );
}

/** Why a blob could not be read or unpacked to its end. */
export function failureReason(failure: BlobFailure | null): string {
  if (failure === null) return 'it was not read';
  if (failure.kind === 'unreadable') return `it cannot be read: ${failure.reason}`;
  if (failure.kind === 'limit') return limitText(failure);
  return `it cannot be unpacked: ${failure.codec}: ${failure.reason}`;
}
