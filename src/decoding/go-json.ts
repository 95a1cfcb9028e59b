import { type Decoded, decodeAs } from '../go/json/decode.js';
import { faultWords, type GoVersion, syntaxWords, toldFault } from '../go/json/faults.js';
import type { GoType } from '../go/json/types.js';
import type { Document } from '../scan/blob/document.js';
import { goField, isObject, type Json, type JsonObject } from '../spec/json.js';
import { escapedForHtml, jsonOddities, type NumberTexts } from '../spec/json-text.js';
import { utf8Text } from '../spec/utf8.js';
import { cannotTell, refuse } from './refused.js';

/** `whole` as json.Unmarshal, which wants nothing after the value, `first` as json.Decoder, which stops after it. */
export type Mode = 'whole' | 'first';

/** How deep encoding/json lets a document nest. */
const GO_DEPTH = 10_000;

/**
 * Decodes a document into a struct, as Go's encoding/json does; an engine that cannot decode it refuses it in Go's
 * words.
 */
export function decode(document: Document, mode: Mode, type: GoType, version: GoVersion): Json {
  const { value, faults } = decoded(document, mode, type, version);
  const fault = toldFault(faults);
  return fault === undefined ? value : refuse(faultWords(fault, type, version));
}

/** Decodes a document into a struct, with every fault for which Go would refuse it; nothing where it is no JSON. */
export function tolerant(document: Document, type: GoType): Decoded {
  if (document.value === undefined) return { value: null, faults: [] };
  return decoded(document, 'whole', type, 'go1.24');
}

const known = new WeakMap<Document, Map<GoType, Decoded>>();

/** Each document is decoded into a struct once, however many images share it and engines read it. */
function decoded(document: Document, mode: Mode, type: GoType, version: GoVersion): Decoded {
  const types = known.get(document) ?? new Map<GoType, Decoded>();
  known.set(document, types);
  const { value, numbers } = read(document, mode, version);
  const found = types.get(type) ?? decodeAs(type, value, numbers);
  types.set(type, found);
  return found;
}

interface Read {
  readonly value: Json;
  readonly numbers: NumberTexts;
}

function read(document: Document, mode: Mode, version: GoVersion): Read {
  const { error, bytes, path, oddities } = document;
  if (error === null) return { value: document.value!, numbers: oddities.numbers };
  if (error.kind === 'unreadable') return cannotTell({ code: 'unreadable', path, reason: error.reason });
  const text = bytes === null ? null : utf8Text(bytes);
  if (error.kind === 'limit') {
    const isDepth = error.limit === 'documentDepth' && text !== null;
    if (isDepth && jsonOddities(text, GO_DEPTH) === null) return refuse(`${TOO_DEEP} exceeded max depth`);
    const { limit, value, actual } = error;
    return cannotTell({ code: 'limit', path, reached: { limit, value, seen: actual } });
  }
  const { fault } = error;
  if (mode === 'whole' || fault.kind !== 'after' || text === null) {
    return refuse(syntaxWords(fault, text, mode, version));
  }
  const first = text.slice(0, fault.at);
  return { value: JSON.parse(first) as Json, numbers: jsonOddities(first, GO_DEPTH)!.numbers };
}

const TOO_DEEP = "invalid character '['";

export const field = goField;

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

/** A document that an engine decodes into a struct: null leaves the struct empty. */
export function decodeObject(document: Document, mode: Mode, type: GoType, version: GoVersion): JsonObject {
  const value = decode(document, mode, type, version);
  return isObject(value) ? value : {};
}

/** An item of manifest.json as Go's struct holds it: null and absent are empty. */
export interface Item {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

/** @param type  the list of structs into which the engine decodes manifest.json */
export function manifestItems(
  document: Document,
  mode: Mode,
  type: GoType,
  version: GoVersion,
): readonly Item[] | null {
  const value = decode(document, mode, type, version);
  if (!Array.isArray(value)) return null;
  return value.map(item => {
    const fields = isObject(item) ? item : {};
    return {
      config: textField(fields, 'Config'),
      tags: strings(listField(fields, 'RepoTags')),
      layers: strings(listField(fields, 'Layers')),
    };
  });
}

const strings = (values: readonly Json[]): string[] =>
  values.map(value => (typeof value === 'string' ? value : ''));

/** JSON as Go writes it: compact, and escaped so that it may stand in HTML. */
export const goJson = (value: Json): string => escapedForHtml(JSON.stringify(value));
