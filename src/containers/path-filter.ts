import { UsageError } from '../errors.js';

/**
 * Returns a predicate for paths that match a pattern, or are below such a path. `*` and `?` do not match slashes, `**`
 * does, `[a-z]` and `[!a-z]` are classes, `{a,b}` is an alternative, a backslash escapes the next character. As in
 * .gitignore, a pattern without a slash matches at any depth, and one with a slash, other than at its end, is anchored
 * at the root.
 * @returns a function of a path as text, without a leading slash
 * @throws UsageError if braces expand to too many patterns
 */
export const pathFilter = (patterns: readonly string[]): ((path: string) => boolean) =>
  filterBy(patterns, false);

/**
 * As `pathFilter`, but what lies below a match is none. @throws UsageError for braces that stand for too many patterns
 */
export const exactPathFilter = (patterns: readonly string[]): ((path: string) => boolean) =>
  filterBy(patterns, true);

function filterBy(patterns: readonly string[], isExact: boolean): (path: string) => boolean {
  const compiled = patterns.flatMap(alternatives).map(compile);
  return path => {
    const segments = isExact && path === '' ? [] : path.split('/');
    return compiled.some(pattern => matches(pattern, segments, isExact));
  };
}

/** Whether a pattern stands for one path alone. */
export const isLiteralPattern = (pattern: string): boolean =>
  !/[*?[\]{}\\]/.test(pattern) && pattern.replace(/\/+$/, '').includes('/');

type Step = 'any-depth' | readonly Piece[];
/** One character, any number of them, or a test for one. */
type Piece = string | typeof ANY | ((character: string) => boolean);

const ANY = Symbol('*');

/** Maximum number of patterns that braces may expand to. */
const ALTERNATIVES = 1000;

const brief = (pattern: string) => (pattern.length <= 100 ? pattern : `${pattern.slice(0, 100)}…`);

/** Expands the braces of a pattern. */
function alternatives(pattern: string): string[] {
  let done: string[] = [];
  let open = [pattern];
  while (open.length > 0 && done.length + open.length < ALTERNATIVES) {
    const split = open.map(firstBraces);
    done = done.concat(split.flatMap((parts, i) => (parts === null ? [open[i]!] : [])));
    open = split.flatMap(parts => parts ?? []);
  }
  if (open.some(left => firstBraces(left) !== null))
    throw new UsageError(
      `${JSON.stringify(brief(pattern))}: its braces stand for more than ${ALTERNATIVES} patterns`,
    );
  return done.concat(open);
}

function firstBraces(pattern: string): string[] | null {
  const open = unescaped(pattern, 0, '{');
  const close = unescaped(pattern, open + 1, '{}');
  if (open < 0 || pattern[close] !== '}') return null;
  const [before, after] = [pattern.slice(0, open), pattern.slice(close + 1)];
  const choices = pattern.slice(open + 1, close).split(/(?<!\\),/);
  return choices.map(choice => `${before}${choice}${after}`);
}

/** Index of the first of some characters that is not escaped by a backslash; -1 if there is none. */
function unescaped(pattern: string, start: number, characters: string): number {
  for (let at = start; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++;
    else if (characters.includes(pattern[at]!)) return at;
  }
  return -1;
}

function compile(pattern: string): Step[] {
  const steps = pattern
    .split('/')
    .filter(segment => segment !== '' && segment !== '.')
    .map(segment => (segment === '**' ? 'any-depth' : piecesOf(segment)));
  const isAnchored = pattern.replace(/\/+$/, '').includes('/') || steps.length === 0;
  return isAnchored ? steps : ['any-depth', ...steps];
}

function piecesOf(segment: string): Piece[] {
  const pieces: Piece[] = [];
  const characters = [...segment];
  const lastEnd = characters.lastIndexOf(']');
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]!;
    if (character === '*') {
      if (pieces.at(-1) !== ANY) pieces.push(ANY);
    } else if (character === '?') pieces.push(() => true);
    else if (character === '\\' && i + 1 < characters.length) pieces.push(characters[++i]!);
    else if (character === '[' && i < lastEnd) {
      const end = characters.indexOf(']', i + 2 + (/[!^]/.test(characters[i + 1] ?? '') ? 1 : 0));
      if (end < 0) pieces.push(character);
      else {
        pieces.push(classTest(characters.slice(i + 1, end)));
        i = end;
      }
    } else pieces.push(character);
  }
  return pieces;
}

function classTest(characters: readonly string[]): (character: string) => boolean {
  const negated = /[!^]/.test(characters[0] ?? '');
  const ranges: [string, string][] = [];
  for (let i = negated ? 1 : 0; i < characters.length; i++) {
    const isRange = characters[i + 1] === '-' && i + 2 < characters.length;
    ranges.push([characters[i]!, characters[isRange ? i + 2 : i]!]);
    if (isRange) i += 2;
  }
  return character => ranges.some(([low, high]) => low <= character && character <= high) !== negated;
}

/**
 * True if the steps match the path or, unless the match has to be exact, a directory above it. Only the last `**` is
 * ever retried, so the time is bounded.
 */
function matches(steps: readonly Step[], segments: readonly string[], isExact: boolean): boolean {
  let again: { step: number; segment: number } | null = null;
  let step = 0;
  for (let segment = 0; step < steps.length || (isExact && segment < segments.length); ) {
    const wanted = steps[step];
    if (wanted === 'any-depth') {
      again = { step: ++step, segment };
      if (step === steps.length) return segment < segments.length;
    } else if (
      wanted !== undefined &&
      segment < segments.length &&
      matchesSegment(wanted, segments[segment]!)
    ) {
      step++;
      segment++;
    } else {
      if (again === null || again.segment >= segments.length) return false;
      again.segment++;
      step = again.step;
      segment = again.segment;
    }
  }
  return true;
}

/** As with `**`, only the last `*` is ever retried, so the time is bounded. */
function matchesSegment(pieces: readonly Piece[], segment: string): boolean {
  const characters = [...segment];
  let again: { piece: number; at: number } | null = null;
  let piece = 0;
  let at = 0;
  while (at < characters.length || piece < pieces.length) {
    const wanted = pieces[piece];
    if (wanted === ANY) again = { piece: ++piece, at };
    else if (at < characters.length && wanted !== undefined && fits(wanted, characters[at]!)) {
      piece++;
      at++;
    } else {
      if (again === null || again.at >= characters.length) return false;
      again.at++;
      piece = again.piece;
      at = again.at;
    }
  }
  return true;
}

function fits(wanted: Piece, character: string): boolean {
  return typeof wanted === 'function' ? wanted(character) : wanted === character;
}
