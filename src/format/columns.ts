import stringWidth from 'string-width';
import type { Column, Text } from '../report/doc.js';
import { legible } from '../visible.js';

/** Widths of a table's columns, on a terminal and elsewhere. */

export const plain = (value: Text): string =>
  typeof value === 'string'
    ? legible(value)
    : value.map(s => legible(typeof s === 'string' ? s : s.text)).join('');

/**
 * True if each character of a cell takes one column and needs no escape, as in nearly all cells. A regular expression
 * takes twice as long.
 */
export function isPlain(value: Text): value is string {
  if (typeof value !== 'string' || value.length > 1000) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

/** ASCII, lines of a tree, and what sentences have: an ellipsis, dashes, quotes, arrows, `·`, `×` and `•`. */
const NARROW =
  /^[ -~\u00b7\u00d7\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u2190-\u2193\u2500-\u257f]*$/;

/** Width of a text in columns of a terminal. string-width takes 40 ms to load, and nearly no text needs it. */
export const widthOf = (text: string) => (NARROW.test(text) ? text.length : stringWidth(text));

/**
 * Column widths: the natural ones, or on a narrower terminal those after shrinking the columns that may shrink, the
 * widest first.
 */
export function fit(
  columns: readonly Column[],
  rows: Iterable<readonly Text[]>,
  width: number | null,
): number[] {
  const widths = columns.map(({ title }) => Math.max(title.length, 1));
  for (const row of rows)
    for (let i = 0; i < widths.length; i++) {
      const value = row[i] ?? '';
      widths[i] = Math.max(widths[i]!, isPlain(value) ? value.length : widthOf(plain(value)));
    }
  if (width === null) return widths;
  const room = width - 2 - 2 * (columns.length - 1);
  const shrinking = columns.flatMap((column, i) => (column.shrink === true ? [i] : []));
  const lowered = (most: number) => widths.map((w, i) => (shrinking.includes(i) ? Math.min(w, most) : w));
  // Binary search for the largest width that fits: a hostile name makes a column of millions.
  let [low, high] = [LEAST_WIDTH, Math.max(LEAST_WIDTH, ...widths)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (sum(lowered(middle)) <= room) low = middle;
    else high = middle - 1;
  }
  const fitting = lowered(low);
  let left = room - sum(fitting);
  for (const i of shrinking.reverse()) if (left > 0 && fitting[i]! < widths[i]! && left-- > 0) fitting[i]!++;
  return fitting;
}

const LEAST_WIDTH = 8;

export function shorten(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  // Characters of no width are rare, so a name of a megabyte is cut before it is measured.
  const characters = [...text.slice(0, 4 * width)];
  while (stringWidth(characters.join('')) > width - 1) characters.pop();
  return `${characters.join('')}…`;
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

/** Columns of a table, and those that are moved to lines of their own. Indexes of columns. */
export interface Folding {
  readonly kept: readonly number[];
  /** Columns whose lines come before the first column that stays. */
  readonly above: readonly number[];
  readonly below: readonly number[];
}

/** Columns that a column keeps at least, if moving another one makes room for it. */
const READABLE = 24;

/**
 * Moves columns to lines of their own until the rest of a table fits, the widest first; null if all fit, or none may be
 * moved.
 */
export function folding(
  columns: readonly Column[],
  rows: readonly (readonly Text[])[],
  width: number | null,
): Folding | null {
  if (width === null || !columns.some(({ fold }) => fold === true)) return null;
  const natural = fit(columns, rows, null);
  const least = natural.map((most, i) => (columns[i]!.shrink === true ? Math.min(most, READABLE) : most));
  let kept = columns.map((_, i) => i);
  const taken = () => 2 + sum(kept.map(i => least[i]!)) + 2 * (kept.length - 1);
  while (taken() > width) {
    const [widest] = kept.filter(i => columns[i]!.fold === true).sort((a, b) => natural[b]! - natural[a]!);
    if (widest === undefined) break;
    kept = kept.filter(i => i !== widest);
  }
  if (kept.length === columns.length || kept.length === 0) return null;
  const folded = columns.map((_, i) => i).filter(i => !kept.includes(i));
  return { kept, above: folded.filter(i => i < kept[0]!), below: folded.filter(i => i > kept[0]!) };
}
