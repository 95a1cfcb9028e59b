import { fullPlatform } from '../spec/platform.js';
import { familiarName, parseReference } from '../spec/reference.js';
import type { ArchiveReading } from './read.js';
import { imageIdOf } from './report.js';

function familiar(name: string): string {
  const reference = parseReference(name);
  return typeof reference === 'string' ? name : familiarName(reference);
}

/** What images of an archive can be chosen by, each once: their names, also as Docker shows them, the IDs of those that have none, and their platforms. */
export function choicesIn({ parts }: ArchiveReading): {
  readonly refs: string[];
  readonly platforms: string[];
} {
  const images = parts.flatMap(({ graph }) => graph.images);
  const refs = images.flatMap(image =>
    image.names.length > 0
      ? image.names.flatMap(name => [familiar(name), name])
      : [imageIdOf(image) ?? image.v1Id ?? []].flat(),
  );
  const platforms = images.flatMap(({ platform }) => (platform === null ? [] : [fullPlatform(platform)]));
  return { refs: [...new Set(refs)], platforms: [...new Set(platforms)] };
}
