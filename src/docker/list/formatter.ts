import stringWidth from 'string-width';
import { tabwriter } from '../../go/tabwriter.js';
import { attempt } from '../../go/template/errors.js';
import { encodeJson, execute, parseTemplate, rootFields } from '../../go/template/index.js';
import {
  pointerTo,
  STRING,
  STRING_MAP,
  struct,
  type Type,
  type Value,
  value,
} from '../../go/template/types.js';

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });
const ASCII = /^[ -~]*$/;
/** No name that Docker has is as long, and to measure a hostile one takes a microsecond for each character. */
const MEASURED = 10_000;

/**
 * How many columns of a terminal Docker takes a text for: of a grapheme all its characters count, up to two columns.
 * github.com/mattn/go-runewidth (StringWidth), measured of Docker 28.5.2.
 */
export function terminalWidth(text: string): number {
  if (text.length > MEASURED || ASCII.test(text)) return text.length;
  let width = 0;
  const known = new Map<string, number>();
  for (const { segment } of GRAPHEMES.segment(text)) {
    let own = 0;
    for (const character of segment) own += characterWidth(character, known);
    width += Math.min(own, 2);
  }
  return width;
}

const ANSI = { countAnsiEscapeCodes: true };

/** Where the two tables differ in what a text may well hold: line separators, and marks of writing direction. */
const exception = (character: string) =>
  /[\u2028\u2029]/.test(character) ? 0 : /[\u2060-\u2069]/.test(character) ? 1 : null;

/**
 * Columns of a character: 0 for what combines with another, and for controls; 2 for East Asian wide ones and most
 * emoji.
 * @param known  of the text that is measured, in which most characters occur more than once
 */
function characterWidth(character: string, known: Map<string, number>): number {
  const width = known.get(character) ?? exception(character) ?? stringWidth(character, ANSI);
  known.set(character, width);
  return width;
}

/**
 * `--format` of the commands that print rows: a template per row, `json`, or `table TEMPLATE` with headers and columns.
 * docker/cli cli/command/formatter
 */

/** A row: what each of its columns says. */
export type Row = Readonly<Record<string, string>>;

/** A kind of row. */
export interface RowKind {
  /** Go's name, which messages about unknown fields tell: `formatter.imageContext`. */
  readonly goType: string;
  /** Titles of the columns by their names, which are what templates call them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Columns that templates have, and JSON has not. */
  readonly unlisted?: readonly string[];
}

/** Rows as text, or why the template failed. */
export type Rendered = { readonly text: string; readonly error: null } | { readonly error: string };

/** @param guard  makes text of the rows safe for a terminal */
export function renderRows(
  format: string,
  kind: RowKind,
  rows: readonly Row[],
  guard?: (text: string) => string,
): Rendered {
  const source = templateSource(format);
  const { value: lines, error } = attempt(() => {
    const template = parseTemplate(source);
    const type = rowType(kind);
    return rows.map(row => `${execute(template, value(type, row), { guard })}\n`).join('');
  });
  if (error !== null) return { error: `template parsing error: ${error.message}` };
  if (!isTable(format)) return { text: lines, error: null };
  return { text: toColumns(`${header(source, kind)}\n${lines}`), error: null };
}

/** Whether a format may show a column. One that cannot be parsed shows none. */
export function showsColumn(format: string, column: string): boolean {
  const { value: fields, error } = attempt(() => rootFields(parseTemplate(templateSource(format))));
  return error === null && (fields?.has(column) ?? true);
}

/** Whatever begins with the word, as in Docker: a template of literal text cannot. */
const isTable = (format: string) => format.startsWith('table');

function templateSource(format: string): string {
  const bare = isTable(format) ? format.slice('table'.length) : format === 'json' ? '{{json .}}' : format;
  return bare
    .replace(/^ +| +$/g, '')
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');
}

/** Columns are methods in Docker, and its JSON is made of what they return, in alphabetical order. */
function rowType({ goType, headers, unlisted = [] }: RowKind): Type {
  const columns = Object.keys(headers).sort();
  const listed = columns.filter(column => !unlisted.includes(column));
  const methods = Object.fromEntries(
    columns.map(column => [column, (row: Readonly<Record<string, unknown>>) => value(STRING, row[column])]),
  );
  const marshalJson = (row: Readonly<Record<string, unknown>>) =>
    encodeJson(value(STRING_MAP, new Map(listed.map(column => [column, row[column]]))));
  return pointerTo({ ...struct(goType, [], methods), marshalJson });
}

/**
 * The template again, over titles in place of values, and with functions that leave a title as it is. Where it fails
 * Docker prints what came before.
 */
function header(source: string, { headers }: RowKind): string {
  const titles: Value = value(STRING_MAP, new Map(Object.entries(headers)));
  return attempt(() => execute(parseTemplate(source, 'docker-header'), titles)).value ?? '';
}

/** docker's copy of text/tabwriter counts the columns of a terminal, not characters. */
const toColumns = (text: string) =>
  tabwriter(text, { minWidth: 10, tabWidth: 1, padding: 3, width: terminalWidth });

/** Docker's Ellipsis: cut so that `…` still fits into the columns of a terminal. */
export function ellipsis(text: string, columns: number): string {
  const characters = [...text];
  const known = new Map<string, number>();
  let width = 0;
  let kept = 0;
  for (const character of characters) {
    width += Math.max(1, characterWidth(character, known));
    if (width < columns) kept++;
  }
  return width <= columns ? text : `${characters.slice(0, kept).join('')}…`;
}

/** The first 12 digits of an ID. */
export const shortId = (id: string) => id.slice(id.indexOf(':') + 1).slice(0, 12);
