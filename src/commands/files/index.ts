import { treeOfImage } from '../../analysis/hidden-files.js';
import { pathFilter } from '../../containers/path-filter.js';
import { UsageError } from '../../errors.js';
import type { FileTree, Oddity, Passing, TreeNode } from '../../filesystem/file-tree.js';
import { squash } from '../../filesystem/file-tree.js';
import { changesBetween, type Gone, LayerEntry, layerEntries } from '../../filesystem/layer-changes.js';
import { type LayerFault, layerFaults, tablesOf } from '../../filesystem/layer-tables.js';
import { type Unloadable, unloadables } from '../../filesystem/unloadable.js';
import { areDocumentsLost } from '../../link/observation.js';
import type { Result } from '../../report/doc.js';
import { type FileReport, fileReport } from '../../report/file-report.js';
import { type ArchiveReading, imagesIn } from '../../report/read.js';
import { type ImageReport, type Report, reportOf } from '../../report/report.js';
import { auditedResult, type ReportingOptions } from '../../report/reported.js';
import {
  type ChosenImage,
  chosenImages,
  imagesWithLayer,
  requireImages,
  type Selection,
  selectImages,
} from '../../report/select.js';
import { sizeWriter, type Units } from '../../report/words.js';
import { nameText } from '../../scan/entries/name.js';
import type { EntryTable } from '../../scan/entries/table.js';
import type { Depth } from '../../scan/scan.js';
import {
  type FileView,
  fileView,
  inTreeOrder,
  type Total,
  type TreeRow,
  type ViewOptions,
  type ViewRow,
} from './rows.js';
import { filesDoc } from './view.js';

export interface FilesOptions extends Selection, ViewOptions, ReportingOptions {
  /** List only the changes of this layer: a number from 1, or the beginning of a digest of the layer. */
  readonly in?: string | undefined;
  /** List every entry of every layer, with the reason if it is hidden. */
  readonly allLayers?: boolean | undefined;
  /** Only paths that match one of these patterns, or are below such a path; see `pathFilter`. */
  readonly where?: readonly string[] | undefined;
  readonly units?: Units | undefined;
}

/** The report of `waybill files --json`: the general report; its images have their files. */
export interface FilesReport extends Omit<Report, 'images'> {
  readonly images: readonly ImageFiles[];
}

export interface ImageFiles extends ImageReport {
  /** Number of files or entries, including those that `top` leaves out. */
  readonly count: number;
  /** The squashed file system: a directory is followed by its contents. Absent if something else was requested. */
  readonly files?: readonly ListedFile[];
  /** The changes of the layer that was requested. */
  readonly changes?: ChangesReport;
  /** Every entry of every layer, if requested. */
  readonly entries?: readonly EntryReport[];
  /** Layers whose entries are not all known, or whose bytes differ from the image's claims. */
  readonly faults: readonly LayerFault[];
  /** Entries that no engine writes, or that engines interpret in different ways. */
  readonly oddities: readonly Oddity[];
  /** Reasons for which engines refuse to unpack a layer. */
  readonly refusals: readonly Unloadable[];
}

export interface ListedFile extends FileReport {
  /** For a directory in a tree: the sum over its listed files. */
  readonly total?: Total;
}

export interface ChangesReport {
  /** Index of the layer, from 0. */
  readonly layer: number;
  readonly added: readonly ListedFile[];
  /** Files after the layer, with `before` for their previous state. */
  readonly modified: readonly (ListedFile & { readonly before: FileReport })[];
  /** Files before the layer. */
  readonly removed: readonly ListedFile[];
}

/** The entry as its layer has it: a hard link is not a file of its own here and has no size. */
export interface EntryReport extends FileReport {
  /** Why the final file system does not show it; null for a visible entry, and for a whiteout. */
  readonly gone: Gone | null;
  /** True for a whiteout: it deletes something of lower layers. */
  readonly whiteout: boolean;
}

export const filesDepth: Depth = 'files';

/** The files that match, before a report is made for each of them. */
export interface FoundFiles {
  readonly report: Report;
  readonly images: readonly ImageTree[];
}

