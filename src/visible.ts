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
