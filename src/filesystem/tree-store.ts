import {
  type Entry,
  type EntryTable,
  type EntryType,
  entryAt,
  hasDetails,
  targetAt,
} from '../scan/entries/table.js';
import type * as tree from './file-tree.js';
import type { Inode } from './file-tree.js';
import { type NameBytes, NONE, ROOT, TreeColumns } from './tree-columns.js';

/** Types as the columns encode them. */
const TYPES: readonly EntryType[] = [
  'file',
  'directory',
  'symlink',
  'hardlink',
  'char',
  'block',
  'fifo',
  'other',
];
const CODES = Object.fromEntries(TYPES.map((type, code) => [type, code])) as Record<EntryType, number>;

/**
 * A file system during and after its construction: names in columns, and their inodes. The rules are in `TreeBuilder`.
 */
export class TreeStore {
  readonly columns: TreeColumns;
  /** The entry tables of the layers applied so far. */
  readonly tables: (EntryTable | null)[] = [];
  /** Further names by inode, in the order of their creation; some may have been removed. Few files have any. */
  private readonly furtherNames = new Map<number, number[]>();
  /** Entries of hard links by inode; see `Inode.linkEntries`. Few files have any. */
  private readonly linkEntries = new Map<number, Pick<Inode, 'layer' | 'index'>[]>();

  /**
   * @param expected  approximate number of names
   * @param lost      called when an inode loses its last name, with that name
   */
  constructor(
    expected: number,
    private readonly lost: ((id: number) => void) | null,
  ) {
    const columns = new TreeColumns(expected);
    this.columns = columns;
    this.isNew(columns.add(NONE, columns.named('')), 'directory', -1, 0);
  }

  /** Index of the layer that is being applied. */
  get layer(): number {
    return this.tables.length - 1;
  }

  /** The node with a name in a directory; `NONE` if there is none. */
  child(parent: number, name: string): number {
    return this.columns.child(parent, this.columns.named(name));
  }

  /** The node at exactly this path, without following links; `NONE` if there is none. */
  find(path: string): number {
    let at = ROOT;
    for (const name of path === '' ? [] : path.split('/')) {
      at = this.child(at, name);
      if (at === NONE) break;
    }
    return at;
  }

  type(id: number): EntryType {
    const { type, inode } = this.columns.rows;
    return TYPES[type[inode[id]!]!]!;
  }

  is(id: number, wanted: EntryType): boolean {
    const { type, inode } = this.columns.rows;
    return type[inode[id]!] === CODES[wanted];
  }

  place(id: number): Pick<Inode, 'layer' | 'index'> {
    const { inode, home, index } = this.columns.rows;
    const first = inode[id]!;
    return { layer: home[first]!, index: index[first]! };
  }

  /** The target of a link, as in the tar. */
  target(id: number): string {
    const { layer, index } = this.place(id);
    return targetAt(this.tables[layer]!, index);
  }

  /**
   * The first name of a file that still exists.
   * @param inode  the first name that it had
   */
  firstName(inode: number): number {
    const { isGone } = this.columns.rows;
    if (isGone[inode] === 0) return inode;
    const names = this.furtherNames.get(inode)!;
    if (isGone[names[0]!] === 0) return names[0]!;
    // Each of them may be asked for: removed names are filtered out once.
    const left = names.filter(id => isGone[id] === 0);
    this.furtherNames.set(inode, left);
    return left[0]!;
  }

  /** @param index  of its entry in the layer; -1 for a directory without an entry */
  add(parent: number, name: NameBytes, type: EntryType, index: number): number {
    const id = this.columns.add(parent, name);
    this.isNew(id, type, index, this.layer);
    return id;
  }

  addLink(parent: number, name: NameBytes, inode: number): number {
    const id = this.columns.add(parent, name);
    const { rows } = this.columns;
    rows.inode[id] = inode;
    rows.links[inode]!++;
    rows.layer[id] = this.layer;
    const names = this.furtherNames.get(inode);
    if (names === undefined) this.furtherNames.set(inode, [id]);
    else names.push(id);
    return id;
  }

  /** Records the entry of a hard link to an inode, if its attributes are not those of the file. */
  noteLink(inode: number, index: number): void {
    const own = this.place(inode);
    const [file, link] = [this.tables[own.layer], this.tables[this.layer]!];
    const isSame =
      file != null &&
      file.modes[own.index] === link.modes[index] &&
      file.uids[own.index] === link.uids[index] &&
      file.gids[own.index] === link.gids[index];
    if (isSame && !hasDetails(link, index)) return;
    const known = this.linkEntries.get(inode);
    if (known === undefined) this.linkEntries.set(inode, [{ layer: this.layer, index }]);
    else known.push({ layer: this.layer, index });
  }

  /** Inodes with such entries that still have a name. */
  relinked(): number[] {
    return [...this.linkEntries.keys()].filter(inode => this.columns.rows.links[inode]! > 0);
  }

  entriesOfLinks(inode: number): readonly Pick<Inode, 'layer' | 'index'>[] {
    return this.linkEntries.get(inode) ?? [];
  }

