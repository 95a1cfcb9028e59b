// What changed since an earlier image, from its archive or from a report of it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { comparisonDoc, inventoryReadOptions, loadAgainst } from '../../src/commands/check/against.js';
import { Check, type CheckReport, checkReadOptions } from '../../src/commands/check/index.js';
import { loadPolicy } from '../../src/commands/check/load.js';
import { jsonPieces } from '../../src/format/json.js';
import { toText } from '../../src/format/text.js';
import type { Against, ImageComparison } from '../../src/policy/comparison.js';
import { parseSavedReport } from '../../src/policy/saved-report.js';
import { waybill } from '../support/cli.js';
import { type ImageSpec, image, type LayerSpec } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { NOW } from '../support/policy.js';
import { readMembers } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const big = (path: string, bytes: number, createdBy = `COPY ${path} / # buildkit`): LayerSpec => ({
  files: { [path]: path.repeat(Math.ceil(bytes / path.length)).slice(0, bytes) },
  createdBy,
});

const archiveOf = async (layers: readonly LayerSpec[], more: Partial<ImageSpec> = {}, tag = 'app:1') =>
  layouts.dockerSave({ image: await image({ layers, ...more }), tags: [tag] });

type Members = readonly layouts.Member[];

async function report(members: Members, against?: Against, inventory = true): Promise<CheckReport> {
  const policy = await loadPolicy({ compares: against !== undefined });
  const { reading } = await readMembers(members, checkReadOptions(policy, true));
  const check = new Check({
    policy,
    context: { now: NOW, epoch: null, against },
    failOn: 'error',
    inventory,
  });
  return check.alone(reading, {}).data as CheckReport;
}

async function against(members: Members): Promise<Against> {
  const { reading } = await readMembers(members, inventoryReadOptions);
  return loadAgainst({ archive: 'old.tar' }, () => Promise.resolve(reading));
}

async function saved(members: Members): Promise<Against> {
  const text = [...jsonPieces(await report(members))].join('');
  const parsed = parseSavedReport(text);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return { file: 'old.tar', images: parsed.images };
}

const BASE = big('usr/lib/libc.so', 100_000, 'ADD rootfs.tar /');
const MODULES = (...more: readonly [string, number][]): LayerSpec => ({
  files: Object.fromEntries(
    [
      ['app/node_modules/react/index.js', 40_000] as const,
      ['app/node_modules/react/cjs/a.js', 10_000] as const,
      ...more,
    ].map(([path, bytes]) => [path, 'x'.repeat(bytes)]),
  ),
  createdBy: 'RUN npm ci # buildkit',
});

test('a directory that is new stands for all that is in it, and for the directories above', async () => {
  const old = await archiveOf([BASE, MODULES()]);
  const now = await archiveOf([
    BASE,
    MODULES(['app/node_modules/date-fns/esm/a.js', 20_000], ['app/node_modules/date-fns/b.js', 2000]),
  ]);
  const { images } = await report(now, await against(old));
  const { directories, layers, sizes } = images[0]!.comparison as ImageComparison;
  assert.equal(directories, [
    { path: 'app/node_modules/date-fns', before: 0, after: 22_000, isNew: true, layer: 1 },
  ]);
  assert.equal(
    layers.map(({ instruction, layer }) => [instruction, layer]),
    [['RUN npm ci', 1]],
  );
  assert.is(sizes.content!.after - sizes.content!.before, 22_000);
});

test('what grew, shrank and went is told as deep as it lies', async () => {
  const old = await archiveOf([BASE, big('app/a/x', 50_000), big('srv/old/y', 30_000)]);
  const now = await archiveOf([BASE, big('app/a/x', 20_000), big('app/b', 9000)]);
  const { images } = await report(now, await against(old));
  assert.equal(
    images[0]!.comparison!.directories!.map(({ path, before, after }) => [path, before, after]),
    [
      ['app', 0, 9000],
      ['app/a', 50_000, 20_000],
      ['srv', 30_000, 0],
    ],
  );
});

