/**
 * JSON as text, the way Go's encoding/json handles a document that it passes on: key order, numbers and escapes stay
 * as they were written. Both take the text of a sound document. https://pkg.go.dev/encoding/json#Indent
 */

/** `json.Indent` with no prefix: blanks before the value go, those behind it stay. */
export function indentJson(text: string, indent: string): string {
  const end = text.trimEnd().length;
  const out: string[] = [];
  let depth = 0;
  let opened = false;
  for (const token of tokens(text.slice(0, end))) {
    const closes = token === '}' || token === ']';
    if (opened && !closes) out.push(`\n${indent.repeat(++depth)}`);
    if (closes && !opened) out.push(`\n${indent.repeat(--depth)}`);
    opened = token === '{' || token === '[';
    if (token === ',') out.push(`,\n${indent.repeat(depth)}`);
    else out.push(token === ':' ? ': ' : token);
  }
  return out.join('') + text.slice(end);
}

/** What json.Marshal makes of a json.Marshaler's text: no blanks, and escaped so that it may stand in HTML. */
export function compactJson(text: string): string {
  return [...tokens(text)]
    .join('')
    .replace(
      /[<>&\u2028\u2029]/g,
      character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}

/** Punctuation, strings, and everything else, without the blanks between. By hand: a pattern may overflow on long strings. */
function* tokens(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const start = at;
    const character = text[at++]!;
    if (' \t\r\n'.includes(character)) continue;
    if (character === '"') {
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
      at++;
    } else if (!PUNCTUATION.includes(character)) {
      while (at < text.length && !ENDS_WORD.includes(text[at]!)) at++;
    }
    yield text.slice(start, at);
  }
}

const PUNCTUATION = '{}[],:';
const ENDS_WORD = `${PUNCTUATION}" \t\r\n`;
