// What must never reach a terminal or a page from an archive, by Unicode's own tables and not by those of src/visible.ts.

/** Controls, formats (bidirectional marks, zero-width, tags), line and paragraph separators, halves of pairs, what shows as nothing or is no character. */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;

/** The first hidden character of a text, as a number with what stands before it; null where there is none. */
export function hiddenIn(text: string, allowed = '\n'): string | null {
  for (const { 0: character, index } of text.matchAll(HIDDEN)) {
    if (allowed.includes(character)) continue;
    const before = JSON.stringify(text.slice(Math.max(0, index - 40), index));
    return `U+${character.codePointAt(0)!.toString(16)} at ${index} after ${before}`;
  }
  return null;
}

/** What colours text on a terminal; nothing else begins with an escape. */
export const withoutColour = (text: string): string => text.replace(/\u001b\[\d{1,2}(?:;\d{1,2})*m/g, '');

/** A line that an archive's text made: `hostileText` has a newline before this word, and nothing of ours begins with it. */
export const FORGED = 'feed';

export const forgedIn = (text: string): string | null =>
  text.split('\n').some(line => line.startsWith(FORGED)) ? 'a line that is not ours' : null;
