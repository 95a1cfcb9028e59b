// fmt.Sprint and fmt.Sprintln: https://pkg.go.dev/fmt
import { Printer } from './printer.js';
import { concrete, type Maybe } from './value.js';

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
