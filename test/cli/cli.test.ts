// The command line for a user: output, streams and exit codes.
import { spawn, spawnSync } from 'node:child_process';
import { createReadStream, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GROUPS } from '../../src/cli/command-words.js';
import { repositoryRoot } from '../support/corpus.js';
import { digestOf } from '../support/digest.js';
import { plainImage } from '../support/image.js';
import { file, manifestOf, ociLayout } from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

const bin = join(repositoryRoot, 'bin/waybill.js');
const sample = (name: string) => join(repositoryRoot, 'samples', name);
const folder = temporary('cli');

interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

function waybill(
  args: readonly string[],
  options: { input?: Uint8Array; env?: NodeJS.ProcessEnv } = {},
): Run {
  const env = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, ...options.env };
  return spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8', ...options, env });
}

/** Creates a file in the temporary directory. */
function made(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function unusable(run: Run, ...words: string[]): void {
  assert.is(run.status, 2, run.stderr);
  assert.is(run.stdout, '');
  for (const word of words)
    assert.ok(run.stderr.includes(word), `${JSON.stringify(run.stderr)} names ${word}`);
  assert.not.match(run.stderr, /\n\s+at /, 'no stack trace');
}

test('exit code 0 for a sound archive, 1 for a broken one', () => {
  assert.is(waybill(['verify', sample('hello-docker-28.tar')]).status, 0);
  const broken = waybill(['verify', sample('broken-layer.tar')]);
  assert.is(broken.status, 1);
  assert.match(broken.stdout, 'digest-mismatch');
  assert.is(broken.stderr, '');
});

test('--fail-on sets the severity that makes the exit code 1', async () => {
  // A blob that nothing refers to is a note.
  const blob = { digest: digestOf('left'), bytes: Buffer.from('left') };
  const members = ociLayout({ manifests: [manifestOf(await plainImage('item', 1))], unreferenced: [blob] });
  const archive = made('note.tar', await toTar(members));
  assert.is(waybill(['verify', archive, '--fail-on', 'warning']).status, 0);
  assert.is(waybill(['verify', archive, '--fail-on', 'info']).status, 1);
  assert.is(waybill(['verify', sample('broken-layer.tar'), '--fail-on', 'never']).status, 0);
});

test('show is the default command and reads documents only', () => {
  const plain = waybill([sample('hello-oci.tar')]);
  assert.is(plain.stdout, waybill(['show', sample('hello-oci.tar')]).stdout);
  const report = JSON.parse(waybill([sample('hello-oci.tar'), '--json']).stdout);
  assert.is(report.verdicts.intact, null);
  assert.is(report.images[0].layers[0].diffId, null);
});

test('--json prints one object and nothing else', () => {
  const { stdout, stderr } = waybill(['verify', '--json', sample('hello-oci.zip')]);
  assert.is(JSON.parse(stdout).schemaVersion, 1);
  assert.is(stderr, '');
});

test('reads standard input as -, as /dev/stdin and from a redirected file', async () => {
  const expected = JSON.parse(waybill(['verify', '--json', sample('hello-podman.tar.gz')]).stdout);
  const input = readFileSync(sample('hello-podman.tar.gz'));
  for (const name of ['-', '/dev/stdin']) {
    const report = JSON.parse(waybill(['verify', '--json', name], { input }).stdout);
    assert.equal(report.images, expected.images, name);
    assert.is(report.archive.container, 'stream');
    assert.is(report.archive.size, input.length);
  }
});

test('reads a slow pipe', async () => {
  const child = spawn(process.execPath, [bin, 'verify', '-', '--json']);
  const chunks: Buffer[] = [];
  child.stdout.on('data', chunk => chunks.push(chunk));
  for await (const chunk of createReadStream(sample('hello-docker-24.tar'), { highWaterMark: 3000 })) {
    child.stdin.write(chunk);
    await new Promise(resolve => setTimeout(resolve, 3));
  }
  child.stdin.end();
  await new Promise(resolve => child.on('close', resolve));
  assert.is(JSON.parse(Buffer.concat(chunks).toString()).verdicts.intact, true);
});

test('a zip from a pipe is refused with the reason', () => {
  unusable(
    waybill(['-'], { input: readFileSync(sample('hello-oci.zip')) }),
    'zip',
    'pipe',
    'Save it to a file',
  );
});

test('an empty standard input is refused', () => {
  unusable(waybill(['-'], { input: new Uint8Array(0) }), 'standard input', '0 bytes');
});

test('a file that is not an image archive is described as what it is', async () => {
  unusable(waybill([join(folder, 'absent.tar')]), 'absent.tar', 'no such file');
  unusable(waybill([made('empty.tar', '')]), 'empty (0 bytes)');
  unusable(waybill([made('notes.tar', 'just some notes\n')]), 'text', 'just some notes', 'docker save');
  unusable(waybill([made('page.tar', '<!DOCTYPE html><html>')]), 'HTML');
  unusable(waybill([made('a.json', '{"a":1}')]), 'JSON document');
  unusable(waybill([process.execPath]), 'program');
  unusable(waybill(['']), 'name of the archive is empty');
  const rootfs = ['bin/sh', 'etc/passwd', 'usr/bin/env'].map(path => file(path, 'x'));
  unusable(
    waybill([made('rootfs.tar', await toTar(rootfs))]),
    'root file system',
    'docker export',
    'docker save',
  );
  const layer = [file('app/.wh.old', ''), file('app/new', 'x')];
  unusable(waybill([made('layer.tar', await toTar(layer))]), 'a single image layer');
});

test('a directory that is not a layout: the error lists the archives in it', () => {
  const path = join(folder, 'downloads');
  mkdirSync(path);
  unusable(waybill([path]), 'no image layout', 'index.json');
  writeFileSync(join(path, 'app.oci'), '');
  unusable(waybill([path]), 'app.oci');
});

test('a platform that is not in the archive: the error lists those that are', () => {
  const run = waybill([sample('hello-oci.tar'), '--platform', 'linux/s390x']);
  unusable(run, 'linux/s390x', 'linux/amd64', 'linux/arm64');
  unusable(waybill([sample('hello-oci.tar'), '--platform', 'a b']), '--platform', 'os/arch');
});

test('a reference that matches none, several, or one image', () => {
  unusable(waybill([sample('hello-oci.tar'), 'other:2']), 'other:2', 'hello:1.0');
  assert.match(waybill([sample('hello-oci.tar'), 'hello:1.0']).stdout, 'linux/arm64');
  const id = JSON.parse(waybill([sample('hello-oci.tar'), '--json']).stdout).images[1].imageId as string;
  const chosen = JSON.parse(waybill([sample('hello-oci.tar'), id.slice(7, 19), '--json']).stdout);
  assert.equal(
    chosen.images.map((image: { imageId: string }) => image.imageId),
    [id],
  );
});

test('wrong usage ends with exit code 2 and the usage line', () => {
  unusable(waybill([]), 'which archive?', 'usage:');
  unusable(waybill(['verify', sample('hello-oci.tar'), '--nope']), 'nope', 'usage:');
  unusable(waybill(['verify', sample('hello-oci.tar'), '--fail-on', 'much']), 'fail-on', 'usage:');
  unusable(waybill(['explain', 'layer-mising']), 'layer-mising', 'usage:');
});

test('--help and --version', () => {
  const { stdout, status } = waybill(['verify', '--help']);
  assert.is(status, 0);
  for (const word of ['--require-complete', '--fail-on', 'Examples']) assert.match(stdout, word);
  assert.match(waybill(['--version']).stdout, /^\d+\.\d+\.\d+\n$/);
});

/** The first words of the commands that the modules of src/cli define, and of the commands below these. */
function definedCommands(): string[] {
  const folder = join(repositoryRoot, 'src/cli');
  const defined = /\.command\(\s*\[?'(\$0[^']*', ')?(\w+)/g;
  return readdirSync(folder).flatMap(name =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(defined)].map(match => match[2]!),
  );
}

