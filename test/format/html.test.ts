// Documents as one page: self-contained, without network requests, and with all text of an archive escaped.
import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHtml } from '../../src/format/html.js';
import { FINDINGS_EXTENSIONS, OUTPUT_EXTENSIONS, outputFor } from '../../src/format/outputs.js';
import { type Doc, type FileMap, heading, span, text } from '../../src/report/doc.js';

const HOSTILE = '</script><img src=x onerror=alert(1)>"\'&';
const SHOWN = '&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;';

const map: FileMap = {
  names: ['dir', HOSTILE],
  parents: [-1, 0],
  sizes: [0, 10],
  layers: [0, 0],
  layerNames: [HOSTILE],
};

const everywhere: Doc = [
  heading(HOSTILE, 2),
  text([span(HOSTILE, 'bad'), HOSTILE], 2),
  { kind: 'pairs', rows: [[HOSTILE, HOSTILE]] },
  { kind: 'table', columns: [{ title: HOSTILE }], rows: [[HOSTILE], ['\u202e\u0007']], bars: [1, null] },
  { kind: 'map', map },
];

test('text from archives is escaped everywhere', () => {
  const page = toHtml(everywhere, HOSTILE);
  assert.not.match(page, '<img');
  assert.is(page.split(SHOWN).length - 1, 10);
  assert.match(page, '\\u{202e}\\u{7}');
  assert.not.match(page, /[\u202e\u0007]/);
});

test('embedded data is read back unchanged', () => {
  const page = toHtml(everywhere, 'x');
  const found = /<script type="application\/json" id="map-0">(.*?)<\/script>/.exec(page);
  assert.equal(JSON.parse(found![1]!), map);
});

test('nothing is fetched, and only scripts and styles with a digest in the policy are used', () => {
  const page = toHtml(everywhere, 'x');
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!;
  assert.match(policy, "default-src 'none'");
  assert.not.match(policy, 'unsafe');
  const bodies = [...page.matchAll(/<(script|style)>([\s\S]*?)<\/\1>/g)].map(([, , body]) => body!);
  assert.is(bodies.length, 3);
  for (const body of bodies)
    assert.match(policy, `'sha256-${createHash('sha256').update(body).digest('base64')}'`);
  const markup = page.replace(/<(script|style)\b[\s\S]*?<\/\1>/g, '');
  assert.not.match(markup, /<(?:link|img|iframe|object|embed|base)\b(?! rel="icon" href="data:,")/);
  assert.not.match(markup, /<[^>]* (?:style|on\w+)=/);
});

test('a page without a map has no script, and its policy allows none', () => {
  const page = toHtml([text('hello')], 'x');
  assert.not.match(page, '<script');
  assert.match(page, "script-src 'none'");
});

test("the library's licence is included", () => {
  assert.match(toHtml(everywhere, 'x'), 'Permission to use, copy, modify');
});

test('bars are scaled to the largest value', () => {
  const rows = [['a'], ['b'], ['c']];
  const page = toHtml([{ kind: 'table', columns: [{ title: 't' }], rows, bars: [200, 50, null] }], 'x');
  assert.match(page, 'width="100.00%"');
  assert.match(page, 'width="25.00%"');
});

test('each known extension has a format, others have none', () => {
  const result = { data: { a: 1 }, doc: [text([span('name', 'strong')])], exitCode: 0 } as const;
  assert.equal(OUTPUT_EXTENSIONS, ['.html', '.md', '.json', '.txt']);
  assert.equal(FINDINGS_EXTENSIONS, ['.ndjson', '.jsonl', '.sarif', '.sarif.json', '.xml', '.tap']);
  assert.match(outputFor('a/b.HTML')!(result), '<title>name</title>');
  assert.is(outputFor('b.md')!(result), '**name**\n');
  assert.is(outputFor('b.json')!(result), '{\n  "a": 1\n}\n');
  assert.is(outputFor('b.txt')!(result), 'name\n');
  for (const path of ['b', 'b.pdf', '.html/b', 'b.constructor']) assert.is(outputFor(path), null, path);
});

test.run();
