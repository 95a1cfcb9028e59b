import type { Finding } from '../checks/findings.js';
import { InputError } from '../errors.js';
import type { Image } from '../link/graph.js';
import { imagesByRefName } from '../link/names.js';
import { areDocumentsLost } from '../link/observation.js';
import { fullPlatform, mayRunFor, type Platform, platformMatches, platformsAgree } from '../spec/platform.js';
import { familiarName, mayBeShortFor, normalName, parseReference } from '../spec/reference.js';
import { visible } from '../visible.js';
import { ambiguous, arePlatformsOfOne, choiceList, isNamed } from './ambiguity.js';
import { type ArchiveReading, imagesIn, type PartReading } from './read.js';
import { imageIdOf } from './report.js';
import { count } from './words.js';

/** Enough to see what happened; `waybill verify` has them all. */
const SHOWN = 3;

/**
 * Possible reasons why an archive shows no image, one per line: errors of those parts of it that have none, and parts
 * that could not be read at all. None for an archive that is sound and holds no image.
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

export interface Selection {
  /** A tag, a name, an image ID or a digest, in full or its beginning. */
  readonly ref?: string | undefined;
  readonly platform?: Platform | undefined;
  /**
   * Also the images that an engine may take for what is asked: with `platform`, where the documents differ about
   * theirs; with `ref`, where it is the tag by which skopeo finds them, or a short name to which podman adds another
   * registry. Hazard: a gate must not pass over an image that runs.
   */
  readonly mayRun?: boolean | undefined;
  /** One image by its place among all images of the archive, from 0: two images may have the same names and ID. */
  readonly position?: number | undefined;
  /**
   * The reference stood where a file could stand: where no image is called so, that there is no such file is said too.
   */
  readonly refMayBeFile?: boolean | undefined;
}

/**
 * Chooses images of an archive.
 * @throws InputError when nothing matches, listing what there is, or when a reference means several images
 */
export function selectImages(
  reading: ArchiveReading,
  { ref, platform, mayRun = false, position, refMayBeFile }: Selection,
): ReadonlySet<Image> {
  const all = reading.parts.flatMap(part => part.graph.images);
  const where = reading.opened.file;
  if (all.length === 0 && (ref !== undefined || platform !== undefined)) throw noImage(reading);
  let chosen = position === undefined ? all : all.slice(position, position + 1);
  if (ref !== undefined) {
    const matching = new Set(chosen.filter(image => matches(image, ref)));
    if (matching.size === 0) throw noMatch(where, ref, all, refMayBeFile);
    const tagged = mayRun ? reading.parts.map(({ graph }) => imagesByRefName(graph, ref)) : [];
    const isFound = (image: Image) =>
      tagged.some(images => images.has(image)) || image.names.some(name => mayBeShortFor(ref, name));
    chosen = chosen.filter(image => matching.has(image) || (mayRun && isFound(image)));
    if (!haveOneId(chosen) && !arePlatformsOfOne(chosen, ref))
      throw ambiguous(where, `${JSON.stringify(ref)} means ${chosen.length} images`, listOf(chosen));
  }
  if (platform === undefined) return new Set(chosen);
  const isFitting = (own: Platform | null) => own !== null && platformMatches(own, platform);
  const fitting = chosen.filter(image => (mayRun ? mayRunOn(image, platform) : isFitting(image.platform)));
  if (fitting.length === 0) throw noPlatform(where, platform, chosen, reading);
  return new Set(fitting);
}

/** Engines go by an index, by the first of its entries that fits, or by the config; and run what has no platform. */
function mayRunOn({ platform, manifest, config }: Image, wanted: Platform): boolean {
  if (platform === null) return true;
  const declared = (manifest?.descriptors ?? []).map(({ descriptor }) => descriptor.platform);
  const others = [...declared, config?.parsed?.platform ?? null].filter(
    other => other !== null && !platformsAgree(other, platform),
  );
  return [platform, ...others].some(stated => mayRunFor(stated!, wanted));
}

