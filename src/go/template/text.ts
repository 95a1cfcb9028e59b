import { CallError } from './errors.js';
import { MAX_PIECES, MAX_TEXT } from './limits.js';

// Go's strings are bytes, nearly always UTF-8. Here they are JavaScript strings in which a byte that is no part of
// valid UTF-8 is the lone surrogate U+DC00 + byte, so that cutting a string inside a character loses nothing.

const ESCAPE = 0xdc00;
const LONE_SURROGATE = /\p{Surrogate}/u;
const LONE_SURROGATES = /\p{Surrogate}/gu;
const ASCII = /^[\u0000-\u007f]*$/;
const ABOVE_SURROGATES = /[\ud800-\uffff]/;

const isAscii = (text: string): boolean => ASCII.test(text);

/** Replaces invalid UTF-8 by U+FFFD, as Go's encoding/json does. */
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

// Docker's functions on text: Go's strings package, and pad and truncate of docker/cli, cli/templates/templates.go.

/** Every character by itself, where JavaScript would make several of one (`ß`, `İ`) or look at its neighbours (`Σ`). */
const mapped = (text: string, change: (character: string) => string): string =>
  inChunks(text, chunk => [...wellFormed(chunk)].map(character => single(character, change)).join(''));

function single(character: string, change: (character: string) => string): string {
  const changed = change(character);
  if ([...changed].length === 1) return changed;
  return character === 'İ' ? 'i' : character;
}

export const upper = (text: string): string => mapped(text, character => character.toUpperCase());
export const lower = (text: string): string => mapped(text, character => character.toLowerCase());

/** A capital at the start of every word, where letters, digits, `_` and what is neither ASCII nor space make words. */
export const title = (text: string): string =>
  inChunks(wellFormed(text), (chunk, before) =>
    (before + chunk)
      .replace(/(?<![\p{L}\p{Nd}_]|[^\u0000-\u007f\s\u0085])\p{L}/gu, upper)
      .slice(before.length),
  );

/** With an empty separator, every character by itself. */
export function split(text: string, separator: string): string[] {
  const pieces =
    separator === '' ? [...text.slice(0, MAX_PIECES + 1)] : text.split(separator, MAX_PIECES + 1);
  if (pieces.length > MAX_PIECES) throw new CallError(`more than ${MAX_PIECES} pieces`);
  return pieces;
}

export function join(items: readonly string[], separator: string): string {
  const length = items.reduce((sum, item) => sum + item.length + separator.length, 0);
  return fits(length, () => items.join(separator));
}

/** So many spaces before and behind, but none around nothing. */
export function pad(text: string, before: number, behind: number): string {
  if (text === '') return '';
  if (before < 0 || behind < 0) throw new CallError('strings: negative Repeat count');
  return fits(before + behind + text.length, () => ' '.repeat(before) + text + ' '.repeat(behind));
}

/** So many bytes of it. */
export function truncate(text: string, length: number): string {
  if (byteLength(text) < length) return text;
  if (length < 0) throw new CallError(`runtime error: slice bounds out of range [:${length}]`);
  return sliceBytes(text, 0, length);
}

function fits(length: number, make: () => string): string {
  if (length > MAX_TEXT) throw new CallError(`text longer than ${MAX_TEXT}`);
  return make();
}

// Go's string and character literals: https://go.dev/ref/spec#Rune_literals, and strconv.Quote and Unquote.

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const ESCAPED_BYTE = /^[\udc80-\udcff]$/;

const NAMED: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92 };
const NAMES = new Map(Object.entries(NAMED).map(([name, code]) => [code, name]));

/** unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export const isPrint = (character: string): boolean => PRINTABLE.test(character);

/** A Go string literal of the text, with everything unprintable escaped; `ascii` escapes all that is not ASCII too. */
export function quote(text: string, ascii = false): string {
  const special = ascii ? /[^ -~]|["\\]/gu : /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]|["\\]/gu;
  const shown = (character: string) => escapeIn(character, '"', ascii);
  return `"${inChunks(text, chunk => chunk.replace(special, shown))}"`;
}

export const quoteRune = (character: string, ascii = false): string => `'${escapeIn(character, "'", ascii)}'`;

