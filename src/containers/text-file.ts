import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { isSystemError, reasonOf } from '../errors.js';
import { readInherited } from './pipe.js';

const STDIN_FD = 0;

/**
 * A small text that a user wrote: a policy, a list. UTF-8, with or without a byte order mark.
 * @param file  a path, or `-` for standard input
 * @param most  bytes; no such text has more
 * @returns why it cannot be read, in place of the text
 */
export async function readText(
  file: string,
  most: number,
): Promise<{ readonly text: string } | { readonly reason: string }> {
  try {
    const bytes = file === '-' ? await gathered(readInherited(STDIN_FD), most) : await head(file, most);
    if (bytes.length > most) return { reason: `expected at most ${most} bytes of text, found more` };
    if (bytes.includes(0)) return { reason: 'expected text, found NUL bytes, as other files have them' };
    if (!isUtf8(bytes)) return { reason: 'expected text in UTF-8, found other bytes' };
    return { text: new TextDecoder().decode(bytes) };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOENT') return { reason: 'there is no such file' };
    if (error.code === 'EISDIR') return { reason: 'expected a file, found a directory' };
    return { reason: `cannot be read: ${reasonOf(error)}` };
  }
}

/** One byte more than that tells that there is more. */
async function head(file: string, most: number): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    return await gathered(handle.createReadStream({ end: most, autoClose: false }), most);
  } finally {
    await handle.close();
  }
}

async function gathered(chunks: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    // The block that it lies in is filled again.
    parts.push(chunk.slice());
    length += chunk.length;
    if (length > most) break;
  }
  return Buffer.concat(parts);
}

/**
 * Whether a file begins with a text, white space left out. false for what cannot be opened, and for pipes: they are
 * read once.
 */
export async function isTextBeginningWith(file: string, begin: string): Promise<boolean> {
  try {
    const handle = await open(file);
    try {
      if (!(await handle.stat()).isFile()) return false;
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.toString('latin1', 0, bytesRead).trimStart().startsWith(begin);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

const HEAD_BYTES = 256;