  /** Gives a directory the attributes of an entry. */
  setEntry(id: number, index: number): void {
    const { rows } = this.columns;
    rows.home[id] = this.layer;
    rows.index[id] = index;
    rows.layer[id] = this.layer;
  }

  /** Removes a name, with everything below it. */
  remove(id: number): void {
    const { rows } = this.columns;
    this.columns.remove(id);
    const todo = [id];
    for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
      rows.isGone[at] = 1;
      if (--rows.links[rows.inode[at]!]! === 0) this.lost?.(at);
      for (let child = rows.first[at]!; child !== NONE; child = rows.next[child]!) todo.push(child);
    }
  }

  private isNew(id: number, type: EntryType, index: number, layer: number): void {
    const { rows } = this.columns;
    rows.inode[id] = id;
    rows.type[id] = CODES[type];
    rows.home[id] = layer;
    rows.index[id] = index;
    rows.links[id] = 1;
    rows.layer[id] = layer;
  }
}

/** Provides the names in a store as nodes. A node is created when it is first asked for. */
export class TreeNodes {
  private nodes: (StoredNode | undefined)[] | null = null;
  private inodes: (SquashedInode | undefined)[] | null = null;

  constructor(readonly store: TreeStore) {}

  get root(): tree.TreeNode {
    return this.node(ROOT);
  }

  node(id: number): StoredNode {
    this.nodes ??= new Array(this.store.columns.count);
    let node = this.nodes[id];
    if (node === undefined) {
      node = new StoredNode(this, id);
      this.nodes[id] = node;
    }
    return node;
  }

  /** Nodes that are not kept: asked for again, each is another object. */
  *passing(ids: Iterable<number>): Generator<StoredNode> {
    for (const id of ids) yield new StoredNode(this, id);
  }

  /** @param id  the first name that it had */
  inode(id: number): SquashedInode {
    this.inodes ??= new Array(this.store.columns.count);
    let inode = this.inodes[id];
    if (inode === undefined) {
      inode = new SquashedInode(this.store, id);
      this.inodes[id] = inode;
    }
    return inode;
  }
}

class SquashedInode implements tree.Inode {
  constructor(
    private readonly store: TreeStore,
    private readonly id: number,
  ) {}

  get layer(): number {
    return this.store.columns.rows.home[this.id]!;
  }
  get index(): number {
    return this.store.columns.rows.index[this.id]!;
  }
  get type(): EntryType {
    return this.store.type(this.id);
  }
  get links(): number {
    return this.store.columns.rows.links[this.id]!;
  }
  get linkEntries(): readonly Pick<tree.Inode, 'layer' | 'index'>[] {
    return this.store.entriesOfLinks(this.id);
  }
}

class StoredNode implements tree.TreeNode {
  private directory: ReadonlyMap<string, StoredNode> | null = null;

  constructor(
    private readonly all: TreeNodes,
    private readonly id: number,
  ) {}

  get path(): string {
    return this.all.store.columns.path(this.id);
  }

  get type(): EntryType {
    return this.firstName === this.id ? this.all.store.type(this.id) : 'hardlink';
  }

  get entry(): Entry {
    const { store } = this.all;
    const { inode, home, index } = store.columns.rows;
    const first = inode[this.id]!;
    return index[first]! < 0
      ? impliedDirectory(this.path)
      : entryAt(store.tables[home[first]!]!, index[first]!);
  }

  get size(): number {
    const { store } = this.all;
    const { inode, home, index } = store.columns.rows;
    const first = inode[this.id]!;
    return index[first]! < 0 ? 0 : store.tables[home[first]!]!.sizes[index[first]!]!;
  }

  get isImplied(): boolean {
    const { inode, index } = this.all.store.columns.rows;
    return index[inode[this.id]!]! < 0;
  }

  get links(): number {
    const { inode, links } = this.all.store.columns.rows;
    return links[inode[this.id]!]!;
  }

  get layer(): number {
    return this.all.store.columns.rows.layer[this.id]!;
  }

  get linkedTo(): string | null {
    const { firstName } = this;
    return firstName === this.id ? null : this.all.store.columns.path(firstName);
  }

  get inode(): SquashedInode {
    return this.all.inode(this.all.store.columns.rows.inode[this.id]!);
  }

  get children(): ReadonlyMap<string, StoredNode> | null {
    const { store } = this.all;
    if (!store.is(this.id, 'directory')) return null;
    this.directory ??= new Map(
      store.columns.children(this.id).map(child => [store.columns.name(child), this.all.node(child)]),
    );
    return this.directory;
  }

  /** The first name of the inode that this name refers to. */
  private get firstName(): number {
    const { links, inode } = this.all.store.columns.rows;
    const first = inode[this.id]!;
    return links[first] === 1 ? this.id : this.all.store.firstName(first);
  }
}

/** The entry of a directory that no entry names, with the attributes that engines give it: mode 0755, unknown time. */
function impliedDirectory(path: string): Entry {
  return {
    name: path,
    type: 'directory',
    flag: '5',
    size: 0,
    storedSize: 0,
    claimedSize: 0,
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime: 0,
    mtimeNanos: 0,
    target: null,
    device: null,
    xattrs: [],
  };
}
