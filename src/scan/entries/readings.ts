import type { EntryHeader, EntryRecords } from '../../tar/entry.js';
import { isHeaderOnly } from '../../tar/header.js';
import type { TarOddities } from '../../tar/layer-records.js';
import { nameReadings, sizeReadings } from '../../tar/records.js';
import { agreesWithField } from '../../tar/walk-archive.js';

const DIRECTORY = '5'.charCodeAt(0);

/**
 * Tells of what an entry's header says to one reader and not to another.
 * @param size  of the header itself
 */
export function compareReadings(
  oddities: TarOddities,
  block: Uint8Array,
  { name, flag, storedSize, claimedSize }: EntryHeader,
  records: EntryRecords,
  size: number,
): void {
  if (isHeaderOnly(flag)) {
    // Old writers give directories the space that was set aside for them.
    if (claimedSize > 0 && flag !== DIRECTORY)
      oddities.isAmbiguous('content', name, ['0', String(claimedSize)]);
  } else if (!agreesWithField(storedSize, size))
    oddities.isAmbiguous('size', name, [String(storedSize), String(size)]);
  const names = nameReadings(block, records);
  if (names !== null) oddities.isAmbiguous('name', name, names);
  const sizes = records.pax.get('size') ? null : sizeReadings(block, size);
  if (sizes !== null) oddities.isAmbiguous('size', name, sizes);
}
