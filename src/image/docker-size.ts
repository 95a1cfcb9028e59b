import { limitText } from '../limits.js';
import { claimedSizeAt } from '../scan/entry.js';
import type { EntryTable } from '../scan/entry-table.js';
import type { BlobFacts } from '../scan/facts.js';
import { type LayerRefusal, LayerTree, type Measure, unknownType } from './layer-tree.js';
import { refusalText } from './layer-words.js';

/** What one layer weighs for an engine. */
export interface LayerSize {
  readonly bytes: number;
  /**
   * Why the engine would not say this number, in a few words: it refuses the layer, or not all of the layer could be read.
   * `bytes` is then the size of what can be unpacked. null where there is no doubt.
   */
  readonly doubt: string | null;
}

/**
 * What Docker's classic store says of a layer on overlay2 with native diffs: the sizes of all that is no directory after
 * unpacking this layer alone. Hard links are free, a symbolic link has the size of its target, a whiteout none.
 * moby daemon/graphdriver/overlay2/overlay.go (ApplyDiff), internal/directory/directory_unix.go (calcSize)
 *
 * @returns null where the entries were not read: another depth than `files`, or no tar
 */
export const overlaySize = (layer: BlobFacts): LayerSize | null => unpackedSize(layer, ST_SIZE);

/**
 * What Docker's classic store says of a layer on drivers that compare directories (vfs, btrfs, zfs, and overlay2 where
 * native diffs do not work): the sum of the sizes that the tar's headers claim. Every entry counts, whatever becomes of it.
 * moby go-archive diff.go (UnpackLayer), daemon/graphdriver/fsdiff.go (ApplyDiff)
 *
 * @returns null where the entries were not read
 */
export function naiveSize(layer: BlobFacts): LayerSize | null {
  const table = layer.tar?.table ?? null;
  if (table === null) return null;
  let bytes = 0;
  let refused: LayerRefusal | null = null;
  for (let index = 0; index < table.count; index++) {
    bytes += claimedSizeAt(table, index);
    refused ??= unknownType(table, index);
  }
  return { bytes, doubt: damageOf(layer, table) ?? wordsFor(refused) };
}

/** The sentence by which `verify` tells of it. */
const wordsFor = (refused: LayerRefusal | null): string | null =>
  refused === null ? null : refusalText(refused.kind, refused.path, refused.other);

/**
 * What containerd's overlayfs snapshotter, and so Docker's containerd store, says a layer takes on disk: the blocks of every
 * inode, directories and the layer's root among them. It depends on the file system: this is an estimate for ext4 with blocks
 * of 4 KiB, which holds nothing inline but short links.
 * containerd plugins/snapshots/overlay/overlay.go (Commit), continuity fs/du_unix.go (diskUsage)
 *
 * @returns null where the entries were not read
 */
export const snapshotUsage = (layer: BlobFacts): LayerSize | null => unpackedSize(layer, EXT4_BLOCKS);

const ST_SIZE: Measure = { file: size => size, symlink: length => length, directory: () => 0 };

const BLOCK = 4096;
const blocks = (bytes: number) => Math.ceil(bytes / BLOCK) * BLOCK;

/** A link is kept in its inode where it is shorter than this. https://docs.kernel.org/filesystems/ext4/inlinedata.html */
const INLINE_LINK = 60;

const EXT4_BLOCKS: Measure = {
  file: blocks,
  symlink: length => (length < INLINE_LINK ? 0 : blocks(length)),
  directory: names => directoryBlocks(names),
};

/** An ext4 directory's own entries and checksum, what each name takes, and how full its blocks are once there are several. */
const OWN_ENTRIES = 24 + 12;
const entryBytes = (name: number) => 8 + Math.ceil(name / 4) * 4;
const FILL = 0.75;

function directoryBlocks(names: Iterable<number>): number {
  let bytes = OWN_ENTRIES;
  for (const name of names) bytes += entryBytes(name);
  return bytes <= BLOCK ? BLOCK : BLOCK + blocks(bytes / FILL);
}

function unpackedSize(layer: BlobFacts, measure: Measure): LayerSize | null {
  const table = layer.tar?.table ?? null;
  if (table === null) return null;
  const tree = new LayerTree(table, measure);
  let refused: LayerRefusal | null = null;
  for (let index = 0; index < table.count; index++) {
    const why = tree.add(index);
    refused ??= why;
  }
  return { bytes: tree.bytes(), doubt: damageOf(layer, table) ?? wordsFor(refused) };
}

/** An empty file is an empty layer to Docker, though it is no tar. */
function damageOf({ failure, unpacked, tar }: BlobFacts, { truncated }: EntryTable): string | null {
  if (failure !== null) return failure.kind === 'limit' ? limitText(failure) : failure.reason;
  if (truncated !== null) return `it has more entries than --limit ${truncated} allows`;
  const reached = tar?.reached.find(({ limit }) => limit !== 'layerEntries');
  if (reached !== undefined) return limitText(reached);
  return unpacked?.size === 0 ? null : (tar?.error ?? null);
}
