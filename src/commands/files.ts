import type { FileTree, Oddity, TreeNode } from '../image/file-tree.js';
import { squash } from '../image/file-tree.js';
import { changesBetween } from '../image/layer-changes.js';
import { type LayerFault, layerFaults } from '../image/layer-faults.js';
import { tablesOf } from '../image/layer-tables.js';
import { type Unloadable, unloadables } from '../image/unloadable.js';
import { nameText } from '../scan/entry-name.js';
import { pathFilter } from '../scan/path-filter.js';
import type { Depth } from '../scan/scan.js';
import type { Result } from './doc.js';
import { type FileReport, fileReport } from './file-report.js';
import { filesDoc } from './files-doc.js';
import { imagesWithLayer } from './layer-choice.js';
import { requireImages } from './no-image.js';
import { type ChosenImage, chosenImages } from './one-image.js';
import { type ArchiveReading, imagesIn } from './read.js';
import { reportOf } from './report.js';
import type { ImageReport, Report } from './report-types.js';
import type { Selection } from './select.js';
import { sizeWriter, type Units } from './units.js';

export interface FilesOptions extends Selection {
  /** Only what this layer changes: its number, from 1, or the beginning of a digest of it. */
  readonly in?: string | undefined;
  /** Only paths that match one of these, or lie below; see `pathFilter`. */
  readonly where?: readonly string[] | undefined;
  /** As a tree. */
  readonly tree?: boolean | undefined;
  readonly units?: Units | undefined;
}

/** The report of `waybill files --json`: the general report, its images with their files. */
export interface FilesReport extends Omit<Report, 'images'> {
  readonly images: readonly ImageFiles[];
}

export interface ImageFiles extends ImageReport {
  /** The squashed file system: a directory is followed by all that is in it. Absent where one layer was asked for. */
  readonly files?: readonly FileReport[];
  /** What the layer that was asked for changes. */
  readonly changes?: ChangesReport;
  /** Layers whose entries are not all known, or whose bytes are not what the image claims. */
  readonly faults: readonly LayerFault[];
  /** What layers hold that no engine writes, or that engines take in different ways. */
  readonly oddities: readonly Oddity[];
  /** What makes engines refuse a layer when they unpack it. */
  readonly refusals: readonly Unloadable[];
}

export interface ChangesReport {
  /** Index of the layer, from 0. */
  readonly layer: number;
  readonly added: readonly FileReport[];
  /** As they are now. */
  readonly modified: readonly (FileReport & { readonly before: FileReport })[];
  /** As they were. */
  readonly removed: readonly FileReport[];
}

export const filesDepth: Depth = 'files';

/** What was found, before anything is made of each of 100,000 files. */
export interface FoundFiles {
  readonly report: Report;
  readonly images: readonly ImageTree[];
}

export interface ImageTree extends Pick<ImageFiles, 'changes' | 'faults' | 'oddities' | 'refusals'> {
  readonly report: ImageReport;
  /** What `ImageFiles.files` are. */
  readonly nodes: readonly TreeNode[];
}

/**
 * `waybill files`: what is in the images, or what one layer changes. Exit code 1 where a layer's entries are not all known.
 * @param reading  of depth `files`
 * @throws InputError when nothing is selected
 */
export function files(reading: ArchiveReading, options: FilesOptions): Result {
  requireImages(reading);
  const found = findFiles(reading, options);
  const isWhole = found.images.every(({ faults }) => faults.every(({ kind }) => kind === 'changed'));
  const view = { tree: options.tree ?? false, write: sizeWriter(options.units ?? 'bytes') };
  return {
    get data() {
      return reportOn(found);
    },
    get doc() {
      return filesDoc(found, imagesIn(reading), view);
    },
    exitCode: isWhole ? 0 : 1,
  };
}

/** The files of the images of an archive. @throws InputError when nothing is selected */
export function filesReport(reading: ArchiveReading, options: FilesOptions = {}): FilesReport {
  return reportOn(findFiles(reading, options));
}

function reportOn({ report, images }: FoundFiles): FilesReport {
  const withFiles = images.map(
    ({ report: image, nodes, changes, faults, oddities, refusals }): ImageFiles => {
      const files = changes === undefined ? { files: nodes.map(fileReport) } : { changes };
      return { ...image, ...files, faults, oddities, refusals };
    },
  );
  return { ...report, images: withFiles };
}

function findFiles(reading: ArchiveReading, options: FilesOptions): FoundFiles {
  const all = chosenImages(reading, options);
  const layer = options.in;
  const chosen: readonly (ChosenImage & { index?: number })[] =
    layer === undefined ? all : imagesWithLayer(all, layer, reading.opened.file);
  const report = reportOf(reading, new Set(chosen.map(({ image }) => image)));
  const { where = [] } = options;
  const matches = where.length === 0 ? null : pathFilter(where);
  const wanted = matches === null ? null : ({ path }: TreeNode) => matches(nameText(path));
  return {
    report,
    images: report.images.map((image, i) => ({ report: image, ...imageFiles(chosen[i]!, wanted) })),
  };
}

/** null for everything. */
type Wanted = ((node: TreeNode) => boolean) | null;

function imageFiles(
  { part, image, index }: ChosenImage & { index?: number },
  wanted: Wanted,
): Omit<ImageTree, 'report'> {
  const tables = tablesOf(part.scan, image);
  const faults = layerFaults(part.scan, image);
  const refusals = [...unloadables(part.scan, image)];
  if (index === undefined) {
    const tree = squash(tables);
    return { nodes: chosenOf(tree.nodes, wanted), faults, oddities: shownOddities(tree), refusals };
  }
  const before = squash(tables.slice(0, index));
  const after = squash(tables.slice(0, index + 1));
  const { added, modified, removed } = changesBetween(before, after, index);
  const changes: ChangesReport = {
    layer: index,
    added: chosenOf(added, wanted).map(fileReport),
    modified: modified
      .filter(({ after }) => wanted?.(after) ?? true)
      .map(({ before, after }) => ({ ...fileReport(after), before: fileReport(before) })),
    removed: chosenOf(removed, wanted).map(fileReport),
  };
  return {
    nodes: [],
    changes,
    faults: faults.filter(({ layer }) => layer <= index),
    oddities: shownOddities(after, index),
    refusals: refusals.filter(({ layer }) => layer === index),
  };
}

const chosenOf = (nodes: readonly TreeNode[], wanted: Wanted): readonly TreeNode[] =>
  wanted === null ? nodes : nodes.filter(wanted);

/** Paths as text; of one layer only, where one was asked for. */
function shownOddities({ oddities }: FileTree, layer?: number): Oddity[] {
  return oddities.flatMap(({ kind, count, places }) => {
    const here = layer === undefined ? places : places.filter(place => place.layer === layer);
    if (here.length === 0) return [];
    const texts = here.map(place => ({ ...place, path: nameText(place.path) }));
    return [{ kind, count: layer === undefined ? count : here.length, places: texts }];
  });
}