/** Whether the text can stand between backquotes, on one line. */
export const canBackquote = (text: string): boolean =>
  !/[\u0000-\u0008\u000a-\u001f`\u007f\ufeff]|\p{Surrogate}/u.test(text);

function escapeIn(character: string, delimiter: string, ascii: boolean): string {
  if (character === delimiter || character === '\\') return `\\${character}`;
  const code = character.codePointAt(0)!;
  if (ESCAPED_BYTE.test(character)) return `\\x${(code - 0xdc00).toString(16)}`;
  if (isPrint(character) && (code < 0x80 || !ascii)) return character;
  const name = NAMES.get(code);
  if (name !== undefined) return `\\${name}`;
  const hex = code.toString(16);
  if (code < 0x20 || code === 0x7f) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** The text of a quoted or raw string literal, or null where the literal is not valid. */
export function unquote(literal: string): string | null {
  const body = literal.slice(1, -1);
  if (literal.startsWith('`')) return body.replaceAll('\r', '');
  const parts: Uint8Array[] = [];
  for (let at = 0; at < body.length; ) {
    const plain = /[^"\\\n]+/y;
    plain.lastIndex = at;
    const run = plain.exec(body)?.[0];
    const piece = run === undefined ? character(body, at, '"') : null;
    if (run === undefined && piece === null) return null;
    parts.push(run === undefined ? bytesOfPiece(piece!) : bytesOf(run));
    at = run === undefined ? piece!.end : at + run.length;
  }
  return textOf(Buffer.concat(parts));
}

const bytesOfPiece = ({ code, byte }: Piece): Uint8Array =>
  byte ? Uint8Array.of(code) : bytesOf(String.fromCodePoint(code));

/** The value of a character literal; null where an escape is not valid, undefined where it holds more than one. */
export function unquoteRune(literal: string): number | null | undefined {
  const piece = character(literal, 1, "'");
  if (piece === null) return null;
  return literal.slice(piece.end) === "'" ? piece.code : undefined;
}

interface Piece {
  readonly code: number;
  /** `\x` and octal escapes stand for a byte, all else for a character. */
  readonly byte: boolean;
  readonly end: number;
}

function character(text: string, at: number, delimiter: string): Piece | null {
  const code = text.codePointAt(at);
  if (code === undefined || text[at] === delimiter || text[at] === '\n') return null;
  if (text[at] !== '\\') return { code, byte: false, end: at + (code > 0xffff ? 2 : 1) };
  const letter = text[at + 1] ?? '';
  if (letter === delimiter) return { code: letter.charCodeAt(0), byte: false, end: at + 2 };
  if (Object.hasOwn(NAMED, letter)) return { code: NAMED[letter]!, byte: false, end: at + 2 };
  const escaped =
    digits(text, at + 2, letter === 'x' ? 2 : letter === 'u' ? 4 : letter === 'U' ? 8 : 0, 16) ??
    digits(text, at + 1, 3, 8);
  if (escaped === null) return null;
  const byte = letter !== 'u' && letter !== 'U';
  const valid = byte ? escaped.code <= 0xff : escaped.code <= 0x10ffff && (escaped.code & ~0x7ff) !== 0xd800;
  return valid ? { code: escaped.code, byte, end: escaped.end } : null;
}

function digits(
  text: string,
  from: number,
  count: number,
  base: 8 | 16,
): { code: number; end: number } | null {
  const run = text.slice(from, from + count);
  const valid = base === 16 ? /^[0-9a-fA-F]+$/ : /^[0-7]+$/;
  if (count === 0 || run.length < count || !valid.test(run)) return null;
  return { code: Number.parseInt(run, base), end: from + count };
}

// html, js and urlquery: https://pkg.go.dev/text/template#hdr-Functions

const HTML: Readonly<Record<string, string>> = {
  '\u0000': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

export const escapeHtml = (text: string): string =>
  inChunks(text, chunk => chunk.replace(/[\u0000"'&<>]/g, found => HTML[found]!));

export const escapeJs = (text: string): string =>
  inChunks(text, chunk => chunk.replace(/[\u0000-\u001f\\'"<>&=]|[^\u0000-\u007f]/gu, escapedJs));

function escapedJs(found: string): string {
  if (/[\\'"]/.test(found)) return `\\${found}`;
  // A byte that is no text is shown as what stands for it.
  if (/\p{Surrogate}/u.test(found)) return '\ufffd';
  const code = found.codePointAt(0)!;
  return code >= 0x80 && isPrint(found) ? found : `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

export const escapeQuery = (text: string): string =>
  inChunks(text, chunk => chunk.replace(/[^A-Za-z0-9_.~-]/gu, escapedQuery));

function escapedQuery(found: string): string {
  if (found === ' ') return '+';
  const hex = Buffer.from(bytesOf(found)).toString('hex').toUpperCase();
  return hex.replace(/../g, '%$&');
}
