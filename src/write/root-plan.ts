import type { FileTree, Inode, TreeNode } from '../image/file-tree.js';

/** What is to be written of a file system. All paths are bytes, one per character, relative to the root. */
export interface RootPlan {
  /** Above before below. */
  readonly directories: readonly TreeNode[];
  /** The name that a file's content is written to, for each file. */
  readonly files: ReadonlyMap<Inode, TreeNode>;
  /** Symbolic links, devices and named pipes: what is made without content. */
  readonly others: readonly TreeNode[];
  /** Further names, made when everything else is there. */
  readonly hardLinks: readonly { readonly node: TreeNode; readonly first: TreeNode }[];
  /** Hard links to nothing, and files of types that no engine unpacks. */
  readonly unwritable: readonly TreeNode[];
}

/**
 * Says what has to be made so that the names that are wanted are there, with the directories above them. A file gets its
 * content under the first of its names that is wanted.
 */
export function planRoot(tree: FileTree, wanted: (node: TreeNode) => boolean): RootPlan {
  const chosen = tree.nodes.filter(wanted);
  const needed = new Set<TreeNode>();
  for (const node of chosen) addAncestors(tree, node, needed);
  const firsts = new Map<Inode, TreeNode>();
  const others: TreeNode[] = [];
  const hardLinks: { node: TreeNode; first: TreeNode }[] = [];
  const unwritable: TreeNode[] = [];
  for (const node of [...chosen].sort(firstNamesFirst)) {
    const { inode } = node;
    const first = firsts.get(inode);
    if (inode.type === 'directory') needed.add(node);
    else if (inode.type === 'hardlink' || inode.type === 'other') unwritable.push(node);
    else if (first !== undefined) hardLinks.push({ node, first });
    else {
      firsts.set(inode, node);
      if (inode.type !== 'file') others.push(node);
    }
  }
  const files = new Map([...firsts].filter(([{ type }]) => type === 'file'));
  const directories = tree.nodes.filter(node => needed.has(node));
  return { directories, files, others, hardLinks, unwritable };
}

const firstNamesFirst = (a: TreeNode, b: TreeNode) =>
  Number(a.linkedTo !== null) - Number(b.linkedTo !== null);

function addAncestors(tree: FileTree, { path }: TreeNode, needed: Set<TreeNode>): void {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const above = tree.get(path.slice(0, end))!;
    if (needed.has(above)) return;
    needed.add(above);
  }
}