test('--help lists every command once, and each has its own help', async () => {
  const below = [...GROUPS.values()].flatMap(({ known }) => known);
  const commands = new Set(definedCommands().filter(word => !below.includes(word)));
  for (const word of ['show', 'scan', 'merge', 'manifest']) assert.ok(commands.has(word), word);
  const [groups] = waybill(['--help']).stdout.split(/^Options:$/m);
  const listed = groups!.matchAll(/^ {2}waybill (\w+)/gm);
  const words = Array.from(listed, match => match[1]!);
  assert.equal([...words].sort(), [...new Set([...commands, ...words])].sort());
  for (const word of words) {
    const { stdout, status } = waybill([word, '--help']);
    assert.is(status, 0, word);
    assert.match(stdout, `waybill ${word}`);
  }
});

test('explain', () => {
  assert.match(waybill(['explain', 'layer-missing']).stdout, 'cannot be loaded from this archive alone');
  assert.ok(waybill(['explain']).stdout.split('\n').length > 50);
});

const ESCAPE = String.fromCharCode(27);

test('output is coloured only on a terminal, or on request', () => {
  const colours = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    waybill([sample('hello-oci.tar'), ...args], { env }).stdout.includes(ESCAPE);
  assert.is(colours([]), false);
  assert.is(colours(['--color']), true);
  assert.is(colours([], { FORCE_COLOR: '1' }), true);
  assert.is(colours([], { FORCE_COLOR: '0' }), false);
  assert.is(colours(['--no-color'], { FORCE_COLOR: '1' }), false);
  assert.is(colours(['--color'], { NO_COLOR: '1' }), true);
});

