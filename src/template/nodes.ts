// The parse tree, as text/template/parse builds it: errors quote its nodes, written back as source.
import type { NumberConstant } from './number.js';
import { quote } from './quote.js';

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
