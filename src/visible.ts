/**
 * Characters that could move a cursor, hide or reorder text, or end a line: C0 and C1 controls, DEL, bidirectional
 * overrides and isolates, zero-width marks, line and paragraph separators. They are shown, never sent.
 */
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/g;
const PAIR = /[\ud800-\udbff][\udc00-\udfff]/;

/** Text from an archive, safe for a terminal. */
export function visible(text: string): string {
  if (!HIDDEN.test(text)) return text;
  HIDDEN.lastIndex = 0;
  return [...text]
    .map(character => (PAIR.test(character) ? character : character.replace(HIDDEN, named)))
    .join('');
}

function named(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

/**
 * A path from an archive, so that two which differ are shown as two: a byte that is not UTF-8 as `\\xNN`, a backslash twice.
 * What `pathText` reads.
 * @param path  as text, with lone surrogates U+DC80 to U+DCFF for such bytes
 */
export function visiblePath(path: string): string {
  return visible(
    path
      .replaceAll('\\', '\\\\')
      .replace(/[\udc80-\udcff]/gu, stray => `\\x${(stray.charCodeAt(0) - 0xdc00).toString(16)}`),
  );
}

/** A path as text, from how `visiblePath` shows it. */
export function pathText(shown: string): string {
  return shown.replace(/\\(?:\\|n|t|x([89a-f][0-9a-f])|u\{([0-9a-f]{1,6})\})/g, (whole, byte, code) => {
    if (byte !== undefined) return String.fromCharCode(0xdc00 + Number.parseInt(byte, 16));
    if (code !== undefined) return codePoint(Number.parseInt(code, 16)) ?? whole;
    return whole === '\\n' ? '\n' : whole === '\\t' ? '\t' : '\\';
  });
}

const codePoint = (code: number) => (code <= 0x10ffff ? String.fromCodePoint(code) : null);
