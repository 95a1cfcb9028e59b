import { styleText } from 'node:util';
import Table from 'cli-table3';
import {
  type Block,
  type Column,
  type Doc,
  foldedText,
  type Span,
  type Style,
  type Text,
} from '../report/doc.js';
import { legible, uncommanding } from '../visible.js';
import { type Folding, fit, folding, isPlain, plain, shorten, widthOf } from './columns.js';

export interface TextOptions {
  /** Width of the terminal in columns; null if the output is a file or a pipe, where nothing is cut. */
  readonly width: number | null;
  readonly color: boolean;
}

/** Renders for the terminal. */
export const toText = (doc: Doc, options: TextOptions): string => [...textPieces(doc, options)].join('');

/**
 * Renders for the terminal, in pieces of whole lines: a listing of a million files can exceed the maximum length of a
 * string.
 */
export function* textPieces(doc: Doc, options: TextOptions): Generator<string> {
  let rows = 0;
  for (const block of doc)
    if (block.kind === 'listing') yield* listingPieces(block, options);
    else if (block.kind === 'table') {
      rows += block.rows.length;
      yield* tablePieces(block, options, rows);
    } else yield inLines(renderBlock(block, options));
}

const inLines = (lines: readonly string[]): string =>
  lines.map(line => `${uncommanding(line.trimEnd())}\n`).join('');

function renderBlock(block: Exclude<Block, { kind: 'listing' | 'table' }>, options: TextOptions): string[] {
  switch (block.kind) {
    case 'gap':
      return [''];
    case 'map':
      return [];
    case 'folded':
      return wrap([{ text: foldedText(block), style: 'dim' }], 2, options);
    case 'text':
      return wrap(block.text, block.indent ?? 0, options);
    case 'pairs':
      return renderPairs(block.rows, options);
  }
}

const ANSI: Readonly<Record<Style, Parameters<typeof styleText>[0]>> = {
  strong: 'bold',
  dim: 'dim',
  good: 'green',
  bad: 'red',
  warn: 'yellow',
};

const spansOf = (value: Text): readonly (string | Span)[] => (typeof value === 'string' ? [value] : value);

function paint(text: string, style: Style | null, color: boolean): string {
  // Newer Node inspects the stream by default; here the decision about colour was made in cli.ts.
  const options = { validateStream: false } as never;
  return color && style !== null && text !== '' ? styleText(ANSI[style], text, options) : text;
}

/** Breaks text at spaces to fit the terminal. A word longer than a line is not broken, so that it can be copied. */
function wrap(value: Text, indent: number, { width, color }: TextOptions): string[] {
  if (width === null) return [' '.repeat(indent) + paintLine(spansOf(value).map(legibleSpan), color)];
  const lines: Span[][] = [[]];
  let length = indent;
  for (const word of spansOf(value).flatMap(wordsOf)) {
    if (length > indent && widthOf(word.text.trimEnd()) > width - length) {
      lines.push([]);
      length = indent;
    }
    lines.at(-1)!.push(word);
    length += widthOf(word.text);
  }
  return lines.map(line => ' '.repeat(indent) + paintLine(line, color));
}

function legibleSpan(value: string | Span): Span {
  const { text, style } = typeof value === 'string' ? { text: value, style: null } : value;
  return { text: legible(text), style };
}

function wordsOf(value: string | Span): Span[] {
  const { text, style } = legibleSpan(value);
  return text.split(/(?<= )(?=[^ ])/).map(word => ({ text: word, style }));
}

/** Adjacent spans of one style are coloured together. */
function paintLine(line: readonly Span[], color: boolean): string {
  let out = '';
  for (let i = 0; i < line.length; ) {
    const { style } = line[i]!;
    let run = '';
    while (i < line.length && line[i]!.style === style) run += line[i++]!.text;
    out += paint(run, style, color);
  }
  return out;
}

function renderPairs(rows: readonly (readonly [string, Text])[], options: TextOptions): string[] {
  const labelWidth = rows.reduce((most, [label]) => Math.max(most, label.length), 0) + 2;
  return rows.flatMap(([label, value]) => {
    const lines = wrap(value, labelWidth + 2, options);
    const head = `  ${paint(label.padEnd(labelWidth), 'dim', options.color)}`;
    return [head + lines[0]!.slice(labelWidth + 2), ...lines.slice(1)];
  });
}

type Row = readonly Text[];

/**
 * Maximum number of rows that cli-table3 writes. Its time grows with the square of the rows, and an image may list a
 * layer a hundred thousand times, or ten thousand images one layer each.
 */
const TABLE_ROWS = 200;

/** A table. Its columns are as wide as their content, and cut to the width of a terminal. */
function* tablePieces(
  { columns, rows }: Extract<Block, { kind: 'table' }>,
  { width, color }: TextOptions,
  rowsSoFar: number,
): Generator<string> {
  const apart = folding(columns, rows, width);
  if (apart !== null) {
    yield* foldedPieces(columns, rows, apart, { width, color });
    return;
  }
  const layout = { widths: fit(columns, rows, width), cut: width !== null, color };
  if (rowsSoFar <= TABLE_ROWS) yield inLines(tableLines(columns, rows, layout));
  else yield* linePieces(columns, rows, layout);
}

