// Pipelines, commands and operands: https://pkg.go.dev/text/template#hdr-Pipelines
import type { Token, TokenKind } from './lex.js';
import { type Command, type Operand, type Pipeline, sourceOf } from './nodes.js';
import { parseNumber } from './number.js';
import { quote, unquote } from './quote.js';
import type { Tokens } from './tokens.js';

const STARTS_OPERAND: readonly TokenKind[] = [
  'bool',
  'character',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'raw-string',
  'string',
  'variable',
  'left-paren',
];
const LITERALS: readonly Operand['kind'][] = ['bool', 'dot', 'nil', 'number', 'string'];

export interface Context {
  readonly tokens: Tokens;
  readonly isFunction: (name: string) => boolean;
}

/** Reads up to and including the closing token. */
export function parsePipeline(context: Context, where: string, end: TokenKind): Pipeline {
  const { tokens } = context;
  const { at } = tokens.peekNonSpace();
  const { variables, assigns } = declarations(tokens, where);
  const commands: Command[] = [];
  for (;;) {
    const token = tokens.nextNonSpace();
    if (token.kind === end) break;
    const isNil = token.kind === 'keyword' && token.text === 'nil';
    if (!isNil && !STARTS_OPERAND.includes(token.kind)) tokens.unexpected(token, where);
    tokens.back(token);
    commands.push(parseCommand(context));
  }
  if (commands.length === 0) tokens.fail(`missing value for ${where}`);
  const literal = commands.findIndex((c, stage) => stage > 0 && LITERALS.includes(c.operands[0]!.kind));
  if (literal > 0) tokens.fail(`non executable command in pipeline stage ${literal + 1}`);
  return { kind: 'pipeline', at, variables, assigns, commands };
}

/** `$x :=`, `$x =`, and for range `$k, $v :=`. */
function declarations(tokens: Tokens, where: string): Pick<Pipeline, 'variables' | 'assigns'> {
  const variables: string[] = [];
  for (;;) {
    const variable = tokens.nextNonSpace();
    if (variable.kind !== 'variable') {
      tokens.back(variable);
      return { variables, assigns: false };
    }
    const after = tokens.next();
    const following = after.kind === 'space' ? tokens.nextNonSpace() : after;
    const comma = following.kind === 'char' && following.text === ',';
    if (!comma && following.kind !== 'assign' && following.kind !== 'declare') {
      tokens.back(variable, ...(after.kind === 'space' ? [after, following] : [following]));
      return { variables, assigns: false };
    }
    variables.push(variable.text);
    tokens.variables.push(variable.text);
    if (!comma) return { variables, assigns: following.kind === 'assign' };
    if (where !== 'range' || variables.length > 1) tokens.fail(`too many declarations in ${where}`);
    if (!['variable', 'right-delimiter', 'right-paren'].includes(tokens.peekNonSpace().kind)) {
      tokens.fail('range can only initialize variables');
    }
  }
}

/** Operands with spaces between them. Takes the pipe behind them, leaves every other end. */
function parseCommand(context: Context): Command {
  const { tokens } = context;
  const { at } = tokens.peekNonSpace();
  const operands: Operand[] = [];
  for (;;) {
    tokens.peekNonSpace();
    const operand = parseOperand(context);
    if (operand !== null) operands.push(operand);
    const token = tokens.next();
    if (token.kind === 'space') continue;
    if (token.kind === 'right-delimiter' || token.kind === 'right-paren') tokens.back(token);
    else if (token.kind !== 'pipe') tokens.unexpected(token, 'operand');
    break;
  }
  if (operands.length === 0) tokens.fail('empty command');
  return { kind: 'command', at, operands };
}

/** A term and the fields behind it. */
function parseOperand(context: Context): Operand | null {
  const { tokens } = context;
  const term = parseTerm(context);
  if (term === null || tokens.peek().kind !== 'field') return term;
  const { at } = tokens.peek();
  const path: string[] = [];
  while (tokens.peek().kind === 'field') path.push(tokens.next().text.slice(1));
  if (LITERALS.includes(term.kind)) tokens.fail(`unexpected . after term ${quote(sourceOf(term))}`);
  if (term.kind === 'field' || term.kind === 'variable')
    return { ...term, at, path: [...term.path, ...path] };
  return { kind: 'chain', at, operand: term, path };
}

function parseTerm(context: Context): Operand | null {
  const { tokens } = context;
  const token = tokens.nextNonSpace();
  const { at, text } = token;
  switch (token.kind) {
    case 'identifier':
      if (!context.isFunction(text)) tokens.fail(`function ${quote(text)} not defined`);
      return { kind: 'identifier', at, name: text };
    case 'dot':
      return { kind: 'dot', at };
    case 'variable':
      if (!tokens.variables.includes(text)) tokens.fail(`undefined variable ${quote(text)}`);
      return { kind: 'variable', at, name: text, path: [] };
    case 'field':
      return { kind: 'field', at, path: [text.slice(1)] };
    case 'bool':
      return { kind: 'bool', at, value: text === 'true' };
    case 'character':
    case 'complex':
    case 'number':
      return numberOf(tokens, token);
    case 'left-paren':
      return tokens.nested(() => parsePipeline(context, 'parenthesized pipeline', 'right-paren'));
    case 'string':
    case 'raw-string':
      return { kind: 'string', at, literal: text, value: stringOf(tokens, token) };
  }
  if (token.kind === 'keyword' && text === 'nil') return { kind: 'nil', at };
  tokens.back(token);
  return null;
}

function numberOf(tokens: Tokens, token: Token): Operand {
  const value = parseNumber(token.text);
  return typeof value === 'string' ? tokens.fail(value) : { kind: 'number', at: token.at, value };
}

export const stringOf = (tokens: Tokens, token: Token): string =>
  unquote(token.text) ?? tokens.fail('invalid syntax');
