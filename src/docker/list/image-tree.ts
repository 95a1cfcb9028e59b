/**
 * The table and the tree of `docker images`, as they are where there is no terminal. docker/cli
 * cli/command/image/tree.go
 */

import { humanSize } from '../../go/units.js';
import { formatPlatform, type Platform } from '../../spec/platform.js';
import type { Dialect } from '../release.js';
import { attestedContent, footprintOf, total } from '../stores/sizes.js';
import type { Store, StoredImage } from '../stores/stored-image.js';
import { shortId, terminalWidth } from './formatter.js';
import { listedNames, type Summary } from './images.js';

interface Details {
  readonly id: string;
  readonly usage: string;
  readonly content: string;
}

interface Node extends Details {
  readonly names: readonly string[];
  /** The archives that hold it; null where they are not shown. */
  readonly files: string | null;
  readonly children: readonly (Details & { readonly platform: string })[];
}

const GAP = '   ';
const TITLES = { id: 'ID', usage: 'DISK USAGE', content: 'CONTENT SIZE', extra: 'EXTRA' } as const;
const WIDTHS = { id: 12, usage: 10, content: 12, extra: 5 } as const;
type ColumnName = keyof typeof WIDTHS;

export interface TreeOptions {
  readonly dialect: Dialect;
  /** Columns of the terminal; null where there is none. */
  readonly width: number | null;
  /** The platforms below each image. */
  readonly expanded: boolean;
  /** Images without a name too. */
  readonly untagged: boolean;
  /** waybill's own column, with several archives: which of them hold an image. */
  readonly files?: boolean | undefined;
  /** Makes text of the archive safe for a terminal. */
  readonly guard?: ((text: string) => string) | undefined;
}

/** The output of `docker images --tree`, and since Docker 29 of plain `docker images`. */
export function imageTree(summaries: readonly Summary[], options: TreeOptions): string {
  const { dialect, width, guard = text => text } = options;
  const rows = dialect.words === 29 ? rowsOf29(summaries, options) : rowsOf28(summaries, dialect.store);
  const nodes = rows.map(node => guarded(node, guard));
  // Without a terminal Docker 29 takes all the room that it needs.
  const room = width === null ? (dialect.words === 29 ? Number.POSITIVE_INFINITY : 80) : Math.max(20, width);
  const { files = false } = options;
  const [first, columns] = files ? fitBesideFiles(room, nodes) : fit(room, nodes);
  const titles = [
    title('IMAGE', first),
    ...columns.map(name => title(TITLES[name], WIDTHS[name], name)),
    ...(files ? ['FILE'] : []),
  ];
  const head = titles.join(GAP);
  const spaced = nodes.some(node => node.children.length > 0);
  return [
    ...(dialect.words === 29 ? legendOf29(width) : legendOf28(room)),
    dialect.words === 29 ? head : titles.map(painted).join(GAP),
    ...nodes.flatMap(node =>
      nodeLines(files ? node : { ...node, files: null }, first, columns, room, spaced),
    ),
    '',
  ].join('\n');
}

const rowsOf28 = (summaries: readonly Summary[], store: Store): Node[] =>
  summaries.map(summary => {
    const node = toNode(summary, store, true);
    return { ...node, names: longestFirst(node.names) };
  });

/** A row for each name, or with the platforms one for each image; by name, those without one last. */
function rowsOf29(summaries: readonly Summary[], { dialect, expanded, untagged }: TreeOptions): Node[] {
  const nodes = summaries.flatMap(summary => {
    const names = listedNames(summary).toSorted(compareBytes);
    // What has names, and none that is on a list, is not listed.
    if (names.length === 0 && summary.tags.length > 0) return [];
    const node = { ...toNode(summary, dialect.store, expanded), names };
    if (expanded || (untagged && names.length === 0)) return [node];
    return names.map(name => ({ ...node, names: [name], files: summary.filesOf(name) }));
  });
  const named = nodes.filter(({ names }) => names.length > 0);
  return [
    ...named.toSorted((a, b) => compareBytes(a.names[0]!, b.names[0]!)),
    ...nodes.filter(({ names }) => names.length === 0).map(node => ({ ...node, names: [UNTAGGED] })),
  ];
}

const UNTAGGED = '<untagged>';

const compareBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

const LEGEND = ' Info ->  U In Use';

const legendOf28 = (room: number) => [
  "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.",
  `${LEGEND} `.padStart(room),
  '',
];

const legendOf29 = (width: number | null) => (width === null ? [] : [LEGEND.padStart(Math.max(20, width))]);

function toNode({ stored, tags, size, filesOf }: Summary, store: Store, expanded: boolean): Node {
  const children = store !== 'containerd' ? [] : childrenOf(stored);
  const content =
    store !== 'containerd' ? 0 : children.reduce((sum, { bytes }) => sum + bytes, attestedContent(stored));
  return {
    names: tags,
    files: filesOf(null),
    id: shortId(stored.id ?? ''),
    usage: sizeText(size),
    content: humanSize(content, 3),
    children: expanded ? children : [],
  };
}

const guarded = (node: Node, guard: (text: string) => string): Node => ({
  ...node,
  names: node.names.map(guard),
  files: node.files === null ? null : guard(node.files),
  children: node.children.map(child => ({ ...child, platform: guard(child.platform) })),
});

