// Checks of arguments: callers without a compiler pass anything, and a wrong value must not become another question.
import { UsageError, valueText } from '../errors.js';
import { quoted } from '../visible.js';

/** A set of values that an argument may have. */
export interface ArgumentType {
  /** In words, behind "expected". */
  readonly expected: string;
  accepts(value: unknown): boolean;
  /** The way out for a value that is often passed by mistake. */
  readonly remedies?: readonly (readonly [is: (value: unknown) => boolean, remedy: string])[];
}

/** The type of each option. */
export type OptionTypes<T> = { readonly [K in keyof Required<T>]: ArgumentType };

const isText = (value: unknown) => typeof value === 'string';
const isWhole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isInstance = (type: new (...args: never) => unknown) => (value: unknown) => value instanceof type;
const has = (value: unknown, method: PropertyKey) =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, method) === 'function';

const AWAIT = [isInstance(Promise), 'await it'] as const;

export const TEXT: ArgumentType = { expected: 'text', accepts: isText };
export const FLAG: ArgumentType = { expected: 'true or false', accepts: value => typeof value === 'boolean' };
export const COUNT: ArgumentType = { expected: 'a whole number from 0', accepts: isWhole };
export const CALLBACK: ArgumentType = {
  expected: 'a function',
  accepts: value => typeof value === 'function',
};
export const TEXTS: ArgumentType = {
  expected: 'an array of texts',
  accepts: value => Array.isArray(value) && value.every(isText),
};
export const SIGNAL: ArgumentType = {
  expected: 'an AbortSignal',
  accepts: value => has(value, 'throwIfAborted') && has(value, 'addEventListener'),
  remedies: [[isInstance(AbortController), 'pass its `signal`']],
};
/** The module that uses it checks its properties. */
export const OBJECT: ArgumentType = {
  expected: 'an object',
  accepts: value => typeof value === 'object' && value !== null && !Array.isArray(value),
};
/** The module that uses the value checks it. */
export const ANY: ArgumentType = { expected: 'anything', accepts: () => true };
export const INPUT: ArgumentType = {
  expected: 'the path of a file or directory, or a stream of bytes',
  accepts: value => (typeof value === 'string' ? value !== '' : has(value, Symbol.asyncIterator)),
  remedies: [
    [isInstance(URL), 'pass fileURLToPath(url) of node:url'],
    [isInstance(Uint8Array), 'pass Readable.from([bytes]) of node:stream'],
    [isInstance(ArrayBuffer), 'pass Readable.from([bytes]) of node:stream'],
    [isInstance(Blob), 'pass its stream()'],
    AWAIT,
  ],
};
/** Expects `accepts` of the module that keeps the open archives. */
export const archiveType = (accepts: (value: unknown) => boolean): ArgumentType => ({
  expected: 'what openArchive returned',
  accepts,
  remedies: [AWAIT],
});
export const LAYER: ArgumentType = {
  expected: 'the number of a layer, from 1, or the beginning of its digest or diff_id',
  accepts: value => isWhole(value) || isText(value),
};
export const oneOf = (choices: readonly string[]): ArgumentType => ({
  expected: choices.map(quoted).join(', '),
  accepts: value => isText(value) && choices.includes(value as string),
});
export const eitherOf = (one: ArgumentType, other: ArgumentType): ArgumentType => ({
  expected: `${one.expected}, or ${other.expected}`,
  accepts: value => one.accepts(value) || other.accepts(value),
});

/** @throws UsageError that names the argument, and says what was expected and found */
export function checkArgument(name: string, value: unknown, type: ArgumentType): void {
  if (type.accepts(value)) return;
  const [, remedy] = type.remedies?.find(([is]) => is(value)) ?? [];
  const wayOut = remedy === undefined ? '' : `; ${remedy}`;
  throw new UsageError(`${name}: expected ${type.expected}, found ${valueText(value)}${wayOut}`);
}

/**
 * An option of the value `undefined` is not given.
 * @throws UsageError for options that are no object, for one that does not exist, and for a value of another type
 */
export function checkOptions<T extends object>(options: T, types: OptionTypes<T>): void {
  checkArgument('options', options, OBJECT);
  const known = Object.keys(types);
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && !known.includes(name))
      throw new UsageError(`options: no option ${quoted(name)}; there are ${known.join(', ')}`);
  for (const [name, type] of Object.entries<ArgumentType>(types)) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined) checkArgument(name, value, type);
  }
}
