import { layerEntriesOf } from '../../filesystem/layer-changes.js';
import { layerFaults, tablesOf } from '../../filesystem/layer-tables.js';
import type { Image } from '../../link/graph.js';
import { type FileReport, fileReport } from '../../report/file-report.js';
import type { ArchiveReading } from '../../report/read.js';
import { type ChosenImage, oneImage, type Selection } from '../../report/select.js';
import type { Scan } from '../../scan/scan.js';
import { visible } from '../../visible.js';
import { layerNamed, type ReadLayers } from '../single-layers.js';

/** An entry of a layer; a whiteout deletes something of lower layers. */
interface LayerFileReport extends FileReport {
  readonly whiteout: boolean;
}

/**
 * The layer of one image.
 * @param layer  a number from 1, or the beginning of a digest or diff_id
 * @returns index  of the layer, from 0
 * @throws InputError when the selection means no image or several, or there is no such layer
 */
export async function layerOf(
  reading: ArchiveReading,
  selection: Selection,
  layer: string,
  readLayers: ReadLayers,
): Promise<{ readonly chosen: ChosenImage; readonly index: number }> {
  const chosen = oneImage(reading, selection);
  return { chosen, index: await layerNamed(chosen, layer, reading.opened.file, readLayers) };
}

/**
 * The entries of one layer in its order, made when they are asked for.
 * @param scan  of depth `files`, with the facts of this layer
 * @returns fault  why these are not all entries of the layer, or not those that the image claims; null if they are
 */
export function layerListing(
  scan: Scan,
  image: Image,
  index: number,
): { readonly entries: Iterable<LayerFileReport>; readonly fault: string | null } {
  const table = tablesOf(scan, image)[index] ?? null;
  const fault = layerFaults(scan, image).find(({ layer }) => layer === index) ?? null;
  return {
    entries: table === null ? [] : reportsOf(layerEntriesOf(table, index)),
    fault: fault === null ? null : `layer ${index + 1}: ${visible(fault.reason)}`,
  };
}

function* reportsOf(
  entries: Iterable<ReturnType<typeof layerEntriesOf>[number]>,
): Generator<LayerFileReport> {
  for (const entry of entries) yield { ...fileReport(entry), whiteout: entry.isWhiteout };
}
