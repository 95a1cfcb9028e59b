import { type Entry, type EntryType, entryAt } from '../scan/entry.js';
import type { EntryTable } from '../scan/entry-table.js';
import type * as tree from './file-tree.js';

/** What has one name or several. */
export class Inode implements tree.Inode {
  links = 0;
  private one: Name | null = null;
  /** Further names in the order in which they were given; some may be gone. Few files have any. */
  private more: Name[] | null = null;
  /** How many of these were looked at. */
  private gone = 0;

  /** @param table  null for a directory that no entry names */
  constructor(
    readonly type: EntryType,
    private readonly table: EntryTable | null,
    readonly index: number,
    readonly layer: number,
  ) {}

  /** The name that was given first of those that are still there. */
  get first(): Name {
    while (this.one!.isGone) this.one = this.more![this.gone++]!;
    return this.one!;
  }

  entry(path: string): Entry {
    return this.table === null ? impliedDirectory(path) : entryAt(this.table, this.index);
  }

  link(name: Name): void {
    this.links++;
    if (this.one === null) this.one = name;
    else if (this.more === null) this.more = [name];
    else this.more.push(name);
  }
}

/** A name in a directory, while the tree is made and after. It is never moved. */
export class Name implements tree.TreeNode {
  isGone = false;
  readonly children: Map<string, Name> | null;

  constructor(
    readonly path: string,
    readonly parent: Name | null,
    public inode: Inode,
    public layer: number,
  ) {
    this.children = inode.type === 'directory' ? new Map() : null;
    inode.link(this);
  }

  get type(): EntryType {
    return this.linkedTo === null ? this.inode.type : 'hardlink';
  }

  get entry(): Entry {
    return this.inode.entry(this.path);
  }

  get linkedTo(): string | null {
    if (this.inode.links === 1) return null;
    const { first } = this.inode;
    return first === this ? null : first.path;
  }

  /** Takes the attributes of an entry of the same kind. */
  replace(inode: Inode, layer: number): void {
    if (this.inode !== inode) inode.link(this);
    this.inode = inode;
    this.layer = layer;
  }

  unlink(): void {
    this.isGone = true;
    this.inode.links--;
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
