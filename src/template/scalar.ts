// What the verbs of fmt make of a single value: https://pkg.go.dev/fmt#hdr-Printing
import {
  type Flags,
  formatBool,
  formatHexText,
  formatInteger,
  formatNumber,
  formatQuoted,
  formatQuotedRune,
  formatRune,
  formatText,
  formatUnicode,
  pad,
} from './format.js';
import type { Value } from './types.js';
import { complexOf, isNil, typeName, wholeOf } from './value.js';

/** Go prints where a pointer points to; no two runs of it agree, so all print this. */
const ADDRESS = 0xc000012345n;

/** The value as the verb writes it; null where it is not a verb for such values, or they are no single ones. */
export function scalarText(flags: Flags, value: Value, verb: string): string | null {
  const { type, raw } = value;
  switch (type.kind) {
    case 'bool':
      return /^[tv]$/.test(verb) ? formatBool(flags, raw === true) : null;
    case 'int':
    case 'uint':
      return integerText(flags, wholeOf(value), verb, type.kind === 'uint');
    case 'float':
      return FLOAT_VERB.test(verb) ? formatNumber(flags, Number(raw), verb, type.bits) : null;
    case 'complex':
      return FLOAT_VERB.test(verb) ? complexText(flags, value, verb) : null;
    case 'string':
      return stringText(flags, raw as string, verb);
    default:
      return null;
  }
}

const FLOAT_VERB = /^[vbgGxXfFeE]$/;

function integerText(flags: Flags, whole: bigint, verb: string, unsigned: boolean): string | null {
  if (verb === 'c') return formatRune(flags, whole);
  if (verb === 'q') return formatQuotedRune(flags, whole);
  if (verb === 'U') return formatUnicode(flags, whole);
  if (verb === 'v' && flags.sharpV && unsigned) return formatInteger({ ...flags, sharp: true }, whole, 'x');
  return /^[vdboOxX]$/.test(verb) ? formatInteger(flags, whole, verb) : null;
}

function complexText(flags: Flags, value: Value, verb: string): string {
  const { re, im } = complexOf(value);
  const imaginary = formatNumber({ ...flags, plus: true }, im, verb, 64);
  return `(${formatNumber(flags, re, verb, 64)}${imaginary}i)`;
}

export function stringText(flags: Flags, text: string, verb: string): string | null {
  if (verb === 'q' || (verb === 'v' && flags.sharpV)) return formatQuoted(flags, text);
  if (verb === 'v' || verb === 's') return formatText(flags, text);
  return verb === 'x' || verb === 'X' ? formatHexText(flags, text, verb) : null;
}

/** Where a pointer, slice or map is; null for what is none. */
export function pointerText(flags: Flags, value: Value, verb: string): string | null {
  if (!/^(pointer|map|slice)$/.test(value.type.kind)) return null;
  const address = isNil(value) ? 0n : ADDRESS;
  const hex = (sharp: boolean) => formatInteger({ ...flags, sharp }, address, 'x');
  if (verb === 'v' && flags.sharpV) {
    return `(${typeName(value.type)})(${address === 0n ? 'nil' : hex(true)})`;
  }
  if (verb === 'v' && address === 0n) return pad(flags, '<nil>');
  if (verb === 'v' || verb === 'p') return hex(!flags.sharp);
  return /^[bodxX]$/.test(verb) ? formatInteger(flags, address, verb) : null;
}
