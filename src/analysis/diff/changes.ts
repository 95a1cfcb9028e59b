import { isRfc3339 } from '../../spec/config.js';
import { isObject, type Json, own } from '../../spec/json.js';

/** JSON below this depth is not shown. Documents of real images nest less deep. */
const SHOWN_DEPTH = 16;

/**
 * True if two JSON values are equal; the order of keys does not count. Not recursive, because the values come from
 * archives and may nest deep enough to overflow the stack.
 */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  const pending: [Json | undefined, Json | undefined][] = [[a, b]];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [x, y] = pair;
    if (Array.isArray(x) && Array.isArray(y)) {
      if (x.length !== y.length) return false;
      for (const [i, item] of x.entries()) pending.push([item, y[i]]);
    } else if (isObject(x) && isObject(y)) {
      const keys = Object.keys(x);
      if (keys.length !== Object.keys(y).length) return false;
      for (const key of keys) {
        if (!Object.hasOwn(y, key)) return false;
        pending.push([own(x, key), own(y, key)]);
      }
    } else if (x !== y) return false;
  }
  return true;
}

/**
 * True if a field is as good as absent: Go writes null, an empty list or an empty string for a field that was never
 * set.
 */
export function isUnset(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** True if both fields are unset, or their values are equal. */
export const sameField = (a: Json | undefined, b: Json | undefined): boolean =>
  (isUnset(a) && isUnset(b)) || sameJson(a, b);

/** A copy of the value that `JSON.stringify` can write, cut at `depth`. */
export function shown(value: Json | undefined, depth = SHOWN_DEPTH): Json {
  if (typeof value !== 'object' || value === null) return value ?? null;
  if (depth === 0) return '…';
  if (Array.isArray(value)) return value.map(item => shown(item, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item, depth - 1)]));
}

/** RFC 3339; some tools write a space for the T. */
const isTime = (text: string) => isRfc3339(text.replace(/^(.{10}) /, '$1T'));

/** True if both values are times, and differ. */
export const areTimes = (a: Json | undefined, b: Json | undefined): boolean =>
  typeof a === 'string' && typeof b === 'string' && isTime(a) && isTime(b);

/**
 * Kinds of differences between two images. A kind may have a more specific form after a dot: `files.content`,
 * `config.env.PATH`. IDs and sizes follow from other differences and are not counted.
 */
export const KINDS = [
  'names',
  'platform',
  'config',
  'history',
  'layers',
  'files',
  'packages',
  'mode',
  'owner',
  'times',
  'order',
  'encoding',
  'compression',
  'manifest',
  'attestations',
  'artifacts',
  'images',
  'ids',
  'sizes',
] as const;

/**
 * The kind for files, and layers of files, that were not read and so may differ. It counts only if no other difference
 * was found.
 */
export const UNREAD = 'files.unread';

/** The number of differences of one kind. */
export interface KindCount {
  readonly kind: string;
  readonly count: number;
}

/** True if a value of `--ignore` is a kind, or a more specific form of one. */
export const isKind = (word: string): boolean =>
  KINDS.some(kind => word === kind || word.startsWith(`${kind}.`));

/** Counts differences; ignored ones are counted separately. */
export class Tally {
  private readonly counted = new Map<string, number>();
  private readonly passedOver = new Map<string, number>();

  /** @param ignored  kinds, or more specific forms of them */
  constructor(private readonly ignored: readonly string[]) {}

  ignores(kind: string): boolean {
    return this.ignored.some(word => kind === word || kind.startsWith(`${word}.`));
  }

  /**
   * @param key  another kind that `--ignore` may name: a label that holds a time also counts as a time
   * @returns true if the difference is not ignored
   */
  add(kind: string, count = 1, key = kind): boolean {
    const isIgnored = this.ignores(kind) || this.ignores(key);
    const counts = isIgnored ? this.passedOver : this.counted;
    counts.set(kind, (counts.get(kind) ?? 0) + count);
    return !isIgnored;
  }

  /** True if a difference of this kind was found, ignored or not. */
  has(kind: string): boolean {
    return this.counted.has(kind) || this.passedOver.has(kind);
  }

  differences(): KindCount[] {
    return sorted(this.counted);
  }

  ignoredDifferences(): KindCount[] {
    return sorted(this.passedOver);
  }
}

/** The sums of the counts of several comparisons. */
export function together(counts: readonly (readonly KindCount[])[]): KindCount[] {
  const all = new Map<string, number>();
  for (const { kind, count } of counts.flat()) all.set(kind, (all.get(kind) ?? 0) + count);
  return sorted(all);
}

function sorted(counts: ReadonlyMap<string, number>): KindCount[] {
  const rank = (kind: string) => KINDS.findIndex(known => kind === known || kind.startsWith(`${known}.`));
  return [...counts]
    .map(([kind, count]) => ({ kind, count }))
    .sort((a, b) => rank(a.kind) - rank(b.kind) || (a.kind < b.kind ? -1 : 1));
}

/** Indexes of two corresponding elements of two sequences; null where one sequence has no counterpart. */
export type Pairing = readonly [a: number | null, b: number | null];

/**
 * Comparisons allowed for finding the longest common subsequence; sequences that need more are treated as different.
 */
const COMPARISONS = 1_000_000;

/**
 * Pairs the elements of two sequences by their keys, in order: the common prefix and suffix, and between them the
 * longest common subsequence. Elements that only `a` has come before elements that only `b` has.
 */
export function pairUp(a: readonly string[], b: readonly string[]): Pairing[] {
  const least = Math.min(a.length, b.length);
  let start = 0;
  while (start < least && a[start] === b[start]) start++;
  let end = 0;
  while (end < least - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const between = middle(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return [
    ...Array.from({ length: start }, (_, i): Pairing => [i, i]),
    ...between.map(([i, j]): Pairing => [i === null ? null : start + i, j === null ? null : start + j]),
    ...Array.from({ length: end }, (_, i): Pairing => [a.length - end + i, b.length - end + i]),
  ];
}

function middle(a: readonly string[], b: readonly string[]): Pairing[] {
  const lengths = a.length * b.length > COMPARISONS ? null : commonLengths(a, b);
  const pairs: Pairing[] = [];
  let [i, j] = [0, 0];
  if (lengths !== null) {
    const width = b.length + 1;
    while (i < a.length && j < b.length) {
      if (a[i] === b[j]) pairs.push([i++, j++]);
      else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) pairs.push([i++, null]);
      else pairs.push([null, j++]);
    }
  }
  while (i < a.length) pairs.push([i++, null]);
  while (j < b.length) pairs.push([null, j++]);
  return pairs;
}

/** Lengths of the longest common subsequences of the elements from i on and those from j on. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint32Array {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        a[i] === b[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  return lengths;
}

/** True if the keys that two sequences share come in a different order. A repeated key counts at its first position. */
export function isReordered(a: readonly string[], b: readonly string[]): boolean {
  const places = new Map<string, number>();
  b.forEach((key, i) => {
    if (!places.has(key)) places.set(key, i);
  });
  let last = -1;
  for (const key of new Set(a)) {
    const place = places.get(key);
    if (place === undefined) continue;
    if (place < last) return true;
    last = place;
  }
  return false;
}
