// eq ne lt le gt ge: https://pkg.go.dev/text/template#hdr-Functions
import { compareText } from './bytes.js';
import { CallError } from './errors.js';
import { sprint } from './print.js';
import type { Type, Value } from './types.js';
import { complexOf, concrete, isNil, type Maybe, typeName, wholeOf } from './value.js';

const BASIC: readonly Type['kind'][] = ['bool', 'int', 'uint', 'float', 'complex', 'string'];

const basicKind = (value: Maybe): Type['kind'] | null =>
  value !== undefined && BASIC.includes(value.type.kind) ? value.type.kind : null;

const isWhole = (value: Maybe): value is Value => value?.type.kind === 'int' || value?.type.kind === 'uint';

/** Whether the first is equal to any of the others. */
export function eq(first: Maybe, others: readonly Maybe[]): boolean {
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

/** Values without a basic kind: nils are equal to each other, and other values are compared where Go can compare them. */
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

export function lt(first: Maybe, second: Maybe): boolean {
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

export const le = (first: Maybe, second: Maybe): boolean => lt(first, second) || eq(first, [second]);

function incompatible(left: Value, right: Value): never {
  const types = `${typeName(left.type)} and ${typeName(right.type)}`;
  throw new CallError(`incompatible types for comparison: ${types}`);
}