export interface ImageTree extends Pick<ImageFiles, 'faults' | 'oddities' | 'refusals'> {
  readonly report: ImageReport;
  readonly view: FileView;
  /** The layer that was requested, and its change of each file. */
  readonly changes: FileChanges | null;
  /** True if the files are entries of all layers. */
  readonly allLayers: boolean;
  /** True if no document lists the layers, because the archive is damaged or cut: upper ones may be missing. */
  readonly isGuess: boolean;
}

export interface FileChanges {
  /** Index of the layer, from 0. */
  readonly layer: number;
  /** Number of files that the layer changes, including those that were not requested. */
  readonly all: number;
  readonly added: number;
  readonly removed: number;
  /** For a modified file, the previous node; null for a removed file; no value for an added one. */
  readonly before: ReadonlyMap<TreeRow, TreeNode | null>;
}

/** @throws UsageError for options that contradict each other */
export function checkFilesOptions({ in: layer, allLayers, tree }: FilesOptions): void {
  if (!allLayers) return;
  if (layer !== undefined)
    throw new UsageError(
      '--all-layers lists every layer, --in what one layer changes: leave out one of them',
    );
  if (tree)
    throw new UsageError(
      '--all-layers lists a path once for each layer that has it, which is no tree: leave out --tree, or look at one layer with --in N --tree',
    );
}

/**
 * `waybill files`: the files of images, or the changes of one layer. The exit code is 1 if the entries of a layer are
 * not all known, or no document lists the layers because the archive is cut.
 * @param reading  of depth `files`
 * @throws InputError if nothing is selected
 */
export function files(reading: ArchiveReading, options: FilesOptions): Result {
  checkFilesOptions(options);
  requireImages(reading);
  const found = findFiles(reading, options);
  const isWhole = found.images.every(
    ({ faults, isGuess }) => !isGuess && faults.every(({ kind }) => kind === 'changed'),
  );
  const { tree = false, top, units = 'bytes' } = options;
  const chosen = selectImages(reading, options);
  return {
    ...auditedResult(reading, chosen, isWhole ? 0 : 1, options),
    get data() {
      return reportOnFiles(found);
    },
    get doc() {
      return filesDoc(found, imagesIn(reading), { tree, top, write: sizeWriter(units) });
    },
  };
}

/**
 * The files of the images of an archive.
 * @throws InputError if nothing is selected
 */
export function filesReport(reading: ArchiveReading, options: FilesOptions = {}): FilesReport {
  checkFilesOptions(options);
  return reportOnFiles(findFiles(reading, options));
}

/** The report about files that were found. */
export function reportOnFiles({ report, images }: FoundFiles): FilesReport {
  const withFiles = images.map((image): ImageFiles => {
    const { faults, oddities, refusals, view } = image;
    return { ...image.report, count: view.count, ...listOf(image), faults, oddities, refusals };
  });
  return { ...report, images: withFiles };
}

function listOf({ view, changes, allLayers }: ImageTree): Pick<ImageFiles, 'files' | 'changes' | 'entries'> {
  const { rows } = view;
  if (allLayers)
    return { entries: [...rows].flatMap(({ item }) => (item === null ? [] : entryReport(item))) };
  if (changes === null) return { files: listed(rows, () => true) };
  const { layer, before } = changes;
  return {
    changes: {
      layer,
      added: listed(rows, item => before.get(item) === undefined),
      modified: [...rows].flatMap(row => {
        const old = row.item === null ? null : before.get(row.item);
        return old == null ? [] : [{ ...listedFile(row.item!, row.total), before: fileReport(old) }];
      }),
      removed: listed(rows, item => before.get(item) === null),
    },
  };
}

/** Leaves out directories that are only parents of listed files. */
function listed(rows: Iterable<ViewRow>, isWanted: (item: TreeRow) => boolean): ListedFile[] {
  const files: ListedFile[] = [];
  for (const { item, total } of rows)
    if (item !== null && isWanted(item)) files.push(listedFile(item, total));
  return files;
}

const listedFile = (item: TreeRow, total: Total | null): ListedFile =>
  total === null ? fileReport(item) : { ...fileReport(item), total };

