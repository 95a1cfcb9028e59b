import type { FileTree, Inode, TreeNode } from '../../filesystem/file-tree.js';
import { digestOf } from '../../scan/entries/content.js';
import type { Entry, EntryTable } from '../../scan/entries/table.js';

/** The layers of an image, base first, and the tree that results from applying them. */
export interface ComparedTree {
  readonly tables: readonly (EntryTable | null)[];
  readonly tree: FileTree;
}

/** An attribute in which the entries of one name in two trees differ. */
export type Aspect =
  | 'type'
  | 'content'
  | 'target'
  | 'links'
  | 'device'
  | 'xattrs'
  | 'mode'
  | 'owner'
  | 'times';

export interface FilePair {
  readonly a: TreeNode;
  readonly b: TreeNode;
  readonly aspects: readonly Aspect[];
}

export interface FileChanges {
  readonly added: readonly TreeNode[];
  readonly removed: readonly TreeNode[];
  readonly changed: readonly FilePair[];
  /** Number of files of equal size whose contents could not be compared. */
  readonly unread: number;
}

/** The kind of difference for an aspect. */
export const kindOf = (aspect: Aspect): string =>
  aspect === 'mode' || aspect === 'owner' || aspect === 'times' ? aspect : `files.${aspect}`;

/** Compares two trees, name by name. Contents are compared by digest if the layers were read with digests. */
export function fileChanges(a: ComparedTree, b: ComparedTree): FileChanges {
  const others = new Map(b.tree.nodes.map(node => [node.path, node]));
  const [leftNames, rightNames] = [linkNames(a.tree), linkNames(b.tree)];
  const removed: TreeNode[] = [];
  const changed: FilePair[] = [];
  let unread = 0;
  const compare = (x: TreeNode, y: TreeNode) => {
    const [left, right] = [x.entry, y.entry];
    const same = sameContent(a, x, left, b, y, right);
    if (same === null) unread++;
    const aspects = x.inode.type === y.inode.type ? aspectsOf(left, right) : ['type' as const];
    // The engine makes a directory that no entry names, with the time at which it unpacks.
    const isMade = x.inode.index < 0 || y.inode.index < 0;
    const kept = isMade ? aspects.filter(aspect => aspect !== 'times') : aspects;
    if (same === false) kept.push('content');
    if (leftNames(x) !== rightNames(y)) kept.push('links');
    if (kept.length > 0) changed.push({ a: x, b: y, aspects: kept });
  };
  compare(a.tree.root, b.tree.root);
  for (const node of a.tree.nodes) {
    const other = others.get(node.path);
    if (other === undefined) removed.push(node);
    else {
      others.delete(node.path);
      compare(node, other);
    }
  }
  return { added: [...others.values()], removed, changed, unread };
}

/** The attributes in which two entries of one type differ, except their content. */
function aspectsOf(a: Entry, b: Entry): Aspect[] {
  const aspects: Aspect[] = [];
  if (a.target !== b.target) aspects.push('target');
  if (a.device?.major !== b.device?.major || a.device?.minor !== b.device?.minor) aspects.push('device');
  if (xattrText(a) !== xattrText(b)) aspects.push('xattrs');
  // The mode of a symbolic link has no meaning.
  if (a.mode !== b.mode && a.type !== 'symlink') aspects.push('mode');
  if (a.uid !== b.uid || a.gid !== b.gid) aspects.push('owner');
  if (a.mtime !== b.mtime || a.mtimeNanos !== b.mtimeNanos) aspects.push('times');
  return aspects;
}

/** Returns null if both are files of the same size and a content is not known. */
function sameContent(
  a: ComparedTree,
  x: TreeNode,
  left: Entry,
  b: ComparedTree,
  y: TreeNode,
  right: Entry,
): boolean | null {
  if (x.inode.type !== 'file' || y.inode.type !== 'file') return true;
  if (left.size !== right.size) return false;
  if (left.size === 0) return true;
  const [mine, theirs] = [digestIn(a, x.inode), digestIn(b, y.inode)];
  return mine === null || theirs === null ? null : mine === theirs;
}

/** Digest of a file's content; null if it was not read. */
export function digestIn({ tables }: ComparedTree, { layer, index }: Inode): string | null {
  const table = tables[layer] ?? null;
  return table === null || index < 0 ? null : digestOf(table, index);
}

function xattrText({ xattrs }: Entry): string {
  if (xattrs.length === 0) return '';
  return xattrs
    .map(({ name, value }) => `${name}=${Buffer.from(value).toString('hex')}`)
    .sort()
    .join('\n');
}

/** All names of a file with several names, as one text: which of them comes first in the tar does not matter. */
function linkNames({ nodes }: FileTree): (node: TreeNode) => string {
  const first = new Map<Inode, string>();
  for (const { inode, path } of nodes) if (inode.links > 1 && !first.has(inode)) first.set(inode, path);
  return ({ inode }) => (inode.links > 1 ? `${inode.links} ${first.get(inode)}` : '');
}