/**
 * A table with some columns on lines of their own. Their titles are on lines of their own too, which shows the meaning
 * of the lines.
 */
function* foldedPieces(
  columns: readonly Column[],
  rows: readonly Row[],
  { kept, above, below }: Folding,
  { width, color }: TextOptions,
): Generator<string> {
  const pick = <T>(all: readonly T[]) => kept.map(i => all[i]!);
  const indent = above.length > 0 ? '  ' : '';
  const own = pick(columns);
  const widths = fit(own, rows.map(pick), width === null ? null : width - indent.length);
  const alone = (row: Row, which: readonly number[], before: string) =>
    which
      .filter(i => plain(row[i] ?? '') !== '')
      .map(i => `${before}${paint(plain(row[i]!), styleOf(row[i]!), color)}\n`)
      .join('');
  for (const row of [titlesOf(columns), ...rows]) {
    const line = tableLine(own, pick(row), { widths, cut: true, color });
    yield uncommanding(alone(row, above, '  ') + indent + line + alone(row, below, '    '));
  }
}

/** Two spaces between columns and no rules, so that people can read it and `awk` can split it. */
const BARE = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '  ',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

function tableLines(
  columns: readonly Column[],
  rows: readonly Row[],
  { widths, color }: TableLayout,
): string[] {
  const table = new Table({
    chars: BARE,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: columns.map(column => column.align ?? 'left'),
    colWidths: widths,
  });
  for (const row of [titlesOf(columns), ...rows]) {
    table.push(row.map((cell, i) => paint(shorten(plain(cell), widths[i]!), styleOf(cell), color)));
  }
  return table.toString().split('\n');
}

/** Rows of a listing that are measured to find the widths of the columns. */
const MEASURED = 5000;

/**
 * A table of up to a million lines, of which no row is kept. Nothing is cut, and the rows are passed once: a value
 * wider than those in the first rows makes its column wider for the following lines.
 */
function* listingPieces(
  { columns, rows }: Extract<Block, { kind: 'listing' }>,
  { color }: TextOptions,
): Generator<string> {
  const all = rows[Symbol.iterator]();
  const first = firstOf(all, MEASURED);
  const layout = { widths: fit(columns, first, null), cut: false, color };
  yield* linePieces(columns, first, layout);
  yield* piecesOf({ [Symbol.iterator]: () => all }, row => tableLine(columns, row, layout));
}

/** The layout of a table's lines. */
interface TableLayout {
  /** Widths of all columns. A column grows with its values, unless they are cut. */
  readonly widths: number[];
  readonly cut: boolean;
  readonly color: boolean;
}

/** Lines of a table that are printed at a time. */
const LINES = 500;

function* linePieces(
  columns: readonly Column[],
  rows: Iterable<Row>,
  layout: TableLayout,
): Generator<string> {
  yield uncommanding(tableLine(columns, titlesOf(columns), layout));
  yield* piecesOf(rows, row => tableLine(columns, row, layout));
}

function* piecesOf(rows: Iterable<Row>, lineOf: (row: Row) => string): Generator<string> {
  let lines = '';
  let count = 0;
  for (const row of rows) {
    lines += lineOf(row);
    if (++count % LINES !== 0) continue;
    yield uncommanding(lines);
    lines = '';
  }
  if (lines !== '') yield uncommanding(lines);
}

function firstOf(rows: Iterator<Row>, most: number): Row[] {
  const first: Row[] = [];
  while (first.length < most) {
    const { value, done } = rows.next();
    if (done === true) break;
    first.push(value);
  }
  return first;
}

/** A line in the format of cli-table3. */
function tableLine(columns: readonly Column[], row: Row, { widths, cut, color }: TableLayout): string {
  let line = '';
  for (let i = 0; i < columns.length; i++) {
    const value = row[i] ?? '';
    const isAsIs = isPlain(value);
    const whole = isAsIs ? value : plain(value);
    const cell = cut ? shorten(whole, widths[i]!) : whole;
    const painted = isAsIs ? cell : paint(cell, styleOf(value), color);
    const isRight = columns[i]!.align === 'right';
    // The last column needs no padding.
    if (i === columns.length - 1 && !isRight) {
      line += `  ${painted}`;
      continue;
    }
    const width = isAsIs && !cut ? cell.length : widthOf(cell);
    if (width > widths[i]!) widths[i] = width;
    const space = SPACES[widths[i]! - width] ?? ' '.repeat(widths[i]! - width);
    line += isRight ? `  ${space}${painted}` : `  ${painted}${space}`;
  }
  return `${line.endsWith(' ') ? line.trimEnd() : line}\n`;
}

const SPACES: readonly string[] = Array.from({ length: 40 }, (_, count) => ' '.repeat(count));

const titlesOf = (columns: readonly Column[]): Row =>
  columns.map(({ title }) => [{ text: title, style: 'dim' as const }]);

/** A cell has the style of its first span. */
function styleOf(value: Text): Style | null {
  const first = typeof value === 'string' ? value : value[0];
  return typeof first === 'object' ? first.style : null;
}
