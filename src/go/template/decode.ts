// encoding/json's Unmarshal: https://pkg.go.dev/encoding/json#Unmarshal

import { parseTime } from '../time.js';
import { jsonFields } from './encode.js';
import { MAX_DATA_DEPTH } from './limits.js';
import { wellFormed } from './text.js';
import {
  ANY,
  BOOL,
  FLOAT64,
  mapOf,
  STRING,
  type StructType,
  sliceOf,
  type Type,
  type Value,
  value,
} from './types.js';
import { zeroRaw } from './value.js';

export interface DecodeOptions {
  /** The type of a number in an interface: `float64`, or with Decoder.UseNumber `json.Number`. */
  readonly numbers?: 'float64' | 'json.Number';
  /** The texts of numbers that are more than their value, by the keys and items on the way to them. */
  readonly texts?: NumberTexts | undefined;
}

export interface NumberTexts extends ReadonlyMap<string | number, string | NumberTexts> {}

/** The options for what stands under a key. */
function below(options: DecodeOptions, key: string | number): DecodeOptions {
  if (options.texts === undefined) return options;
  const texts = options.texts.get(key);
  return { ...options, texts: typeof texts === 'string' ? new Map([[OWN, texts]]) : texts };
}

/** Where the text of a number itself stands: no key is as long. */
const OWN = -1;

const textOf = (json: number, { texts }: DecodeOptions): string => {
  const text = texts?.get(OWN);
  return typeof text === 'string' ? text : String(json);
};

const JSON_NUMBER: Type = { kind: 'string', name: 'json.Number' };
const ANY_MAP = mapOf(ANY);
const ANY_SLICE = sliceOf(ANY);

/**
 * JSON, parsed, as the raw of a Go type. Keys match whatever their case; unknown ones are ignored; what has the wrong
 * type, for which Go would give an error, is the zero value. Never throws.
 */
export function decode(type: Type, json: unknown, options: DecodeOptions = {}): unknown {
  return decodeAt(type, json, options, 0);
}

function decodeAt(type: Type, json: unknown, options: DecodeOptions, depth: number): unknown {
  if (json === null || json === undefined || depth > MAX_DATA_DEPTH) return zeroRaw(type);
  switch (type.kind) {
    case 'bool':
      return json === true;
    case 'string':
      if (typeof json === 'number' && type.name === 'json.Number') return textOf(json, options);
      return typeof json === 'string' ? wellFormed(json) : '';
    case 'int':
    case 'uint':
      return whole(type, json, options);
    case 'float':
      return typeof json === 'number' ? json : 0;
    case 'time':
      return typeof json === 'string' && parseTime(json) !== null ? json : '';
    case 'pointer':
      return decodeAt(type.elem, json, options, depth);
    case 'slice':
      return slice(type.elem, json, options, depth);
    case 'map':
      return map(type, json, options, depth);
    case 'struct':
      return decodedStruct(type, json, options, depth);
    case 'any':
      return dynamic(json, options, depth);
    default:
      return zeroRaw(type);
  }
}

/** Go wants an integer as it is written: `12.0` is none. */
function whole(
  type: Type & { readonly bits: number },
  json: unknown,
  options: DecodeOptions,
): number | bigint {
  if (typeof json !== 'number') return 0;
  const text = textOf(json, options);
  const exact = /^-?\d+$/.test(text)
    ? BigInt(text)
    : Number.isInteger(json) && options.texts === undefined
      ? BigInt(json)
      : null;
  if (exact === null) return 0;
  const bits = type.bits || 64;
  const wrapped = type.kind === 'uint' ? BigInt.asUintN(bits, exact) : BigInt.asIntN(bits, exact);
  if (wrapped !== exact) return 0;
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

function slice(elem: Type, json: unknown, options: DecodeOptions, depth: number): readonly unknown[] | null {
  if (typeof json === 'string' && elem.kind === 'uint' && elem.bits === 8)
    return [...Buffer.from(json, 'base64')];
  return Array.isArray(json)
    ? json.map((item, i) => decodeAt(elem, item, below(options, i), depth + 1))
    : null;
}

const membersOf = (json: unknown): readonly (readonly [string, unknown])[] | null =>
  typeof json === 'object' && json !== null && !Array.isArray(json) ? Object.entries(json) : null;

function map(
  { key, elem }: Type & { readonly kind: 'map' },
  json: unknown,
  options: DecodeOptions,
  depth: number,
): ReadonlyMap<unknown, unknown> | null {
  const members = membersOf(json);
  if (members === null) return null;
  const keyOf = (text: string) =>
    key.kind === 'int' || key.kind === 'uint' ? Number(text) : wellFormed(text);
  return new Map(
    members.map(([name, item]) => [keyOf(name), decodeAt(elem, item, below(options, name), depth + 1)]),
  );
}

function decodedStruct(type: StructType, json: unknown, options: DecodeOptions, depth: number): unknown {
  const raw: Record<string, unknown> = {};
  const fields = jsonFields(type);
  for (const [name, item] of membersOf(json) ?? []) {
    const field =
      fields.find(({ key }) => key === name) ??
      fields.find(({ key }) => key.toLowerCase() === name.toLowerCase());
    if (field === undefined) continue;
    let target = raw;
    for (const step of field.path.slice(0, -1)) {
      target[step.name] ??= {};
      target = target[step.name] as Record<string, unknown>;
    }
    const last = field.path.at(-1)!;
    // null leaves what is there, as a key that comes twice can show.
    if (item !== null || !(last.name in target))
      target[last.name] = decodeAt(last.type, item, below(options, name), depth + 1);
  }
  return raw;
}

function dynamic(json: unknown, options: DecodeOptions, depth: number): Value | null {
  if (typeof json === 'boolean') return value(BOOL, json);
  if (typeof json === 'string') return value(STRING, wellFormed(json));
  if (typeof json === 'number') {
    return options.numbers === 'json.Number'
      ? value(JSON_NUMBER, textOf(json, options))
      : value(FLOAT64, json);
  }
  if (Array.isArray(json)) return value(ANY_SLICE, slice(ANY, json, options, depth));
  const raw = map(ANY_MAP as Type & { readonly kind: 'map' }, json, options, depth);
  return raw === null ? null : value(ANY_MAP, raw);
}
