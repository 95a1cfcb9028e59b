import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ANY,
  BOOL,
  type DecodeOptions,
  decode,
  encodeJson,
  FLOAT64,
  INT64,
  mapOf,
  plainValue,
  pointerTo,
  renderTemplate,
  STRING,
  STRINGS,
  struct,
  TIME,
  typeName,
  type Value,
  value,
} from '../../../src/go/template/index.js';

const INNER = struct('t.Inner', [
  { name: 'Shared', type: STRING },
  { name: 'Deep', type: INT64, json: 'deep', omitEmpty: true },
]);
const OUTER = struct('t.Outer', [
  { name: 'Inner', type: INNER, embedded: true },
  { name: 'Named', type: INNER, embedded: true, json: 'named' },
  { name: 'Shared', type: STRING, json: 'Shared' },
  { name: 'When', type: pointerTo(TIME), omitEmpty: true },
  { name: 'Tags', type: STRINGS },
  { name: 'Any', type: ANY, omitEmpty: true },
  { name: 'Flag', type: BOOL, omitEmpty: true },
  { name: 'Secret', type: STRING, json: '-' },
]);

test('structs are written in the order of their fields, with embedded structs', () => {
  const outer = value(OUTER, { Inner: { Shared: 'hidden', Deep: 1 }, Shared: 'own', Secret: 'x' });
  assert.is(encodeJson(outer), '{"deep":1,"named":{"Shared":""},"Shared":"own","Tags":null}');
});

test('maps are written with sorted keys, plain data in its own order', () => {
  const entries = [
    ['b', 1],
    ['a', 2],
  ] as const;
  assert.is(encodeJson(value(mapOf(INT64), new Map(entries))), '{"a":2,"b":1}');
  assert.is(encodeJson(plainValue({ b: 1, a: { d: [], c: null } })), '{"b":1,"a":{"d":[],"c":null}}');
  assert.is(renderTemplate('{{.}} {{range $k, $v := .}}{{$k}}{{end}}', { b: 1, a: 2 }), 'map[a:2 b:1] ab');
});

test('indenting writes empty lists and objects on one line', () => {
  const data = plainValue({ a: [], b: {}, c: [1, { d: ':,{' }] });
  const text = '{\n "a": [],\n "b": {},\n "c": [\n  1,\n  {\n   "d": ":,{"\n  }\n ]\n}';
  assert.is(encodeJson(data, ' '), text);
});

test('a type may marshal itself, and only its white space is changed', () => {
  const self = struct('t.Self', [], undefined);
  const type = { ...self, marshalJson: () => '{ "z": 1.50,\n "a" : "< >\\"" , "e": [ ] }' };
  assert.is(encodeJson(value(type, {}), '', false), '{"z":1.50,"a":"< >\\"","e":[]}');
  assert.is(encodeJson(value(type, {})), '{"z":1.50,"a":"\\u003c \\u003e\\"","e":[]}');
});

test('keys match in any case, and values of the wrong type become the zero value', () => {
  const raw = decode(OUTER, {
    DEEP: 7,
    shared: 'x',
    named: { shared: 'n', deep: 1.5 },
    when: '2024-02-30T00:00:00Z',
    TAGS: ['a', 1, null],
    any: { k: [1, 'x', true, null] },
    Flag: 'true',
    Secret: 'no',
    unknown: {},
  });
  const text = '"named":{"Shared":"n"},"Shared":"x","When":"0001-01-01T00:00:00Z","Tags":["a","",""]';
  assert.is(encodeJson(value(OUTER, raw)), `{"deep":7,${text},"Any":{"k":[1,"x",true,null]}}`);
  for (const wrong of [null, 1, 'x', true, [], undefined]) {
    assert.is(encodeJson(value(OUTER, decode(OUTER, wrong))), encodeJson(value(OUTER, {})));
  }
});

test('numbers in an interface are float64, or keep their text', () => {
  const told = (options: DecodeOptions) => {
    const inner = decode(ANY, 2 ** 40, options) as Value;
    return `${typeName(inner.type)} ${encodeJson(inner)}`;
  };
  assert.is(told({}), 'float64 1099511627776');
  assert.is(told({ numbers: 'json.Number' }), 'json.Number 1099511627776');
});

test('plain data has the types that Go would use', () => {
  const type = (data: unknown) => renderTemplate('{{printf "%T" .}}', data);
  const cases: readonly (readonly [unknown, string])[] = [
    [1, 'int64'],
    [1.5, 'float64'],
    [2 ** 70, 'float64'],
    [2n ** 63n, 'uint64'],
    ['x', 'string'],
    [true, 'bool'],
    [null, '<nil>'],
    [undefined, '<nil>'],
    [[], '[]string'],
    [['a'], '[]string'],
    [['a', 1], '[]interface {}'],
    [{}, 'map[string]interface {}'],
    [new Map([['a', 1]]), 'map[string]interface {}'],
    [new Date(0), 'string'],
  ];
  for (const [data, name] of cases) assert.is(type(data), name);
  assert.is(
    renderTemplate('{{json .}}', { a: undefined, f: () => 1, d: new Date(0) }),
    '{"d":"1970-01-01T00:00:00.000Z"}',
  );
});

test('invalid Unicode becomes a replacement character', () => {
  assert.is(renderTemplate('{{.}}{{len .}}', 'a\ud800'), 'a\ufffd4');
  assert.is(decode(STRING, '\udc80'), '\ufffd');
});

test('numbers are written as Go writes them', () => {
  const written = [1e21, 1e20, 1e-6, 1e-7, 1.5, 0, -0, 123456789012345680000].map(n =>
    encodeJson(value(FLOAT64, n)),
  );
  assert.equal(written, [
    '1e+21',
    '100000000000000000000',
    '0.000001',
    '1e-7',
    '1.5',
    '0',
    '-0',
    '123456789012345680000',
  ]);
});

test.run();
