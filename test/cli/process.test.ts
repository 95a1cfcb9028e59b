// The program as a process: pipes, the environment, a full disk, and files that are left when it is stopped.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { waybill } from '../support/cli.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { image } from '../support/image.js';
import { dockerSave25 } from '../support/layouts.js';
import { toDirectory, toTar } from '../support/pack.js';
import { said } from '../support/terminal.js';
import { temporary } from '../support/tmp.js';

const bin = join(repositoryRoot, 'bin/waybill.js');
const folder = temporary('cli-process');
const sample = (name: string) => join(repositoryRoot, 'samples', name);
const [SAVED, OLD, MULTI] = ['hello-docker-28.tar', 'hello-docker-24.tar', 'hello-oci.tar'].map(sample) as [
  string,
  string,
  string,
];
const ID = '2e930d0c9519';

const path = (name: string) => join(folder, name);

function made(name: string, content: Uint8Array): string {
  writeFileSync(path(name), content);
  return path(name);
}

test('a command that has finished does not wait for its timeout', async () => {
  const start = performance.now();
  assert.is((await waybill(['verify', SAVED, '--timeout', '1m'])).status, 0);
  assert.ok(performance.now() - start < 30_000);
});

test('lists are stored in the directory that the environment names', async () => {
  const [home, state] = [path('home'), path('state')];
  const env = { WAYBILL_HOME: home, XDG_STATE_HOME: state };
  assert.equal((await waybill(['manifest', 'create', 'a:1', SAVED], { env })).status, 0);
  assert.is(readdirSync(join(home, 'manifests')).length, 1);
  assert.not.ok(existsSync(state));
  const elsewhere = { env: { ...env, WAYBILL_HOME: '' } };
  const [inspected, gone, removed] = await Promise.all([
    waybill(['manifest', 'inspect', 'a:1'], { env }),
    waybill(['manifest', 'inspect', 'a:1'], elsewhere),
    waybill(['manifest', 'rm', 'a:1'], elsewhere),
  ]);
  assert.equal([inspected.status, gone.status, removed.status], [0, 2, 1]);
  assert.equal([gone.stdout, removed.stdout], ['', '']);
});

interface Piped {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** Runs the program with a pipe as its input. */
function piped(input: Uint8Array, ...args: readonly string[]): Promise<Piped> {
  const child = spawn(process.execPath, [bin, ...args], { stdio: 'pipe' });
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', text => {
    texts.stdout += String(text);
  });
  child.stderr.on('data', text => {
    texts.stderr += String(text);
  });
  child.stdin.on('error', () => {}).end(input);
  return new Promise(resolve => child.on('close', status => resolve({ ...texts, status })));
}

test('from a pipe the answers are the same', async () => {
  const [tar, packed] = [readFileSync(OLD), readFileSync(sample('hello-podman.tar.gz'))];
  const [history, inspect, manifest, images, extract, nothing] = await Promise.all([
    piped(packed, 'history', '-', '-q', '--store', 'classic'),
    piped(tar, 'inspect', '-', '--store', 'classic', '-f', '{{.Size}}'),
    piped(readFileSync(MULTI), 'manifest', 'inspect', '--raw', '-'),
    piped(packed, 'images', '-', SAVED, '--store', 'classic', '--format', '{{.ID}} {{.Size}}'),
    piped(packed, 'extract', '-', '--layers', path('piped')),
    piped(new Uint8Array(0), 'history', '-'),
  ]);
  assert.is(history.stdout.split('\n')[0], ID);
  assert.is(inspect.stdout, '385\n');
  assert.is(manifest.stdout, (await said(['manifest', 'inspect', '--raw', MULTI])).stdout);
  assert.is(images.stdout, `${ID} 385B\n`);
  assert.is(extract.stdout.split('\n').length, 4);
  assert.equal(readdirSync(path('piped')).length, 3, 'and no copy of the archive');
  for (const run of [history, inspect, manifest, images, extract])
    assert.equal([run.stderr, run.status], ['', 0]);
  assert.equal([nothing.stdout, nothing.status], ['', 2]);
  assert.match(nothing.stderr, 'standard input: nothing came in');
});

test('the tree of images is coloured only on request', async () => {
  const painted = async (env: Record<string, string>, ...args: readonly string[]) =>
    (await waybill(['images', SAVED, '--tree', ...args], { env })).stdout.includes('\u001b');
  for (const release of ['28', '29']) assert.is(await painted({}, '--docker', release), false, release);
  assert.equal(
    await Promise.all([
      painted({}, '--docker', '28', '--color'),
      painted({ FORCE_COLOR: '1' }, '--docker', '28'),
      painted({ FORCE_COLOR: '1' }, '--docker', '28', '--no-color'),
      painted({ NO_COLOR: '1' }, '--docker', '28'),
    ]),
    [true, true, false, false],
  );
});

