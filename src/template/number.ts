// Number constants of a template: https://go.dev/ref/spec#Integer_literals and strconv's ParseInt and ParseFloat.
import { unquoteRune } from './quote.js';

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
