import { crc32 } from 'node:zlib';
import type { ByteRange, SourceProblem } from './source.js';

/** A field of a zip entry whose listed value differs from the content's. */
export interface ListedDifference {
  readonly field: 'size' | 'CRC-32' | 'packed size';
  readonly expected: string;
  readonly actual: string;
}

/** The difference where bytes follow the deflate data of a zip entry; null where none do. */
export const packedDifference = ({ length }: ByteRange, trailing: number): ListedDifference | null =>
  trailing === 0
    ? null
    : { field: 'packed size', expected: String(length), actual: String(length - trailing) };

/** @returns null where the content has the listed size and checksum */
export function listedDifference(
  listed: NonNullable<ByteRange['listed']>,
  actual: { readonly size: number; readonly crc32: number },
): ListedDifference | null {
  if (listed.size !== null && listed.size !== actual.size)
    return { field: 'size', expected: String(listed.size), actual: String(actual.size) };
  if (listed.crc32 !== actual.crc32)
    return { field: 'CRC-32', expected: hex(listed.crc32), actual: hex(actual.crc32) };
  return null;
}

/**
 * Passes a content on, and at its end compares its size and checksum with the listed ones.
 * @param isWhole  asked at the end: whether all of the content has passed
 */
export async function* asListed(
  { listed }: ByteRange,
  chunks: AsyncIterable<Uint8Array>,
  isWhole: () => boolean,
  report: (problem: SourceProblem) => void,
): AsyncGenerator<Uint8Array> {
  if (listed === undefined) {
    yield* chunks;
    return;
  }
  const actual = { size: 0, crc32: 0 };
  for await (const chunk of chunks) {
    actual.size += chunk.length;
    actual.crc32 = crc32(chunk, actual.crc32);
    yield chunk;
  }
  const difference = isWhole() ? listedDifference(listed, actual) : null;
  if (difference !== null) report({ kind: 'zip-content', path: null, ...difference });
}

export const hex = (crc32: number): string => crc32.toString(16).padStart(8, '0');
