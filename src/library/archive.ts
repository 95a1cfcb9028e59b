import { areLayersUnread, type ReadLayers, SingleLayers } from '../commands/single-layers.js';
import { unchanged } from '../commands/unchanged.js';
import { whenAborted } from '../containers/deadline.js';
import { isReadOnce } from '../containers/open.js';
import { UsageError } from '../errors.js';
import { limitsOf, type Resources } from '../limits.js';
import type { Image } from '../link/graph.js';
import { packageDatabases } from '../packages/databases.js';
import { type ImageSettings, settingsOf } from '../report/image-settings.js';
import { type ArchiveReading, type ReadOptions, readArchive } from '../report/read.js';
import { type ArchiveReport, type ImageReport, type Report, reportOf } from '../report/report.js';
import { oneListedImage, type Selection, selectImages } from '../report/select.js';
import { checkResources } from '../scan/resources.js';
import { isObject } from '../spec/json.js';
import { type Platform, parsePlatform } from '../spec/platform.js';
import {
  type ArgumentType,
  archiveType,
  checkArgument,
  checkOptions,
  type OptionTypes,
  TEXT,
} from './arguments.js';

export { whenAborted };

/** An option of every function that reads. */
export interface ReadingOptions {
  /**
   * Ends the call: it is rejected with the signal's reason, and leaves no thread and no open file behind. What other
   * calls wait for is read on.
   */
  readonly signal?: AbortSignal | undefined;
}

/** How an archive is read: also by the functions that are called later, except for `signal`. */
export interface OpenOptions extends Resources, ReadingOptions {
  /**
   * Platforms that an index lists and the archive lacks are errors: all of them, or the one named, as `linux/arm64`.
   */
  readonly requireComplete?: boolean | string | undefined;
  /** An archive without an image is an error, also where it holds artifacts. */
  readonly requireImage?: boolean | undefined;
  /** Called while reading, with the bytes read and the bytes there are; null for a stream. */
  readonly onProgress?: ((done: number, total: number | null) => void) | undefined;
}

/** One image, with the settings and steps of its config. */
export interface ImageDetails extends ImageReport, ImageSettings {
  /** The config's document; null where it is absent or no JSON object. */
  readonly config: Readonly<Record<string, unknown>> | null;
}

/** The report of `waybill verify --json`, with details of the images. */
export interface VerifyReport extends Omit<Report, 'images'> {
  readonly images: readonly ImageDetails[];
}

/** Which images of an archive are meant. Default: all of them. */
export interface ImageSelection {
  /** One of `archive.images`; or a tag, name, image ID or digest, in full or its beginning. */
  readonly image?: ImageReport | string | undefined;
  /** As `linux/arm64`, or an architecture alone. */
  readonly platform?: string | undefined;
}

/**
 * An archive that has been opened: plain data, and the handle for the functions of this module. It holds no open file.
 * The handle keeps all data that was read; a file or directory is read again if a question needs more.
 */
export interface Archive
  extends Pick<ArchiveReport, 'file' | 'container' | 'compression' | 'size' | 'layout' | 'producer'> {
  /**
   * All images, in the order of the archive. Their digests and sizes are claims of its documents until `verifyArchive`.
   */
  readonly images: readonly ImageDetails[];
}

/** How deep an archive is read. Each includes those before it. */
const DEPTHS = ['documents', 'bytes', 'entries', 'contents'] as const;
export type ReadingDepth = (typeof DEPTHS)[number];

/** One reading of the archive, for all calls that need it. */
interface SharedReading {
  readonly depth: ReadingDepth;
  readonly reading: Promise<ArchiveReading>;
  /** Ends it. */
  readonly controller: AbortController;
  /** Number of calls that wait for it. */
  waiting: number;
}

/** The readings of an archive. */
interface Source {
  readonly options: OpenOptions;
  /** The reading that the archive was opened with. */
  readonly first: ArchiveReading;
  /** Positions of images in the archive: the caller may change the order of `archive.images`. */
  readonly positions: ReadonlyMap<ImageReport, number>;
  /** Readings that are complete or under way. */
  readings: readonly SharedReading[];
  readonly layers: SingleLayers;
}

const sources = new WeakMap<Archive, Source>();

/** `openArchive` of functions.ts. */
export async function open(
  input: string | AsyncIterable<Uint8Array>,
  { signal, ...options }: OpenOptions,
): Promise<Archive> {
  checkResources(options);
  limitsOf(options.limits);
  signal?.throwIfAborted();
  const depth: ReadingDepth = isReadOnce(input) ? 'contents' : 'documents';
  const first = await readAs(depth, input, options, signal);
  const { archive: about } = reportOf(first);
  const { file, container, compression, size, layout, producer } = about;
  const { images } = report(first, {});
  const archive = { file, container, compression, size, layout, producer, images };
  const opened = { depth, reading: Promise.resolve(first), controller: new AbortController(), waiting: 0 };
  const positions = new Map(images.map((image, position) => [image, position]));
  const layers = new SingleLayers(first, options);
  sources.set(archive, { options, first, positions, readings: [opened], layers });
  return archive;
}

function readAs(
  depth: ReadingDepth,
  input: string | AsyncIterable<Uint8Array>,
  options: OpenOptions,
  signal: AbortSignal | undefined,
): Promise<ArchiveReading> {
  const { requireComplete = false, requireImage = false, ...rest } = options;
  return readArchive(input, {
    ...rest,
    ...READ_OPTIONS[depth],
    signal,
    requireComplete: typeof requireComplete === 'string' ? platformNamed(requireComplete) : requireComplete,
    requireImage,
  });
}

