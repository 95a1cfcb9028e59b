import type { EntryHeader } from '../source/tar-entry.js';

/** Takes the content of one file as it passes by, with the holes of a sparse file. */
export interface ContentSink {
  /** @param bytes  valid only during the call */
  write(bytes: Uint8Array): void;
  /** So many zeros that the tar does not have. */
  hole(length: number): void;
  /** @param complete  false where the tar ends, or contradicts itself, before the content does */
  end(complete: boolean): void;
}

/** Asked at every file of a layer. */
export interface ContentTaker {
  /**
   * @param index  of the entry, from 0
   * @returns what takes its content; null where it is not wanted
   */
  begin(index: number, header: EntryHeader): ContentSink | null;
}
