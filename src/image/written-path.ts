import { textBetween } from '../scan/entry.js';
import type { EntryTable } from '../scan/entry-table.js';
import { hashOf, type NameBytes } from './tree-columns.js';

const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * The paths of a layer's entries where they lie: their last parts, which are names of a tree at once, and the folders before
 * them as text, which entries mostly share with the one before.
 */
export class WrittenPaths implements NameBytes {
  /** The last part, but for a slash at its end. */
  start = 0;
  end = 0;
  hash = 0;
  /** What comes before the slash before the last part; empty where nothing does. */
  folder = '';
  private folderStart = 0;
  private folderEnd = 0;

  /** @param source  the number of the table's bytes in a tree */
  constructor(
    private readonly table: EntryTable,
    readonly source: number,
  ) {}

  /** @returns false where the last part is no name, but empty, `.` or `..`: it says nothing then */
  read(index: number): boolean {
    const { bytes, starts, nameLengths } = this.table;
    const from = starts[index]!;
    let end = from + nameLengths[index]!;
    if (end > from && bytes[end - 1] === SLASH) end--;
    let start = end;
    while (start > from && bytes[start - 1] !== SLASH) start--;
    const length = end - start;
    const isDot = bytes[start] === DOT && (length === 1 || (length === 2 && bytes[start + 1] === DOT));
    if (length === 0 || isDot) return false;
    this.start = start;
    this.end = end;
    this.hash = hashOf(bytes, start, end);
    this.readFolder(from, Math.max(from, start - 1));
    return true;
  }

  private readFolder(from: number, to: number): void {
    const { bytes } = this.table;
    let isSame = to - from === this.folderEnd - this.folderStart;
    for (let at = to - 1, last = this.folderEnd - 1; isSame && at >= from; at--, last--)
      isSame = bytes[at] === bytes[last];
    this.folderStart = from;
    this.folderEnd = to;
    if (!isSame) this.folder = textBetween(this.table, from, to);
  }
}
