/** The part of a document at which a reader gives up: a code, and at the same time the words of Go's scanner. */
export type JsonContext =
  /** Between tokens. */
  | ''
  | 'looking for beginning of value'
  | 'looking for beginning of object key string'
  | 'after object key'
  | 'after object key:value pair'
  | 'after array element'
  | 'after top-level value'
  | 'in string literal'
  | 'in string escape code'
  | 'in \\u hexadecimal character escape'
  | 'in numeric literal'
  | 'after decimal point in numeric literal'
  | 'in exponent of numeric literal'
  | `in literal ${Literal} (expecting '${string}')`;

type Literal = 'true' | 'false' | 'null';

/** Where a text stops being JSON (RFC 8259), and what was expected there. */
export interface JsonFault {
  /**
   * `empty`: nothing but white space. `end`: the text ends within the value. `after`: a value is complete, and more
   * than white space follows it. `character`: anything else.
   */
  readonly kind: 'empty' | 'end' | 'after' | 'character';
  /** Index in the text; its length for `empty` and `end`. */
  readonly at: number;
  /** The construct that was being read. */
  readonly context: JsonContext;
}

const LITERALS: readonly Literal[] = ['true', 'false', 'null'];
const SPACE = ' \t\r\n';
const DIGITS = '0123456789';

/** @returns null for a text that is JSON */
export function jsonFault(text: string): JsonFault | null {
  return new Reader(text).read();
}

/** A place of a text for people: both count from 1, a column is a character. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
  /** The character there; null at the end of the text. */
  readonly found: string | null;
}

/** @param at  index in the text */
export function textPosition(text: string, at: number): TextPosition {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = [...before.slice(before.lastIndexOf('\n') + 1)].length + 1;
  const code = text.codePointAt(at);
  return { line, column, found: code === undefined ? null : String.fromCodePoint(code) };
}

/** The fault of a text that is no JSON, for a sentence that begins with "expected a JSON document". */
export function jsonFaultText(
  { kind, at, context }: JsonFault,
  { line, column, found }: TextPosition,
): string {
  if (kind === 'empty') return at === 0 ? 'it is empty' : 'it has only white space';
  const place = `at line ${line}, column ${column}`;
  if (kind === 'end' || found === null) return `it ends ${place}, before its value is complete`;
  return `found ${characterText(found)} ${place}, ${PLACES[isLiteral(context) ? 'literal' : context]}`;
}