test('text from an archive is escaped on a terminal', async () => {
  const name = `evil${ESCAPE}[2J\u202e:1`;
  const members = [
    file(
      'manifest.json',
      JSON.stringify([{ Config: 'c.json', RepoTags: [name], Layers: [`l${ESCAPE}]8;;x.tar`] }]),
    ),
    file(
      'c.json',
      JSON.stringify({ os: 'linux', architecture: ESCAPE, rootfs: { type: 'layers', diff_ids: [] } }),
    ),
  ];
  const path = made('evil.tar', await toTar(members));
  for (const args of [[path], ['verify', path], ['ids', path], [path, 'nothing']]) {
    const { stdout, stderr } = waybill(args);
    assert.not.ok(`${stdout}${stderr}`.includes(ESCAPE), args.join(' '));
    assert.not.ok(`${stdout}${stderr}`.includes('\u202e'), args.join(' '));
    assert.match(`${stdout}${stderr}`, 'evil\\u{1b}[2J\\u{202e}:1');
  }
});

test('a reader that closes the pipe early is not an error', async () => {
  const child = spawn('sh', ['-c', `"${process.execPath}" "${bin}" explain | head -n 1; echo done`], {
    stdio: 'pipe',
  });
  let stderr = '';
  child.stderr.on('data', chunk => {
    stderr += String(chunk);
  });
  await new Promise(resolve => child.on('close', resolve));
  assert.is(stderr, '');
});

test('ids --find says what a digest belongs to, or that it cannot be known', () => {
  const archive = sample('hello-docker-24.tar');
  const { imageId, layers } = JSON.parse(waybill(['ids', archive, '--json']).stdout).images[0];
  const found = waybill(['ids', archive, '--find', imageId.slice(0, 20)]);
  assert.is(found.status, 0);
  assert.match(found.stdout, 'image ID');
  assert.match(found.stdout, /^ {2}ID in podman \(after loading this file\) of /m);
  assert.match(waybill(['ids', archive, '--find', layers[1].chainId]).stdout, 'chain ID of layers 1 to 2');
  const unknown = waybill(['ids', archive, '--find', `sha256:${'0'.repeat(64)}`]);
  assert.is(unknown.status, 1);
  assert.match(unknown.stdout, 'this file cannot tell');
  unusable(waybill(['ids', archive, '--find', 'xyz']), '--find');
});

test.run();
