import type { Block, Column, Doc, Span, Text } from '../report/doc.js';
import { legible, uncommanding } from '../visible.js';

/** Tables with more rows are collapsed. */
const OPEN_ROWS = 25;
/**
 * Maximum number of rows: GitHub refuses a job summary of more than a mebibyte, and a comment of more than 65,536
 * characters.
 */
const ROWS = 1000;

/**
 * Renders as GitHub Flavored Markdown, for pull requests and job summaries. Text that could have a meaning in Markdown
 * (links, mentions, HTML, markup) becomes code. https://github.github.com/gfm/
 */
export function toMarkdown(doc: Doc): string {
  const lines: string[] = [];
  let previous: Block | null = null;
  for (const block of doc) {
    // A list directly follows its paragraph, and its items each other; other blocks are separated by an empty line.
    const isItem = block.kind === 'text' && (block.indent ?? 0) > 0;
    const isAfterText = previous?.kind === 'text' && previous.level === undefined;
    if (!isItem || !isAfterText) lines.push('');
    for (const line of blockLines(block)) lines.push(line);
    previous = block;
  }
  const text = lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  // The text may be printed to the log of a build service.
  return `${uncommanding(text)}\n`;
}

function blockLines(block: Block): string[] {
  switch (block.kind) {
    case 'gap':
    case 'map':
      return [];
    case 'folded':
      return [
        '',
        '<details>',
        `<summary>${markdown(block.summary)}</summary>`,
        '',
        toMarkdown(block.rest),
        '</details>',
        '',
      ];
    case 'text':
      return [textLine(block)];
    case 'pairs':
      return tableLines(
        [{ title: '' }, { title: '' }],
        block.rows.map(([label, value]) => [label, value]),
      );
    case 'table':
      return foldedTable(block.columns, block.rows, block.rows.length);
    case 'listing':
      return foldedTable(block.columns, block.rows, block.count);
  }
}

function textLine({ text, indent = 0, level }: Extract<Block, { kind: 'text' }>): string {
  if (level !== undefined) return `${'#'.repeat(level)} ${markdown(text, { isStyled: false })}`;
  const lead = indent === 0 ? '' : `${' '.repeat(indent <= 2 ? 0 : 2)}- `;
  // At the beginning of a line, these characters would begin a list, a heading or a rule.
  return lead + markdown(text, { isSentence: true }).replace(/^(\d*)([-+=#>.)]+)(?=\s|$)/, '$1\\$2');
}

function foldedTable(columns: readonly Column[], rows: Iterable<Row>, count: number): string[] {
  const lines = tableLines(columns, firstOf(rows, ROWS));
  const more = count > ROWS ? ['', `${count - ROWS} more rows are not here; the JSON report has all.`] : [];
  if (count <= OPEN_ROWS) return lines;
  return ['<details>', `<summary>${count} rows</summary>`, '', ...lines, ...more, '', '</details>'];
}

type Row = readonly Text[];

function firstOf(rows: Iterable<Row>, most: number): Row[] {
  const first: Row[] = [];
  for (const row of rows) {
    if (first.length === most) break;
    first.push(row);
  }
  return first;
}

type Columns = readonly { readonly title: string; readonly align?: 'left' | 'right' }[];

function tableLines(columns: Columns, rows: readonly Row[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ title }) => markdown(title))),
    line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...rows.map(row => line(columns.map((_, i) => markdown(row[i] ?? '')))),
  ];
}

