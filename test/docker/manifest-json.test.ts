import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compactJson, indentJson } from '../../src/docker/manifest/inspect.js';

/** Input, and the output of Go's json.Indent with a tab. */
const INDENTED: readonly (readonly [string, string])[] = [
  ['{}', '{}'],
  ['[ ]', '[]'],
  ['null', 'null'],
  [' \n1.50e+3 \n', '1.50e+3 \n'],
  ['{"a":1,"b":[1,{"c":{}}]}', '{\n\t"a": 1,\n\t"b": [\n\t\t1,\n\t\t{\n\t\t\t"c": {}\n\t\t}\n\t]\n}'],
  ['["{a,b}: \\"[]\\" \\\\",true]', '[\n\t"{a,b}: \\"[]\\" \\\\",\n\ttrue\n]'],
  ['{"<é>":"\\u003c\u2028"}', '{\n\t"<é>": "\\u003c\u2028"\n}'],
  ['[[[]]]', '[\n\t[\n\t\t[]\n\t]\n]'],
];

for (const [input, expected] of INDENTED) {
  test(`indents ${JSON.stringify(input)}`, () => {
    assert.is(indentJson(input, '\t'), expected);
  });
}

test('indenting indented JSON changes only the indentation', () => {
  const document = { a: [1, [], {}, 'x y'], b: { c: null, d: [{ e: '"' }] } };
  const text = JSON.stringify(document, null, 3);
  assert.is(indentJson(JSON.stringify(document), '   '), text);
  assert.is(indentJson(indentJson(text, '\t'), '   '), text);
  assert.is(compactJson(text), JSON.stringify(document));
});

test('compacting escapes HTML characters, and nothing else', () => {
  assert.is(
    compactJson(' { "a b" : "<i>\u2028&\u2029é\\/" , "n" : 1.0 }\n'),
    '{"a b":"\\u003ci\\u003e\\u2028\\u0026\\u2029é\\/","n":1.0}',
  );
});

test('a string of any length is one token', () => {
  const long = JSON.stringify(['\\"'.repeat(500_000)]);
  assert.is(compactJson(long), long);
});

test.run();
