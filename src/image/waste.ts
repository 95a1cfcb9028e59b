import { contentKey } from '../scan/entry-content.js';
import { type CacheRule, cacheRuleOf } from './cache-rules.js';
import type { Inode, TreeNode } from './file-tree.js';
import type { Stowaway, Unpacked } from './stowaways.js';

/** What an image could do without. Bytes of regular files, each file once however many names it has. */
export interface Waste {
  /** Shipped and hidden: a later layer has something else in its place. */
  readonly overwritten: number;
  /** The part of them that was overwritten with the same bytes. */
  readonly metadataOnly: number;
  /** Shipped and hidden: a later layer removed it. */
  readonly deleted: number;
  /** Visible, and the same as another file: all copies but the first. */
  readonly duplicated: number;
  /** Visible, in places where caches and the like are kept. */
  readonly cached: number;
  /** All of it, where a cached copy of something counts once. */
  readonly total: number;
  /** From 0 to 1: what of the layers' content is not waste. */
  readonly efficiency: number;
  /** Most bytes first. */
  readonly files: readonly WastedFile[];
}

/** Paths are bytes, one per character; layers are indexes into the image's. */
export type WastedFile = { readonly path: string; readonly bytes: number; readonly layer: number } & (
  | {
      readonly kind: 'overwritten' | 'deleted';
      readonly hiddenBy: number;
      readonly metadataOnly: boolean;
    }
  /** `copyOf` is the first copy. */
  | { readonly kind: 'duplicated'; readonly copyOf: string }
  | { readonly kind: 'cached'; readonly rule: CacheRule }
);

/**
 * Says what an image wastes. The first copy of a content is not waste: it is the one in the lowest layer, and of those in one
 * layer the first in the order of the tree. A file counts as cached where all its names are under a rule: some stores are
 * hard links to what is used.
 *
 * @param unpacked  from tables read with digests, without which nothing counts as duplicated
 */
export function wasteOf({ tree, tables, stowaways }: Unpacked): Waste {
  const files = visibleFiles(tree.nodes, tables);
  const copies = copiesIn(files, tables);
  const caches = files.flatMap(file => cachedFile(file) ?? []);
  const hidden = stowaways.map(hiddenFile);
  const sorted = hidden.concat(copies, caches).sort((a, b) => b.bytes - a.bytes);
  const of = (kind: WastedFile['kind']) => total(sorted, file => file.kind === kind);
  const twice = new Set(copies.map(({ path }) => path));
  const shipped = total(files) + total(hidden);
  const wasted = total(hidden) + total(copies) + total(caches, ({ path }) => !twice.has(path));
  return {
    overwritten: of('overwritten'),
    metadataOnly: total(stowaways, ({ metadataOnly }) => metadataOnly),
    deleted: of('deleted'),
    duplicated: of('duplicated'),
    cached: of('cached'),
    total: wasted,
    efficiency: shipped === 0 ? 1 : 1 - wasted / shipped,
    files: sorted,
  };
}

/** A file with bytes that can be seen. */
interface VisibleFile {
  readonly path: string;
  readonly names: readonly string[];
  readonly inode: Inode;
  readonly bytes: number;
  readonly layer: number;
}

function visibleFiles(nodes: readonly TreeNode[], tables: Unpacked['tables']): VisibleFile[] {
  const linked = new Map<Inode, string[]>();
  const files: VisibleFile[] = [];
  for (const { inode, path } of nodes) {
    const { type, layer, index, links } = inode;
    const bytes = type === 'file' ? tables[layer]!.sizes[index]! : 0;
    const known = links === 1 ? undefined : linked.get(inode);
    if (known !== undefined) known.push(path);
    else if (bytes > 0) {
      const names = [path];
      if (links > 1) linked.set(inode, names);
      files.push({ path, names, inode, bytes, layer });
    }
  }
  return files;
}

function copiesIn(
  files: readonly VisibleFile[],
  tables: Unpacked['tables'],
): (WastedFile & { readonly kind: 'duplicated' })[] {
  const first = new Map<string, string>();
  return [...files]
    .sort((a, b) => a.layer - b.layer)
    .flatMap(({ path, inode, bytes, layer }) => {
      const content = contentKey(tables[inode.layer]!, inode.index);
      const copyOf = content === null ? undefined : first.get(content);
      if (copyOf !== undefined) return [{ kind: 'duplicated' as const, path, bytes, layer, copyOf }];
      if (content !== null) first.set(content, path);
      return [];
    });
}

function cachedFile({ path, names, bytes, layer }: VisibleFile): WastedFile | null {
  const rule = cacheRuleOf(path);
  const isCached = rule !== null && names.every(name => cacheRuleOf(name) !== null);
  return isCached ? { kind: 'cached', path, bytes, layer, rule } : null;
}

const hiddenFile = ({ how, path, bytes, layer, hiddenBy, metadataOnly }: Stowaway): WastedFile => ({
  kind: how,
  path,
  bytes,
  layer,
  hiddenBy,
  metadataOnly,
});

/** A hostile image has a million of them: none is copied to be counted. */
function total<F extends { readonly bytes: number }>(files: readonly F[], counts = (_: F) => true): number {
  let sum = 0;
  for (const file of files) if (counts(file)) sum += file.bytes;
  return sum;
}
