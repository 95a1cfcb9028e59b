import { type Entry, entriesOf } from '../scan/entry.js';
import type { EntryTable } from '../scan/entry-table.js';

/** A layer, or several stacked, as dive keeps them: a directory that another entry replaces keeps what is in it. */
export interface Node {
  size: number;
  isDirectory: boolean;
  children: Map<string, Node> | null;
}

const newNode = (): Node => ({ size: 0, isDirectory: false, children: null });

const WHITEOUT = '.wh.';
const METADATA = '.wh..wh.';
/** Directories that no entry names, and directories on the way to a file: more have no honest use, and cost memory and time. */
export const IMPLIED_CAP = 100_000;
const DEPTH_CAP = 2048;

export interface LayerTree {
  readonly root: Node;
  readonly bytes: number;
  /** Directories that no entry names. */
  readonly implied: number;
}

/**
 * @param room  for directories that no entry names
 * @returns null where it has more of them than that, or than any honest layer
 */
export function treeOf(layer: EntryTable, room = IMPLIED_CAP): LayerTree | null {
  const most = layer.count + Math.min(room, IMPLIED_CAP);
  const root = newNode();
  let bytes = 0;
  let made = 0;
  for (const entry of entriesOf(layer)) {
    const segments = segmentsOf(entry.name);
    if (segments.length === 0) continue;
    bytes += entry.claimedSize;
    made += add(root, segments, payloadOf(entry));
    if (made > most || segments.length > DEPTH_CAP) return null;
  }
  return { root, bytes, implied: Math.max(0, made - layer.count) };
}

const payloadOf = ({ claimedSize, type }: Entry) => ({
  size: claimedSize,
  isDirectory: type === 'directory',
});

/** As Go's path.Clean leaves them: `..` stays where there is nothing to go up to. */
function segmentsOf(name: string): string[] {
  const out: string[] = [];
  const isRooted = name.startsWith('/');
  for (const segment of name.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') out.push(segment);
    else if (out.length > 0 && out.at(-1) !== '..') out.pop();
    else if (!isRooted) out.push(segment);
  }
  return out;
}

/** @returns how many nodes were made */
function add(root: Node, segments: readonly string[], payload: Omit<Node, 'children'>): number {
  let node = root;
  let made = 0;
  for (const segment of segments) {
    let next = node.children?.get(segment);
    if (next === undefined) {
      if (segment.startsWith(METADATA)) return made;
      next = newNode();
      made++;
      node.children ??= new Map();
      node.children.set(segment, next);
    }
    node = next;
  }
  node.size = payload.size;
  node.isDirectory = payload.isDirectory;
  return made;
}

export function nodeAt(root: Node, segments: readonly string[]): Node | null {
  let node: Node | undefined = root;
  for (const segment of segments) {
    if (segment === '') continue;
    node = node.children?.get(segment);
    if (node === undefined) return null;
  }
  return node;
}

export interface Visit {
  readonly node: Node;
  readonly isWhiteout: boolean;
  /** The path of the entry; of a whiteout, the path that it hides. */
  readonly segments: readonly string[];
}

/** Every node but the root, what is inside before what it is in, siblings by the bytes of their names. */
export function* visits(root: Node): Generator<Visit> {
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
const namesIn = ({ children }: Node): readonly string[] =>
  children === null ? NO_NAMES : [...children.keys()].sort();

/** Bytes of a node and of all below it. */
export function bytesBelow(top: Node): number {
  let bytes = 0;
  const todo = [top];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    bytes += node.size;
    for (const child of node.children?.values() ?? []) todo.push(child);
  }
  return bytes;
}

/** The layers below one, put together: made only where whiteouts ask for it. What the lowest layer hides is looked for in itself. */
export class Stack {
  private tree: Node | null = null;
  private layers = 0;

  constructor(private readonly trees: readonly Node[]) {}

  upTo(layer: number): Node {
    this.tree ??= copyOf(this.trees[0]!);
    for (; this.layers < layer; this.layers++) graft(this.tree, this.trees[this.layers]!);
    return this.tree;
  }
}

function graft(tree: Node, upper: Node): void {
  for (const { node, isWhiteout, segments } of visits(upper)) {
    if (!isWhiteout) add(tree, segments, node);
    else remove(tree, segments);
  }
}

function remove(tree: Node, segments: readonly string[]): void {
  const named = segments.filter(segment => segment !== '');
  const parent = nodeAt(tree, named.slice(0, -1));
  const { children } = parent ?? {};
  if (children == null || !children.delete(named.at(-1) ?? '')) return;
  if (children.size === 0) parent!.children = null;
}

function copyOf(root: Node): Node {
  const copy: Node = { ...root };
  const todo = [copy];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (node.children === null) continue;
    node.children = new Map([...node.children].map(([name, child]) => [name, { ...child }]));
    for (const child of node.children.values()) todo.push(child);
  }
  return copy;
}