test('a report says the same as the archive that it is of', async () => {
  const old = await archiveOf([BASE, MODULES()], {
    config: { config: { User: 'app', Env: ['A=1'], ExposedPorts: { '80/tcp': {} } } },
  });
  const now = await archiveOf(
    [BASE, MODULES(['app/new', 5000]), { entries: [{ path: 'bin/x', bytes: 'x', mode: 0o4755 }] }],
    {
      config: { config: { Env: ['A=2', 'B=1'], Cmd: ['/x'] } },
    },
  );
  const [fromArchive, fromReport] = [
    await report(now, await against(old)),
    await report(now, await saved(old)),
  ];
  assert.equal(fromReport, fromArchive);
  const { findings, images } = fromArchive;
  assert.equal(
    findings
      .map(({ code }) => code)
      .filter(code => !['user-not-root'].includes(code))
      .sort(),
    ['changed-command', 'changed-env', 'changed-env', 'changed-user', 'new-setuid'],
  );
  assert.equal(images[0]!.comparison!.ports, { added: [], removed: ['80/tcp'] });
});

test('values of variables are not in the report', async () => {
  const old = await archiveOf([BASE], { config: { config: { Env: ['TOKEN=hunter2-hunter2'] } } });
  assert.not.match([...jsonPieces(await report(old))].join(''), /hunter2/);
});

test('hard links to a setuid file are new, each by its name', async () => {
  const su: LayerSpec = { entries: [{ path: 'bin/su', bytes: 'x', mode: 0o4755 }] };
  const link: LayerSpec = {
    entries: [{ path: 'tmp/x', type: 'link', link: 'bin/su', mode: 0o755 }],
    createdBy: 'RUN ln',
  };
  const { images } = await report(await archiveOf([su, link]), await against(await archiveOf([su])));
  assert.equal(
    images[0]!.comparison!.setuid!.map(({ path, layer }) => [path, layer]),
    [['tmp/x', 1]],
  );
});

test('a variable whose value is a secret and another one has changed', async () => {
  const env = (value: string) => archiveOf([BASE], { config: { config: { Env: [`DB_PASSWORD=${value}`] } } });
  const [old, now] = [await env('hunter2-hunter2'), await env('hunter3-hunter3')];
  for (const earlier of [await against(old), await saved(old)])
    assert.equal((await report(now, earlier)).images[0]!.comparison!.env.changed, ['DB_PASSWORD']);
});

test('setuid files beyond those that a report lists are compared too, and it is said', async () => {
  const names = Array.from({ length: 10_001 }, (_, i) => `opt/f${String(i).padStart(5, '0')}`);
  const all: LayerSpec = { entries: names.map(path => ({ path, bytes: 'x', mode: 0o4755 })) };
  const one: LayerSpec = { entries: [{ path: 'usr/evil', bytes: 'x', mode: 0o4755 }] };
  const [old, now] = [await archiveOf([all]), await archiveOf([all, one])];
  const found = (await report(now, await saved(old))).findings;
  const messages = found.filter(({ rule }) => rule === 'new-setuid').map(({ message }) => message);
  assert.ok(
    messages.some(message => message.startsWith('/usr/evil is setuid root')),
    messages.join('\n'),
  );
  assert.ok(messages.some(message => message.includes('lists its first 10000 setuid files')));
});

test('a layer whose size is not known makes a growth that is not known', async () => {
  const full = await archiveOf([BASE, MODULES()]);
  const made = await image({ layers: [BASE, MODULES()] });
  const less = layouts.without(
    layouts.skopeoOci({ image: made, tags: ['app:1'] }),
    layouts.blobPath(made.layers[1]!.digest),
  );
  for (const [before, after] of [
    [less, full],
    [less, less],
  ] as const)
    for (const earlier of [await against(before), await saved(before)]) {
      const { images } = await report(after, earlier);
      const text = toText(comparisonDoc(images[0]!.comparison!, false), { width: null, color: false });
      assert.match(text, 'what it grew by is not known: at least');
      assert.not.match(text, 'as before');
    }
});

test('an image without layers, before and after', async () => {
  const [none, some] = [await archiveOf([]), await archiveOf([BASE])];
  const grown = (await report(some, await against(none))).images[0]!.comparison!;
  assert.equal(
    grown.directories!.map(({ path, after, isNew }) => [path, after, isNew]),
    [['usr', 100_000, true]],
  );
  const shrunk = (await report(none, await against(some))).images[0]!.comparison!;
  assert.equal(
    shrunk.directories!.map(({ path, before, after }) => [path, before, after]),
    [['usr', 100_000, 0]],
  );
});