/** @param isSentence  text between backticks is code, as in messages; otherwise backticks are those of a name */
function markdown(value: Text, { isStyled = true, isSentence = false } = {}): string {
  const spans: readonly (string | Span)[] = typeof value === 'string' ? [value] : value;
  return spans
    .map(part => (typeof part === 'string' ? { text: part, style: null } : part))
    .map(({ text, style }) => {
      const words = isSentence ? sentence(legible(text)) : literal(legible(text));
      const isStrong = isStyled && (style === 'strong' || style === 'bad' || style === 'warn');
      return isStrong ? words.replace(/\S(?:.*\S)?/s, '**$&**') : words;
    })
    .reduce((line, piece) => line + (/`$/.test(line) && piece.startsWith('`') ? '<!-- -->' : '') + piece, '')
    .trim();
}

/**
 * Characters that a word may not contain to be written as it is: markup of Markdown and HTML, and what GitHub turns
 * into links, mentions, emoji, mathematics or commits.
 */
const MARKS = new RegExp(
  [
    /[`|&*\\[\]@$^{}!]/u,
    /(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/u,
    /#\S|GH-\d/u,
    /<\S*>/u,
    /:\/\/|www\./u,
    /:(?=[\w+-]*[a-z])[\w+-]+:|:1(?:00|234):/u,
    /[0-9a-f]{7}/u,
  ]
    .map(({ source }) => source)
    .join('|'),
  'iu',
);
/**
 * If at most this many safe words are between two unsafe ones, all of them become one code span: they are most probably
 * a command.
 */
const BRIDGED = 2;

/** Escapes characters that are common in sentences, as in `<v1` and `~6 MB`. */
const escaped = (word: string): string => word.replaceAll('~', '\\~').replaceAll('<', '&lt;');

/** Text between two backticks that stand like quotes. */
const QUOTED = /(?<=^|[\s(])`([^`]+)`(?=$|[\s,.;:)])/;

/**
 * A message: what it quotes with backticks is code as a whole. Hazard: a name of the archive may have backticks too;
 * where one of them is left over, none of them is taken for a quote.
 */
function sentence(text: string): string {
  const parts = text.split(QUOTED);
  const isName = parts.some((part, i) => i % 2 === 0 && part.includes('`'));
  return isName
    ? literal(text)
    : parts.map((part, i) => (i % 2 === 1 ? fenced(part) : literal(part, fenced))).join('');
}

/** Safe words stay text; the others become code. */
function literal(text: string, span: (code: string) => string = codeSpan): string {
  // Words are at even indexes, the spaces between them at odd ones.
  const words = text.split(/( +)/);
  const out: string[] = [];
  let code: string[] = [];
  let safe: string[] = [];
  const flush = () => {
    if (code.length > 0) out.push(codeOf(code.join(''), span));
    for (const word of safe) out.push(escaped(word));
    code = [];
    safe = [];
  };
  for (const word of words) {
    if (MARKS.test(word)) {
      const isApart = /[,:;]$|^(?:\(.*|[^(]*)\)$/.test(code.at(-1) ?? '') || safe.some(isBreak);
      if (safe.length > 2 * BRIDGED + 1 || code.length === 0 || isApart) flush();
      code.push(...safe, word);
      safe = [];
    } else {
      safe.push(word);
    }
  }
  flush();
  return out.join('');
}

/** Words between which no command goes on: a part in parentheses, a list, the end of a sentence. */
const isBreak = (word: string): boolean => /^\(|[,.:;)]$/.test(word);

/**
 * Punctuation at the end of a sentence, and parentheses around it or with a partner elsewhere, stay outside the span.
 */
function codeOf(text: string, span: (code: string) => string): string {
  const isBracketed = /^\([^()]+\)[,.;]*$/.test(text);
  const start = text.length > 1 && text.startsWith('(') && (isBracketed || !text.includes(')')) ? 1 : 0;
  const isOutside = (mark: string) =>
    ',.;'.includes(mark) || (mark === ')' && (isBracketed || !text.includes('(')));
  let end = text.length;
  while (end > start + 1 && isOutside(text[end - 1]!)) end--;
  return text.slice(0, start) + span(text.slice(start, end)) + text.slice(end);
}

/**
 * A code span. A backtick ends a code span, and a pipe ends a table cell even inside one: text with such a character is
 * written as HTML code with numeric character references.
 */
function codeSpan(text: string): string {
  if (!/[`|\\]/.test(text)) return `\`${text}\``;
  const numbers = text.replace(/[^\p{L}\p{N} ]/gu, mark => `&#${mark.codePointAt(0)};`);
  return `<code>${numbers}</code>`;
}

/** A code span outside of tables: more backticks than the text has in a row delimit it. GFM section 6.3 */
function fenced(text: string): string {
  const runs = (text.match(/`+/g) ?? []).map(run => run.length);
  const fence = '`'.repeat(Math.max(0, ...runs) + 1);
  const space = /^`|`$|^ .* $/.test(text) ? ' ' : '';
  return `${fence}${space}${text}${space}${fence}`;
}
