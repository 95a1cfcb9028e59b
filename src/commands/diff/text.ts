import { createTwoFilesPatch, OMIT_HEADERS } from 'diff';

/** Largest file that is compared line by line, in bytes. */
export const TEXT_CAP = 128 * 1024;

/** Lines taken away and added; files that differ in more are better read one by one. */
const EDITS = 2000;
const CONTEXT = 3;

/**
 * The hunks of a unified diff of two text files, without the lines that name the files.
 * @returns null where one is no text, or too large, or they have too little in common
 */
export function unifiedDiff(a: Uint8Array, b: Uint8Array): string | null {
  const [left, right] = [textOf(a), textOf(b)];
  if (left === null || right === null) return null;
  const options = { context: CONTEXT, maxEditLength: EDITS, headerOptions: OMIT_HEADERS };
  return createTwoFilesPatch('a', 'b', left, right, undefined, undefined, options) ?? null;
}

function textOf(bytes: Uint8Array): string | null {
  if (bytes.length > TEXT_CAP || bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
