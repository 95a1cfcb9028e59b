import {
  type Block,
  type Column,
  type Doc,
  limitedTable,
  type Style,
  section,
  span,
  type Text,
  text,
} from '../../report/doc.js';
import { sizeWriter, type Units } from '../../report/units.js';
import { count } from '../../report/words.js';
import { visiblePath } from '../../visible.js';
import { type DiffLine, filesWords, foldMany, foldWhole, type Mark } from './fold.js';
import type { FileChange, FileRef, ImageDiff } from './report.js';

/** How a list of files is shown. */
export interface FileListOptions {
  readonly units?: Units | undefined;
  readonly rows: number;
  /** Every file, also of directories that differ as a whole. */
  readonly all: boolean;
}

/** The part of a comparison that is about files: what weighs most comes first; other times are only counted. */
export function diffFilesDoc({ files }: ImageDiff, options: FileListOptions): Doc {
  const { added, removed, changed } = files;
  if (added.length + removed.length + changed.length === 0) return [];
  const light = changed.filter(isLight);
  const attributes = light.filter(({ aspects }) => aspects.some(aspect => aspect !== 'times'));
  const inTimes = light.length - attributes.length;
  const heavy = changed.filter(change => !isLight(change));
  const words = [
    `${added.length} added`,
    `${removed.length} removed`,
    `${heavy.length} changed`,
    ...(attributes.length === 0 ? [] : [`${attributes.length} in mode or owner only`]),
    ...(inTimes === 0 ? [] : [`${inTimes} in time only`]),
  ];
  const lines = [
    ...removed.map(file => line('-', file)),
    ...added.map(file => line('+', file)),
    ...heavy.map(change => changeLine('~', change)),
    ...attributes.map(change => changeLine('.', change)),
  ];
  return [
    ...section(`files  (${words.join(', ')})`),
    ...linesDoc(lines, options),
    ...changed.flatMap(textDoc),
  ];
}

function linesDoc(lines: readonly DiffLine[], { units, rows, all }: FileListOptions): Doc {
  if (lines.length === 0) return [];
  const folded = all ? lines : foldMany(foldWhole(lines), rows);
  // What differs in its mode only comes last.
  const sorted = [...folded].sort(
    (x, y) => Number(x.mark === '.') - Number(y.mark === '.') || y.weight - x.weight,
  );
  const write = sizeWriter(units);
  const cells = sorted.map((one): Text[] => [
    [span(one.mark + (one.weight === 0 ? '' : write(one.weight)), STYLES[one.mark])],
    (visiblePath(one.path) || '/') + filesWords(one),
    one.what,
  ]);
  const isFolded = sorted.some(({ files }) => files !== null);
  return [
    ...limitedTable(COLUMNS, cells, rows),
    ...(isFolded ? [text([span('--all lists every file of these directories', 'dim')], 4)] : []),
  ];
}

const COLUMNS: readonly Column[] = [
  { title: 'size', align: 'right' },
  { title: 'path' },
  { title: 'what', shrink: true },
];

const STYLES: Readonly<Record<Mark, Style>> = { '-': 'bad', '+': 'good', '~': 'warn', '.': 'dim' };

const isLight = ({ aspects }: FileChange) =>
  aspects.every(aspect => aspect === 'mode' || aspect === 'owner' || aspect === 'times');

const line = (mark: Mark, { path, size, type, target }: FileRef): DiffLine => ({
  mark,
  path,
  weight: type === 'file' ? size : 0,
  what: target === null ? type : `${type} → ${target}`,
  isDirectory: type === 'directory',
  files: null,
});

function changeLine(mark: Mark, { path, aspects, a, b }: FileChange): DiffLine {
  const weight = isWeighed(aspects) ? Math.max(a.size, b.size) : 0;
  const told = aspects.filter(aspect => aspect !== 'times');
  const what = told.map(aspect => aspectWords(aspect, a, b)).join(', ');
  return { mark, path, weight, what, isDirectory: b.type === 'directory', files: null };
}

const isWeighed = (aspects: FileChange['aspects']) => aspects.includes('content') || aspects.includes('type');

function aspectWords(aspect: FileChange['aspects'][number], a: FileRef, b: FileRef): string {
  switch (aspect) {
    case 'type':
      return `${a.type} → ${b.type}`;
    case 'target':
      return `${a.target ?? '?'} → ${b.target ?? '?'}`;
    case 'mode':
      return `mode ${octal(a.mode)} → ${octal(b.mode)}`;
    case 'owner':
      return `owner ${a.uid}:${a.gid} → ${b.uid}:${b.gid}`;
    case 'content':
      return a.size === b.size
        ? 'content'
        : `content (${b.size > a.size ? '+' : ''}${count(b.size - a.size, 'byte')})`;
    default:
      return aspect;
  }
}

const octal = (mode: number) => mode.toString(8).padStart(4, '0');

function textDoc({ path, text: lines }: FileChange): Block[] {
  if (lines === null) return [];
  return [
    ...section(`/${path}`),
    ...lines
      .trimEnd()
      .split('\n')
      .map(row => text([span(row, ROW_STYLES[row[0] ?? ''] ?? null)], 4)),
  ];
}

const ROW_STYLES: Readonly<Record<string, Style>> = { '+': 'good', '-': 'bad', '@': 'dim' };
