import { escapedForHtml } from '../../spec/json-text.js';
import { CallError } from './errors.js';
import { MAX_DATA_DEPTH } from './limits.js';
import { shortestSingle } from './number.js';
import { compareText, inChunks } from './text.js';
import { timeJson } from './time.js';
import type { Field, StructType, Type, Value } from './types.js';
import {
  concrete,
  entriesOf,
  fieldValue,
  isNil,
  itemsOf,
  type Raws,
  structOf,
  typed,
  typeName,
} from './value.js';

// JSON as text: https://pkg.go.dev/encoding/json#Compact, #Indent, and how Marshal writes strings and numbers.

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function jsonString(text: string, escapeHtml: boolean): string {
  const special = /[\u0000-\u001f"\\\u2028\u2029]|\p{Surrogate}/gu;
  const shown = (found: string) => {
    const code = /\p{Surrogate}/u.test(found) ? 0xfffd : found.charCodeAt(0);
    return ESCAPES[found] ?? `\\u${code.toString(16).padStart(4, '0')}`;
  };
  const quoted = `"${inChunks(text, chunk => chunk.replace(special, shown))}"`;
  return escapeHtml ? escapedForHtml(quoted) : quoted;
}

/** As ES6 writes numbers, but that an exponent begins below 1e-6 and at 1e21. */
function jsonNumber(number: number, bits: 32 | 64): string {
  if (!Number.isFinite(number)) throw new CallError(`json: unsupported value: ${number}`);
  if (Object.is(number, -0)) return '-0';
  return String(bits === 32 ? Number(shortestSingle(number)) : number);
}

/**
 * Its strings, marks and words. By hand: a pattern for strings would run out of stack at millions of escapes in one.
 */
function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = at + 1;
    if (text[at] === '"') {
      while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      end++;
    } else if (!MARK.test(text[at]!)) {
      while (end < text.length && !ENDS_WORD.test(text[end]!)) end++;
    }
    const token = text.slice(at, end);
    if (!/^\s$/.test(token)) tokens.push(token);
    at = end;
  }
  return tokens;
}

const MARK = /[{}[\]:,\s]/;
const ENDS_WORD = /[\s"{}[\]:,]/;

/** JSON text without the spaces between its parts. */
function compact(text: string, escapeHtml: boolean): string {
  const joined = tokensOf(text).join('');
  return escapeHtml ? escapedForHtml(joined) : joined;
}

/** Compact JSON text with every member and item on a line of its own; empty objects and arrays stay as they are. */
function indented(text: string, indent: string): string {
  const tokens = tokensOf(text);
  let depth = 0;
  const line = () => `\n${indent.repeat(depth)}`;
  return tokens
    .map((token, at) => {
      if (token === ':') return ': ';
      if (token === ',') return `,${line()}`;
      if (token === '{' || token === '[') {
        if (/^[}\]]$/.test(tokens[at + 1] ?? '')) return token;
        depth++;
        return token + line();
      }
      if (!/^[}\]]$/.test(token) || /^[{[]$/.test(tokens[at - 1] ?? '')) return token;
      depth--;
      return line() + token;
    })
    .join('');
}

// encoding/json's Marshal: https://pkg.go.dev/encoding/json#Marshal

/**
 * A value as JSON: fields in their order with their tags, maps by sorted key. With `indent`, on many lines; with
 * `escapeHtml`, as Go does unless told otherwise, `<`, `>` and `&` are escaped.
 * @throws CallError for what JSON has no words for
 */
export function encodeJson(value: Value, indent = '', escapeHtml = true): string {
  const text = encode(value, escapeHtml, 0);
  return indent === '' ? text : indented(text, indent);
}

