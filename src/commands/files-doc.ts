import type { Oddity, OddityKind } from '../image/file-tree.js';
import { visible, visiblePath } from '../visible.js';
import { type Block, type Doc, gap, span, text } from './doc.js';
import type { FileReport } from './file-report.js';
import { fileTable } from './file-table.js';
import type { ChangesReport, FilesReport, ImageFiles } from './files.js';
import { archiveHead, count, imageTitle, instruction, madeBy } from './words.js';

interface View {
  readonly tree: boolean;
  readonly write: (bytes: number) => string;
}

export function filesDoc(report: FilesReport, total: number, view: View): Doc {
  return [
    ...archiveHead(report, total),
    ...report.images.flatMap((image): Doc => [gap, imageTitle(image), ...imageDoc(image, view)]),
  ];
}

function imageDoc(image: ImageFiles, view: View): Doc {
  const { files = [], changes, faults, oddities } = image;
  return [
    ...(changes === undefined ? listing(files, view) : changesDoc(image, changes, view)),
    ...faults.map(({ layer, kind, reason }) =>
      text([
        span(kind === 'incomplete' ? 'incomplete' : 'changed', kind === 'incomplete' ? 'bad' : 'warn'),
        `  layer ${layer + 1}: ${visible(reason)}`,
      ]),
    ),
    ...oddities.flatMap(oddityLines),
    ...(image.platform?.startsWith('windows/') ? [text([span(WINDOWS, 'dim')])] : []),
  ];
}

function listing(files: readonly FileReport[], { tree, write }: View): Doc {
  if (files.length === 0) return [text('no files', 2)];
  const names = tree ? treeNames(files) : null;
  const table = fileTable(files, write, names === null ? {} : { name: i => names[i]! });
  return [table, text([span(summary(files, write), 'dim')])];
}

/** Each file once, whatever names it has. */
function summary(files: readonly FileReport[], write: View['write']): string {
  const of = (type: FileReport['type']) => files.filter(file => file.type === type);
  const sum = of('file').reduce((bytes, { size }) => bytes + size, 0);
  const kinds: [FileReport['type'], string][] = [
    ['file', 'file'],
    ['directory', 'directory'],
    ['symlink', 'symbolic link'],
    ['hardlink', 'hard link'],
  ];
  const parts = kinds.flatMap(([type, noun]) => {
    const n = of(type).length;
    if (n === 0) return [];
    return type === 'directory' ? [`${n} ${n === 1 ? noun : 'directories'}`] : [count(n, noun)];
  });
  const others = files.length - kinds.reduce((n, [type]) => n + of(type).length, 0);
  if (others > 0) parts.push(`${others} other`);
  return `${parts.join(', ')}; ${write(sum)}${/^\d+$/.test(write(sum)) ? ' bytes' : ''}`;
}

/** Names behind the lines of a tree. The list has every directory before what is in it, unless a filter left it out. */
function treeNames(files: readonly FileReport[]): string[] {
  const open: { readonly path: string; readonly bars: string; readonly isLast: boolean }[] = [];
  const isLast = lastOnes(files);
  return files.map((file, i) => {
    while (open.length > 0 && !file.path.startsWith(`${open.at(-1)!.path}/`)) open.pop();
    const above = open.at(-1);
    const bars = above === undefined ? '' : `${above.bars}${above.isLast ? '    ' : '│   '}`;
    const name = above === undefined ? file.path : file.path.slice(above.path.length + 1);
    if (file.type === 'directory') open.push({ path: file.path, bars, isLast: isLast[i]! });
    return `${bars}${isLast[i] ? '└── ' : '├── '}${visiblePath(name)}`;
  });
}

/** Whether no further file has the same directory above it. */
function lastOnes(files: readonly FileReport[]): boolean[] {
  const last = new Array<boolean>(files.length);
  const seen: string[] = [];
  for (let i = files.length - 1; i >= 0; i--) {
    const { path } = files[i]!;
    while (seen.length > 0 && !isSiblingOrBelow(seen.at(-1)!, path)) seen.pop();
    last[i] = true;
    if (seen.length > 0 && seen.at(-1) === parentOf(path)) last[i] = false;
    else seen.push(parentOf(path));
  }
  return last;
}

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));

const isSiblingOrBelow = (directory: string, path: string) =>
  directory === '' || path.startsWith(`${directory}/`);

function changesDoc(image: ImageFiles, changes: ChangesReport, { write }: View): Doc {
  const { layer, added, modified, removed } = changes;
  const all = [
    ...added.map(file => ({ file, change: span('added', 'good') })),
    ...modified.map(file => ({ file, change: span(modification(file), 'warn') })),
    ...removed.map(file => ({ file, change: span('removed', 'bad') })),
  ].sort((a, b) => (a.file.path < b.file.path ? -1 : a.file.path > b.file.path ? 1 : 0));
  const made = image.layers[layer];
  const line = made === undefined ? '' : instruction(made);
  const head = text(
    `layer ${layer + 1} of ${image.layers.length}${line === '' ? '' : `: ${madeBy(line)}`}`,
    2,
  );
  if (all.length === 0) return [head, text('changes nothing', 2)];
  return [
    head,
    fileTable(
      all.map(({ file }) => file),
      write,
      { lead: { title: 'change', cell: i => [all[i]!.change] } },
    ),
    text([span(`${added.length} added, ${modified.length} modified, ${removed.length} removed`, 'dim')]),
  ];
}

/** A change of type is worth a word: a directory that became a link loses all that was in it. */
function modification(file: ChangesReport['modified'][number]): string {
  return file.type === file.before.type ? 'modified' : `was ${file.before.type}`;
}

const ODDITIES: Readonly<Record<OddityKind, string>> = {
  'whiteout-of-nothing': 'deletes what no lower layer has',
  'whiteout-invalid': 'is a whiteout that names nothing; engines refuse the layer',
  'hard-link-to-nothing': 'is a hard link to what is not there; engines refuse the layer',
  'duplicate-name': 'stands twice in one layer; the last one counts',
  'parent-replaced': 'is a directory for entries below it, but was something else',
  'root-replaced': 'would replace the root by something that is no directory',
  'link-leaves-root': 'is a link that climbs above the root',
  'below-whiteout': 'lies below a whiteout, where nothing can be',
  'unknown-type': 'is of a type that no engine unpacks',
  'too-many-directories': 'is left out: too many directories have no entry of their own',
};

/** layer.md leaves it to Windows; every tool of its kind lays layers out so. */
const WINDOWS = 'Windows: its files lie below Files/, its registry below Hives/';

/** How many places of one kind are listed. */
const SHOWN = 5;

function oddityLines({ kind, count: all, places }: Oddity): Block[] {
  const more = all - Math.min(SHOWN, places.length);
  return [
    ...places
      .slice(0, SHOWN)
      .map(({ layer, path }) =>
        text([span('odd', 'warn'), `  layer ${layer + 1}: ${visiblePath(path) || '/'} ${ODDITIES[kind]}`]),
      ),
    ...(more > 0 ? [text(`and ${more} more like it`, 5)] : []),
  ];
}
