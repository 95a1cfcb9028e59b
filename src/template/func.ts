// What a template may call. Arguments are converted to the parameters' types before, as execution knows how.
import type { Type } from './types.js';
import type { Maybe } from './value.js';

/** `value` is Go's reflect.Value: any value, or none. */
export type Parameter = Type | 'value';

export interface Func {
  readonly parameters: readonly Parameter[];
  /** What any further arguments are. */
  readonly variadic?: Parameter;
  /** @throws CallError */
  readonly call: (args: readonly Maybe[]) => Maybe;
}
