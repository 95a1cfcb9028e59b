import { InputError } from '../errors.js';
import type { Image } from '../image/graph.js';
import { fullPlatform } from '../spec/platform.js';
import { legible, visible } from '../visible.js';
import { noImage } from './no-image.js';
import type { ArchiveReading, PartReading } from './read.js';
import { imageIdOf } from './report.js';
import { type Selection, selectImages } from './select.js';

/** An image, and the part of the archive that has it. */
export interface ChosenImage {
  readonly part: PartReading;
  readonly image: Image;
}

/** The images that are meant, in the order of the archive. @throws InputError when there is none */
export function chosenImages(reading: ArchiveReading, selection: Selection): ChosenImage[] {
  const chosen = selectImages(reading, selection);
  return reading.parts.flatMap(part =>
    part.graph.images.filter(image => chosen.has(image)).map(image => ({ part, image })),
  );
}

/** The one image that is meant. @throws InputError when there is none, or several, which are listed */
export function oneImage(reading: ArchiveReading, selection: Selection): ChosenImage {
  const chosen = chosenImages(reading, selection);
  const [first] = chosen;
  const { file } = reading.opened;
  if (first === undefined) throw noImage(reading);
  if (chosen.length > 1) {
    const lines = chosen.map(({ image }) => line(image)).join('\n');
    throw new InputError(
      `it holds ${chosen.length} images`,
      file,
      `Say which one, or a --platform:\n${lines}`,
    );
  }
  return first;
}

function line(image: Image): string {
  const id = imageIdOf(image) ?? image.v1Id ?? '(no config)';
  const platform = image.platform === null ? '' : `  ${fullPlatform(image.platform)}`;
  return `  ${id}${visible(platform)}  ${legible(image.names.join(', ')) || '(untagged)'}`;
}
