import { createHash } from 'node:crypto';
import { loadCodecs } from '../codec/registry.js';
import { copyOf } from '../containers/cursor.js';
import { CHANGED } from '../containers/unreadable.js';
import { InputError } from '../errors.js';
import type { Limits } from '../limits.js';
import type { Examination } from '../scan/blob/examiner.js';
import { Unpacker } from '../scan/blob/unpacker.js';
import { TarWalk } from '../scan/entries/walk-layer.js';
import type { ContentSink } from '../tar/entry.js';
import { type MemberPlace, reread } from './reread.js';

/** Files of one layer whose content is to be read. */
export interface LayerFiles extends MemberPlace {
  /** Number of members of the archive with this path: only the last of them is the layer. */
  readonly copies: number;
  /** The stored bytes at the time when the entries were listed; null if not all of them could be read. */
  readonly stored: StoredBytes | null;
  /** The entries to read, by their index in the layer's table, with a function that opens the sink for the content. */
  readonly sinks: ReadonlyMap<number, () => ContentSink>;
  /** Awaited between chunks, so that a receiver can store its content. */
  readonly drain?: () => Promise<void>;
}

export interface StoredBytes {
  readonly size: number;
  /** The sha256 digest. */
  readonly digest: string;
}

/**
 * Reads the contents of files from layers, each layer once, and compares the layers' bytes with those whose entries
 * were listed. Every sink that is opened is ended; the sink of a file that does not exist any more is not opened.
 * @param file  the archive, which must be the one that was scanned
 * @throws InputError if the archive cannot be opened or read any more, or a layer has changed
 */
export async function readLayerFiles(
  file: string,
  layers: readonly LayerFiles[],
  limits: Limits,
  onProgress: (bytes: number) => void,
): Promise<void> {
  await loadCodecs();
  const seen = new Map<LayerFiles, number>();
  await reread(file, layers, limits, async (layer, content) => {
    const times = (seen.get(layer) ?? 0) + 1;
    seen.set(layer, times);
    if (times !== layer.copies) return;
    const difference = await readLayer(layer, content, limits, onProgress);
    if (difference !== null) throw changed(file, layer, difference);
  });
  const lost = layers.find(layer => layer.stored !== null && seen.get(layer) !== layer.copies);
  if (lost !== undefined) throw changed(file, lost, `expected ${shown(lost.stored!)}, found nothing`);
}

function changed(file: string, { inside, path }: MemberPlace, difference: string): InputError {
  const where = inside === null ? file : `${file}: ${inside}`;
  return new InputError(`${path} has changed since its files were listed: ${difference}`, where, CHANGED, {
    damaged: true,
  });
}

const shown = ({ size, digest }: StoredBytes) => `${size} bytes, ${digest}`;

/**
 * Compressed bytes that are unpacked at a time. The output is held in memory until it is stored, and zstd can make 128
 * KiB of four bytes.
 */
const SLICE = 1024;

/** @returns how the bytes differ from those that were listed */
async function readLayer(
  { sinks, drain, stored }: LayerFiles,
  content: AsyncIterable<Uint8Array>,
  limits: Limits,
  onProgress: (bytes: number) => void,
): Promise<string | null> {
  let left = sinks.size;
  const begin = (index: number): ContentSink | null => {
    const sink = sinks.get(index)?.();
    if (sink === undefined) return null;
    return {
      write: bytes => sink.write(bytes),
      hole: length => sink.hole(length),
      end(complete) {
        left--;
        sink.end(complete);
      },
    };
  };
  const walk = new TarWalk(null, { begin }, limits);
  const unpacker = new Unpacker({ limits, files: false }, into(walk));
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of content) {
      const step = drain === undefined ? chunk.length : SLICE;
      for (let at = 0; at < chunk.length && left > 0; at += step) {
        unpacker.write(chunk.subarray(at, at + step));
        await drain?.();
      }
      onProgress(chunk.length);
      // After the last file, the remaining bytes are compared but not unpacked.
      if (left === 0 && stored === null) break;
      hash.update(chunk);
      size += chunk.length;
    }
    unpacker.end();
  } finally {
    walk.end();
  }
  await drain?.();
  const found: StoredBytes = { size, digest: `sha256:${hash.digest('hex')}` };
  if (stored === null || (found.size === stored.size && found.digest === stored.digest)) return null;
  return `expected ${shown(stored)}, found ${shown(found)}`;
}

/** Only the tar is walked here; the stored bytes are compared as a whole. */
const into = (walk: TarWalk): Examination => ({
  begin() {},
  stored() {},
  check() {},
  content: bytes => walk.write(bytes),
});

/** Zeros that are written at a time. */
const ZEROS = new Uint8Array(64 * 1024);

/** Holds content until it can be stored: the output of one chunk of an archive. */
export class ContentQueue implements ContentSink {
  private pieces: (Uint8Array | number)[] = [];
  /** null until the content has ended; then whether it ended completely. */
  complete: boolean | null = null;

  constructor(private readonly put: (bytes: Uint8Array) => Promise<void>) {}

  write(bytes: Uint8Array): void {
    this.pieces.push(copyOf(bytes));
  }

  hole(length: number): void {
    this.pieces.push(length);
  }

  end(complete: boolean): void {
    this.complete = complete;
  }

  readonly drain = async (): Promise<void> => {
    const ready = this.pieces;
    this.pieces = [];
    for (const piece of ready) {
      if (typeof piece !== 'number') await this.put(piece);
      else {
        for (let left = piece; left > 0; left -= ZEROS.length)
          await this.put(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
      }
    }
  };
}
