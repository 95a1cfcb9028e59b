import { unloadableText } from '../checks/unloadable-text.js';
import type { Oddity, OddityKind, TreeNode } from '../image/file-tree.js';
import { severityOf } from '../image/unloadable.js';
import type { EntryType } from '../scan/entry.js';
import { visiblePath } from '../visible.js';
import { type Block, type Doc, gap, span, text } from './doc.js';
import { type FileReport, fileReport } from './file-report.js';
import { fileTable } from './file-table.js';
import type { ChangesReport, FoundFiles, ImageTree } from './files.js';
import type { LayerReport } from './report-types.js';
import { archiveHead, count, faultLine, imageTitle, instruction, madeBy } from './words.js';

interface View {
  readonly tree: boolean;
  readonly write: (bytes: number) => string;
}

export function filesDoc({ report, images }: FoundFiles, total: number, view: View): Doc {
  return [
    ...archiveHead(report, total),
    ...images.flatMap((image): Doc => [gap, imageTitle(image.report), ...imageDoc(image, view)]),
  ];
}

function imageDoc(image: ImageTree, view: View): Doc {
  const { report, nodes, changes, faults, oddities, refusals } = image;
  return [
    ...(changes === undefined ? listing(nodes, view) : changesDoc(report.layers, changes, view)),
    ...faults.map(fault => faultLine(fault)),
    ...oddities.flatMap(oddityLines),
    ...refusals
      .filter(one => severityOf(one) === 'error')
      .map(one => text([span('refused', 'bad'), `  ${unloadableText(one)}`])),
    ...(report.platform?.startsWith('windows/') ? [text([span(WINDOWS, 'dim')])] : []),
  ];
}

function listing(nodes: readonly TreeNode[], { tree, write }: View): Doc {
  if (nodes.length === 0) return [text('no files', 2)];
  // Made as they are looked at: a million reports at once would take more memory than all else together.
  const files: Iterable<FileReport> = {
    *[Symbol.iterator]() {
      for (const node of nodes) yield fileReport(node);
    },
  };
  const table = fileTable(files, nodes.length, write, tree ? { names: treeNames(nodes) } : {});
  return [table, text([span(summary(nodes, write), 'dim')])];
}

/** Each file once, with one of its names. */
function summary(nodes: readonly TreeNode[], write: View['write']): string {
  const counts = new Map<EntryType, number>();
  let bytes = 0;
  for (const { type, size } of nodes) {
    counts.set(type, (counts.get(type) ?? 0) + 1);
    if (type === 'file') bytes += size;
  }
  const kinds: [EntryType, string][] = [
    ['file', 'file'],
    ['directory', 'directory'],
    ['symlink', 'symbolic link'],
    ['hardlink', 'hard link'],
  ];
  let others = nodes.length;
  const parts = kinds.flatMap(([type, noun]) => {
    const n = counts.get(type) ?? 0;
    others -= n;
    if (n === 0) return [];
    return type === 'directory' ? [`${n} ${n === 1 ? noun : 'directories'}`] : [count(n, noun)];
  });
  if (others > 0) parts.push(`${others} other`);
  return `${parts.join(', ')}; ${write(bytes)}${/^\d+$/.test(write(bytes)) ? ' bytes' : ''}`;
}

/** Names behind the lines of a tree. The list has every directory before what is in it, unless a filter left it out. */
function treeNames(nodes: readonly TreeNode[]): () => (file: FileReport, index: number) => string {
  const isLast = lastOnes(nodes);
  return () => {
    const open: { readonly path: string; readonly bars: string; readonly isLast: boolean }[] = [];
    return (file, i) => {
      while (open.length > 0 && !file.path.startsWith(`${open.at(-1)!.path}/`)) open.pop();
      const above = open.at(-1);
      const bars = above === undefined ? '' : `${above.bars}${above.isLast ? '    ' : '│   '}`;
      const name = above === undefined ? file.path : file.path.slice(above.path.length + 1);
      const last = isLast[i] === 1;
      if (file.type === 'directory') open.push({ path: file.path, bars, isLast: last });
      return `${bars}${last ? '└── ' : '├── '}${visiblePath(name)}`;
    };
  };
}

/** 1 where no further file has the same directory above it. */
function lastOnes(nodes: readonly TreeNode[]): Uint8Array {
  const last = new Uint8Array(nodes.length);
  const seen: string[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const { path } = nodes[i]!;
    while (seen.length > 0 && !isSiblingOrBelow(seen.at(-1)!, path)) seen.pop();
    if (seen.length > 0 && seen.at(-1) === parentOf(path)) continue;
    last[i] = 1;
    seen.push(parentOf(path));
  }
  return last;
}

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));

const isSiblingOrBelow = (directory: string, path: string) =>
  directory === '' || path.startsWith(`${directory}/`);

function changesDoc(layers: readonly LayerReport[], changes: ChangesReport, { write }: View): Doc {
  const { layer, added, modified, removed } = changes;
  const all = [
    ...added.map(file => ({ file, change: span('added', 'good') })),
    ...modified.map(file => ({ file, change: span(modification(file), 'warn') })),
    ...removed.map(file => ({ file, change: span('removed', 'bad') })),
  ].sort((a, b) => (a.file.path < b.file.path ? -1 : a.file.path > b.file.path ? 1 : 0));
  const made = layers[layer];
  const line = made === undefined ? '' : instruction(made);
  const head = text(`layer ${layer + 1} of ${layers.length}${line === '' ? '' : `: ${madeBy(line)}`}`, 2);
  if (all.length === 0) return [head, text('changes nothing', 2)];
  return [
    head,
    fileTable(
      all.map(({ file }) => file),
      all.length,
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
  'whiteout-invalid': 'is a whiteout that names nothing',
  'whiteout-of-directory': 'is a whiteout without a name: it removes what lower layers have in its directory',
  'hard-link-to-nothing': 'is a hard link to what is not there',
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
