/** A JSON value as `JSON.parse` gives it. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Names a value's JSON type the way people say it, for "expected … but found …". */
export function typeName(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}

/** Appends segments to a JSON pointer (RFC 6901). */
export function pointer(base: string, ...segments: (string | number)[]): string {
  return base + segments.map(s => `/${String(s).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');
}

/** The last segment of a JSON pointer, as it is without escapes. */
export const lastSegment = (at: string): string =>
  at
    .slice(at.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');

/**
 * A key as Go's encoding/json compares it with the names of fields: in whatever case, by Unicode's simple folding. Of
 * all that is not ASCII only the Kelvin sign, which is lowered to a k, and the long s are letters of such names.
 * https://pkg.go.dev/encoding/json#Unmarshal
 */
export const foldKey = (key: string): string => key.toLowerCase().replaceAll('\u017f', 's');

/**
 * The value under `key` as Go finds it: of the keys that match in whatever case the last in the document, whose order
 * JSON.parse keeps.
 */
export function goField(object: JsonObject, key: string): Json | undefined {
  const folded = foldKey(key);
  let found: Json | undefined;
  // Folding keeps the length of what it makes a field's name of.
  for (const name of Object.keys(object)) {
    if (name === key || (name.length === key.length && foldKey(name) === folded)) found = object[name];
  }
  return found;
}

/** An own property, so that `__proto__` and `constructor` in hostile JSON are never anything but data. */
export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** A field of a document that is not what its specification says. Data for the finding `invalid-field`. */
export interface FieldProblem {
  readonly pointer: string;
  readonly expected: string;
  readonly actual: string;
  /** Without it something cannot be checked at all: an error, where other bad fields are warnings. */
  readonly grave: boolean;
  /** Keys that are the expected one but for their case; grave where one object has several that are. */
  readonly keys?: readonly string[];
  /** The engines that refuse the whole document for it. */
  readonly engines?: readonly string[];
}

/** Problems that are kept of a document: a list of 20 MiB has room for ten million. */
const KEPT = 1000;

/** Adds a problem. A grave one is of the few fields that are known by name, and is never crowded out. */
export function note(problems: FieldProblem[], problem: FieldProblem): void {
  if (problem.grave || problems.length < KEPT) problems.push(problem);
}

/** Names of fields by how Go compares them, of each list worked out once. */
const folded = new WeakMap<readonly string[], ReadonlyMap<string, string>>();

function foldedNames(known: readonly string[]): ReadonlyMap<string, string> {
  const names = folded.get(known) ?? new Map(known.map(name => [foldKey(name), name]));
  folded.set(known, names);
  return names;
}

/** Keys of one object that are one field's name but for their case; of several one may be the name itself. */
export interface OddKeys {
  /** In their order, where Go lets the last one win. */
  readonly keys: readonly string[];
  readonly expected: string;
}

/**
 * Reads one JSON object field by field, collecting every problem instead of stopping at the first: a document with one
 * bad field is still read as far as it goes. A missing or mistyped field reads as null.
 */
export class Fields {
  private constructor(
    private readonly raw: JsonObject,
    readonly at: string,
    private readonly problems: FieldProblem[],
  ) {}

  /** @returns null, and a problem, when `value` is not an object. */
  static of(value: Json | undefined, at: string, problems: FieldProblem[]): Fields | null {
    if (isObject(value)) return new Fields(value, at, problems);
    note(problems, { pointer: at, expected: 'an object', actual: typeName(value), grave: false });
    return null;
  }

  /** The value under `key`, of whatever type, as the engines find it, which are all written in Go. */
  any(key: string): Json | undefined {
    return goField(this.raw, key);
  }

  has(key: string): boolean {
    return this.any(key) !== undefined;
  }

  /** The keys that match one of `known` only when case is ignored, by that one, and what else matches it. */
  oddCase(known: readonly string[]): OddKeys[] {
    const names = foldedNames(known);
    const found = new Map<string, string[]>();
    for (const key of Object.keys(this.raw)) {
      const expected = names.get(foldKey(key));
      if (expected === undefined) continue;
      const keys = found.get(expected);
      if (keys === undefined) found.set(expected, [key]);
      else keys.push(key);
    }
    return [...found]
      .map(([expected, keys]) => ({ keys, expected }))
      .filter(({ keys, expected }) => keys.some(key => key !== expected));
  }

  /** Those of `names` that a key matches as Go matches them. */
  anyCaseOf(names: readonly string[]): string[] {
    const keys = new Set(Object.keys(this.raw).map(foldKey));
    return names.filter(name => keys.has(foldKey(name)));
  }

  /**
   * Notes keys that Go takes for one of `known` and readers that mind the case do not. Where both are there, one
   * document is two.
   */
  checkCase(known: readonly string[]): void {
    for (const { keys, expected } of this.oddCase(known)) {
      const key = keys.find(odd => odd !== expected)!;
      const grave = keys.length > 1;
      note(this.problems, { pointer: pointer(this.at, key), expected, actual: key, grave, keys });
    }
  }

  string(key: string, required: Required = 'optional'): string | null {
    return this.typed(key, required, 'a string', v => typeof v === 'string') as string | null;
  }

  /** A whole number that JavaScript can hold exactly and that is not negative: sizes are bytes. */
  size(key: string, required: Required = 'optional'): number | null {
    const ok = (v: Json) => typeof v === 'number' && Number.isSafeInteger(v) && v >= 0;
    const size = this.typed(
      key,
      required,
      'a whole number of bytes from 0 to 2^53-1',
      ok,
      required === 'required',
    );
    return size as number | null;
  }

  number(key: string, required: Required = 'optional'): number | null {
    return this.typed(key, required, 'a number', v => typeof v === 'number') as number | null;
  }

  boolean(key: string): boolean {
    return this.typed(key, 'optional', 'true or false', v => typeof v === 'boolean') === true;
  }

  object(key: string, required: Required = 'optional'): Fields | null {
    const value = this.typed(key, required, 'an object', isObject);
    return value === null ? null : Fields.of(value, pointer(this.at, key), this.problems);
  }

  array(key: string, required: Required = 'optional'): Json[] | null {
    return this.typed(key, required, 'an array', Array.isArray) as Json[] | null;
  }

  strings(key: string, required: Required = 'optional'): string[] | null {
    return (
      this.array(key, required)?.map((item, i) => {
        if (typeof item === 'string') return item;
        this.problem(pointer(this.at, key, i), 'a string', typeName(item));
        return '';
      }) ?? null
    );
  }

  /** A map of strings to strings, such as annotations and labels. Entries of another type are left out. */
  stringMap(key: string): ReadonlyMap<string, string> | null {
    const value = this.typed(key, 'optional', 'an object', isObject) as JsonObject | null;
    if (value === null) return null;
    const map = new Map<string, string>();
    for (const [name, item] of Object.entries(value)) {
      if (typeof item === 'string') map.set(name, item);
      else this.problem(pointer(this.at, key, name), 'a string', typeName(item));
    }
    return map;
  }

  problem(at: string, expected: string, actual: string, grave = false): void {
    note(this.problems, { pointer: at, expected, actual, grave });
  }

  private typed(
    key: string,
    required: Required,
    expected: string,
    ok: (v: Json) => boolean,
    grave = false,
  ): Json | null {
    const value = this.any(key);
    // Go writes null for an empty slice, map or pointer: null is as good as absent.
    if (value === undefined || value === null) {
      if (required === 'required') this.problem(pointer(this.at, key), expected, typeName(value), grave);
      return null;
    }
    if (ok(value)) return value;
    this.problem(
      pointer(this.at, key),
      expected,
      typeof value === 'number' ? String(value) : typeName(value),
      grave,
    );
    return null;
  }
}

type Required = 'required' | 'optional';
