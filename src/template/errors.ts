/**
 * What Go says of a template that does not parse (`template: :1: unexpected "}" in operand`) or cannot be executed
 * (`template: :1:2: executing "" at <.Nope>: …`). The position is line and, in bytes from 0, column.
 */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  constructor(
    readonly phase: 'parse' | 'exec',
    message: string,
  ) {
    super(message);
  }
}

/** A function or method of a template that fails; execution adds its name and position. */
export class CallError extends Error {
  override readonly name = 'CallError';
}
