import type { Entry, EntryTable } from '../scan/entries/table.js';

import { type FileTree, squash, type TreeNode } from './file-tree.js';

/** What one layer does to the file system below it. In the order of the tree. */
export interface LayerChanges {
  readonly added: readonly TreeNode[];
  readonly modified: readonly Modification[];
  /** As they were; of a directory all that was in it too. */
  readonly removed: readonly TreeNode[];
}

export interface Modification {
  readonly before: TreeNode;
  readonly after: TreeNode;
}

/**
 * Says what a layer changes. A file that the layer has again is modified, whatever it holds; a directory is modified when its
 * attributes are others than before, and not merely because it is listed.
 * @param index  of the layer, from 0 for the base
 */
export function layerChanges(layers: readonly (EntryTable | null)[], index: number): LayerChanges {
  return changesBetween(squash(layers.slice(0, index)), squash(layers.slice(0, index + 1)), index);
}

/** @param after  the tree with one layer more, which has this index */
export function changesBetween(before: FileTree, after: FileTree, index: number): LayerChanges {
  const added: TreeNode[] = [];
  const modified: Modification[] = [];
  const old = new Map(before.nodes.map(node => [node.path, node]));
  for (const node of after.nodes) {
    const known = old.get(node.path);
    if (known === undefined) added.push(node);
    else {
      old.delete(node.path);
      if (node.layer === index && !isSameDirectory(known, node))
        modified.push({ before: known, after: node });
    }
  }
  return { added, modified, removed: [...old.values()] };
}

function isSameDirectory(before: TreeNode, after: TreeNode): boolean {
  if (before.type !== 'directory' || after.type !== 'directory') return false;
  const [a, b] = [before.entry, after.entry];
  return SHARED.every(key => a[key] === b[key]) && sameXattrs(a, b);
}

const SHARED = ['mode', 'uid', 'gid', 'mtime', 'mtimeNanos'] as const;

function sameXattrs(a: Entry, b: Entry): boolean {
  const text = ({ xattrs }: Entry) =>
    xattrs
      .map(({ name, value }) => `${name}=${Buffer.from(value).toString('hex')}`)
      .sort()
      .join('\n');
  return text(a) === text(b);
}