function encode(value: Value, escapeHtml: boolean, depth: number): string {
  const inner = concrete(value);
  if (inner === undefined) return 'null';
  if (depth > MAX_DATA_DEPTH) throw new CallError(`data nested deeper than ${MAX_DATA_DEPTH}`);
  const { type, raw } = inner;
  switch (type.kind) {
    case 'bool':
      return String(raw === true);
    case 'string':
      return type.name === 'json.Number' ? (raw as string) || '0' : jsonString(raw as string, escapeHtml);
    case 'int':
    case 'uint':
      return String(raw);
    case 'float':
      return jsonNumber(Number(raw), type.bits);
    case 'time':
      return `"${timeJson(raw as string)}"`;
    case 'pointer':
      return isNil(inner) ? 'null' : encode(typed(type.elem, raw), escapeHtml, depth);
    case 'slice':
      return array(inner, type.elem, escapeHtml, depth);
    case 'map':
      return isNil(inner) ? 'null' : object(mapMembers(inner, type), escapeHtml, depth);
    case 'struct':
      if (type.marshalJson !== undefined) return compact(type.marshalJson(raw as Raws), escapeHtml);
      return object(structMembers(inner, type), escapeHtml, depth);
    default:
      throw new CallError(`json: unsupported type: ${typeName(type)}`);
  }
}

type Member = readonly [key: string, value: Value];

function array(value: Value, elem: Type, escapeHtml: boolean, depth: number): string {
  if (isNil(value)) return 'null';
  const items = itemsOf(value);
  if (elem.kind === 'uint' && elem.bits === 8) {
    return `"${Buffer.from(items as readonly number[]).toString('base64')}"`;
  }
  return `[${items.map(item => encode(typed(elem, item), escapeHtml, depth + 1)).join(',')}]`;
}

function object(members: readonly Member[], escapeHtml: boolean, depth: number): string {
  const texts = members.map(
    ([key, value]) => `${jsonString(key, escapeHtml)}:${encode(value, escapeHtml, depth + 1)}`,
  );
  return `{${texts.join(',')}}`;
}

function mapMembers(map: Value, type: Type & { readonly kind: 'map' }): Member[] {
  const members = [...entriesOf(map)].map(([key, raw]): Member => [String(key), typed(type.elem, raw)]);
  return type.ordered ? members : members.sort(([a], [b]) => compareText(a, b));
}

/** A field as JSON sees it: its key, and the way to it through embedded structs. */
interface JsonField {
  readonly key: string;
  readonly path: readonly Field[];
}

const known = new WeakMap<StructType, readonly JsonField[]>();

/** The fields of a struct in JSON's view, those of embedded structs among them where they are not hidden. */
export function jsonFields(type: StructType): readonly JsonField[] {
  const found = known.get(type) ?? dominant(collect(type, [], []));
  known.set(type, found);
  return found;
}

function collect(type: StructType, path: readonly Field[], above: readonly StructType[]): JsonField[] {
  return type.fields.flatMap(field => {
    if (field.json === '-') return [];
    const inner = field.embedded && field.json === undefined ? structOf(field.type) : null;
    if (inner === null) return [{ key: field.json ?? field.name, path: [...path, field] }];
    return above.includes(inner) ? [] : collect(inner, [...path, field], [...above, type]);
  });
}

/** Among several fields with one key the least embedded one counts, then the tagged one; a tie hides them all. */
function dominant(fields: readonly JsonField[]): JsonField[] {
  return fields.filter(field => {
    const rivals = fields.filter(rival => rival.key === field.key);
    const least = Math.min(...rivals.map(rival => rival.path.length));
    const shallow = rivals.filter(rival => rival.path.length === least);
    const tagged = shallow.filter(rival => rival.path.at(-1)!.json !== undefined);
    const winners = tagged.length > 0 ? tagged : shallow;
    return winners.length === 1 && winners[0] === field;
  });
}

function structMembers(value: Value, type: StructType): Member[] {
  return jsonFields(type).flatMap(({ key, path }): Member[] => {
    const inner = fieldValue(value, path);
    if (typeof inner === 'string') return [];
    return path.at(-1)!.omitEmpty && isEmpty(inner) ? [] : [[key, inner]];
  });
}

/** True for values that omitempty leaves out: false, 0, nil and values of length 0; never a struct. */
function isEmpty(value: Value): boolean {
  switch (value.type.kind) {
    case 'slice':
      return itemsOf(value).length === 0;
    case 'map':
      return entriesOf(value).size === 0;
    case 'struct':
    case 'time':
      return false;
    case 'pointer':
    case 'any':
      return isNil(value);
    default:
      return !value.raw;
  }
}
