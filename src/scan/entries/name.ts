import { isUtf8 as bufferIsUtf8 } from 'node:buffer';

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

/**
 * Normalises a name relative to the root: without leading, doubled and trailing slashes, with `.` and `..` resolved;
 * the root is its own parent. Empty for the root itself. Works on bytes and on text.
 */
export function rootedPath(name: string): string {
  // Nearly every name is already clean, except for a slash at the end of a directory and a leading `./`.
  const bare = name.slice(name.startsWith('./') ? 2 : 0, name.endsWith('/') ? -1 : undefined);
  if (!UNCLEAN.test(bare)) return bare;
  const out: string[] = [];
  for (const segment of name.split('/')) {
    if (segment === '..') out.pop();
    else if (segment !== '' && segment !== '.') out.push(segment);
  }
  return out.join('/');
}

/** Matches an empty segment, `.` or `..`. */
export const UNCLEAN = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** Removes a leading `./` and a trailing slash, which do not change the path. */
export function withoutEnds(name: string): string {
  const start = name.startsWith('./') && name.length > 2 && name[2] !== '/' ? 2 : 0;
  const end = name.length > start + 1 && name.endsWith('/') ? name.length - 1 : name.length;
  return name.slice(start, end);
}
