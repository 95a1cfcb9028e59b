import type { Unpacked } from './hidden-files.js';

/** What some files of an image weigh. Bytes of regular files, each file once however many names it has. */
export interface Weight {
  /** What can be seen in the image. */
  readonly bytes: number;
  /** What its layers hold: with the files that later layers overwrote or deleted. */
  readonly shipped: number;
  /** Files that can be seen. */
  readonly files: number;
}

/** The weight of what belongs together under a name. */
export interface Share extends Weight {
  /** Bytes, one per character, where it is a path. */
  readonly name: string;
  /** The layers that hold any of it: indexes into the image's, in order. */
  readonly layers: readonly number[];
}

/** One file's contribution. */
interface Piece {
  readonly path: string;
  readonly size: number;
  readonly layer: number;
  readonly isVisible: boolean;
}

/**
 * The names that a file belongs to: one, or one inside the other.
 * @param path   bytes, one per character
 * @param layer  that ships it: an index into the image's
 */
export type Grouping = (path: string, layer: number) => readonly string[];

/**
 * Weighs an image by whatever its files have in common.
 * @param wanted  takes a path; files that it refuses are left out
 */
export function breakdown(
  unpacked: Unpacked,
  grouping: Grouping,
  wanted: (path: string) => boolean,
): { readonly shares: Share[]; readonly all: Weight } {
  const shares = new Map<string, OpenShare>();
  const all = openShare('');
  for (const piece of pieces(unpacked)) {
    if (!wanted(piece.path)) continue;
    add(all, piece);
    for (const name of grouping(piece.path, piece.layer)) {
      let share = shares.get(name);
      if (share === undefined) {
        share = openShare(name);
        shares.set(name, share);
      }
      add(share, piece);
    }
  }
  const { bytes, shipped, files } = all;
  return { shares: [...shares.values()].map(closed), all: { bytes, shipped, files } };
}

interface OpenShare {
  readonly name: string;
  bytes: number;
  shipped: number;
  files: number;
  readonly layers: Set<number>;
}

const openShare = (name: string): OpenShare => ({ name, bytes: 0, shipped: 0, files: 0, layers: new Set() });

const closed = (share: OpenShare): Share => ({ ...share, layers: [...share.layers].sort((a, b) => a - b) });

function add(share: OpenShare, { size, layer, isVisible }: Piece): void {
  share.shipped += size;
  share.layers.add(layer);
  if (!isVisible) return;
  share.bytes += size;
  share.files++;
}

/** A file with several names goes under the one that it was given first. */
function* pieces({ tree, tables, stowaways }: Unpacked): Generator<Piece> {
  for (const node of tree.nodes) {
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
 * Directories down to a depth, with all that is below them. The root's name is empty.
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

/** What comes after the last dot, in lower case; version numbers after it do not count (`libc.so.6` is `.so`). Empty for none. */
export const byExtension: Grouping = path => {
  const base = withoutVersion(path.slice(path.lastIndexOf('/') + 1));
  const dot = base.lastIndexOf('.');
  return [dot <= 0 ? '' : base.slice(dot).toLowerCase()];
};

/** By hand: a pattern for the numbers at the end would look for its beginning at each of a million dots. */
function withoutVersion(name: string): string {
  for (let end = name.length; ; ) {
    let at = end;
    while (at > 0 && name[at - 1]! >= '0' && name[at - 1]! <= '9') at--;
    if (at === end || name[at - 1] !== '.') return name.slice(0, end);
    end = at - 1;
  }
}
