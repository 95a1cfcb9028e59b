/**
 * Go's error for a template that does not parse (`template: :1: unexpected "}" in operand`) or cannot be executed
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

/**
 * The output of a template, or its error, for callers that report instead of throwing. Other errors are bugs, and are
 * thrown.
 */
export type Attempt<T> =
  | { readonly value: T; readonly error: null }
  | { readonly value: null; readonly error: TemplateError };

export function attempt<T>(run: () => T): Attempt<T> {
  try {
    return { value: run(), error: null };
  } catch (error) {
    if (error instanceof TemplateError) return { value: null, error };
    throw error;
  }
}
