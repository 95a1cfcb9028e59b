import { TemplateError } from './errors.js';

/** What a template gave, or how it failed: for callers that report and do not throw. Other errors are bugs and pass. */
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
