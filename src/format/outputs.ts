import { extname } from 'node:path';
import type { Doc, Result, Text } from '../report/doc.js';
import { toHtml } from './html.js';
import { jsonPieces } from './json.js';
import { toMarkdown } from './markdown.js';
import { textPieces } from './text.js';

/** Renders a result as the content of a file. */
export type Output = (result: Result) => string;
/** Renders a result in pieces. */
export type OutputPieces = (result: Result) => Iterable<string>;

/** By the extension of a file's name. A new format is one file and one line here. */
const OUTPUTS = {
  '.html': ({ doc }) => [toHtml(doc, titleOf(doc))],
  '.md': ({ doc }) => [toMarkdown(doc)],
  '.json': result => jsonPieces(result.data),
  '.txt': result => textPieces(result.doc, { width: null, color: false }),
} as const satisfies Readonly<Record<`.${string}`, OutputPieces>>;

export const OUTPUT_EXTENSIONS: readonly string[] = Object.keys(OUTPUTS);

/** The names of the formats: their extensions without the dot. */
export type OutputFormat = keyof typeof OUTPUTS extends `.${infer Name}` ? Name : never;

export const piecesIn = (format: OutputFormat): OutputPieces => OUTPUTS[`.${format}`];

/** The format for a file's extension; null for an unknown one. */
export function formatByName(path: string): OutputFormat | null {
  const extension = extname(path).toLowerCase();
  return Object.hasOwn(OUTPUTS, extension) ? (extension.slice(1) as OutputFormat) : null;
}

/** The renderer for a file's extension; null for an unknown one. */
export function outputFor(path: string): Output | null {
  const format = formatByName(path);
  return format === null ? null : result => [...piecesIn(format)(result)].join('');
}

/** The title of a document: the first name in it. */
function titleOf(doc: Doc): string {
  const values = doc.flatMap((block): Text[] => {
    if (block.kind === 'text') return [block.text];
    return block.kind === 'pairs' ? block.rows.map(([, value]) => value) : [];
  });
  for (const value of values) {
    if (typeof value === 'string') continue;
    const strong = value.find(part => typeof part !== 'string' && part.style === 'strong');
    if (typeof strong === 'object') return strong.text;
  }
  return 'waybill';
}
