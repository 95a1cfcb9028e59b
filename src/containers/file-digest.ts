import { createHash, type Hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { Interruption, untilDeadline } from './deadline.js';
import { streamFile } from './unpack.js';

/**
 * The sha256 of a file's bytes, in hexadecimal digits as `sha256sum` prints them; null for anything but a regular file,
 * and where the deadline comes first.
 * @param deadline  on the clock of `deadline.ts`
 * @throws the system's error where it cannot be read
 */
export async function fileSha256(
  file: string,
  deadline = Number.POSITIVE_INFINITY,
  onBytes: (count: number) => void = () => {},
): Promise<string | null> {
  if (!(await stat(file)).isFile()) return null;
  const hash = createHash('sha256');
  const whole = { file, start: 0, length: Number.POSITIVE_INFINITY, deflated: false };
  try {
    for await (const chunk of untilDeadline(streamFile(whole, onBytes), deadline, { seconds: 0 }))
      hash.update(chunk);
  } catch (error) {
    if (error instanceof Interruption) return null;
    throw error;
  }
  return hash.digest('hex');
}

/** The sha256 of a stream, taken while it is read. */
export class StreamDigest {
  private readonly hash: Hash = createHash('sha256');
  private isWhole = false;
  private digest: string | null = null;

  /** Passes chunks on, and hashes them. */
  async *of(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.hash.update(chunk);
      yield chunk;
    }
    this.isWhole = true;
  }

  /** In hexadecimal digits; null where the stream was not read to its end. */
  get sha256(): string | null {
    if (this.isWhole) this.digest ??= this.hash.digest('hex');
    return this.digest;
  }
}
