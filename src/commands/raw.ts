import { InputError } from '../errors.js';
import { limitText } from '../limits.js';
import type { ConfigNode } from '../link/graph.js';
import type { Answer } from '../report/answer.js';
import { noImage } from '../report/no-image.js';
import type { ArchiveReading } from '../report/read.js';
import { imageIdOf } from '../report/report.js';
import { type Selection, selectImages } from '../report/select.js';
import { fullPlatform } from '../spec/platform.js';
import { visible } from '../visible.js';

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
      const words = [id, platform === null ? '' : fullPlatform(platform), names.join(', ')];
      return `  ${visible(words.filter(word => word !== '').join('  '))}`;
    });
    throw new InputError(
      `it holds the configs of ${documents.size} images`,
      file,
      `Say which one, or a --platform:\n${list.join('\n')}`,
    );
  }
  const [image] = images;
  if (image === undefined) throw noImage(reading);
  const { config } = image;
  const bytes = config?.document?.bytes ?? null;
  if (bytes === null) {
    throw new InputError(`the config of the image cannot be printed: ${whyNone(config)}`, file);
  }
  return { stdout: bytes, notes: [], exitCode: 0 };
}

function whyNone(config: ConfigNode | null): string {
  if (config === null) return 'the manifest names none';
  const { path, member, document } = config;
  if (member === null) return `${path} is not in the archive`;
  const error = document?.error ?? null;
  if (error?.kind === 'limit') return `${path}: ${limitText({ ...error, seen: error.actual })}`;
  return `${path} cannot be read: ${error?.reason ?? 'it is no JSON'}`;
}
