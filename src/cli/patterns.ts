import type { Argv } from 'yargs';

/** `--where PATTERN`, of every command that takes some of an image's files. */
export const whereOption = <T>(command: Argv<T>) =>
  command.option('where', {
    describe: 'only paths that match this pattern, or lie below what does; may be repeated',
    type: 'string',
    array: true,
    requiresArg: true,
  });

/** What `pathFilter` understands, for the help of each command that has `--where`. */
export const PATTERNS = `Patterns: *.js, without a slash, matches at any depth; etc/*.conf and /etc, with one, begin at the root.
* and ? stop at slashes, ** does not, [a-z] and [!a-z] are classes, {a,b} is either, \\ takes the next character as it is.`;
