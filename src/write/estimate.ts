import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import type { Limits } from '../limits.js';
import { type MemberPlace, reread } from './reread.js';

/** The compression level of gzip(1), and of `docker push`. */
const LEVEL = 6;

/**
 * The compressed sizes of members of an archive, with gzip, in bytes. Another compressor gives other, similar sizes.
 * @param file    a file or directory that can be read again
 * @param places  each path once
 * @returns no size for a member that does not exist any more
 * @throws InputError if the archive cannot be opened or read any more
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
      // A chunk is reused after this iteration, so it must be compressed by then.
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
