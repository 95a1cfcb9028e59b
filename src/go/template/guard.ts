// Output that a terminal reads: text of the data must not pass for the template's own lines, columns and colours.
import { type Type, type Value, value } from './types.js';
import { concrete, entriesOf, indirect, isNil, itemsOf, type Maybe, typed } from './value.js';

/** Makes text of the data safe. */
export type Guard = (text: string) => string;

/** Functions that put the template's words around their arguments, where line ends are the template's. */
const AROUND: readonly string[] = ['print', 'println', 'printf', 'join'];

/** The arguments as a function may have them. */
export const guardArguments = (guard: Guard, name: string, args: readonly Maybe[]): readonly Maybe[] =>
  AROUND.includes(name) ? args.map(arg => guarded(guard, arg)) : args;

/** A result with nothing of the data in it that was not made safe, or that JSON has made safe. */
export function guardResult(name: string, result: Maybe): Maybe {
  const isSafe = AROUND.includes(name) || name === 'json';
  return isSafe && result?.type.kind === 'string' ? { ...result, own: true } : result;
}

/** A value with all text in it made safe, but for text of the template's own. */
export function guarded(guard: Guard, given: Maybe): Maybe {
  const inner = concrete(given);
  if (inner === undefined || inner.own === true) return inner;
  const safe = deep(guard, inner);
  return safe.type.kind === 'string' ? { ...safe, own: true } : safe;
}

function deep(guard: Guard, given: Value): Value {
  const { type } = given;
  const raw = (of: Type, inner: unknown) => deep(guard, typed(of, inner)).raw;
  if (isNil(given)) return given;
  switch (type.kind) {
    case 'string':
      return value(type, guard(given.raw as string));
    case 'slice':
      return value(
        type,
        itemsOf(given).map(item => raw(type.elem, item)),
      );
    case 'map':
      return value(
        type,
        new Map([...entriesOf(given)].map(([k, v]) => [raw(type.key, k), raw(type.elem, v)])),
      );
    case 'any':
      return value(type, deep(guard, given.raw as Value));
    case 'pointer':
      return value(type, raw(type.elem, indirect(given).value?.raw));
    case 'struct': {
      const fields = given.raw as Readonly<Record<string, unknown>>;
      const safe = type.fields
        .filter(({ name }) => fields[name] !== undefined)
        .map(field => [field.name, raw(field.type, fields[field.name])] as const);
      return value(type, { ...fields, ...Object.fromEntries(safe) });
    }
    default:
      return given;
  }
}
