import type { Passing, TreeNode } from '../../filesystem/file-tree.js';
import type { LayerEntry } from '../../filesystem/layer-changes.js';

/** A file of the squashed tree, or an entry of a layer. Paths are bytes, one per character. */
export type TreeRow = TreeNode | LayerEntry;

type FileSort = 'name' | 'size' | 'time';

/** Options for listing files. */
export interface ViewOptions {
  /** As a tree, with totals of directories. */
  readonly tree?: boolean | undefined;
  /** Maximum depth: 1 for the contents of the root. */
  readonly depth?: number | undefined;
  /** Names from A to Z, largest first, or latest first. Default: `size` if `top` is given, otherwise `name`. */
  readonly sort?: FileSort | undefined;
  /** Maximum number of rows. */
  readonly top?: number | undefined;
}

/** Sums over the contents of a directory. */
export interface Total {
  /** Bytes of regular files, each counted once. */
  readonly bytes: number;
  readonly files: number;
}

export interface ViewRow {
  /** null for a directory that is only a parent of listed files. */
  readonly item: TreeRow | null;
  /** The path; in a tree the last segment. */
  readonly name: string;
  /** Number of parent directories in the tree; 0 in a list. */
  readonly level: number;
  /** For a directory in a tree. */
  readonly total: Total | null;
}

export interface FileView {
  readonly rows: Passing<ViewRow>;
  /** Number of rows without `top`. */
  readonly count: number;
  /** All files that match, down to `depth`, including those that `top` cuts off. */
  readonly items: Passing<TreeRow>;
}

/**
 * Sorts files for the listing.
 * @param items      in the order of a tree: a directory before its contents
 * @param isRemoved  true for files that a layer removes: they count only in directories that are removed with them
 */
export function fileView(
  items: Passing<TreeRow>,
  options: ViewOptions,
  isRemoved: (item: TreeRow) => boolean = () => false,
): FileView {
  const { depth, top, sort = top === undefined ? 'name' : 'size' } = options;
  if (options.tree) return treeView(items, { depth, top, sort }, isRemoved);
  const within = depth === undefined ? items : [...items].filter(({ path }) => levelOf(path) < depth);
  const value = VALUES[sort];
  const sorted = value === null ? within : sortedBy([...within], value);
  return { rows: listRows(sorted, top), count: within.length, items: within };
}

const listRows = (items: Passing<TreeRow>, top = items.length): Passing<ViewRow> => ({
  length: Math.min(top, items.length),
  *[Symbol.iterator]() {
    let left = top;
    for (const item of items) {
      if (left-- <= 0) return;
      yield new ListRow(item);
    }
  },
});

/** A row of a list. */
class ListRow implements ViewRow {
  constructor(readonly item: TreeRow) {}

  get name(): string {
    return this.item.path;
  }
  get level(): number {
    return 0;
  }
  get total(): null {
    return null;
  }
}

type SortOrder = Omit<ViewOptions, 'tree' | 'sort'> & { readonly sort: FileSort };

const sizeOf = ({ type, size }: TreeRow) => (type === 'file' ? size : 0);
const timeOf = ({ entry, isImplied }: TreeRow) =>
  isImplied ? Number.NEGATIVE_INFINITY : entry.mtime + entry.mtimeNanos / 1e9;

const VALUES: Readonly<Record<FileSort, ((item: TreeRow) => number) | null>> = {
  name: null,
  size: sizeOf,
  time: timeOf,
};

/** Largest first; equal elements keep their order. */
function sortedBy<T>(items: readonly T[], measure: (item: T) => number): T[] {
  const values = Float64Array.from(items, measure);
  const order = Uint32Array.from(items, (_, i) => i);
  order.sort((a, b) => descending(values[a]!, values[b]!) || a - b);
  return Array.from(order, i => items[i]!);
}

/** Works for infinities too. */
const descending = (a: number, b: number) => (a === b ? 0 : a < b ? 1 : -1);

/** Number of parent directories of a path. */
function levelOf(path: string): number {
  let level = 0;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) level++;
  return level;
}

