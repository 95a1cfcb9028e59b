import { createHash } from 'node:crypto';
import type { Block, Column, Doc, FileMap, Span, Text } from '../report/doc.js';
import { HASHES, legible, visibleJson } from '../visible.js';
import { mapScripts } from './page-scripts.js';
import { PAGE_STYLE } from './page-style.js';

/**
 * Renders one self-contained page: it makes no network requests and runs no script but its own, which draws the maps.
 * Text from archives is escaped everywhere.
 */
export function toHtml(doc: Doc, title: string): string {
  const maps = doc.flatMap(block => (block.kind === 'map' ? [block.map] : []));
  const scripts = maps.length === 0 ? [] : mapScripts();
  const data = maps.map(
    (map, i) => `<script type="application/json" id="map-${i}">${embeddedJson(map)}</script>`,
  );
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy(scripts)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    '<link rel="icon" href="data:,">',
    `<title>${escaped(title)}</title>`,
    `<style>${PAGE_STYLE}</style>`,
    '</head>',
    '<body>',
    `<h1>${escaped(title)}</h1>`,
    '<main>',
    ...blocksHtml(doc),
    '</main>',
    ...data,
    ...scripts.map(script => `<script>${script}</script>`),
    '</body>',
    '</html>\n',
  ].join('\n');
}

/**
 * A content security policy: nothing is fetched, and only scripts and styles with these digests are used.
 * https://www.w3.org/TR/CSP3/
 */
function policy(scripts: readonly string[]): string {
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const run = scripts.length === 0 ? "'none'" : scripts.map(hash).join(' ');
  return [
    "default-src 'none'",
    `script-src ${run}`,
    `style-src ${hash(PAGE_STYLE)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** JSON for a script element, where `</script` and `<!--` have a meaning. */
const embeddedJson = (value: unknown) => visibleJson(JSON.stringify(value)).replaceAll('<', '\\u003c');

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes HTML, and commands to a build service, in case the page is printed to a log. */
const escaped = (text: string) =>
  legible(text)
    .replace(/[&<>"']/g, character => ENTITIES[character]!)
    .replace(HASHES, '&#35;');

const spansOf = (value: Text): readonly (string | Span)[] => (typeof value === 'string' ? [value] : value);

const textHtml = (value: Text): string =>
  spansOf(value)
    .map(part => {
      if (typeof part === 'string') return escaped(part);
      const { text, style } = part;
      return style === null ? escaped(text) : `<span class="${style}">${escaped(text)}</span>`;
    })
    .join('');

const plainHtml = (value: Text) =>
  spansOf(value)
    .map(part => escaped(typeof part === 'string' ? part : part.text))
    .join('');

function blocksHtml(doc: Doc): string[] {
  let maps = 0;
  return doc.flatMap(block => (block.kind === 'map' ? mapHtml(block.map, maps++) : blockHtml(block)));
}

function blockHtml(block: Exclude<Block, { kind: 'map' }>): string[] {
  switch (block.kind) {
    case 'gap':
      return ['<div class="gap"></div>'];
    case 'folded':
      return [
        '<details>',
        `<summary>${escaped(block.summary)}</summary>`,
        ...blocksHtml(block.rest),
        '</details>',
      ];
    case 'text': {
      const { level, indent = 0 } = block;
      if (level !== undefined) return [`<h${level}>${plainHtml(block.text)}</h${level}>`];
      const inset = indent === 0 ? '' : ` class="in${indent <= 2 ? 2 : 4}"`;
      return [`<p${inset}>${textHtml(block.text)}</p>`];
    }
    case 'pairs':
      return [
        '<dl>',
        ...block.rows.map(([label, value]) => `<dt>${escaped(label)}</dt><dd>${textHtml(value)}</dd>`),
        '</dl>',
      ];
    case 'table':
      return tableHtml(block);
    case 'listing':
      return tableHtml({ columns: block.columns, rows: [...block.rows] });
  }
}

/** A wide table scrolls by itself instead of the page, also with the keyboard. */
function tableHtml({ columns, rows, bars }: Omit<Extract<Block, { kind: 'table' }>, 'kind'>): string[] {
  const most = (bars ?? []).reduce<number>((high, bar) => Math.max(high, bar ?? 0), 1);
  const kind = ({ align, shrink, fold }: Column) =>
    align === 'right' ? 'right' : shrink === true || fold === true ? 'wide' : 'whole';
  const head = columns.map(column => `<th scope="col" class="${kind(column)}">${escaped(column.title)}</th>`);
  const barHead = bars === undefined ? '' : '<th aria-hidden="true"></th>';
  return [
    '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>',
    `<thead><tr>${head.join('')}${barHead}</tr></thead>`,
    '<tbody>',
    ...rows.map((row, i) => {
      const cells = columns.map((column, j) => `<td class="${kind(column)}">${textHtml(row[j] ?? '')}</td>`);
      return `<tr>${cells.join('')}${bars === undefined ? '' : barCell(bars[i] ?? null, most)}</tr>`;
    }),
    '</tbody>',
    '</table></div>',
  ];
}

function barCell(value: number | null, most: number): string {
  if (value === null) return '<td></td>';
  const width = ((100 * value) / most).toFixed(2);
  return `<td class="bar" aria-hidden="true"><svg><rect width="${width}%" height="100%"/></svg></td>`;
}

/** The number of colours in the style sheet and in the script. */
const LEGEND_COLOURS = 8;

function mapHtml({ layerNames }: FileMap, place: number): string[] {
  const entry = (name: string, i: number) =>
    `<li><svg class="c${i % LEGEND_COLOURS}" aria-hidden="true"><rect width="100%" height="100%"/></svg>${escaped(name)}</li>`;
  return [
    `<div data-map="map-${place}"><p class="dim">The map of the files needs JavaScript.</p></div>`,
    `<ul class="legend">${layerNames.map(entry).join('')}</ul>`,
  ];
}
