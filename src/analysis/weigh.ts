import type { Member } from '../containers/source.js';
import { isPlainTar } from '../filesystem/layer-tables.js';
import { type LayerRefusal, LayerTree, type Measure, unknownType } from '../filesystem/layer-tree.js';
import { refusalText } from '../filesystem/unloadable.js';
import { limitText } from '../limits.js';
import type { Layer } from '../link/graph.js';
import type { BlobFacts } from '../scan/blob/facts.js';
import { claimedSizeAt, type EntryTable, typeAt } from '../scan/entries/table.js';
import type { Scan } from '../scan/scan.js';
import { layerType } from '../spec/media-types.js';

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

/** The sizes that a layer, an image or an archive has at the same time, in bytes; null where one is not known. */
export interface Sizes {
  /** Bytes in the archive, compressed or not. */
  readonly stored: number | null;
  /** What a registry would transfer. null for what the archive holds unpacked: it depends on who compresses it. */
  readonly compressed: number | null;
  /** As `compressed`, where that is not known: from compressing it to see. */
  readonly estimated: number | null;
  /** The tar: headers, padding and all. */
  readonly unpacked: number | null;
  /** Regular files in the tar, each as often as it is there; of a damaged tar those before the damage. */
  readonly content: number | null;
  /** What `docker history` and `.Size` say of it in Docker's classic store. */
  readonly docker: number | null;
  /** The same where Docker diffs natively on overlay2: symbolic links weigh their targets. */
  readonly overlay2: number | null;
  /** Those that are at least so large: something that they should count is not known. Left out where there is none. */
  readonly partial?: readonly SizeName[];
}

export type SizeName = Exclude<keyof Sizes, 'partial'>;

export const SIZE_NAMES: readonly SizeName[] = [
  'stored',
  'compressed',
  'estimated',
  'unpacked',
  'content',
  'docker',
  'overlay2',
];

/** Compressed sizes of members that the archive holds unpacked. */
export type Estimates = ReadonlyMap<Member, number>;

/** What layers weigh without estimates, for all that ask: thousands of images may share one. */
const weighedIn = (_scan: Scan) => new Map<Member, Sizes>();

/**
 * Weighs the layers of a scan, each blob once: an image can list one a hundred thousand times.
 * @param scan  of depth `files`; at any other only `stored` and what follows from it is known
 */
export function weigher(scan: Scan, estimates: Estimates | null): (layer: Layer) => Sizes {
  const known = estimates === null ? scan.once(weighedIn, scan) : new Map<Member, Sizes>();
  return layer => {
    const { member, encrypted } = layer;
    // What an absent layer weighs is the descriptor's word, and whether one is encrypted too: another may say something else.
    if (member === null || encrypted) return layerSizes(scan, layer, estimates);
    const sizes = known.get(member) ?? layerSizes(scan, layer, estimates);
    known.set(member, sizes);
    return sizes;
  };
}

function layerSizes(scan: Scan, layer: Layer, estimates: Estimates | null): Sizes {
  const { member } = layer;
  const facts = member === null ? null : scan.facts(member);
  const stored = member === null ? null : (facts?.size ?? member.size);
  const compressed = compressedSize(layer, facts, stored);
  const isHidden = layer.encrypted && facts !== null && !isPlainTar(facts);
  const tar = isHidden ? null : (facts?.tar ?? null);
  const isTar = tar !== null && (tar.error === null || tar.entries > 0);
  const isCut = facts !== null && isCutByLimit(facts);
  const [docker, overlay2] =
    facts === null || isHidden ? [null, null] : [naiveSize(facts), overlaySize(facts)];
  return {
    stored,
    compressed,
    estimated: compressed !== null || member === null ? null : (estimates?.get(member) ?? null),
    unpacked: isHidden ? null : (facts?.unpacked?.size ?? null),
    content: isTar && tar.table !== null && !isCut ? contentBytes(tar.table) : null,
    docker: docker?.doubt === null ? docker.bytes : null,
    overlay2: overlay2?.doubt === null ? overlay2.bytes : null,
    ...(isTar && !isCut && (tar.error !== null || facts?.failure != null) && { partial: ['content'] }),
  };
}

/** Whether a limit has kept some of a layer's entries from being known. */
function isCutByLimit({ failure, tar }: BlobFacts): boolean {
  const isTruncated = tar?.table != null && tar.table.truncated !== null;
  const isReached = tar?.reached.some(({ limit }) => limit !== 'layerEntries') ?? false;
  return failure?.kind === 'limit' || isTruncated || isReached;
}

/** A registry has a layer as it is stored; of one that is absent, the descriptor says how large it is there. */
function compressedSize(layer: Layer, facts: BlobFacts | null, stored: number | null): number | null {
  if (layer.encrypted) return stored ?? layer.claimedSize;
  if (stored !== null) return facts === null || facts.compression === 'none' ? null : stored;
  const { compression } = layerType(layer.mediaType);
  return compression === null || compression === 'none' ? null : layer.claimedSize;
}

function contentBytes(table: EntryTable): number {
  let bytes = 0;
  for (let index = 0; index < table.count; index++)
    if (typeAt(table, index) === 'file') bytes += table.sizes[index]!;
  return bytes;
}

/**
 * Sizes of several layers together. What is not known of one counts as nothing where it is known of another, but for what a
 * registry would transfer: that is known only where it is known of each, and an estimate takes in what needed none.
 */
export function sumOf(layers: readonly Sizes[]): Sizes {
  const known = (name: SizeName) => {
    const numbers = layers.map(sizes => sizes[name]).filter(size => size !== null);
    return numbers.length === 0 && layers.length > 0 ? null : total(numbers);
  };
  const estimates = layers.map(sizes => sizes.compressed ?? sizes.estimated);
  const isEstimated = layers.some(sizes => sizes.estimated !== null);
  const partial = SUMMED.filter(
    name =>
      known(name) !== null && layers.some(sizes => sizes[name] === null || sizes.partial?.includes(name)),
  );
  return {
    stored: known('stored'),
    compressed: allOf(layers.map(sizes => sizes.compressed)),
    estimated: isEstimated ? allOf(estimates) : null,
    unpacked: known('unpacked'),
    content: known('content'),
    docker: known('docker'),
    overlay2: known('overlay2'),
    ...(partial.length > 0 && { partial }),
  };
}

/** Sizes of which a sum is made even where one is not known. What is not in the archive takes no room in it. */
const SUMMED: readonly SizeName[] = ['unpacked', 'content', 'docker', 'overlay2'];

const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);

function allOf(numbers: readonly (number | null)[]): number | null {
  return numbers.some(number => number === null) ? null : total(numbers as readonly number[]);
}