const REPORT = async () => [...jsonPieces(await report(await archiveOf([BASE])))].join('');
const BAD: Readonly<Record<string, readonly [change: (text: string) => string, reason: RegExp]>> = {
  'cut short': [text => text.slice(0, -20), /cut short$/],
  'no JSON': [() => 'hello', /found other text/],
  'another schema version': [
    text => text.replace('"schemaVersion": 1', '"schemaVersion": 7'),
    /schemaVersion 1, found schemaVersion 7$/,
  ],
  'another version of the inventory': [
    text => text.replace('"version": 1', '"version": 2'),
    /^\/images\/0\/inventory\/version: expected 1, found 2/,
  ],
  'of another command': [
    text => text.replace('"inventory"', '"inventories"'),
    /^\/images\/0: expected a report of `waybill check --json`, found one of another command/,
  ],
  'a list': [() => '[]', /found an array$/],
  'no object': [
    () => '{"schemaVersion": 1, "images": [null]}',
    /^\/images\/0: expected an object, found null$/,
  ],
  'a size that is none': [
    text => text.replace(/"shipped": \d+/, '"shipped": "x"'),
    /shipped: expected a number from 0, found a string$/,
  ],
  'a negative size': [
    text => text.replace(/"unpacked": \d+/, '"unpacked": -1'),
    /unpacked: expected a number from 0/,
  ],
  'a size beyond all sizes': [
    text => text.replace(/"unpacked": \d+/, '"unpacked": 1e300'),
    /unpacked: expected a whole number up to 9007199254740991, found 1e\+300$/,
  ],
  'reports of several archives': [
    () => '{"schemaVersion": 1}\n{"schemaVersion": 1}\n',
    /of one archive, found those of 2/,
  ],
};
for (const [name, [change, reason]] of Object.entries(BAD))
  test(`a report with a fault: ${name}`, async () => {
    const text = await REPORT();
    const parsed = parseSavedReport(change(text));
    assert.match('reason' in parsed ? parsed.reason : 'it was read', reason);
  });

test('the command line: a table that can be acted on, from an archive and from a report', async () => {
  const place = temporary('against');
  const old = await archiveOf([BASE, MODULES()]);
  const now = await archiveOf([BASE, MODULES(['app/node_modules/date-fns/esm/a.js', 22_000])]);
  writeFileSync(join(place, 'old.tar'), await toTar(old));
  writeFileSync(join(place, 'new.tar'), await toTar(now));
  const run = (...args: readonly string[]) => waybill(['check', ...args], { cwd: place });
  const json = await run('old.tar', '-o', 'old.json');
  assert.is(json.status, 0, json.stderr);
  for (const earlier of ['old.tar', 'old.json']) {
    const { stdout, status } = await run('new.tar', '--against', earlier);
    assert.is(status, 0);
    assert.match(stdout, /\+22 kB +0 B +22 kB +\/app\/node_modules\/date-fns, new +RUN npm ci/);
    assert.match(stdout, /warning growth {2}the unpacked size grew by/);
    const markdown = await run('new.tar', '--against', earlier, '--format', 'md');
    assert.match(
      markdown.stdout,
      /\| \*\*\+22 kB\*\* \| 0 B \| 22 kB \| \/app\/node\\?_modules\/date-fns, new \|/,
    );
  }
  writeFileSync(join(place, 'bad.json'), '{"schemaVersion": 1, "images": [');
  const bad = await run('new.tar', '--against', 'bad.json');
  assert.is(bad.status, 2);
  assert.match(
    bad.stderr,
    /bad\.json: --against: expected a report of `waybill check --json`, found other text, or a report that is cut short/,
  );
  const missing = await run('new.tar', '--against', 'none.tar');
  assert.is(missing.status, 2);
  const empty = await run('new.tar', '--policy', 'p.yaml', '--against', 'old.tar');
  assert.is(empty.status, 2);
});

test.run();
