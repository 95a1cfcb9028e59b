import type { Unloadable } from '../image/unloadable.js';

/** What makes engines refuse a layer, in a sentence. */
export function unloadableText({ layer, what, path, other, engines }: Unloadable): string {
  const refused = engines.length === 0 ? '' : ` (refused by ${engines.join(', ')})`;
  return `layer ${layer + 1}: ${WORDS[what](JSON.stringify(path), JSON.stringify(other))}${refused}`;
}

type Words = (path: string, other: string) => string;

const WORDS: Readonly<Record<Unloadable['what'], Words>> = {
  'hard-link-to-nothing': (path, other) => `${path} is a hard link to ${other}, which is not there`,
  'hard-link-ahead': (path, other) => `${path} is a hard link to ${other}, which comes after it`,
  'hard-link-to-itself': path => `${path} is a hard link to itself`,
  'hard-link-to-directory': (path, other) => `${path} is a hard link to ${other}, which is a directory`,
  'hard-link-to-lower': (path, other) => `${path} is a hard link to ${other}, which only a lower layer has`,
  'file-as-directory': (path, other) => `${path} is no directory, but ${other} lies below it`,
  'dangling-directory': (path, other) =>
    `${path} is a link that leads to no directory, but ${other} is put there`,
  'link-loop': (path, other) => `${path} is a link in a circle, but ${other} lies below it`,
  'root-replaced': path => `its entry ${path} stands for the root and is no directory`,
  'unknown-type': (path, other) => `${path} is of the tar type ${other}, which engines do not unpack`,
  'whiteout-of-root': path => `the whiteout ${path} would remove the root`,
  'whiteout-without-name': path => `the whiteout ${path} has no name: it removes what its directory holds`,
  'whiteout-of-dots': path => `the whiteout ${path} has no name but dots`,
  'whiteout-of-own': (path, other) =>
    `the whiteout ${path} comes after an entry ${other} of the same layer, which some engines remove and others keep`,
  'whiteout-and-directory': (path, other) =>
    `the whiteout ${path} and the directory ${other} stand in one layer: overlay drivers show what lower layers have in it`,
  'below-whiteout': (path, other) =>
    `entries lie below ${other}, which the whiteout ${path} of the same layer hides`,
  'whiteout-after-below': (path, other) => `the whiteout ${path} comes after whiteouts below ${other}`,
  'whiteout-below-file': (path, other) => `${path} is no directory, but the whiteout ${other} lies below it`,
  'opaque-after-own': path =>
    `${path} comes after entries of the same layer below it, which some engines remove and others keep`,
  'directory-replaced': path => `the directory ${path}, or one below it, is removed again by the same layer`,
  'link-to-lower': (path, other) =>
    `${path} is a link to ${other}, which only lower layers have, and an entry lies below it`,
  'link-without-target': path => `the symbolic link ${path} has no target that Linux takes`,
  'name-too-long': path =>
    `${path} is a name that Linux does not take: a part is longer than 255 bytes, or all than 4095`,
  'aufs-link': (path, other) => `${path} is a hard link to ${other} of AUFS, which is not there`,
  'too-intricate': () =>
    'it has more links and unlisted directories than are followed: whether engines unpack it is not known',
  'global-header': () => 'it has a global PAX header, which other engines pass over',
};
