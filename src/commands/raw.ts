import { InputError } from '../errors.js';
import { formatPlatform } from '../spec/platform.js';
import type { Answer } from './answer.js';
import type { ArchiveReading } from './read.js';
import { imageIdOf } from './report.js';
import { type Selection, selectImages } from './select.js';

/**
 * `waybill config --raw`: the config of an image as it is stored, byte for byte; its sha256 is the image's ID.
 * @throws InputError when the selection means several images, or one whose config cannot be read
 */
export function rawConfig(reading: ArchiveReading, selection: Selection): Answer {
  const file = reading.opened.file;
  const images = [...selectImages(reading, selection)];
  const documents = new Map(images.map(image => [imageIdOf(image) ?? image.v1Id ?? image.at.path, image]));
  if (documents.size > 1) {
    const list = [...documents].map(([id, { platform, names }]) => {
      const words = [id, platform === null ? '' : formatPlatform(platform), names.join(', ')];
      return `  ${words.filter(word => word !== '').join('  ')}`;
    });
    throw new InputError(
      `it holds the configs of ${documents.size} images`,
      file,
      `Say which one, or a --platform:\n${list.join('\n')}`,
    );
  }
  const [image] = images;
  if (image === undefined) throw new InputError('no image in it', file);
  const { config } = image;
  const bytes = config?.document?.bytes ?? null;
  if (bytes === null) {
    const where =
      config === null
        ? 'its manifest names no config'
        : `its config ${config.path} is not in the archive, or too large to be read`;
    throw new InputError(`the config of the image cannot be printed: ${where}`, file);
  }
  return { stdout: bytes, notes: [], exitCode: 0 };
}
