import { limitText } from '../../limits.js';
import type { Document } from '../../scan/document.js';
import { foldKey, isObject, type Json, type JsonObject } from '../../spec/json.js';
import { cannotTell, refuse } from './answer.js';

/**
 * A document as Go's encoding/json takes it: `whole` as json.Unmarshal, which wants nothing after the value, `first` as
 * json.Decoder, which stops after it. Of Go's error texts only the beginning: they go on with a character and its place.
 */
export function decode(document: Document, mode: 'whole' | 'first'): Json {
  const { error, bytes, path } = document;
  if (error === null) return document.value!;
  if (error.kind === 'limit') return cannotTell(`${path}: ${limitText({ ...error, seen: error.actual })}`);
  if (error.kind === 'unreadable') return cannotTell(`${path} cannot be read: ${error.reason}`);
  if (bytes === null) return refuse('invalid character');
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  if (text.trim() === '') return refuse(mode === 'whole' ? 'unexpected end of JSON input' : 'EOF');
  const at = Number(/position (\d+)/.exec(error.reason)?.[1] ?? Number.NaN);
  if (mode === 'first' && /after JSON/.test(error.reason)) return JSON.parse(text.slice(0, at)) as Json;
  if (/end of JSON|Unterminated/.test(error.reason) || at >= text.trimEnd().length) {
    return refuse(mode === 'whole' ? 'unexpected end of JSON input' : 'unexpected EOF');
  }
  return refuse('invalid character');
}

/** Go matches keys in any case, and of several that match the last one stays. */
export function field(object: JsonObject, key: string): Json | undefined {
  const folded = foldKey(key);
  let found: Json | undefined;
  for (const [name, value] of Object.entries(object)) if (foldKey(name) === folded) found = value;
  return found;
}

export function textField(object: JsonObject, key: string): string {
  const value = field(object, key);
  return typeof value === 'string' ? value : '';
}

export function listField(object: JsonObject, key: string): readonly Json[] {
  const value = field(object, key);
  return Array.isArray(value) ? value : [];
}

export function objectField(object: JsonObject, key: string): JsonObject {
  const value = field(object, key);
  return isObject(value) ? value : {};
}

/** Go's word for a JSON type. */
export function goKind(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** An item of manifest.json as Go's struct holds it: null and absent are empty. */
export interface Item {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

/** @param goType  the element type by its Go name, which the message tells */
export function manifestItems(value: Json, goType: string): readonly Item[] | null {
  if (value === null) return null;
  if (!Array.isArray(value)) {
    return refuse(`json: cannot unmarshal ${goKind(value)} into Go value of type []${goType}`);
  }
  return value.map((item, i) => {
    const fields = item ?? {};
    if (!isObject(fields)) {
      return refuse(`json: cannot unmarshal ${goKind(fields)} into Go value of type ${goType}`);
    }
    const config = field(fields, 'Config') ?? '';
    if (typeof config !== 'string') {
      return refuse(
        `json: cannot unmarshal ${goKind(config)} into Go struct field .${i}.Config of type string`,
      );
    }
    return { config, tags: strings(fields, i, 'RepoTags'), layers: strings(fields, i, 'Layers') };
  });
}

function strings(fields: JsonObject, index: number, key: string): string[] {
  const value = field(fields, key) ?? [];
  const wrong = Array.isArray(value) ? value.find(v => v !== null && typeof v !== 'string') : value;
  if (wrong !== undefined) {
    const type = Array.isArray(value) ? 'string' : '[]string';
    refuse(`json: cannot unmarshal ${goKind(wrong)} into Go struct field .${index}.${key} of type ${type}`);
  }
  return (value as (string | null)[]).map(v => v ?? '');
}

/** JSON as Go writes it: compact, and these escaped so that it may stand in HTML. */
export function goJson(value: Json): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
