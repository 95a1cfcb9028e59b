import { Concerns } from '../checks/concerns.js';
import { type Filters, filterSummaries, parseFilters } from '../docker/list/filter.js';
import { type Rendered, renderRows, showsColumn } from '../docker/list/formatter.js';
import { imageTree } from '../docker/list/image-tree.js';
import {
  imageRows,
  isDangling,
  type ListOptions,
  listFormat,
  listRows,
  newestFirst,
  type Summary,
  summaryOf,
} from '../docker/list/images.js';
import type { Dialect, DialectOptions } from '../docker/release.js';
import { listSize, sizeNotes, snapshotsIn, withSizesOnly } from '../docker/stores/sizes.js';
import { repoNames, type Store, type StoredImage } from '../docker/stores/stored-image.js';

import { UsageError } from '../errors.js';
import { type Answer, failed } from '../report/doc.js';
import type { ArchiveReading, PartReading } from '../report/read.js';
import { lossesOf } from '../report/select.js';
import type { Depth } from '../scan/scan.js';
import { grouped } from '../spec/grouped.js';
import { legible, visible } from '../visible.js';
import { depthFor, dialectOf, documentNotes, isCalled, storedImages } from './stored-images.js';

export interface ImagesOptions extends ListOptions {
  /** Include images that are only parents of other images. */
  readonly all?: boolean | undefined;
  /** `reference=PATTERN`, `label=KEY[=VALUE]`, `dangling=BOOL`, `before=IMAGE`, `since=IMAGE`, `until=TIME`. */
  readonly filters: readonly string[];
  readonly tree: boolean;
  /** A name or pattern: the same as a filter `reference=`. */
  readonly ref?: string | undefined;
  /** The time from which "3 years ago" is computed. Default: now. */
  readonly now?: Date | undefined;
  /**
   * Width of the terminal in columns; null if there is none. On a terminal, hidden characters from the archive are
   * escaped.
   */
  readonly width?: number | null | undefined;
}

/**
 * The depth to read: only sizes need the layers' files.
 * @param known  an archive at depth `metadata`, which may not be enough
 */
export function imagesDepth(options: Asked, known?: ArchiveReading): Depth {
  const dialect = dialectOf(options);
  return depthFor(dialect.store, showsSize(options, dialect) ? 'files' : 'metadata', known);
}

type Asked = Pick<ImagesOptions, keyof ListOptions | 'tree'>;

function showsSize(options: Asked, dialect: Dialect): boolean {
  const format = listFormat(options);
  return isTree(options, dialect) || ['Size', 'VirtualSize'].some(column => showsColumn(format, column));
}

/** Since Docker 29 the default output is the tree without its branches. */
function isTree({ tree, quiet, noTrunc, digests, format = '' }: Asked, { words }: Dialect): boolean {
  return tree || (words === 29 && !quiet && !noTrunc && !digests && format === '');
}

/**
 * `docker images` for any number of archives, as if all were in one store.
 * @throws UsageError for options that contradict each other, and for an invalid filter
 */
export function images(readings: readonly ArchiveReading[], options: ImagesOptions): Answer {
  const { ref } = options;
  const dialect = dialectOf(options);
  const { store } = dialect;
  checkTree(options);
  const filters = parseFilters(
    [...options.filters, ...(ref === undefined ? [] : [`reference=${ref}`])],
    store,
  );
  if (typeof filters === 'string') throw new UsageError(`--filter: ${filters}`);
  const sized = showsSize(options, dialect);
  const snapshots = snapshotsIn(readings.flatMap(({ parts }) => parts));
  const all = together(
    readings.flatMap(reading => withLastTags(storedImages(reading, {}, dialect, snapshots))),
    image => notesOf(image, sized, store).length,
  );
  const summaries = [...all].map(([stored, copies]) => {
    const filesOf = (name: string | null) => filesWith(name, copies, readings);
    return summaryOf(stored, sized ? listSize(stored, store) : null, { words: dialect.words, filesOf });
  });
  const now = (options.now ?? new Date()).getTime() / 1000;
  const listed = select(summaries, filters, options, dialect, now);
  if (typeof listed === 'string') return failed(listed);
  const rendered = render(listed, filters, options, dialect, now);
  if (rendered.error !== null) return failed(rendered.error);
  const copies = listed.flatMap(summary => all.get(summary.stored)!);
  const notes = [
    ...lostImages(readings),
    ...copies.flatMap(copy => notesOf(copy, sized, store).map(note => `${whereIs(copy, readings)}: ${note}`)),
  ];
  const remarks =
    ref !== undefined && listed.length === 0 ? [`${ref}: no file, and no image is called so`] : [];
  return {
    stdout: rendered.text,
    ...(options.tree && dialect.words === 28 && { painted: true }),
    notes: [...notes, ...remarks],
    exitCode: notes.length === 0 ? 0 : 1,
  };
}

function render(
  listed: readonly Summary[],
  filters: Filters,
  options: ImagesOptions,
  dialect: Dialect,
  now: number,
): Rendered {
  const { all = false, tree, width = null, files = false } = options;
  const guard = width === null ? undefined : visible;
  if (!isTree(options, dialect)) {
    const rows = listed.flatMap(summary => listRows(summary, options, now));
    return renderRows(listFormat(options), imageRows(dialect.words, files), rows, guard);
  }
  const shown = all || dialect.words === 29 ? listed : listed.filter(s => !isDangling(s));
  const untagged = all || filters.has('dangling');
  return { text: imageTree(shown, { dialect, width, expanded: tree, untagged, files, guard }), error: null };
}

