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
 * A key as Go's encoding/json compares it with the names of fields: in whatever case, by Unicode's simple folding. Of all
 * that is not ASCII only the Kelvin sign, which is lowered to a k, and the long s are letters of such names.
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
