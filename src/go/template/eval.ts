import { CallError } from './errors.js';
import { findFunction } from './functions.js';
import { guardArguments, guardResult } from './guard.js';
import { type Command, type Operand, type Pipeline, sourceOf } from './parse.js';
import type { State } from './state.js';
import { quote } from './text.js';
import { timeMethod } from './time.js';
import { BOOL, FLOAT64, INT, STRING, type Type, type Value, value } from './types.js';
import {
  concrete,
  type Func,
  fieldPath,
  fieldValue,
  indirect,
  isAssignable,
  isNil,
  isNillable,
  isTrue,
  lookUp,
  type Maybe,
  methodOf,
  type Parameter,
  typed,
  typeName,
} from './value.js';

// Calls and their arguments, by the rules of text/template's evalCall and validateType.

/** No command before this one in the pipeline, as opposed to one that gave nothing. */
const MISSING: unique symbol = Symbol('missing');
type Final = Maybe | typeof MISSING;

interface Call {
  readonly name: string;
  /** The text that an error of the call quotes. */
  readonly node: Command | Operand;
  readonly args: readonly Operand[];
  readonly final: Final;
  readonly convert: (parameter: Parameter, arg: Operand) => Maybe;
}

function notAFunction(state: State, operand: Operand, args: readonly Operand[], final: Final): void {
  if (args.length > 0 || final !== MISSING) {
    state.fail(`can't give argument to non-function ${sourceOf(operand)}`);
  }
}

function callFunction(state: State, call: Call & { readonly found: Func }): Maybe {
  const { name, node, found, args, final, convert } = call;
  const { parameters, variadic } = found;
  const count = args.length + (final === MISSING ? 0 : 1);
  if (variadic === undefined && count !== parameters.length) {
    state.fail(`wrong number of args for ${name}: want ${parameters.length} got ${count}`);
  }
  if (count < parameters.length) {
    state.fail(`wrong number of args for ${name}: want at least ${parameters.length} got ${args.length}`);
  }
  if (name === 'and' || name === 'or') return shortCircuit(state, call);
  const parameterAt = (at: number): Parameter => parameters[at] ?? variadic!;
  const values = args.map((arg, at) => convert(parameterAt(at), arg));
  if (final !== MISSING) values.push(validate(state, final, parameterAt(args.length)));
  if (name === 'call' && values[0] !== undefined && concrete(values[0]) !== undefined) {
    const callee = args[0] === undefined ? '' : `${sourceOf(args[0])} `;
    state.at(node);
    state.fail(`error calling call: non-function ${callee}of type ${typeName(concrete(values[0])!.type)}`);
  }
  state.handle(values);
  const { guard } = state.options;
  const given = guard === undefined ? values : guardArguments(guard, name, values);
  const result = state.calling(name, node, () => found.call(given));
  state.handle([result]);
  return guard === undefined ? result : guardResult(name, result);
}

/** The first argument that decides, or the last. */
function shortCircuit(state: State, { name, args, final, convert }: Call): Maybe {
  let last: Maybe;
  for (const arg of args) {
    last = convert('value', arg);
    if (isTrue(last) === (name === 'or')) return last;
  }
  return final === MISSING ? last : validate(state, final, 'value');
}

/** Calls the method of this name; null where the receiver has none. */
function callMethod(state: State, receiver: Value, call: Call): { readonly result: Maybe } | null {
  const target = indirect(receiver);
  const found = target.value === undefined ? null : methodFunc(target.value, call.name, target.isNil);
  return found === null ? null : { result: callFunction(state, { ...call, found }) };
}

function methodFunc(receiver: Value, name: string, nil: boolean): Func | null {
  const { type } = receiver;
  if (nil) {
    const known = type.kind === 'pointer' ? methodFunc(typed(type.elem, undefined), name, false) : null;
    const fault = 'runtime error: invalid memory address or nil pointer dereference';
    return known === null ? null : { ...known, call: () => fail(fault) };
  }
  if (type.kind === 'time') return timeMethod(receiver.raw as string, name);
  const method = methodOf(receiver, name);
  return method === null ? null : { parameters: [], call: method };
}

function fail(what: string): never {
  throw new CallError(what);
}

/** The value as the parameter takes it. */
function validate(state: State, value: Maybe, parameter: Parameter | null): Maybe {
  if (parameter === null || parameter === 'value') return value;
  if (value === undefined) {
    if (isNillable(parameter)) return typed(parameter, null);
    return state.fail(`invalid value; expected ${typeName(parameter)}`);
  }
  if (isAssignable(value.type, parameter)) return value;
  const inner = value.type.kind === 'any' && !isNil(value) ? concrete(value)! : value;
  if (isAssignable(inner.type, parameter)) return inner;
  if (inner.type.kind === 'pointer' && isAssignable(inner.type.elem, parameter)) {
    if (isNil(inner)) return state.fail(`dereference of nil pointer of type ${typeName(parameter)}`);
    return typed(inner.type.elem, inner.raw);
  }
  return state.fail(`wrong type for value; expected ${typeName(parameter)}; got ${typeName(inner.type)}`);
}

// Fields of structs and keys of maps, by the rules of text/template's evalField.

interface Arguments {
  readonly args: readonly Operand[];
  readonly final: Final;
}

/** The value of `.name` of the receiver; nothing if the receiver is nothing. */
function selectField(state: State, receiver: Maybe, name: string, given: Arguments): Maybe {
  const strict = state.options.missingKey === 'error';
  if (receiver === undefined) {
    return strict ? state.fail(`nil data; no entry for key ${quote(name)}`) : undefined;
  }
  const type = typeName(receiver.type);
  const target = indirect(receiver);
  const inner = target.value!;
  const hasArguments = given.args.length > 0 || given.final !== MISSING;
  switch (inner.type.kind) {
    case 'any':
      return state.fail(`nil pointer evaluating ${type}.${name}`);
    case 'struct': {
      const path = fieldPath(inner.type, name);
      if (path === null) break;
      const found = fieldValue(inner, path);
      if (typeof found === 'string') {
        return state.fail(
          `reflect: indirection through nil pointer to embedded struct field ${shortName(found)}`,
        );
      }
      if (hasArguments) state.fail(`${name} has arguments but cannot be invoked as function`);
      return found;
    }
    case 'map':
      if (!isAssignable(STRING, inner.type.key)) break;
      if (hasArguments) state.fail(`${name} is not a method but has arguments`);
      return entry(state, inner, name, strict);
    case 'pointer': {
      // A field that the struct does not have is told as such, although the pointer is nil.
      const { elem } = inner.type;
      if (elem.kind === 'struct' && fieldPath(elem, name) === null) break;
      return state.fail(`nil pointer evaluating ${type}.${name}`);
    }
  }
  return state.fail(`can't evaluate field ${name} in type ${type}`);
}

const shortName = (type: string): string => type.slice(type.lastIndexOf('.') + 1);

function entry(state: State, map: Value, name: string, strict: boolean): Maybe {
  const found = lookUp(map, value(STRING, name));
  return found === undefined && strict ? state.fail(`map has no entry for key ${quote(name)}`) : found;
}

// Pipelines, commands and operands under execution: https://pkg.go.dev/text/template#hdr-Pipelines

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
