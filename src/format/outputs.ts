import { type Doc, foldedText, type ReportedFinding, type Result, type Text } from '../report/doc.js';
import { githubPieces, gitlabPieces } from './code-review.js';
import { csvPieces, rowPieces } from './csv.js';
import { cyclonedxPieces } from './cyclonedx.js';
import { toHtml } from './html.js';
import { jsonLinePieces, jsonPieces } from './json.js';
import { junitPieces } from './junit.js';
import { toMarkdown } from './markdown.js';
import { sarifPieces } from './sarif.js';
import { spdxPieces } from './spdx.js';
import { tapPieces } from './tap.js';
import { textPieces } from './text.js';
import { summaryDoc } from './verdict.js';

/** Renders a result as the content of a file. */
export type Output = (result: Result) => string;
/** Renders a result in pieces. */
export type OutputPieces = (result: Result) => Iterable<string>;

/**
 * By name. A new format is one file, one line here, and the end of its file names in `DOCUMENTS`, `FINDINGS`, `BILLS`
 * or `TABLES`.
 */
const OUTPUTS = {
  text: ({ doc }) => textPieces(doc, { width: null, color: false }),
  json: ({ data }) => jsonPieces(data),
  ndjson: findingLines,
  sarif: sarifPieces,
  junit: junitPieces,
  markdown: markdownPieces,
  github: githubPieces,
  gitlab: gitlabPieces,
  html: ({ doc }) => [toHtml(doc, titleOf(doc))],
  tap: tapPieces,
  cyclonedx: cyclonedxPieces,
  spdx: spdxPieces,
  csv: csvPieces,
  rows: rowPieces,
} as const satisfies Readonly<Record<string, OutputPieces>>;

/** The names of the formats, as `--format` takes them. */
export type OutputFormat = keyof typeof OUTPUTS;

export const piecesIn = (format: OutputFormat): OutputPieces => OUTPUTS[format];

/** One line for each finding; of `merge` the merged results. */
function* findingLines({ findings = [], resultLines }: Result): Generator<string> {
  if (resultLines !== undefined) yield* resultLines;
  for (const finding of findings) yield* jsonLinePieces(withoutExplanation(finding));
}

/** The explanation is the same for all findings of a code: `waybill explain` has it. */
function withoutExplanation({ explain: _, ...finding }: ReportedFinding): Omit<ReportedFinding, 'explain'> {
  return finding;
}

/** GitHub refuses a job summary of more than a mebibyte. */
const SUMMARY = 1024 * 1024 - 4096;

/** The document; that of a command that judges begins with the verdict. */
function* markdownPieces(result: Result): Generator<string> {
  if (result.isVerdict !== true) {
    const all = toMarkdown(result.doc);
    yield result.table === undefined || Buffer.byteLength(all) <= SUMMARY
      ? all
      : toMarkdown(withoutFolded(result.doc));
    return;
  }
  const whole = toMarkdown(summaryDoc(result));
  if (Buffer.byteLength(whole) <= SUMMARY) {
    yield whole;
    return;
  }
  const left: Doc = [{ kind: 'text', text: 'The whole report is longer than a job summary may be (1 MiB).' }];
  yield toMarkdown(summaryDoc({ ...result, doc: left }));
}

/** The document without what formats unfold. */
const withoutFolded = (doc: Doc): Doc =>
  doc.map(block => (block.kind === 'folded' ? { kind: 'text', text: foldedText(block) } : block));

/** Formats of every result, by the ends of file names. */
const DOCUMENTS: Readonly<Record<string, OutputFormat>> = {
  '.html': 'html',
  '.md': 'markdown',
  '.json': 'json',
  '.txt': 'text',
};

/** Formats of findings, by the ends of file names. */
const FINDINGS: Readonly<Record<string, OutputFormat>> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.sarif': 'sarif',
  '.sarif.json': 'sarif',
  '.xml': 'junit',
  '.tap': 'tap',
  // The name of the report in GitLab's own examples.
  'gl-code-quality-report.json': 'gitlab',
};

/** Formats of bills of materials, by the ends of file names. */
const BILLS: Readonly<Record<string, OutputFormat>> = { '.cdx.json': 'cyclonedx', '.spdx.json': 'spdx' };

/** Formats of a table, by the ends of file names. */
const TABLES: Readonly<Record<string, OutputFormat>> = {
  '.csv': 'csv',
  '.rows.ndjson': 'rows',
  '.rows.jsonl': 'rows',
};

const ENDS: Readonly<Record<string, OutputFormat>> = { ...DOCUMENTS, ...FINDINGS, ...BILLS, ...TABLES };

/** The extensions of formats of every result. */
export const OUTPUT_EXTENSIONS: readonly string[] = Object.keys(DOCUMENTS);
/** The extensions of formats of findings. */
export const FINDINGS_EXTENSIONS: readonly string[] = Object.keys(FINDINGS).filter(end =>
  end.startsWith('.'),
);

/** The format for the longest known end of a file's name; null for an unknown one. */
export function formatByName(path: string): OutputFormat | null {
  const name = path.replace(/^.*[/\\]/, '').toLowerCase();
  // A name that is nothing but `.html` is a hidden file.
  const ends = Object.keys(ENDS).filter(end => name.endsWith(end) && (name !== end || !end.startsWith('.')));
  const longest = ends.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? null : ENDS[longest]!;
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
