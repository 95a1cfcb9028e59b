import { pathFilter } from '../containers/path-filter.js';
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

/** Distribution specification, "Pulling manifests". */
const TAG = /^\w[\w.-]{0,127}$/;

/**
 * The tag of a name, `latest` if it has neither a tag nor a digest; null for none.
 * @param isLayout  whether it is the name in an OCI layout, where `org.opencontainers.image.ref.name` may be a tag
 *   alone
 * (image-layout.md, "Indexing")
 */
export function tagOf(name: string, isLayout: boolean): string | null {
  if (isLayout && TAG.test(name)) return name;
  const reference = parseReference(name);
  // A name that no engine takes still ends in what people read as a tag.
  if (typeof reference === 'string') return /:([^:/@]+)$/.exec(name)?.[1] ?? null;
  return reference.tag ?? (reference.digest === null ? 'latest' : null);
}

/** Names without their tags, in full and in short. */
export const repositoriesOf = (names: readonly string[]): ReadonlySet<string> =>
  new Set(names.flatMap(name => spellingsOf(name).slice(-2)));
