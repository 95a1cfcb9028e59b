import { loadCodecs } from '../codec/registry.js';
import type { Limits } from '../limits.js';
import { BlobAnalyser } from '../scan/analyser.js';
import type { ContentSink } from '../scan/content.js';
import { TarWalk } from '../scan/tar-walk.js';
import { type MemberPlace, reread } from './reread.js';

/** Files of one layer whose content is wanted. */
export interface LayerFiles extends MemberPlace {
  /** How many members of the archive have the path: only the last of them is the layer. */
  readonly copies: number;
  /** The entries that are wanted, by their index in the layer's table: what takes the content of each. */
  readonly sinks: ReadonlyMap<number, () => ContentSink>;
  /** Called between chunks: whoever takes content that it cannot put away at once may do it here. */
  readonly drain?: () => Promise<void>;
}

/**
 * Reads content of files from layers, each layer once and no further than the last file that is wanted. A sink is ended in
 * any case; what is not in the archive any more is never begun.
 * @param file  the archive, which must be the same that was scanned
 * @throws InputError when the archive cannot be opened or read any more
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
    if (times === layer.copies) await readLayer(layer, content, limits, onProgress);
  });
}

/** What this much unpacks to has to be held until it is put away, and zstd makes 128 KiB of four bytes. */
const SLICE = 1024;

async function readLayer(
  { sinks, drain }: LayerFiles,
  content: AsyncIterable<Uint8Array>,
  limits: Limits,
  onProgress: (bytes: number) => void,
): Promise<void> {
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
  const analyser = new BlobAnalyser(['sha256'], { limits, files: false }, chunk => walk.write(chunk));
  try {
    for await (const chunk of content) {
      const step = drain === undefined ? chunk.length : SLICE;
      for (let at = 0; at < chunk.length && left > 0; at += step) {
        analyser.write(chunk.subarray(at, at + step));
        await drain?.();
      }
      onProgress(chunk.length);
      if (left === 0) break;
    }
    analyser.end();
  } finally {
    walk.end();
  }
  await drain?.();
}
