import type { Pairing, Tally } from '../../analysis/diff/changes.js';
import { digestIn, type FilePair, fileChanges, kindOf, type Unpacked } from '../../analysis/diff/files.js';

import { squash, type TreeNode } from '../../filesystem/file-tree.js';
import { tablesOf } from '../../filesystem/layer-tables.js';
import { count } from '../../report/words.js';
import { contentOf } from '../../scan/entries/content.js';
import { nameText } from '../../scan/entries/name.js';
import type { Placed } from './pairs.js';
import type { FileChange, FileRef, FilesDiff } from './report.js';
import { unifiedDiff } from './text.js';

export interface FilesCompared {
  readonly diff: FilesDiff;
  readonly a: Unpacked;
  readonly b: Unpacked;
  /** Files of one size whose contents could not be compared. */
  readonly unread: number;
  readonly notes: readonly string[];
}

/** Unpacks two images. What only one archive holds of a layer that both images have is taken from there. */
export function unpackBoth(a: Placed, b: Placed, pairing: readonly Pairing[]): { a: Unpacked; b: Unpacked } {
  const [left, right] = [tablesOf(a.part.scan, a.image), tablesOf(b.part.scan, b.image)];
  for (const [i, j] of pairing) {
    if (i === null || j === null) continue;
    const isAbsent = a.image.layers[i]!.member === null || b.image.layers[j]!.member === null;
    if (!isAbsent) continue;
    const table = left[i] ?? right[j] ?? null;
    left[i] = table;
    right[j] = table;
  }
  const unpacked = (tables: typeof left): Unpacked => ({ tables, tree: squash(tables) });
  return { a: unpacked(left), b: unpacked(right) };
}

/** Compares the file systems of two images. @param text  whether to compare small text files line by line */
export function filesDiff(a: Unpacked, b: Unpacked, tally: Tally, text: boolean): FilesCompared {
  const { added, removed, changed, unread } = fileChanges(a, b);
  const isListed = (kind: string, nodes: readonly TreeNode[]) =>
    nodes.length > 0 && tally.add(kind, nodes.length);
  const unknown = `the contents of ${count(unread, 'file')} of the same size were not read, and may differ`;
  return {
    diff: {
      added: isListed('files.added', added) ? added.map(node => refOf(b, node)) : [],
      removed: isListed('files.removed', removed) ? removed.map(node => refOf(a, node)) : [],
      changed: changed.flatMap(pair => changeOf(a, b, pair, tally, text) ?? []),
    },
    a,
    b,
    unread,
    notes: unread === 0 ? [] : [unknown],
  };
}

function changeOf(a: Unpacked, b: Unpacked, pair: FilePair, tally: Tally, text: boolean): FileChange | null {
  const aspects = pair.aspects.filter(aspect => tally.add(kindOf(aspect)));
  if (aspects.length === 0) return null;
  const [x, y] = [refOf(a, pair.a), refOf(b, pair.b)];
  const lines = text && aspects.includes('content') ? textOf(a, b, pair) : null;
  return { path: x.path, aspects, a: x, b: y, text: lines };
}

function textOf(a: Unpacked, b: Unpacked, pair: FilePair): string | null {
  const [x, y] = [contentIn(a, pair.a), contentIn(b, pair.b)];
  return x === null || y === null ? null : unifiedDiff(x, y);
}

function contentIn({ tables }: Unpacked, { inode, entry }: TreeNode): Uint8Array | null {
  if (entry.size === 0) return new Uint8Array(0);
  const table = tables[inode.layer] ?? null;
  return table === null ? null : contentOf(table, inode.index);
}

function refOf(unpacked: Unpacked, node: TreeNode): FileRef {
  const { entry, type, inode } = node;
  return {
    path: nameText(node.path),
    type,
    size: entry.size,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime: entry.mtime + entry.mtimeNanos / 1e9,
    target: type === 'hardlink' ? nullableText(node.linkedTo) : nullableText(entry.target),
    layer: node.layer,
    digest: inode.type === 'file' ? digestIn(unpacked, inode) : null,
  };
}

const nullableText = (name: string | null) => (name === null ? null : nameText(name));
