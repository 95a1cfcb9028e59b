import { unquoteRune } from './text.js';

// Number constants of a template: https://go.dev/ref/spec#Integer_literals and strconv's ParseInt and ParseFloat.

/** A constant takes every type that can hold it; what is absent, it cannot be. */
export interface NumberConstant {
  readonly text: string;
  readonly int?: bigint;
  readonly uint?: bigint;
  readonly float?: number;
  readonly complex?: { readonly re: number; readonly im: number };
}

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;
const BASES: Readonly<Record<string, string>> = { x: '0x', o: '0o', b: '0b' };

/** The constant, or the words of the error. */
export function parseNumber(text: string): NumberConstant | string {
  if (text.startsWith("'")) return runeConstant(text);
  const pair = /^(.*[^+\-eEpP])([+-].*i)$/.exec(text) ?? (text.endsWith('i') ? [text, '0', text] : null);
  if (pair !== null) {
    const re = parseFloat64(pair[1]!);
    const im = parseFloat64(pair[2]!.slice(0, -1));
    if (re !== null && im !== null) return complexConstant(text, re, im);
  }
  return realConstant(text);
}

function runeConstant(text: string): NumberConstant | string {
  const code = unquoteRune(text);
  if (code === null) return 'invalid syntax';
  if (code === undefined) return `malformed character constant: ${text}`;
  return { text, int: BigInt(code), uint: BigInt(code), float: code };
}

function complexConstant(text: string, re: number, im: number): NumberConstant {
  return im === 0 ? { text, complex: { re, im }, ...fromFloat(re) } : { text, complex: { re, im } };
}

function realConstant(text: string): NumberConstant | string {
  const whole = parseInteger(text);
  if (whole !== null && whole >= MIN_INT && whole <= MAX_UINT) {
    return {
      text,
      float: Number(whole),
      ...(whole <= MAX_INT ? { int: whole } : {}),
      ...(whole === 0n || (whole > 0n && !/^[+-]/.test(text)) ? { uint: whole } : {}),
    };
  }
  const float = parseFloat64(text);
  if (float === null) return `illegal number syntax: "${text}"`;
  return /[.eEpP]/.test(text) ? { text, ...fromFloat(float) } : `integer overflow: "${text}"`;
}

function fromFloat(float: number): Partial<NumberConstant> {
  if (!Number.isInteger(float)) return { float };
  const whole = BigInt(float);
  return {
    float,
    ...(whole >= MIN_INT && whole <= MAX_INT ? { int: whole } : {}),
    ...(whole >= 0n && whole <= MAX_UINT ? { uint: whole } : {}),
  };
}

/** Underscores stand between digits, or between the prefix of a base and a digit. */
function withoutUnderscores(text: string): string | null {
  const bare = text.replace(/^[+-]/, '').replace(/^0[xob]/i, '0');
  const misplaced = /^[+-]?0x/i.test(text) ? /(^|[^0-9a-f])_|_([^0-9a-f]|$)/i : /(^|[^0-9])_|_([^0-9]|$)/;
  return misplaced.test(bare) ? null : text.replaceAll('_', '');
}

/** ParseInt with base 0: the prefix tells the base, and `017` is octal. */
function parseInteger(text: string): bigint | null {
  const digits = withoutUnderscores(text);
  const parts = digits === null ? null : /^([+-]?)(0[xX]|0[oO]|0[bB]|0)?([0-9a-fA-F]*)$/.exec(digits);
  if (parts === null) return null;
  const [, sign, prefix = '', body = ''] = parts;
  if (prefix === '0' && body === '') return 0n;
  const base = prefix === '' ? '' : (BASES[prefix.slice(1).toLowerCase()] ?? '0o');
  const valid = { '': /^[0-9]+$/, '0x': /^[0-9a-f]+$/i, '0o': /^[0-7]+$/, '0b': /^[01]+$/ }[base];
  if (valid === undefined || !valid.test(body)) return null;
  const whole = BigInt(base + body);
  return sign === '-' ? -whole : whole;
}

