/** The data that the report embeds for each image: `FileMap` of a document. */
interface EmbeddedMap {
  readonly names: readonly string[];
  readonly parents: readonly number[];
  readonly sizes: readonly number[];
  readonly layers: readonly number[];
  readonly layerNames: readonly string[];
}

/** Files by index; the root is -1. */
interface FileTree {
  readonly map: EmbeddedMap;
  readonly bytes: (index: number) => number;
  /** Number of files below a directory. */
  readonly count: (index: number) => number;
  /** Largest first; empty if it is not a directory. */
  readonly children: (index: number) => readonly number[];
  readonly parent: (index: number) => number;
  readonly name: (index: number) => string;
  /** With a leading slash. */
  readonly path: (index: number) => string;
}

const ROOT = -1;

function treeOf(map: EmbeddedMap): FileTree {
  const { names, parents, sizes } = map;
  // The root is stored first, so that index -1 has a value.
  const bytes = Float64Array.from([0, ...sizes]);
  const counts = new Uint32Array(names.length + 1);
  const children: number[][] = names.map(() => []);
  children.unshift([]);
  for (let i = names.length - 1; i >= 0; i--) {
    const above = parents[i]! + 1;
    bytes[above]! += bytes[i + 1]!;
    counts[above]! += counts[i + 1]! + 1;
    children[above]!.push(i);
  }
  for (const list of children) list.sort((a, b) => bytes[b + 1]! - bytes[a + 1]! || a - b);
  const name = (index: number) => (index === ROOT ? '/' : names[index]!);
  return {
    map,
    bytes: index => bytes[index + 1]!,
    count: index => counts[index + 1]!,
    children: index => children[index + 1]!,
    parent: index => parents[index] ?? ROOT,
    name,
    path(index) {
      const segments: string[] = [];
      for (let at = index; at !== ROOT; at = parents[at]!) segments.push(names[at]!);
      return `/${segments.reverse().join('/')}`;
    },
  };
}

/** A size in decimal units with three digits. */
function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  let size = bytes;
  let unit = 0;
  for (; size >= 999.5 && unit < units.length - 1; unit++) size /= 1000;
  return `${Number(size.toPrecision(3))} ${units[unit]}`;
}

interface Matches {
  readonly found: readonly number[];
  readonly bytes: number;
  /** True if the file or something below it matches. */
  readonly has: (index: number) => boolean;
}

/**
 * Finds the files whose names contain the words. If the words contain a slash, the last segment must begin with the
 * text after it: `usr/b` finds `/usr/bin`.
 */
function search(tree: FileTree, words: string): Matches {
  const wanted = words.toLowerCase();
  const slash = wanted.lastIndexOf('/');
  const last = wanted.slice(slash + 1);
  const above = wanted.slice(0, Math.max(0, slash));
  const isBelow = (index: number) => index !== ROOT && tree.path(index).toLowerCase().endsWith(above);
  const found: number[] = [];
  const marked = new Uint8Array(tree.map.names.length + 1);
  let bytes = 0;
  for (let i = tree.map.names.length - 1; i >= 0; i--) {
    const name = tree.map.names[i]!.toLowerCase();
    const matches =
      slash < 0 ? name.includes(wanted) : name.startsWith(last) && (above === '' || isBelow(tree.parent(i)));
    if (matches) {
      found.push(i);
      bytes += tree.map.sizes[i]!;
      marked[i + 1] = 1;
    }
    if (marked[i + 1] === 1) marked[tree.parent(i) + 1] = 1;
  }
  found.sort((a, b) => tree.bytes(b) - tree.bytes(a) || a - b);
  return { found, bytes, has: index => marked[index + 1] === 1 };
}
