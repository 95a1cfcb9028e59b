import { type Entry, type EntryType, entryAt } from '../scan/entry.js';
import type * as tree from './file-tree.js';
import { ROOT } from './tree-columns.js';
import type { TreeStore } from './tree-store.js';

/** Shows what is in a store as nodes: there is one for each name, made when it is first asked for. */
export class TreeNodes {
  private readonly nodes: (Node | undefined)[];
  private readonly inodes: (Inode | undefined)[];

  constructor(readonly store: TreeStore) {
    this.nodes = new Array(store.columns.count);
    this.inodes = new Array(store.columns.count);
  }

  get root(): tree.TreeNode {
    return this.node(ROOT);
  }

  node(id: number): Node {
    let node = this.nodes[id];
    if (node === undefined) {
      node = new Node(this, id);
      this.nodes[id] = node;
    }
    return node;
  }

  /** @param id  the first name that it had */
  inode(id: number): Inode {
    let inode = this.inodes[id];
    if (inode === undefined) {
      inode = new Inode(this.store, id);
      this.inodes[id] = inode;
    }
    return inode;
  }
}

class Inode implements tree.Inode {
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
}

class Node implements tree.TreeNode {
  private directory: ReadonlyMap<string, Node> | null = null;

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
    const { layer, index } = store.place(this.id);
    return index < 0 ? 0 : store.tables[layer]!.sizes[index]!;
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

  get inode(): Inode {
    return this.all.inode(this.all.store.columns.rows.inode[this.id]!);
  }

  get children(): ReadonlyMap<string, Node> | null {
    const { store } = this.all;
    if (!store.is(this.id, 'directory')) return null;
    this.directory ??= new Map(
      store.columns.children(this.id).map(child => [store.columns.name(child), this.all.node(child)]),
    );
    return this.directory;
  }

  /** The first name of the node that this is a name of. */
  private get firstName(): number {
    const { links, inode } = this.all.store.columns.rows;
    const first = inode[this.id]!;
    return links[first] === 1 ? this.id : this.all.store.firstName(first);
  }
}

/** As engines make a directory above an entry that has none of its own: everybody may read it, nothing is known of its age. */
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
