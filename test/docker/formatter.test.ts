// Recorded output of the docker 28.5.2 client for the same rows.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ellipsis,
  type RowKind,
  renderRows,
  shortId,
  showsColumn,
  terminalWidth,
} from '../../src/docker/list/formatter.js';

const KIND: RowKind = { goType: 'image.historyContext', headers: { ID: 'IMAGE', CreatedBy: 'CREATED BY' } };
const ROWS = [
  { ID: 'sha256:1', CreatedBy: 'COPY <a> & b' },
  { ID: '<missing>', CreatedBy: 'RUN x' },
];

function text(format: string): string {
  const rendered = renderRows(format, KIND, ROWS);
  if (rendered.error !== null) throw new Error(rendered.error);
  return rendered.text;
}

test('a template is applied to each row', () => {
  assert.is(text('{{.ID}}: {{.CreatedBy}}'), 'sha256:1: COPY <a> & b\n<missing>: RUN x\n');
});

test('spaces around it are ignored, and \\t and \\n are escapes', () => {
  assert.is(text('  {{.ID}}\\t|\\n  '), 'sha256:1\t|\n\n<missing>\t|\n\n');
});

test('a table has titles and columns', () => {
  assert.is(
    text('table {{.ID}}\t{{.CreatedBy}}'),
    'IMAGE       CREATED BY\nsha256:1    COPY <a> & b\n<missing>   RUN x\n',
  );
});

test('functions change values, not titles', () => {
  assert.is(text('table {{upper .ID}}\t{{json .CreatedBy}}').split('\n')[0], 'IMAGE       CREATED BY');
  assert.is(text('table {{truncate .ID 3}}{{pad .ID 1 1}}|').split('\n')[0], 'IMAGE IMAGE |');
  assert.is(text('table {{join (split .ID "e") "-"}}').split('\n').at(-2), '<missing>');
});

test('a whole row has no titles', () => {
  assert.is(text('table {{json .}}').split('\n')[0], '');
});

test('JSON of a row has sorted keys and is escaped for HTML, that of a value is not', () => {
  assert.is(text('json').split('\n')[0], '{"CreatedBy":"COPY \\u003ca\\u003e \\u0026 b","ID":"sha256:1"}');
  assert.is(text('{{json .CreatedBy}}').split('\n')[0], '"COPY <a> & b"');
});

test('an invalid template, and an unknown field, are errors with a position', () => {
  assert.equal(renderRows('{{', KIND, ROWS), {
    error: 'template parsing error: template: :1: unclosed action',
  });
  assert.match(
    renderRows('{{.Nope}}', KIND, ROWS).error ?? '',
    'executing "" at <.Nope>: can\'t evaluate field Nope in type *image.historyContext',
  );
});

test('an empty table has titles, an empty list has no output', () => {
  assert.equal(renderRows('table {{.ID}}', KIND, []), { text: 'IMAGE\n', error: null });
  assert.equal(renderRows('{{.ID}}', KIND, []), { text: '', error: null });
});

test('a format uses the columns that it names, or all if it uses the whole row', () => {
  assert.ok(showsColumn('table {{.ID}}\t{{.Size}}', 'Size'));
  assert.ok(showsColumn('json', 'Size'));
  assert.not(showsColumn('{{.ID}}', 'Size'));
  assert.not(showsColumn('{{', 'Size'));
});

test('long commands are cut so that the ellipsis fits', () => {
  assert.is(ellipsis('a'.repeat(45), 45), 'a'.repeat(45));
  assert.is(ellipsis('a'.repeat(46), 45), `${'a'.repeat(44)}…`);
  assert.is(ellipsis('日'.repeat(23), 45), `${'日'.repeat(22)}…`);
  assert.is(ellipsis('', 45), '');
});

test('an ID is short without its algorithm', () => {
  assert.is(shortId('sha256:91453acf6cd0e3ab27a3'), '91453acf6cd0');
  assert.is(shortId('<missing>'), '<missing>');
});

const WIDTHS: Readonly<Record<string, number>> = {
  abc: 3,
  日本: 4,
  'e\u0301': 1,
  ｱ: 1,
  '👍🏽': 2,
  '👨‍👩‍👧': 2,
  '🇩🇪': 2,
  '☺️': 1,
  '\u001b[31m': 4,
  '\u200b': 0,
  '\u2028': 0,
  '\u2066': 1,
};

for (const [characters, width] of Object.entries(WIDTHS)) {
  test(`${JSON.stringify(characters)} takes ${width} columns`, () => {
    assert.is(terminalWidth(characters), width);
  });
}

test.run();
