// Properties of the text of a JSON document that its value does not have.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { foldKey, lastSegment, pointer } from '../../src/spec/json.js';
import { jsonOddities, NO_ODDITIES, type NumberTexts } from '../../src/spec/json-text.js';

const duplicates = (text: string) => jsonOddities(text, 1000)?.duplicates;

for (const [text, expected] of [
  ['{}', []],
  ['{"a":1,"b":2}', []],
  ['{"a":1,"a":2}', ['/a']],
  ['{"a":1,"a":2,"a":3}', ['/a', '/a']],
  // The same word as a value, in another object, and in a nested object.
  ['{"a":"a","b":["a","a"],"c":{"a":1}}', []],
  ['{"a":{"a":1},"b":{"a":1}}', []],
  ['{"a":{"b":1,"b":2},"c":[0,{"d":[{},{"e":1,"e":1}]}]}', ['/a/b', '/c/1/d/1/e']],
  ['{"a":1,"b":{"a":1,"c":{}},"a":2}', ['/a']],
  ['[{"a":1},{"a":1}]', []],
  // Two spellings of one key are one key.
  ['{"a":1,"\\u0061":2}', ['/a']],
  ['{"\\"":1,"\\u0022":2}', ['/"']],
  ['{"\\\\":1,"\\u005c":2}', ['/\\']],
  ['{"a/b":1,"~":{"c":1,"c":1},"a/b":2}', ['/~0/c', '/a~1b']],
  ['{"":1,"":2}', ['/']],
  ['{"__proto__":1,"__proto__":2}', ['/__proto__']],
  ['{"constructor":1,"toString":2}', []],
  // Braces, commas, colons and quotes in strings are text.
  ['{"a":"{\\"a\\":1,\\"a\\":2}","b":"}{][,:"}', []],
  ['{"a\\\\":1,"a\\\\":2}', ['/a\\']],
  [' { "a" : 1 , "a" : 2 } ', ['/a']],
  ['"a"', []],
  ['1', []],
  ['', []],
] as const) {
  test(`repeated keys of ${text}`, () => {
    if (text !== '') JSON.parse(text);
    assert.equal(duplicates(text), [...expected]);
  });
}

test('repeated keys are found in objects of many keys as in those of few', () => {
  for (const count of [10, 15, 16, 17, 18, 40, 5000]) {
    const keys = Array.from({ length: count }, (_, i) => `k${i}`);
    const text = (all: readonly string[]) => `{${all.map(key => `"${key}":0`).join()}}`;
    assert.equal(duplicates(text(keys)), [], `${count}`);
    for (const key of ['k0', keys.at(-1)!])
      assert.equal(duplicates(text([...keys, key])), [`/${key}`], `${count}`);
  }
});

test('a hundred repeated keys are listed, and all are counted', () => {
  const { duplicates: told, duplicateCount } = jsonOddities(`[${'{"a":1,"a":2},'.repeat(5000)}1]`, 1000)!;
  assert.equal([told.length, told.at(-1), duplicateCount], [100, '/99/a', 5000]);
});

test('nesting counts objects and lists, and not brackets in strings', () => {
  const nest = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ] as const) {
    const levels = open.length === 6 ? 2 : 1;
    const text = (depth: number) => nest(depth / levels, open, close).replace(/(:)(\})/, '$11$2');
    assert.ok(jsonOddities(text(100), 100), open);
    assert.is(jsonOddities(text(102), 100), null, open);
  }
  assert.ok(jsonOddities(`["${'['.repeat(1000)}"]`, 10));
  assert.ok(jsonOddities(`[${'[],'.repeat(1000)}1]`, 2), 'beside each other');
  assert.is(jsonOddities('['.repeat(10_000_000), 1000), null);
});

