// The facts of one layer, by the same analyser that a scan uses.
import { defaultLimits, type Limits } from '../../src/limits.js';
import { BlobAnalyser } from '../../src/scan/blob/analyser.js';
import type { BlobFacts, TarFacts } from '../../src/scan/blob/facts.js';
import { type Entry, type EntryTable, entriesOf } from '../../src/scan/entries/table.js';
import type { ContentWanted } from '../../src/scan/entries/wanted.js';

export function layerFacts(
  layer: Uint8Array,
  { files = true, contents, piece = layer.length, limits = {} }: LayerOptions = {},
): BlobFacts {
  const analyser = new BlobAnalyser(['sha256'], {
    limits: { ...defaultLimits, ...limits },
    files,
    contents,
  });
  for (let at = 0; at < layer.length; at += piece) analyser.write(layer.subarray(at, at + piece));
  return analyser.end();
}

export interface LayerOptions {
  readonly files?: boolean;
  readonly contents?: ContentWanted | undefined;
  /** Size of the chunks, in bytes. */
  readonly piece?: number;
  readonly limits?: Partial<Limits>;
}

export const tarFacts = (tar: Uint8Array, options?: LayerOptions): TarFacts => layerFacts(tar, options).tar!;

/** The entries of a plain tar. */
export const entriesIn = (tar: Uint8Array, options?: LayerOptions): Entry[] =>
  entryData(tarFacts(tar, options).table!);

/** The entries of a table, as data that can be compared. */
export const entryData = (table: EntryTable): Entry[] =>
  Array.from(entriesOf(table), entry => ({
    name: entry.name,
    type: entry.type,
    flag: entry.flag,
    size: entry.size,
    storedSize: entry.storedSize,
    claimedSize: entry.claimedSize,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime: entry.mtime,
    mtimeNanos: entry.mtimeNanos,
    target: entry.target,
    device: entry.device,
    xattrs: entry.xattrs,
  }));
