// Every kind of standard input, for every command that reads: it is never closed, and no files are left.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { each } from '../support/cli.js';
import { testWhen } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';
import { largeArchive } from './archives.js';
import { type Circumstances, canRun, type Ended, run, SIGNALS } from './harness.js';

/** Large enough for worker threads, whose pipes would get the number of a closed standard input. */
const LARGE = await largeArchive();

const COMMANDS: readonly (readonly string[])[] = [
  ['show', '-'],
  ['verify', '-'],
  ['ids', '-'],
  ['report', '-'],
  ['sizes', '-'],
  ['waste', '-'],
  ['files', '-'],
  ['cat', '-', '/a'],
  ['extract', '-', 'out'],
  ['extract', '-', '--layers', 'out'],
  ['diff', '-', LARGE],
  ['inspect', '-'],
  ['history', '-'],
  ['images', '-'],
  ['imagetools', 'inspect', '-'],
  ['manifest', 'inspect', '-'],
  ['config', '-', '--raw'],
];

/** Commands that store the archive in a temporary file, and one that does not. */
const SOME = COMMANDS.filter(([name]) => ['verify', 'cat', 'extract'].includes(name!));

const told = ({ status, stdout, files, stderr }: Ended) => ({
  status,
  stderr,
  // Only the time differs.
  stdout: stdout.replace(/^.*\bage\b.*$/gm, ''),
  files: files.filter(name => name.startsWith('out')),
});

const from = (shell: string, archive = LARGE): Circumstances => ({ shell, env: { ARCHIVE: archive } });
const FILE = from('exec "$@" <"$ARCHIVE"');
const PIPE = from('cat "$ARCHIVE" | "$@"');

test('every command gives the same output from a file as from a pipe', async () => {
  await each(COMMANDS, async args => {
    const [file, pipe] = [await run(args, FILE), await run(args, PIPE)];
    assert.ok(file.status === 0 || file.stdout !== '', `${args.join(' ')}: ${file.status} ${file.stderr}`);
    assert.equal(told(file), told(pipe), args.join(' '));
  });
});

test('a file descriptor is read from its current position', async () => {
  const shifted = join(temporary('faults'), 'shifted');
  writeFileSync(shifted, Buffer.concat([Buffer.alloc(1000, 'x'), readFileSync(LARGE)]));
  const skip = from('{ dd bs=1000 count=1 of=/dev/null 2>/dev/null; exec "$@"; } <"$ARCHIVE"', shifted);
  await each(SOME, async args => {
    assert.equal(told(await run(args, skip)), told(await run(args, FILE)), args.join(' '));
  });
});

test('standard input that is a socket', async () => {
  // A shell cannot pass on a socket, but another node can.
  const starter = `
    const { connect, createServer } = require('node:net');
    const server = createServer(client => {
      const stdio = [client, 'inherit', 'inherit'];
      const child = require('node:child_process').spawn(process.argv[1], process.argv.slice(2), { stdio });
      client.destroy();
      server.close();
      child.on('exit', (code, signal) => { process.exitCode = code ?? signal; });
    });
    server.listen(0, '127.0.0.1', () => {
      const peer = connect(server.address().port, '127.0.0.1');
      peer.on('error', () => {});
      require('node:fs').createReadStream(process.env.ARCHIVE).pipe(peer);
    });`;
  const shell = `NODE_OPTIONS= exec '${process.execPath}' -e "$STARTER" "$@"`;
  await each(SOME, async args => {
    const socket = await run(args, { shell, env: { STARTER: starter, ARCHIVE: LARGE } });
    assert.equal(told(socket), told(await run(args, PIPE)), args.join(' '));
  });
});

test('inputs that are not archives: closed, empty, a directory, a text', async () => {
  const nothing = [
    ['exec "$@" <&-', /standard input: nothing came in/],
    ['exec "$@" </dev/null', /standard input: nothing came in/],
    ['exec "$@" <.', /standard input: cannot be read: illegal operation on a directory/],
    ['exec "$@" <"$0"', /standard input: not an image archive but/],
  ] as const;
  const rows = COMMANDS.flatMap(args => nothing.map(([shell, words]) => ({ args, shell, words })));
  await each(rows, async ({ args, shell, words }) => {
    const { status, stdout, stderr, files } = await run(args, {
      shell: shell.replace('$0', import.meta.url.replace('file://', '')),
    });
    assert.equal([status, stdout, files], [2, '', []], `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, words);
  });
});

test('inputs that are damaged or cut', async () => {
  const cut = join(temporary('faults'), 'cut');
  writeFileSync(cut, readFileSync(LARGE).subarray(0, 34_000_000));
  await each(SOME, async args => {
    const { status, signal } = await run(args, from('exec "$@" <"$ARCHIVE"', cut));
    assert.ok(status === 1 || status === 2, `${args.join(' ')}: ${status ?? signal}`);
  });
});

test('a signal while a pipe is copied to a temporary file', async () => {
  const rows = SOME.filter(([name]) => name !== 'verify').flatMap(args =>
    (['SIGINT', 'SIGTERM'] as const).flatMap(signal =>
      [
        { call: 'fs.writeSync', path: '.archive', nth: 3 },
        { call: 'fs.openSync', path: '.archive' },
      ].map(place => ({ args, signal, place })),
    ),
  );
  await each(rows, async ({ args, signal, place }) => {
    const ended = await run(args, { ...FILE, faults: [{ ...place, does: SIGNALS(signal) }] });
    assert.equal([ended.signal, ended.files], [signal, []], args.join(' '));
  });
});

/** script(1) takes a text, so the command line is passed in a file. */
const TERMINAL = `printf "'%s' " "$@" > line; exec script -qefc "exec $(cat line)" /dev/null`;
const hasTerminal = canRun('script', '-qefc', 'stty cols 20', '/dev/null');

testWhen(
  test,
  hasTerminal,
  'no script(1) as util-linux has it',
)('a terminal', async () => {
  await each(COMMANDS, async args => {
    // The terminal input stays open: a program that reads it hangs.
    const { status, stdout, files } = await run(args, { stdin: () => {}, shell: TERMINAL });
    assert.is(status, 2, stdout);
    assert.match(stdout, /^waybill: standard input is a terminal: pipe an archive into it, or name a file/);
    assert.equal(
      files.filter(name => !name.startsWith('line')),
      [],
    );
  });
});

test('descriptors of Linux that have no file type', async () => {
  // Node's own event queue has one of the first numbers.
  const kinds = ['3', '4', '5', '6', '7', '8', '9'].map(fd => `/dev/fd/${fd}`);
  const script = `
    const { readlinkSync } = require('node:fs');
    console.log(${JSON.stringify(kinds)}.find(fd => readlinkSync(fd.replace('/dev', '/proc/self')).includes('eventpoll')));`;
  const fd = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim();
  const { status, stderr } = await run(['verify', fd]);
  assert.is(status, 2);
  assert.match(stderr, `waybill: ${fd}: no file, directory, pipe, socket or device`);
});

test.run();
