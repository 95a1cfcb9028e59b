import { TemplateError } from './errors.js';
import { MAX_NESTING } from './limits.js';
import { quote } from './text.js';

// The tokens of a template: https://pkg.go.dev/text/template#hdr-Text_and_spaces and the sections after it.

// biome-ignore format: one line is enough
export type TokenKind =
  | 'text' | 'left-delimiter' | 'right-delimiter' | 'space' | 'eof' | 'error'
  | 'bool' | 'number' | 'complex' | 'character' | 'string' | 'raw-string'
  | 'dot' | 'field' | 'variable' | 'identifier' | 'keyword'
  | 'left-paren' | 'right-paren' | 'pipe' | 'assign' | 'declare' | 'char';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Where it starts, in UTF-16 units. */
  readonly at: number;
  /** The line it starts on, from 1. */
  readonly line: number;
}

const KEYWORDS = [
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'nil',
  'range',
  'template',
  'with',
];
const WORD = /[\p{L}\p{Nd}_]+/uy;
const WORD_CHARACTER = /[\p{L}\p{Nd}_]/uy;
const SPACES = /[ \t\r\n]*/y;
const QUOTED = /"(?:\\[^\n]|[^"\\\n])*"/uy;
const CHARACTER = /'(?:\\[^\n]|[^'\\\n])*'/uy;
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;
const SIMPLE: Readonly<Record<string, TokenKind>> = { '=': 'assign', '|': 'pipe' };

/** A token as an error names it. */
function describe(token: Token): string {
  if (token.kind === 'eof') return 'EOF';
  if (token.kind === 'error') return token.text;
  if (token.kind === 'keyword' || token.kind === 'dot') return `<${token.text}>`;
  const long = Buffer.byteLength(token.text) > 10;
  return long ? `${quote([...token.text].slice(0, 10).join(''))}...` : quote(token.text);
}

/** All tokens, one after the other; the last is `eof` or `error`. */
export function* lex(source: string): Generator<Token, undefined> {
  const cursor = new Cursor(source);
  for (;;) {
    const open = source.indexOf('{{', cursor.at);
    const end = open < 0 ? source.length : open;
    const trims = open >= 0 && /^-[ \t\r\n]/.test(source.slice(open + 2, open + 4));
    const text = source.slice(cursor.at, end);
    const kept = trims ? text.slice(0, lengthWithoutSpaces(text)) : text;
    if (kept !== '') yield cursor.token('text', kept.length);
    cursor.skip(end - cursor.at);
    if (open < 0) break;
    const marker = trims ? 2 : 0;
    if (source.startsWith('/*', open + 2 + marker)) {
      const fault = comment(cursor, 2 + marker);
      if (fault !== null) return yield fault;
      continue;
    }
    yield cursor.token('left-delimiter', 2);
    cursor.skip(marker);
    const broken = yield* action(cursor);
    if (broken) return undefined;
  }
  yield cursor.token('eof', 0);
  return undefined;
}

class Cursor {
  at = 0;
  line = 1;
  constructor(readonly source: string) {}

  token(kind: TokenKind, length: number): Token {
    const token = { kind, text: this.source.slice(this.at, this.at + length), at: this.at, line: this.line };
    this.skip(length);
    return token;
  }

  error(text: string): Token {
    return { kind: 'error', text, at: this.at, line: this.line };
  }

  skip(length: number): void {
    for (const stop = this.at + length; this.at < stop; this.at++) {
      if (this.source[this.at] === '\n') this.line++;
    }
  }

  match(pattern: RegExp, offset = 0): number {
    pattern.lastIndex = this.at + offset;
    return pattern.exec(this.source)?.[0].length ?? -1;
  }

  /** Length of the right delimiter here, with its trim marker; 0 where there is none. */
  closing(offset = 0): number {
    const at = this.at + offset;
    if (/^[ \t\r\n]-}}/.test(this.source.slice(at, at + 4))) return 4;
    return this.source.startsWith('}}', at) ? 2 : 0;
  }
}

function lengthWithoutSpaces(text: string): number {
  let length = text.length;
  while (length > 0 && ' \t\r\n'.includes(text[length - 1]!)) length--;
  return length;
}

