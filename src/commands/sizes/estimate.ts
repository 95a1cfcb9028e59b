import type { Estimates } from '../../analysis/weigh.js';
import type { Member } from '../../containers/source.js';
import type { Resources } from '../../limits.js';
import { limitsOf } from '../../limits.js';
import type { Layer } from '../../link/graph.js';
import type { ArchiveReading, PartReading } from '../../report/read.js';
import { type Selection, selectImages } from '../../report/select.js';
import { gzipSizes } from '../../write/estimate.js';

export interface EstimateOptions extends Resources {
  /** Called while compressing, with the bytes done and the bytes there are. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Compresses the layers that an archive holds plain, to see what a registry would transfer of them. The archive is read again.
 * @returns null for what was read from a pipe, and cannot be read again
 * @throws InputError when the selection matches nothing, or the archive cannot be read any more
 */
export async function estimateSizes(
  reading: ArchiveReading,
  selection: Selection,
  options: EstimateOptions = {},
): Promise<Estimates | null> {
  const { opened, parts } = reading;
  if (opened.container === 'stream') return null;
  const chosen = selectImages(reading, selection);
  const places = parts.flatMap(part => {
    const images = part.graph.images.filter(image => chosen.has(image));
    const layers = images.flatMap(image => image.layers);
    const plain = new Set(layers.flatMap(layer => plainMember(part, layer) ?? []));
    return [...plain].map(member => ({ inside: part.part.inside, path: member.path, member }));
  });
  const total = places.reduce((sum, { member }) => sum + member.size, 0);
  let done = 0;
  const limits = limitsOf(options.limits);
  const sizes = await gzipSizes(opened.file, places, limits, bytes => {
    done += bytes;
    options.onProgress?.(done, total);
  });
  return new Map([...sizes].map(([{ member }, size]) => [member, size]));
}

/** An encrypted layer travels as it is. */
function plainMember({ scan }: PartReading, { member, encrypted }: Layer): Member | null {
  if (member === null || encrypted) return null;
  return scan.facts(member)?.compression === 'none' ? member : null;
}