test('a reader that closes the pipe early is not an error', async () => {
  const Env = Array.from({ length: 20_000 }, (_, i) => `VARIABLE_${i}=${i}`);
  const large = made(
    'large.tar',
    await toTar(dockerSave25({ image: await image({ layers: [], config: { config: { Env } } }) })),
  );
  const script = `"${process.execPath}" "${bin}" inspect "${large}" | head -n 1; echo done`;
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', text => {
    output.stdout += String(text);
  });
  child.stderr.on('data', text => {
    output.stderr += String(text);
  });
  await new Promise(resolve => child.on('close', resolve));
  assert.equal(output, { stdout: '[\ndone\n', stderr: '' });
});

testWhen(
  test,
  existsSync('/dev/full'),
  'there is no /dev/full',
)('a full disk under standard output', async () => {
  const script = `"${process.execPath}" "${bin}" history "${SAVED}" > /dev/full`;
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', text => {
    stderr += String(text);
  });
  const status = await new Promise(resolve => child.on('close', resolve));
  assert.is(status, 2);
  assert.match(stderr, 'standard output: cannot be written: no space left on device');
});

test('relative times are computed from SOURCE_DATE_EPOCH', async () => {
  const at = (epoch: string) =>
    waybill(['history', SAVED, '--format', '{{.CreatedSince}}'], { env: { SOURCE_DATE_EPOCH: epoch } });
  const [later, odd] = await Promise.all([at('1700003600'), at('yesterday')]);
  assert.match(later.stdout, /^(About an hour ago\n)+$/);
  assert.equal([odd.stdout, odd.status], ['', 2]);
  assert.match(odd.stderr, 'SOURCE_DATE_EPOCH: expected seconds, found "yesterday"');
});

/** Starts a command, waits until it has begun to write into `directory`, and sends the signal of Ctrl-C. */
async function interrupted(directory: string, args: readonly string[], input?: Uint8Array) {
  mkdirSync(directory);
  const env = { ...process.env, WAYBILL_HOME: path('interrupted') };
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: [input ? 'pipe' : 'ignore', 'ignore', 'ignore'],
    env,
  });
  // The pipe stays open, so the command waits for the rest.
  child.stdin?.on('error', () => {}).write(input);
  const ended = new Promise<NodeJS.Signals | null>(resolve =>
    child.on('close', (_, signal) => resolve(signal)),
  );
  let begun: string[] = [];
  // A file in progress has several names in turn, so the directory is read once per iteration.
  for (; child.exitCode === null && begun.length === 0; begun = readdirSync(directory))
    await new Promise(next => setTimeout(next, 2));
  assert.is(begun.length, 1, 'it had begun');
  child.kill('SIGINT');
  assert.is(await ended, 'SIGINT');
  return readdirSync(directory);
}

test('Ctrl-C leaves no unfinished files', async () => {
  // A sparse layer of 4 GB. Its digest is wrong, but the command is stopped before that is found.
  const one = await image({ layers: [{ files: { a: 'a' } }] });
  const blob = `blobs/sha256/${one.diffIds[0]!.slice(7)}`;
  const members = dockerSave25({ image: one, tags: ['slow:1'] });
  const slow = toDirectory(members, path('slow'));
  truncateSync(join(slow, blob), 2 ** 32);
  const env = { WAYBILL_HOME: path('interrupted') };
  assert.is((await waybill(['manifest', 'create', 'slow:1', slow], { env })).status, 0);
  const [tar, directory, layers, spool] = ['i1', 'i2', 'i3', 'i4'].map(path) as [
    string,
    string,
    string,
    string,
  ];
  const cut = (await toTar(members)).subarray(0, 5000);
  assert.equal(await interrupted(tar, ['manifest', 'push', 'slow:1', '-o', join(tar, 'out.tar')]), []);
  assert.equal(
    await interrupted(directory, ['manifest', 'push', 'slow:1', '-o', join(directory, 'out')]),
    [],
  );
  assert.equal(await interrupted(layers, ['extract', slow, '--layers', layers]), []);
  assert.equal(await interrupted(spool, ['extract', '-', '--layers', join(spool, 'out')], cut), []);
});

test.run();
