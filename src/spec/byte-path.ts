import { isUtf8 as bufferIsUtf8 } from 'node:buffer';
import { visiblePath } from '../visible.js';

/**
 * A path as the bytes that POSIX defines it to be, one byte a character: any bytes but NUL, UTF-8 or not. Such strings
 * compare with `<` as the bytes do. XBD 3.254 "Pathname"
 */
export type BytePath = string;

/** The path as functions of Node take it that must not change its bytes. */
export const pathBuffer = (path: BytePath): Buffer => Buffer.from(path, 'latin1');

/** A path for messages: safe for a terminal, and two different paths never look the same. */
export const shownPath = (path: BytePath): string => visiblePath(nameText(path));

/**
 * Decodes the bytes of a name. Bytes that are not UTF-8 become lone surrogates, U+DC80 for byte 0x80 to U+DCFF, so that
 * different names stay different. https://peps.python.org/pep-0383/
 *
 * @param name  bytes, one per character
 */
export function nameText(name: string): string {
  if (!/[\x80-\xff]/.test(name)) return name;
  const bytes = Buffer.from(name, 'latin1');
  try {
    return STRICT.decode(bytes);
  } catch {
    return textWithEscapes(bytes);
  }
}

/** @param name  bytes, one per character */
export const isUtf8 = (name: string): boolean =>
  !/[\x80-\xff]/.test(name) || bufferIsUtf8(Buffer.from(name, 'latin1'));

/** The inverse of `nameText`: bytes, one per character. */
export function nameBytes(text: string): string {
  return text.replace(/[\udc80-\udcff]|[^\x00-\x7f\udc80-\udcff]+/gu, run => {
    const code = run.codePointAt(0)!;
    const isEscape = code >= 0xdc80 && code <= 0xdcff;
    return isEscape ? String.fromCharCode(code - 0xdc00) : Buffer.from(run).toString('latin1');
  });
}

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The well-formed sequences of UTF-8, as bytes. Unicode standard, table 3-7. */
const SEQUENCE =
  /[\x00-\x7f]+|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|([\x80-\xff])/g;

function textWithEscapes(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(SEQUENCE, (run, stray: string | undefined) =>
      stray === undefined
        ? Buffer.from(run, 'latin1').toString()
        : String.fromCharCode(0xdc00 + stray.charCodeAt(0)),
    );
}
