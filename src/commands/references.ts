import { fullPlatform } from '../spec/platform.js';
import type { ArchiveReading } from './read.js';
import { imageIdOf } from './report.js';

/** What images of an archive can be chosen by, each once: their names, the IDs of those that have none, and their platforms. */
export function choicesIn({ parts }: ArchiveReading): {
  readonly refs: string[];
  readonly platforms: string[];
} {
  const images = parts.flatMap(({ graph }) => graph.images);
  const refs = images.flatMap(image =>
    image.names.length > 0 ? image.names : [imageIdOf(image) ?? image.v1Id ?? []].flat(),
  );
  const platforms = images.flatMap(({ platform }) => (platform === null ? [] : [fullPlatform(platform)]));
  return { refs: [...new Set(refs)], platforms: [...new Set(platforms)] };
}
