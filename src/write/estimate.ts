import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import type { Limits } from '../limits.js';
import { type MemberPlace, reread } from './reread.js';

/** The level of gzip(1), and of what `docker push` compresses with. */
const LEVEL = 6;

/**
 * What members of an archive would take compressed with gzip, in bytes. Another compressor comes close, and gives other bytes.
 * @param file    a file or directory: nothing that can be read only once
 * @param places  each path once
 * @returns nothing for a member that is not there any more
 * @throws InputError when the archive cannot be opened or read any more
 */
export async function gzipSizes<P extends MemberPlace>(
  file: string,
  places: readonly P[],
  limits: Limits,
  onProgress: (bytes: number) => void,
): Promise<ReadonlyMap<P, number>> {
  const sizes = new Map<P, number>();
  await reread(file, places, limits, async (place, content) => {
    sizes.set(place, await gzipSize(content, onProgress));
  });
  return sizes;
}

async function gzipSize(
  content: AsyncIterable<Uint8Array>,
  onProgress: (bytes: number) => void,
): Promise<number> {
  const gzip = createGzip({ level: LEVEL });
  let size = 0;
  gzip.on('data', (chunk: Uint8Array) => {
    size += chunk.length;
  });
  const end = once(gzip, 'end');
  try {
    for await (const chunk of content) {
      // A chunk is only good until the next: it must have been compressed by then.
      await new Promise(resolve => gzip.write(chunk, resolve));
      onProgress(chunk.length);
    }
    gzip.end();
    await end;
  } finally {
    gzip.destroy();
  }
  return size;
}
