import { read } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Bytes per chunk. A pipe gives 64 KiB at a time: gathering them saves a turn through every stage that follows. */
const CHUNK = 512 * 1024;

const readFrom = promisify(read);

/**
 * Reads a file descriptor forward through two buffers: one is filled while the other is worked on, and neither is ever
 * thrown away. A chunk is valid until the next one is asked for.
 * @param position  where to start; null for what has no positions, such as a pipe
 * @param length    how much to read at most
 */
export async function* readAhead(
  fd: number,
  position: number | null,
  length = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  const buffers = [Buffer.allocUnsafeSlow(CHUNK), Buffer.allocUnsafeSlow(CHUNK)] as const;
  let done = 0;
  const fill = async (buffer: Buffer): Promise<Uint8Array> => {
    const wanted = Math.min(CHUNK, length - done);
    let filled = 0;
    while (filled < wanted) {
      const at = position === null ? null : position + done;
      const count = await readPatiently(fd, buffer, filled, wanted - filled, at);
      if (count === 0) break;
      filled += count;
      done += count;
    }
    return buffer.subarray(0, filled);
  };
  let pending = fill(buffers[0]);
  try {
    for (let turn = 1; ; turn = 1 - turn) {
      const chunk = await pending;
      if (chunk.length === 0) return;
      pending = fill(buffers[turn as 0 | 1]);
      // Its error is thrown when its turn comes; until then it must not count as unhandled.
      pending.catch(() => {});
      yield chunk;
    }
  } finally {
    // A file is not closed under a read; a pipe may never give what was asked of it.
    if (position !== null) await pending.catch(() => {});
  }
}

/** Some parents hand down a standard input that does not block: nothing there yet is not the end. */
async function readPatiently(
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number | null,
): Promise<number> {
  for (;;) {
    try {
      return (await readFrom(fd, buffer, offset, length, position)).bytesRead;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      await setTimeout(5);
    }
  }
}
