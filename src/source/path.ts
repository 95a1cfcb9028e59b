/**
 * A member's name as a relative POSIX path without `./`, empty segments and a trailing slash. `..` stays, to be reported.
 * Backslashes count as slashes: Docker for Windows once wrote them.
 */
export function normalPath(name: string): string {
  if (!UNCLEAN.test(name)) return name;
  return name
    .replace(/\\/g, '/')
    .split('/')
    .filter(segment => segment !== '' && segment !== '.')
    .join('/');
}

/** Nearly every name is clean: it has no backslash, and no segment that is empty or a dot. */
const UNCLEAN = /\\|(?:^|\/)\.?(?:\/|$)/;

/** Whether extracting a member of this name could write outside the target directory. */
export function isUnsafeName(name: string): boolean {
  return /^[\\/]|^[A-Za-z]:[\\/]/.test(name) || name.split(/[\\/]/).includes('..');
}

/** Where a link in directory `from` leads, inside the archive: `..` above the root stays at the root. */
export function resolvePath(from: string, target: string): string {
  const out: string[] = target.startsWith('/') ? [] : from.split('/').filter(s => s !== '');
  for (const segment of target.replace(/\\/g, '/').split('/')) {
    if (segment === '..') out.pop();
    else if (segment !== '' && segment !== '.') out.push(segment);
  }
  return out.join('/');
}

/** The directory of a path, without a trailing slash; empty at the top. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
