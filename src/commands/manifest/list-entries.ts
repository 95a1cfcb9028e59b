import { nameOfDocument, withDigest } from '../../docker/manifest/entries.js';
import {
  fetchManifest,
  fromDocument,
  isStored,
  type StoredDocument,
  synthesise,
} from '../../docker/manifest/store.js';

import { InputError } from '../../errors.js';
import type { Resources } from '../../limits.js';
import type { Graph, Image } from '../../link/graph.js';
import { ambiguous, arePlatformsOfOne } from '../../report/ambiguity.js';
import { type ArchiveReading, type PartReading, readArchive } from '../../report/read.js';
import { noImage, selectImages } from '../../report/select.js';

import type { Depth } from '../../scan/scan.js';
import type { Descriptor } from '../../spec/descriptor.js';
import { digestKind } from '../../spec/digest.js';
import { isObject, own } from '../../spec/json.js';
import { parseManifest } from '../../spec/manifest.js';
import { isManifestType, layerType } from '../../spec/media-types.js';
import { formatPlatform, platformsAgree } from '../../spec/platform.js';
import { legible, visible } from '../../visible.js';
import type { ArchiveArgument } from '../../write/archive-argument.js';
import type { ListEntry, ListedBlob, ListPlatform } from '../../write/list-store.js';

export interface TakenEntries {
  readonly entries: readonly ListEntry[];
  /** Notes on what the list leaves out, and on blobs that are missing for writing it. */
  readonly notes: readonly string[];
}

export interface TakeOptions extends Resources {
  readonly onProgress?: ((done: number, total: number | null) => void) | undefined;
}

/**
 * The images of an archive as entries of a list: one image, or all platforms of one.
 * @param depth  the first depth to read; digests that the archive does not state have to be computed
 * @throws InputError if there is no such image, or none that has a manifest
 */
export async function takeEntries(
  argument: ArchiveArgument,
  options: TakeOptions,
  depth: Depth = 'metadata',
): Promise<TakenEntries> {
  const { archive, ref } = argument;
  const { limits, jobs, memory, onProgress } = options;
  const reading = await readArchive(archive, { depth, limits, jobs, memory, onProgress });
  const chosen = chooseImages(reading, ref);
  const entries: ListEntry[] = [];
  const notes: string[] = [];
  for (const part of reading.parts) {
    for (const image of part.graph.images.filter(i => chosen.has(i))) {
      const made = manifestOf(part, image);
      if (made instanceof Error) {
        if (depth === 'metadata' && lacksDigestsOnly(image)) return takeEntries(argument, options, 'digests');
        throw new InputError(made.message, archive);
      }
      const entry = toEntry({ archive, ref, inside: part.part.inside }, part, image, made);
      if (entry instanceof Error) throw new InputError(entry.message, archive);
      entries.push(entry);
      notes.push(...notesOn(entry, image, made.path === null));
    }
    notes.push(...notesOnAbsent(part.graph, chosen, archive));
  }
  return { entries, notes };
}

/** True if a manifest can be synthesised after every byte has been read. */
const lacksDigestsOnly = ({ kind, manifest, config, layers }: Image) =>
  kind !== 'v1' &&
  manifest === null &&
  config?.member != null &&
  layers.every(({ member }) => member !== null);

/** @throws InputError if nothing matches, or if several images are not platforms of one image */
function chooseImages(reading: ArchiveReading, ref: string | null): ReadonlySet<Image> {
  const chosen = selectImages(reading, ref === null ? {} : { ref });
  const images = [...chosen];
  const where = reading.opened.file;
  if (images.length === 0) throw noImage(reading);
  if (ref !== null || arePlatformsOfOne(images)) return chosen;
  const names = images.map(image => `  ${legible(image.names[0] ?? image.config?.document?.digest ?? '?')}`);
  const list = [...new Set(names)].join('\n');
  throw ambiguous(where, `holds ${images.length} images`, list, `, as ${visible(where)}#REF`);
}

/** The manifest of an image: the archive's own, or the one that containerd synthesises. */
function manifestOf({ scan, graph }: PartReading, image: Image): StoredDocument | Error {
  const { manifest } = image;
  const store = { scan, graph };
  const member = manifest === null ? null : scan.file(manifest.path);
  const fetched =
    manifest === null || member === null
      ? synthesise(store, image)
      : manifest.claimedDigest === null
        ? fromDocument({ scan, graph }, scan.document(member), null, manifest.mediaType)
        : fetchManifest(store, manifest.claimedDigest, manifest.mediaType);
  if (!isStored(fetched)) return new Error(fetched.reason);
  const { actual, digest, path, mediaType } = fetched;
  if (actual !== null) return new Error(`the manifest ${path} is not ${digest}: its bytes are ${actual}`);
  if (digestKind(digest) !== 'computable') return new Error(`${digest} cannot be checked: unknown algorithm`);
  if (!isManifestType(mediaType))
    return new Error(`${digest} is not an image manifest: its media type is ${mediaType}`);
  return fetched;
}

