import type { Finding } from '../checks/findings.js';
import { InputError } from '../errors.js';
import { visible } from '../visible.js';
import { type ArchiveReading, imagesIn } from './read.js';

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

/** @throws InputError when there are no images, but files that the system would not read: none would pass for an answer */
export function refuseUnread(reading: ArchiveReading): void {
  const isUnread = reading.parts.some(({ findings }) => findings.some(({ code }) => code === 'unreadable'));
  if (isUnread && imagesIn(reading) === 0) throw noImage(reading);
}

/** Nothing was found, and why that may be. */
export function noImage(reading: ArchiveReading, what = 'no image in it'): InputError {
  const losses = lossesOf(reading);
  const remedy = losses.length === 0 ? null : losses.join('\n');
  return new InputError(what, reading.opened.file, remedy, { damaged: losses.length > 0 });
}
