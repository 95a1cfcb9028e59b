// How fmt prints values of every type: https://pkg.go.dev/fmt#hdr-Printing
import { textOf } from './bytes.js';
import { CallError } from './errors.js';
import { type Flags, formatText, noFlags, pad } from './format.js';
import { MAX_TEXT } from './limits.js';
import { pointerText, scalarText, stringText } from './scalar.js';
import { timeGoSyntax, timeText } from './time.js';
import { timeParts } from './time-methods.js';
import type { Field, Type, Value } from './types.js';
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