/** Skips a comment up to and including its right delimiter. */
function comment(cursor: Cursor, opening: number): Token | null {
  cursor.skip(opening);
  const close = cursor.source.indexOf('*/', cursor.at + 2);
  if (close < 0) return cursor.error('unclosed comment');
  const past = close + 2 - cursor.at;
  const closing = cursor.closing(past);
  if (closing === 0) return cursor.error('comment ends before closing delimiter');
  cursor.skip(past + closing);
  if (closing === 4) cursor.skip(cursor.match(SPACES));
  return null;
}

/** The inside of an action. True where it ended with an error. */
function* action(cursor: Cursor): Generator<Token, boolean> {
  for (let depth = 0; ; ) {
    const closing = cursor.closing();
    if (closing > 0) {
      if (depth > 0) return yield* fail(cursor.error('unclosed left paren'));
      cursor.skip(closing - 2);
      yield cursor.token('right-delimiter', 2);
      if (closing === 4) cursor.skip(cursor.match(SPACES));
      return false;
    }
    const token = next(cursor);
    if (token.kind === 'left-paren') depth++;
    if (token.kind === 'right-paren' && --depth < 0) {
      return yield* fail({ ...token, kind: 'error', text: 'unexpected right paren' });
    }
    yield token;
    if (token.kind === 'error') return true;
  }
}

function* fail(token: Token): Generator<Token, true> {
  yield token;
  return true;
}

