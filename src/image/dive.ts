import type { EntryTable } from '../scan/entry-table.js';
import {
  bytesBelow,
  IMPLIED_CAP,
  type LayerTree,
  type Node,
  nodeAt,
  Stack,
  treeOf,
  visits,
} from './dive-tree.js';

/** What wagoodman/dive says of an image. Bytes are what the headers of the layers' tars claim. */
export interface DiveScore {
  /** At most 1: the smallest version of every path, of all versions of all paths. A whiteout of nothing counts as -1 byte. */
  readonly efficiency: number;
  /** All versions of every path that more than one layer has, the first one too. */
  readonly wastedBytes: number;
  /** A fraction: what is wasted, of what stands above the first layer. It may exceed 1; null where nothing stands there. */
  readonly userWastedPercent: number | null;
  readonly sizeBytes: number;
  /** Without the first layer. */
  readonly userSizeBytes: number;
  /** Most wasteful first. */
  readonly inefficient: readonly Inefficient[];
}

export interface Inefficient {
  /** With a leading slash, as dive prints it; bytes, one per character. */
  readonly path: string;
  readonly bytes: number;
  /** How many layers have it, whiteouts included. */
  readonly count: number;
}

/**
 * Dive's score, with its peculiarities: only leaves of a layer's tree count, so that a directory counts where a layer has
 * nothing inside it; a deleted file counts as nothing, a deleted directory as all that was in it; opaque markers are passed
 * over; a whiteout of nothing ends the layer. Dive itself refuses a layer with a PAX global header.
 * wagoodman/dive dive/filetree/efficiency.go (Efficiency), file_tree.go, dive/image/analysis.go, 0.13
 *
 * @param layers  the entries of every layer, bottom first
 * @returns null where the layers have more directories than any honest ones
 */
export function diveScore(layers: readonly EntryTable[]): DiveScore | null {
  const trees: Node[] = [];
  const sizes: number[] = [];
  // An image may list one layer a hundred thousand times.
  const known = new Map<EntryTable, LayerTree>();
  let room = IMPLIED_CAP;
  for (const layer of layers) {
    const tree = known.get(layer) ?? treeOf(layer, room);
    if (tree === null) return null;
    if (!known.has(layer)) room -= tree.implied;
    known.set(layer, tree);
    trees.push(tree.root);
    sizes.push(tree.bytes);
  }
  const { paths, inefficient } = versionsOf(trees);
  let smallest = 0;
  let all = 0;
  for (const { least, bytes } of paths.values()) {
    smallest += least;
    all += bytes;
  }
  const wastedBytes = sum(inefficient.map(path => path.bytes));
  const userSizeBytes = sum(sizes.slice(1));
  return {
    efficiency: all === 0 ? 1 : smallest / all,
    wastedBytes,
    userWastedPercent: userSizeBytes === 0 ? null : wastedBytes / userSizeBytes,
    sizeBytes: sum(sizes),
    userSizeBytes,
    // Dive sorts the smallest first, and prints from the end.
    inefficient: inefficient
      .sort((a, b) => a.bytes - b.bytes)
      .reverse()
      .map(({ path, bytes, count }) => ({ path, bytes, count })),
  };
}

/** What is known of one path. */
interface Versions {
  readonly path: string;
  bytes: number;
  /** -1 before there is any. */
  least: number;
  count: number;
}

function versionsOf(trees: readonly Node[]): {
  readonly paths: ReadonlyMap<string, Versions>;
  readonly inefficient: Versions[];
} {
  const paths = new Map<string, Versions>();
  const inefficient: Versions[] = [];
  const below = new Stack(trees);
  for (const [layer, tree] of trees.entries()) {
    for (const { node, isWhiteout, segments } of visits(tree)) {
      if (node.children !== null) continue;
      const path = `/${segments.join('/')}`;
      const versions = paths.get(path) ?? { path, bytes: 0, least: -1, count: 0 };
      paths.set(path, versions);
      const size = isWhiteout ? hiddenBytes(nodeAt(below.upTo(layer), segments)) : node.size;
      if (size === null) break;
      versions.bytes += size;
      if (versions.least < 0 || size < versions.least) versions.least = size;
      if (++versions.count === 2) inefficient.push(versions);
    }
  }
  return { paths, inefficient };
}

/** Bytes that a whiteout hides; null where it hides nothing. */
function hiddenBytes(hidden: Node | null): number | null {
  if (hidden === null) return null;
  return hidden.isDirectory ? bytesBelow(hidden) : 0;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
