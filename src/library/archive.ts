import { unchanged } from '../commands/unchanged.js';
import { streamOf } from '../containers/open.js';
import { UsageError } from '../errors.js';
import type { Resources } from '../limits.js';
import { packageDatabases } from '../packages/databases.js';
import { type ArchiveReading, type ReadOptions, readArchive } from '../report/read.js';
import { type ArchiveReport, type ImageReport, type Report, reportOf } from '../report/report.js';
import { oneImage, type Selection, selectImages } from '../report/select.js';
import { type Platform, parsePlatform } from '../spec/platform.js';

/** How an archive is read. */
export interface OpenOptions extends Resources {
  /**
   * Platforms that an index lists and the archive lacks are errors: all of them, or the one named, as `linux/arm64`.
   */
  readonly requireComplete?: boolean | string | undefined;
  /** An archive without an image is an error, also where it holds artifacts. */
  readonly requireImage?: boolean | undefined;
  /** Called while reading, with the bytes read and the bytes there are; null for a stream. */
  readonly onProgress?: ((done: number, total: number | null) => void) | undefined;
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
  readonly images: readonly ImageReport[];
}

/** How deep an archive is read. Each includes those before it. */
const DEPTHS = ['documents', 'bytes', 'entries', 'contents'] as const;
export type ReadingDepth = (typeof DEPTHS)[number];

/** The readings of an archive. */
export interface Source {
  readonly options: OpenOptions;
  /** The reading that the archive was opened with. */
  readonly first: ArchiveReading;
  /** The deepest reading there is. */
  deepest: { readonly depth: ReadingDepth; readonly reading: Promise<ArchiveReading> };
}

const sources = new WeakMap<Archive, Source>();

/** `openArchive` of functions.ts. */
export async function open(
  input: string | AsyncIterable<Uint8Array>,
  options: OpenOptions,
): Promise<Archive> {
  const stream = await streamOf(input);
  const depth = stream === null ? 'documents' : 'contents';
  const first = await readAs(depth, stream ?? input, options);
  const { archive: about, images } = reportOf(first);
  const { file, container, compression, size, layout, producer } = about;
  const archive = { file, container, compression, size, layout, producer, images };
  sources.set(archive, { options, first, deepest: { depth, reading: Promise.resolve(first) } });
  return archive;
}

function readAs(
  depth: ReadingDepth,
  input: string | AsyncIterable<Uint8Array>,
  options: OpenOptions,
): Promise<ArchiveReading> {
  const { requireComplete = false, requireImage = false, ...rest } = options;
  return readArchive(input, {
    ...rest,
    ...READ_OPTIONS[depth],
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

export function sourceOf(archive: Archive): Source {
  const source = sources.get(archive);
  if (source === undefined) throw new UsageError('expected what openArchive returned, found another object');
  return source;
}

/**
 * A reading of at least this depth.
 * @throws InputError when the archive is not what it was when it was opened, or cannot be read any more
 */
export async function read(archive: Archive, depth: ReadingDepth): Promise<ArchiveReading> {
  const source = sourceOf(archive);
  if (DEPTHS.indexOf(source.deepest.depth) < DEPTHS.indexOf(depth)) {
    const before = source.deepest;
    const reading = again(source, depth).catch(error => {
      source.deepest = before;
      throw error;
    });
    source.deepest = { depth, reading };
  }
  return source.deepest.reading;
}

const again = ({ first, options }: Source, depth: ReadingDepth) =>
  unchanged(first, () => readAs(depth, first.opened.file, options));

function platformNamed(text: string): Platform {
  const platform = parsePlatform(text);
  if (platform === null)
    throw new UsageError(`platform: expected one such as linux/arm64, found ${JSON.stringify(text)}`);
  return platform;
}

export function selectionIn(archive: Archive, { image, platform }: ImageSelection): Selection {
  const wanted = platform === undefined ? undefined : platformNamed(platform);
  if (image === undefined || typeof image === 'string') return { ref: image, platform: wanted };
  const position = archive.images.indexOf(image);
  if (position < 0) throw new UsageError('image: expected one of archive.images, found another object');
  return { position, platform: wanted };
}

/** The report about the images that are meant. @throws InputError when the selection matches nothing */
export const report = (reading: ArchiveReading, selection: Selection): Report =>
  reportOf(reading, selectImages(reading, selection));

/** @throws InputError when a selection does not mean one image, listing what there is */
export const requireOne = (reading: ArchiveReading, selection: Selection): void =>
  void oneImage(reading, selection);
