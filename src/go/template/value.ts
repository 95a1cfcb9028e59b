import { compareText } from './text.js';
import type { Field, StructType, Type, Value } from './types.js';

// What Go's reflect package tells of a value. `undefined` is reflect's invalid value: a missing key, an untyped nil.

export type Maybe = Value | undefined;
export type Raws = Readonly<Record<string, unknown>>;

/** The type's name without the one it was given: `[]string` of `strslice.StrSlice`. */
function literalName(type: Type): string {
  switch (type.kind) {
    case 'int':
    case 'uint':
      return type.bits === 0 ? type.kind : `${type.kind}${type.bits}`;
    case 'float':
      return `float${type.bits}`;
    case 'slice':
      return `[]${typeName(type.elem)}`;
    case 'map':
      return `map[${typeName(type.key)}]${typeName(type.elem)}`;
    case 'pointer':
      return `*${typeName(type.elem)}`;
    case 'struct':
      return type.name;
    case 'any':
      return 'interface {}';
    case 'time':
      return 'time.Time';
    case 'complex':
      return 'complex128';
    default:
      return type.kind;
  }
}

const givenName = (type: Type): string | undefined => ('name' in type ? type.name : undefined);

/** As `%T` prints it. */
export const typeName = (type: Type): string => givenName(type) ?? literalName(type);

/** https://go.dev/ref/spec#Assignability, without interfaces that have methods. */
export function isAssignable(from: Type, to: Type): boolean {
  if (to.kind === 'any' || typeName(from) === typeName(to)) return true;
  const composite = from.kind === 'slice' || from.kind === 'map';
  const oneIsUnnamed = givenName(from) === undefined || givenName(to) === undefined;
  return composite && oneIsUnnamed && literalName(from) === literalName(to);
}

/** Whether `nil` is one of its values. */
export const isNillable = (type: Type): boolean => ['any', 'map', 'pointer', 'slice'].includes(type.kind);

export function zeroRaw(type: Type): unknown {
  switch (type.kind) {
    case 'bool':
      return false;
    case 'string':
    case 'time':
      return '';
    case 'int':
    case 'uint':
    case 'float':
      return 0;
    case 'complex':
      return { re: 0, im: 0 };
    case 'struct':
      return {};
    default:
      return null;
  }
}

/** A value whose absent raw is its zero. */
export const typed = (type: Type, raw: unknown): Value => ({
  type,
  raw: raw === undefined ? zeroRaw(type) : raw,
});

/** The value inside an interface; null for a nil interface. */
export function concrete(value: Maybe): Maybe {
  let inner = value;
  while (inner?.type.kind === 'any') inner = (inner.raw as Value | null | undefined) ?? undefined;
  return inner;
}

/** Follows pointers and interfaces to their end, or to the nil among them. */
export function indirect(value: Maybe): { readonly value: Maybe; readonly isNil: boolean } {
  let inner = value;
  while (inner !== undefined && (inner.type.kind === 'pointer' || inner.type.kind === 'any')) {
    if (inner.raw === null || inner.raw === undefined) return { value: inner, isNil: true };
    inner = inner.type.kind === 'any' ? (inner.raw as Value) : typed(inner.type.elem, inner.raw);
  }
  return { value: inner, isNil: false };
}

export const isNil = (value: Maybe): boolean =>
  value === undefined || (isNillable(value.type) && (value.raw === null || value.raw === undefined));

/** False, zero, nil and empty are not true; a struct always is. */
export function isTrue(value: Maybe): boolean {
  const inner = concrete(value);
  if (inner === undefined) return false;
  const { type, raw } = inner;
  switch (type.kind) {
    case 'bool':
      return raw === true;
    case 'string':
      return raw !== '';
    case 'slice':
      return itemsOf(inner).length > 0;
    case 'map':
      return entriesOf(inner).size > 0;
    case 'pointer':
      return raw !== null;
    case 'int':
    case 'uint':
    case 'float':
      return Number(raw) !== 0;
    case 'complex':
      return complexOf(inner).re !== 0 || complexOf(inner).im !== 0;
    default:
      return true;
  }
}

export const itemsOf = (value: Value): readonly unknown[] => (value.raw as readonly unknown[] | null) ?? [];
export const entriesOf = (value: Value): ReadonlyMap<unknown, unknown> =>
  (value.raw as ReadonlyMap<unknown, unknown> | null) ?? new Map();
