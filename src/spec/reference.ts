/**
 * Image references and how Docker normalises them: `alpine` is `docker.io/library/alpine:latest`.
 * https://github.com/distribution/reference (grammar), normalised names as in `docker pull`.
 */
export interface Reference {
  /** Registry host, with port. */
  readonly domain: string;
  /** Repository path below the host, with `library/` for Docker's own. */
  readonly path: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-zA-Z=_-]{32,}$/;
/**
 * Longest path of a registry, in characters. The limit also keeps the pattern from running out of stack at a name of
 * megabytes.
 */
const PATH_MAX = 255;
/** No digest of any algorithm is as long. */
const DIGEST_MAX = 1000;

export type ReferenceError =
  | 'invalid reference format'
  | 'repository name must be lowercase'
  | 'repository name must not be more than 255 characters';

/** Parses and normalises a reference. A name without a tag and without a digest keeps `tag: null`. */
export function parseReference(text: string): Reference | ReferenceError {
  let rest = text;
  let digest: string | null = null;
  const at = rest.indexOf('@');
  if (at >= 0) {
    digest = rest.slice(at + 1);
    rest = rest.slice(0, at);
    if (digest.length > DIGEST_MAX || !DIGEST.test(digest)) return 'invalid reference format';
  }
  let tag: string | null = null;
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!TAG.test(tag)) return 'invalid reference format';
  }
  const [domain, path] = splitDomain(rest);
  if (path.length > PATH_MAX) return 'repository name must not be more than 255 characters';
  if (!PATH.test(path)) {
    return PATH.test(path.toLowerCase()) ? 'repository name must be lowercase' : 'invalid reference format';
  }
  return { domain, path, tag, digest };
}

function splitDomain(name: string): [domain: string, path: string] {
  const first = domainIn(name);
  const domain = first ?? 'docker.io';
  const path = first === null ? name : name.slice(first.length + 1);
  if (domain !== 'docker.io' && domain !== 'index.docker.io') return [domain, path];
  return ['docker.io', path.includes('/') ? path : `library/${path}`];
}

/** The registry that a name begins with; null for a short name. */
function domainIn(name: string): string | null {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  return isDomain ? first : null;
}

/**
 * Whether a name is that of an image to which a short name may lead: to podman, `app:1` is `localhost/app:1` first,
 * then that of each registry in its own list, and to Docker the one of docker.io.
 * https://pkg.go.dev/github.com/containers/image/v5/pkg/shortnames#ResolveLocally
 */
export function mayBeShortFor(short: string, name: string): boolean {
  if (domainIn(short) !== null) return false;
  const reference = parseReference(name);
  if (typeof reference === 'string') return false;
  return normalName(`${reference.domain}/${short}`) === fullName(reference);
}

/** The full name, e.g. `docker.io/library/alpine:3.20`; with `latest` where neither a tag nor a digest stands. */
export function fullName(reference: Reference): string {
  const tag = reference.tag ?? (reference.digest === null ? 'latest' : null);
  return `${reference.domain}/${reference.path}${tag === null ? '' : `:${tag}`}${
    reference.digest === null ? '' : `@${reference.digest}`
  }`;
}

/** The name as Docker shows it, e.g. `alpine:3.20`. */
export function familiarName(reference: Reference): string {
  // What lies deeper in library/ is none of Docker's own images, and keeps that name.
  return fullName(reference).replace(/^docker\.io\/(library\/(?!.*\/))?/, '');
}

/** The full name of a text that is a reference, or the text itself. For comparing names written in different ways. */
export function normalName(text: string): string {
  const reference = parseReference(text);
  return typeof reference === 'string' ? text : fullName(reference);
}