/** ParseFloat; null where it is no number or too large. */
function parseFloat64(text: string): number | null {
  const digits = withoutUnderscores(text);
  if (digits === null) return null;
  const hex = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?[0-9]+)$/.exec(digits);
  if (hex !== null) return hexFloat(hex[1]!, hex[2]!, hex[3]!, Number(hex[4]));
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(digits)) return null;
  const float = Number(digits);
  return Number.isFinite(float) ? float : null;
}

function hexFloat(sign: string, whole: string, fraction: string, exponent: number): number | null {
  if (whole + fraction === '') return null;
  const mantissa = BigInt(`0x${whole}${fraction}`);
  const float = scaled(mantissa, exponent - 4 * fraction.length);
  return Number.isFinite(float) ? (sign === '-' ? -float : float) : null;
}

/** mantissa × 2^exponent. Only the last multiplication may round. */
function scaled(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  if (exponent >= 0) return exponent > 1100 ? Number.POSITIVE_INFINITY : Number(mantissa << BigInt(exponent));
  const spare = mantissa.toString(2).length - 60;
  if (spare > 0) {
    const sticky = (mantissa & ((1n << BigInt(spare)) - 1n)) === 0n ? 0n : 1n;
    return scaled(((mantissa >> BigInt(spare)) << 1n) | sticky, exponent + spare - 1);
  }
  return (
    Number(mantissa) * 2 ** Math.max(exponent, -1000) * 2 ** Math.min(0, Math.max(exponent + 1000, -1000))
  );
}

// strconv.FormatFloat: https://pkg.go.dev/strconv#FormatFloat

/** Decimal digits without zeros at their end: 0.d1d2d3… × 10^point. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
}

/** A double has no more decimals than this; beyond it there are only zeros. */
const MAX_DECIMALS = 1100;

/** `precision` null is the fewest digits that give the same number back. `NaN` and `+Inf` come without padding. */
export function formatFloat(value: number, verb: string, precision: number | null, bits: 32 | 64): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  switch (verb) {
    case 'b':
      return sign + binary(size, bits);
    case 'x':
    case 'X':
      return sign + cased(hexadecimal(size, precision), verb);
    case 'f':
      return sign + fixed(digitsFor(size, precision, bits, 'f'), precision);
    case 'e':
    case 'E':
      return sign + cased(scientific(digitsFor(size, precision, bits, 'e'), precision), verb);
    default:
      return sign + cased(general(size, precision, bits), verb);
  }
}

const cased = (text: string, verb: string): string => (verb < 'a' ? text.toUpperCase() : text);

function digitsFor(size: number, precision: number | null, bits: 32 | 64, verb: 'e' | 'f'): Decimal {
  if (size === 0) return { digits: '', point: 0 };
  if (precision === null) return shortest(size, bits);
  if (verb === 'e') return significant(size, precision + 1);
  const decimals = Math.min(precision, MAX_DECIMALS);
  const digits = roundedQuotient(size, decimals).toString();
  return trimmed(digits === '0' ? '' : digits, digits === '0' ? 0 : digits.length - decimals);
}

const trimmed = (digits: string, point: number): Decimal => ({ digits: digits.replace(/0+$/, ''), point });

function shortest(size: number, bits: 32 | 64): Decimal {
  const exponential = bits === 64 ? size.toExponential() : shortestSingle(size);
  const [mantissa, exponent] = exponential.split('e');
  return trimmed(mantissa!.replace('.', ''), Number(exponent) + 1);
}

/** The fewest digits that give the same float32 back. */
export function shortestSingle(size: number): string {
  for (let digits = 0; digits < 8; digits++) {
    const text = size.toExponential(digits);
    if (Math.fround(Number(text)) === Math.fround(size)) return text;
  }
  return size.toExponential(8);
}

/** So many digits, an exact half going to the even one. */
function significant(size: number, count: number): Decimal {
  const wanted = Math.min(count, MAX_DECIMALS);
  const exponent = Number(size.toExponential(20).split('e')[1]);
  for (const guess of [exponent, exponent + 1]) {
    const digits = roundedQuotient(size, wanted - 1 - guess).toString();
    if (digits.length <= wanted) return trimmed(digits, digits.length + guess + 1 - wanted);
  }
  return trimmed('1', exponent + 2);
}

