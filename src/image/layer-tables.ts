import type { LimitReached } from '../limits.js';
import type { EntryTable } from '../scan/entry-table.js';
import type { Scan } from '../scan/scan.js';
import type { Image } from './graph.js';

/** Bytes of names that weigh as much as an entry: each may be of 4096, and stand in the tree of each layer that has it. */
const NAME_BYTES = 64;

/** The entries of an image's layers, as far as they may be applied. */
interface Applied {
  readonly tables: readonly (EntryTable | null)[];
  /** The first layer whose entries are kept and not applied, with all that follow, and the limit that it hit. */
  readonly beyond: { readonly layer: number; readonly limit: LimitReached } | null;
}

/** What was given of a scan, in the order in which it was asked for: ten thousand images may list one layer of a million files. */
const given = new WeakMap<Scan, { left: number; readonly images: Map<Image, Applied> }>();

/**
 * The entries of an image's layers, in order, from a scan of depth `files`; null where a layer is absent or no tar, and from where
 * on they are more than are applied: an image can list one layer a hundred thousand times.
 */
export const tablesOf = (scan: Scan, image: Image): (EntryTable | null)[] => [...applied(scan, image).tables];

/** The first layer whose entries are kept and which `tablesOf` leaves out all the same, with all that follow. */
export const beyondLimit = (scan: Scan, image: Image): Applied['beyond'] => applied(scan, image).beyond;

function applied(scan: Scan, image: Image): Applied {
  const { archiveEntries, imageEntries } = scan.limits;
  const all = given.get(scan) ?? { left: archiveEntries, images: new Map() };
  given.set(scan, all);
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