const entryReport = (item: TreeRow): EntryReport[] =>
  item instanceof LayerEntry ? [{ ...fileReport(item), gone: item.gone, whiteout: item.isWhiteout }] : [];

/** @throws InputError if nothing is selected */
export function findFiles(reading: ArchiveReading, options: FilesOptions): FoundFiles {
  const all = chosenImages(reading, options);
  const layer = options.in;
  const chosen: readonly (ChosenImage & { index?: number })[] =
    layer === undefined ? all : imagesWithLayer(all, layer, reading.opened.file);
  const report = reportOf(reading, new Set(chosen.map(({ image }) => image)));
  const { where = [] } = options;
  const matches = where.length === 0 ? null : pathFilter(where);
  const wanted = matches === null ? null : (path: string) => matches(nameText(path));
  return {
    report,
    images: report.images.map((image, i) => {
      const isGuess = areDocumentsLost(chosen[i]!.part.graph.observations);
      return { report: image, isGuess, ...imageFiles(chosen[i]!, wanted, options) };
    }),
  };
}

/** A predicate on a path, bytes one per character; null accepts everything. */
type PathTest = ((path: string) => boolean) | null;

function imageFiles(
  { part, image, index }: ChosenImage & { index?: number },
  wanted: PathTest,
  options: FilesOptions,
): Omit<ImageTree, 'report' | 'isGuess'> {
  const tables = tablesOf(part.scan, image);
  const faults = layerFaults(part.scan, image);
  const refusals = [...unloadables(part.scan, image)];
  if (index !== undefined) {
    return {
      ...layerFiles(tables, index, wanted, options),
      faults: faults.filter(({ layer }) => layer <= index),
      refusals: refusals.filter(({ layer }) => layer === index),
    };
  }
  const { allLayers = false } = options;
  const { tree, entries } = allLayers
    ? layerEntries(tables, wanted ?? (() => true))
    : { tree: treeOfImage(part.scan, image), entries: null };
  const items: Passing<TreeRow> = entries === null ? chosenOf(tree.passing, wanted) : inTreeOrder(entries);
  const view = fileView(items, options);
  return { view, changes: null, allLayers, faults, oddities: shownOddities(tree), refusals };
}

function layerFiles(
  tables: readonly (EntryTable | null)[],
  index: number,
  wanted: PathTest,
  options: FilesOptions,
): Omit<ImageTree, 'report' | 'isGuess' | 'faults' | 'refusals'> {
  const after = squash(tables.slice(0, index + 1));
  const changes = changesBetween(squash(tables.slice(0, index)), after, index);
  const all = changes.added.length + changes.modified.length + changes.removed.length;
  const added = chosenOf(changes.added, wanted);
  const removed = chosenOf(changes.removed, wanted);
  const modified = changes.modified.filter(({ after }) => wanted?.(after.path) ?? true);
  const before = new Map<TreeRow, TreeNode | null>([
    ...modified.map(({ before, after }) => [after, before] as const),
    ...[...removed].map(node => [node, null] as const),
  ]);
  const items = inTreeOrder([...added, ...modified.map(({ after }) => after), ...removed]);
  return {
    view: fileView(items, options, item => before.get(item) === null),
    changes: { layer: index, all, added: added.length, removed: removed.length, before },
    allLayers: false,
    oddities: shownOddities(after, index),
  };
}

const chosenOf = (nodes: Passing<TreeNode>, wanted: PathTest): Passing<TreeNode> =>
  wanted === null ? nodes : [...nodes].filter(({ path }) => wanted(path));

/** Oddities with paths as text; only those of one layer, if one was requested. */
function shownOddities({ oddities }: FileTree, layer?: number): Oddity[] {
  return oddities.flatMap(({ kind, count, places }) => {
    const here = layer === undefined ? places : places.filter(place => place.layer === layer);
    if (here.length === 0) return [];
    const texts = here.map(place => ({ ...place, path: nameText(place.path) }));
    return [{ kind, count: layer === undefined ? count : here.length, places: texts }];
  });
}
