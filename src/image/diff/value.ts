import { isObject, type Json, own } from '../../spec/json.js';

/** Deeper than any document of an image goes: what lies below is not shown. */
const SHOWN_DEPTH = 16;

/** Whether two JSON values are the same, whatever the order of their keys. Without recursion: they come from archives. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  const pending: [Json | undefined, Json | undefined][] = [[a, b]];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [x, y] = pair;
    if (Array.isArray(x) && Array.isArray(y)) {
      if (x.length !== y.length) return false;
      for (const [i, item] of x.entries()) pending.push([item, y[i]]);
    } else if (isObject(x) && isObject(y)) {
      const keys = Object.keys(x);
      if (keys.length !== Object.keys(y).length) return false;
      for (const key of keys) {
        if (!Object.hasOwn(y, key)) return false;
        pending.push([own(x, key), own(y, key)]);
      }
    } else if (x !== y) return false;
  }
  return true;
}

/** Whether a field says nothing: Go writes null, an empty list or an empty string for what was never set. */
export function isUnset(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Both are unset, or the same. */
export const sameField = (a: Json | undefined, b: Json | undefined): boolean =>
  (isUnset(a) && isUnset(b)) || sameJson(a, b);

/** A value that can be written as JSON again, however deep it was. */
export function shown(value: Json | undefined, depth = SHOWN_DEPTH): Json {
  if (typeof value !== 'object' || value === null) return value ?? null;
  if (depth === 0) return '…';
  if (Array.isArray(value)) return value.map(item => shown(item, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item, depth - 1)]));
}

/** RFC 3339, section 5.6; some tools write a space for the T. */
const TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** Whether two values differ only in being other times. */
export const areTimes = (a: Json | undefined, b: Json | undefined): boolean =>
  typeof a === 'string' && typeof b === 'string' && TIME.test(a) && TIME.test(b);
