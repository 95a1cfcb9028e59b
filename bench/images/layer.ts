// Generates one layer of an image: its entries in the order in which an engine writes them.
import { type Kind, LONGEST_SLICE, slice } from './content.js';
import { type Entry, headerBlocks, paddingOf } from './header.js';
import { fileSize, newFiles } from './names.js';
import { Random } from './random.js';

export interface LayerPlan {
  readonly seed: number;
  /** The layer ends with the file that reaches this number of bytes, or this number of entries. */
  readonly bytes: number;
  readonly entries: number;
  /** The part of the distribution of sizes that is used, from 0 to 1: less leaves out the large files. */
  readonly sizes: number;
}

const MTIME = 1_715_644_800;
const ZEROS = Buffer.alloc(1024);

/**
 * Writes the layer's tar.
 * @param below  some paths of files of the layers below, of which a few are replaced or removed; this layer adds its
 *   own
 * @param put    receives the pieces, which are views and must not be written to
 */
export function writeLayer(plan: LayerPlan, below: string[], put: (piece: Buffer) => void): void {
  const layer = new Layer(plan, put);
  const lower = [...below];
  const taken = new Set<string>();
  const files = newFiles(layer.random);
  while (!layer.full) {
    const { path, kind } = files.next().value;
    const older = lower.length > 0 && layer.random.chance(0.01) ? layer.pick(lower) : null;
    if (older !== null && taken.has(older)) continue;
    if (older !== null) {
      taken.add(older);
      if (layer.random.chance(0.2)) layer.whiteout(older);
      else layer.file(older, kind);
    } else {
      layer.file(path, kind);
      if (layer.random.chance(0.05)) below.push(path);
      // A header without records holds a target of up to 100 ASCII bytes.
      if (/^[\0-\x7f]{1,100}$/.test(path)) {
        if (layer.random.chance(0.05))
          layer.link(`${path}.link`, 'symlink', path.slice(path.lastIndexOf('/') + 1));
        if (layer.random.chance(0.01)) layer.link(`${path}.same`, 'hardlink', path);
      }
    }
  }
  put(ZEROS);
}

class Layer {
  readonly random: Random;
  private readonly folders = new Set<string>();
  private bytes = 0;
  private entries = 0;

  constructor(
    private readonly plan: LayerPlan,
    private readonly put: (piece: Buffer) => void,
  ) {
    this.random = new Random(plan.seed);
  }

  get full(): boolean {
    return this.bytes >= this.plan.bytes || this.entries >= this.plan.entries;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.random.below(list.length)]!;
  }

  file(path: string, kind: Kind): void {
    const size = Math.min(fileSize(this.random, this.plan.sizes), Math.max(0, this.plan.bytes - this.bytes));
    if (!this.add({ name: path, type: 'file', mode: kind === 'code' ? 0o755 : 0o644, size, mtime: MTIME }))
      return;
    for (let left = size; left > 0; left -= LONGEST_SLICE)
      this.put(slice(kind, this.random, Math.min(left, LONGEST_SLICE)));
    this.put(ZEROS.subarray(0, paddingOf(size)));
    this.bytes += size + paddingOf(size);
  }

  link(path: string, type: 'symlink' | 'hardlink', target: string): void {
    this.add({ name: path, type, mode: 0o777, target, mtime: MTIME });
  }

  whiteout(path: string): void {
    const slash = path.lastIndexOf('/') + 1;
    this.add({
      name: `${path.slice(0, slash)}.wh.${path.slice(slash)}`,
      type: 'file',
      mode: 0o644,
      mtime: MTIME,
    });
  }

  /** Writes the header, after those of its parent directories; returns false once the layer is full. */
  private add(entry: Entry): boolean {
    for (let slash = entry.name.indexOf('/'); slash > 0; slash = entry.name.indexOf('/', slash + 1)) {
      const folder = entry.name.slice(0, slash + 1);
      if (this.folders.has(folder)) continue;
      this.folders.add(folder);
      this.header({ name: folder, type: 'directory', mode: 0o755, mtime: MTIME });
    }
    return this.header(entry);
  }

  private header(entry: Entry): boolean {
    if (this.entries >= this.plan.entries) return false;
    this.entries++;
    const blocks = headerBlocks(entry);
    this.put(blocks);
    this.bytes += blocks.length;
    return true;
  }
}
