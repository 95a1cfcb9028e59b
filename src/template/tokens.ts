// One template under construction: its place in the tokens, its variables, its nesting.
import { TemplateError } from './errors.js';
import { describe, type Token, type TokenKind } from './lex.js';
import { MAX_NESTING } from './limits.js';

/**
 * The main template and every `define` and `block` read the same tokens, each with its own memory of the last one, which
 * is where Go puts the line of an error.
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
