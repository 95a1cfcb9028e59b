import type { Pairing, Tally } from '../../analysis/diff/changes.js';
import {
  type ComparedTree,
  digestIn,
  type FilePair,
  fileChanges,
  kindOf,
} from '../../analysis/diff/files.js';
import { squash, type TreeNode } from '../../filesystem/file-tree.js';
import { tablesOf } from '../../filesystem/layer-tables.js';
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
import { count, sizeWriter, type Units } from '../../report/words.js';
import { contentOf } from '../../scan/entries/content.js';
import { nameText } from '../../scan/entries/name.js';
import { visiblePath } from '../../visible.js';
import { type ChangeMark, type DiffLine, filesWords, foldMany, foldWhole } from './fold.js';
import type { Placed } from './layers.js';
import type { FileChange, FileRef, FilesDiff, ImageDiff } from './report.js';
import { unifiedDiff } from './words.js';

export interface FilesCompared {
  readonly diff: FilesDiff;
  readonly a: ComparedTree;
  readonly b: ComparedTree;
  /** Number of files of equal size whose contents could not be compared. */
  readonly unread: number;
  readonly notes: readonly string[];
}

/** Unpacks two images. If both images have a layer and only one archive holds it, it is taken from that archive. */
export function unpackBoth(
  a: Placed,
  b: Placed,
  pairing: readonly Pairing[],
): { a: ComparedTree; b: ComparedTree } {
  const [left, right] = [tablesOf(a.part.scan, a.image), tablesOf(b.part.scan, b.image)];
  for (const [i, j] of pairing) {
    if (i === null || j === null) continue;
    const isAbsent = a.image.layers[i]!.member === null || b.image.layers[j]!.member === null;
    if (!isAbsent) continue;
    const table = left[i] ?? right[j] ?? null;
    left[i] = table;
    right[j] = table;
  }
  const unpacked = (tables: typeof left): ComparedTree => ({ tables, tree: squash(tables) });
  return { a: unpacked(left), b: unpacked(right) };
}

/**
 * Compares the file systems of two images.
 * @param text  whether to compare small text files line by line
 */
export function filesDiff(a: ComparedTree, b: ComparedTree, tally: Tally, text: boolean): FilesCompared {
  const { added, removed, changed, unread } = fileChanges(a, b);
  const isListed = (kind: string, nodes: readonly TreeNode[]) =>
    nodes.length > 0 && tally.add(kind, nodes.length);
  const unknown = `the contents of ${count(unread, 'file')} of the same size were not read, and may differ`;
  return {
    diff: {
      added: isListed('files.added', added) ? added.map(node => refOf(b, node)) : [],
      removed: isListed('files.removed', removed) ? removed.map(node => refOf(a, node)) : [],
      changed: changed.flatMap(pair => changeOf(a, b, pair, tally, text) ?? []),
    },
    a,
    b,
    unread,
    notes: unread === 0 ? [] : [unknown],
  };
}

function changeOf(
  a: ComparedTree,
  b: ComparedTree,
  pair: FilePair,
  tally: Tally,
  text: boolean,
): FileChange | null {
  const aspects = pair.aspects.filter(aspect => tally.add(kindOf(aspect)));
  if (aspects.length === 0) return null;
  const [x, y] = [refOf(a, pair.a), refOf(b, pair.b)];
  const lines = text && aspects.includes('content') ? textOf(a, b, pair) : null;
  return { path: x.path, aspects, a: x, b: y, text: lines };
}

function textOf(a: ComparedTree, b: ComparedTree, pair: FilePair): string | null {
  const [x, y] = [contentIn(a, pair.a), contentIn(b, pair.b)];
  return x === null || y === null ? null : unifiedDiff(x, y);
}

function contentIn({ tables }: ComparedTree, { inode, entry }: TreeNode): Uint8Array | null {
  if (entry.size === 0) return new Uint8Array(0);
  const table = tables[inode.layer] ?? null;
  return table === null ? null : contentOf(table, inode.index);
}

function refOf(unpacked: ComparedTree, node: TreeNode): FileRef {
  const { entry, type, inode } = node;
  return {
    path: nameText(node.path),
    type,
    size: entry.size,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime: entry.mtime + entry.mtimeNanos / 1e9,
    target: type === 'hardlink' ? nullableText(node.linkedTo) : nullableText(entry.target),
    layer: node.layer,
    digest: inode.type === 'file' ? digestIn(unpacked, inode) : null,
  };
}

const nullableText = (name: string | null) => (name === null ? null : nameText(name));

/** Options for printing a list of files. */
interface FileListOptions {
  readonly units?: Units | undefined;
  readonly rows: number;
  /** List every file, including those in directories that differ as a whole. */
  readonly all: boolean;
}

/** The section about files: the largest changes first; changes of only the time are counted, not listed. */
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
  // Changes of only the mode come last.
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

const STYLES: Readonly<Record<ChangeMark, Style>> = { '-': 'bad', '+': 'good', '~': 'warn', '.': 'dim' };

const isLight = ({ aspects }: FileChange) =>
  aspects.every(aspect => aspect === 'mode' || aspect === 'owner' || aspect === 'times');

const line = (mark: ChangeMark, { path, size, type, target }: FileRef): DiffLine => ({
  mark,
  path,
  weight: type === 'file' ? size : 0,
  what: target === null ? type : `${type} → ${target}`,
  isDirectory: type === 'directory',
  files: null,
});

function changeLine(mark: ChangeMark, { path, aspects, a, b }: FileChange): DiffLine {
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
