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
