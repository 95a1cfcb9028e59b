// Go's strings are bytes, nearly always UTF-8. Here they are JavaScript strings in which a byte that is no part of valid
// UTF-8 is the lone surrogate U+DC00 + byte, so that cutting a string inside a character loses nothing.

const ESCAPE = 0xdc00;
const LONE_SURROGATE = /\p{Surrogate}/u;
const LONE_SURROGATES = /\p{Surrogate}/gu;
const ASCII = /^[\u0000-\u007f]*$/;
const ABOVE_SURROGATES = /[\ud800-\uffff]/;

const isAscii = (text: string): boolean => ASCII.test(text);

/** What is no text becomes U+FFFD, as in Go's encoding/json. */
export const wellFormed = (text: string): string => text.replace(LONE_SURROGATES, '\ufffd');

export function bytesOf(text: string): Uint8Array {
  if (!LONE_SURROGATE.test(text)) return Buffer.from(text, 'utf8');
  const bytes = Buffer.alloc(text.length * 3);
  let length = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at)!;
    const end = at + (code > 0xffff ? 2 : 1);
    if (code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) bytes[length++] = code - ESCAPE;
    else length += bytes.write(text.slice(at, end), length, 'utf8');
    at = end;
  }
  return bytes.subarray(0, length);
}

export function textOf(bytes: Uint8Array): string {
  const plain = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = plain.toString('utf8');
  if (!text.includes('\ufffd')) return text;
  const units = Buffer.alloc(bytes.length * 2);
  let length = 0;
  for (let at = 0; at < bytes.length; ) {
    const size = runeSize(bytes, at);
    if (size === 0) length = units.writeUInt16LE(ESCAPE + bytes[at]!, length);
    else length += units.write(plain.toString('utf8', at, at + size), length, 'utf16le');
    at += Math.max(size, 1);
  }
  return units.toString('utf16le', 0, length);
}

/** Bytes of the UTF-8 character at `at`; 0 where there is none (Unicode, table 3-7). */
function runeSize(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const size = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : 4;
  if (first < 0xc2 || first > 0xf4 || at + size > bytes.length) return 0;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (bytes[at + 1]! < lowest || bytes[at + 1]! > highest) return 0;
  for (let i = at + 2; i < at + size; i++) if (bytes[i]! < 0x80 || bytes[i]! > 0xbf) return 0;
  return size;
}

export const byteLength = (text: string): number => (isAscii(text) ? text.length : bytesOf(text).length);

export const sliceBytes = (text: string, from: number, to: number): string =>
  isAscii(text) ? text.slice(from, to) : textOf(bytesOf(text).subarray(from, to));

/** Joins what may have been cut inside characters, and makes text of it. */
export const printable = (text: string): string =>
  LONE_SURROGATE.test(text) ? Buffer.from(bytesOf(text)).toString('utf8') : text;

/** The order of the bytes, which is the order of code points. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  if (!ABOVE_SURROGATES.test(a) || !ABOVE_SURROGATES.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(bytesOf(a), bytesOf(b));
}

const CHUNK = 1 << 20;

/**
 * Changes a text piece by piece, because the engine ends the process where one replacement finds some hundred million
 * matches. `before` is the character before the piece.
 */
export function inChunks(text: string, change: (chunk: string, before: string) => string): string {
  if (text.length <= CHUNK) return change(text, '');
  const chunks: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = at + CHUNK;
    const splitsPair = /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(end - 1, end + 1));
    const to = splitsPair ? end - 1 : end;
    chunks.push(change(text.slice(at, to), text.slice(Math.max(0, at - 1), at)));
    at = to;
  }
  return chunks.join('');
}
