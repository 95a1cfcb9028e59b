import { claimedSizeAt, type EntryTable, nameAt, typeAt } from '../scan/entries/table.js';
import { WHITEOUT, WHITEOUT_META } from '../spec/whiteout.js';
import { cleanSegments } from '../tar/path.js';

/**
 * A node of a layer's tree, or of several layers stacked, as dive keeps them: a directory that another entry replaces
 * keeps its children.
 */
interface DiveNode {
  size: number;
  isDirectory: boolean;
  children: Map<string, DiveNode> | null;
}

const newNode = (): DiveNode => ({ size: 0, isDirectory: false, children: null });

/**
 * Cap on directories that no entry names, including those on the way to a file. Real layers have fewer; more would only
 * cost memory and time.
 */
const IMPLIED_CAP = 100_000;
const DEPTH_CAP = 2048;

interface DiveTree {
  readonly root: DiveNode;
  readonly bytes: number;
  /** Number of directories that no entry names. */
  readonly implied: number;
}

/**
 * @param room  how many directories that no entry names are allowed
 * @returns null if the layer has more of them than that
 */
function treeOf(layer: EntryTable, room = IMPLIED_CAP): DiveTree | null {
  const most = layer.count + Math.min(room, IMPLIED_CAP);
  const root = newNode();
  let bytes = 0;
  let made = 0;
  for (let index = 0; index < layer.count; index++) {
    const segments = cleanSegments(nameAt(layer, index));
    if (segments.length === 0) continue;
    const size = claimedSizeAt(layer, index);
    bytes += size;
    made += add(root, segments, size, typeAt(layer, index) === 'directory');
    if (made > most || segments.length > DEPTH_CAP) return null;
  }
  return { root, bytes, implied: Math.max(0, made - layer.count) };
}

/** @returns the number of nodes that were created */
function add(root: DiveNode, segments: readonly string[], size: number, isDirectory: boolean): number {
  let node = root;
  let made = 0;
  for (const segment of segments) {
    let next = node.children?.get(segment);
    if (next === undefined) {
      if (segment.startsWith(WHITEOUT_META)) return made;
      next = newNode();
      made++;
      node.children ??= new Map();
      node.children.set(segment, next);
    }
    node = next;
  }
  node.size = size;
  node.isDirectory = isDirectory;
  return made;
}

function nodeAt(root: DiveNode, segments: readonly string[]): DiveNode | null {
  let node: DiveNode | undefined = root;
  for (const segment of segments) {
    if (segment === '') continue;
    node = node.children?.get(segment);
    if (node === undefined) return null;
  }
  return node;
}

interface Visit {
  readonly node: DiveNode;
  readonly isWhiteout: boolean;
  /** The path of the entry; for a whiteout, the path that it hides. */
  readonly segments: readonly string[];
}

/** Visits every node except the root: children before their parent, siblings in the byte order of their names. */
function* visits(root: DiveNode): Generator<Visit> {
  const way: string[] = [];
  const open = [{ node: root, names: namesIn(root), next: 0 }];
  for (let at = open.at(-1); at !== undefined; at = open.at(-1)) {
    const name = at.names[at.next++];
    if (name !== undefined) {
      const child = at.node.children!.get(name)!;
      way.push(name);
      open.push({ node: child, names: namesIn(child), next: 0 });
      continue;
    }
    open.pop();
    const own = way.pop();
    if (own === undefined) return;
    const isWhiteout = own.startsWith(WHITEOUT);
    yield { node: at.node, isWhiteout, segments: [...way, isWhiteout ? own.slice(WHITEOUT.length) : own] };
  }
}

const NO_NAMES: readonly string[] = [];
const namesIn = ({ children }: DiveNode): readonly string[] =>
  children === null ? NO_NAMES : [...children.keys()].sort();

/** Total size of a node and everything below it, in bytes. */
function bytesBelow(top: DiveNode): number {
  let bytes = 0;
  const todo = [top];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    bytes += node.size;
    for (const child of node.children?.values() ?? []) todo.push(child);
  }
  return bytes;
}

/**
 * The layers below the current one, merged. Built only if whiteouts need it. A whiteout in the lowest layer looks in
 * that layer itself.
 */
class Stack {
  private tree: DiveNode | null = null;
  private layers = 0;

  constructor(private readonly trees: readonly DiveNode[]) {}

  upTo(layer: number): DiveNode {
    this.tree ??= copyOf(this.trees[0]!);
    for (; this.layers < layer; this.layers++) graft(this.tree, this.trees[this.layers]!);
    return this.tree;
  }
}

function graft(tree: DiveNode, upper: DiveNode): void {
  for (const { node, isWhiteout, segments } of visits(upper)) {
    if (!isWhiteout) add(tree, segments, node.size, node.isDirectory);
    else remove(tree, segments);
  }
}

function remove(tree: DiveNode, segments: readonly string[]): void {
  const named = segments.filter(segment => segment !== '');
  const parent = nodeAt(tree, named.slice(0, -1));
  const { children } = parent ?? {};
  if (children == null || !children.delete(named.at(-1) ?? '')) return;
  if (children.size === 0) parent!.children = null;
}

function copyOf(root: DiveNode): DiveNode {
  const copy: DiveNode = { ...root };
  const todo = [copy];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (node.children === null) continue;
    node.children = new Map([...node.children].map(([name, child]) => [name, { ...child }]));
    for (const child of node.children.values()) todo.push(child);
  }
  return copy;
}

