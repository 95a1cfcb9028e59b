import { styleText } from 'node:util';
import Table from 'cli-table3';
import stringWidth from 'string-width';
import type { Block, Column, Doc, Span, Style, Text } from '../commands/doc.js';
import { visible } from '../visible.js';

export interface TextOptions {
  /** Columns of the terminal; null where the output goes to a file or a pipe, and nothing is cut. */
  readonly width: number | null;
  readonly color: boolean;
}

/** Renders for the terminal. */
export function toText(doc: Doc, options: TextOptions): string {
  const lines = doc.flatMap(block => renderBlock(block, options));
  return `${lines.map(line => line.trimEnd()).join('\n')}\n`;
}

function renderBlock(block: Block, options: TextOptions): string[] {
  switch (block.kind) {
    case 'gap':
      return [''];
    case 'map':
      return [];
    case 'text':
      return wrap(block.text, block.indent ?? 0, options);
    case 'pairs':
      return renderPairs(block.rows, options);
    case 'table':
      return (block.listing ? renderListing : renderTable)(block.columns, block.rows, options);
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

const plain = (value: Text): string =>
  typeof value === 'string'
    ? visible(value)
    : value.map(s => visible(typeof s === 'string' ? s : s.text)).join('');

function paint(text: string, style: Style | null, color: boolean): string {
  // Newer Node looks at the stream unless told not to; whether to colour is decided in cli.ts.
  const options = { validateStream: false } as never;
  return color && style !== null && text !== '' ? styleText(ANSI[style], text, options) : text;
}

/** Breaks text at spaces to fit the terminal; a word longer than a line is left whole, to be copied. */
function wrap(value: Text, indent: number, { width, color }: TextOptions): string[] {
  const lines: Span[][] = [[]];
  let length = indent;
  for (const word of spansOf(value).flatMap(wordsOf)) {
    const room = width === null ? Number.POSITIVE_INFINITY : width - length;
    if (length > indent && stringWidth(word.text.trimEnd()) > room) {
      lines.push([]);
      length = indent;
    }
    lines.at(-1)!.push(word);
    length += stringWidth(word.text);
  }
  return lines.map(line => ' '.repeat(indent) + paintLine(line, color));
}

function wordsOf(value: string | Span): Span[] {
  const { text, style } = typeof value === 'string' ? { text: value, style: null } : value;
  return visible(text)
    .split(/(?<= )(?=[^ ])/)
    .map(word => ({ text: word, style }));
}

/** Neighbours of one style are painted together. */
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
  const labelWidth = Math.max(...rows.map(([label]) => label.length)) + 2;
  return rows.flatMap(([label, value]) => {
    const lines = wrap(value, labelWidth + 2, options);
    const head = `  ${paint(label.padEnd(labelWidth), 'dim', options.color)}`;
    return [head + lines[0]!.slice(labelWidth + 2), ...lines.slice(1)];
  });
}

/** Two spaces between columns and no lines: what people can read, and `awk` can split. */
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

function renderTable(columns: readonly Column[], rows: readonly Row[], { width, color }: TextOptions) {
  const widths = fit(columns, rows, width);
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

/** As a table, but a line costs a hundredth, and nothing of it is kept: a listing has a million of them. */
function renderListing(columns: readonly Column[], rows: readonly Row[], { width, color }: TextOptions) {
  const widths = fit(columns, rows, width);
  const line = (row: Row) => {
    const cells = columns.map(({ align }, i) => {
      const value = row[i] ?? '';
      const text = shorten(plain(value), widths[i]!);
      const space = ' '.repeat(Math.max(0, widths[i]! - widthOf(text)));
      const painted = paint(text, styleOf(value), color);
      return align === 'right' ? space + painted : painted + space;
    });
    return `  ${cells.join('  ')}`;
  };
  return [line(titlesOf(columns)), ...rows.map(line)];
}

type Row = readonly Text[];

const titlesOf = (columns: readonly Column[]): Row =>
  columns.map(({ title }) => [{ text: title, style: 'dim' as const }]);

/** A cell has the style of its beginning. */
function styleOf(value: Text): Style | null {
  const first = typeof value === 'string' ? value : value[0];
  return typeof first === 'object' ? first.style : null;
}

/** Columns of a terminal. Nearly all text is plain, or draws a tree. */
const widthOf = (text: string) => (/^[ -~\u2500-\u257f]*$/.test(text) ? text.length : stringWidth(text));

/** Natural widths; where the terminal is narrower, the columns that may shrink give way, the widest first. */
function fit(columns: readonly Column[], rows: readonly (readonly Text[])[], width: number | null): number[] {
  const widths = columns.map(({ title }, i) =>
    rows.reduce((most, row) => Math.max(most, widthOf(plain(row[i] ?? ''))), Math.max(title.length, 1)),
  );
  if (width === null) return widths;
  const room = width - 2 - 2 * (columns.length - 1);
  for (let over = sum(widths) - room; over > 0; over--) {
    const widest = columns
      .map((column, i) => (column.shrink === true && widths[i]! > 8 ? i : -1))
      .filter(i => i >= 0)
      .sort((a, b) => widths[b]! - widths[a]!)[0];
    if (widest === undefined) break;
    widths[widest]!--;
  }
  return widths;
}

function shorten(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  // More characters than columns only help where some take none: a name of a megabyte is cut at once.
  const characters = [...text.slice(0, 4 * width)];
  while (stringWidth(characters.join('')) > width - 1) characters.pop();
  return `${characters.join('')}…`;
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
