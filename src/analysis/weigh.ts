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

/** The size that an engine reports for one layer. */
export interface LayerSize {
  readonly bytes: number;
  /**
   * A short reason why the engine would not report this number: it refuses the layer, or not all of the layer could be
   * read. `bytes` is then the size of the part that can be unpacked. null if the number is certain.
   */
  readonly doubt: string | null;
}

/**
 * The layer size that Docker's classic store reports on overlay2 with native diffs: the sizes of everything except
 * directories after unpacking this layer alone. A hard link adds nothing, a symbolic link the length of its target, a
 * whiteout nothing. moby daemon/graphdriver/overlay2/overlay.go (ApplyDiff), internal/directory/directory_unix.go
 * (calcSize)
 *
 * @returns null if the entries were not read: another depth than `files`, or not a tar
 */
export const overlaySize = (layer: BlobFacts): LayerSize | null => unpackedSize(layer, ST_SIZE);

/**
 * The layer size that Docker's classic store reports with drivers that compare directories (vfs, btrfs, zfs, and
 * overlay2 if native diffs do not work): the sum of the sizes in the tar's headers. Every entry counts, even one that
 * another entry replaces. moby go-archive diff.go (UnpackLayer), daemon/graphdriver/fsdiff.go (ApplyDiff)
 *
 * @returns null if the entries were not read
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

/** The sentence that `verify` reports for the same refusal. */
const wordsFor = (refused: LayerRefusal | null): string | null =>
  refused === null ? null : refusalText(refused.kind, refused.path, refused.other);

/**
 * The disk usage that containerd's overlayfs snapshotter, and so Docker's containerd store, reports for a layer: the
 * blocks of every inode, including directories and the layer's root. It depends on the file system; this is an estimate
 * for ext4 with blocks of 4 KiB and no inline data except short symbolic links. containerd
 * plugins/snapshots/overlay/overlay.go (Commit), continuity fs/du_unix.go (diskUsage)
 *
 * @returns null if the entries were not read
 */
export const snapshotUsage = (layer: BlobFacts): LayerSize | null => unpackedSize(layer, EXT4_BLOCKS);

const ST_SIZE: Measure = { file: size => size, symlink: length => length, directory: () => 0 };

const BLOCK = 4096;
const blocks = (bytes: number) => Math.ceil(bytes / BLOCK) * BLOCK;

/**
 * A symbolic link shorter than this, in bytes, is stored in its inode.
 * https://docs.kernel.org/filesystems/ext4/inlinedata.html
 */
const INLINE_LINK = 60;

const EXT4_BLOCKS: Measure = {
  file: blocks,
  symlink: length => (length < INLINE_LINK ? 0 : blocks(length)),
  directory: names => directoryBlocks(names),
};

/**
 * Bytes of an ext4 directory: its own entries and checksum, each name, and how full its blocks are if there are
 * several.
 */
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

/** Docker accepts an empty file as an empty layer, although it is not a valid tar. */
function damageOf({ failure, unpacked, tar }: BlobFacts, { truncated }: EntryTable): string | null {
  if (failure !== null) return failure.kind === 'limit' ? limitText(failure) : failure.reason;
  if (truncated !== null) return `it has more entries than --limit ${truncated} allows`;
  const reached = tar?.reached.find(({ limit }) => limit !== 'layerEntries');
  if (reached !== undefined) return limitText(reached);
  return unpacked?.size === 0 ? null : (tar?.error ?? null);
}

/** The sizes of a layer, an image or an archive, in bytes; null if a size is not known. */
export interface Sizes {
  /** Bytes in the archive, compressed or not. */
  readonly stored: number | null;
  /**
   * Bytes that a registry would transfer. null if the archive holds the layer unpacked: the size then depends on the
   * compressor.
   */
  readonly compressed: number | null;
  /** An estimate of `compressed`, if that is not known, made by compressing the layer. */
  readonly estimated: number | null;
  /** Bytes of the tar, including headers and padding. */
  readonly unpacked: number | null;
  /**
   * Bytes of the regular files in the tar, each counted as often as it occurs; for a damaged tar, those before the
   * damage.
   */
  readonly content: number | null;
  /** The size that `docker history` and `.Size` report with Docker's classic store. */
  readonly docker: number | null;
  /** The same if Docker uses native diffs on overlay2: a symbolic link counts with the length of its target. */
  readonly overlay2: number | null;
  /** Sizes that are only a lower bound, because a part is not known. Absent if there are none. */
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
 * Returns a function that computes the sizes of a layer, each blob once: an image can list one a hundred thousand
 * times.
 * @param scan  of depth `files`; with any other depth only `stored` and sizes derived from it are known
 */
export function weigher(scan: Scan, estimates: Estimates | null): (layer: Layer) => Sizes {
  const known = estimates === null ? scan.once(weighedIn, scan) : new Map<Member, Sizes>();
  return layer => {
    const { member, encrypted } = layer;
    // For an absent or encrypted layer the descriptor's size is used, and two descriptors of one blob may differ.
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

/** True if a limit was reached before all of a layer's entries were read. */
function isCutByLimit({ failure, tar }: BlobFacts): boolean {
  const isTruncated = tar?.table != null && tar.table.truncated !== null;
  const isReached = tar?.reached.some(({ limit }) => limit !== 'layerEntries') ?? false;
  return failure?.kind === 'limit' || isTruncated || isReached;
}

/** A registry keeps a layer as it is stored; the size of an absent layer is taken from its descriptor. */
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
 * Adds up the sizes of several layers. A size that is unknown for one layer but known for another counts as 0, except
 * `compressed`: that is known only if it is known for every layer. An estimate includes the layers whose compressed
 * size is known.
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

/** Sizes that are added up even if one is unknown. An absent layer takes no room in the archive. */
const SUMMED: readonly SizeName[] = ['unpacked', 'content', 'docker', 'overlay2'];

const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);

function allOf(numbers: readonly (number | null)[]): number | null {
  return numbers.some(number => number === null) ? null : total(numbers as readonly number[]);
}
