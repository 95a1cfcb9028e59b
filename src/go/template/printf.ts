// The format string of fmt.Printf: https://pkg.go.dev/fmt#hdr-Printing
import { noFlags } from './format.js';
import { Printer } from './printer.js';
import { concrete, type Maybe, typeName, wholeOf } from './value.js';

/** Widths, precisions and argument indexes beyond a million are no numbers to fmt. */
const TOO_LARGE = 1_000_000;

interface Reading {
  readonly format: string;
  readonly operands: readonly Maybe[];
  readonly printer: Printer;
  at: number;
  /** The operand that comes next. */
  operand: number;
  /** An index like `[3]` was used: then what is left over is not told. */
  reordered: boolean;
  goodIndex: boolean;
  afterIndex: boolean;
}

export function sprintf(format: string, operands: readonly Maybe[]): string {
  const printer = new Printer();
  const reading: Reading = {
    format,
    operands,
    printer,
    at: 0,
    operand: 0,
    reordered: false,
    goodIndex: true,
    afterIndex: false,
  };
  while (reading.at < format.length) {
    const percent = format.indexOf('%', reading.at);
    const end = percent < 0 ? format.length : percent;
    printer.write(format.slice(reading.at, end));
    reading.at = end + 1;
    if (percent >= 0) directive(reading);
  }
  if (!reading.reordered && reading.operand < operands.length) extra(reading);
  return printer.text();
}

function directive(reading: Reading): void {
  const { format, operands, printer } = reading;
  printer.flags = noFlags();
  reading.goodIndex = true;
  reading.afterIndex = false;
  flags(reading);
  operandIndex(reading);
  width(reading);
  precision(reading);
  if (!reading.afterIndex) operandIndex(reading);
  if (reading.at >= format.length) {
    printer.write('%!(NOVERB)');
    return;
  }
  const verb = String.fromCodePoint(format.codePointAt(reading.at)!);
  reading.at += verb.length;
  if (verb === '%') printer.write('%');
  else if (!reading.goodIndex) printer.write(`%!${verb}(BADINDEX)`);
  else if (reading.operand >= operands.length) printer.write(`%!${verb}(MISSING)`);
  else {
    if (verb === 'v') {
      const { plus, sharp } = printer.flags;
      Object.assign(printer.flags, { plusV: plus, sharpV: sharp, plus: false, sharp: false });
    }
    printer.argument(operands[reading.operand++], verb);
  }
}

function flags(reading: Reading): void {
  const { flags: set } = reading.printer;
  for (; ; reading.at++) {
    const letter = reading.format[reading.at];
    if (letter === '#') set.sharp = true;
    else if (letter === '0') set.zero = true;
    else if (letter === '+') set.plus = true;
    else if (letter === '-') set.minus = true;
    else if (letter === ' ') set.space = true;
    else return;
  }
}

/** `[3]`: the operand to take next, from 1. */
function operandIndex(reading: Reading): void {
  reading.afterIndex = false;
  if (reading.format[reading.at] !== '[') return;
  reading.reordered = true;
  const close = reading.format.indexOf(']', reading.at);
  const closed = close > reading.at + 1;
  const digits = closed ? reading.format.slice(reading.at + 1, close) : '';
  const number = /^[0-9]+$/.test(digits) ? bounded(digits) : null;
  reading.at = closed || close > 0 ? close + 1 : reading.at + 1;
  reading.afterIndex = number !== null;
  if (number !== null && number >= 1 && number <= reading.operands.length) reading.operand = number - 1;
  else reading.goodIndex = false;
}

/** fmt gives up on a number once it is over a million and another digit follows. */
function bounded(digits: string): number | null {
  const tooLong = digits.length > 1 && Number(digits.slice(0, -1)) > TOO_LARGE;
  return tooLong ? null : Number(digits);
}

function width(reading: Reading): void {
  const set = reading.printer.flags;
  if (reading.format[reading.at] === '*') {
    const number = starOperand(reading, '%!(BADWIDTH)');
    if (number === null) return;
    set.width = Math.abs(number);
    if (number < 0) set.minus = true;
    return;
  }
  set.width = digitsHere(reading);
  if (reading.afterIndex && set.width !== null) reading.goodIndex = false;
}

function precision(reading: Reading): void {
  const set = reading.printer.flags;
  if (reading.format[reading.at] !== '.' || reading.at + 1 >= reading.format.length) return;
  reading.at++;
  if (reading.afterIndex) reading.goodIndex = false;
  operandIndex(reading);
  if (reading.format[reading.at] !== '*') {
    set.precision = digitsHere(reading) ?? 0;
    return;
  }
  const number = starOperand(reading, null);
  if (number === null || number < 0) reading.printer.write('%!(BADPREC)');
  else set.precision = number;
}

/** A number in the format; one that is far too large swallows the rest of the format, as in fmt. */
function digitsHere(reading: Reading): number | null {
  const digits = /^[0-9]*/.exec(reading.format.slice(reading.at))![0];
  if (digits === '') return null;
  const number = bounded(digits);
  reading.at = number === null ? reading.format.length : reading.at + digits.length;
  return number;
}

/** `*`: the number is an operand. */
function starOperand(reading: Reading, complaint: string | null): number | null {
  reading.at++;
  reading.afterIndex = false;
  const missing = reading.operand >= reading.operands.length;
  const operand = missing ? undefined : concrete(reading.operands[reading.operand++]);
  const isWhole = operand?.type.kind === 'int' || operand?.type.kind === 'uint';
  const number = isWhole ? Number(wholeOf(operand)) : null;
  if (number !== null && Math.abs(number) <= TOO_LARGE) return number;
  if (complaint !== null) reading.printer.write(complaint);
  return null;
}

/** Reports arguments that no verb used. */
function extra({ printer, operands, operand: from }: Reading): void {
  printer.flags = noFlags();
  printer.write('%!(EXTRA ');
  operands.slice(from).forEach((operand, at) => {
    const inner = concrete(operand);
    if (at > 0) printer.write(', ');
    if (inner !== undefined) printer.write(`${typeName(inner.type)}=`);
    printer.argument(inner, 'v');
  });
  printer.write(')');
}
