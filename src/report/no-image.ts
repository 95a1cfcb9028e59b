import type { Finding } from '../checks/findings.js';
import { InputError } from '../errors.js';
import { visible } from '../visible.js';
import { type ArchiveReading, imagesIn } from './read.js';
import { count } from './words.js';

/** Enough to see what happened; `waybill verify` has them all. */
const SHOWN = 3;

/**
 * What may have cost an archive its images, a line each: errors of those parts of it that have none, and parts that could not
 * be read at all. None for an archive that is sound and holds no image.
 */
export function lossesOf({ parts, findings }: Pick<ArchiveReading, 'parts' | 'findings'>): string[] {
  const empty = parts.filter(({ graph }) => graph.images.length === 0);
  // That there is no image is what has to be explained.
  const isLoss = ({ severity, code }: Finding) => severity === 'error' && code !== 'no-image';
  const errors = [...findings, ...empty.flatMap(part => part.findings)].filter(isLoss);
  const lines = errors.map(({ at, message }) => visible(at.path === '' ? message : `${at.path}: ${message}`));
  const rest = lines.length - SHOWN;
  return rest <= 0 ? lines : [...lines.slice(0, SHOWN), `and ${rest} more: waybill verify`];
}

/** For a command that asks about images: none is no answer. @throws InputError when there are none */
export function requireImages(reading: ArchiveReading): void {
  if (imagesIn(reading) === 0) throw noImage(reading);
}

/** For a command that asks about artifacts too. @throws InputError when there is neither */
export function requireAnything(reading: ArchiveReading): void {
  if (artifactsIn(reading) === 0) requireImages(reading);
}

const artifactsIn = ({ parts }: ArchiveReading) =>
  parts.reduce((sum, { graph }) => sum + graph.artifacts.length, 0);

/** Nothing was found, why that may be, and what there is instead. */
export function noImage(reading: ArchiveReading, what = 'no image in it'): InputError {
  const losses = lossesOf(reading);
  const artifacts = artifactsIn(reading);
  const rest =
    artifacts === 0 ? [] : [`It holds ${count(artifacts, 'artifact')}: \`waybill show\` lists them.`];
  const lines = [...losses, ...rest];
  const remedy = lines.length === 0 ? null : lines.join('\n');
  return new InputError(what, reading.opened.file, remedy, { damaged: losses.length > 0 });
}
