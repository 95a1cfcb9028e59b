// Canonical JSON (RFC 8785), and the part of a config that repackagings keep.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalDigest, canonicalJson, type Projection, projected } from '../../src/lock/projection.js';
import { readDocument } from '../../src/scan/blob/document.js';
import type { Json } from '../../src/spec/json.js';
import { alwaysSync } from '../property/runs.js';
import { digestOf } from '../support/digest.js';

test('the examples of RFC 8785', () => {
  const input = String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`;
  assert.is(
    canonicalJson(JSON.parse(input)),
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
  const keys = ['€', '\r', '\ufb33', '1', '😀', '\u0080', 'ö'];
  const sorted = Object.keys(
    JSON.parse(canonicalJson(Object.fromEntries(keys.map((key, i) => [key, i])))!.replace('"1"', '"one"')),
  );
  assert.equal(sorted, ['\r', 'one', '\u0080', 'ö', '€', '😀', '\ufb33']);
});

test('numbers are written as ECMAScript writes them: appendix B', () => {
  const bits = (hex: string) => Buffer.from(hex, 'hex').readDoubleBE();
  const known: readonly (readonly [string, string])[] = [
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
  ];
  for (const [hex, text] of known) assert.is(canonicalJson(bits(hex)), text, hex);
});

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;

test('a value has one canonical form, whatever the order of its keys, and it is that value', () => {
  const reversed = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, item]) => [key, reversed(item)]),
    );
  };
  alwaysSync(json, 500, value => {
    const text = canonicalJson(value);
    if (text === null) return assert.match(JSON.stringify(value), /\\ud[89a-f]/);
    assert.equal(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    assert.is(canonicalJson(reversed(value)), text);
    assert.is(canonicalJson(JSON.parse(text)), text);
    assert.not.match(text.replace(/"(?:[^"\\]|\\.)*"/g, '""'), /\s/);
  });
});

test('keys are in the order of their code units, numbers in the shortest form that is exact', () => {
  alwaysSync(fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 2 }), 300, keys => {
    const text = canonicalJson(Object.fromEntries(keys.map(key => [`k${key}`, 0])))!;
    const found = [...text.matchAll(/("(?:[^"\\]|\\.)*"):/g)].map(([, key]) => JSON.parse(key!) as string);
    const units = (key: string) => Array.from({ length: key.length }, (_, i) => key.charCodeAt(i));
    const isBefore = (a: readonly number[], b: readonly number[]): boolean => {
      const at = a.findIndex((unit, i) => unit !== b[i]);
      return at < 0 ? a.length <= b.length : (b[at] ?? -1) > a[at]!;
    };
    for (let i = 1; i < found.length; i++) assert.ok(isBefore(units(found[i - 1]!), units(found[i]!)));
  });
  alwaysSync(fc.double({ noNaN: true, noDefaultInfinity: true }), 500, number => {
    const text = canonicalJson(number)!;
    assert.match(text, /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-][1-9]\d*)?$/);
    assert.is(Number(text), number === 0 ? 0 : number);
    const size = Math.abs(number);
    assert.is(text.includes('e'), size !== 0 && (size >= 1e21 || size < 1e-6), text);
  });
});

test('half a character has no canonical form', () => {
  assert.is(canonicalJson('\ud800'), null);
  assert.is(canonicalJson({ '\udc00': 1 }), null);
  assert.is(canonicalJson(['a', ['\ud83d']]), null);
  assert.is(canonicalJson('\ud83d\ude00'), '"😀"');
});

const LAYERS = [`sha256:${'a'.repeat(64)}`];

function projection(text: string, diffIds: readonly string[] = LAYERS) {
  const document = readDocument('config', Buffer.from(text));
  return projected(document.value!, diffIds, document.oddities.numbers);
}

const sound = (config: object, diffIds?: readonly string[]): Projection => {
  const made = projection(JSON.stringify(config), diffIds);
  assert.ok('runs' in made, JSON.stringify(made));
  return made as Projection;
};

test('runs is the digest of the canonical JSON of the OCI fields', () => {
  const config = {
    architecture: 'amd64',
    os: 'linux',
    created: '2023-11-14T22:13:20Z',
    id: 'x',
    container_config: { Env: ['OTHER=1'] },
    config: { User: 'me', Env: ['A=1'], Hostname: 'h', ExposedPorts: { '80/tcp': {} }, Tty: true },
    rootfs: { type: 'layers', diff_ids: LAYERS },
    history: [
      { created_by: 'COPY', empty_layer: false, note: 1 },
      { comment: 'c', empty_layer: true },
    ],
  };
  const runs = canonicalDigest({
    architecture: 'amd64',
    os: 'linux',
    created: '2023-11-14T22:13:20Z',
    config: { User: 'me', Env: ['A=1'], ExposedPorts: { '80/tcp': {} } },
    rootfs: { type: 'layers', diff_ids: LAYERS },
    history: [{ created_by: 'COPY' }, { comment: 'c', empty_layer: true }],
  });
  const made = sound(config);
  assert.is(made.runs, runs);
  assert.equal(made.dockerOnly, {});
  assert.is(made.fields['config.User'], digestOf(Buffer.from('"me"')));
  assert.is(made.fields['config.Cmd'], undefined);
});

test('the diff_ids are those that were computed, not those that the config claims', () => {
  const claims = { rootfs: { type: 'layers', diff_ids: [`sha256:${'f'.repeat(64)}`] } };
  assert.is(sound(claims).runs, sound({ rootfs: { type: 'layers', diff_ids: LAYERS } }).runs);
  assert.is(sound({ rootfs: { diff_ids: LAYERS } }, []).runs, sound({}, []).runs);
});

test('empty fields, the order of keys, spelling and ways to write one time do not matter', () => {
  const plain = sound({ os: 'linux', created: '2023-11-14T22:13:20.12Z', config: { Cmd: ['sh'] } });
  const others = [
    { created: '2023-11-14T22:13:20.1200Z', config: { Cmd: ['sh'], Env: null, User: '' }, os: 'linux' },
    {
      os: 'linux',
      created: '2023-11-14T22:13:20.120+00:00',
      config: { Cmd: 'sh', Labels: {}, ArgsEscaped: false },
    },
    {
      OS: 'linux',
      author: '',
      created: '2023-11-14T22:13:20.12Z',
      config: { cmd: ['sh'], Volumes: {} },
      history: [],
    },
    {
      os: 'linux',
      created: '2023-11-14T22:13:20.12Z',
      config: { Cmd: ['sh'], ExposedPorts: null },
      rootfs: { diff_ids: ['x'] },
    },
  ];
  for (const other of others) assert.is(sound(other).runs, plain.runs, JSON.stringify(other));
  assert.is(sound({ created: '0001-01-01T00:00:00Z' }).runs, sound({}).runs);
});

test('every OCI field counts, and the order of layers', () => {
  const base = { os: 'linux', config: { Env: ['A=1', 'B=2'] }, history: [{ comment: 'c' }] };
  const changes: object[] = [
    { os: 'windows' },
    { architecture: 'arm64' },
    { variant: 'v8' },
    { 'os.version': '10' },
    { 'os.features': ['win32k'] },
    { author: 'me' },
    { created: '2023-11-14T22:13:20Z' },
    { history: [] },
    { history: [{}, { comment: 'c' }] },
    { rootfs: { type: 'layers' } },
    ...[
      { User: '0' },
      { Env: ['B=2', 'A=1'] },
      { Entrypoint: ['A=1', 'B=2'] },
      { Cmd: [''] },
      { Volumes: { a: {} } },
      { ExposedPorts: { a: {} } },
      { WorkingDir: '/' },
      { Labels: { a: '' } },
      { StopSignal: '9' },
      { ArgsEscaped: true },
    ].map(config => ({ config: { ...base.config, ...config } })),
  ];
  const runs = [sound(base), ...changes.map(change => sound({ ...base, ...change }))].map(made => made.runs);
  const two = ['a', 'b'].map(digit => `sha256:${digit.repeat(64)}`);
  runs.push(sound(base, two).runs, sound(base, [...two].reverse()).runs, sound(base, []).runs);
  assert.is(new Set(runs).size, runs.length);
});

test('the fields that only Docker has are kept as they are written', () => {
  const config = {
    Healthcheck: { Test: ['CMD', 'x'], Interval: 30_000_000_000, Extra: null },
    Shell: ['/bin/bash', '-c'],
    OnBuild: ['RUN x'],
    StopTimeout: 0,
  };
  assert.equal(sound({ config }).dockerOnly, config);
  assert.equal(sound({ config: { Healthcheck: {}, Shell: [], OnBuild: null } }).dockerOnly, {});
  assert.is(sound({ config }).runs, sound({}).runs);
});

test('fields that engines read in different ways, or refuse, are faults, and have no digest', () => {
  const faults: readonly (readonly [string, string])[] = [
    ['[]', ''],
    ['{"config":{"User":1}}', '/config/User'],
    ['{"config":{"User":"a","user":"b"}}', '/config/user'],
    ['{"config":{"Env":["A=1"],"ENV":[]}}', '/config/ENV'],
    ['{"os":"linux","Os":"x"}', '/Os'],
    ['{"config":{"\u017ftopSignal":"9","StopSignal":"1"}}', '/config/StopSignal'],
    ['{"config":{"Env":["A",1]}}', '/config/Env/1'],
    ['{"config":{"Labels":{"a":1}}}', '/config/Labels/a'],
    ['{"config":[]}', '/config'],
    ['{"history":[1]}', '/history/0'],
    ['{"created":"yesterday"}', '/created'],
    ['{"rootfs":{"type":"disk"}}', '/rootfs/type'],
    ['{"config":{"Healthcheck":[]}}', '/config/Healthcheck'],
    ['{"config":{"Shell":"sh"}}', '/config/Shell'],
    ['{"config":{"StopTimeout":1.5}}', '/config/StopTimeout'],
    ['{"config":{"Healthcheck":{"Interval":9007199254740993}}}', '/config/Healthcheck/Interval'],
    ['{"config":{"Healthcheck":{"Interval":1.0}}}', '/config/Healthcheck/Interval'],
    ['{"author":"\\ud800"}', ''],
    ['{"config":{"Healthcheck":{"\\udfff":1}}}', ''],
  ];
  for (const [text, at] of faults) {
    const made = projection(text);
    const found = 'faults' in made ? made.faults.map(fault => fault.pointer) : [];
    assert.ok(found.includes(at), `${text}: ${JSON.stringify(made)}`);
  }
});

test('names that every object has are names like others', () => {
  const labels = '{"config":{"Labels":{"__proto__":"a","constructor":"b"},"Volumes":{"__proto__":{}}}}';
  const other = '{"config":{"Labels":{"__proto__":"c","constructor":"b"},"Volumes":{"__proto__":{}}}}';
  const runs = [labels, other, '{}'].map(text => {
    const made = projection(text);
    return 'runs' in made ? made.runs : null;
  });
  assert.is(new Set(runs).size, 3);
  assert.not.ok(runs.includes(null));
});

test.run();
