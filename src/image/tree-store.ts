import { type EntryType, targetAt } from '../scan/entry.js';
import type { EntryTable } from '../scan/entry-table.js';
import type { Inode } from './file-tree.js';
import { type NameBytes, NONE, ROOT, TreeColumns } from './tree-columns.js';

/** Types as the columns have them. */
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

/** A file system while it is made, and after: names in columns, and what they are names of. `TreeBuilder` has the rules. */
export class TreeStore {
  readonly columns: TreeColumns;
  /** The entry tables of the layers so far. */
  readonly tables: (EntryTable | null)[] = [];
  /** Names given to what had one already, by its inode, in that order; some may be gone. Few files have any. */
  private readonly furtherNames = new Map<number, number[]>();

  /**
   * @param expected  how many names there will be, about
   * @param lost      is told of the last name of anything, when that goes
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

  /** What has a name in a directory; `NONE` where nothing has. */
  child(parent: number, name: string): number {
    return this.columns.child(parent, this.columns.named(name));
  }

  /** What has exactly this path, without following links; `NONE` where nothing has. */
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

  /** Where a link leads, as the tar has it. */
  target(id: number): string {
    const { layer, index } = this.place(id);
    return targetAt(this.tables[layer]!, index);
  }

  /** The first name of a file of those that are still there. @param inode  the first that it had */
  firstName(inode: number): number {
    const { isGone } = this.columns.rows;
    if (isGone[inode] === 0) return inode;
    const names = this.furtherNames.get(inode)!;
    if (isGone[names[0]!] === 0) return names[0]!;
    // Each of them may be asked about: those that are gone are passed over once.
    const left = names.filter(id => isGone[id] === 0);
    this.furtherNames.set(inode, left);
    return left[0]!;
  }

  /** @param index  of its entry, in the layer; -1 for a directory that has none */
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

  /** Gives a directory the attributes of an entry. */
  setEntry(id: number, index: number): void {
    const { rows } = this.columns;
    rows.home[id] = this.layer;
    rows.index[id] = index;
    rows.layer[id] = this.layer;
  }

  /** Removes a name, with all that is below it. */
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