function characterText(character: string): string {
  if (/^[ -~]$/.test(character)) return JSON.stringify(character);
  const code = `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
  return character === '\ufeff' ? `a byte order mark (${code})` : code;
}

type LiteralContext = Extract<JsonContext, `in literal ${string}`>;

const isLiteral = (context: JsonContext): context is LiteralContext => !Object.hasOwn(PLACES, context);

const PLACES: Readonly<Record<Exclude<JsonContext, LiteralContext> | 'literal', string>> = {
  '': 'which is no JSON',
  'looking for beginning of value': 'where a value should begin',
  'looking for beginning of object key string': 'where a key in double quotes should begin',
  'after object key': 'where ":" should follow the key',
  'after object key:value pair': 'where "," or "}" should follow the value',
  'after array element': 'where "," or "]" should follow the value',
  'after top-level value': 'after the end of the value',
  'in string literal': 'in a string, where it must be escaped',
  'in string escape code': 'after a backslash, where it is no escape',
  'in \\u hexadecimal character escape': 'where \\u needs four hexadecimal digits',
  'in numeric literal': 'where a digit should be',
  'after decimal point in numeric literal': 'where a digit should follow the decimal point',
  'in exponent of numeric literal': 'where a digit of the exponent should be',
  literal: 'in what should be true, false or null',
};

/** The token that a reader expects next. */
type State = 'value' | 'first-value' | 'key' | 'first-key' | 'colon' | 'next';

/** Reads without recursion: it counts what is open, however deep it nests. */
class Reader {
  private at = 0;
  /** The open objects (true) and arrays. */
  private readonly open: boolean[] = [];
  private state: State = 'value';

  constructor(private readonly text: string) {}

  read(): JsonFault | null {
    for (;;) {
      this.skip(SPACE);
      if (this.state === 'next' && this.open.length === 0) {
        return this.at === this.text.length ? null : this.fault('after', 'after top-level value');
      }
      if (this.at === this.text.length) {
        const isEmpty = this.state === 'value' && this.open.length === 0;
        return this.fault(isEmpty ? 'empty' : 'end', '');
      }
      const context = this.token(this.text[this.at]!);
      if (context !== null) {
        return this.fault(this.at >= this.text.length ? 'end' : 'character', context);
      }
    }
  }

  private fault(kind: JsonFault['kind'], context: JsonContext): JsonFault {
    return { kind, at: Math.min(this.at, this.text.length), context };
  }

  private skip(characters: string): void {
    while (this.at < this.text.length && characters.includes(this.text[this.at]!)) this.at++;
  }

  /** Reads one token. @returns what was expected at `at`, or null when it is sound */
  private token(character: string): JsonContext | null {
    switch (this.state) {
      case 'first-key':
      case 'key':
        if (this.state === 'first-key' && character === '}') return this.close();
        if (character !== '"') return 'looking for beginning of object key string';
        this.state = 'colon';
        return this.string();
      case 'colon':
        if (character !== ':') return 'after object key';
        this.state = 'value';
        this.at++;
        return null;
      case 'next':
        return this.next(character);
      default:
        if (this.state === 'first-value' && character === ']') return this.close();
        return this.value(character);
    }
  }

  private close(): null {
    this.open.pop();
    this.state = 'next';
    this.at++;
    return null;
  }

  private next(character: string): JsonContext | null {
    const isObject = this.open.at(-1)!;
    if (character === (isObject ? '}' : ']')) return this.close();
    if (character !== ',') return isObject ? 'after object key:value pair' : 'after array element';
    this.state = isObject ? 'key' : 'value';
    this.at++;
    return null;
  }

  private value(character: string): JsonContext | null {
    if (character === '{' || character === '[') {
      this.open.push(character === '{');
      this.state = character === '{' ? 'first-key' : 'first-value';
      this.at++;
      return null;
    }
    this.state = 'next';
    if (character === '"') return this.string();
    if (character === '-' || DIGITS.includes(character)) return this.number();
    const literal = LITERALS.find(word => word[0] === character);
    return literal === undefined ? 'looking for beginning of value' : this.literal(literal);
  }

  private literal(word: Literal): JsonContext | null {
    for (const letter of word) {
      if (this.text[this.at] !== letter) return `in literal ${word} (expecting '${letter}')`;
      this.at++;
    }
    return null;
  }

  private string(): JsonContext | null {
    for (this.at++; this.at < this.text.length; this.at++) {
      const character = this.text[this.at]!;
      if (character === '"') {
        this.at++;
        return null;
      }
      if (character < ' ') return 'in string literal';
      if (character !== '\\') continue;
      this.at++;
      const letter = this.text[this.at] ?? '';
      if (!'"\\/bfnrtu'.includes(letter)) return 'in string escape code';
      if (letter !== 'u') continue;
      for (let digit = 0; digit < 4; digit++) {
        this.at++;
        if (!/^[0-9a-fA-F]$/.test(this.text[this.at] ?? '')) return 'in \\u hexadecimal character escape';
      }
    }
    return 'in string literal';
  }

  private number(): JsonContext | null {
    if (this.text[this.at] === '-') this.at++;
    if (this.text[this.at] === '0') this.at++;
    else if (!this.digits()) return 'in numeric literal';
    if (this.text[this.at] === '.') {
      this.at++;
      if (!this.digits()) return 'after decimal point in numeric literal';
    }
    if (!/^[eE]$/.test(this.text[this.at] ?? '')) return null;
    this.at++;
    if (/^[+-]$/.test(this.text[this.at] ?? '')) this.at++;
    return this.digits() ? null : 'in exponent of numeric literal';
  }

  private digits(): boolean {
    const start = this.at;
    this.skip(DIGITS);
    return this.at > start;
  }
}

/**
 * Finds the value of a place in a text that is JSON, for errors about what it says. Of two equal keys the last counts,
 * as for JSON.parse.
 * @param path  keys and indexes from the root
 * @returns the index at which the value begins, or that of the innermost value on the way that is there
 */
export function indexOfValue(text: string, path: readonly (string | number)[]): number {
  let at = afterAny(SPACE, text, 0);
  for (const step of path) {
    const found = memberOf(text, at, step);
    if (found === null) break;
    at = found;
  }
  return at;
}

function memberOf(text: string, start: number, step: string | number): number | null {
  const isObject = text[start] === '{';
  if (!isObject && text[start] !== '[') return null;
  let found: number | null = null;
  let at = afterAny(SPACE, text, start + 1);
  for (let index = 0; at < text.length && text[at] !== '}' && text[at] !== ']'; index++) {
    let key: string | number = index;
    if (isObject) {
      const end = afterScalar(text, at);
      key = JSON.parse(text.slice(at, end)) as string;
      at = afterAny(`${SPACE}:`, text, end);
    }
    if (key === step) found = at;
    at = afterAny(`${SPACE},`, text, afterValue(text, at));
  }
  return found;
}

function afterValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; ) {
    const character = text[at]!;
    if (character === '{' || character === '[') depth++;
    if (character === '}' || character === ']') depth--;
    const isBracket = '{}[]'.includes(character);
    at = isBracket ? at + 1 : afterScalar(text, at);
    if (depth === 0) return at;
    at = afterAny(`${SPACE},:`, text, at);
  }
  return text.length;
}

/** The end of a string, a number or a literal that begins there. A string may be of megabytes. */
function afterScalar(text: string, start: number): number {
  let at = start;
  if (text[start] !== '"') {
    while (at < text.length && !`${SPACE},]}`.includes(text[at]!)) at++;
    return at;
  }
  for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
  return at + 1;
}

function afterAny(characters: string, text: string, start: number): number {
  let at = start;
  while (at < text.length && characters.includes(text[at]!)) at++;
  return at;
}
