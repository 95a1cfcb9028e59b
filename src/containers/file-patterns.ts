import { readdir, stat } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { type BytePath, nameBytes, nameText, pathBuffer } from '../spec/byte-path.js';
import { cleanPath } from '../tar/path.js';
import { exactPathFilter } from './path-filter.js';
import { reading } from './unreadable.js';

/** Whether a name that no file has may be a pattern. */
export const isPattern = (name: string): boolean => /[*?[{]/.test(name);

/** A file or folder that a pattern matches. */
export interface PatternMatch {
  /** Absolute. */
  readonly path: BytePath;
  /** Whether it is known to be a file. */
  readonly isFile: boolean;
}

/**
 * The files and folders that a pattern names, in the syntax of `exactPathFilter`. Symbolic links are followed, but not
 * by `**`. What lies below a match is not searched.
 * @param base     absolute path of the folder that the pattern is relative to
 * @param pattern  text
 * @throws InputError if it matches nothing, or a folder cannot be searched
 */
export async function pathsMatching(base: BytePath, pattern: string): Promise<PatternMatch[]> {
  const segments = pattern.split('/');
  const first = segments.findIndex(segment => /[*?[{\\]/.test(segment));
  const literal = nameBytes(segments.slice(0, first).join('/'));
  const folder = cleanPath(pattern.startsWith('/') ? `${literal}/` : `${base}/${literal}`);
  const rest = segments.slice(first);
  const isDeep = rest.some(segment => segment.includes('**'));
  const isMatch = exactPathFilter([`/${rest.join('/')}`]);
  const found: PatternMatch[] = [];
  /** @param below  path of a folder relative to `folder`, with a slash at its end; empty for itself */
  const search = async (below: BytePath, depth: number): Promise<void> => {
    const path = folder === '/' ? `/${below}` : `${folder}/${below}`;
    for (const { name, isFile, isLink } of await reading(nameText(path), () => entriesOf(path)))
      if (isMatch(nameText(below + name))) found.push({ path: path + name, isFile });
      else if (!isFile && (isDeep ? !isLink : depth < rest.length) && (await isFolder(path + name)))
        await search(`${below}${name}/`, depth + 1);
  };
  if (await isFolder(folder)) await search('', 1);
  if (found.length > 0) return found;
  throw new InputError('no file or folder matches this pattern', pattern, NOTHING);
}

const NOTHING =
  '* and ? stop at slashes, ** does not. A shell that expands it itself passes it on only if it fails.';

const isFolder = async (path: BytePath): Promise<boolean> =>
  (await stat(pathBuffer(path)).catch(() => null))?.isDirectory() === true;

/** The names in a folder, as bytes. */
async function entriesOf(folder: BytePath) {
  const entries = await readdir(pathBuffer(folder), { withFileTypes: true, encoding: 'buffer' });
  return entries.map(entry => ({
    name: entry.name.toString('latin1'),
    isFile: entry.isFile(),
    isLink: entry.isSymbolicLink(),
  }));
}
