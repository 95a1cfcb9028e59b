// Differences between two configs, histories and manifests, by meaning.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isKind, sameJson, shown, Tally, together } from '../../../src/analysis/diff/changes.js';
import { type Change, configChanges, historyChanges } from '../../../src/analysis/diff/image.js';

import type { Json } from '../../../src/spec/json.js';

const keys = (changes: readonly Change[]) =>
  changes.map(({ kind, key }) => (kind === key ? key : `${key} (${kind})`));
const run = (a: Json, b: Json) => configChanges({ config: a }, { config: b });

test('environment variables are compared by name, and their order separately', () => {
  const changes = run({ Env: ['A=1', 'B=2', 'C=x=y'] }, { Env: ['C=x=z', 'A=1', 'D'] });
  assert.equal(changes, [
    { kind: 'config.env.B', key: 'config.env.B', a: '2', b: null },
    { kind: 'config.env.C', key: 'config.env.C', a: 'x=y', b: 'x=z' },
    { kind: 'config.env.D', key: 'config.env.D', a: null, b: '' },
    { kind: 'order', key: 'config.env', a: ['A', 'B', 'C'], b: ['C', 'A', 'D'] },
  ]);
  assert.equal(run({ Env: ['A=1', 'A=2'] }, { Env: ['A=2'] }), [], 'the last one counts');
});

test('labels, ports, volumes and health checks are compared member by member', () => {
  const a = {
    Labels: { one: '1', two: '2' },
    ExposedPorts: { '80/tcp': {} },
    Volumes: { '/data': {} },
    Healthcheck: { Test: ['CMD', 'true'], Interval: 1 },
  };
  const b = {
    Labels: { two: '2', one: '3' },
    ExposedPorts: { '80/tcp': {}, '53/udp': {} },
    Volumes: null,
    Healthcheck: { Test: ['CMD', 'false'], Interval: 1 },
  };
  assert.equal(keys(run(a, b)), [
    'config.labels.one',
    'config.ports.53/udp',
    'config.volumes./data',
    'config.healthcheck.Test',
  ]);
});

test('settings have the names of a Dockerfile, others their own', () => {
  const a = {
    Entrypoint: ['a'],
    Cmd: ['x', 'y'],
    User: 'a',
    WorkingDir: '/',
    StopSignal: 'TERM',
    Odd: { x: 1 },
  };
  const b = {
    Entrypoint: ['b'],
    Cmd: ['y', 'x'],
    User: 'b',
    WorkingDir: '/x',
    StopSignal: '',
    Odd: { x: 2 },
  };
  assert.equal(keys(run(a, b)), [
    'config.entrypoint',
    'config.cmd',
    'config.user',
    'config.workdir',
    'config.stopsignal',
    'config.odd.x',
  ]);
});

test('unset and empty values are equal', () => {
  const a = { Cmd: null, Labels: null, User: '', ArgsEscaped: false, OnBuild: [], Volumes: {} };
  assert.equal(run(a, {}), []);
  assert.equal(configChanges({ config: a, author: '' }, {}), []);
});

test('times are recognised under any key', () => {
  const label = 'org.opencontainers.image.created';
  const at = (year: number) => ({
    created: `${year}-01-01T00:00:00Z`,
    config: { Labels: { [label]: `${year}-01-01 00:00:00+02:00`, version: `${year}` } },
  });
  assert.equal(keys(configChanges(at(2020), at(2021))), [
    'config.created (times)',
    `config.labels.${label} (times)`,
    'config.labels.version',
  ]);
  assert.equal(keys(configChanges(at(2020), {})), [
    'config.created',
    `config.labels.${label}`,
    'config.labels.version',
  ]);
});

test('the platform and the fields of old builders are compared', () => {
  const a = {
    architecture: 'arm64',
    os: 'linux',
    container: 'x',
    container_config: { Hostname: 'x', Tty: false },
  };
  const b = { architecture: 'amd64', os: 'linux', container: 'y', container_config: { Hostname: 'y' } };
  assert.equal(keys(configChanges(a, b)), [
    'platform.architecture',
    'config.container',
    'config.container_config.Hostname',
  ]);
});

