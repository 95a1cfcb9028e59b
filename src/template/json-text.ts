// JSON as text: https://pkg.go.dev/encoding/json#Compact, #Indent, and how Marshal writes strings and numbers.
import { inChunks } from './bytes.js';
import { CallError } from './errors.js';
import { shortestSingle } from './float.js';

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

export function jsonString(text: string, escapeHtml: boolean): string {
  const special = escapeHtml
    ? /[\u0000-\u001f"\\<>&\u2028\u2029]|\p{Surrogate}/gu
    : /[\u0000-\u001f"\\\u2028\u2029]|\p{Surrogate}/gu;
  const shown = (found: string) => {
    const code = /\p{Surrogate}/u.test(found) ? 0xfffd : found.charCodeAt(0);
    return ESCAPES[found] ?? `\\u${code.toString(16).padStart(4, '0')}`;
  };
  return `"${inChunks(text, chunk => chunk.replace(special, shown))}"`;
}

/** As ES6 writes numbers, but that an exponent begins below 1e-6 and at 1e21. */
export function jsonNumber(number: number, bits: 32 | 64): string {
  if (!Number.isFinite(number)) throw new CallError(`json: unsupported value: ${number}`);
  if (Object.is(number, -0)) return '-0';
  return String(bits === 32 ? Number(shortestSingle(number)) : number);
}

/** Its strings, marks and words. By hand: a pattern for strings would run out of stack at millions of escapes in one. */
function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = at + 1;
    if (text[at] === '"') {
      while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      end++;
    } else if (!MARK.test(text[at]!)) {
      while (end < text.length && !ENDS_WORD.test(text[end]!)) end++;
    }
    const token = text.slice(at, end);
    if (!/^\s$/.test(token)) tokens.push(token);
    at = end;
  }
  return tokens;
}

const MARK = /[{}[\]:,\s]/;
const ENDS_WORD = /[\s"{}[\]:,]/;

/** JSON text without the spaces between its parts. */
export function compact(text: string, escapeHtml: boolean): string {
  const joined = tokensOf(text).join('');
  return escapeHtml ? joined.replace(/[<>&\u2028\u2029]/g, escaped) : joined;
}

/** Compact JSON text with every member and item on a line of its own; empty objects and arrays stay as they are. */
export function indented(text: string, indent: string): string {
  const tokens = tokensOf(text);
  let depth = 0;
  const line = () => `\n${indent.repeat(depth)}`;
  return tokens
    .map((token, at) => {
      if (token === ':') return ': ';
      if (token === ',') return `,${line()}`;
      if (token === '{' || token === '[') {
        if (/^[}\]]$/.test(tokens[at + 1] ?? '')) return token;
        depth++;
        return token + line();
      }
      if (!/^[}\]]$/.test(token) || /^[{[]$/.test(tokens[at - 1] ?? '')) return token;
      depth--;
      return line() + token;
    })
    .join('');
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
