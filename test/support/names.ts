// Short and full references, as producers write them (distribution/reference).

/** Splits `repo:tag`; a port is not a tag. */
export function splitName(name: string): { repository: string; tag: string } {
  const colon = name.lastIndexOf(':');
  if (colon <= name.lastIndexOf('/')) return { repository: name, tag: 'latest' };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/** `app:1` becomes `docker.io/library/app:1`, as containerd and podman write it. */
export function fullName(name: string): string {
  const { repository, tag } = splitName(name);
  const [first = '', ...rest] = repository.split('/');
  const host = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  if (host) return `${repository}:${tag}`;
  return `docker.io/${rest.length > 0 ? '' : 'library/'}${repository}:${tag}`;
}

/** `docker.io/library/app:1` becomes `app:1`, as Docker writes it. */
export const familiarName = (name: string): string =>
  fullName(name).replace(/^docker\.io\/(library\/(?=[^/]+$))?/, '');

/** The `repositories` document: repository, then tag, then an ID. Go sorts both. */
export function repositoriesOf(pairs: readonly (readonly [name: string, id: string])[]): object {
  const found: Record<string, Record<string, string>> = {};
  for (const [name, id] of [...pairs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { repository, tag } = splitName(name);
    found[repository] = { ...found[repository], [tag]: id };
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}
