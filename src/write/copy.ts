import { createHash } from 'node:crypto';
import { splitDigest } from '../spec/digest.js';
import type { Writer } from './file.js';

export interface BlobClaim {
  /** A digest of an algorithm that waybill can compute. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * Writes a blob and checks it on its way. Never more than the claimed size is written.
 * @returns what is wrong with it, for people; null when it is what it is claimed to be
 */
export async function copyBlob(
  content: AsyncIterable<Uint8Array>,
  { digest, size }: BlobClaim,
  writer: Writer,
  onProgress: (bytes: number) => void,
): Promise<string | null> {
  const [algorithm] = splitDigest(digest);
  const hash = createHash(algorithm);
  let actual = 0;
  for await (const chunk of content) {
    actual += chunk.length;
    if (actual > size) return `expected ${size} bytes, found more`;
    hash.update(chunk);
    writer.write(chunk);
    onProgress(chunk.length);
  }
  if (actual < size) return `expected ${size} bytes, found ${actual}`;
  const found = `${algorithm}:${hash.digest('hex')}`;
  return found === digest ? null : `expected ${digest}, found ${found}`;
}
