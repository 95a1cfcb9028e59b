import { isKind, KINDS, Tally, together } from '../../analysis/diff/changes.js';
import { UsageError } from '../../errors.js';
import { packageDatabases } from '../../packages/databases.js';
import type { Result } from '../../report/doc.js';
import type { ArchiveReading, ReadOptions } from '../../report/read.js';
import { reportOf } from '../../report/report.js';
import { type Selection, selectImages } from '../../report/select.js';
import type { Units } from '../../report/words.js';
import { didYouMean, nearest } from '../../spec/nearest.js';
import { counting, diffImages, onlyIn, refOf } from './image.js';
import { type Placed, pairImages } from './layers.js';
import type { DiffReport, FileChange, FileRef } from './report.js';
import { diffDoc } from './view.js';
import { TEXT_CAP } from './words.js';

/** One side of a comparison. Both sides may be the same archive with different selections. */
export interface DiffSide {
  readonly reading: ArchiveReading;
  readonly selection: Selection;
}

export interface DiffOptions {
  /** Kinds of differences to ignore, or more specific forms of them: `times`, `config.labels`, `files.added`. */
  readonly ignore?: readonly string[] | undefined;
  /** Compare small text files line by line, if their contents were kept; see `diffReadOptions`. */
  readonly text?: boolean | undefined;
  readonly units?: Units | undefined;
  /** Rows of each list in a printed report; the data has all of them. Default 20. */
  readonly top?: number | undefined;
  /** The earlier name of `top`. */
  readonly rows?: number | undefined;
  /** Print every row, unless `top` is given, and each file of directories that differ as a whole. */
  readonly all?: boolean | undefined;
  /** An additional note, such as `textNote`. */
  readonly note?: string | null | undefined;
}

/**
 * The read options that `diff` needs.
 * @param paths  of `changedTexts`, for a second reading that compares line by line
 */
export function diffReadOptions(paths: readonly string[] = []): ReadOptions {
  const texts = paths.map(path => `/${path}`);
  return { depth: 'files', files: { digests: true, keep: [...packageDatabases, ...texts] } };
}

/**
 * `waybill diff`: the differences between the images of two archives, or between two images of one. The exit code is 1
 * if there is a difference that is not ignored. IDs and sizes follow from other differences and are not counted.
 * @throws InputError if a selection matches nothing; UsageError for an unknown kind to ignore
 */
export function diff(a: DiffSide, b: DiffSide, options: DiffOptions = {}): Result {
  const report = diffReport(a, b, options);
  return {
    data: report,
    doc: diffDoc(report, { ...options, top: options.top ?? options.rows }),
    exitCode: report.same ? 0 : 1,
  };
}

/** The report of `diff`. */
export function diffReport(a: DiffSide, b: DiffSide, options: DiffOptions = {}): DiffReport {
  const { ignore = [], text = false } = options;
  checkIgnored(ignore);
  const [left, right] = [placed(a), placed(b)];
  const { pairs, onlyA, onlyB } = pairImages(left.images, right.images);
  const images = pairs.map(pair => diffImages(pair, { ignore, text }));
  const tally = new Tally(ignore);
  const alone = counting('images', { onlyA: onlyA.map(refOf), onlyB: onlyB.map(refOf) }, tally);
  const artifacts = counting('artifacts', onlyIn(left.artifacts, right.artifacts), tally);
  const differences = together([...images.map(image => image.differences), tally.differences()]);
  return {
    schemaVersion: 1,
    a: left.archive,
    b: right.archive,
    same: differences.length === 0,
    differences,
    ignored: together([...images.map(image => image.ignored), tally.ignoredDifferences()]),
    images,
    ...alone,
    artifacts,
    notes: [...left.notes, ...right.notes],
  };
}

/** @throws UsageError for an unknown kind of difference */
export function checkIgnored(ignore: readonly string[]): void {
  const unknown = ignore.find(word => !isKind(word));
  if (unknown !== undefined)
    throw new UsageError(
      `--ignore: expected ${KINDS.join(', ')}, found ${JSON.stringify(unknown)}${didYouMean(nearest(unknown, KINDS))}`,
    );
}

function placed({ reading, selection }: DiffSide) {
  const chosen = selectImages(reading, selection);
  const report = reportOf(reading, chosen);
  const images = reading.parts
    .flatMap(part => part.graph.images.map(image => ({ part, image })))
    .filter(({ image }) => chosen.has(image))
    .map((place, i): Placed => ({ ...place, report: report.images[i]! }));
  // Artifacts do not belong to a selected image.
  const isWhole = selection.ref === undefined && selection.platform === undefined;
  const artifacts = isWhole ? report.artifacts.map(({ digest }) => digest ?? '(no digest)') : [];
  const notes = report.findings
    .filter(({ code, severity }) => code === 'part-unreadable' && severity === 'error')
    .map(({ at, message }) => `${at.path}: ${message}`);
  return { archive: report.archive, images, artifacts, notes };
}

/** Maximum number of files that are read a second time to compare them line by line. */
const TEXTS = 200;

/**
 * Paths of the changed files that are small enough to be compared line by line, as patterns for a second reading. An
 * archive from a pipe cannot be read twice.
 */
export const changedTexts = (report: DiffReport): string[] =>
  smallChanges(report)
    .slice(0, TEXTS)
    .map(path => path.replace(/[\\*?[\]{},]/g, '\\$&'));

/** The reason why not all of the small changed files are compared line by line; null if they are. */
export function textNote(report: DiffReport, isReadTwice: boolean): string | null {
  const found = smallChanges(report).length;
  if (found === 0) return null;
  if (!isReadTwice)
    return '--text: not compared line by line: standard input cannot be read a second time; save it to a file first';
  return found <= TEXTS
    ? null
    : `--text: ${TEXTS} of ${found} changed files are compared line by line, no more`;
}

function smallChanges({ images }: DiffReport): string[] {
  const isSmall = ({ a, b }: FileChange) => a.size <= TEXT_CAP && b.size <= TEXT_CAP;
  const paths = images.flatMap(({ files }) =>
    files.changed
      .filter(change => change.aspects.includes('content') && isSmall(change))
      .flatMap(({ path, a, b }) => [path, ...linkedTo(a), ...linkedTo(b)]),
  );
  return [...new Set(paths)];
}

/** The content of a file with several names is kept under its first name. */
const linkedTo = ({ type, target }: FileRef) => (type === 'hardlink' && target !== null ? [target] : []);
