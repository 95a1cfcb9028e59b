import { InputError } from '../errors.js';
import type { Image } from '../image/graph.js';
import { fullPlatform, type Platform, platformMatches } from '../spec/platform.js';
import { normalName } from '../spec/reference.js';
import { legible, visible } from '../visible.js';
import { noImage } from './no-image.js';
import type { ArchiveReading } from './read.js';
import { imageIdOf } from './report.js';

export interface Selection {
  /** A tag, a name, an image ID or a digest, in full or its beginning. */
  readonly ref?: string | undefined;
  readonly platform?: Platform | undefined;
  /** The reference stood where a file could stand: where no image is called so, that there is no such file is said too. */
  readonly refMayBeFile?: boolean | undefined;
}

/**
 * Chooses images of an archive.
 * @throws InputError when nothing matches, listing what there is, or when a reference means several images
 */
export function selectImages(
  reading: ArchiveReading,
  { ref, platform, refMayBeFile }: Selection,
): ReadonlySet<Image> {
  const all = reading.parts.flatMap(part => part.graph.images);
  const where = reading.opened.file;
  if (all.length === 0 && (ref !== undefined || platform !== undefined)) throw noImage(reading);
  let chosen = all;
  if (ref !== undefined) {
    chosen = all.filter(image => matches(image, ref));
    if (chosen.length === 0) throw noMatch(where, ref, all, refMayBeFile);
    if (!isOneThing(chosen, ref)) {
      throw new InputError(
        `${JSON.stringify(ref)} means ${chosen.length} images`,
        where,
        `Say which one:\n${list(chosen)}`,
      );
    }
  }
  if (platform === undefined) return new Set(chosen);
  const fitting = chosen.filter(
    image => image.platform !== null && platformMatches(image.platform, platform),
  );
  if (fitting.length === 0) throw noPlatform(where, platform, chosen, reading);
  return new Set(fitting);
}

function matches(image: Image, ref: string): boolean {
  if (image.names.some(name => name === ref || normalName(name) === normalName(ref))) return true;
  return idsOf(image).some(id => startsWith(id, ref));
}

const idsOf = (image: Image) =>
  [
    imageIdOf(image),
    image.manifest?.digest,
    image.manifest?.claimedDigest,
    image.v1Id,
    ...image.indexDigests,
  ].filter(id => id != null);

/** A beginning of a digest, with or without its algorithm; as in Docker a few digits are enough if they are hex. */
export function startsWith(digest: string, prefix: string): boolean {
  if (prefix.includes(':')) return digest.startsWith(prefix);
  return /^[0-9a-f]{4,}$/.test(prefix) && digest.slice(digest.indexOf(':') + 1).startsWith(prefix);
}

/** Several platforms behind one name or one index are one thing; anything else is ambiguous. */
function isOneThing(images: readonly Image[], ref: string): boolean {
  if (new Set(images.map(imageIdOf)).size === 1 && imageIdOf(images[0]!) !== null) return true;
  if (images.length === 1) return true;
  const shared = images[0]!.indexDigests.filter(digest => images.every(i => i.indexDigests.includes(digest)));
  if (shared.length > 0) return true;
  const platforms = new Set(images.map(i => (i.platform === null ? null : fullPlatform(i.platform))));
  const byName = images.every(i =>
    i.names.some(name => normalName(name) === normalName(ref) || name === ref),
  );
  return byName && platforms.size === images.length;
}

function noMatch(where: string, ref: string, all: readonly Image[], isNoFile = false): InputError {
  const full = normalName(ref);
  const meaning = full === ref ? '' : ` (which as a name is ${full})`;
  const file = isNoFile ? ', and no such file' : '';
  return new InputError(
    `no image ${JSON.stringify(ref)}${meaning} in it${file}`,
    where,
    `It holds:\n${list(all)}`,
  );
}

function noPlatform(
  where: string,
  platform: Platform,
  images: readonly Image[],
  reading: ArchiveReading,
): InputError {
  const text = (p: Platform | null) => (p === null ? 'unknown' : visible(fullPlatform(p)));
  const here = [...new Set(images.map(image => text(image.platform)))];
  const listed = reading.parts.flatMap(p =>
    p.graph.absent.filter(a => !a.attestation).map(a => text(a.platform)),
  );
  const absent =
    listed.length === 0 ? '' : ` Listed, but not in the archive: ${[...new Set(listed)].join(', ')}.`;
  return new InputError(
    `no image for ${fullPlatform(platform)} in it`,
    where,
    `It has ${here.length === 0 ? 'none' : here.join(', ')}.${absent}`,
  );
}

function list(images: readonly Image[]): string {
  return images
    .map(image => {
      const id = imageIdOf(image) ?? image.v1Id ?? '(no config)';
      const platform = image.platform === null ? '' : `  ${visible(fullPlatform(image.platform))}`;
      return `  ${id}${platform}  ${legible(image.names.join(', ')) || '(untagged)'}`;
    })
    .join('\n');
}
