// Go templates: https://pkg.go.dev/text/template
import { execute } from './exec.js';
import { parseTemplate, sourceOf, type Template } from './parse.js';

import { plainValue } from './printer.js';

export { type Moment, parseTime } from '../time.js';
export { type DecodeOptions, decode } from './decode.js';
export { encodeJson } from './encode.js';
export { type Attempt, attempt, TemplateError } from './errors.js';
export type { Guard } from './guard.js';
export type { Template } from './parse.js';
export type { Options as ExecuteOptions } from './state.js';
export { DURATION, formatTime, momentOf, timeJson, timeText } from './time.js';
export * from './types.js';
export { rootFields } from './types.js';
export { typeName } from './value.js';
export { execute, parseTemplate, plainValue };

/** The main template written back in normal form, as Go's `Root.String()`: comments and spare spaces are gone. */
export const templateSource = (template: Template): string => template.bodies.get('')!.map(sourceOf).join('');

/**
 * Applies a Go template, with Docker's functions, to plain data.
 * @throws TemplateError
 */
export function renderTemplate(source: string, data: unknown): string {
  return execute(parseTemplate(source), plainValue(data), { rangeOverInt: false });
}
