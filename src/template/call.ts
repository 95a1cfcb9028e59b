// Calls and their arguments, by the rules of text/template's evalCall and validateType.
import { CallError } from './errors.js';
import type { Func, Parameter } from './func.js';
import { guardArguments, guardResult } from './guard.js';
import { type Command, type Operand, sourceOf } from './nodes.js';
import type { State } from './state.js';
import { timeMethod } from './time-methods.js';
import type { Value } from './types.js';
import {
  concrete,
  indirect,
  isAssignable,
  isNil,
  isNillable,
  isTrue,
  type Maybe,
  methodOf,
  typed,
  typeName,
} from './value.js';

/** No command before this one in the pipeline, as opposed to one that gave nothing. */
export const MISSING: unique symbol = Symbol('missing');
export type Final = Maybe | typeof MISSING;

export interface Call {
  readonly name: string;
  /** What an error of the call quotes. */
  readonly node: Command | Operand;
  readonly args: readonly Operand[];
  readonly final: Final;
  readonly convert: (parameter: Parameter, arg: Operand) => Maybe;
}

export function notAFunction(state: State, operand: Operand, args: readonly Operand[], final: Final): void {
  if (args.length > 0 || final !== MISSING) {
    state.fail(`can't give argument to non-function ${sourceOf(operand)}`);
  }
}

export function callFunction(state: State, call: Call & { readonly found: Func }): Maybe {
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
export function callMethod(state: State, receiver: Value, call: Call): { readonly result: Maybe } | null {
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
export function validate(state: State, value: Maybe, parameter: Parameter | null): Maybe {
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
