import type { Argv } from 'yargs';
import { UsageError } from '../errors.js';

/** `--where PATTERN`, for every command that selects files of an image. */
export const whereOption = <T>(command: Argv<T>) =>
  command.option('where', {
    describe: 'only paths that match this pattern, or lie below what does; may be repeated',
    type: 'string',
    array: true,
    requiresArg: true,
    coerce: readPatterns,
  });

/** @throws UsageError for an empty pattern, which an unset shell variable results in */
export function readPatterns(patterns: readonly string[]): readonly string[] {
  if (patterns.includes(''))
    throw new UsageError('--where: expected a pattern such as *.js or etc/**, found an empty one');
  return patterns;
}

/** The syntax of `pathFilter`, for the help of each command that has `--where`. */
export const PATTERNS = `Patterns: *.js, without a slash, matches at any depth;
etc/*.conf and /etc, with a slash, begin at the root.
* and ? stop at slashes, ** does not; [a-z] and [!a-z] are classes, {a,b} is
either, and \\ takes the next character as it is.`;