/** docker/cli cli/command/image/list.go */
function checkTree({ tree, quiet, noTrunc, digests, format }: ImagesOptions): void {
  if (!tree) return;
  const given = { quiet, 'no-trunc': noTrunc, digests, format: format !== undefined && format !== '' };
  const [other] = Object.entries(given).find(([, set]) => set) ?? [];
  if (other !== undefined) throw new UsageError(`--${other} is not supported with --tree`);
}

/**
 * If two images of an archive have the same tag, the one that is loaded last keeps it. An image that lost its only name
 * stays in the classic store, and is removed from containerd's, which keeps images by name. moby
 * image/tarexport/load.go (setLoadedTag)
 */
function withLastTags(images: readonly StoredImage[]): StoredImage[] {
  const keyOf = (image: StoredImage) => image.id ?? image;
  const owners = new Map(images.flatMap(image => image.tags.map(tag => [tag, keyOf(image)] as const)));
  return images.flatMap(image => {
    const tags = image.tags.filter(tag => owners.get(tag) === keyOf(image));
    if (tags.length === image.tags.length) return [image];
    return tags.length === 0 && image.target !== null ? [] : [{ ...image, tags }];
  });
}

/**
 * An image that several archives contain is listed once, with the names of all of them, using the copy of which most is
 * known.
 * @returns each image with its copies
 */
function together(
  images: readonly StoredImage[],
  doubtsOf: (image: StoredImage) => number,
): Map<StoredImage, readonly StoredImage[]> {
  const groups = grouped(images, image => image.id ?? image);
  return new Map(
    [...groups.values()].map(copies => {
      const best = copies.reduce((a, b) => (doubtsOf(b) < doubtsOf(a) ? b : a));
      return [copies.length === 1 ? best : { ...best, ...mergeNames(copies) }, copies];
    }),
  );
}

const mergeNames = (copies: readonly StoredImage[]) => ({
  tags: repoNames(
    copies.flatMap(copy => copy.tags),
    null,
  ).tags,
  digests: [...new Set(copies.flatMap(copy => copy.digests))],
});

function select(
  summaries: readonly Summary[],
  filters: Filters,
  { all = false }: ImagesOptions,
  { store, words }: Dialect,
  now: number,
) {
  const parents = new Set(summaries.map(({ stored }) => stored.parent));
  const createdOf = (ref: string) => summaries.find(({ stored }) => isCalled(stored, ref))?.created;
  const listed = filterSummaries(summaries, filters, { store, now, createdOf });
  if (typeof listed === 'string') return listed;
  // Docker 29 leaves out every image without a name, Docker 28 only those that are parents of others.
  const hidesAll = words === 29 && !filters.has('dangling');
  const isHidden = (summary: Summary) =>
    isDangling(summary) && (hidesAll || parents.has(summary.stored.id ?? '-'));
  return newestFirst(all ? listed : listed.filter(summary => !isHidden(summary)));
}

const whereOf = ({ opened: { file } }: ArchiveReading) => (file === '-' ? 'standard input' : file);

/** Archives whose images are lost because of damage, as opposed to archives that contain none. */
const lostImages = (readings: readonly ArchiveReading[]) =>
  readings.flatMap(reading => lossesOf(reading).map(loss => `${whereOf(reading)}: ${loss}`));

const archiveOf = ({ scan }: StoredImage, readings: readonly ArchiveReading[]) =>
  readings.find(({ parts }) => parts.some(part => part.scan === scan))!;

function filesWith(
  name: string | null,
  copies: readonly StoredImage[],
  readings: readonly ArchiveReading[],
): string {
  const called = name === null ? [] : copies.filter(({ tags }) => tags.includes(name));
  const holding = called.length === 0 ? copies : called;
  return [...new Set(holding.map(copy => visible(archiveOf(copy, readings).opened.file)))].join(', ');
}

function whereIs(stored: StoredImage, readings: readonly ArchiveReading[]): string {
  const from = archiveOf(stored, readings);
  const name = stored.tags[0] ?? stored.id;
  return name === null ? whereOf(from) : `${whereOf(from)}: ${legible(name)}`;
}

function notesOf(stored: StoredImage, sized: boolean, store: Store): string[] {
  const images = store !== 'containerd' ? [stored.image] : stored.platforms;
  return [
    ...documentNotes(stored),
    ...(sized ? images.flatMap(image => sizeNotes(stored, image, store)) : []),
  ];
}

/**
 * Returns the reading without the entries of its layers. A list of images needs only their sizes, and the entries of
 * all layers of a thousand archives would not fit into memory.
 */
export function sizesOnly(reading: ArchiveReading, options: DialectOptions): ArchiveReading {
  const { store } = dialectOf(options);
  return {
    ...reading,
    parts: reading.parts.map(({ part, scan, graph, findings, verdicts }) =>
      partOf({ part, scan: withSizesOnly(scan, store), graph, findings, verdicts }),
    ),
  };
}

/** Concerns are rarely needed for a list of images, and are computed on demand. */
const partOf = (held: Omit<PartReading, 'concerns'>): PartReading => ({
  ...held,
  get concerns() {
    return new Concerns(held.scan, held.graph, held.findings);
  },
});