const READ_OPTIONS = {
  documents: { depth: 'metadata' },
  bytes: { depth: 'digests' },
  entries: { depth: 'files' },
  contents: { depth: 'files', files: { digests: true, keep: packageDatabases } },
} satisfies Record<ReadingDepth, ReadOptions>;

const ARCHIVE = archiveType(value => sources.has(value as Archive));

/** @param name  of the argument */
export function sourceOf(archive: Archive, name = 'archive'): Source {
  checkArgument(name, archive, ARCHIVE);
  return sources.get(archive)!;
}

const isAsDeep = (wanted: ReadingDepth) => (one: SharedReading) =>
  DEPTHS.indexOf(one.depth) >= DEPTHS.indexOf(wanted);

/**
 * A reading of at least this depth.
 * @throws InputError when the archive is not what it was when it was opened, or cannot be read any more; the reason of
 *   the signal
 */
export async function read(
  archive: Archive,
  depth: ReadingDepth,
  signal?: AbortSignal | undefined,
): Promise<ArchiveReading> {
  signal?.throwIfAborted();
  const source = sourceOf(archive);
  return awaited(source, source.readings.find(isAsDeep(depth)) ?? started(source, depth), signal);
}

function started(source: Source, depth: ReadingDepth): SharedReading {
  const { first, options } = source;
  const controller = new AbortController();
  const reading = unchanged(first, () => readAs(depth, first.opened.file, options, controller.signal));
  const shared: SharedReading = { depth, reading, controller, waiting: 0 };
  source.readings = [...source.readings, shared];
  reading.then(
    () => {
      source.readings = source.readings.filter(one => one === shared || !isAsDeep(one.depth)(shared));
    },
    () => forget(source, shared),
  );
  return shared;
}

function forget(source: Source, shared: SharedReading): void {
  source.readings = source.readings.filter(one => one !== shared);
}

/** The reading for one call. It is ended when every call that waits for it was aborted. */
function awaited(
  source: Source,
  shared: SharedReading,
  signal: AbortSignal | undefined,
): Promise<ArchiveReading> {
  shared.waiting++;
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      shared.waiting--;
      // One signal may abort several calls, one after the other.
      queueMicrotask(() => {
        if (shared.waiting > 0) return reject(signal?.reason);
        forget(source, shared);
        shared.controller.abort(signal?.reason);
      });
    };
    const settle = (result: () => void) => {
      forgetSignal();
      if (signal?.aborted === true) return reject(signal.reason);
      shared.waiting--;
      result();
    };
    const forgetSignal = whenAborted(signal, onAbort);
    shared.reading.then(
      reading => settle(() => resolve(reading)),
      error => settle(() => reject(error)),
    );
  });
}

/** True if single layers can be read, and reading them is less work than using what was read. */
export function canReadLayers(archive: Archive): boolean {
  const { first, readings } = sourceOf(archive);
  return first.parts.every(areLayersUnread) && !readings.some(isAsDeep('entries'));
}

/** Reads layers of an archive, for one call. */
export function readLayers(archive: Archive, signal: AbortSignal | undefined): ReadLayers {
  const { options, layers } = sourceOf(archive);
  let done = 0;
  const onProgress = (bytes: number) => {
    done += bytes;
    options.onProgress?.(done, archive.size);
  };
  return (chosen, some) => layers.read(chosen, some, { signal, onProgress });
}

function platformNamed(text: string): Platform {
  const platform = parsePlatform(text);
  if (platform === null)
    throw new UsageError(`platform: expected one such as linux/arm64, found ${JSON.stringify(text)}`);
  return platform;
}

/**
 * Checks the options of a function, and takes those from them that select images.
 * @param others  types of its other options
 * @throws UsageError
 */
export function selectionIn<T extends ImageSelection>(
  archive: Archive,
  options: T,
  others: OptionTypes<Omit<T, keyof ImageSelection>>,
): Selection {
  const { positions } = sourceOf(archive);
  const imageType: ArgumentType = {
    expected: 'text, or one of archive.images',
    accepts: value => typeof value === 'string' || positions.has(value as ImageReport),
  };
  const types = { image: imageType, platform: TEXT, ...others };
  checkOptions(options, types as unknown as OptionTypes<T>);
  const { image, platform } = options;
  const wanted = platform === undefined ? undefined : platformNamed(platform);
  if (image === undefined || typeof image === 'string') return { ref: image, platform: wanted };
  return { position: positions.get(image)!, platform: wanted };
}

/** The report about the images that are meant. @throws InputError when the selection matches nothing */
export function report(reading: ArchiveReading, selection: Selection): VerifyReport {
  const chosen = selectImages(reading, selection);
  const made = reportOf(reading, chosen);
  const images = reading.parts
    .flatMap(({ graph }) => graph.images)
    .filter(image => chosen?.has(image) ?? true);
  const details = made.images.map((image, i) => ({
    ...image,
    ...settingsOf(images[i]!),
    config: configOf(images[i]!),
  }));
  return { ...made, images: details };
}

/** A copy, which the caller may change. */
function configOf({ config }: Image): ImageDetails['config'] {
  const value = config?.document?.value;
  return isObject(value) ? structuredClone(value) : null;
}

/** @throws InputError when a selection does not mean one image, or its layers are a guess */
export const requireListed = (reading: ArchiveReading, selection: Selection): void =>
  void oneListedImage(reading, selection);