export const wholeOf = (value: Value): bigint => BigInt(value.raw as number | bigint);
export const complexOf = (value: Value): { readonly re: number; readonly im: number } =>
  value.raw as { re: number; im: number };

/** The entries of a map in the order in which Go prints and ranges over them. */
export function sortedEntries(map: Value): readonly (readonly [Value, Value])[] {
  if (map.type.kind !== 'map') return [];
  const { key, elem } = map.type;
  return [...entriesOf(map)]
    .map(([k, v]) => [typed(key, k), typed(elem, v)] as const)
    .sort(([a], [b]) => compareKeys(a, b));
}

function compareKeys(left: Value, right: Value): number {
  const a = concrete(left)?.raw ?? '';
  const b = concrete(right)?.raw ?? '';
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

/** The element under a key, which is of the map's key type. */
export function lookUp(map: Value, key: Value): Maybe {
  if (map.type.kind !== 'map') return undefined;
  const entries = entriesOf(map);
  const raw = map.type.key.kind === 'any' ? undefined : key.raw;
  const found = entries.get(raw) ?? (typeof raw === 'bigint' ? entries.get(Number(raw)) : undefined);
  if (found === undefined && !entries.has(raw)) return undefined;
  return typed(map.type.elem, found);
}

/** A field by name, with those that embedded structs promote; null where there is none. */
export function fieldPath(type: StructType, name: string): readonly Field[] | null {
  let level: readonly { readonly struct: StructType; readonly path: readonly Field[] }[] = [
    { struct: type, path: [] },
  ];
  const seen = new Set<StructType>();
  while (level.length > 0) {
    const found = level.flatMap(({ struct, path }) =>
      struct.fields.filter(field => field.name === name).map(field => [...path, field]),
    );
    if (found.length > 0) return found.length === 1 ? found[0]! : null;
    for (const { struct } of level) seen.add(struct);
    level = level.flatMap(({ struct, path }) =>
      struct.fields.flatMap(field => {
        const inner = field.embedded ? structOf(field.type) : null;
        return inner === null || seen.has(inner) ? [] : [{ struct: inner, path: [...path, field] }];
      }),
    );
  }
  return null;
}

/** The struct that a type is or points to. */
export function structOf(type: Type): StructType | null {
  const inner = type.kind === 'pointer' ? type.elem : type;
  return inner.kind === 'struct' ? inner : null;
}

/** The field's value, or the name of the nil pointer's type on the way to it. */
export function fieldValue(from: Value, path: readonly Field[]): Value | string {
  let value = from;
  for (const field of path) {
    if (value.type.kind === 'pointer') {
      if (isNil(value)) return typeName(value.type.elem);
      value = typed(value.type.elem, value.raw);
    }
    value = typed(field.type, (value.raw as Raws)[field.name]);
  }
  return value;
}

/** Methods see every field of their struct. */
const complete = (type: Type, raw: unknown): unknown =>
  type.kind === 'struct'
    ? { ...Object.fromEntries(type.fields.map(field => [field.name, zeroRaw(field.type)])), ...(raw as Raws) }
    : raw;

/** A niladic method of the value's own, of what it points to, or of what it embeds. */
export function methodOf(value: Value, name: string): (() => Value) | null {
  const { type } = value;
  if (type.kind === 'pointer') return isNil(value) ? null : methodOf(typed(type.elem, value.raw), name);
  const methods = 'methods' in type ? type.methods : undefined;
  const own = methods !== undefined && Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (own !== undefined) return () => own(complete(type, value.raw) as never);
  if (type.kind !== 'struct') return null;
  for (const field of type.fields) {
    if (!field.embedded) continue;
    const promoted = methodOf(typed(field.type, (value.raw as Raws)[field.name]), name);
    if (promoted !== null) return promoted;
  }
  return null;
}

// What a template may call. Arguments are converted to the parameters' types before, as execution knows how.

/** `value` is Go's reflect.Value: any value, or none. */
export type Parameter = Type | 'value';

export interface Func {
  readonly parameters: readonly Parameter[];
  /** The type of any further arguments. */
  readonly variadic?: Parameter;
  /** @throws CallError */
  readonly call: (args: readonly Maybe[]) => Maybe;
}
