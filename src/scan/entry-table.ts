/**
 * The entries of one layer as columns: a layer easily has 100,000, and a million objects with their strings would cost
 * ten times the memory and could not be handed from thread to thread. Plain data; `entry.ts` reads it.
 */
export interface EntryTable {
  readonly count: number;
  /** The limit at which the rest of the layer's entries was left out; null where all are here. */
  readonly truncated: 'layerEntries' | 'layerEntryBytes' | 'archiveEntries' | null;
  /** Per entry, one after the other: its name, its link target, its details. Bytes as in the tar. */
  readonly bytes: Uint8Array;
  /** Where in `bytes` each entry begins; one more than there are entries, so that the last one has an end. */
  readonly starts: Uint32Array;
  readonly nameLengths: Uint32Array;
  readonly targetLengths: Uint32Array;
  /** The type flag, as in the header; a NUL of old tars has become `0`, or `5` where the name ends in a slash. */
  readonly flags: Uint8Array;
  /** Bytes of content, the holes of sparse files included. */
  readonly sizes: Float64Array;
  /** Permission bits with setuid, setgid and sticky. */
  readonly modes: Uint16Array;
  /** As a kernel with 32 bits for them takes what the tar says. */
  readonly uids: Uint32Array;
  readonly gids: Uint32Array;
  /** Whole seconds since 1970, and the nanoseconds that follow. */
  readonly times: Float64Array;
  readonly nanos: Uint32Array;
  /** Content of the files; null where it was not asked for. `entry-content.ts` reads it. */
  readonly contents: EntryContents | null;
}

/** What was wanted of the content of a layer's files. */
export interface EntryContents {
  /** sha256, 32 bytes for each entry: zeros where there is none. Empty where digests were not asked for. */
  readonly digests: Uint8Array;
  /** In the order of the entries. */
  readonly kept: readonly { readonly index: number; readonly bytes: Uint8Array }[];
  /** Entries whose content was to be kept, and is not: for a limit, or for the end of the tar. */
  readonly missing: readonly number[];
  /** There was more to keep than the limit allows. */
  readonly full: boolean;
}

/** What few entries have. In `EntryTable.bytes`: a tag of one byte, then its value, little-endian. */
export const DETAIL = {
  /** Major and minor number, 32 bits each. */
  device: 1,
  /** Bytes in the tar where they are not the size, as a double. */
  storedSize: 2,
  /** The size that the header claims where the type has no content, as a double. */
  claimedSize: 3,
  /** Length and bytes of the name, length and bytes of the value; lengths of 32 bits. */
  xattr: 4,
} as const;

/** The buffers of a table, to be handed to another thread instead of being copied. */
export function transfersOf(table: EntryTable): ArrayBuffer[] {
  // Nothing to hand over, and it may be the table of others too.
  if (table.count === 0) return [];
  const { contents } = table;
  const views = contents === null ? [] : [contents.digests, ...contents.kept.map(({ bytes }) => bytes)];
  return [...Object.values(table), ...views]
    .filter(value => ArrayBuffer.isView(value))
    .map(view => view.buffer as ArrayBuffer);
}
