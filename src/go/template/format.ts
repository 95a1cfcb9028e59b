import { formatFloat } from './number.js';
import { bytesOf, canBackquote, inChunks, isPrint, quote, quoteRune } from './text.js';
import type { Value } from './types.js';
import { complexOf, isNil, typeName, wholeOf } from './value.js';

// How the verbs of fmt write numbers and text, with flags, width and precision: https://pkg.go.dev/fmt#hdr-Printing

export interface Flags {
  width: number | null;
  precision: number | null;
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  /** `%+v`: field names. */
  plusV: boolean;
  /** `%#v`: Go syntax. */
  sharpV: boolean;
}

export const noFlags = (): Flags => ({
  width: null,
  precision: null,
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  plusV: false,
  sharpV: false,
});

const runes = (text: string): readonly string[] => [...text];

export function pad(flags: Flags, text: string, zero = flags.zero): string {
  if (flags.width === null || text.length >= 2 * flags.width) return text;
  const fill = (zero && !flags.minus ? '0' : ' ').repeat(Math.max(0, flags.width - runes(text).length));
  return flags.minus ? text + fill : fill + text;
}

const formatBool = (flags: Flags, value: boolean): string => pad(flags, String(value));

const truncated = ({ precision }: Flags, text: string): string =>
  precision === null
    ? text
    : runes(text.slice(0, 2 * precision))
        .slice(0, precision)
        .join('');

export const formatText = (flags: Flags, text: string): string => pad(flags, truncated(flags, text));

function formatQuoted(flags: Flags, text: string): string {
  const cut = truncated(flags, text);
  return pad(flags, flags.sharp && canBackquote(cut) ? `\`${cut}\`` : quote(cut, flags.plus));
}

/** `% x` puts spaces between the bytes, `%#x` a `0x` before them all, and both together before each. */
function formatHexText(flags: Flags, text: string, verb: 'x' | 'X'): string {
  const bytes = bytesOf(text).subarray(0, flags.precision ?? undefined);
  if (bytes.length === 0) return pad(flags, '');
  const prefix = flags.sharp ? '0x' : '';
  const pairs = Buffer.from(bytes).toString('hex');
  const spaced = (chunk: string) => chunk.replace(/..(?!$)/g, `$& ${prefix}`);
  const shown =
    prefix +
    (flags.space
      ? inChunks(pairs, (chunk, before) => (before === '' ? '' : ` ${prefix}`) + spaced(chunk))
      : pairs);
  return pad(flags, verb === 'X' ? shown.toUpperCase() : shown);
}

const BASES: Readonly<Record<string, 2 | 8 | 10 | 16>> = { b: 2, o: 8, O: 8, x: 16, X: 16 };

function formatInteger(flags: Flags, value: bigint, verb: string): string {
  const negative = value < 0n;
  const base = BASES[verb] ?? 10;
  if (flags.precision === 0 && value === 0n) return ' '.repeat(flags.width ?? 0);
  const signed = negative || flags.plus || flags.space;
  const filled = flags.zero && !flags.minus && flags.width !== null ? flags.width - (signed ? 1 : 0) : 0;
  const digits = (negative ? -value : value).toString(base).padStart(flags.precision ?? filled, '0');
  const prefixed = integerPrefix(flags, base, verb, digits) + digits;
  const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  return pad(flags, sign + (verb === 'X' ? prefixed.toUpperCase() : prefixed), false);
}

function integerPrefix(flags: Flags, base: number, verb: string, digits: string): string {
  if (verb === 'O') return flags.sharp && !digits.startsWith('0') ? '0o0' : '0o';
  if (!flags.sharp) return '';
  if (base === 8) return digits.startsWith('0') ? '' : '0';
  return base === 16 ? '0x' : base === 2 ? '0b' : '';
}

const isCharacter = (value: bigint): boolean =>
  value >= 0n && value <= 0x10ffffn && (value & ~0x7ffn) !== 0xd800n;

/** Replaces invalid code points by U+FFFD. */
const runeOf = (value: bigint): string =>
  isCharacter(value) ? String.fromCodePoint(Number(value)) : '\ufffd';

const formatRune = (flags: Flags, value: bigint): string => pad(flags, runeOf(value));

const formatQuotedRune = (flags: Flags, value: bigint): string =>
  pad(flags, quoteRune(runeOf(value), flags.plus));

/** `U+0078`, and with `#` the character too. */
function formatUnicode(flags: Flags, value: bigint): string {
  const code = BigInt.asUintN(64, value);
  const digits = code
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, flags.precision ?? 0), '0');
  const character = isCharacter(code) ? runeOf(code) : '';
  const seen = flags.sharp && isPrint(character) ? ` '${character}'` : '';
  return pad(flags, `U+${digits}${seen}`, false);
}

function formatNumber(flags: Flags, value: number, verb: string, bits: 32 | 64): string {
  const known = verb === 'F' ? 'f' : verb === 'v' ? 'g' : verb;
  const usual = /[efE]/.test(known) ? 6 : null;
  const precision = flags.precision ?? usual;
  const text = formatFloat(value, known, precision, bits);
  const signed = /^[+-]/.test(text) ? text : `+${text}`;
  const number = flags.space && !flags.plus ? signed.replace(/^\+/, ' ') : signed;
  if (!Number.isFinite(value)) {
    const keepSign = !Number.isNaN(value) || flags.space || flags.plus;
    const shown = keepSign ? number : number.slice(1);
    return pad(
      flags,
      Number.isNaN(value) || flags.plus || !shown.startsWith('+') ? shown : shown.slice(1),
      false,
    );
  }
  const full = flags.sharp && verb !== 'b' ? withPoint(number, verb, flags.precision) : number;
  if (!flags.plus && full.startsWith('+')) return pad(flags, full.slice(1));
  if (!flags.zero || flags.minus || flags.width === null || flags.width <= full.length)
    return pad(flags, full);
  return full[0]! + full.slice(1).padStart(flags.width - 1, '0');
}

/** `#`: always a decimal point, and for `%g` the zeros at the end too. */
function withPoint(number: string, verb: string, precision: number | null): string {
  const tail = (verb === 'x' || verb === 'X' ? /p.*$/i : /[ep].*$/i).exec(number)?.[0] ?? '';
  const mantissa = number.slice(0, number.length - tail.length);
  const wanted = /[vgGx]/.test(verb) ? (precision ?? 6) : 0;
  const pointed = mantissa.includes('.') ? mantissa : `${mantissa}.`;
  const digits = mantissa.slice(1).replace('.', '');
  const zero = mantissa.slice(1) === '0' ? 1 : digits.replace(/^0+/, '').length;
  return pointed + '0'.repeat(Math.max(0, wanted - zero)) + tail;
}

// What the verbs of fmt make of a single value: https://pkg.go.dev/fmt#hdr-Printing

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
