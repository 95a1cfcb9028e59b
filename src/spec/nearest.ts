/** Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours. */
export function distance(a: string, b: string): number {
  let [before, current]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = current[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = Math.min(
        replaced,
        current[j]! + 1,
        next[j - 1]! + 1,
        swapped ? before[j - 2]! + 1 : Infinity,
      );
    }
    [before, current] = [current, next];
  }
  return current[b.length]!;
}

/** No word that is meant is as long, and the distance takes the product of both lengths. */
const LONGEST = 64;
/** Letters of a beginning that is no chance. */
const BEGINNING = 3;

/**
 * The words that may have been meant, nearest first: those at the smallest distance of at most a third of their
 * letters, or else those that begin with what was typed. None for a word that is like none.
 */
export function nearest(typed: string, words: Iterable<string>): readonly string[] {
  const text = typed.toLowerCase();
  if (text.length > LONGEST) return [];
  const ranked = [...words].map(word => ({ word, far: distance(text, word.toLowerCase()) }));
  const allowed = ({ word, far }: { readonly word: string; readonly far: number }) =>
    far <= Math.max(1, Math.floor(Math.max(word.length, text.length) / 3));
  const least = Math.min(...ranked.filter(allowed).map(({ far }) => far));
  const near = ranked.filter(({ far }) => far === least).map(({ word }) => word);
  if (near.length > 0 || text.length < BEGINNING) return near;
  return ranked.filter(({ word }) => word.startsWith(text)).map(({ word }) => word);
}

/** `; did you mean a or b?`, or nothing. */
export function didYouMean(words: readonly string[]): string {
  return words.length === 0
    ? ''
    : `; did you mean ${words
        .slice(0, 3)
        .map(word => `\`${word}\``)
        .join(' or ')}?`;
}
