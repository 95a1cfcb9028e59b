// The types and the value of oracle.go, defined with our types.
import {
  ANY,
  BOOL,
  DURATION,
  FLOAT64,
  INT,
  INT64,
  mapOf,
  pointerTo,
  STRING,
  STRING_MAP,
  STRINGS,
  type StructType,
  sliceOf,
  struct,
  TIME,
  type Type,
  type Value,
  value,
} from '../../../src/go/template/index.js';

const LEVEL: Type = {
  kind: 'int',
  bits: 0,
  name: 'main.Level',
  methods: { String: (raw: number) => value(STRING, `level-${raw}`) },
};
const DIGEST: Type = {
  kind: 'string',
  name: 'main.Digest',
  methods: { Hex: (raw: string) => value(STRING, raw.replace(/^sha256:/, '')) },
};
const PORT: Type = { kind: 'string', name: 'main.Port' };
const WORDS: Type = { kind: 'slice', elem: STRING, name: 'main.Words' };
const BASE = struct(
  'main.Base',
  [
    { name: 'ID', type: STRING, json: 'Id' },
    { name: 'Parent', type: STRING, omitEmpty: true },
    { name: 'Shared', type: STRING },
  ],
  { Short: raw => value(STRING, (raw.ID as string).slice(0, 3)) },
);
const EXTRA = struct('main.Extra', [
  { name: 'Note', type: STRING, json: 'note' },
  { name: 'Shared', type: STRING },
]);
const configFields: { -readonly [K in keyof StructType]: StructType[K] } = {
  kind: 'struct',
  name: 'main.Config',
  fields: [],
};
const CONFIG: StructType = configFields;
configFields.fields = [
  { name: 'User', type: STRING, omitEmpty: true },
  { name: 'Cmd', type: WORDS },
  { name: 'Test', type: pointerTo(CONFIG), omitEmpty: true },
];
const SPOT = struct(
  'main.Spot',
  [
    { name: 'X', type: INT },
    { name: 'Y', type: INT },
  ],
  { String: raw => value(STRING, `(${raw.X};${raw.Y})`) },
);

export const IMAGE: StructType = struct('main.Image', [
  { name: 'Base', type: BASE, embedded: true },
  { name: 'Extra', type: pointerTo(EXTRA), embedded: true },
  { name: 'Tags', type: STRINGS },
  { name: 'Cmd', type: WORDS },
  { name: 'Env', type: STRINGS },
  { name: 'Ports', type: mapOf(struct('struct {}', []), PORT), omitEmpty: true },
  { name: 'Labels', type: STRING_MAP },
  { name: 'NilLabels', type: STRING_MAP, json: 'nilLabels', omitEmpty: true },
  { name: 'Config', type: pointerTo(CONFIG) },
  { name: 'NilConfig', type: pointerTo(CONFIG), omitEmpty: true },
  { name: 'Created', type: TIME },
  { name: 'Updated', type: pointerTo(TIME), omitEmpty: true },
  { name: 'Size', type: INT64 },
  { name: 'Small', type: { kind: 'uint', bits: 8 } },
  { name: 'Big', type: { kind: 'uint', bits: 64 } },
  { name: 'Ratio', type: { kind: 'float', bits: 32 } },
  { name: 'Exact', type: FLOAT64 },
  { name: 'On', type: BOOL },
  { name: 'Any', type: ANY },
  { name: 'NilAny', type: ANY },
  { name: 'Hidden', type: STRING, json: '-' },
  { name: 'Level', type: LEVEL },
  { name: 'Spot', type: SPOT },
  { name: 'SpotAt', type: pointerTo(SPOT) },
  { name: 'Digest', type: DIGEST },
  { name: 'List', type: sliceOf(pointerTo(CONFIG)) },
  { name: 'Structs', type: sliceOf(CONFIG) },
  { name: 'Raw', type: sliceOf({ kind: 'uint', bits: 8 }) },
  { name: 'Nested', type: mapOf(mapOf(INT)) },
  { name: 'ByNumber', type: mapOf(STRING, INT) },
  { name: 'Number', type: { kind: 'string', name: 'json.Number' }, json: 'number' },
  { name: 'Wait', type: DURATION },
  { name: 'Anys', type: sliceOf(ANY) },
]);

const CREATED = '2023-11-14T22:13:20.12Z';

/** `image()` of oracle.go. */
export const image: Value = value(pointerTo(IMAGE), {
  Base: { ID: 'sha256:abc', Shared: 'base' },
  Tags: ['a:1', 'b:2'],
  Cmd: ['/bin/sh', '-c', 'x <y> & "z"'],
  Ports: new Map([
    ['80/tcp', {}],
    ['443/tcp', {}],
  ]),
  Labels: new Map([
    ['z', 'Über'],
    ['a', '1\n2'],
    ['\u{1f600}', 'x'],
    ['\uffee', 'y'],
  ]),
  Config: { User: 'root', Cmd: ['a'], Test: { User: 'inner' } },
  Created: CREATED,
  Updated: '2024-02-29T03:04:05+05:30',
  Size: -5350282,
  Small: 200,
  Big: 18446744073709551615n,
  Ratio: Math.fround(0.1),
  Exact: 1234567.891,
  On: true,
  Any: value(
    mapOf(ANY),
    new Map<string, Value>([
      ['b', value(sliceOf(ANY), [value(FLOAT64, 1.5), null, value(STRING, 'x')])],
      ['a', value(BOOL, true)],
    ]),
  ),
  Hidden: 'hidden',
  Level: 3,
  Spot: { X: 1, Y: 2 },
  SpotAt: { X: 3, Y: 4 },
  Digest: 'sha256:ff',
  List: [{ User: 'one' }, null],
  Structs: [{ User: 'two' }, {}],
  Raw: [104, 105, 0, 255],
  Nested: new Map<string, unknown>([
    [
      'x',
      new Map([
        ['b', 2],
        ['a', 1],
      ]),
    ],
    ['y', null],
  ]),
  ByNumber: new Map([
    [10, 'ten'],
    [9, 'nine'],
    [-1, 'minus'],
  ]),
  Number: '12.50',
  Wait: 90_005_000_000,
  Anys: [
    null,
    value(INT, 1),
    value(STRING, 'two'),
    value(FLOAT64, 3.5),
    value(STRINGS, ['f']),
    value(pointerTo(SPOT), { X: 5, Y: 6 }),
    value(TIME, CREATED),
  ],
});
