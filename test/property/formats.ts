// Checks that a report is well formed in every format, with independent parsers.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { parse, parseFragment, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import { outputFor, type Result } from '../../src/commands.js';
import { toText } from '../../src/format/text.js';
import type { Block, Doc, Text } from '../../src/report/doc.js';
import { legible } from '../../src/visible.js';
import { repositoryRoot } from '../support/corpus.js';
import { forgedIn, hiddenIn, withoutColour } from './hidden.js';
import { assertSame } from './same.js';

const schema = JSON.parse(readFileSync(join(repositoryRoot, 'docs/schema.json'), 'utf8'));
const validate = new Ajv({ allErrors: false, allowUnionTypes: true }).compile(schema);

/**
 * @param schema  whether docs/schema.json describes it
 * @param pages   whether to check it as markdown and as a page too
 */
export function checkResult(result: Result, what: string, { schema = true, pages = true } = {}): void {
  const inFormat = (extension: string) => outputFor(extension)!(result);
  const texts = {
    text: toText(result.doc, { width: null, color: false }),
    'narrow text': withoutColour(toText(result.doc, { width: 40, color: true })),
    json: inFormat('x.json'),
  };
  for (const [format, text] of Object.entries(texts)) {
    checkText(text, `${what} as ${format}`);
  }
  const data: unknown = JSON.parse(texts.json);
  assertSame(data, JSON.parse(JSON.stringify(result.data)), `${what}: the JSON and the data`);
  if (schema && !validate(data)) throw new Error(`${what}: ${JSON.stringify(validate.errors?.slice(0, 3))}`);
  if (!pages) return;
  checkMarkdown(inFormat('x.md'), result.doc, `${what} as markdown`);
  checkHtml(withoutOurs(inFormat('x.html')), result.doc, `${what} as a page`);
}

function checkText(text: string, what: string): void {
  const hidden = hiddenIn(text) ?? forgedIn(text);
  if (hidden !== null) throw new Error(`${what}: ${hidden}`);
}

/** Removes the scripts and the style of a page, which are the project's own and long. */
const withoutOurs = (page: string) => page.replace(/<(script|style)>[\s\S]*?<\/\1>/g, '<$1></$1>');

type Element = Tree.Element;
type Node = Tree.Node;

const childrenOf = (node: Node): readonly Node[] => ('childNodes' in node ? node.childNodes : []);
const isElement = (node: Node): node is Element => 'tagName' in node;

function elementsOf(node: Node): Element[] {
  return childrenOf(node).flatMap(child => (isElement(child) ? [child, ...elementsOf(child)] : []));
}

const textOf = (node: Node): string =>
  node.nodeName === '#text' ? (node as Tree.TextNode).value : childrenOf(node).map(textOf).join('');

const plain = (value: Text): string =>
  typeof value === 'string'
    ? legible(value)
    : value.map(part => legible(typeof part === 'string' ? part : part.text)).join('');

/** In a page, white space of any length is equal. */
const words = (text: string) => text.replace(/\s+/g, ' ').trim();

/** Cells of a table block, up to the maximum number of rows of a format; null for another block. */
function rowsOf(block: Block, most: number): string[][] | null {
  if (block.kind !== 'pairs' && block.kind !== 'table' && block.kind !== 'listing') return null;
  const width = block.kind === 'pairs' ? 2 : block.columns.length;
  const rows: readonly (readonly Text[])[] = [...block.rows];
  if (block.kind === 'listing' && rows.length !== block.count)
    throw new Error(`${rows.length} rows, not ${block.count}`);
  return rows.slice(0, most).map(row => Array.from({ length: width }, (_, i) => words(plain(row[i] ?? ''))));
}

const MARKDOWN_TAGS = new Set(
  'p h1 h2 h3 ul ol li strong code table thead tbody tr th td details summary'.split(' '),
);
/** Maximum number of rows of a table in markdown. */
const ROWS = 1000;

/** Renders as GitHub does: only the document's own tables, each cell with its own text, and no element made of text. */
function checkMarkdown(markdown: string, doc: Doc, what: string): void {
  checkText(markdown, what);
  const html = micromark(markdown, {
    allowDangerousHtml: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  });
  const page = parseFragment(html);
  const elements = elementsOf(page);
  const alien = elements.find(
    ({ tagName, attrs }) =>
      !MARKDOWN_TAGS.has(tagName) || attrs.some(({ name }) => name !== 'align' && name !== 'start'),
  );
  if (alien !== undefined)
    throw new Error(`${what} has <${alien.tagName}>: ${JSON.stringify(textOf(alien).slice(0, 80))}`);
  const tables = elements.filter(({ tagName }) => tagName === 'table').map(cellsOf);
  const wanted = doc.flatMap(block => {
    const rows = rowsOf(block, ROWS);
    return rows === null ? [] : [rows];
  });
  assertSame(tables, wanted, `${what}: tables in it and in the document`);
  const lines = doc.flatMap(block => (block.kind === 'text' ? [words(plain(block.text))] : []));
  // Backticks around a command make code of it, and are not shown.
  const unquoted = (text: string) => text.replaceAll('`', '');
  const all = unquoted(words(textOf(page)));
  for (const line of lines)
    if (!all.includes(unquoted(line))) throw new Error(`${what} lacks ${JSON.stringify(line.slice(0, 200))}`);
}

const cellsOf = (table: Element): string[][] =>
  elementsOf(table)
    .filter(({ tagName }) => tagName === 'tbody')
    .flatMap(body => elementsOf(body).filter(({ tagName }) => tagName === 'tr'))
    .map(row =>
      elementsOf(row)
        .filter(({ tagName }) => tagName === 'td')
        .map(cell => words(textOf(cell))),
    );

const PAGE_TAGS = new Set(
  'html head meta link title style body h1 h2 h3 main p span dl dt dd div table thead tbody tr th td svg rect ul li script details summary'.split(
    ' ',
  ),
);

/** Checks that a page parses without errors, has only its own elements, and has the document's text in its cells. */
function checkHtml(html: string, doc: Doc, what: string): void {
  checkText(html, what);
  const page = parse(html, {
    onParseError: ({ code, startLine, startCol }) => {
      throw new Error(
        `${what}: ${code} at ${startLine}:${startCol}: ${html.split('\n')[startLine - 1]?.slice(Math.max(0, startCol - 60), startCol + 60)}`,
      );
    },
  });
  const elements = elementsOf(page);
  const alien = elements.find(
    ({ tagName, attrs }) =>
      !PAGE_TAGS.has(tagName) || attrs.some(({ name }) => name === 'style' || name.startsWith('on')),
  );
  if (alien !== undefined) throw new Error(`${what} has <${alien.tagName}>`);
  const tables = elements.filter(({ tagName }) => tagName === 'table').map(cellsOf);
  const wanted = doc.flatMap(block => {
    if (block.kind === 'pairs') return [];
    const bar = block.kind === 'table' && block.bars !== undefined ? [''] : [];
    const rows = rowsOf(block, Number.POSITIVE_INFINITY);
    return rows === null ? [] : [rows.map(row => [...row, ...bar])];
  });
  assertSame(tables, wanted, `${what}: tables in it and in the document`);
  for (const { tagName, attrs, childNodes } of elements) {
    const isData =
      tagName === 'script' &&
      attrs.some(({ name, value }) => name === 'type' && value === 'application/json');
    if (isData) JSON.parse(childNodes.map(textOf).join(''));
  }
}
