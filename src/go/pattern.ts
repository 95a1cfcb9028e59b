/** The result of matching a pattern. */
export interface Pattern {
  test(text: string): boolean;
}

/** One character, or any but a slash, or one of a class. */
type Atom = string | typeof ANY | Class;

/** The part of a pattern after one star, or before the first. */
interface Chunk {
  readonly afterStar: boolean;
  readonly atoms: Atom[];
}

interface Class {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [low: string, high: string])[];
}

const ANY = Symbol('?');

/**
 * Go's path.Match: `*` and `?` stop at slashes, `[a-z]` and `[^a-z]` are classes, a backslash takes the next character
 * for itself. As in Go a star never takes back what the one before it took, so that no name takes long.
 * https://pkg.go.dev/path#Match
 * @returns null for a pattern that is malformed
 */
export function goPattern(pattern: string): Pattern | null {
  const characters = [...pattern];
  const chunks: Chunk[] = [{ afterStar: false, atoms: [] }];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]!;
    const { afterStar, atoms } = chunks.at(-1)!;
    if (character === '*') {
      if (!afterStar || atoms.length > 0) chunks.push({ afterStar: true, atoms: [] });
    } else if (character === '?') atoms.push(ANY);
    else if (character === '[') {
      const end = classEnd(characters, i);
      if (end === null) return null;
      atoms.push(end.found);
      i = end.at;
    } else if (character === '\\') {
      const next = characters[++i];
      if (next === undefined) return null;
      atoms.push(next);
    } else atoms.push(character);
  }
  return { test: text => matches(chunks, [...text]) };
}

function matches(chunks: readonly Chunk[], characters: readonly string[]): boolean {
  let at = 0;
  for (const [i, { afterStar, atoms }] of chunks.entries()) {
    const isLast = i === chunks.length - 1;
    if (afterStar && isLast && atoms.length === 0) return !characters.includes('/', at);
    let end = endOf(atoms, characters, at);
    while (end === null || (isLast && end < characters.length)) {
      if (!afterStar || at >= characters.length || characters[at] === '/') return false;
      end = endOf(atoms, characters, ++at);
    }
    at = end;
  }
  return at === characters.length;
}

/** Where a chunk ends that begins at a place; null where it does not fit there. */
function endOf(atoms: readonly Atom[], characters: readonly string[], start: number): number | null {
  if (start + atoms.length > characters.length) return null;
  const fits = atoms.every((atom, i) => isOne(atom, characters[start + i]!));
  return fits ? start + atoms.length : null;
}

function isOne(atom: Atom, character: string): boolean {
  if (typeof atom === 'string') return atom === character;
  if (atom === ANY) return character !== '/';
  // A class without characters holds none, and its opposite any, a slash too.
  const code = character.codePointAt(0)!;
  return (
    atom.ranges.some(([low, high]) => low.codePointAt(0)! <= code && code <= high.codePointAt(0)!) !==
    atom.negated
  );
}

/** A class, from its bracket: ranges, and no end before the first of them. */
function classEnd(characters: readonly string[], start: number): { found: Class; at: number } | null {
  let at = start + 1;
  const negated = characters[at] === '^';
  if (negated) at++;
  const ranges: (readonly [string, string])[] = [];
  for (let count = 0; count === 0 || characters[at] !== ']'; count++) {
    const low = classCharacter(characters, at);
    if (low === null) return null;
    const high = characters[low.next] === '-' ? classCharacter(characters, low.next + 1) : low;
    if (high === null) return null;
    at = high.next;
    ranges.push([low.character, high.character]);
  }
  return { found: { negated, ranges }, at };
}

function classCharacter(
  characters: readonly string[],
  at: number,
): { character: string; next: number } | null {
  const escaped = characters[at] === '\\';
  const character = characters[escaped ? at + 1 : at];
  const next = at + (escaped ? 2 : 1);
  // A pattern cannot end inside a class.
  if (character === undefined || next >= characters.length) return null;
  if (!escaped && (character === '-' || character === ']')) return null;
  return { character, next };
}
