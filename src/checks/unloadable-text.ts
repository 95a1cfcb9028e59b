import type { Unloadable } from '../image/unloadable.js';

/** What makes engines refuse a layer, in a sentence. */
export function unloadableText({ layer, what, path, other, engines }: Unloadable): string {
  const refused = engines.length === 0 ? '' : ` (refused by ${engines.join(', ')})`;
  return `layer ${layer + 1}: ${WORDS[what](JSON.stringify(path), JSON.stringify(other))}${refused}`;
}

type Words = (path: string, other: string) => string;

const WORDS: Readonly<Record<Unloadable['what'], Words>> = {
  'hard-link-to-nothing': (path, other) => `${path} is a hard link to ${other}, which does not exist`,
  'hard-link-ahead': (path, other) => `${path} is a hard link to ${other}, which comes after it`,
  'hard-link-to-itself': path => `${path} is a hard link to itself`,
  'hard-link-to-directory': (path, other) => `${path} is a hard link to ${other}, which is a directory`,
  'hard-link-to-lower': (path, other) => `${path} is a hard link to ${other}, which only a lower layer has`,
  'file-as-directory': (path, other) => `${path} is not a directory, but ${other} lies below it`,
  'dangling-directory': (path, other) =>
    `${path} is a link that does not lead to a directory, but ${other} lies below it`,
  'link-loop': (path, other) =>
    `${path} is a link that leads to itself through others, but ${other} lies below it`,
  'root-replaced': path => `its entry ${path} replaces the root and is not a directory`,
  'unknown-type': (path, other) => `${path} is of the tar type ${other}, which engines do not unpack`,
  'whiteout-of-root': path => `the whiteout ${path} would remove the root`,
  'whiteout-without-name': path =>
    `the whiteout ${path} has no name: it removes the content of its directory`,
  'whiteout-of-dots': path => `the name of the whiteout ${path} consists of dots`,
  'whiteout-of-own': (path, other) =>
    `the whiteout ${path} comes after an entry ${other} of the same layer, which some engines remove and others keep`,
  'whiteout-and-directory': (path, other) =>
    `the layer has the whiteout ${path} and the directory ${other}: overlay drivers show the content that lower layers have in it`,
  'below-whiteout': (path, other) =>
    `entries lie below ${other}, which the whiteout ${path} of the same layer hides`,
  'whiteout-after-below': (path, other) => `the whiteout ${path} comes after whiteouts below ${other}`,
  'whiteout-below-file': (path, other) =>
    `${path} is not a directory, but the whiteout ${other} lies below it`,
  'opaque-after-own': path =>
    `${path} comes after entries of the same layer below it, which some engines remove and others keep`,
  'directory-replaced': path => `the directory ${path}, or one below it, is removed again by the same layer`,
  'link-to-lower': (path, other) =>
    `${path} is a link to ${other}, which only lower layers have, and an entry lies below it`,
  'link-without-target': path => `Linux does not accept the target of the symbolic link ${path}`,
  'name-too-long': path =>
    `Linux does not accept the path ${path}: a component has more than 255 bytes, or the path more than 4095`,
  'aufs-link': (path, other) => `${path} is a hard link to ${other} of AUFS, which does not exist`,
  'too-intricate': () =>
    'it has more links and unlisted directories than waybill follows: whether engines unpack it is not known',
  'global-header': () => 'it has a global PAX header, which other engines ignore',
};
