// Machines with few resources: memory, cores, descriptors, writable directories, and a narrow terminal.
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MIN_MEMORY } from '../../src/scan/resources.js';
import { each } from '../support/cli.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { largeArchive, manyArchive, packedArchive, smallArchive } from './archives.js';
import { canRun, run } from './harness.js';

const SMALL = await smallArchive();
const LARGE = await largeArchive();
const PACKED = await packedArchive();
const MANY = await manyArchive();
const sample = join(repositoryRoot, 'samples/hello-docker-28.tar');

/** Each way of reading: main thread and workers, plain and compressed, seekable and pipe. */
const READS: readonly (readonly [args: readonly string[], from?: string])[] = [
  [['verify', LARGE]],
  [['verify', PACKED]],
  [['verify', '-'], PACKED],
  [['files', MANY, '--json']],
];

const fed = (line: string, from: string | undefined) => (from === undefined ? line : `${line} <'${from}'`);
const free = each(READS, ([args, from]) => run(args, { shell: fed('exec "$@"', from) }));

/** Asserts that the output under a restriction is the same as without. */
async function sameUnder(shell: string, node: readonly string[] = []): Promise<void> {
  const limited = await each(READS, ([args, from]) => run(args, { shell: fed(shell, from), node }));
  for (const [i, [args]] of READS.entries()) {
    const { status, stdout, stderr } = limited[i]!;
    assert.equal([status, stderr], [0, ''], args.join(' '));
    assert.is(stdout, (await free)[i]!.stdout, args.join(' '));
  }
}

const THREAD = "new (require('node:worker_threads').Worker)('', { eval: true })";

testWhen(
  test,
  canRun('sh', '-c', 'ulimit -d 262144; exec "$0" -e "$1"', process.execPath, THREAD),
  'memory cannot be limited here, or not for this Node',
)(
  '256 MB of memory, as the system gives it',
  // Not the address space, of which V8 reserves far more than it uses.
  () => sameUnder('ulimit -d 262144; exec "$@"'),
);

const SCOPE = ['--scope', '--quiet', '--no-ask-password', '-p', 'MemoryMax=256M', '-p', 'MemorySwapMax=0'];
const scope = [SCOPE, ['--user', ...SCOPE]].find(options => canRun('systemd-run', ...options, 'true'));

testWhen(
  test,
  scope !== undefined,
  'no control group can be made here',
)('256 MB of memory, as a container has it', () => sameUnder(`exec systemd-run ${scope?.join(' ')} "$@"`));

test('a heap of 64 MB', () => sameUnder('exec "$@"', ['--max-old-space-size=64']));

testWhen(
  test,
  canRun('taskset', '-c', '0', 'true'),
  'there is no taskset',
)('one core', () => sameUnder('exec taskset -c 0 "$@"'));

test('one thread, and the smallest memory budget', async () => {
  await sameUnder('exec "$@" --jobs 1');
  await sameUnder(`exec "$@" --memory ${MIN_MEMORY}`);
});

test('no thread, and a budget that is too small', async () => {
  const rows = [
    ['--jobs', '0'],
    ['--jobs', 'many'],
    ['--memory', '1k'],
    ['--memory', '0'],
  ];
  const ended = await each(rows, options => run(['verify', SMALL, ...options]));
  for (const [i, [option, value]] of rows.entries()) {
    const { status, stdout, stderr } = ended[i]!;
    assert.equal([status, stdout], [2, ''], `${option} ${value}`);
    assert.match(stderr, new RegExp(`^waybill: ${option}: expected .*found "${value}"\nusage: `));
  }
});

test('48 open files', () => sameUnder('ulimit -n 48; exec "$@"'));

test('24 open files: files that cannot be opened are reported', async () => {
  const ended = await each(READS, ([args, from]) =>
    run(args, { shell: fed('ulimit -n 24; exec "$@"', from) }),
  );
  for (const [i, [args]] of READS.entries()) {
    const { status, stdout, stderr } = ended[i]!;
    if (status !== 0) assert.match(stdout + stderr, /too many open files|EMFILE/, args.join(' '));
    else assert.is(stdout, (await free)[i]!.stdout, args.join(' '));
  }
});

test('a thousand archives in one call', async () => {
  const before = (work: string) => {
    mkdirSync(join(work, 'all'));
    for (let i = 0; i < 1000; i++) copyFileSync(sample, join(work, 'all', `${i}.tar`));
  };
  const shell = 'ulimit -n 64; exec "$@" all/*.tar';
  const args = ['images', '--no-trunc', '--digests', '--format', '{{.ID}}'];
  const { status, stdout, stderr } = await run(args, { before, shell });
  assert.equal([status, stderr], [0, '']);
  assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
});

