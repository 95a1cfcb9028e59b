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

/** A quick look: most layers have none. */
export function mayHaveWhiteouts({ bytes }: EntryTable): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(WHITEOUT);
}
