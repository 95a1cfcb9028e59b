// Actions under execution: https://pkg.go.dev/text/template#hdr-Actions

import { evaluate } from './eval.js';
import { printableOf } from './functions.js';
import { guarded } from './guard.js';
import type { Action, Branch, Invocation, Template } from './parse.js';
import { sprint } from './printer.js';
import { type Options, State } from './state.js';
import { printable, quote } from './text.js';
import { INT, type Value, value } from './types.js';
import {
  concrete,
  entriesOf,
  indirect,
  isTrue,
  itemsOf,
  type Maybe,
  sortedEntries,
  typed,
  wholeOf,
} from './value.js';

/** How a list of actions ended. */
type Outcome = 'done' | 'break' | 'continue';

/**
 * Applies the template to the data.
 * @throws TemplateError of phase `exec`
 */
export function execute(template: Template, data: Value, options: Options = {}): string {
  const state = new State(template, options);
  const dot = concrete(data);
  state.variables = [{ name: '$', value: dot }];
  walk(state, dot, template.bodies.get('')!);
  return printable(state.text());
}

function walk(state: State, dot: Maybe, actions: readonly Action[]): Outcome {
  for (const action of actions) {
    const outcome = step(state, dot, action);
    if (outcome !== 'done') return outcome;
  }
  return 'done';
}

function step(state: State, dot: Maybe, action: Action): Outcome {
  state.count();
  state.at(action);
  switch (action.kind) {
    case 'text':
      state.write(action.text);
      return 'done';
    case 'action':
      print(state, dot, action);
      return 'done';
    case 'break':
    case 'continue':
      return action.kind;
  }
  // Variables that are declared within end with it, but for those of a template's argument.
  const scope = state.variables.length;
  state.enter();
  if (action.kind === 'template') {
    invoke(state, dot, action);
    state.leave();
    return 'done';
  }
  const outcome = action.kind === 'range' ? range(state, dot, action) : branch(state, dot, action);
  state.variables.length = scope;
  state.leave();
  return outcome;
}

/** An action that declares or assigns prints nothing. */
function print(state: State, dot: Maybe, action: Extract<Action, { readonly kind: 'action' }>): void {
  const result = evaluate(state, dot, action.pipeline);
  if (action.pipeline.variables.length > 0) return;
  state.at(action);
  const { guard } = state.options;
  const shown = printableOf(result);
  const safe = guard === undefined ? shown : guarded(guard, shown);
  state.write(state.calling('print', action, () => sprint([safe])));
}

function branch(state: State, dot: Maybe, { kind, pipeline, body, otherwise }: Branch): Outcome {
  const condition = evaluate(state, dot, pipeline);
  if (isTrue(condition)) return walk(state, kind === 'with' ? condition : dot, body);
  return otherwise === null ? 'done' : walk(state, dot, otherwise);
}

function range(state: State, dot: Maybe, node: Branch): Outcome {
  const over = indirect(evaluate(state, dot, node.pipeline)).value;
  const scope = state.variables.length;
  let empty = true;
  for (const [key, elem] of elements(state, over, node)) {
    state.count();
    empty = false;
    assign(state, node, key, elem);
    const outcome = walk(state, elem, node.body);
    state.variables.length = scope;
    if (outcome === 'break') break;
  }
  return empty && node.otherwise !== null ? walk(state, dot, node.otherwise) : 'done';
}

function* elements(state: State, over: Maybe, node: Branch): Generator<readonly [Value, Value]> {
  if (over === undefined) return;
  const { type } = over;
  switch (type.kind) {
    case 'slice': {
      const items = itemsOf(over);
      for (let at = 0; at < items.length; at++) yield [value(INT, at), typed(type.elem, items[at])];
      return;
    }
    case 'map':
      state.count(entriesOf(over).size);
      yield* sortedEntries(over);
      return;
    case 'int':
    case 'uint':
      if (state.options.rangeOverInt === false) break;
      if (node.pipeline.variables.length > 1) {
        state.fail(`can't use ${sprint([over])} to iterate over more than one variable`);
      }
      for (let at = 0; at < wholeOf(over); at++) yield [value(type, at), value(type, at)];
      return;
  }
  state.fail(`range can't iterate over ${sprint([over])}`);
}

/** One variable gets the element, two get the index or key and the element. */
function assign(state: State, { pipeline }: Branch, key: Value, elem: Value): void {
  const { variables, assigns } = pipeline;
  const given = variables.length > 1 ? [key, elem] : [elem];
  variables.forEach((name, at) => {
    if (assigns) state.setVariable(name, given[at]);
    else state.variables[state.variables.length - variables.length + at]!.value = given[at];
  });
}

/** Another template, which sees none of the variables here but its own `$`. */
function invoke(state: State, dot: Maybe, node: Invocation): void {
  const body = state.template.bodies.get(node.name);
  if (body === undefined) return void state.fail(`template ${quote(node.name)} not defined`);
  const data = node.pipeline === null ? undefined : evaluate(state, dot, node.pipeline);
  const { name, variables } = state;
  state.name = node.name;
  state.variables = [{ name: '$', value: data }];
  walk(state, data, body);
  state.name = name;
  state.variables = variables;
}
