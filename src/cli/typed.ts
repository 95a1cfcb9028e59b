/** Conversion between the arguments as they were typed and those that are given to yargs. */

/** yargs loses a positional `-`, so it is replaced by a name that no file can have. */
export const STDIN = '\0stdin';

/** An argument as it was typed. */
export const typed = (text: string): string => text.replaceAll(STDIN, '-');

/** All arguments as they were typed. */
export function restored(given: Record<string, unknown>): Record<string, unknown> {
  const one = (value: unknown): unknown =>
    typeof value === 'string' ? typed(value) : Array.isArray(value) ? value.map(one) : value;
  return Object.assign(
    given,
    Object.fromEntries(Object.entries(given).map(([key, value]) => [key, one(value)])),
  );
}

const PLATFORM =
  /^(linux|windows|darwin|freebsd|netbsd|openbsd|solaris|illumos|aix|android|wasip1|js)(\([\w.-]+\))?\/[a-z0-9_]+/;

/**
 * Rewrites arguments that yargs cannot parse as intended:
 *
 * * a positional `-`, and names after a `--`
 * * an option whose name begins with `--no-`
 * * the optional platform of --require-complete, which must not take the archive
 * * `help COMMAND`
 * * REF, which must not replace the value of --ref: an option given twice is a list, to which REF is added
 */
export function prepared(args: readonly string[]): string[] {
  if (args[0] === 'version' && args.length === 1) return ['--version'];
  if (args[0] === 'help') return [...args.slice(1), '--help'];
  const end = args.indexOf('--');
  if (end >= 0) {
    const names = args
      .slice(end + 1)
      .map(arg => (arg === '-' ? STDIN : arg.startsWith('-') ? `./${arg}` : arg));
    return [...prepared(args.slice(0, end)), ...names];
  }
  return args.flatMap((arg, i) => {
    if (arg === '-' || arg.startsWith('-#')) return [`${STDIN}${arg.slice(1)}`];
    if (arg === '--no-trunc') return ['--no-trunc=true'];
    if (arg === '--ref' && args[i + 1] !== undefined) return [`--ref=${args[i + 1]}`, arg];
    if (arg.startsWith('--ref=')) return [arg, arg];
    if (args[i - 1] === '--require-complete' && PLATFORM.test(arg)) return [];
    if (arg !== '--require-complete') return [arg];
    const next = args[i + 1] ?? '';
    return [`${arg}=${PLATFORM.test(next) ? next : ''}`];
  });
}

/** The last value of an option that was given several times. */
export function last<T>(value: T | readonly T[]): T {
  const one = (Array.isArray(value) ? value.at(-1) : value) as T;
  return typeof one === 'string' ? (typed(one) as T) : one;
}
