import { createHash, hash } from 'node:crypto';
import { type BytePath, isUtf8, nameBytes, pathBuffer } from '../spec/byte-path.js';
import type { Item, Shard } from './record.js';

/** A work list: what every shard of a run must agree in. */
export interface ListedPaths {
  /** Sorted by bytes, without duplicates. */
  readonly paths: readonly BytePath[];
  /** Bytes of each, in the order of the paths; null where shards are made by path alone. */
  readonly sizes: readonly number[] | null;
}

/** The digest of a work list, as `Shard.list` defines it. `sha256:` and hexadecimal digits. */
export function listDigest({ paths, sizes }: ListedPaths): string {
  const sum = createHash('sha256');
  // Many paths in one call: a call takes longer than hashing a path, and a million strings are a lot of garbage.
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let length = 0;
  const add = (text: string) => {
    const bytes = `${text}\0`;
    if (length + bytes.length > BLOCK_BYTES) {
      sum.update(block.subarray(0, length));
      length = 0;
    }
    if (bytes.length > BLOCK_BYTES) sum.update(bytes, 'latin1');
    else length += block.write(bytes, length, 'latin1');
  };
  for (const [i, path] of paths.entries()) {
    add(path);
    if (sizes !== null) add(String(sizes[i]));
  }
  sum.update(block.subarray(0, length));
  return `sha256:${sum.digest('hex')}`;
}

const BLOCK_BYTES = 64 * 1024;

/**
 * The shard of a path, from 1: the first 8 bytes of its sha256 as a big-endian number, modulo the number of shards. It
 * depends on the path alone, so that no other path of the list moves it.
 */
export function shardOf(path: BytePath, of: number): number {
  if (of === 1) return 1;
  // The text of ASCII is hashed without a copy in a buffer.
  const digits = hash('sha256', /[\x80-\xff]/.test(path) ? pathBuffer(path) : path, 'hex');
  return Number(BigInt(`0x${digits.slice(0, 16)}`) % BigInt(of)) + 1;
}

/**
 * Shards of about equal size: the largest file first, ties in the order of paths, each to the shard that has the fewest
 * bytes so far, the lowest number of equal ones.
 * @param sizes  bytes of each path, in the order of the paths
 * @returns the shard of each path, from 1
 */
export function balancedShards(sizes: readonly number[], of: number): Uint32Array {
  const shards = new Uint32Array(sizes.length);
  const order = Uint32Array.from(sizes.keys()).sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  // A binary heap of shards: the parent of i is at (i - 1) >> 1 and has fewer bytes, or as many and a lower number.
  const heap = Array.from({ length: of }, (_, i) => ({ number: i + 1, bytes: 0 }));
  for (const index of order) {
    const least = heap[0]!;
    shards[index] = least.number;
    least.bytes += sizes[index]!;
    sinkFirst(heap);
  }
  return shards;
}

interface ShardBytes {
  readonly number: number;
  bytes: number;
}

/** Restores the order of a heap whose first element has become larger. */
function sinkFirst(heap: ShardBytes[]): void {
  const isBefore = (a: ShardBytes, b: ShardBytes) =>
    a.bytes < b.bytes || (a.bytes === b.bytes && a.number < b.number);
  for (let at = 0; ; ) {
    let next = 2 * at + 1;
    if (next >= heap.length) return;
    if (next + 1 < heap.length && isBefore(heap[next + 1]!, heap[next]!)) next++;
    if (!isBefore(heap[next]!, heap[at]!)) return;
    [heap[at], heap[next]] = [heap[next]!, heap[at]!];
    at = next;
  }
}

/**
 * One shard of a list.
 * @param number  from 1 to `of`
 */
export function shardedList(
  list: ListedPaths,
  { number, of }: Pick<Shard, 'number' | 'of'>,
): { readonly shard: Shard; readonly paths: readonly BytePath[] } {
  const { paths, sizes } = list;
  const shard = { number, of, by: sizes === null ? 'path' : 'size', list: listDigest(list) } as const;
  if (of === 1) return { shard, paths };
  if (sizes === null) return { shard, paths: paths.filter(path => shardOf(path, of) === number) };
  const shards = balancedShards(sizes, of);
  return { shard, paths: paths.filter((_, i) => shards[i] === number) };
}

/** The index of a path in a sorted list; -1 where it is not in it. */
export function indexOfPath(paths: readonly BytePath[], path: BytePath): number {
  let [low, high] = [0, paths.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (paths[middle]! < path) low = middle + 1;
    else high = middle;
  }
  return paths[low] === path ? low : -1;
}

/** A path as a record has it. */
export function recordedPath(path: BytePath): Pick<Item, 'path' | 'pathBytes'> {
  const bytes = pathBuffer(path);
  const text = { path: bytes.toString('utf8') };
  return isUtf8(path) ? text : { ...text, pathBytes: bytes.toString('base64') };
}

/** The path of a record; null if its two forms are not of one path, or no file can have it. */
export function pathOfRecord({ path, pathBytes }: Pick<Item, 'path' | 'pathBytes'>): BytePath | null {
  const bytes =
    pathBytes === undefined ? nameBytes(path) : Buffer.from(pathBytes, 'base64').toString('latin1');
  const again = recordedPath(bytes);
  const isSame = again.path === path && again.pathBytes === pathBytes;
  return isSame && path !== '' && !path.includes('\0') ? bytes : null;
}