function matches(image: Image, ref: string): boolean {
  return isNamed(image.names, ref) || idsOf(image).some(id => startsWith(id, ref));
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

const haveOneId = (images: readonly Image[]): boolean =>
  new Set(images.map(imageIdOf)).size === 1 && imageIdOf(images[0]!) !== null;

function noMatch(where: string, ref: string, all: readonly Image[], isNoFile = false): InputError {
  const full = normalName(ref);
  const meaning = full === ref ? '' : ` (which as a name is ${full})`;
  const file = isNoFile ? ', and no such file' : '';
  const path = ref.replace(/^\/+/, '');
  const list = `--where ${/^[\w./-]*$/.test(path) ? path : 'PATH'}`;
  const asked =
    ref === path ? '' : `\nFor files of an image: \`waybill files ARCHIVE${path === '' ? '' : ` ${list}`}\``;
  return new InputError(
    `no image ${JSON.stringify(ref)}${meaning} in it${file}`,
    where,
    `It holds:\n${listOf(all)}${asked}`,
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

/** Images as a message lists them: the ID to ask for, the platform, the names. */
export const listOf = (images: readonly Image[]): string =>
  choiceList(
    images.map(image => ({
      id: imageIdOf(image) ?? image.v1Id ?? '(no config)',
      platform: image.platform,
      names: image.names,
    })),
  );

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
  if (chosen.length === 1) return first;
  const list = listOf(chosen.map(({ image }) => image));
  throw ambiguous(file, `it holds ${chosen.length} images`, list, OR_PLATFORM);
}

/** Why the layers of an image may not be all of them. */
export const LISTING_LOST =
  'the archive is damaged or cut short, and the document that lists the layers of its images is missing: upper layers may be missing too';

/**
 * The one image that is meant, whose layers a document lists. Hazard: of an archive that is cut, an image guessed from
 * other files can lack its upper layers, and would show an earlier version of a file.
 * @throws InputError as `oneImage`; also where its layers are a guess
 */
export function oneListedImage(reading: ArchiveReading, selection: Selection): ChosenImage {
  const chosen = oneImage(reading, selection);
  if (!areDocumentsLost(chosen.part.graph.observations)) return chosen;
  const remedy = 'Fetch or save the archive again; `waybill verify` says where it is damaged.';
  throw new InputError(LISTING_LOST, reading.opened.file, remedy, { damaged: true });
}

/** Where a platform tells images apart too. */
export const OR_PLATFORM = ', or a --platform';

const isNumber = (layer: string) => /^\d{1,3}$/.test(layer);

/**
 * The indexes of the layers that are meant: one by its place, from 1 for the base, or those that have or claim a digest
 * that begins so.
 */
export function layerIndexes({ part, image }: ChosenImage, layer: string): number[] {
  const { layers } = image;
  if (isNumber(layer)) return layers[Number(layer) - 1] === undefined ? [] : [Number(layer) - 1];
  return layers.flatMap(({ member, claimedDigest, claimedDiffId, v1Id }, i) => {
    const facts = member === null ? null : part.scan.facts(member);
    const digests = [
      facts?.digests?.sha256,
      facts?.unpacked?.digests.sha256,
      claimedDigest,
      claimedDiffId,
      v1Id,
    ];
    return digests.some(digest => digest != null && startsWith(digest, layer)) ? [i] : [];
  });
}

/** The images that have the layer, and where. @throws InputError when none has */
export function imagesWithLayer(
  chosen: readonly ChosenImage[],
  layer: string,
  file: string,
): (ChosenImage & { readonly index: number })[] {
  const found = chosen.map(one => ({ one, indexes: layerIndexes(one, layer) }));
  const clear = found.flatMap(({ one, indexes }) =>
    indexes.length === 1 ? [{ ...one, index: indexes[0]! }] : [],
  );
  if (clear.length > 0) return clear;
  const many = Math.max(0, ...found.map(({ indexes }) => indexes.length));
  const most = Math.max(0, ...chosen.map(({ image }) => image.layers.length));
  const whose = chosen.length === 1 ? 'the image has' : 'its images have at most';
  const what = isNumber(layer)
    ? `no layer ${layer}: ${whose} ${count(most, 'layer')}`
    : many > 1
      ? `${JSON.stringify(layer)} means ${many} layers`
      : `no layer ${JSON.stringify(layer)}: no digest and no diff_id begins with it`;
  const range = most === 1 ? '1' : `1 to ${most}`;
  const remedy = `Name one by its number, ${range}, or by the beginning of its digest or diff_id; \`waybill ids\` lists them.`;
  throw new InputError(what, file, most === 0 ? null : remedy);
}

function familiar(name: string): string {
  const reference = parseReference(name);
  return typeof reference === 'string' ? name : familiarName(reference);
}

/**
 * The references by which images of an archive can be chosen, each once: their names, also as Docker shows them, the
 * IDs of those that have none, and their platforms.
 */
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
