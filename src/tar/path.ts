/**
 * A member's name as the relative POSIX path that an extraction gives it: without `./`, empty segments, a trailing
 * slash, and what `..` takes back. `..` stays where it leads out of the archive, to be reported. Backslashes count as
 * slashes: Docker for Windows once wrote them.
 */
export function normalPath(name: string): string {
  if (!UNCLEAN.test(name)) return name;
  return cleanSegments(name.replace(/\\/g, '/')).join('/');
}

/**
 * The segments of a path as Go's path.Clean leaves them: `..` stays where there is nothing to go up to, but for a path
 * that begins at the root. That of Node takes the square of a path's length for one of many `..`.
 */
export function cleanSegments(path: string): string[] {
  const isRooted = path.startsWith('/');
  const out: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') out.push(segment);
    else if (out.length > 0 && out.at(-1) !== '..') out.pop();
    else if (!isRooted) out.push(segment);
  }
  return out;
}

/** Go's path.Clean. https://pkg.go.dev/path#Clean */
export function cleanPath(path: string): string {
  if (path !== '' && !UNCLEAN.test(path)) return path;
  const cleaned = cleanSegments(path).join('/');
  return path.startsWith('/') ? `/${cleaned}` : cleaned || '.';
}

/** Nearly every name is clean: it has no backslash, and no segment that is empty or dots. */
const UNCLEAN = /\\|(?:^|\/)\.{0,2}(?:\/|$)/;

/** Whether extracting a member of this name could write outside the target directory. */
export function isUnsafeName(name: string): boolean {
  return UNSAFE.test(name);
}

const UNSAFE = /^[\\/]|^[A-Za-z]:[\\/]|(?:^|[\\/])\.\.(?:[\\/]|$)/;

/** The directory of a path, without a trailing slash; empty at the top. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Longest part of a path on Linux, in bytes. */
export const NAME_MAX = 255;

/** Bytes of the longest part of a path, as UTF-8; 0 where all are surely short enough. */
export const longestPart = (path: string): number =>
  path.length * 3 <= NAME_MAX ? 0 : Math.max(...path.split('/').map(part => Buffer.byteLength(part)));
