import type { TreeNode } from './file-tree.js';

/** Linux follows no more links than this on the way to one file, and takes no longer path. path_resolution(7) */
export const HOPS = 40;
export const PATH_MAX = 4096;

/** What is at a path, or why nothing is. `at` is the path as far as it leads, `rest` what would come behind it. */
export type Followed =
  | { readonly node: TreeNode }
  | {
      readonly node: null;
      readonly reason: 'missing' | 'not-a-directory' | 'loop';
      readonly at: string;
      readonly rest: string;
    };

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