const isNumeric = (name: ColumnName) => name === 'usage' || name === 'content';

function title(text: string, width: number, name: ColumnName = 'id'): string {
  return isNumeric(name) ? text.padStart(width) : text.padEnd(width);
}

/**
 * Until Docker 28 the titles are painted, by Docker wherever they go; here not where no colour is wanted
 * (`Answer.painted`).
 */
const painted = (aligned: string): string =>
  aligned.replace(/\S.*\S/, text => `\u001b[39m\u001b[1m${text}\u001b[0m`);

const sizeText = (size: number | null) => (size === null ? 'N/A' : humanSize(size, 3));

/** The platforms of the index in its order, those that are not in the archive too. */
function childrenOf(stored: StoredImage) {
  const { graph, platforms } = stored;
  const present = platforms.map(image => {
    const { content, unpacked } = footprintOf(stored, image);
    const digest = image.manifest?.claimedDigest ?? image.manifest?.digest ?? stored.id ?? '';
    return { digest, platform: image.platform, bytes: content, usage: sizeText(total([content, unpacked])) };
  });
  const absent = graph.absent
    .filter(({ attestation, indexDigests }) => !attestation && indexDigests.includes(stored.id ?? ''))
    .map(({ digest, platform }) => ({ digest, platform, bytes: 0, usage: sizeText(0) }));
  const order = graph.indexes.flatMap(index => index.manifests.map(({ digest }) => digest));
  return [...present, ...absent]
    .toSorted((a, b) => order.indexOf(a.digest) - order.indexOf(b.digest))
    .map(({ digest, platform, bytes, usage }) => ({
      platform: platformName(platform),
      id: shortId(digest),
      usage,
      content: humanSize(bytes, 3),
      bytes,
    }));
}

const platformName = (platform: Platform | null) =>
  platform === null ? 'unknown' : formatPlatform(platform);

/** The columns that leave the names at least 12 of the terminal's, and the names no more than they need. */
function fit(room: number, nodes: readonly Node[]): [first: number, columns: ColumnName[]] {
  let left = room;
  const columns: ColumnName[] = [];
  for (const name of Object.keys(WIDTHS) as ColumnName[]) {
    const taken = WIDTHS[name] + GAP.length;
    if (left - taken < 12) break;
    left -= taken;
    columns.push(name);
  }
  // Docker counts bytes here, of which the branch before a platform has seven.
  const bytes = (text: string) => Buffer.byteLength(text);
  const widest = nodes.flatMap(({ names, children }) => [
    ...names.map(bytes),
    ...children.map(({ platform }) => bytes(`└─ ${platform}`)),
  ]);
  return [Math.min(left, Math.max('Image'.length, ...widest)), columns];
}

function nodeLines(
  node: Node,
  first: number,
  columns: readonly ColumnName[],
  room: number,
  spaced: boolean,
): string[] {
  const names = node.names.length === 0 ? [UNTAGGED] : node.names;
  const details = (of: Details) =>
    columns.map(name => GAP + align(name, name === 'extra' ? '' : of[name])).join('');
  const children = node.children.map((child, i) => {
    const branch = i === node.children.length - 1 ? '└─' : '├─';
    return pad(`${branch} ${child.platform}`, first) + details(child);
  });
  return [
    ...names
      .slice(0, -1)
      .map(name => (room === Number.POSITIVE_INFINITY ? pad(name, first) : shorten(name, room))),
    pad(names.at(-1)!, first) + details(node) + fileCell(node.files, first, columns, room),
    ...children,
    ...(spaced ? [''] : []),
  ];
}

/** Columns of a terminal that are left for files, if the names need the rest. */
const FILES_WIDTH = 20;

/** For several archives: columns that are always empty are replaced by the files. */
function fitBesideFiles(room: number, nodes: readonly Node[]): ReturnType<typeof fit> {
  const [first, columns] = fit(Math.max(20, room - FILES_WIDTH - GAP.length), nodes);
  return [first, columns.filter(name => name !== 'extra')];
}

/** The last column: of a path that is too long for it the end is shown, where its name stands. */
function fileCell(files: string | null, first: number, columns: readonly ColumnName[], room: number): string {
  if (files === null) return '';
  const taken = columns.reduce((sum, name) => sum + GAP.length + WIDTHS[name], first) + GAP.length;
  const width = Math.max(FILES_WIDTH, room - taken);
  if (terminalWidth(files) <= width) return GAP + files;
  const characters = [...files];
  while (terminalWidth(characters.join('')) > width - 1) characters.shift();
  return `${GAP}…${characters.join('')}`;
}

const longestFirst = (names: readonly string[]) => names.toSorted((a, b) => b.length - a.length);

function align(name: ColumnName, text: string): string {
  const width = WIDTHS[name];
  if (name === 'id' || name === 'extra') return pad(text, width);
  return terminalWidth(text) > width ? shorten(text, width) : ' '.repeat(width - terminalWidth(text)) + text;
}

const pad = (text: string, width: number) =>
  terminalWidth(text) > width ? shorten(text, width) : text + ' '.repeat(width - terminalWidth(text));

/** Docker cuts where the last column begins, also a text that would just fit. */
function shorten(text: string, columns: number): string {
  const characters = [...text];
  return characters.length < columns ? text : `${characters.slice(0, Math.max(0, columns - 1)).join('')}…`;
}