for (const [text, half] of [
  ['"\\ud83d\\ude00"', false],
  ['"\\ud83d"', true],
  ['"\\ude00"', true],
  ['"\\ude00\\ud83d"', true],
  ['"\\ud83dx\\ude00"', true],
  ['"\\ud83d\\n"', true],
  ['"\\\\ud83d"', false],
  ['"\\\\\\ud83d"', true],
  ['{"\\uD83D":1}', true],
  ['"\\u0041\\ud7ff\\ue000"', false],
  // In two strings they are not a character.
  ['["\\ud83d","\\ude00"]', true],
] as const) {
  test(`lone surrogates in ${text}`, () => {
    const strings = [JSON.parse(text)]
      .flat()
      .flatMap(value => (typeof value === 'string' ? value : Object.keys(value)));
    assert.is(
      strings.some(value => /\p{Surrogate}/u.test(value)),
      half,
      'as JavaScript sees it',
    );
    assert.is(jsonOddities(text, 1000)!.halfCharacters, half);
  });
}

test('a text that is not JSON is scanned to its end, and nothing is thrown', () => {
  for (const text of [
    '"',
    '"\\',
    '{"a',
    '}}}}',
    ']]]{"a":1,"a":1',
    '{,,,"a","a"}',
    '{"a":1]"a":2',
    '\\"',
    ',,,',
    '"\\u"',
    '{"\\u00":1,"\\u00":1}',
  ]) {
    assert.ok(jsonOddities(text, 1000), text);
  }
});

test('weight counts values and keys, not only text', () => {
  const weight = (text: string) => jsonOddities(text, 1000)!.weight;
  assert.is(NO_ODDITIES.weight, 0);
  assert.is(weight('"'.padEnd(1000, 'x')), 1000);
  assert.ok(weight(`[${'[],'.repeat(1000)}1]`) > 40_000);
  assert.ok(weight(`{${Array.from({ length: 1000 }, (_, i) => `"${i}":1`).join()}}`) > 100_000);
});

test("keys are compared as Go's encoding/json compares them with the names of fields", () => {
  // As json.Unmarshal does with {KEY: 1} and a struct with a field of the tag "layerski".
  for (const key of ['layerski', 'LAYERSKI', 'layer\u017fki', 'layers\u212ai']) {
    assert.is(foldKey(key), foldKey('layerski'), key);
  }
  for (const key of ['layersk\u0131', 'layersk\u0130', 'layersk\u00ef', 'layerski ', 'layer\u00dfki']) {
    assert.is.not(foldKey(key), foldKey('layerski'), key);
  }
});

test('the last segment of a pointer is the key itself', () => {
  for (const key of ['a', '', 'a/b', '~', '~1', '~0/', '//']) assert.is(lastSegment(pointer('/x', key)), key);
});

const numbersOf = (text: string) => {
  const plain = (texts: NumberTexts): object =>
    Object.fromEntries([...texts].map(([key, of]) => [key, typeof of === 'string' ? of : plain(of)]));
  return plain(jsonOddities(text, 1000)!.numbers);
};

for (const [text, expected] of [
  ['{"a":1,"b":[-5,123456789012345,0]}', {}],
  ['{"a":397.0,"b":{"c":[1,397e0,{"d":-0}]}}', { a: '397.0', b: { c: { 1: '397e0', 2: { d: '-0' } } } }],
  ['[1E2,[1e400],1234567890123456]', { 0: '1E2', 1: { 0: '1e400' }, 2: '1234567890123456' }],
  ['{"a":"1.0","1.0":2,"b":{"x":1},"c":-123456789012345}', { c: '-123456789012345' }],
  ['{"a":[[],[1.5],{"b":2.5}],"c":{"d":3.5}}', { a: { 1: { 0: '1.5' }, 2: { b: '2.5' } }, c: { d: '3.5' } }],
  ['{"\\u0061/":1.0}', { 'a/': '1.0' }],
  ['1.5', {}],
] as const) {
  test(`numbers of ${text}`, () => {
    JSON.parse(text);
    assert.equal(numbersOf(text), expected);
  });
}

test('any number of numbers at any depth is kept, and counted as memory', () => {
  const deep = `${'{"a":['.repeat(400)}${'1.5,'.repeat(1000)}2.5${']}'.repeat(400)}`;
  const { numbers, weight } = jsonOddities(deep, 1000)!;
  assert.ok(numbers.size === 1 && weight > 200_000);
  const many = jsonOddities(`[${'[1.5],'.repeat(50_000)}2.5]`, 1000)!;
  assert.is(many.numbers.size, 50_001);
});

test.run();