function next(cursor: Cursor): Token {
  const character = String.fromCodePoint(cursor.source.codePointAt(cursor.at) ?? 0);
  const following = cursor.source[cursor.at + 1] ?? '';
  if (cursor.at >= cursor.source.length) return cursor.error('unclosed action');
  if (/[ \t\r\n]/.test(character)) return spaces(cursor);
  if (Object.hasOwn(SIMPLE, character)) return cursor.token(SIMPLE[character]!, 1);
  if (character === ':') return following === '=' ? cursor.token('declare', 2) : cursor.error('expected :=');
  if (character === '"') return closed(cursor, 'string', QUOTED, 'unterminated quoted string');
  if (character === "'") return closed(cursor, 'character', CHARACTER, 'unterminated character constant');
  if (character === '`') return closed(cursor, 'raw-string', /`[^`]*`/y, 'unterminated raw quoted string');
  if (character === '$') return named(cursor, 'variable');
  if (character === '.' && !/[0-9]/.test(following)) return named(cursor, 'field');
  if (/[.+\-0-9]/.test(character)) return number(cursor);
  if (cursor.match(WORD_CHARACTER) > 0) return word(cursor);
  if (character === '(') return cursor.token('left-paren', 1);
  if (character === ')') return cursor.token('right-paren', 1);
  if (/[!-~]/.test(character)) return cursor.token('char', 1);
  return cursor.error(`unrecognized character in action: ${codePoint(character)}`);
}

/** A run of spaces, but for the one that belongs to ` -}}`. */
function spaces(cursor: Cursor): Token {
  const length = cursor.match(SPACES);
  return cursor.token('space', cursor.closing(length - 1) === 4 ? length - 1 : length);
}

function closed(cursor: Cursor, kind: TokenKind, pattern: RegExp, fault: string): Token {
  const length = cursor.match(pattern);
  return length < 0 ? cursor.error(fault) : cursor.token(kind, length);
}

/** `.Field`, `$variable`, or the bare sigil. */
function named(cursor: Cursor, kind: 'field' | 'variable'): Token {
  const length = atTerminator(cursor, 1) ? 1 : 1 + Math.max(0, cursor.match(WORD, 1));
  if (!atTerminator(cursor, length)) return badCharacter(cursor, length);
  return cursor.token(length === 1 && kind === 'field' ? 'dot' : kind, length);
}

function word(cursor: Cursor): Token {
  const length = cursor.match(WORD);
  if (!atTerminator(cursor, length)) return badCharacter(cursor, length);
  const text = cursor.source.slice(cursor.at, cursor.at + length);
  const kind = KEYWORDS.includes(text) ? 'keyword' : /^(true|false)$/.test(text) ? 'bool' : 'identifier';
  return cursor.token(kind, length);
}

function atTerminator(cursor: Cursor, offset: number): boolean {
  const at = cursor.at + offset;
  return (
    at >= cursor.source.length ||
    /[ \t\r\n.,|:)(]/.test(cursor.source[at]!) ||
    cursor.source.startsWith('}}', at)
  );
}

function badCharacter(cursor: Cursor, offset: number): Token {
  return cursor.error(
    `bad character ${codePoint(String.fromCodePoint(cursor.source.codePointAt(cursor.at + offset)!))}`,
  );
}

/** A number in every syntax, or two that make a complex one. What is wrong in it, `parseNumber` says. */
function number(cursor: Cursor): Token {
  const length = cursor.match(NUMBER);
  const tooFar = cursor.match(WORD_CHARACTER, length);
  if (tooFar > 0) return badNumber(cursor, length + tooFar);
  if (!/[+-]/.test(cursor.source[cursor.at + length] ?? '')) return cursor.token('number', length);
  const both = length + cursor.match(NUMBER, length);
  const behind = cursor.match(WORD_CHARACTER, both);
  if (behind > 0 || cursor.source[cursor.at + both - 1] !== 'i')
    return badNumber(cursor, both + Math.max(0, behind));
  return cursor.token('complex', both);
}

const badNumber = (cursor: Cursor, length: number): Token =>
  cursor.error(`bad number syntax: ${quote(cursor.source.slice(cursor.at, cursor.at + length))}`);

/** `%#U` of Go: the number of a character, and the character where it can be seen. */
function codePoint(character: string): string {
  const code = `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character) ? `${code} '${character}'` : code;
}

// One template under construction: its place in the tokens, its variables, its nesting.

/**
 * The main template and every `define` and `block` read the same tokens, each with its own memory of the last one,
 * which is where Go puts the line of an error.
 */
export class Tokens {
  /** Names in scope; `$` is always there. */
  readonly variables = ['$'];
  rangeDepth = 0;
  /** Line of the left delimiter of the action at hand; 0 between actions. */
  actionLine = 0;
  private readonly pending: Token[] = [];
  private last: Token = { kind: 'eof', text: '', at: 0, line: 0 };

  constructor(
    private readonly source: Iterator<Token, undefined>,
    /** Actions and parentheses that are open, over all templates that are being read. */
    private readonly open: { depth: number },
  ) {}

  forDefinition(): Tokens {
    return new Tokens(this.source, this.open);
  }

  next(): Token {
    const waiting = this.pending.pop();
    if (waiting !== undefined) return waiting;
    const { value } = this.source.next();
    // An error token ends the scan: what is behind it is its end.
    this.last = value ?? { ...this.last, kind: 'eof', text: '' };
    return this.last;
  }

  /** Puts tokens back, the first of them being the next again. */
  back(...tokens: readonly Token[]): void {
    this.pending.push(...tokens.toReversed());
  }

  peek(): Token {
    const token = this.next();
    this.back(token);
    return token;
  }

  nextNonSpace(): Token {
    for (;;) {
      const token = this.next();
      if (token.kind !== 'space') return token;
    }
  }

  peekNonSpace(): Token {
    const token = this.nextNonSpace();
    this.back(token);
    return token;
  }

  expect(kind: TokenKind, context: string): Token {
    const token = this.nextNonSpace();
    return token.kind === kind ? token : this.unexpected(token, context);
  }

  unexpected(token: Token, context: string): never {
    if (token.kind !== 'error') return this.fail(`unexpected ${describe(token)} in ${context}`);
    const elsewhere = this.actionLine !== 0 && this.actionLine !== token.line;
    // "unclosed action" has said the word already.
    const action = token.text.endsWith(' action') ? '' : ' in action';
    return this.fail(elsewhere ? `${token.text}${action} started at :${this.actionLine}` : token.text);
  }

  fail(what: string): never {
    throw new TemplateError('parse', `template: :${this.last.line}: ${what}`);
  }

  /** One level deeper for as long as `read` runs. */
  nested<T>(read: () => T): T {
    if (++this.open.depth > MAX_NESTING) this.fail(`nested deeper than ${MAX_NESTING}`);
    const result = read();
    this.open.depth--;
    return result;
  }
}
