import { doubtText } from '../../checks/rules-lock.js';
import { readText } from '../../containers/text-file.js';
import { InputError } from '../../errors.js';
import { type LockedImage, lockText, mergedImages } from '../../lock/lock.js';
import { parseLock } from '../../lock/parse.js';
import type { ArchiveReading, ReadOptions } from '../../report/read.js';
import { nameOf } from '../../report/reported.js';
import type { Requirement } from '../../report/requirement.js';
import { requireImages, type Selection, selectImages } from '../../report/select.js';
import { visible } from '../../visible.js';
import { identifiedImages } from './images.js';
import { type LockOptions, lockRequirement } from './requirement.js';

/** The options to read an archive that is to be locked: every byte, so that all digests are computed. */
export const lockReadOptions = (withFiles: boolean): ReadOptions =>
  withFiles ? { depth: 'files', files: { digests: true } } : { depth: 'digests' };

/** A lock of a thousand images has about five megabytes. */
const LOCK_BYTES = 64 * 1024 * 1024;

/** Images, and reasons of each, that are named in an error. */
const SHOWN = 5;

/**
 * The chosen images of an archive, as a lock has them.
 * @throws InputError when the selection matches nothing, and where it cannot be said what one of them is: a lock that
 * leaves out an image would not be one of the archive
 */
export function lockedImages(
  reading: ArchiveReading,
  { withFiles, ...selection }: Selection & { readonly withFiles: boolean },
): readonly LockedImage[] {
  requireImages(reading);
  const chosen = selectImages(reading, selection);
  const all = identifiedImages(reading, withFiles).filter(({ image }) => chosen.has(image));
  const unknown = all.filter(({ locked }) => locked === null);
  if (unknown.length === 0) return all.map(({ locked }) => locked!);
  const lines = unknown.slice(0, SHOWN).map(({ image, doubts }) => {
    const reasons = doubts.slice(0, SHOWN).map(doubtText).join('; ');
    return visible(`${nameOf(image) ?? '(untagged)'}: ${reasons}`);
  });
  const rest = unknown.length - lines.length;
  throw new InputError(
    'cannot be locked: it is not certain what is in it',
    reading.opened.file,
    [...lines, ...(rest > 0 ? [`and ${rest} more: waybill verify`] : [])].join('\n'),
  );
}

/** A lock, and how many images it has. */
export interface MadeLock {
  readonly text: string;
  readonly images: number;
}

export const madeLock = (images: readonly LockedImage[]): MadeLock => ({
  text: lockText(images),
  images: mergedImages(images).length,
});

/**
 * Reads the lock of `verify --lock`.
 * @throws InputError for what is none: what is wrong, and where it stands
 */
export async function loadLock(options: LockOptions): Promise<Requirement> {
  const { file } = options;
  const result = await readText(file, LOCK_BYTES);
  if ('reason' in result) throw new InputError(result.reason, file);
  const parsed = parseLock(result.text);
  if (!('what' in parsed)) return lockRequirement(parsed, options);
  const { what, at, remedy } = parsed;
  throw new InputError(what, at === null ? file : `${file}:${at.line}:${at.column}`, remedy);
}
