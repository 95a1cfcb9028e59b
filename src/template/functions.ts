// The functions that templates may call. There is none that reads a file, the environment or the network.
import { index, len, slice, textOfAll } from './builtins.js';
import { eq, le, lt } from './compare.js';
import { encodeJson } from './encode.js';
import { CallError } from './errors.js';
import { escapeHtml, escapeJs, escapeQuery } from './escape.js';
import type { Func, Parameter } from './func.js';
import type { Template } from './nodes.js';
import { sprint, sprintln } from './print.js';
import { sprintf } from './printf.js';
import { join, lower, pad, split, title, truncate, upper } from './text.js';
import { ANY, BOOL, INT, STRING, STRINGS, type Type, type Value, value } from './types.js';
import { concrete, isTrue, type Maybe, typeName } from './value.js';

const func = (parameters: readonly Parameter[], call: Func['call'], variadic?: Parameter): Func =>
  variadic === undefined ? { parameters, call } : { parameters, call, variadic };

const giving =
  (type: Type, tell: (...args: never[]) => unknown): Func['call'] =>
  args =>
    value(type, tell(...(args.map(rawOf) as never[])));

/** A parameter of a fixed type got a value of it; whole numbers are small enough for every use here. */
const rawOf = (arg: Maybe): unknown => (typeof arg?.raw === 'bigint' ? Number(arg.raw) : arg?.raw);

const comparison = (tell: (first: Maybe, second: Maybe) => boolean): Func =>
  func(['value', 'value'], ([first, second]) => value(BOOL, tell(first, second)));

const escaper = (change: (text: string) => string): Func =>
  func([], args => value(STRING, change(textOfAll(args))), ANY);

/** `and` and `or` are not called: execution stops at the argument that decides. */
const shortCircuit = func(['value'], () => undefined, 'value');

const BUILTINS: Readonly<Record<string, Func>> = {
  and: shortCircuit,
  or: shortCircuit,
  not: func(['value'], ([operand]) => value(BOOL, !isTrue(operand))),
  call: func(['value'], ([operand]) => notCallable(operand), 'value'),
  index: func(['value'], ([item, ...indexes]) => index(item, indexes), 'value'),
  slice: func(['value'], ([item, ...indexes]) => slice(item, indexes), 'value'),
  len: func(['value'], ([item]) => value(INT, len(item))),
  html: escaper(escapeHtml),
  js: escaper(escapeJs),
  urlquery: escaper(escapeQuery),
  print: func([], args => value(STRING, sprint(args)), ANY),
  println: func([], args => value(STRING, sprintln(args)), ANY),
  printf: func([STRING], ([format, ...args]) => value(STRING, sprintf(format!.raw as string, args)), ANY),
  eq: func(['value'], ([first, ...others]) => value(BOOL, eq(first, others)), 'value'),
  ne: comparison((first, second) => !eq(first, [second])),
  lt: comparison(lt),
  le: comparison(le),
  gt: comparison((first, second) => !le(first, second)),
  ge: comparison((first, second) => !lt(first, second)),
};

/** docker/cli, cli/templates/templates.go */
const DOCKER: Readonly<Record<string, Func>> = {
  json: func([ANY], ([operand]) => value(STRING, encodeJson(operand as Value, '', false).trim())),
  split: func([STRING, STRING], giving(STRINGS, split)),
  join: func([STRINGS, STRING], ([items, separator]) =>
    value(STRING, join((items!.raw as readonly string[] | null) ?? [], separator!.raw as string)),
  ),
  title: func([STRING], giving(STRING, title)),
  lower: func([STRING], giving(STRING, lower)),
  upper: func([STRING], giving(STRING, upper)),
  pad: func([STRING, INT, INT], giving(STRING, pad)),
  truncate: func([STRING, INT], giving(STRING, truncate)),
};

/** Returns the title of a column unchanged, where the column's values would be changed. */
const titled = (...parameters: readonly Parameter[]): Func => func([STRING, ...parameters], ([text]) => text);

const SETS: Readonly<Record<Template['functions'], Readonly<Record<string, Func>>>> = {
  docker: DOCKER,
  'docker-header': {
    ...DOCKER,
    json: titled(),
    split: titled(STRING),
    join: titled(STRING),
    title: titled(),
    lower: titled(),
    upper: titled(),
    truncate: titled(INT),
  },
  // docker/buildx, util/imagetools/printers.go
  buildx: {
    json: func([ANY], ([operand]) => value(STRING, encodeJson(operand as Value, '  '))),
  },
};

/** No value of a template is a function. */
function notCallable(operand: Maybe): never {
  const inner = concrete(operand);
  if (inner === undefined) throw new CallError('call of nil');
  throw new CallError(`non-function of type ${typeName(inner.type)}`);
}

export function findFunction(set: Template['functions'], name: string): Func | null {
  const functions = Object.hasOwn(SETS[set], name) ? SETS[set] : BUILTINS;
  return Object.hasOwn(functions, name) ? functions[name]! : null;
}

export const isFunction = (set: Template['functions'], name: string): boolean =>
  findFunction(set, name) !== null;
