import type { EntryTable } from '../scan/entry-table.js';

/** Names that say what a layer hides. https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts */
export const WHITEOUT = '.wh.';
export const OPAQUE = '.wh..wh..opq';
/** What AUFS kept in a layer for itself. Never part of the file system, but hard links may point there. */
export const WHITEOUT_META = '.wh..wh.';

/** The path up to its first part that begins as a whiteout does; null where none does. */
export function hiddenPart(path: string): string | null {
  const at = path.startsWith(WHITEOUT) ? 0 : path.indexOf(`/${WHITEOUT}`) + 1;
  if (at === 0 && !path.startsWith(WHITEOUT)) return null;
  const end = path.indexOf('/', at);
  return end < 0 ? path : path.slice(0, end);
}

/** The entries that may have a hidden part, by their indexes: seldom any. */
export function maybeHidden({ bytes, starts }: EntryTable): number[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: number[] = [];
  let index = 0;
  for (let at = text.indexOf(WHITEOUT); at >= 0; at = text.indexOf(WHITEOUT, starts[index]!)) {
    index = entryWith(starts, at);
    found.push(index++);
  }
  return found;
}

/** The last entry that begins at or before a place. */
function entryWith(starts: Uint32Array, at: number): number {
  let low = 0;
  for (let high = starts.length - 2; low < high; ) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}
