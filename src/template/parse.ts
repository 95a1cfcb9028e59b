// Actions: https://pkg.go.dev/text/template#hdr-Actions

import { wellFormed } from './bytes.js';
import { isFunction } from './functions.js';
import { lex, type Token } from './lex.js';
import type { Action, Branch, Pipeline, Template } from './nodes.js';
import { type Context, parsePipeline, stringOf } from './pipeline.js';
import { quote } from './quote.js';
import { Tokens } from './tokens.js';

interface Reader extends Context {
  readonly bodies: Map<string, readonly Action[]>;
}

/** What ends a list of actions; an `else` may have an `if` or `with` of its own behind it. */
interface Ending {
  readonly kind: 'end' | 'else';
}

/**
 * Parses a template. `functions` names the set of functions it may call beyond Go's own.
 * @throws TemplateError of phase `parse`
 */
export function parseTemplate(source: string, functions: Template['functions'] = 'docker'): Template {
  const text = wellFormed(source);
  const bodies = new Map<string, readonly Action[]>();
  const tokens = new Tokens(lex(text), { depth: 0 });
  const reader: Reader = { tokens, bodies, isFunction: name => isFunction(functions, name) };
  add(reader, '', parseMain(reader));
  return { source: text, functions, bodies };
}

/** As a list of actions, but `define` is allowed, and nothing may end it but the end. */
function parseMain(reader: Reader): Action[] {
  const { tokens } = reader;
  const body: Action[] = [];
  while (tokens.peek().kind !== 'eof') {
    const delimiter = tokens.next();
    if (delimiter.kind === 'left-delimiter') {
      const keyword = tokens.nextNonSpace();
      if (isKeyword(keyword, 'define')) {
        define(reader);
        continue;
      }
      tokens.back(keyword);
    }
    tokens.back(delimiter);
    const action = parseAction(reader);
    if (isEnding(action)) tokens.fail(`unexpected {{${action.kind}}}`);
    else body.push(action);
  }
  return body;
}

function define(outer: Reader): void {
  const reader = { ...outer, tokens: outer.tokens.forDefinition() };
  const name = templateName(reader, 'define clause');
  reader.tokens.expect('right-delimiter', 'define clause');
  add(reader, name, closedList(reader, 'define clause', reader));
}

/** An empty template gives way to one of the same name; two with content are an error. */
function add(reader: Reader, name: string, body: readonly Action[]): void {
  const known = reader.bodies.get(name);
  if (known === undefined || isEmpty(known)) reader.bodies.set(name, body);
  else if (!isEmpty(body)) reader.tokens.fail(`template: multiple definition of template ${quote(name)}`);
}

const isEmpty = (body: readonly Action[]): boolean =>
  body.every(action => action.kind === 'text' && action.text.trim() === '');

const isKeyword = (token: Token, ...words: readonly string[]): boolean =>
  token.kind === 'keyword' && words.includes(token.text);

const isEnding = (action: Action | Ending): action is Ending =>
  action.kind === 'end' || action.kind === 'else';

function parseList(reader: Reader): { readonly body: Action[]; readonly ending: Ending } {
  const body: Action[] = [];
  while (reader.tokens.peekNonSpace().kind !== 'eof') {
    const action = parseAction(reader);
    if (isEnding(action)) return { body, ending: action };
    body.push(action);
  }
  return reader.tokens.fail('unexpected EOF');
}

/** A list that must stop at `end`. */
function closedList(reader: Reader, where: string, speaker: Reader): Action[] {
  const { body, ending } = parseList(reader);
  if (ending.kind !== 'end') speaker.tokens.fail(`unexpected {{${ending.kind}}} in ${where}`);
  return body;
}

function parseAction(reader: Reader): Action | Ending {
  const { tokens } = reader;
  const token = tokens.nextNonSpace();
  if (token.kind === 'text') return { kind: 'text', at: token.at, text: token.text };
  if (token.kind !== 'left-delimiter') return tokens.unexpected(token, 'input');
  tokens.actionLine = token.line;
  const action = tokens.nested(() => parseDelimited(reader));
  tokens.actionLine = 0;
  return action;
}

/** What is behind a left delimiter, for `if` and its like up to their `end`. */
function parseDelimited(reader: Reader): Action | Ending {
  const { tokens } = reader;
  const token = tokens.nextNonSpace();
  switch (token.kind === 'keyword' ? token.text : '') {
    case 'block':
      return block(reader);
    case 'break':
    case 'continue':
      return loopControl(reader, token);
    case 'else':
      if (!isKeyword(tokens.peekNonSpace(), 'if', 'with')) tokens.expect('right-delimiter', 'else');
      return { kind: 'else' };
    case 'end':
      tokens.expect('right-delimiter', 'end');
      return { kind: 'end' };
    case 'if':
    case 'range':
    case 'with':
      return branch(reader, token.text as Branch['kind']);
    case 'template':
      return invocation(reader);
  }
  tokens.back(token);
  return { kind: 'action', at: token.at, pipeline: parsePipeline(reader, 'command', 'right-delimiter') };
}

function loopControl(reader: Reader, { text, at }: Token): Action {
  const kind = text as 'break' | 'continue';
  reader.tokens.expect('right-delimiter', `{{${kind}}}`);
  if (reader.tokens.rangeDepth === 0) reader.tokens.fail(`{{${kind}}} outside {{range}}`);
  return { kind, at };
}

function branch(reader: Reader, kind: Branch['kind']): Branch {
  const { tokens } = reader;
  const scope = tokens.variables.length;
  const pipeline = parsePipeline(reader, kind, 'right-delimiter');
  if (kind === 'range') tokens.rangeDepth++;
  const { body, ending } = parseList(reader);
  if (kind === 'range') tokens.rangeDepth--;
  const otherwise = ending.kind === 'end' ? null : parseElse(reader, kind);
  tokens.variables.length = scope;
  return { kind, at: pipeline.at, pipeline, body, otherwise };
}

/** `{{else if}}` and `{{else with}}` share the `end` of the branch that they are in. */
function parseElse(reader: Reader, kind: Branch['kind']): readonly Action[] {
  const { tokens } = reader;
  if (kind !== 'range' && isKeyword(tokens.peek(), kind)) {
    tokens.next();
    return [tokens.nested(() => branch(reader, kind))];
  }
  const { body, ending } = parseList(reader);
  if (ending.kind !== 'end') tokens.fail(`expected end; found {{${ending.kind}}}`);
  return body;
}

function block(reader: Reader): Action {
  const at = reader.tokens.peekNonSpace().at;
  const name = templateName(reader, 'block clause');
  const pipeline = parsePipeline(reader, 'block clause', 'right-delimiter');
  const inner = { ...reader, tokens: reader.tokens.forDefinition() };
  add(inner, name, closedList(inner, 'block clause', reader));
  return { kind: 'template', at, name, pipeline };
}

function invocation(reader: Reader): Action {
  const { tokens } = reader;
  const at = tokens.peekNonSpace().at;
  const name = templateName(reader, 'template clause');
  const token = tokens.nextNonSpace();
  if (token.kind === 'right-delimiter') return { kind: 'template', at, name, pipeline: null };
  tokens.back(token);
  const pipeline: Pipeline = parsePipeline(reader, 'template clause', 'right-delimiter');
  return { kind: 'template', at, name, pipeline };
}

function templateName({ tokens }: Reader, where: string): string {
  const token = tokens.nextNonSpace();
  if (token.kind !== 'string' && token.kind !== 'raw-string') return tokens.unexpected(token, where);
  return stringOf(tokens, token);
}
