// Fields of structs and keys of maps, by the rules of text/template's evalField.
import { type Final, MISSING } from './call.js';
import type { Operand } from './nodes.js';
import { quote } from './quote.js';
import type { State } from './state.js';
import { STRING, type Value, value } from './types.js';
import { fieldPath, fieldValue, indirect, isAssignable, lookUp, type Maybe, typeName } from './value.js';

interface Arguments {
  readonly args: readonly Operand[];
  readonly final: Final;
}

/** What `.name` is of the receiver. Of nothing, it is nothing. */
export function selectField(state: State, receiver: Maybe, name: string, given: Arguments): Maybe {
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
