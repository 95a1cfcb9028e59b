// The offset at which a text stops being JSON, checked against JSON.parse.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json } from '../../src/spec/json.js';
import { indexOfValue, jsonFault, jsonFaultText, textPosition } from '../../src/spec/json-syntax.js';
import { alwaysSync } from '../property/runs.js';

for (const [text, kind, at, context] of [
  ['', 'empty', 0, ''],
  [' \n', 'empty', 2, ''],
  ['{', 'end', 1, ''],
  ['{"a":[1,', 'end', 8, ''],
  ['"a', 'end', 2, 'in string literal'],
  ['{} {}', 'after', 3, 'after top-level value'],
  ['1 x', 'after', 2, 'after top-level value'],
  ['01', 'after', 1, 'after top-level value'],
  ['\ufeff{}', 'character', 0, 'looking for beginning of value'],
  ['[1,]', 'character', 3, 'looking for beginning of value'],
  ['{,}', 'character', 1, 'looking for beginning of object key string'],
  ['{"a" 1}', 'character', 5, 'after object key'],
  ['{"a":1 "b"}', 'character', 7, 'after object key:value pair'],
  ['[1 2]', 'character', 3, 'after array element'],
  ['trux', 'character', 3, "in literal true (expecting 'e')"],
  ['-x', 'character', 1, 'in numeric literal'],
  ['1.x', 'character', 2, 'after decimal point in numeric literal'],
  ['1e+x', 'character', 3, 'in exponent of numeric literal'],
  ['"\\q"', 'character', 2, 'in string escape code'],
  ['"\\u12G4"', 'character', 5, 'in \\u hexadecimal character escape'],
  ['"\n"', 'character', 1, 'in string literal'],
  ['\u00a0{}', 'character', 0, 'looking for beginning of value'],
] as const) {
  test(`${JSON.stringify(text)} ends with ${kind}`, () => {
    assert.equal(jsonFault(text), { kind, at, context });
  });
}

for (const [text, words] of [
  ['', 'it is empty'],
  [' \n', 'it has only white space'],
  ['{"a":[1,', 'it ends at line 1, column 9, before its value is complete'],
  ['{\n"a": "b', 'it ends at line 2, column 8, before its value is complete'],
  ['{} {}', 'found "{" at line 1, column 4, after the end of the value'],
  ['\ufeff{}', 'found a byte order mark (U+FEFF) at line 1, column 1, where a value should begin'],
  ['\u00a0{}', 'found U+00A0 at line 1, column 1, where a value should begin'],
  ['{"a": 1\n "b": 2}', 'found "\\"" at line 2, column 2, where "," or "}" should follow the value'],
  ['["\u{1f600}",]', 'found "]" at line 1, column 6, where a value should begin'],
  ['{,}', 'found "," at line 1, column 2, where a key in double quotes should begin'],
  ['trux', 'found "x" at line 1, column 4, in what should be true, false or null'],
  ['1.x', 'found "x" at line 1, column 3, where a digit should follow the decimal point'],
  ['"\n"', 'found U+000A at line 1, column 2, in a string, where it must be escaped'],
] as const) {
  test(`${JSON.stringify(text)} in words`, () => {
    const fault = jsonFault(text)!;
    assert.is(jsonFaultText(fault, textPosition(text, fault.at)), words);
  });
}

test('it accepts the same texts as JSON.parse', () => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"',
    '1',
    '-0',
    '1.5e3',
    '.',
    'true',
    'nul',
    ' ',
    '\\',
    '\u0007',
    'é',
  ];
  let state = 1;
  const roll = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let sound = 0;
  for (let i = 0; i < 100_000; i++) {
    let text = '';
    for (let left = roll(7); left >= 0; left--) text += pieces[roll(pieces.length)]!;
    let parsed = true;
    try {
      JSON.parse(text);
    } catch {
      parsed = false;
    }
    assert.is(jsonFault(text) === null, parsed, JSON.stringify(text));
    sound += Number(parsed);
  }
  assert.ok(sound > 1000, `${sound} are JSON`);
});

test('deep nesting does not overflow the stack', () => {
  assert.is(jsonFault('['.repeat(1_000_000) + ']'.repeat(1_000_000)), null);
  assert.is(jsonFault('['.repeat(1_000_000))?.kind, 'end');
});

/** The paths of all values in a value. */
function pathsIn(value: Json, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const items = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...items.flatMap(([key, item]) => pathsIn(item, [...path, key]))];
}

test('the place of every value is found', () => {
  const what = fc.record({ value: fc.jsonValue({ maxDepth: 4 }), indent: fc.constantFrom(0, 2, '\t') });
  alwaysSync(what, 300, ({ value, indent }) => {
    const text = JSON.stringify(value, null, indent);
    for (const path of pathsIn(value as Json)) {
      const found = path.reduce<Json>((at, step) => (at as Record<string, Json>)[step]!, value as Json);
      const rest = text.slice(indexOfValue(text, path));
      // Lines of a value are indented as deep as it stands.
      const begin = JSON.stringify(found, null, indent)?.split('\n')[0] ?? 'null';
      assert.ok(rest.startsWith(begin), `${JSON.stringify(path)} in ${text}: ${rest.slice(0, 20)}`);
    }
  });
});

test('of two equal keys the last counts; a place that is not there is the last one on the way', () => {
  const text = '{"a":{"b":1,"\\u0062":2},"c":[]}';
  assert.is(indexOfValue(text, ['a', 'b']), text.indexOf('2}'));
  assert.is(indexOfValue(text, ['a', 'x']), text.indexOf('{"b"'));
  assert.is(indexOfValue(text, ['c', 0]), text.indexOf('[]'));
  assert.is(indexOfValue(text, [0]), 0);
  const long = JSON.stringify({ a: '\\'.repeat(2_000_000), b: 1 });
  assert.is(indexOfValue(long, ['b']), long.length - 2);
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  assert.is(indexOfValue(`{"a":${deep},"b":1}`, ['b']), deep.length + 10);
});

test.run();
