/**
 * Layers and chains of layers of a whole fleet, each kept once. Nothing here grows with the number of findings or with
 * the bytes of images.
 */

/** Counts and bytes of layers. */
export interface LayerSum {
  /** Layers, with those whose size is not known. */
  readonly count: number;
  readonly bytes: number;
  /** Layers whose size is not known, and which `bytes` lacks. */
  readonly unknown: number;
}

/** A layer that several archives have. */
export interface SharedLayer {
  readonly digest: string;
  /** Bytes of it once; null where no record has its size. */
  readonly size: number | null;
  /** Archives that have it. */
  readonly archives: number;
  /** Index of the first image that has it, in the list of distinct images. */
  readonly image: number;
}

/** Layers by one kind of digest: of the stored blob, or of the unpacked layer. */
export class LayerTable {
  private readonly indexes = new Map<string, number>();
  private readonly digests: string[] = [];
  private readonly sizes: (number | null)[] = [];
  private readonly archives: number[] = [];
  private readonly images: number[] = [];
  /** Layers that have no digest: each is one by itself. */
  private readonly nameless = { count: 0, bytes: 0, unknown: 0 };

  /**
   * Counts a layer of an archive. An archive that has it several times calls this once.
   * @returns its index; -1 for a layer without a digest
   */
  add(digest: string | null, size: number | null, image: number): number {
    if (digest === null) {
      addTo(this.nameless, size);
      return -1;
    }
    const known = this.indexes.get(digest);
    if (known !== undefined) {
      this.archives[known]!++;
      this.sizes[known] ??= size;
      return known;
    }
    const index = this.digests.push(digest) - 1;
    this.indexes.set(digest, index);
    this.sizes.push(size);
    this.archives.push(1);
    this.images.push(image);
    return index;
  }

  /** Each layer once for each archive that has it. */
  get inArchives(): LayerSum {
    const sum = { ...this.nameless };
    for (const [i, times] of this.archives.entries()) addTo(sum, this.sizes[i]!, times);
    return sum;
  }

  /** Each layer once. */
  get distinct(): LayerSum {
    const sum = { ...this.nameless };
    for (const size of this.sizes) addTo(sum, size);
    return sum;
  }

  /** Layers of several archives, those with the most bytes in further archives first. */
  shared(most: number): { readonly layers: readonly SharedLayer[]; readonly count: number } {
    const indexes = [...this.archives.keys()].filter(i => this.archives[i]! > 1);
    const saved = (i: number) => (this.sizes[i] ?? 0) * (this.archives[i]! - 1);
    indexes.sort((a, b) => saved(b) - saved(a) || this.archives[b]! - this.archives[a]! || a - b);
    const layers = indexes.slice(0, most).map(i => ({
      digest: this.digests[i]!,
      size: this.sizes[i]!,
      archives: this.archives[i]!,
      image: this.images[i]!,
    }));
    return { layers, count: indexes.length };
  }
}

/** Adds layers of one size to a sum. */
export function addTo(
  sum: { count: number; bytes: number; unknown: number },
  size: number | null,
  times = 1,
): void {
  sum.count += times;
  if (size === null) sum.unknown += times;
  else sum.bytes += size * times;
}

/** Keys of children are numbers: `parent * FACTOR + layer` is exact below 2^53. */
const FACTOR = 2 ** 26;
const ROOT = 0;

/**
 * The chains of diff_ids of all images as one tree: images with the same first layers share the nodes of these. An
 * image whose chain ends at a node above that of another image is a base of it.
 */
export class ChainTree {
  private readonly layers = new Map<string, number>();
  private readonly children = new Map<number, number>();
  private readonly parents: number[] = [-1];
  private readonly depths: number[] = [0];
  /** The first image whose last layer is the one of this node; -1 for none. */
  private readonly ends: number[] = [-1];

  /**
   * @param diffIds  base first
   * @returns the node of the last layer; null where a diff_id is not known, or there are no layers
   */
  add(diffIds: readonly (string | null)[], image: number): number | null {
    if (diffIds.length === 0 || diffIds.includes(null)) return null;
    let node = ROOT;
    for (const diffId of diffIds) node = this.childOf(node, this.layerOf(diffId!));
    if (this.ends[node] === -1) this.ends[node] = image;
    return node;
  }

  /**
   * The longest chain of another image that a chain begins with.
   * @returns the image that ends there first, and the number of its layers; null for none
   */
  baseOf(node: number): { readonly image: number; readonly layers: number } | null {
    for (let at = this.parents[node]!; at > ROOT; at = this.parents[at]!) {
      const image = this.ends[at]!;
      if (image !== -1) return { image, layers: this.depths[at]! };
    }
    return null;
  }

  /** Whether the chain of a node begins with that of another node, or is the same. */
  beginsWith(node: number, base: number): boolean {
    let at = node;
    while (this.depths[at]! > this.depths[base]!) at = this.parents[at]!;
    return at === base;
  }

  private layerOf(diffId: string): number {
    const known = this.layers.get(diffId);
    if (known !== undefined) return known;
    const layer = this.layers.size;
    this.layers.set(diffId, layer);
    return layer;
  }

  private childOf(parent: number, layer: number): number {
    const key = parent * FACTOR + layer;
    const known = this.children.get(key);
    if (known !== undefined) return known;
    const node = this.parents.push(parent) - 1;
    this.depths.push(this.depths[parent]! + 1);
    this.ends.push(-1);
    this.children.set(key, node);
    return node;
  }
}
