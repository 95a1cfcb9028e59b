import type { TreeNode } from './file-tree.js';

/** Linux follows at most this many links to resolve one path, and limits the length of a path. path_resolution(7) */
export const HOPS = 40;
export const PATH_MAX = 4096;

/**
 * The node at a path, or the reason why there is none. `at` is the path as far as it resolves, `rest` the remaining
 * segments.
 */
export type Followed =
  | { readonly node: TreeNode }
  | {
      readonly node: null;
      readonly reason: 'missing' | 'not-a-directory' | 'loop';
      readonly at: string;
      readonly rest: string;
    };

/**
 * Follows a path and all links on the way, including the last segment, as a process whose root is the image's would:
 * the root is its own parent.
 *
 * @param path  bytes, one per character; relative to the root
 */
export function followPath(root: TreeNode, path: string): Followed {
  const way: TreeNode[] = [root];
  const pending = path.split('/').reverse();
  let hops = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue;
    const at = way.at(-1)!;
    const stuck = (reason: 'missing' | 'not-a-directory' | 'loop', path: string, rest: readonly string[]) =>
      ({ node: null, reason, at: path, rest: rest.join('/') }) as const;
    if (at.children === null) return stuck('not-a-directory', at.path, [name, ...pending.reverse()]);
    if (name === '..') {
      if (way.length > 1) way.pop();
      continue;
    }
    const child = at.children.get(name);
    if (child === undefined) {
      return stuck('missing', at.path === '' ? name : `${at.path}/${name}`, pending.reverse());
    }
    if (child.inode.type !== 'symlink') way.push(child);
    else {
      const target = child.entry.target ?? '';
      if (++hops > HOPS || target.length >= PATH_MAX) return stuck('loop', child.path, pending.reverse());
      if (target.startsWith('/')) way.length = 1;
      for (const step of target.split('/').reverse()) pending.push(step);
    }
  }
  return { node: way.at(-1)! };
}

/** True if a link leads above the root. A process in the image stops at the root; one outside does not. */
export function leavesRoot(path: string, target: string): boolean {
  if (!target.includes('..')) return false;
  let depth = target.startsWith('/') ? 0 : path.split('/').length - 1;
  for (const segment of target.split('/')) {
    if (segment === '..') depth--;
    else if (segment !== '' && segment !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}
