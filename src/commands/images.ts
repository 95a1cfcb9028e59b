import { renderRows, showsColumn } from '../docker/formatter.js';
import { imageTree } from '../docker/image-tree.js';
import {
  IMAGE_ROWS,
  isDangling,
  type ListOptions,
  listFormat,
  listRows,
  newestFirst,
  type Summary,
  summaryOf,
} from '../docker/images.js';
import { type Filters, filterSummaries, parseFilters } from '../docker/list-filter.js';
import { repoNames } from '../docker/repo-names.js';
import { listSize, unknownSizes } from '../docker/sizes.js';
import type { Store, StoredImage } from '../docker/stored-image.js';
import { UsageError } from '../errors.js';
import type { Depth } from '../scan/scan.js';
import type { Answer } from './answer.js';
import type { ArchiveReading } from './read.js';
import { depthFor, documentNotes, failed, isCalled, storedImages } from './stored-images.js';

export interface ImagesOptions extends ListOptions {
  /** Also images that only other images were built upon. */
  readonly all?: boolean | undefined;
  /** `reference=PATTERN`, `label=KEY[=VALUE]`, `dangling=BOOL`, `before=IMAGE`, `since=IMAGE`, `until=TIME`. */
  readonly filters: readonly string[];
  readonly tree: boolean;
  readonly store: Store;
  /** A name or pattern: one more `reference=`. */
  readonly ref?: string | undefined;
  /** What "3 years ago" is measured from. Default: the clock. */
  readonly now?: Date | undefined;
  /** Columns of the terminal; null where there is none. Only the tree looks at it. */
  readonly width?: number | null | undefined;
}

/**
 * How deep to read: only sizes need the layers' files.
 * @param known  an archive at depth `metadata`, which may turn out not to be deep enough
 */
export function imagesDepth(
  options: Pick<ImagesOptions, keyof ListOptions | 'tree' | 'store'>,
  known?: ArchiveReading,
): Depth {
  return depthFor(options.store, showsSize(options) ? 'files' : 'metadata', known);
}

function showsSize(options: Pick<ImagesOptions, keyof ListOptions | 'tree'>): boolean {
  const format = listFormat(options);
  return options.tree || ['Size', 'VirtualSize'].some(column => showsColumn(format, column));
}

/**
 * `docker images` over any number of archives, as if all were in one store.
 * @throws UsageError for options that cannot stand together, and for a filter that is none
 */
export function images(readings: readonly ArchiveReading[], options: ImagesOptions): Answer {
  const { store, ref } = options;
  checkTree(options);
  const filters = parseFilters(
    [...options.filters, ...(ref === undefined ? [] : [`reference=${ref}`])],
    store,
  );
  if (typeof filters === 'string') throw new UsageError(`--filter: ${filters}`);
  const all = together(readings.flatMap(reading => storedImages(reading, {}, store)));
  const sized = showsSize(options);
  const summaries = all.map(stored => summaryOf(stored, sized ? listSize(stored, store) : null));
  const now = (options.now ?? new Date()).getTime() / 1000;
  const listed = select(summaries, filters, options, now);
  if (typeof listed === 'string') return failed(listed);
  const rendered = options.tree
    ? {
        text: imageTree(
          options.all ? listed : listed.filter(s => !isDangling(s)),
          store,
          options.width ?? null,
        ),
      }
    : renderRows(
        listFormat(options),
        IMAGE_ROWS,
        listed.flatMap(summary => listRows(summary, options, now)),
      );
  if (!('text' in rendered)) return failed(rendered.error);
  const notes = listed.flatMap(summary => notesOf(summary, sized, store));
  return { stdout: rendered.text, notes, exitCode: notes.length === 0 ? 0 : 1 };
}

/** docker/cli cli/command/image/list.go */
function checkTree({ tree, quiet, noTrunc, digests, format }: ImagesOptions): void {
  if (!tree) return;
  const given = { quiet, 'no-trunc': noTrunc, digests, format: format !== undefined && format !== '' };
  const [other] = Object.entries(given).find(([, set]) => set) ?? [];
  if (other !== undefined) throw new UsageError(`--${other} is not supported with --tree`);
}

/** An image that several archives hold is one, with the names of all. */
function together(images: readonly StoredImage[]): StoredImage[] {
  const merged = new Map<string | StoredImage, StoredImage>();
  for (const image of images) {
    const key = image.id ?? image;
    const known = merged.get(key);
    const names = known === undefined ? image : mergeNames(known, image);
    merged.set(key, known === undefined ? image : { ...known, tags: names.tags, digests: names.digests });
  }
  return [...merged.values()];
}

function mergeNames(a: StoredImage, b: StoredImage) {
  return {
    tags: repoNames([...a.tags, ...b.tags], null).tags,
    digests: [...new Set([...a.digests, ...b.digests])],
  };
}

function select(summaries: readonly Summary[], filters: Filters, options: ImagesOptions, now: number) {
  const parents = new Set(summaries.map(({ stored }) => stored.parent));
  const createdOf = (ref: string) => summaries.find(({ stored }) => isCalled(stored, ref))?.created;
  const listed = filterSummaries(summaries, filters, { store: options.store, now, createdOf });
  if (typeof listed === 'string') return listed;
  const isStep = (summary: Summary) => isDangling(summary) && parents.has(summary.stored.id ?? '-');
  return newestFirst(options.all ? listed : listed.filter(summary => !isStep(summary)));
}

function notesOf({ stored, size }: Summary, sized: boolean, store: Store): string[] {
  const of = stored.tags[0] ?? stored.id ?? '';
  const images = store !== 'containerd' ? [stored.image] : stored.platforms;
  const layers =
    sized && size === null ? images.flatMap(i => unknownSizes(stored.scan, i.layers, store)) : [];
  return [...documentNotes(stored), ...layers].map(note => `${of}: ${note}`);
}