/** The score that wagoodman/dive gives an image. Sizes are in bytes, as the headers of the layers' tars claim them. */
export interface DiveScore {
  /**
   * At most 1: the smallest version of every path, divided by all versions of all paths. A whiteout of nothing counts
   * as -1 byte.
   */
  readonly efficiency: number;
  /** Bytes of all versions of every path that is in more than one layer, including the first version. */
  readonly wastedBytes: number;
  /**
   * A fraction: wasted bytes divided by the size of all layers above the first. May exceed 1; null if there is nothing
   * above the first layer.
   */
  readonly userWastedPercent: number | null;
  readonly sizeBytes: number;
  /** Bytes of all layers but the first. */
  readonly userSizeBytes: number;
  /** Paths in order of wasted bytes, largest first. */
  readonly inefficient: readonly Inefficient[];
}

interface Inefficient {
  /** With a leading slash, as dive prints it. Bytes, one per character. */
  readonly path: string;
  readonly bytes: number;
  /** Number of layers that have the path, whiteouts included. */
  readonly count: number;
}

/**
 * Computes dive's score, with dive's peculiarities:
 *
 * * only leaves of a layer's tree count, so a directory counts only where a layer has nothing inside it
 * * a deleted file counts as 0 bytes, a deleted directory as everything that was in it
 * * opaque whiteouts are ignored
 * * a whiteout of nothing ends the layer
 *
 * Dive itself refuses a layer with a PAX global header. wagoodman/dive 0.13: dive/filetree/efficiency.go (Efficiency),
 * file_tree.go, dive/image/analysis.go
 *
 * @param layers  the entries of every layer, bottom first
 * @returns null if a layer has more implied directories than `IMPLIED_CAP`
 */
export function diveScore(layers: readonly EntryTable[]): DiveScore | null {
  const trees: DiveNode[] = [];
  const sizes: number[] = [];
  // An image may list the same layer a hundred thousand times.
  const known = new Map<EntryTable, DiveTree>();
  let room = IMPLIED_CAP;
  for (const layer of layers) {
    const tree = known.get(layer) ?? treeOf(layer, room);
    if (tree === null) return null;
    if (!known.has(layer)) room -= tree.implied;
    known.set(layer, tree);
    trees.push(tree.root);
    sizes.push(tree.bytes);
  }
  const { all: versions, inefficient } = new VersionCount(trees).run();
  let smallest = 0;
  let all = 0;
  for (const { least, bytes } of versions) {
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
    // Dive sorts the smallest first and prints from the end.
    inefficient: inefficient
      .sort((a, b) => a.bytes - b.bytes)
      .reverse()
      .map(({ path, bytes, count }) => ({ path, bytes, count })),
  };
}

/** The versions of one path. */
interface Versions {
  /** Made for a path with several versions. */
  path: string;
  bytes: number;
  least: number;
  count: number;
}

/** A path of any layer, below that of its directory. */
interface PathNode {
  children: Map<string, PathNode> | null;
  versions: Versions | null;
}

const newPath = (): PathNode => ({ children: null, versions: null });

function pathBelow(at: PathNode, name: string): PathNode {
  at.children ??= new Map();
  let below = at.children.get(name);
  if (below === undefined) {
    below = newPath();
    at.children.set(name, below);
  }
  return below;
}

/** Gathers the versions of all paths, layer by layer. */
class VersionCount {
  readonly all: Versions[] = [];
  /** Paths with several, in the order of their second. */
  readonly inefficient: Versions[] = [];
  private readonly root = newPath();
  private readonly way: string[] = [];
  private readonly below: Stack;
  private layer = 0;

  constructor(private readonly trees: readonly DiveNode[]) {
    this.below = new Stack(trees);
  }

  run(): this {
    for (const [layer, tree] of this.trees.entries()) {
      this.layer = layer;
      this.way.length = 0;
      this.visit(tree, this.root);
    }
    return this;
  }

  /**
   * Visits leaves in the byte order of their paths; no deeper than `DEPTH_CAP`.
   * @returns false at the end of the layer
   */
  private visit(node: DiveNode, at: PathNode): boolean {
    for (const name of namesIn(node)) {
      const child = node.children!.get(name)!;
      const isWhiteout = child.children === null && name.startsWith(WHITEOUT);
      const own = isWhiteout ? name.slice(WHITEOUT.length) : name;
      this.way.push(own);
      const path = pathBelow(at, own);
      const isMore = child.children === null ? this.count(child, path, isWhiteout) : this.visit(child, path);
      if (!isMore) return false;
      this.way.pop();
    }
    return true;
  }

  private count(leaf: DiveNode, path: PathNode, isWhiteout: boolean): boolean {
    const size = isWhiteout ? hiddenBytes(nodeAt(this.below.upTo(this.layer), this.way)) : leaf.size;
    if (path.versions === null) {
      path.versions = { path: '', bytes: 0, least: size ?? -1, count: 0 };
      this.all.push(path.versions);
    }
    if (size === null) return false;
    const { versions } = path;
    versions.bytes += size;
    if (versions.count === 0 || size < versions.least) versions.least = size;
    if (++versions.count === 2) {
      versions.path = `/${this.way.join('/')}`;
      this.inefficient.push(versions);
    }
    return true;
  }
}

/** Bytes that a whiteout hides; null if it hides nothing. */
function hiddenBytes(hidden: DiveNode | null): number | null {
  if (hidden === null) return null;
  return hidden.isDirectory ? bytesBelow(hidden) : 0;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