/** A tree of the listed files, in columns. A directory has a lower number than its contents. */
interface Branches {
  readonly items: (TreeRow | null)[];
  readonly names: string[];
  readonly parents: number[];
  readonly levels: number[];
}

const ROOT = -1;

function branchesOf(items: Iterable<TreeRow>): Branches {
  const tree: Branches = { items: [], names: [], parents: [], levels: [] };
  const open: { readonly id: number; readonly prefix: string }[] = [];
  const add = (item: TreeRow | null, name: string, prefix: string) => {
    const id = tree.names.length;
    tree.items.push(item);
    tree.names.push(name);
    tree.parents.push(open.at(-1)?.id ?? ROOT);
    tree.levels.push(open.length);
    open.push({ id, prefix });
  };
  for (const item of items) {
    const { path } = item;
    while (open.length > 0 && !path.startsWith(open.at(-1)!.prefix)) open.pop();
    let start = open.at(-1)?.prefix.length ?? 0;
    for (let slash = path.indexOf('/', start); slash >= 0; slash = path.indexOf('/', start)) {
      add(null, path.slice(start, slash), path.slice(0, slash + 1));
      start = slash + 1;
    }
    add(item, path.slice(start), `${path}/`);
  }
  return tree;
}

function treeView(
  items: Passing<TreeRow>,
  { depth = Number.POSITIVE_INFINITY, top, sort }: SortOrder,
  isRemoved: (item: TreeRow) => boolean,
): FileView {
  const tree = branchesOf(items);
  const totals = totalsOf(tree, isRemoved);
  const values = sort === 'name' ? null : sort === 'size' ? totals.map(({ bytes }) => bytes) : latest(tree);
  const order = inOrder(tree, values).filter(id => tree.levels[id]! < depth);
  const kept = top === undefined ? order : largest(order, values, top);
  const rows = kept.map(id => {
    const item = tree.items[id]!;
    const isDirectory = item === null || item.type === 'directory';
    return {
      item,
      name: tree.names[id]!,
      level: tree.levels[id]!,
      total: isDirectory ? totals[id]! : null,
    };
  });
  return { rows, count: order.length, items };
}

/** A directory counts with the sum of its contents, so that it is among the largest if they are. */
function largest(order: readonly number[], values: readonly number[] | null, top: number): number[] {
  if (values === null) return order.slice(0, top);
  const byValue = [...order].sort((a, b) => descending(values[a]!, values[b]!) || a - b);
  const kept = new Set(byValue.slice(0, top));
  return order.filter(id => kept.has(id));
}

function totalsOf({ items, parents }: Branches, isRemoved: (item: TreeRow) => boolean): Total[] {
  const zeros = () => new Float64Array(items.length);
  const [bytes, files, lostBytes, lostFiles] = [zeros(), zeros(), zeros(), zeros()];
  for (let id = items.length - 1; id >= 0; id--) {
    const item = items[id]!;
    const isLost = item !== null && isRemoved(item);
    if (item?.type === 'file') {
      (isLost ? lostBytes : bytes)[id]! += item.size;
      (isLost ? lostFiles : files)[id]!++;
    }
    const parent = parents[id]!;
    if (parent === ROOT) continue;
    bytes[parent]! += bytes[id]!;
    files[parent]! += files[id]!;
    lostBytes[parent]! += lostBytes[id]!;
    lostFiles[parent]! += lostFiles[id]!;
  }
  return items.map((item, id) =>
    item !== null && isRemoved(item)
      ? { bytes: lostBytes[id]!, files: lostFiles[id]! }
      : { bytes: bytes[id]!, files: files[id]! },
  );
}

/** For each file, the latest time of the file and of its contents. */
function latest({ items, parents }: Branches): number[] {
  const times = items.map(item => (item === null ? Number.NEGATIVE_INFINITY : timeOf(item)));
  for (let id = items.length - 1; id >= 0; id--) {
    const parent = parents[id]!;
    if (parent !== ROOT) times[parent] = Math.max(times[parent]!, times[id]!);
  }
  return times;
}

