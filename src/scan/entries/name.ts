export { isUtf8, nameBytes, nameText } from '../../spec/byte-path.js';

/**
 * Normalises a name relative to the root: without leading, doubled and trailing slashes, with `.` and `..` resolved;
 * the root is its own parent. Empty for the root itself. Works on bytes and on text.
 */
export function rootedPath(name: string): string {
  // Nearly every name is already clean, except for a slash at the end of a directory and a leading `./`.
  const bare = name.slice(name.startsWith('./') ? 2 : 0, name.endsWith('/') ? -1 : undefined);
  if (!UNCLEAN.test(bare)) return bare;
  const out: string[] = [];
  for (const segment of name.split('/')) {
    if (segment === '..') out.pop();
    else if (segment !== '' && segment !== '.') out.push(segment);
  }
  return out.join('/');
}

/** Matches an empty segment, `.` or `..`. */
export const UNCLEAN = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** Removes a leading `./` and a trailing slash, which do not change the path. */
export function withoutEnds(name: string): string {
  const start = name.startsWith('./') && name.length > 2 && name[2] !== '/' ? 2 : 0;
  const end = name.length > start + 1 && name.endsWith('/') ? name.length - 1 : name.length;
  return name.slice(start, end);
}
