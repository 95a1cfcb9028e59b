import { encodeJson } from './encode.js';
import { CallError } from './errors.js';
import type { Template } from './parse.js';
import { sprint, sprintln } from './printer.js';
import { sprintf } from './printf.js';
import {
  byteLength,
  bytesOf,
  compareText,
  escapeHtml,
  escapeJs,
  escapeQuery,
  join,
  lower,
  pad,
  sliceBytes,
  split,
  title,
  truncate,
  upper,
} from './text.js';

import { ANY, BOOL, INT, STRING, STRINGS, type Type, type Value, value } from './types.js';
import {
  complexOf,
  concrete,
  entriesOf,
  type Func,
  indirect,
  isAssignable,
  isNil,
  isNillable,
  isTrue,
  itemsOf,
  lookUp,
  type Maybe,
  type Parameter,
  typed,
  typeName,
  wholeOf,
} from './value.js';

// index, slice, len, call: https://pkg.go.dev/text/template#hdr-Functions

const UINT8: Type = { kind: 'uint', bits: 8 };

const isWholeKind = (type: Type): boolean => type.kind === 'int' || type.kind === 'uint';

export function index(first: Maybe, indexes: readonly Maybe[]): Maybe {
  let item = concrete(first);
  if (item === undefined) throw new CallError('index of untyped nil');
  for (const key of indexes) {
    const inner = indirect(item);
    if (inner.isNil) throw new CallError('index of nil pointer');
    item = element(inner.value!, concrete(key));
  }
  return item;
}

function element(item: Value, key: Maybe): Value {
  const { type } = item;
  if (type.kind === 'map') return lookUp(item, mapKey(key, type.key)) ?? typed(type.elem, undefined);
  if (type.kind === 'string') {
    const bytes = bytesOf(item.raw as string);
    const at = position(key, bytes.length);
    if (at === bytes.length) throw new CallError('reflect: string index out of range');
    return value(UINT8, bytes[at]);
  }
  if (type.kind !== 'slice') throw new CallError(`can't index item of type ${typeName(type)}`);
  const items = itemsOf(item);
  const at = position(key, items.length);
  if (at === items.length) throw new CallError('reflect: slice index out of range');
  return typed(type.elem, items[at]);
}

/** The key as one of the map's type; whole numbers of all sizes are as good as each other. */
function mapKey(key: Maybe, type: Type): Value {
  if (key === undefined) {
    if (!isNillable(type)) throw new CallError(`value is nil; should be of type ${typeName(type)}`);
    return typed(type, null);
  }
  if (isAssignable(key.type, type)) return key;
  if (isWholeKind(key.type) && isWholeKind(type)) return typed(type, key.raw);
  throw new CallError(`value has type ${typeName(key.type)}; should be ${typeName(type)}`);
}

/** An index up to and including the length, which only slicing accepts. */
function position(key: Maybe, length: number): number {
  if (key === undefined) throw new CallError('cannot index slice/array with nil');
  if (!isWholeKind(key.type)) throw new CallError(`cannot index slice/array with type ${typeName(key.type)}`);
  const at = wholeOf(key);
  if (at < 0n || at > BigInt(length)) throw new CallError(`index out of range: ${at}`);
  return Number(at);
}

/** A slice's capacity, which Go lets the third index reach, is taken to be its length. */
export function slice(first: Maybe, indexes: readonly Maybe[]): Maybe {
  const item = concrete(first);
  if (item === undefined) throw new CallError('slice of untyped nil');
  if (indexes.length > 3) throw new CallError(`too many slice indexes: ${indexes.length}`);
  const text = item.type.kind === 'string' ? (item.raw as string) : null;
  if (text === null && item.type.kind !== 'slice') {
    throw new CallError(`can't slice item of type ${typeName(item.type)}`);
  }
  if (text !== null && indexes.length === 3) throw new CallError('cannot 3-index slice a string');
  const length = text === null ? itemsOf(item).length : byteLength(text);
  const [from = 0, to = length, limit = length] = indexes.map(key => position(concrete(key), length));
  if (from > to) throw new CallError(`invalid slice index: ${from} > ${to}`);
  if (to > limit) throw new CallError(`invalid slice index: ${to} > ${limit}`);
  if (text !== null) return value(item.type, sliceBytes(text, from, to));
  return value(item.type, item.raw === null ? null : itemsOf(item).slice(from, to));
}

