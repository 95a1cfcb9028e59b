/** `docker images --tree`, as it is where there is no terminal. docker/cli cli/command/image/tree.go */
import { formatPlatform, type Platform } from '../spec/platform.js';
import { shortId } from './formatter.js';
import type { Summary } from './images.js';
import { footprintOf, presentContent, targetSize, total } from './sizes.js';
import type { Store, StoredImage } from './stored-image.js';
import { terminalWidth } from './terminal-width.js';
import { humanSize } from './units.js';

interface Details {
  readonly id: string;
  readonly usage: string;
  readonly content: string;
}

interface Node extends Details {
  readonly names: readonly string[];
  readonly children: readonly (Details & { readonly platform: string })[];
}

const GAP = '   ';
const TITLES = { id: 'ID', usage: 'DISK USAGE', content: 'CONTENT SIZE', extra: 'EXTRA' } as const;
const WIDTHS = { id: 12, usage: 10, content: 12, extra: 5 } as const;
type ColumnName = keyof typeof WIDTHS;

/**
 * @param width  columns of the terminal; null where there is none
 * @param guard  makes text of the archive safe for it
 */
export function imageTree(
  summaries: readonly Summary[],
  store: Store,
  width: number | null,
  guard: (text: string) => string,
): string {
  const nodes = summaries.map(summary => guarded(toNode(summary, store), guard));
  const room = Math.max(20, width ?? 80);
  const [first, columns] = fit(room, nodes);
  const titles =
    title('IMAGE', first) + columns.map(name => GAP + title(TITLES[name], WIDTHS[name], name)).join('');
  const spaced = nodes.some(node => node.children.length > 0);
  const legend = ' Info ->  U In Use ';
  return [
    "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.",
    legend.padStart(room),
    '',
    titles,
    ...nodes.flatMap(node => nodeLines(node, first, columns, room, spaced)),
    '',
  ].join('\n');
}

function toNode({ stored, tags, size }: Summary, store: Store): Node {
  const children = store !== 'containerd' ? [] : childrenOf(stored);
  const content = children.reduce((sum, child) => sum + child.bytes, 0) + attestationBytes(stored, store);
  return {
    names: tags,
    id: shortId(stored.id ?? ''),
    usage: sizeText(size),
    content: humanSize(content, 3),
    children,
  };
}

const guarded = (node: Node, guard: (text: string) => string): Node => ({
  ...node,
  names: node.names.map(guard),
  children: node.children.map(child => ({ ...child, platform: guard(child.platform) })),
});

/** Docker paints the titles wherever they go, be it a file. */
function title(text: string, width: number, name: ColumnName = 'id'): string {
  const aligned = name === 'usage' || name === 'content' ? text.padStart(width) : text.padEnd(width);
  return aligned.replace(text, `\u001b[39m\u001b[1m${text}\u001b[0m`);
}

const sizeText = (size: number | null) => (size === null ? 'N/A' : humanSize(size, 3));

const attestationBytes = ({ platforms }: StoredImage, store: Store) =>
  store !== 'containerd'
    ? 0
    : platforms
        .flatMap(image => image.attestations)
        .reduce((sum, attestation) => sum + presentContent(attestation.size, attestation), 0);

/** The platforms of the index in its order, those that are not in the archive too. */
function childrenOf(stored: StoredImage) {
  const { scan, graph, platforms } = stored;
  const present = platforms.map(image => {
    const { content, unpacked } = footprintOf(scan, image, targetSize(stored));
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
  const names = node.names.length === 0 ? ['<untagged>'] : longestFirst(node.names);
  const details = (of: Details) =>
    columns.map(name => GAP + align(name, name === 'extra' ? '' : of[name])).join('');
  const children = node.children.map((child, i) => {
    const branch = i === node.children.length - 1 ? '└─' : '├─';
    return pad(`${branch} ${child.platform}`, first) + details(child);
  });
  return [
    ...names.slice(0, -1).map(name => shorten(name, room)),
    pad(names.at(-1)!, first) + details(node),
    ...children,
    ...(spaced ? [''] : []),
  ];
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
