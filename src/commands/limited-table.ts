import { type Block, type Column, type Doc, gap, span, type Text, text } from './doc.js';

/** A heading inside a report. */
export const section = (title: string): Block[] => [gap, text([span(title, 'strong')], 2)];

/** A table of which only the first rows are shown, and how many more there are. */
export function limitedTable(
  columns: readonly Column[],
  rows: readonly (readonly Text[])[],
  limit: number,
): Doc {
  const table: Block = { kind: 'table', columns, rows: rows.slice(0, limit) };
  const left = rows.length - limit;
  return left <= 0
    ? [table]
    : [table, text([span(`and ${left} more: --top ${rows.length} shows all`, 'dim')], 4)];
}
