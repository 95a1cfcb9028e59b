// Plain JavaScript data in Go's words.
import { wellFormed } from './bytes.js';
import { TemplateError } from './errors.js';
import { MAX_DATA_DEPTH } from './limits.js';
import {
  ANY,
  BOOL,
  FLOAT64,
  INT64,
  STRING,
  STRINGS,
  sliceOf,
  type Type,
  type Value,
  value,
} from './types.js';

const ORDERED_MAP: Type = { kind: 'map', key: STRING, elem: ANY, ordered: true };
const UINT64: Type = { kind: 'uint', bits: 64 };
const ANY_SLICE = sliceOf(ANY);
const MAX_INT64 = 2n ** 63n - 1n;

/**
 * Data as JSON could hold it: whole numbers are int64, others float64; arrays of nothing but strings `[]string`, others
 * `[]interface {}`; objects and Maps `map[string]interface {}`, printed by sorted key, but written to JSON in the order
 * they have. What JSON leaves out is left out; what it makes null is nil.
 * @throws TemplateError of phase `exec` for data nested too deep, or in itself
 */
export function plainValue(data: unknown): Value {
  return plain(data, 0) ?? value(ANY, null);
}

function plain(data: unknown, depth: number): Value | null {
  if (depth > MAX_DATA_DEPTH) {
    throw new TemplateError('exec', `template: data nested deeper than ${MAX_DATA_DEPTH}`);
  }
  if (typeof data === 'boolean') return value(BOOL, data);
  if (typeof data === 'string') return value(STRING, wellFormed(data));
  if (typeof data === 'number') return number(data);
  if (typeof data === 'bigint') return value(data > MAX_INT64 ? UINT64 : INT64, data);
  if (Array.isArray(data)) return array(data, depth);
  if (typeof data !== 'object' || data === null) return null;
  if ('toJSON' in data && typeof data.toJSON === 'function') return plain(data.toJSON(), depth + 1);
  const members = data instanceof Map ? [...data] : Object.entries(data);
  const kept = members.filter(([, item]) => item !== undefined && typeof item !== 'function');
  return value(
    ORDERED_MAP,
    new Map(kept.map(([key, item]) => [wellFormed(String(key)), plain(item, depth + 1)])),
  );
}

const number = (data: number): Value =>
  value(Number.isInteger(data) && Math.abs(data) < 2 ** 63 ? INT64 : FLOAT64, Object.is(data, -0) ? 0 : data);

function array(data: readonly unknown[], depth: number): Value {
  if (data.every(item => typeof item === 'string')) return value(STRINGS, data.map(wellFormed));
  return value(
    ANY_SLICE,
    data.map(item => plain(item, depth + 1)),
  );
}
