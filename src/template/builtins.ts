// index, slice, len, call: https://pkg.go.dev/text/template#hdr-Functions
import { byteLength, bytesOf, sliceBytes } from './bytes.js';
import { CallError } from './errors.js';
import { sprint } from './print.js';
import { STRING, type Type, type Value, value } from './types.js';
import {
  concrete,
  entriesOf,
  indirect,
  isAssignable,
  isNil,
  isNillable,
  itemsOf,
  lookUp,
  type Maybe,
  typed,
  typeName,
  wholeOf,
} from './value.js';

const UINT8: Type = { kind: 'uint', bits: 8 };

const isWhole = (type: Type): boolean => type.kind === 'int' || type.kind === 'uint';

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
  if (isWhole(key.type) && isWhole(type)) return typed(type, key.raw);
  throw new CallError(`value has type ${typeName(key.type)}; should be ${typeName(type)}`);
}

/** An index up to and including the length, which only slicing accepts. */
function position(key: Maybe, length: number): number {
  if (key === undefined) throw new CallError('cannot index slice/array with nil');
  if (!isWhole(key.type)) throw new CallError(`cannot index slice/array with type ${typeName(key.type)}`);
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

export function len(operand: Maybe): number {
  const inner = indirect(operand);
  if (inner.isNil) throw new CallError('len of nil pointer');
  const item = inner.value;
  if (item === undefined) throw new CallError('reflect: call of reflect.Value.Type on zero Value');
  if (item.type.kind === 'string') return byteLength(item.raw as string);
  if (item.type.kind === 'slice') return itemsOf(item).length;
  if (item.type.kind === 'map') return entriesOf(item).size;
  throw new CallError(`len of type ${typeName(item.type)}`);
}

/** What html, js and urlquery make text of: a pointer's target, not its address. */
export function textOfAll(operands: readonly Maybe[]): string {
  return sprint(operands.map(operand => printableOf(concrete(operand))));
}

/** What an action prints: what a pointer points to; `<no value>` where there is nothing. */
export function printableOf(operand: Maybe): Value {
  const target = operand?.type.kind === 'pointer' && !isNil(operand) ? indirect(operand).value : operand;
  return target ?? value(STRING, '<no value>');
}
