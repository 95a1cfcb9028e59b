// Tables for other programs: text of archives is no formula, ends no cell and no row, and hides nothing.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { piecesIn } from '../../src/format/outputs.js';
import type { FlatValue, Result } from '../../src/report/doc.js';

const test = suite('CSV and rows');

const result = (...rows: readonly (readonly FlatValue[])[]): Result => ({
  data: null,
  doc: [],
  exitCode: 0,
  table: { columns: rows[0]!.map((_, i) => `c${i}`), rows },
});

const csv = (...values: readonly FlatValue[]): string => {
  const [, line] = [...piecesIn('csv')(result(values))].join('').split(/(?<=\r\n)/);
  return line!;
};

test('values', () => {
  assert.is([...piecesIn('csv')(result(['a', 1, true, null]))].join(''), 'c0,c1,c2,c3\r\na,1,true,\r\n');
  assert.is(csv('a,b', 'say "a"', ' a '), '"a,b","say ""a"""," a "\r\n');
});

test('formulas are text', () => {
  for (const formula of ['=1+1', '+1', '-1', '@SUM(A1)', ' =1', '\uff1d1', '\uff0b1', '\uff0d1', '\uff201'])
    assert.ok(/^"?'/.test(csv(formula)), formula);
  assert.is(csv('=HYPERLINK("http://x","y")'), '"\'=HYPERLINK(""http://x"",""y"")"\r\n');
  assert.is(csv('\t=1'), "'\\t=1\r\n");
  assert.is(csv('\r=1'), "'\\u{d}=1\r\n");
  // A number of our own is none.
  assert.is(csv(-1), '-1\r\n');
});

test('line breaks, control characters and marks of direction are shown', () => {
  assert.is(csv('a\nb', 'a\r\nb', 'a\u202eb', '\u001b[2J'), 'a\\nb,a\\u{d}\\nb,a\\u{202e}b,\\u{1b}[2J\r\n');
  assert.is(csv('::set-output name=x::y'), '\\u{3a}:set-output name=x::y\r\n');
});

test('rows: every object has every column, and text as it is', () => {
  const lines = [...piecesIn('rows')(result(['a\nb', null], ['=1', 2]))].join('').trimEnd().split('\n');
  assert.equal(
    lines.map(line => JSON.parse(line)),
    [
      { c0: 'a\nb', c1: null },
      { c0: '=1', c1: 2 },
    ],
  );
  assert.is(lines[0], '{"c0":"a\\nb","c1":null}');
});

test.run();
