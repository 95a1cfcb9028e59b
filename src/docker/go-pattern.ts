/**
 * Go's path.Match: `*` and `?` stop at slashes, `[a-z]` and `[^a-z]` are classes, a backslash takes the next character for
 * itself. https://pkg.go.dev/path#Match
 * @returns null for a pattern that is malformed
 */
export function goPattern(pattern: string): RegExp | null {
  const characters = [...pattern];
  let source = '';
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]!;
    if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[') {
      const end = classEnd(characters, i);
      if (end === null) return null;
      source += end.source;
      i = end.at;
    } else if (character === '\\') {
      const next = characters[++i];
      if (next === undefined) return null;
      source += literal(next);
    } else source += literal(character);
  }
  return new RegExp(`^${source}$`, 'su');
}

const literal = (character: string) => `\\u{${character.codePointAt(0)!.toString(16)}}`;

/** A class, from its bracket: ranges, and no end before the first of them. */
function classEnd(characters: readonly string[], start: number): { source: string; at: number } | null {
  let at = start + 1;
  const negated = characters[at] === '^';
  if (negated) at++;
  let ranges = '';
  for (let count = 0; count === 0 || characters[at] !== ']'; count++) {
    const low = classCharacter(characters, at);
    if (low === null) return null;
    const high = characters[low.next] === '-' ? classCharacter(characters, low.next + 1) : low;
    if (high === null) return null;
    at = high.next;
    // A range the wrong way round holds nothing.
    if (low.character <= high.character) ranges += `${literal(low.character)}-${literal(high.character)}`;
  }
  // A class without characters matches none, and its opposite any, a slash too.
  const source = ranges === '' ? (negated ? '[^]' : '[]') : `[${negated ? '^' : ''}${ranges}]`;
  return { source, at };
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