/** size × 10^decimals as a whole number, an exact half going to the even one. */
function roundedQuotient(size: number, decimals: number): bigint {
  const { mantissa, exponent } = parts(size);
  const up = (exponent > 0 ? 2n ** BigInt(exponent) : 1n) * (decimals > 0 ? 10n ** BigInt(decimals) : 1n);
  const down = (exponent < 0 ? 2n ** BigInt(-exponent) : 1n) * (decimals < 0 ? 10n ** BigInt(-decimals) : 1n);
  const numerator = mantissa * up;
  const quotient = numerator / down;
  const twice = (numerator % down) * 2n;
  return twice > down || (twice === down && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

/** size = mantissa × 2^exponent, exactly, with IEEE 754's 53 bits of mantissa. */
function parts(size: number): { readonly mantissa: bigint; readonly exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, size);
  const bits = view.getBigUint64(0);
  const exponent = Number(bits >> 52n);
  const fraction = bits & ((1n << 52n) - 1n);
  return exponent === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: exponent - 1075 };
}

function fixed({ digits, point }: Decimal, precision: number | null): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  const decimals = (point > 0 ? digits.slice(point) : '0'.repeat(-point) + digits) as string;
  const fraction = precision === null ? decimals : decimals.slice(0, precision).padEnd(precision, '0');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

function scientific({ digits, point }: Decimal, precision: number | null): string {
  const fraction = precision === null ? digits.slice(1) : digits.slice(1).padEnd(precision, '0');
  const mantissa = (digits[0] ?? '0') + (fraction === '' ? '' : `.${fraction}`);
  const exponent = digits === '' ? 0 : point - 1;
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** `%g`: without an exponent where that is shorter. */
function general(size: number, precision: number | null, bits: 32 | 64): string {
  const wanted = precision === null ? null : Math.max(precision, 1);
  const decimal = digitsFor(size, wanted === null ? null : wanted - 1, bits, 'e');
  const count = decimal.digits.length;
  const limit = wanted === null ? 6 : wanted > count && count >= decimal.point ? count : wanted;
  const exponent = decimal.point - 1;
  if (size !== 0 && (exponent < -4 || exponent >= limit)) return scientific(decimal, null);
  return fixed(decimal, Math.max(count - decimal.point, 0));
}

function binary(size: number, bits: 32 | 64): string {
  const { mantissa, exponent } = parts(size);
  const drop = bits === 32 ? 29 : 0;
  const shown = exponent + drop;
  return `${mantissa >> BigInt(drop)}p${shown < 0 ? '' : '+'}${shown}`;
}

/** `0x1.8p+01`: one hexadecimal digit before the point, and as many as are needed, or asked for, behind it. */
function hexadecimal(size: number, precision: number | null): string {
  if (size === 0) return `0x0${precision ? `.${'0'.repeat(precision)}` : ''}p+00`;
  const exact = parts(size);
  const shift = 53 - exact.mantissa.toString(2).length;
  let mantissa = exact.mantissa << BigInt(shift);
  let exponent = exact.exponent - shift + 52;
  if (precision !== null && precision < 13) {
    const unit = 1n << BigInt(52 - 4 * precision);
    const rest = mantissa % unit;
    mantissa -= rest;
    if (rest * 2n > unit || (rest * 2n === unit && (mantissa / unit) % 2n === 1n)) mantissa += unit;
    if (mantissa >> 53n) {
      mantissa >>= 1n;
      exponent++;
    }
  }
  const digits = (mantissa & ((1n << 52n) - 1n)).toString(16).padStart(13, '0');
  const fraction =
    precision === null ? digits.replace(/0+$/, '') : digits.slice(0, precision).padEnd(precision, '0');
  const power = `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return `0x1${fraction === '' ? '' : `.${fraction}`}p${power}`;
}
