// Pipelines, commands and operands under execution: https://pkg.go.dev/text/template#hdr-Pipelines
import { type Call, callFunction, callMethod, type Final, MISSING, notAFunction, validate } from './call.js';
import type { Parameter } from './func.js';
import { findFunction } from './functions.js';
import { type Command, type Operand, type Pipeline, sourceOf } from './nodes.js';
import { selectField } from './select.js';
import type { State } from './state.js';
import { BOOL, FLOAT64, INT, STRING, type Type, value } from './types.js';
import { concrete, isNillable, type Maybe, typed, typeName } from './value.js';

/** The value of the pipeline, which its variables get too. */
export function evaluate(state: State, dot: Maybe, pipeline: Pipeline): Maybe {
  state.enter();
  state.at(pipeline);
  let result: Final = MISSING;
  for (const command of pipeline.commands) result = concrete(evaluateCommand(state, dot, command, result));
  const final = result as Maybe;
  for (const name of pipeline.variables) {
    if (pipeline.assigns) state.setVariable(name, final);
    else state.variables.push({ name, value: final });
  }
  state.leave();
  return final;
}

/** `final` is what the command before it in the pipeline gave. */
function evaluateCommand(state: State, dot: Maybe, command: Command, final: Final): Maybe {
  const { operands } = command;
  const first = operands[0]!;
  const args = operands.slice(1);
  switch (first.kind) {
    case 'field':
    case 'chain':
    case 'variable':
      return fieldOperand(state, dot, first, args, final);
    case 'identifier':
      return functionOperand(state, dot, first, command, args, final);
    case 'pipeline':
      notAFunction(state, first, args, final);
      return evaluate(state, dot, first);
  }
  state.at(first);
  notAFunction(state, first, args, final);
  return first.kind === 'nil' ? state.fail('nil is not a command') : literal(state, dot, first);
}

type Literal = Extract<Operand, { readonly kind: 'bool' | 'dot' | 'number' | 'string' }>;
type Path = Extract<Operand, { readonly kind: 'field' | 'chain' | 'variable' }>;
type Identifier = Extract<Operand, { readonly kind: 'identifier' }>;

function literal(state: State, dot: Maybe, operand: Literal): Maybe {
  if (operand.kind === 'bool') return value(BOOL, operand.value);
  if (operand.kind === 'string') return { type: STRING, raw: operand.value, own: true };
  if (operand.kind === 'dot') return dot;
  return constant(state, operand);
}

/** A number whose type nothing but its own syntax tells. */
function constant(state: State, operand: Extract<Operand, { readonly kind: 'number' }>): Maybe {
  state.at(operand);
  const { text, complex, float, int } = operand.value;
  if (complex !== undefined) return value({ kind: 'complex' }, complex);
  const isWhole = text.startsWith("'") || (/^0[xX]./.test(text) && !/[pP]/.test(text));
  if (float !== undefined && !isWhole && /[.eEpP]/.test(text)) return value(FLOAT64, float);
  return int === undefined ? state.fail(`${text} overflows int`) : value(INT, small(int));
}

const small = (whole: bigint): number | bigint =>
  Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;

function functionOperand(
  state: State,
  dot: Maybe,
  operand: Identifier,
  node: Command | Identifier,
  args: readonly Operand[],
  final: Final,
): Maybe {
  state.at(operand);
  const found = findFunction(state.template.functions, operand.name)!;
  const convert = (parameter: Parameter, arg: Operand) => argument(state, dot, parameter, arg);
  return callFunction(state, { name: operand.name, node, found, args, final, convert });
}

/** `.A.B`, `$x.A.B`, `(pipeline).A.B`; the last name may be a method that takes the arguments. */
function fieldOperand(
  state: State,
  dot: Maybe,
  operand: Path,
  args: readonly Operand[],
  final: Final,
): Maybe {
  state.at(operand);
  const { path } = operand;
  let receiver = start(state, dot, operand);
  if (path.length === 0) {
    notAFunction(state, operand, args, final);
    return receiver;
  }
  const convert = (parameter: Parameter, arg: Operand) => argument(state, dot, parameter, arg);
  path.forEach((name, at) => {
    const isLast = at === path.length - 1;
    const call: Pick<Call, 'args' | 'final'> = isLast ? { args, final } : { args: [], final: MISSING };
    const found =
      receiver === undefined ? null : callMethod(state, receiver, { name, node: operand, convert, ...call });
    receiver = found === null ? selectField(state, receiver, name, call) : found.result;
  });
  return receiver;
}

function start(state: State, dot: Maybe, operand: Path): Maybe {
  if (operand.kind === 'field') return dot;
  if (operand.kind === 'variable') return state.variable(operand.name);
  return argument(state, dot, null, operand.operand);
}

/** An operand as an argument for a parameter; null accepts any value. */
function argument(state: State, dot: Maybe, parameter: Parameter | null, operand: Operand): Maybe {
  state.at(operand);
  switch (operand.kind) {
    case 'dot':
      return validate(state, dot, parameter);
    case 'nil':
      return nil(state, parameter);
    case 'field':
    case 'variable':
    case 'chain':
      return validate(state, fieldOperand(state, dot, operand, [], MISSING), parameter);
    case 'pipeline':
      return validate(state, evaluate(state, dot, operand), parameter);
    case 'identifier':
      return validate(state, functionOperand(state, dot, operand, operand, [], MISSING), parameter);
  }
  if (parameter === null || parameter === 'value' || parameter.kind === 'any')
    return literal(state, dot, operand);
  return typedLiteral(state, parameter, operand);
}

function nil(state: State, parameter: Parameter | null): Maybe {
  if (parameter === 'value' || parameter === null) return undefined;
  if (!isNillable(parameter)) return state.fail(`cannot assign nil to ${typeName(parameter)}`);
  return typed(parameter, null);
}

const EXPECTED: Partial<Record<Type['kind'], string>> = {
  bool: 'bool',
  string: 'string',
  int: 'integer',
  uint: 'unsigned integer',
  float: 'float',
};

function typedLiteral(state: State, type: Type, operand: Exclude<Literal, { readonly kind: 'dot' }>): Maybe {
  if (operand.kind === 'bool' && type.kind === 'bool') return value(type, operand.value);
  if (operand.kind === 'string' && type.kind === 'string') return { type, raw: operand.value, own: true };
  if (operand.kind === 'number') {
    const { int, uint, float } = operand.value;
    if (type.kind === 'int' && int !== undefined) return value(type, small(int));
    if (type.kind === 'uint' && uint !== undefined) return value(type, small(uint));
    if (type.kind === 'float' && float !== undefined) return value(type, float);
  }
  const source = sourceOf(operand);
  const expected = EXPECTED[type.kind];
  return state.fail(
    expected === undefined
      ? `can't handle ${source} for arg of type ${typeName(type)}`
      : `expected ${expected}; found ${source}`,
  );
}
