import { isFunction } from './functions.js';
import { lex, type Token, type TokenKind, Tokens } from './lex.js';
import { type NumberConstant, parseNumber } from './number.js';
import { quote, unquote, wellFormed } from './text.js';

// The parse tree, as text/template/parse builds it: errors quote its nodes, written back as source.

interface Positioned {
  /** Where the error position points, in UTF-16 units of the source. */
  readonly at: number;
}

export type Operand =
  | (Positioned & { readonly kind: 'bool'; readonly value: boolean })
  | (Positioned & { readonly kind: 'number'; readonly value: NumberConstant })
  | (Positioned & { readonly kind: 'string'; readonly value: string; readonly literal: string })
  | (Positioned & { readonly kind: 'nil' })
  | (Positioned & { readonly kind: 'dot' })
  | (Positioned & { readonly kind: 'field'; readonly path: readonly string[] })
  | (Positioned & { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] })
  | (Positioned & { readonly kind: 'identifier'; readonly name: string })
  | (Positioned & { readonly kind: 'chain'; readonly operand: Operand; readonly path: readonly string[] })
  | Pipeline;

export interface Command extends Positioned {
  readonly kind: 'command';
  readonly operands: readonly Operand[];
}

export interface Pipeline extends Positioned {
  readonly kind: 'pipeline';
  readonly variables: readonly string[];
  /** `=` instead of `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

export interface Branch extends Positioned {
  readonly kind: 'if' | 'range' | 'with';
  readonly pipeline: Pipeline;
  readonly body: readonly Action[];
  readonly otherwise: readonly Action[] | null;
}

export interface Invocation extends Positioned {
  readonly kind: 'template';
  readonly name: string;
  readonly pipeline: Pipeline | null;
}

export type Action =
  | (Positioned & { readonly kind: 'text'; readonly text: string })
  | (Positioned & { readonly kind: 'action'; readonly pipeline: Pipeline })
  | (Positioned & { readonly kind: 'break' | 'continue' })
  | Branch
  | Invocation;

export type Node = Operand | Command | Action;

export interface Template {
  readonly source: string;
  readonly functions: 'docker' | 'docker-header' | 'buildx';
  /** The main template is the one without a name. */
  readonly bodies: ReadonlyMap<string, readonly Action[]>;
}

const dotted = (path: readonly string[]): string => path.map(name => `.${name}`).join('');
const operandIn = (node: Operand): string =>
  node.kind === 'pipeline' ? `(${sourceOf(node)})` : sourceOf(node);
const bodyOf = (body: readonly Action[]): string => body.map(sourceOf).join('');

/** The node in the normal form in which errors quote it. */
export function sourceOf(node: Node): string {
  switch (node.kind) {
    case 'bool':
      return String(node.value);
    case 'number':
      return node.value.text;
    case 'string':
      return node.literal;
    case 'nil':
      return 'nil';
    case 'dot':
      return '.';
    case 'field':
      return dotted(node.path);
    case 'variable':
      return node.name + dotted(node.path);
    case 'identifier':
      return node.name;
    case 'chain':
      return operandIn(node.operand) + dotted(node.path);
    case 'command':
      return node.operands.map(operandIn).join(' ');
    case 'pipeline':
      return pipelineSource(node);
    case 'text':
      return node.text;
    case 'action':
      return `{{${sourceOf(node.pipeline)}}}`;
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    case 'template':
      return `{{template ${quote(node.name)}${node.pipeline === null ? '' : ` ${sourceOf(node.pipeline)}`}}}`;
    default:
      return branchSource(node);
  }
}

function pipelineSource(node: Pipeline): string {
  const commands = node.commands.map(sourceOf).join(' | ');
  if (node.variables.length === 0) return commands;
  return `${node.variables.join(', ')} ${node.assigns ? '=' : ':='} ${commands}`;
}

function branchSource(node: Branch): string {
  const otherwise = node.otherwise === null ? '' : `{{else}}${bodyOf(node.otherwise)}`;
  return `{{${node.kind} ${sourceOf(node.pipeline)}}}${bodyOf(node.body)}${otherwise}{{end}}`;
}

// Pipelines, commands and operands: https://pkg.go.dev/text/template#hdr-Pipelines

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

interface Context {
  readonly tokens: Tokens;
  readonly isFunction: (name: string) => boolean;
}

/** Reads up to and including the closing token. */
function parsePipeline(context: Context, where: string, end: TokenKind): Pipeline {
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

const stringOf = (tokens: Tokens, token: Token): string =>
  unquote(token.text) ?? tokens.fail('invalid syntax');

// Actions: https://pkg.go.dev/text/template#hdr-Actions

interface Reader extends Context {
  readonly bodies: Map<string, readonly Action[]>;
}

/** The action that ends a list of actions; an `else` may be followed by an `if` or `with` of its own. */
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

/** Parses the action after a left delimiter; an `if` and its like up to their `end`. */
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
