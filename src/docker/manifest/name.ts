import { fullName, parseReference } from '../../spec/reference.js';

/** How a document is called: Docker prints names as they were typed, and in full. */
export interface DocumentName {
  /** As the user typed it, or as the archive writes it. */
  readonly name: string;
  /** In full: `docker.io/library/app:latest`. */
  readonly ref: string;
}

const EXTENSION = /\.(tar|tgz|tbz2?|txz|tzst|zip|oci|dockerbuild)(\.(gz|bz2|xz|zst|zstd))?$/i;

/**
 * The name of a document. A whole name is normalised as Docker does; a mere tag, as `org.opencontainers.image.ref.name`
 * may be, is the tag of a repository that is called like the archive; and without any name, it is called by its digest.
 * @param file  name of the archive, with its folders
 */
export function nameOfDocument(name: string | null, file: string, digest: string): DocumentName {
  if (name !== null && isWhole(name)) return typedName(name);
  const base = file === '-' ? 'stdin' : file.replace(/\/+$/, '').replace(/^.*\//, '').replace(EXTENSION, '');
  const text = name === null ? `${base || 'archive'}@${digest}` : `${base || 'archive'}:${name}`;
  return { name: text, ref: text };
}

/** A name that says which repository: a bare word is a tag. */
export const isWhole = (name: string) => /[/:@]/.test(name);

export function typedName(name: string): DocumentName {
  const reference = parseReference(name);
  return { name, ref: typeof reference === 'string' ? name : fullName(reference) };
}

/** `reference.WithDigest`: a tag stays, a digest is replaced. https://pkg.go.dev/github.com/distribution/reference */
export const withDigest = (ref: string, digest: string): string => `${ref.replace(/@.*$/s, '')}@${digest}`;
