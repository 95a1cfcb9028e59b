import { unloadableText } from '../../checks/rules-images.js';
import type { Oddity, Passing, TreeNode } from '../../filesystem/file-tree.js';
import { LayerEntry } from '../../filesystem/layer-changes.js';
import { oddityText, severityOf, type Unloadable } from '../../filesystem/unloadable.js';

import { type Block, type Doc, gap, span, type Text, text } from '../../report/doc.js';
import { fileReport } from '../../report/file-report.js';
import { LISTING_LOST } from '../../report/select.js';
import { archiveHead, count, faultLine, imageTitle, instruction, madeBy } from '../../report/words.js';
import { nameText } from '../../scan/entries/name.js';
import type { EntryType } from '../../scan/entries/table.js';
import { visiblePath } from '../../visible.js';
import type { FileChanges, FoundFiles, ImageTree } from './index.js';
import { type TreeRow, treeBars } from './rows.js';
import { type FileRow, fileTable } from './table.js';

interface View {
  readonly tree: boolean;
  readonly top: number | undefined;
  readonly write: (bytes: number) => string;
}

export function filesDoc({ report, images }: FoundFiles, total: number, view: View): Doc {
  return [
    ...archiveHead(report, total),
    ...images.flatMap((image): Doc => [gap, imageTitle(image.report), ...imageDoc(image, view)]),
  ];
}

function imageDoc(image: ImageTree, view: View): Doc {
  const { report, changes, faults, oddities, refusals, isGuess } = image;
  const told = refusals.filter(one => severityOf(one) === 'error');
  return [
    ...(changes === null ? listing(image, view) : changesDoc(image, changes, view)),
    ...(isGuess ? [text([span('incomplete', 'bad'), `  ${LISTING_LOST}`])] : []),
    ...faults.map(fault => faultLine(fault)),
    ...oddities.flatMap(oddity => oddityLines(oddity, told)),
    ...told.map(one => text([span('refused', 'bad'), `  ${unloadableText(one)}`])),
    ...(report.platform?.startsWith('windows/') ? [text([span(WINDOWS, 'dim')])] : []),
  ];
}

function listing(image: ImageTree, view: View): Doc {
  const { items } = image.view;
  if (items.length === 0) return [text('no files', 2)];
  const { allLayers } = image;
  const table = allLayers ? tableOf(image, view, fateOf, 'now') : tableOf(image, view);
  const words = allLayers ? fates(items) : summary(items, view.write);
  return [table, ...rest(image, view), text([span(words, 'dim')])];
}

/** @param leadOf  makes the cell of the first column */
function tableOf(
  { view: { rows } }: ImageTree,
  { tree, write }: View,
  leadOf?: (item: TreeRow) => Text,
  title?: string,
): Block {
  // Rows are made during the iteration: a million reports at once would take more memory than everything else.
  const lines: Iterable<FileRow> = {
    *[Symbol.iterator]() {
      const bars = tree ? treeBars([...rows]) : null;
      for (const row of rows) {
        const { item, total } = row;
        const file = item === null ? null : fileReport(item);
        const bar = bars?.next().value ?? '';
        const lead = item === null ? '' : (leadOf?.(item) ?? '');
        const bytes = total?.bytes ?? file?.size ?? 0;
        const shown = tree || file === null ? nameText(row.name) : file.path;
        yield { file, name: bar + (visiblePath(shown) || '/'), bytes, lead };
      }
    },
  };
  return fileTable(lines, rows.length, write, title);
}

function rest({ view: { rows, count: all } }: ImageTree, { top }: View): Doc {
  const left = all - rows.length;
  return top === undefined || left <= 0
    ? []
    : [text([span(`and ${left} more: --top ${all} shows all`, 'dim')], 2)];
}