type Origin = Pick<ListEntry, 'archive' | 'ref' | 'inside'>;

function toEntry(
  origin: Origin,
  part: PartReading,
  image: Image,
  { digest, mediaType, bytes, value, path }: StoredDocument,
): ListEntry | Error {
  const platform = platformOf(image);
  if (platform === null) {
    return new Error(`the config ${image.config?.path ?? ''} of ${digest} is not there or cannot be read`);
  }
  const manifest = parseManifest(value)!;
  const place = path === null ? placeByOrder(image) : placeByClaim(part.graph, path);
  const config = { what: 'config', descriptor: manifest.config, path: place(manifest.config, -1) };
  const layers = manifest.layers.map((descriptor, i) => ({
    what: `layer ${i + 1}`,
    descriptor,
    path: place(descriptor, i),
  }));
  const blobs: ListedBlob[] = [];
  for (const { what, descriptor, path: found } of [config, ...layers]) {
    if (found === null && descriptor !== null && isForeign(descriptor)) continue;
    const { digest: claimed = null, size = null } = descriptor ?? {};
    if (claimed === null || size === null || digestKind(claimed) !== 'computable') {
      return new Error(`the manifest ${digest} has no digest and size for its ${what} that can be checked`);
    }
    blobs.push({ digest: claimed, size, path: found, what });
  }
  const { ref } = nameOfDocument(image.names[0] ?? null, origin.archive, digest);
  // Several platforms share one name, so each name gets its digest, as in Docker.
  const name = image.indexDigests.length > 0 ? withDigest(ref, digest) : ref;
  return { ...origin, name, mediaType, digest, manifest: bytes, platform, blobs };
}

const isForeign = ({ mediaType, urls }: Descriptor) => layerType(mediaType).foreign || urls.length > 0;

type PlaceOf = (descriptor: Descriptor | null, layer: number) => string | null;

/** A synthesised manifest describes the members of the image in their order. */
function placeByOrder({ config, layers }: Image): PlaceOf {
  return (_, layer) => (layer < 0 ? config?.member?.path : layers[layer]?.member?.path) ?? null;
}

/** The linker already located the digests of a layout. */
function placeByClaim({ claims }: Graph, manifest: string): PlaceOf {
  const paths = new Map(
    claims
      .filter(({ kind, by }) => kind === 'digest' && by.path === manifest)
      .map(({ by, member }) => [by.pointer, member.path]),
  );
  return descriptor => paths.get(`${descriptor?.pointer}/digest`) ?? null;
}

/**
 * The platform from the config, as Docker does it; an index may state more about it. docker/cli
 * internal/registryclient/fetcher.go
 */
function platformOf({ config, declaredPlatform }: Image): ListPlatform | null {
  const value = config?.document?.value;
  if (!isObject(value)) return null;
  const text = (key: string) => {
    const field = own(value, key);
    return typeof field === 'string' ? field : '';
  };
  const features = own(value, 'os.features');
  const stated = config?.parsed?.platform ?? null;
  const declared = declaredPlatform?.platform ?? null;
  const more = stated === null || (declared !== null && platformsAgree(stated, declared)) ? declared : null;
  return {
    architecture: text('architecture') || (more?.architecture ?? ''),
    os: text('os') || (more?.os ?? ''),
    osVersion: text('os.version') || (more?.osVersion ?? ''),
    osFeatures: Array.isArray(features) ? features.filter(feature => typeof feature === 'string') : [],
    variant: text('variant') || (more?.variant ?? ''),
  };
}

function notesOn({ archive, name, blobs }: ListEntry, image: Image, isMadeUp: boolean): string[] {
  const absent = blobs.filter(blob => blob.path === null);
  const notes = absent.map(
    ({ what, digest }) =>
      `${archive}: ${what} of ${name} (${digest}) is not in it: the list cannot be pushed`,
  );
  if (isMadeUp) {
    notes.push(`${archive}: holds no registry manifest of ${name}: using the one that containerd makes up`);
  }
  if (image.attestations.length > 0) notes.push(`${archive}: attestations of ${name} are left out`);
  return notes;
}

function notesOnAbsent({ absent }: Graph, chosen: ReadonlySet<Image>, archive: string): string[] {
  const indexes = new Set([...chosen].flatMap(image => image.indexDigests));
  return absent
    .filter(
      ({ attestation, indexDigests }) => !attestation && indexDigests.some(digest => indexes.has(digest)),
    )
    .map(({ digest, platform }) => {
      const what = platform === null ? digest : `${formatPlatform(platform)} (${digest})`;
      return `${archive}: ${what} is listed, but not in it: left out`;
    });
}
