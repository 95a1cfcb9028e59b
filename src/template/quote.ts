// Go's string and character literals: https://go.dev/ref/spec#Rune_literals, and strconv.Quote and Unquote.
import { bytesOf, inChunks, textOf } from './bytes.js';

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