function fateOf(item: TreeRow): Text {
  if (!(item instanceof LayerEntry)) return '';
  const { gone, isWhiteout } = item;
  if (isWhiteout) return [span('whiteout', 'dim')];
  return gone === null
    ? ''
    : [span(`${gone.how} by ${gone.by + 1}`, gone.how === 'deleted' ? 'bad' : 'warn')];
}

function fates(items: Passing<TreeRow>): string {
  const counts = { deleted: 0, replaced: 0, whiteouts: 0 };
  for (const item of items) {
    if (!(item instanceof LayerEntry)) continue;
    if (item.isWhiteout) counts.whiteouts++;
    else if (item.gone !== null) counts[item.gone.how]++;
  }
  const { deleted, replaced, whiteouts } = counts;
  return [
    items.length === 1 ? '1 entry' : `${items.length} entries`,
    `${deleted} deleted by a layer`,
    `${replaced} replaced`,
    count(whiteouts, 'whiteout'),
  ].join(', ');
}

/** Each file counts once, even if it has several names. */
function summary(nodes: Passing<TreeRow>, write: View['write']): string {
  const counts: Partial<Record<EntryType, number>> = {};
  let bytes = 0;
  for (const { type, size } of nodes) {
    counts[type] = (counts[type] ?? 0) + 1;
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
    const n = counts[type] ?? 0;
    others -= n;
    if (n === 0) return [];
    return type === 'directory' ? [`${n} ${n === 1 ? noun : 'directories'}`] : [count(n, noun)];
  });
  if (others > 0) parts.push(`${others} other`);
  return `${parts.join(', ')}; ${write(bytes)}${/^\d+$/.test(write(bytes)) ? ' bytes' : ''}`;
}

function changesDoc(image: ImageTree, changes: FileChanges, view: View): Doc {
  const { layers } = image.report;
  const { layer, all, before, added, removed } = changes;
  const made = layers[layer];
  const line = made === undefined ? '' : instruction(made);
  const head = text(`layer ${layer + 1} of ${layers.length}${line === '' ? '' : `: ${madeBy(line)}`}`, 2);
  const { items } = image.view;
  if (items.length === 0) {
    return [
      head,
      text(all === 0 ? 'changes nothing' : 'nothing that it changes matches --where or --depth', 2),
    ];
  }
  const changeOf = (item: TreeRow): Text => {
    const old = before.get(item);
    if (old === undefined) return [span('added', 'good')];
    return old === null ? [span('removed', 'bad')] : [span(modification(item, old), 'warn')];
  };
  const modified = before.size - removed;
  return [
    head,
    tableOf(image, view, changeOf, 'change'),
    ...rest(image, view),
    text([span(`${added} added, ${modified} modified, ${removed} removed`, 'dim')]),
  ];
}

/** Notes a change of type: a directory that becomes a link loses its contents. */
const modification = (now: TreeRow, before: TreeNode): string =>
  now.type === before.type ? 'modified' : `was ${before.type}`;

/** layer.md does not specify this; Windows tools use these directories. */
const WINDOWS = 'Windows: its files lie below Files/, its registry below Hives/';

/** Maximum number of places that are listed for one kind. */
const SHOWN = 5;

/** An oddity that makes engines refuse the layer is reported as a refusal only. */
function oddityLines({ kind, count: all, places }: Oddity, told: readonly Unloadable[]): Block[] {
  const isTold = ({ layer, path }: Oddity['places'][number]) =>
    told.some(one => one.what === kind && one.layer === layer && one.path === path);
  const left = places.filter(place => !isTold(place));
  const more = all - (places.length - left.length) - Math.min(SHOWN, left.length);
  return [
    ...left
      .slice(0, SHOWN)
      .map(({ layer, path }) =>
        text([span('odd', 'warn'), `  layer ${layer + 1}: ${visiblePath(path) || '/'} ${oddityText(kind)}`]),
      ),
    ...(more > 0 ? [text(`and ${more} more like it`, 5)] : []),
  ];
}