test('a temporary directory that does not exist, and one that is not writable', async () => {
  const stdin = readFileSync(SMALL);
  const nowhere = await run(['cat', '-', 'etc/motd'], { stdin, env: { TMPDIR: '/nowhere/at/all' } });
  assert.equal([nowhere.status, nowhere.stdout], [2, '']);
  assert.match(
    nowhere.stderr,
    /^waybill: \/nowhere\/at\/all \(TMPDIR\): cannot be written: no such file or directory\n.*set TMPDIR to it\.\n$/,
  );
  // Commands that need none still work.
  for (const args of [
    ['verify', '-'],
    ['extract', '-', 'out'],
  ]) {
    const { status, stderr } = await run(args, { stdin, env: { TMPDIR: '/nowhere/at/all' } });
    assert.equal([status, stderr], [0, ''], args.join(' '));
  }
});

testWhen(
  test,
  canRun('unshare', '-rm', 'mount', '-t', 'tmpfs', '-o', 'ro', 'none', '/mnt'),
  'nothing can be mounted here',
)('a disk that may only be read', async () => {
  const shell = `exec unshare -rm sh -c 'mkdir disk; mount -t tmpfs -o ro none disk; TMPDIR=disk exec "$@"' sh "$@"`;
  const rows = [
    ['extract', SMALL, 'disk/out'],
    ['extract', SMALL, 'disk'],
    ['verify', SMALL, '-o', 'disk/out.json'],
    ['cat', '-', 'etc/motd'],
    ['manifest', 'create', 'a:1', SMALL],
  ];
  const ended = await each(rows, args => {
    const lists = args[0] === 'manifest' ? { WAYBILL_HOME: 'disk/lists' } : {};
    return run(args, { shell, stdin: readFileSync(SMALL), env: lists });
  });
  for (const [i, args] of rows.entries()) {
    assert.equal([ended[i]!.status, ended[i]!.stdout], [2, ''], args.join(' '));
    assert.match(
      ended[i]!.stderr,
      /cannot be written: read-only file system\nChoose a directory/,
      args.join(' '),
    );
  }
});

test('a current directory that was removed', async () => {
  const shell = 'mkdir here; cd here; rmdir ../here; exec "$@"';
  const absolute = await run(['verify', SMALL], { shell });
  assert.equal([absolute.status, absolute.stderr], [0, '']);
  for (const args of [
    ['verify', 'small.tar'],
    ['extract', SMALL, 'out'],
    ['verify', SMALL, '-o', 'a.md'],
  ]) {
    const { status, stdout, stderr } = await run(args, { shell });
    assert.equal([status, stdout], [2, ''], args.join(' '));
    assert.match(stderr, /current directory is not there any more|no such file or directory/, args.join(' '));
  }
});

test('no home directory', async () => {
  const env = { HOME: undefined, WAYBILL_HOME: undefined, XDG_STATE_HOME: undefined };
  // Only commands that store lists need it, and the others work without.
  const { status, stderr } = await run(['verify', SMALL], { env });
  assert.equal([status, stderr], [0, '']);
  const list = await run(['manifest', 'inspect', 'no-such-list'], { env });
  assert.equal([list.status, list.stdout], [2, '']);
  const empty = await run(['manifest', 'create', 'a:1', SMALL], { env: { ...env, HOME: '' } });
  assert.equal([empty.status, empty.stdout, empty.files], [2, '', []]);
  assert.is(
    empty.stderr,
    'waybill: HOME: expected the home directory of the user, found none\n' +
      'Set HOME, or set WAYBILL_HOME to the directory that is to hold manifest lists.\n',
  );
  const proc = await run(['manifest', 'create', 'a:1', SMALL], { env: { ...env, HOME: '/proc/no/such' } });
  assert.is(proc.status, 2);
  const nowhere = await run(['manifest', 'create', 'a:1', SMALL], { env: { ...env, HOME: '/dev/null' } });
  assert.is(nowhere.status, 2);
  assert.match(nowhere.stderr, /^waybill: \/dev\/null\/.*: cannot be written: not a directory\n/);
});

test('locale and terminal width do not change output to a pipe', async () => {
  const plain = { LANG: 'C', LC_ALL: 'C', COLUMNS: '20', LINES: '2', TERM: 'dumb' };
  const [narrow, wide] = await Promise.all([plain, {}].map(env => run(['files', MANY, '--tree'], { env })));
  assert.is(narrow!.stdout, wide!.stdout);
});

test.run();
