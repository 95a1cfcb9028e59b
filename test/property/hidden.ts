// Characters that must not reach a terminal or a page from an archive, by Unicode's tables instead of those of
// src/visible.ts.

/**
 * Controls, format characters (bidirectional marks, zero-width, tags), line and paragraph separators, lone surrogates,
 * invisible characters and noncharacters.
 */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;

/** The first hidden character of a text, as a number with the text before it; null if there is none. */
export function hiddenIn(text: string, allowed = '\n'): string | null {
  for (const { 0: character, index } of text.matchAll(HIDDEN)) {
    if (allowed.includes(character)) continue;
    const before = JSON.stringify(text.slice(Math.max(0, index - 40), index));
    return `U+${character.codePointAt(0)!.toString(16)} at ${index} after ${before}`;
  }
  return null;
}

/** Removes colour sequences; nothing else may begin with an escape. */
export const withoutColour = (text: string): string => text.replace(/\u001b\[\d{1,2}(?:;\d{1,2})*m/g, '');

/**
 * A line that was made by text of an archive: `hostileText` has a newline before this word, and no line of ours begins
 * with it.
 */
export const FORGED = 'feed';

export const forgedIn = (text: string): string | null =>
  text.split('\n').some(line => line.startsWith(FORGED)) ? 'a line that is not ours' : null;
