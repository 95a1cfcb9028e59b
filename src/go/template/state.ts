// One execution of a template: its output, its variables, and what an error must name.
import { CallError, TemplateError } from './errors.js';
import type { Guard } from './guard.js';
import { MAX_ACTIVE, MAX_STEPS, MAX_TEXT, MAX_WORK } from './limits.js';
import { type Node, sourceOf, type Template } from './parse.js';
import { quote } from './text.js';
import { concrete, type Maybe } from './value.js';

export interface Options {
  /** The result for a key that a map does not have: `<no value>`, or an error. */
  readonly missingKey?: 'default' | 'error';
  /** Whether `range` may count up to a whole number, as since Go 1.24. Default true. */
  readonly rangeOverInt?: boolean;
  /** Makes text of the data safe where a terminal reads the output. Text of the template stays as it is. */
  readonly guard?: Guard | undefined;
}

interface Variable {
  readonly name: string;
  value: Maybe;
}

export class State {
  /** The node at hand, for errors. */
  node: Node | null = null;
  /** Name of the template that is executed. */
  name = '';
  variables: Variable[] = [];
  private readonly output: string[] = [];
  private length = 0;
  private steps = 0;
  private work = 0;
  private active = 0;

  constructor(
    readonly template: Template,
    readonly options: Options,
  ) {}

  at(node: Node): void {
    this.node = node;
  }

  write(text: string): void {
    this.length += text.length;
    if (this.length > MAX_TEXT) this.fail(`output longer than ${MAX_TEXT}`);
    this.output.push(text);
  }

  text(): string {
    return this.output.join('');
  }

  setVariable(name: string, value: Maybe): void {
    const variable = this.variables.findLast(candidate => candidate.name === name);
    if (variable === undefined) this.fail(`undefined variable: ${name}`);
    else variable.value = value;
  }

  variable(name: string): Maybe {
    const variable = this.variables.findLast(candidate => candidate.name === name);
    return variable === undefined ? this.fail(`undefined variable: ${name}`) : variable.value;
  }

  count(steps = 1): void {
    this.steps += steps;
    if (this.steps > MAX_STEPS) this.fail(`more than ${MAX_STEPS} steps`);
  }

  /** Counts the text that functions read and make. */
  handle(values: readonly Maybe[]): void {
    for (const value of values) {
      const inner = concrete(value);
      if (inner?.type.kind === 'string') this.work += (inner.raw as string).length;
    }
    if (this.work > MAX_WORK) this.fail(`functions handled more than ${MAX_WORK} characters`);
  }

  /** Counts what is open at a time; `leave` closes it. What fails never goes on, so an error need not. */
  enter(): void {
    this.count();
    if (++this.active > MAX_ACTIVE) this.tooDeep();
  }

  leave(): void {
    this.active--;
  }

  private tooDeep(): never {
    return this.fail(`exceeded maximum template depth (${MAX_ACTIVE})`);
  }

  fail(what: string): never {
    const { node, template } = this;
    if (node === null) throw new TemplateError('exec', `template: ${this.name}: ${what}`);
    const before = template.source.slice(0, node.at);
    const line = before.split('\n').length;
    const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1));
    const where = `:${line}:${column}: executing ${quote(this.name)} at <${sourceOf(node)}>`;
    throw new TemplateError('exec', `template: ${where}: ${what}`);
  }

  /** Runs a function; its error is told as one of calling `name`. */
  calling<T>(name: string, node: Node, run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.at(node);
      return this.fail(`error calling ${name}: ${error.message}`);
    }
  }
}
