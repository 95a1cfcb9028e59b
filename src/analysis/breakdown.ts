import type { ImageFiles } from './hidden-files.js';

/** Size of a group of files of an image, in bytes of regular files. A file with several names counts once. */
export interface Weight {
  /** Bytes of the files that the final file system shows. */
  readonly bytes: number;
  /** Bytes of the files in all layers, including those that later layers overwrite or delete. */
  readonly shipped: number;
  /** Number of files that the final file system shows. */
  readonly files: number;
}

/** The size of all files that share a name of a group. */
export interface Share extends Weight {
  /** The part of it in layers above the base; left out where no base is known. */
  readonly ours?: Weight;
  /** The group's name. Where it is a path: bytes, one per character. */
  readonly name: string;
  /** The layers that hold at least one file of the group: indexes into the image's layers, ascending. */
  readonly layers: readonly number[];
}

/** One file's contribution to its groups. */
interface Piece {
  readonly path: string;
  readonly size: number;
  readonly layer: number;
  readonly isVisible: boolean;
}

/**
 * Returns the groups of a file: one, or several where each contains the next.
 * @param path   bytes, one per character
 * @param layer  the layer that ships the file: an index into the image's layers
 */
export type Grouping = (path: string, layer: number) => readonly string[];

/**
 * Sums the sizes of an image's files by group.
 * @param wanted  returns false for the path of a file to leave out
 * @param baseLayers  how many layers are those of the base; null where no base is known
 */
export function breakdown(
  unpacked: ImageFiles,
  grouping: Grouping,
  wanted: (path: string) => boolean,
  baseLayers: number | null = null,
): { readonly shares: Share[]; readonly all: Weight & { readonly ours?: Weight } } {
  const shares = new Map<string, OpenShare>();
  const open = (name: string) => openShare(name, baseLayers);
  const all = open('');
  for (const piece of pieces(unpacked)) {
    if (!wanted(piece.path)) continue;
    add(all, piece);
    for (const name of grouping(piece.path, piece.layer)) {
      let share = shares.get(name);
      if (share === undefined) {
        share = open(name);
        shares.set(name, share);
      }
      add(share, piece);
    }
  }
  const { bytes, shipped, files, ours } = closed(all);
  const weight = { bytes, shipped, files, ...(ours !== undefined && { ours }) };
  return { shares: [...shares.values()].map(closed), all: weight };
}

interface OpenWeight {
  bytes: number;
  shipped: number;
  files: number;
}

interface OpenShare extends OpenWeight {
  readonly name: string;
  readonly layers: Set<number>;
  /** null where no base is known. */
  readonly above: { readonly from: number; readonly weight: OpenWeight } | null;
}

const openWeight = (): OpenWeight => ({ bytes: 0, shipped: 0, files: 0 });

const openShare = (name: string, baseLayers: number | null): OpenShare => ({
  name,
  ...openWeight(),
  layers: new Set(),
  above: baseLayers === null ? null : { from: baseLayers, weight: openWeight() },
});

const closed = ({ name, bytes, shipped, files, layers, above }: OpenShare): Share => ({
  name,
  bytes,
  shipped,
  files,
  layers: [...layers].sort((a, b) => a - b),
  ...(above !== null && { ours: above.weight }),
});

function add(share: OpenShare, piece: Piece): void {
  const { layer } = piece;
  weigh(share, piece);
  share.layers.add(layer);
  if (share.above !== null && layer >= share.above.from) weigh(share.above.weight, piece);
}

function weigh(weight: OpenWeight, { size, isVisible }: Piece): void {
  weight.shipped += size;
  if (!isVisible) return;
  weight.bytes += size;
  weight.files++;
}

/** A file with several names belongs to the groups of the first one. */
function* pieces({ tree, tables, stowaways }: ImageFiles): Generator<Piece> {
  for (const node of tree.passing) {
    const { path, inode } = node;
    if (inode.type !== 'file' || node.linkedTo !== null) continue;
    const { layer, index } = inode;
    yield { path, size: tables[layer]!.sizes[index]!, layer, isVisible: true };
  }
  for (const { path, bytes, layer } of stowaways) yield { path, size: bytes, layer, isVisible: false };
}

export const byLayer: Grouping = (_path, layer) => [String(layer)];

export const byFile: Grouping = path => [path];

/**
 * Groups by directory, down to a depth; a directory includes everything below it. The root's name is empty.
 * @param depth  0 for the root alone
 */
export const byDirectory =
  (depth: number): Grouping =>
  path => {
    const names = [''];
    for (let at = path.indexOf('/'); at >= 0 && names.length <= depth; at = path.indexOf('/', at + 1))
      names.push(path.slice(0, at));
    return names;
  };

/**
 * Groups by extension: the text after the last dot, in lower case, without version numbers at the end (`libc.so.6` is
 * `.so`). Empty if there is none.
 */
export const byExtension: Grouping = path => {
  const base = withoutVersion(path.slice(path.lastIndexOf('/') + 1));
  const dot = base.lastIndexOf('.');
  return [dot <= 0 ? '' : base.slice(dot).toLowerCase()];
};

/** A loop, because a pattern anchored at the end would take quadratic time on a name of a million dots. */
function withoutVersion(name: string): string {
  for (let end = name.length; ; ) {
    let at = end;
    while (at > 0 && name[at - 1]! >= '0' && name[at - 1]! <= '9') at--;
    if (at === end || name[at - 1] !== '.') return name.slice(0, end);
    end = at - 1;
  }
}
