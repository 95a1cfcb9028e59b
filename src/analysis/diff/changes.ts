import { isRfc3339 } from '../../spec/config.js';
import { isObject, type Json, own } from '../../spec/json.js';

/** Deeper than any document of an image goes: what lies below is not shown. */
const SHOWN_DEPTH = 16;

/** Whether two JSON values are the same, whatever the order of their keys. Without recursion: they come from archives. */
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

/** Whether a field says nothing: Go writes null, an empty list or an empty string for what was never set. */
export function isUnset(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Both are unset, or the same. */
export const sameField = (a: Json | undefined, b: Json | undefined): boolean =>
  (isUnset(a) && isUnset(b)) || sameJson(a, b);

/** A value that can be written as JSON again, however deep it was. */
export function shown(value: Json | undefined, depth = SHOWN_DEPTH): Json {
  if (typeof value !== 'object' || value === null) return value ?? null;
  if (depth === 0) return '…';
  if (Array.isArray(value)) return value.map(item => shown(item, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item, depth - 1)]));
}

/** RFC 3339; some tools write a space for the T. */
const isTime = (text: string) => isRfc3339(text.replace(/^(.{10}) /, '$1T'));

/** Whether two values differ only in being other times. */
export const areTimes = (a: Json | undefined, b: Json | undefined): boolean =>
  typeof a === 'string' && typeof b === 'string' && isTime(a) && isTime(b);

/**
 * Kinds of differences between two images. A kind may be more particular, behind a dot: `files.content`, `config.env.PATH`.
 * IDs and sizes only follow from others, and never count by themselves.
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

/** The kind of what may differ: files, and layers of files, that were not read. It counts where nothing else does. */
export const UNREAD = 'files.unread';

/** How often a kind of difference was seen. */
export interface KindCount {
  readonly kind: string;
  readonly count: number;
}

/** Whether a word of `--ignore` names a kind: itself, or one that it is a particular of. */
export const isKind = (word: string): boolean =>
  KINDS.some(kind => word === kind || word.startsWith(`${kind}.`));

/** Counts differences, and apart from them those that are to be ignored. */
export class Tally {
  private readonly counted = new Map<string, number>();
  private readonly passedOver = new Map<string, number>();

  /** @param ignored  kinds, or particulars of them */
  constructor(private readonly ignored: readonly string[]) {}

  ignores(kind: string): boolean {
    return this.ignored.some(word => kind === word || kind.startsWith(`${word}.`));
  }

  /**
   * @param key  another name that it may be ignored by: a label that holds a time differs in its time
   * @returns whether it counts
   */
  add(kind: string, count = 1, key = kind): boolean {
    const isIgnored = this.ignores(kind) || this.ignores(key);
    const counts = isIgnored ? this.passedOver : this.counted;
    counts.set(kind, (counts.get(kind) ?? 0) + count);
    return !isIgnored;
  }

  /** Whether it was seen, ignored or not. */
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

/** Counts of several comparisons together. */
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

/** Places in two sequences that belong together; null where one has nothing that fits. */
export type Pairing = readonly [a: number | null, b: number | null];

/** Comparisons that finding the longest common part may take; sequences that need more are taken for different. */
const COMPARISONS = 1_000_000;

/**
 * Pairs the elements of two sequences by their keys, in order: what both begin and end with, and between them the longest
 * common subsequence. What is only in `a` comes before what is only in `b`.
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

/** Length of the longest common subsequence of what begins at i and at j. */
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

/** Whether what two sequences have in common comes in another order. A key that is repeated counts where it is first. */
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
