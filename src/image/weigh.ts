import { typeAt } from '../scan/entry.js';
import type { EntryTable } from '../scan/entry-table.js';
import type { BlobFacts } from '../scan/facts.js';
import type { Scan } from '../scan/scan.js';
import type { Member } from '../source/source.js';
import { layerType } from '../spec/media-types.js';
import { naiveSize, overlaySize } from './docker-size.js';
import type { Layer } from './graph.js';
import { isPlainTar } from './layer-faults.js';

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
const weighed = new WeakMap<Scan, Map<Member, Sizes>>();

/**
 * Weighs the layers of a scan, each blob once: an image can list one a hundred thousand times.
 * @param scan  of depth `files`; at any other only `stored` and what follows from it is known
 */
export function weigher(scan: Scan, estimates: Estimates | null): (layer: Layer) => Sizes {
  const known =
    estimates === null ? (weighed.get(scan) ?? new Map<Member, Sizes>()) : new Map<Member, Sizes>();
  if (estimates === null) weighed.set(scan, known);
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
