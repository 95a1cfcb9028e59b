import { type Dialect, type DialectOptions, dialectFor } from '../docker/release.js';
import { containerdImages } from '../docker/stores/containerd.js';
import {
  classicImages,
  runsOnHost,
  type Snapshots,
  type Store,
  type StoredImage,
} from '../docker/stores/stored-image.js';
import { InputError, UsageError } from '../errors.js';
import type { ArchiveReading } from '../report/read.js';
import { type Selection, selectImages, startsWith } from '../report/select.js';
import { notJsonText } from '../scan/blob/document.js';
import type { Depth } from '../scan/scan.js';
import { normalName } from '../spec/reference.js';
import { visible } from '../visible.js';

/**
 * The selected images, as Docker's store would hold them.
 * @param snapshots  other layers in the store; by default those of the archive
 * @throws InputError if none or several match
 */
export function storedImages(
  reading: ArchiveReading,
  selection: Selection,
  { store, words }: Dialect,
  snapshots?: Snapshots,
): StoredImage[] {
  const { parts } = reading;
  if (store !== 'containerd') {
    const images = classicImages(parts, selectImages(reading, selection));
    if (images.length === 0 && parts.some(({ graph }) => graph.images.length > 0)) throw notLoaded(reading);
    return images;
  }
  const { ref, platform } = selection;
  try {
    const question = { ref, platform, snapshots, words };
    const images = containerdImages(parts, selectImages(reading, selection), question);
    const called = ref === undefined ? images : images.filter(image => isCalled(image, ref));
    return called.length === 0 ? images : called;
  } catch (error) {
    // An ID that containerd's store would synthesise is not written in the archive.
    const all = new Set(parts.flatMap(({ graph }) => graph.images));
    const images = ref === undefined ? [] : containerdImages(parts, all, { ref, snapshots, words });
    const called = images.filter(i => isCalled(i, ref!));
    if (called.length !== 1 || platform !== undefined) throw error;
    return called;
  }
}

const notLoaded = ({ opened }: ArchiveReading) =>
  new InputError(
    'manifest.json does not list this image, so that the classic store does not load it',
    opened.file,
    'Ask with --store containerd.',
  );

/**
 * The selected image for a platform. If the image does not have the platform, that is noted in the answer.
 * @throws InputError if there is no such image at all
 */
export function storedForPlatform(
  reading: ArchiveReading,
  selection: Selection,
  dialect: Dialect,
): StoredImage[] | { readonly missing: string } {
  const { ref, platform, position } = selection;
  if (platform === undefined) return storedImages(reading, selection, dialect);
  try {
    return storedImages(reading, selection, dialect);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const [found] = storedImages(reading, { ref, position }, dialect);
    if (found === undefined) throw error;
    return { missing: error.message };
  }
}

/**
 * The depth to read for an answer of `store`: `wanted`, or more for containerd's store, which needs every byte of an
 * archive without manifests to compute the IDs that it synthesises.
 * @param known  the archive at depth `metadata`, if it was already read
 */
export function depthFor(store: Store, wanted: Depth, known: ArchiveReading | undefined): Depth {
  if (store !== 'containerd' || wanted !== 'metadata' || known === undefined) return wanted;
  const images = known.parts.flatMap(({ graph }) => graph.images);
  return images.some(({ kind, manifest }) => kind === 'image' && manifest === null) ? 'digests' : wanted;
}

/**
 * The image that a name refers to. In the classic store each platform is an image of its own, and a name that all of
 * them share refers to the one for Docker's host. In any other case all images are returned.
 */
export function hostImage(images: readonly StoredImage[]): readonly StoredImage[] {
  const name = images[0]?.tags[0];
  const host = images.filter(({ image }) => runsOnHost(image));
  const shared = name !== undefined && images.every(({ tags }) => tags.includes(name));
  return shared && host.length === 1 ? host : images;
}

/** True if a reference is the name, the ID or the beginning of the ID of an image. */
export function isCalled({ id, tags, digests }: StoredImage, ref: string): boolean {
  if (id !== null && startsWith(id, ref)) return true;
  return [...tags, ...digests].some(name => normalName(name) === normalName(ref));
}

/** Notes on an image's documents that are not known. */
export function documentNotes({ image, id }: StoredImage): string[] {
  const notes: string[] = [];
  const config = image.config;
  const what = visible(config?.path ?? 'its config');
  if (config === null) notes.push('the manifest names no config');
  else if (config.member === null) notes.push(`${what}: the config is not in the archive`);
  else if (config.parsed === null) {
    const error = config.document?.error ?? null;
    notes.push(
      `${what}: the config cannot be read${error?.kind === 'not-json' ? `: ${notJsonText(error)}` : ''}`,
    );
  }
  if (image.kind === 'v1' && id === null)
    notes.push(`${what}: containerd's store loads no image from before image IDs; ask with --store classic`);
  else if (id === null) notes.push(`${what}: the ID cannot be told`);
  return notes;
}

/**
 * The engine and release whose output is produced.
 * @throws UsageError for an unknown one, and for options that contradict each other
 */
export function dialectOf(options: DialectOptions): Dialect {
  const dialect = dialectFor(options);
  if (typeof dialect === 'string') throw new UsageError(dialect);
  return dialect;
}