function len(operand: Maybe): number {
  const inner = indirect(operand);
  if (inner.isNil) throw new CallError('len of nil pointer');
  const item = inner.value;
  if (item === undefined) throw new CallError('reflect: call of reflect.Value.Type on zero Value');
  if (item.type.kind === 'string') return byteLength(item.raw as string);
  if (item.type.kind === 'slice') return itemsOf(item).length;
  if (item.type.kind === 'map') return entriesOf(item).size;
  throw new CallError(`len of type ${typeName(item.type)}`);
}

/** The value that html, js and urlquery make text of: a pointer's target, not its address. */
function textOfAll(operands: readonly Maybe[]): string {
  return sprint(operands.map(operand => printableOf(concrete(operand))));
}

/** The value that an action prints: a pointer's target; `<no value>` for nothing. */
export function printableOf(operand: Maybe): Value {
  const target = operand?.type.kind === 'pointer' && !isNil(operand) ? indirect(operand).value : operand;
  return target ?? value(STRING, '<no value>');
}

// eq ne lt le gt ge: https://pkg.go.dev/text/template#hdr-Functions

const BASIC: readonly Type['kind'][] = ['bool', 'int', 'uint', 'float', 'complex', 'string'];

const basicKind = (value: Maybe): Type['kind'] | null =>
  value !== undefined && BASIC.includes(value.type.kind) ? value.type.kind : null;

const isWhole = (value: Maybe): value is Value => value?.type.kind === 'int' || value?.type.kind === 'uint';

/** Whether the first is equal to any of the others. */
function eq(first: Maybe, others: readonly Maybe[]): boolean {
  const left = concrete(first);
  if (others.length === 0) throw new CallError('missing argument for comparison');
  return others.some(other => equal(left, concrete(other)));
}

function equal(left: Maybe, right: Maybe): boolean {
  if (isWhole(left) && isWhole(right)) return wholeOf(left) === wholeOf(right);
  const kind = basicKind(left);
  if (kind !== basicKind(right)) {
    if (left !== undefined && right !== undefined) incompatible(left, right);
    return false;
  }
  if (kind === null) return equalReferences(left, right);
  if (kind !== 'complex') return left!.raw === right!.raw;
  return complexOf(left!).re === complexOf(right!).re && complexOf(left!).im === complexOf(right!).im;
}

/**
 * Values without a basic kind: nils are equal to each other, and other values are compared where Go can compare them.
 */
function equalReferences(left: Maybe, right: Maybe): boolean {
  if (left !== undefined && right !== undefined && left.type.kind !== right.type.kind) {
    throw new CallError(
      `non-comparable types ${sprint([left])}: ${typeName(left.type)}, ${typeName(right.type)}: ${sprint([right])}`,
    );
  }
  if (isNil(left) || isNil(right)) return isNil(left) === isNil(right);
  if (!isComparable(right!.type)) {
    throw new CallError(`non-comparable type ${sprint([right])}: ${typeName(right!.type)}`);
  }
  return typeName(left!.type) === typeName(right!.type) && sameContent(left!, right!);
}

function isComparable(type: Type): boolean {
  if (type.kind === 'struct') return type.fields.every(field => isComparable(field.type));
  return type.kind !== 'slice' && type.kind !== 'map';
}

function sameContent(left: Value, right: Value): boolean {
  if (left.raw === right.raw) return true;
  if (left.type.kind !== 'struct') return false;
  const a = left.raw as Readonly<Record<string, unknown>>;
  const b = right.raw as Readonly<Record<string, unknown>>;
  return left.type.fields.every(field => {
    const inner = (raw: unknown) => concrete({ type: field.type, raw });
    return equal(inner(a[field.name]), inner(b[field.name]));
  });
}

function lt(first: Maybe, second: Maybe): boolean {
  const [left, right] = [first, second].map(operand => {
    const inner = concrete(operand);
    if (inner === undefined || basicKind(inner) === null) throw new CallError('invalid type for comparison');
    return inner;
  }) as [Value, Value];
  if (isWhole(left) && isWhole(right)) return wholeOf(left) < wholeOf(right);
  if (left.type.kind !== right.type.kind) incompatible(left, right);
  if (left.type.kind === 'string') return compareText(left.raw as string, right.raw as string) < 0;
  if (left.type.kind !== 'float') throw new CallError('invalid type for comparison');
  return (left.raw as number) < (right.raw as number);
}

const le = (first: Maybe, second: Maybe): boolean => lt(first, second) || eq(first, [second]);

function incompatible(left: Value, right: Value): never {
  const types = `${typeName(left.type)} and ${typeName(right.type)}`;
  throw new CallError(`incompatible types for comparison: ${types}`);
}

// The functions that templates may call. There is none that reads a file, the environment or the network.

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
