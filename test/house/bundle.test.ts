// The bundle that bin/waybill.js starts, compared with its modules, each as a process.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { each, ended, type Run } from '../support/cli.js';
import { canCompress } from '../support/compression.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { image } from '../support/image.js';
import { skopeoOci } from '../support/layouts.js';
import { runNode } from '../support/nodes.js';
import { toTar } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

const MODULES = join(repositoryRoot, 'dist/src/cli.js');
const BUNDLE = join(repositoryRoot, 'dist/bundle/cli.js');
const BIN = join(repositoryRoot, 'bin/waybill.js');
const folder = temporary('bundle');
const sample = (name: string) => join(repositoryRoot, 'samples', name);

function run(program: string, args: readonly string[], node: readonly string[] = []): Promise<Run> {
  const cwd = join(folder, program === BUNDLE ? 'bundle' : 'modules');
  mkdirSync(cwd, { recursive: true });
  const env = { ...process.env, SOURCE_DATE_EPOCH: '1700000000', LC_ALL: 'de_DE.UTF-8' };
  const child = spawn(process.execPath, [...node, program, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return ended(child);
}

async function both(args: readonly string[]): Promise<Run> {
  const [modules, bundle] = await Promise.all([run(MODULES, args), run(BUNDLE, args)]);
  assert.equal(bundle, modules, args.join(' '));
  return bundle;
}

const [SAVED, OCI, ZIP, BROKEN] = [
  'hello-docker-28.tar',
  'hello-oci.tar',
  'hello-oci.zip',
  'broken-layer.tar',
].map(sample) as [string, string, string, string];

const COMMANDS: readonly (readonly [status: number, ...args: string[]])[] = [
  [0, SAVED],
  [0, SAVED, '--json'],
  [0, ZIP],
  [0, '--version'],
  [0, '--help'],
  [0, 'verify', '--help'],
  [0, 'explain'],
  [0, 'verify', SAVED],
  [1, 'verify', BROKEN],
  [0, 'verify', ZIP],
  [0, 'ids', SAVED],
  [0, 'files', SAVED],
  [0, 'sizes', SAVED],
  [0, 'waste', SAVED],
  [0, 'packages', SAVED],
  [0, 'attestations', OCI],
  [0, 'packages', SAVED, '--format', 'spdx'],
  [0, 'diff', SAVED, SAVED],
  [0, 'history', SAVED],
  [0, 'inspect', SAVED],
  [0, 'images', SAVED],
  [0, 'manifest', 'inspect', OCI],
  [0, 'imagetools', 'inspect', OCI],
  [0, 'report', SAVED, '--output', 'report.html', '--output', 'report.md'],
  [0, 'extract', SAVED, '--layers', 'layers'],
  [2, 'no-such-file.tar'],
  [2, 'verify'],
  [2, '--nonsense', SAVED],
];

test('the bundle gives the same answers as the modules', async () => {
  await each(
    COMMANDS,
    async ([status, ...args]) => {
      assert.is((await both(args)).status, status, args.join(' '));
    },
    2,
  );
});

test('the bundle writes the same files', () => {
  const of = (who: string) => readdirSync(join(folder, who), { recursive: true, encoding: 'utf8' }).sort();
  assert.ok(of('bundle').length >= 4, of('bundle').join());
  assert.equal(of('bundle'), of('modules'));
  for (const name of ['report.html', 'report.md'])
    assert.is(
      readFileSync(join(folder, 'bundle', name), 'utf8'),
      readFileSync(join(folder, 'modules', name), 'utf8'),
    );
  assert.match(readFileSync(join(folder, 'bundle/report.html'), 'utf8'), 'd3-hierarchy');
});

test('wide characters are measured in the bundle', async () => {
  const made = await image({
    layers: [{ files: { 'etc/日本語': 'x', 'etc/e\u0301': 'y', 'etc/plain': 'z' } }],
  });
  const file = join(folder, 'wide.tar');
  writeFileSync(file, await toTar(skopeoOci({ image: made, tags: ['app:1'] })));
  const { stdout } = await both(['files', file]);
  assert.match(stdout, '日本語');
  await both(['sizes', file]);
});

testWhen(
  test,
  canCompress('zstd') && canCompress('xz'),
  'zstd and xz are not here',
)('workers and their decoders', async () => {
  // Large enough for every layer to be given to a worker.
  const random = (size: number) => ({ files: { data: new Uint8Array(randomBytes(size)) } });
  const made = await image({
    layers: [
      { ...random(34 << 20) },
      { ...random(1500 << 10), compression: 'zstd' },
      { ...random(1500 << 10), compression: 'xz' },
      { ...random(1500 << 10), compression: 'gzip' },
    ],
  });
  const file = join(folder, 'workers.tar');
  writeFileSync(file, await toTar(skopeoOci({ image: made, tags: ['app:1'] })));
  const { status, stdout } = await both(['verify', file, '--json']);
  assert.is(status, 0);
  assert.match(stdout, made.layers[2]!.diffId);
  await both(['sizes', file]);
});

test('the program starts the bundle', async () => {
  const started = /import\('\.\.\/(dist\/[^']*)'\);/.exec(readFileSync(BIN, 'utf8'))?.[1];
  assert.is(join(repositoryRoot, started ?? ''), BUNDLE);
  assert.equal(await run(BIN, [SAVED]), await run(BUNDLE, [SAVED]));
});

test('`show` loads few files, and does not load string-width', async () => {
  const hook = join(folder, 'hook.mjs');
  writeFileSync(
    hook,
    `const { Segmenter } = Intl;
     Intl.Segmenter = class extends Segmenter { constructor(...all) { super(...all); console.error('a segmenter'); } };`,
  );
  const { stderr, status } = await run(BUNDLE, [SAVED], ['--import', hook]);
  assert.is(status, 0);
  assert.is(stderr, '');
  const text = readFileSync(BUNDLE, 'utf8');
  const files = new Set([...text.matchAll(/from\s*"\.\/([^"]+)"/g)].map(match => match[1]));
  assert.ok(files.size <= 3, [...files].join());
});

test('every package in the bundle has its licence', () => {
  const licences = readFileSync(join(repositoryRoot, 'dist/bundle/LICENSES.txt'), 'utf8');
  for (const name of ['yargs', 'string-width', 'tar-stream', 'zstddec', 'diff'])
    assert.match(licences, new RegExp(`^${name} [0-9.]+$`, 'm'));
  assert.ok(licences.split(/^-{72}$/m).every(text => /copyright/i.test(text)));
});

test('the package contains the files that the program loads', () => {
  const { files, bin } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  assert.is(bin.waybill, 'bin/waybill.js');
  for (const folder of ['bin/waybill.js', 'dist/bundle']) assert.ok(files.includes(folder), folder);
  assert.ok(existsSync(BUNDLE));
});

test('the file of a thread is named where it is started, and not as a constant, which webpack would rewrite', () => {
  const place = join(repositoryRoot, 'dist/bundle');
  const code = readdirSync(place)
    .filter(name => name.endsWith('js'))
    .map(name => readFileSync(join(place, name), 'utf8'))
    .join('\n');
  assert.not.match(code, /new URL\(["'`]\.\//);
  for (const [, name] of code.matchAll(/new URL\(\["\.\/([^"]+)"\]/g))
    assert.ok(existsSync(join(place, name!)), name);
  assert.ok(existsSync(join(place, 'blob-thread.mjs')));
});

test('a thread whose file is damaged is a fault of the installation, and no finding about the archive', async () => {
  const place = temporary('damaged-installation');
  for (const part of ['bin', 'dist/bundle', 'package.json'])
    cpSync(join(repositoryRoot, part), join(place, part), { recursive: true });
  const archive = join(place, 'large.tar');
  const layers = [1, 2].map(n => ({ files: { [`data${n}`]: randomBytes(18 << 20) } }));
  writeFileSync(archive, await toTar(skopeoOci({ image: await image({ layers }), tags: ['app:1'] })));
  const file = join(place, 'dist/bundle/blob-thread.mjs');
  writeFileSync(file, readFileSync(file).subarray(0, 1000));
  const run = (name: string, jobs: string) =>
    runNode(
      process.execPath,
      [join(place, 'bin/waybill.js'), 'verify', name, '--jobs', jobs],
      name === '-' ? readFileSync(archive) : '',
    );
  for (const name of [archive, '-']) {
    const { status, stdout, stderr } = run(name, '2');
    assert.equal([status, stdout], [2, ''], stderr);
    assert.match(stderr, /^waybill: waybill's threads: cannot be started: .+\nInstall waybill again/);
  }
  assert.is(run(archive, '1').status, 0);
});

test('a worker does not load the command line, which would cost time and memory in each thread', () => {
  const place = join(repositoryRoot, 'dist/bundle');
  const text = readFileSync(join(place, 'blob-thread.mjs'), 'utf8');
  assert.not.match(text, /yargs|class Progress/);
  const sizes = readdirSync(place).map(name => readFileSync(join(place, name)).length);
  assert.ok(text.length < Math.max(...sizes) / 3, `${text.length} bytes`);
});

test.run();