/** A directory before its contents, siblings by value. */
function inOrder({ names, parents }: Branches, values: readonly number[] | null): number[] {
  const all = names.map((_, id) => id);
  if (values === null) return all;
  const children = new Map<number, number[]>();
  for (const id of all) {
    const beside = children.get(parents[id]!);
    if (beside === undefined) children.set(parents[id]!, [id]);
    else beside.push(id);
  }
  for (const beside of children.values()) beside.sort((a, b) => descending(values[b]!, values[a]!) || b - a);
  const order: number[] = [];
  const todo = [...(children.get(ROOT) ?? [])];
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
    order.push(id);
    for (const child of children.get(id) ?? []) todo.push(child);
  }
  return order;
}

/**
 * The tree characters before the name of each row. They are generated one by one, because those of a deep tree are
 * long.
 */
export function* treeBars(rows: readonly Pick<ViewRow, 'level'>[]): Generator<string> {
  const isLast = new Uint8Array(rows.length);
  const more: boolean[] = [];
  for (let i = rows.length - 1; i >= 0; i--) {
    const { level } = rows[i]!;
    isLast[i] = more[level] ? 0 : 1;
    more.length = level + 1;
    more[level] = true;
  }
  const bars: string[] = [''];
  for (const [i, { level }] of rows.entries()) {
    const bar = bars[level]!;
    bars[level + 1] = bar + (isLast[i] === 1 ? '    ' : '│   ');
    yield bar + (isLast[i] === 1 ? '└── ' : '├── ');
  }
}

/** In the order of a tree: a directory before its contents, names in byte order, equal paths by layer. */
export const inTreeOrder = <T extends TreeRow>(items: readonly T[]): T[] =>
  [...items].sort((a, b) => compareInTree(a.path, b.path) || a.layer - b.layer);

/** A slash sorts before any other character of a name. */
function compareInTree(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  let at = 0;
  while (at < shared && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === shared) return a.length - b.length;
  const rank = (path: string) => (path[at] === '/' ? -1 : path.charCodeAt(at));
  return rank(a) - rank(b);
}

/** The extended attribute that contains the capabilities of a file. */
export const CAPABILITY = 'security.capability';

/** In the order of their bits. capabilities(7), linux/capability.h */
const NAMES =
  'chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore'.split(
    ' ',
  );

/** Length of the value by revision: `struct vfs_cap_data`; revision 3 also has the user ID of a namespace's root. */
const LENGTHS: Readonly<Record<number, number>> = { 1: 12, 2: 20, 3: 24 };

/** The effective bit of the first word; the revision is in its highest byte. */
const EFFECTIVE = 1;

/**
 * The value of `security.capability` as getcap(8) prints it: `cap_net_raw=ep`.
 * @returns null if the value is not valid
 */
export function capabilityText(value: Uint8Array): string | null {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const head = value.length >= 4 ? view.getUint32(0, true) : 0;
  const revision = head >>> 24;
  if (value.length !== LENGTHS[revision]) return null;
  const words = revision === 1 ? 1 : 2;
  const letters = new Map<string, string[]>();
  for (let bit = 0; bit < 32 * words; bit++) {
    const at = 4 + 8 * (bit >>> 5);
    const has = (offset: number) => (view.getUint32(at + offset, true) >>> (bit & 31)) & 1;
    const flags =
      (head & EFFECTIVE && (has(0) || has(4)) ? 'e' : '') + (has(4) ? 'i' : '') + (has(0) ? 'p' : '');
    if (flags === '') continue;
    const alike = letters.get(flags) ?? [];
    letters.set(flags, [...alike, `cap_${NAMES[bit] ?? bit}`]);
  }
  const sets = [...letters].map(([flags, names]) => `${names.join(',')}=${flags}`);
  const root = revision === 3 ? ` [rootid=${view.getUint32(20, true)}]` : '';
  return (sets.join(' ') || '=') + root;
}
