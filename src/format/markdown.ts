import type { Block, Column, Doc, Span, Text } from '../report/doc.js';
import { legible, uncommanding } from '../visible.js';

/** Longer tables are folded. */
const OPEN_ROWS = 25;
/** GitHub refuses a job summary of more than a mebibyte, and a comment of more than 65,536 characters. */
const ROWS = 1000;

/**
 * Renders as GitHub's markdown, for pull requests and job summaries. Whatever could be more than text (links, mentions,
 * HTML, marks of any kind) is code. https://github.github.com/gfm/
 */
export function toMarkdown(doc: Doc): string {
  const lines: string[] = [];
  let previous: Block | null = null;
  for (const block of doc) {
    // A list follows its paragraph at once, and its items each other; all else stands apart.
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
  // A log that it is printed into may be a build service's.
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
  if (level !== undefined) return `${'#'.repeat(level)} ${markdown(text, false)}`;
  const lead = indent === 0 ? '' : `${' '.repeat(indent <= 2 ? 0 : 2)}- `;
  // At the beginning of a line, some would begin a list, a heading or a rule.
  return lead + markdown(text).replace(/^(\d*)([-+=#>.)]+)(?=\s|$)/, '$1\\$2');
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

function markdown(value: Text, isStyled = true): string {
  const spans: readonly (string | Span)[] = typeof value === 'string' ? [value] : value;
  return spans
    .map(part => (typeof part === 'string' ? { text: part, style: null } : part))
    .map(({ text, style }) => {
      const words = literal(legible(text));
      const isStrong = isStyled && (style === 'strong' || style === 'bad' || style === 'warn');
      return isStrong ? words.replace(/\S(?:.*\S)?/s, '**$&**') : words;
    })
    .reduce((line, piece) => line + (/`$/.test(line) && piece.startsWith('`') ? '<!-- -->' : '') + piece, '')
    .trim();
}

/**
 * What a word must not have to be left as it is: marks of markdown and HTML, and what GitHub makes links, mentions, emoji,
 * mathematics or commits of.
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
/** Safe words between two that are not, up to which all becomes one piece of code: that is most probably a command. */
const BRIDGED = 2;

/** What a sentence may have, as in `<v1` and `~6 MB`: with these it means nothing else. */
const escaped = (word: string): string => word.replaceAll('~', '\\~').replaceAll('<', '&lt;');

/** Words that are safe stay words; the others become code. */
function literal(text: string): string {
  // Words are at even places, the spaces between them at odd ones.
  const words = text.split(/( +)/);
  const out: string[] = [];
  let code: string[] = [];
  let safe: string[] = [];
  const flush = () => {
    if (code.length > 0) out.push(codeOf(code.join('')));
    for (const word of safe) out.push(escaped(word));
    code = [];
    safe = [];
  };
  for (const word of words) {
    if (MARKS.test(word)) {
      if (safe.length > 2 * BRIDGED + 1 || code.length === 0) flush();
      code.push(...safe, word);
      safe = [];
    } else {
      safe.push(word);
    }
  }
  flush();
  return out.join('');
}

/** The sentence's own points and commas stay outside. */
function codeOf(text: string): string {
  let end = text.length;
  while (end > 1 && ',.;'.includes(text[end - 1]!)) end--;
  return codeSpan(text.slice(0, end)) + text.slice(end);
}

/** Backticks end code, and pipes a cell even inside of it: where there are such, every mark is written as a number. */
function codeSpan(text: string): string {
  if (!/[`|\\]/.test(text)) return `\`${text}\``;
  const numbers = text.replace(/[^\p{L}\p{N} ]/gu, mark => `&#${mark.codePointAt(0)};`);
  return `<code>${numbers}</code>`;
}
