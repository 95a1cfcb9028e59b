import type { TreeNode } from './file-tree.js';

/** Linux follows no more links than this on the way to one file, and takes no longer path. path_resolution(7) */
export const HOPS = 40;
export const PATH_MAX = 4096;

/** What is at a path, or why nothing is. `at` is the path as far as it leads. */
export type Followed =
  | { readonly node: TreeNode }
  | { readonly node: null; readonly reason: 'missing' | 'not-a-directory' | 'loop'; readonly at: string };

/**
 * Follows a path with all links on the way, the last one too, as a process would whose root is the image's: nothing is
 * above the root.
 * @param path  bytes, one per character; relative to the root
 */
export function followPath(root: TreeNode, path: string): Followed {
  const way: TreeNode[] = [root];
  const pending = path.split('/').reverse();
  let hops = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue;
    const at = way.at(-1)!;
    if (at.children === null) return { node: null, reason: 'not-a-directory', at: at.path };
    if (name === '..') {
      if (way.length > 1) way.pop();
      continue;
    }
    const child = at.children.get(name);
    if (child === undefined) {
      return { node: null, reason: 'missing', at: at.path === '' ? name : `${at.path}/${name}` };
    }
    if (child.inode.type !== 'symlink') way.push(child);
    else {
      const target = child.entry.target ?? '';
      if (++hops > HOPS || target.length >= PATH_MAX) return { node: null, reason: 'loop', at: child.path };
      if (target.startsWith('/')) way.length = 1;
      for (const step of target.split('/').reverse()) pending.push(step);
    }
  }
  return { node: way.at(-1)! };
}

/** Whether a link climbs above the root, where a process in the image would be stopped, and one outside would not. */
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
