import { pathFilter } from '../scan/entries/path-filter.js';
import { familiarName, fullName, parseReference } from '../spec/reference.js';

/**
 * Takes a spelling of an image's name; a pattern begins where the name does, as a path with a slash does. See
 * `pathFilter`.
 */
export const nameFilter = (patterns: readonly string[]) =>
  pathFilter(patterns.map(one => (one.startsWith('/') ? one : `/${one}`)));

/** The ways in which one name is written: short and in full, with and without its tag. */
export function spellingsOf(name: string): string[] {
  const reference = parseReference(name);
  if (typeof reference === 'string') return [name];
  const bare = { ...reference, tag: null, digest: null };
  const repository = (text: string) => text.replace(/:latest$/, '');
  return [
    name,
    fullName(reference),
    familiarName(reference),
    repository(fullName(bare)),
    repository(familiarName(bare)),
  ];
}

/** Names without their tags, in full and in short. */
export const repositoriesOf = (names: readonly string[]): ReadonlySet<string> =>
  new Set(names.flatMap(name => spellingsOf(name).slice(-2)));
