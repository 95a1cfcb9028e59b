import { type LimitReached, limitText } from '../limits.js';
import type { Image, Layer } from '../link/graph.js';
import type { BlobFacts, BlobFailure } from '../scan/blob/facts.js';
import type { EntryTable } from '../scan/entries/table.js';
import type { Scan } from '../scan/scan.js';
import { sameAlgorithm } from '../spec/digest.js';

/** Bytes of names that weigh as much as an entry: each may be of 4096, and stand in the tree of each layer that has it. */
const NAME_BYTES = 64;

/** The entries of an image's layers, as far as they may be applied. */
interface Applied {
  readonly tables: readonly (EntryTable | null)[];
  /** The first layer whose entries are kept and not applied, with all that follow, and the limit that it hit. */
  readonly beyond: { readonly layer: number; readonly limit: LimitReached } | null;
}

/** Entries that may still be applied of a scan, in the order in which images ask: ten thousand may list one layer of a million files. */
const budgetOf = ({ limits }: Scan) => ({ left: limits.archiveEntries, images: new Map<Image, Applied>() });

/**
 * The entries of an image's layers, in order, from a scan of depth `files`; null where a layer is absent or no tar, and from where
 * on they are more than are applied: an image can list one layer a hundred thousand times.
 */
export const tablesOf = (scan: Scan, image: Image): (EntryTable | null)[] => [...applied(scan, image).tables];

/** The first layer whose entries are kept and which `tablesOf` leaves out all the same, with all that follow. */
export const beyondLimit = (scan: Scan, image: Image): Applied['beyond'] => applied(scan, image).beyond;

function applied(scan: Scan, image: Image): Applied {
  const { imageEntries } = scan.limits;
  const all = scan.once(budgetOf, scan);
  const known = all.images.get(image);
  if (known !== undefined) return known;
  const limit = imageEntries <= all.left ? 'imageEntries' : 'archiveEntries';
  const made = upTo(Math.min(imageEntries, all.left), scan, image);
  all.left -= made.weight;
  const beyond =
    made.beyond < 0 ? null : { layer: made.beyond, limit: { limit, value: scan.limits[limit] } as const };
  const result = { tables: made.tables, beyond };
  all.images.set(image, result);
  return result;
}

function upTo(most: number, scan: Scan, image: Image) {
  let weight = 0;
  let beyond = -1;
  const tables = image.layers.map(({ member }, i) => {
    const table = member === null ? null : (scan.facts(member)?.tar?.table ?? null);
    if (table === null || beyond >= 0) return null;
    const heavier = weight + Math.max(table.count, table.bytes.length / NAME_BYTES);
    if (heavier > most) {
      beyond = i;
      return null;
    }
    weight = heavier;
    return table;
  });
  return { tables, weight, beyond };
}

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
