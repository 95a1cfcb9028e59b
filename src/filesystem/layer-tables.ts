import { type LimitReached, limitText } from '../limits.js';
import type { Image, Layer } from '../link/graph.js';
import type { BlobFacts, BlobFailure } from '../scan/blob/facts.js';
import type { EntryTable } from '../scan/entries/table.js';
import type { Scan } from '../scan/scan.js';
import { sameAlgorithm } from '../spec/digest.js';

/**
 * Every 64 bytes of a name count as another entry: a name may have 4096 bytes, and is in the tree of each image that
 * has the layer.
 */
const NAME_BYTES = 64;

/** The entries of an image's layers that may be applied within the limits. */
interface Applied {
  readonly tables: readonly (EntryTable | null)[];
  /** The first layer that a limit keeps from being applied (all later ones are left out too), and the limit. */
  readonly beyond: { readonly layer: number; readonly limit: LimitReached } | null;
}

/** Entries that may still be applied of a scan, in the order in which images ask: ten thousand may list one layer of a million files. */
const budgetOf = ({ limits }: Scan) => ({ left: limits.archiveEntries, images: new Map<Image, Applied>() });

/**
 * The entries of an image's layers, in order, from a scan of depth `files`. null for a layer that is absent or not a
 * tar, and for all layers beyond the limit `imageEntries`: an image can list one layer a hundred thousand times.
 */
export const tablesOf = (scan: Scan, image: Image): (EntryTable | null)[] => [...applied(scan, image).tables];

/**
 * The first layer whose entries are known but which `tablesOf` leaves out because of a limit, as it does all later
 * ones.
 */
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

/** A reason why the known files of a layer are not all of its files, or not the ones that the image claims. */
export interface LayerFault {
  /** Index into the image's layers. */
  readonly layer: number;
  /**
   * `incomplete`: entries are missing from the list. `changed`: all entries are known, but the bytes differ from the
   * claimed ones.
   */
  readonly kind: 'incomplete' | 'changed';
  /** A text for a report; it may quote the archive. */
  readonly reason: string;
}

/** The faults of an image's layers, from a scan of depth `files`. */
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

/** True if a layer can be read as a tar, and so is not encrypted, even if its media type says so. */
export const isPlainTar = ({ failure, unpacked, tar }: BlobFacts): boolean =>
  failure === null && unpacked !== null && unpacked.size > 0 && tar !== null && tar.error === null;

function incompleteness({ encrypted }: Layer, facts: BlobFacts): string | null {
  const { failure, unpacked, tar } = facts;
  if (encrypted && !isPlainTar(facts)) return 'it is encrypted';
  if (failure !== null) return failureReason(failure);
  // An empty file is not a valid tar, but engines accept it as an empty layer.
  if (unpacked?.size === 0) return null;
  if (tar === null) return 'it is not a tar';
  if (tar.error !== null) return tar.error;
  const limit = tar.table?.truncated ?? null;
  if (limit !== null) return `it has more entries than --limit ${limit} allows`;
  // After the limit `layerEntries` names were not compared, but all entries are here.
  const reached = tar.reached.find(one => one.limit !== 'layerEntries');
  return reached === undefined ? null : limitText(reached);
}

/** How a layer's bytes differ from the image's claims; null if they match or cannot be compared. */
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

/** The reason why a blob could not be read or unpacked to its end. */
export function failureReason(failure: BlobFailure | null): string {
  if (failure === null) return 'it was not read';
  if (failure.kind === 'unreadable') return `it cannot be read: ${failure.reason}`;
  if (failure.kind === 'limit') return limitText(failure);
  return `it cannot be unpacked: ${failure.codec}: ${failure.reason}`;
}
