import { fileURLToPath } from 'node:url';
import { InputError, UsageError } from '../errors.js';
import { parseReference } from '../spec/reference.js';
import { readArchiveName } from './arguments.js';
import { STDIN } from './typed.js';

/** The meaning of one argument: an archive, and an image in it if the argument names one. */
export interface NamedArchive {
  /** Path of a file or directory, or `-` for standard input. */
  readonly archive: string;
  readonly ref: string | undefined;
}

export interface Files {
  readonly exists: (file: string) => boolean;
}

/** The arguments of a command that takes one archive; `ref` may be a list. */
interface Given {
  readonly archive?: unknown;
  readonly ref?: unknown;
}

/** The archive of a command that takes one, and the reference, given as REF, `--ref` or after a `#`. */
export function chosenArchive({ archive, ref }: Given, files: Files): Partial<NamedArchive> {
  const refs = [ref ?? []].flat() as string[];
  if (typeof archive !== 'string') return refs.length === 0 ? {} : { ref: oneReference(refs) };
  const named = namedArchive(archive, files);
  return { archive: named.archive, ref: oneReference([named.ref, ...refs]) };
}

/**
 * Parses one argument that names an archive: `FILE`, `FILE#REF`, `-`, `-#REF`, a `file:` URL, or the form of skopeo,
 * buildx and dive (`docker-archive:FILE:REF`, `oci:DIR:TAG` …). If a file of the whole name exists, that file is meant.
 * @throws UsageError if it is empty, or if standard input is a terminal
 * @throws InputError if it names something other than a file: an image of a registry, a daemon or a URL
 */
export function namedArchive(text: string, files: Files): NamedArchive {
  if (text === '' || text === STDIN || text === '-')
    return { archive: readArchiveName(text), ref: undefined };
  if (files.exists(text)) return { archive: text, ref: undefined };
  const hash = text.lastIndexOf('#');
  if (hash <= 0) return located(text, files);
  const ref = text.slice(hash + 1);
  if (ref === '') throw new UsageError(`${text}: expected a reference after the #, found none`);
  const { archive, ref: inner } = namedArchive(text.slice(0, hash), files);
  return { archive, ref: oneReference([inner, ref]) };
}

/** The normal form of an argument: `FILE` or `FILE#REF`. */
export function canonicalName(text: string, files: Files): string {
  const { archive, ref } = namedArchive(text, files);
  return ref === undefined ? archive : `${archive}#${ref}`;
}

/**
 * The reference that was given, once or several times.
 * @throws UsageError if different references were given
 */
export function oneReference(given: readonly (string | undefined)[]): string | undefined {
  const refs = [...new Set(given.filter(ref => ref !== undefined))];
  if (refs.length > 1)
    throw new UsageError(
      `expected one reference, found ${refs.map(ref => JSON.stringify(ref)).join(' and ')}: name the image once, as REF, --ref REF or ARCHIVE#REF`,
    );
  if (refs[0] === '-')
    throw new UsageError(
      'expected a reference, found -: standard input stands where an archive is named, once',
    );
  if (refs[0] === '') throw new UsageError('the reference is empty: name an image, or leave it out');
  return refs[0];
}

/** Transports of skopeo, buildx and dive that name a file, and the separator between the file and the reference. */
const FILE_TRANSPORTS: ReadonlyMap<string, RegExp | null> = new Map([
  ['docker-archive', /:/g],
  ['oci-archive', /:/g],
  ['oci', /:/g],
  ['oci-layout', /[:@]/g],
  ['oci-dir', /:/g],
  ['dir', null],
]);

/** Parses a text that is not the name of an existing file. */
function located(text: string, files: Files): NamedArchive {
  const colon = text.indexOf(':');
  const [transport, rest] = colon < 0 ? ['', text] : [text.slice(0, colon), text.slice(colon + 1)];
  if (transport === 'file') return { archive: filePath(text, rest), ref: undefined };
  const separator = FILE_TRANSPORTS.get(transport);
  if (separator === undefined) {
    const refusal = elsewhere(text, transport, rest);
    if (refusal !== null) throw refusal;
    return { archive: text, ref: undefined };
  }
  const named = withoutSlashes(rest, files);
  if (named === '') throw new UsageError(`${text}: expected a file after ${transport}:, found none`);
  if (isRegistry(rest, named, files)) throw inRegistry(text, named);
  return separator === null ? { archive: named, ref: undefined } : splitAt(separator, named, text, files);
}

