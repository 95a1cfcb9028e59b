import { RE2JS, RE2JSSyntaxException } from 're2js';
import type { Pattern } from './types.js';

/** No pattern that a person writes is as long; RE2 limits what a shorter one can stand for. */
const LONGEST = 4096;

/** @returns the reason in place of a pattern that is none */
export function parsePattern(source: string): Pattern | string {
  if (source.length > LONGEST) return `it has more than ${LONGEST} characters`;
  try {
    const compiled = RE2JS.compile(source);
    return { source, test: text => compiled.matcher(text).find() };
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) return 'it stands for more than the engine takes';
    const where = error.getPattern();
    return where === null ? error.getDescription() : `${error.getDescription()}: \`${where}\``;
  }
}
