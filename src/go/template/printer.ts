import { CallError, TemplateError } from './errors.js';
import { type Flags, formatText, noFlags, pad, pointerText, scalarText, stringText } from './format.js';
import { MAX_DATA_DEPTH, MAX_TEXT } from './limits.js';
import { textOf, wellFormed } from './text.js';
import { timeGoSyntax, timeParts, timeText } from './time.js';

import {
  ANY,
  BOOL,
  type Field,
  FLOAT64,
  INT64,
  STRING,
  STRINGS,
  sliceOf,
  type Type,
  type Value,
  value,
} from './types.js';
import {
  concrete,
  fieldValue,
  isNil,
  itemsOf,
  type Maybe,
  methodOf,
  sortedEntries,
  typed,
  typeName,
} from './value.js';

// How fmt prints values of every type: https://pkg.go.dev/fmt#hdr-Printing

/** Text in the making, with the flags of the verb at hand. */
export class Printer {
  flags: Flags = noFlags();
  private readonly parts: string[] = [];
  private length = 0;
  /** While an error is printed, methods are not asked. */
  private erroring = false;

  write(text: string): void {
    this.length += text.length;
    if (this.length > MAX_TEXT) throw new CallError(`text longer than ${MAX_TEXT}`);
    this.parts.push(text);
  }

  text(): string {
    return this.parts.join('');
  }

  /** An operand; undefined is nil. */
  argument(value: Maybe, verb: string): void {
    const inner = concrete(value);
    if (inner === undefined && /^[Tv]$/.test(verb)) this.write(pad(this.flags, '<nil>'));
    else if (inner === undefined) this.badVerb(verb, inner);
    else if (verb === 'T') this.write(formatText(this.flags, typeName(inner.type)));
    else if (verb === 'p') this.writeOr(pointerText(this.flags, inner, verb), inner, verb);
    else this.value(inner, verb, 0);
  }

  private writeOr(text: string | null, value: Value, verb: string): void {
    if (text === null) this.badVerb(verb, value);
    else this.write(text);
  }

  private badVerb(verb: string, value: Maybe): void {
    this.write(`%!${verb}(`);
    if (value === undefined) this.write('<nil>');
    else {
      this.erroring = true;
      this.write(`${typeName(value.type)}=`);
      this.value(value, 'v', 0);
      this.erroring = false;
    }
    this.write(')');
  }

  private value(value: Value, verb: string, depth: number): void {
    if (this.byMethod(value, verb)) return;
    const { type, raw } = value;
    switch (type.kind) {
      case 'map':
        this.map(value, verb, depth);
        break;
      case 'struct':
        this.struct(value, type.fields, verb, depth);
        break;
      case 'slice':
        this.slice(value, type.elem, verb, depth);
        break;
      case 'pointer':
        this.pointer(value, type.elem, verb, depth);
        break;
      case 'any':
        this.interface(value, verb, depth);
        break;
      case 'time':
        this.value(timeParts(raw as string), verb, depth);
        break;
      default:
        this.writeOr(scalarText(this.flags, value, verb), value, verb);
    }
  }

  /** A String method, where the verb takes text, and GoString for `%#v`. */
  private byMethod(value: Value, verb: string): boolean {
    const { sharpV } = this.flags;
    if (this.erroring || (!sharpV && !/^[vsxXq]$/.test(verb))) return false;
    const target = value.type.kind === 'pointer' ? value.type.elem : value.type;
    if (target.kind !== 'time' && (sharpV || !hasString(target))) return false;
    if (value.type.kind === 'pointer' && isNil(value)) this.write('<nil>');
    else if (target.kind !== 'time') {
      this.writeOr(stringText(this.flags, String(methodOf(value, 'String')!().raw), verb), value, verb);
    } else if (sharpV) this.write(formatText(this.flags, timeGoSyntax(value.raw as string)));
    else this.writeOr(stringText(this.flags, timeText(value.raw as string), verb), value, verb);
    return true;
  }

  private list(open: string, items: readonly (() => void)[], close: string): void {
    this.write(open);
    items.forEach((print, at) => {
      if (at > 0) this.write(this.flags.sharpV ? ', ' : ' ');
      print();
    });
    this.write(close);
  }

  private map(value: Value, verb: string, depth: number): void {
    const items = sortedEntries(value).map(([key, elem]) => () => {
      this.value(key, verb, depth + 1);
      this.write(':');
      this.value(elem, verb, depth + 1);
    });
    if (!this.flags.sharpV) this.list('map[', items, ']');
    else if (isNil(value)) this.write(`${typeName(value.type)}(nil)`);
    else this.list(`${typeName(value.type)}{`, items, '}');
  }

  private struct(value: Value, fields: readonly Field[], verb: string, depth: number): void {
    const { sharpV, plusV } = this.flags;
    const items = fields.map(field => () => {
      if (plusV || sharpV) this.write(`${field.name}:`);
      const inner = fieldValue(value, [field]) as Value;
      this.value(concrete(inner) ?? inner, verb, depth + 1);
    });
    this.list(sharpV ? `${typeName(value.type)}{` : '{', items, '}');
  }

  private slice(value: Value, elem: Type, verb: string, depth: number): void {
    const items = itemsOf(value);
    const isBytes = elem.kind === 'uint' && elem.bits === 8;
    if (isBytes && /^[sqxX]$/.test(verb)) {
      const text = textOf(Uint8Array.from(items as readonly number[]));
      this.writeOr(stringText(this.flags, text, verb), value, verb);
      return;
    }
    const prints = items.map(item => () => this.value(typed(elem, item), verb, depth + 1));
    const known = typeName(value.type);
    const name = known === '[]uint8' && depth === 0 ? '[]byte' : known;
    if (!this.flags.sharpV) this.list('[', prints, ']');
    else if (isNil(value)) this.write(`${name}(nil)`);
    else this.list(`${name}{`, prints, '}');
  }

  /** `&` and what is behind it at the top, an address further in. */
  private pointer(value: Value, elem: Type, verb: string, depth: number): void {
    const isShown = depth === 0 && !isNil(value) && /^(slice|struct|time|map)$/.test(elem.kind);
    if (!isShown) this.writeOr(pointerText(this.flags, value, verb), value, verb);
    else {
      this.write('&');
      this.value(typed(elem, value.raw), verb, depth + 1);
    }
  }

  private interface(value: Value, verb: string, depth: number): void {
    const inner = concrete(value);
    if (inner !== undefined) this.value(inner, verb, depth + 1);
    else this.write(this.flags.sharpV ? 'interface {}(nil)' : '<nil>');
  }
}

const hasString = (type: Type): boolean => methodOf(typed(type, undefined), 'String') !== null;

// fmt.Sprint and fmt.Sprintln: https://pkg.go.dev/fmt

/** A space between two operands of which neither is text. */
export function sprint(operands: readonly Maybe[]): string {
  const printer = new Printer();
  let afterText = true;
  for (const operand of operands) {
    const isText = concrete(operand)?.type.kind === 'string';
    if (!afterText && !isText) printer.write(' ');
    printer.argument(operand, 'v');
    afterText = isText;
  }
  return printer.text();
}

/** A space between any two operands, and a line end. */
export function sprintln(operands: readonly Maybe[]): string {
  const printer = new Printer();
  operands.forEach((operand, at) => {
    if (at > 0) printer.write(' ');
    printer.argument(operand, 'v');
  });
  printer.write('\n');
  return printer.text();
}

// Plain JavaScript data in Go's words.

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