/** dive and buildx write `oci-layout://DIR`; skopeo would read the slashes as part of the path. */
const withoutSlashes = (rest: string, { exists }: Files) =>
  rest.startsWith('//') && !exists(rest) ? rest.slice(2) : rest;

/** True for `oci://ghcr.io/team/app:1`, the form in which helm and oras name a registry. */
function isRegistry(rest: string, named: string, { exists }: Files): boolean {
  if (!rest.startsWith('//') || named.startsWith('/') || exists(named)) return false;
  const reference = parseReference(named);
  return typeof reference !== 'string' && reference.domain !== 'docker.io';
}

/** Splits at the first separator that follows the name of an existing file, otherwise at the first separator. */
function splitAt(separator: RegExp, named: string, text: string, { exists }: Files): NamedArchive {
  const places = exists(named) ? [] : [...named.matchAll(separator)].map(({ index }) => index);
  const at = places.find(place => exists(named.slice(0, place))) ?? places[0];
  if (at === undefined) return { archive: named, ref: undefined };
  const [archive, ref] = [named.slice(0, at), named.slice(at + 1)];
  if (archive === '') throw new UsageError(`${text}: expected a file before ${named}, found none`);
  if (/^@\d+$/.test(ref))
    throw new UsageError(`${text}: expected a name, an ID or a digest, found the place ${ref}`);
  return { archive, ref: ref === '' ? undefined : ref };
}

function filePath(text: string, rest: string): string {
  if (!rest.startsWith('/')) return rest;
  try {
    return fileURLToPath(text);
  } catch (error) {
    throw new UsageError(`${text}: expected file:///PATH; ${(error as Error).message}`);
  }
}

const FILES_ALONE = 'waybill reads image files, and asks no daemon, registry or network';

/** The error for a text that names an image elsewhere; null if it may be the name of a file. */
function elsewhere(text: string, transport: string, rest: string): InputError | null {
  const name = rest.replace(/^\/\//, '');
  switch (transport) {
    case 'docker':
    case 'registry':
    case 'docker-registry':
      return rest.startsWith('//') ? inRegistry(text, name) : null;
    case 'docker-daemon':
      return outside(text, `docker save ${word(name)} -o ${fileFor(name)}`, name);
    case 'podman':
      if (!rest.startsWith('//')) return null;
      return outside(text, `podman save --format oci-archive ${word(name)} -o ${fileFor(name)}`, name);
    case 'containers-storage':
      return outside(text, `podman save --format oci-archive ${word(name)} -o ${fileFor(name)}`, name);
    case 'http':
    case 'https':
      return overNetwork(text);
    default:
      return /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
        ? new InputError(FILES_ALONE, text, 'Fetch it first, and name the file.')
        : null;
  }
}

const inRegistry = (text: string, name: string) =>
  outside(text, `skopeo copy ${word(`docker://${name}`)} oci-archive:${fileFor(name)}`, name);

const outside = (text: string, command: string, name: string) =>
  new InputError(FILES_ALONE, text, `Make a file first: ${command}\nThen: waybill verify ${fileFor(name)}`);

const overNetwork = (url: string) =>
  new InputError(
    FILES_ALONE,
    url,
    `Fetch it first: curl -fL -o image.tar ${word(url)}\nOr pipe it: curl -fL ${word(url)} | waybill verify -`,
  );

/** A file name for a saved image: `registry/team/app:1.2@sha256:…` becomes `app-1.2.tar`. */
function fileFor(name: string): string {
  const last = name
    .replace(/@.*$/, '')
    .split('/')
    .at(-1)!
    .replace(/[^\w.-]+/g, '-');
  return last === '' || last.startsWith('-') ? 'image.tar' : `${last}.tar`;
}

/** Quotes a word for a POSIX shell. */
const word = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