test('diff_ids are compared with the layers, the rest of rootfs with the config', () => {
  assert.equal(
    configChanges({ rootfs: { type: 'layers', diff_ids: ['a'] } }, { rootfs: { type: 'layers' } }),
    [],
  );
  assert.equal(keys(configChanges({ rootfs: { type: 'x' } }, { rootfs: { type: 'layers' } })), [
    'config.rootfs',
  ]);
});

test('documents of any shape can be compared', () => {
  const odd: Json[] = [null, 1, [], 'x', { config: 1 }, { config: [] }, { config: { Env: 1, Labels: [1] } }];
  odd.push(
    { config: { Env: [1, null], ExposedPorts: 'x' } },
    JSON.parse('{"__proto__": 1, "config": {"__proto__": 2}}'),
  );
  for (const a of odd) for (const b of odd) assert.ok(Array.isArray(configChanges(a, b)));
  assert.equal(keys(run({ Labels: [1] }, { Labels: { x: '1' } })), ['config.labels']);
  assert.equal(keys(run({ Env: [1] }, { Env: ['A=1'] })), ['config.env']);
  assert.equal(keys(configChanges(JSON.parse('{"__proto__": 1}'), {})), ['config.__proto__']);
});

test('values that nest deeper than the stack can be compared', () => {
  const deep = (end: number): Json => {
    let value: Json = end;
    for (let i = 0; i < 200_000; i++) value = [value];
    return value;
  };
  assert.is(sameJson(deep(1), deep(1)), true);
  assert.is(sameJson(deep(1), deep(2)), false);
  assert.is(JSON.stringify(shown(deep(1))).length < 100, true);
  assert.equal(keys(configChanges({ x: deep(1) }, { x: deep(2) })), ['config.x']);
});

test('history: steps are added, removed, or repeated at another time', () => {
  const step = (created_by: string, created: string, more = {}) => ({ created, created_by, ...more });
  const a = [step('FROM', '2020-01-01T00:00:00Z'), step('RUN a', '2020-01-02T00:00:00Z'), step('CMD', '')];
  const b = [
    step('FROM', '2020-01-01T00:00:00Z', { empty_layer: false }),
    step('RUN b', '2020-01-02T00:00:00Z'),
    step('CMD', '2021-01-02T00:00:00Z'),
  ];
  assert.equal(keys(historyChanges(a, b)), [
    'history.1 (history)',
    'history.1 (history)',
    'history.2.created (times)',
  ]);
  assert.equal(historyChanges(a, a), []);
  assert.equal(keys(historyChanges([1, null], [{ created_by: 1 }])), [
    'history.0 (history)',
    'history.1 (history)',
    'history.0 (history)',
  ]);
});

test('a kind is ignored by its name, by a part of it, or by the key', () => {
  const tally = new Tally(['config.labels', 'times', 'files.added']);
  assert.equal(
    [
      tally.add('config.labels.one'),
      tally.add('config.labelsmore'),
      tally.add('times', 3),
      tally.add('files.added'),
      tally.add('files.removed'),
      tally.add('order', 1, 'config.labels'),
    ],
    [false, true, false, false, true, false],
  );
  assert.equal(tally.differences(), [
    { kind: 'config.labelsmore', count: 1 },
    { kind: 'files.removed', count: 1 },
  ]);
  assert.equal(
    tally.ignoredDifferences().map(({ kind }) => kind),
    ['config.labels.one', 'files.added', 'times', 'order'],
  );
  assert.equal(together([tally.differences(), tally.differences()])[0], {
    kind: 'config.labelsmore',
    count: 2,
  });
});

test('the kinds that --ignore accepts', () => {
  for (const word of ['times', 'config.labels', 'config.labels.a.b', 'ids', 'sizes'])
    assert.ok(isKind(word), word);
  for (const word of ['time', '', 'configs', '.times', 'labels']) assert.not(isKind(word), word);
});

test.run();
