import type { FlatValue, Result } from '../report/doc.js';
import { uncommanding, visible, visibleJson } from '../visible.js';

/** Tables for other programs: CSV, and JSON lines whose objects all have the same members, none of them nested. */

/** CSV with a header. RFC 4180; text/csv; header=present; charset=utf-8 */
export function* csvPieces({ table }: Result): Generator<string> {
  if (table === undefined) return;
  yield line(table.columns);
  for (const row of table.rows) yield line(row);
}

const line = (values: readonly FlatValue[]): string => `${values.map(cell).join(',')}\r\n`;

/**
 * Matches text that spreadsheets compute instead of showing it, full-width characters included. Hazard: the name of an
 * archive could be a formula that sends the sheet away. https://owasp.org/www-community/attacks/CSV_Injection
 */
const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;

/** An apostrophe makes text of a formula. */
function cell(value: FlatValue): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const shown = uncommanding(visible(value));
  const text = FORMULA.test(value) ? `'${shown}` : shown;
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A JSON object on each line, which programs make columns of: `duckdb`, `pandas`, `pyarrow`, `bq load`. */
export function* rowPieces({ table }: Result): Generator<string> {
  if (table === undefined) return;
  const { columns, rows } = table;
  for (const row of rows) {
    const entries = columns.map((name, i) => [name, row[i] ?? null] as const);
    yield `${visibleJson(JSON.stringify(Object.fromEntries(entries)))}\n`;
  }
}
