// Input that fails during reading: the result is a finding that names what is lost, or an error with the reason.
import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { each } from '../support/cli.js';
import { testWhen } from '../support/corpus.js';
import { gzippedArchive, largeArchive, smallArchive, zippedArchive } from './archives.js';
import { type Circumstances, canRun, type Ended, FAILS, run } from './harness.js';
import type { Effect, Fault } from './preload.js';

const SMALL = await smallArchive();
const LARGE = await largeArchive();
const PACKED = await gzippedArchive();
const ZIP = await zippedArchive();
const small = readFileSync(SMALL);
const large = readFileSync(LARGE);

const LAYOUT = {
  before(work: string) {
    mkdirSync(join(work, 'layout'));
    execFileSync('tar', ['-xf', SMALL, '-C', join(work, 'layout')]);
  },
};

type Row = readonly [what: string, args: readonly string[], Fault | null, words: RegExp, Circumstances?];

const EIO = { does: FAILS('EIO') };
const ERROR = (reason: string) => new RegExp(`^waybill: .*: cannot be read: ${reason}\\n`);

/** The archive cannot be read at all: exit code 2 with the reason. */
const ERRORS: readonly Row[] = [
  ['status', ['verify', SMALL], { call: 'fs.statSync', path: 'small', ...EIO }, ERROR('i/o error')],
  ['first bytes', ['verify', SMALL], { call: 'fs.readSync', path: 'small', ...EIO }, ERROR('i/o error')],
  [
    'index',
    ['verify', SMALL],
    { call: 'fs.readSync', path: 'small', nth: 3, onwards: true, ...EIO },
    ERROR('i/o error'),
  ],
  ['gzip', ['verify', PACKED], { call: 'fs.read', path: 'hello', ...EIO }, ERROR('i/o error')],
  ['zip’s end', ['verify', ZIP], { call: 'fs.readSync', path: 'hello', nth: 2, ...EIO }, ERROR('i/o error')],
  [
    'zip’s headers',
    ['verify', ZIP],
    { call: 'fs.readSync', path: 'hello', nth: 3, onwards: true, ...EIO },
    ERROR('i/o error'),
  ],
  ['pipe’s start', ['show', '-'], { call: 'pipe.read', ...EIO }, ERROR('i/o error'), { stdin: small }],
  [
    'pipe’s middle',
    ['verify', '-'],
    { call: 'pipe.read', nth: 20, ...EIO },
    ERROR('i/o error'),
    { stdin: large },
  ],
  [
    'pipe’s middle, spooled',
    ['extract', '-', 'out'],
    { call: 'pipe.read', nth: 20, ...EIO },
    /^waybill: standard input: cannot be read: i\/o error\n/,
    { stdin: large },
  ],
  [
    'second reading',
    ['extract', SMALL, 'out'],
    { call: 'fs.promises.open', path: 'small', ...EIO },
    ERROR('i/o error'),
  ],
  [
    'layers',
    ['extract', SMALL, '--layers', 'out'],
    { call: 'fs.read', path: 'small', ...EIO },
    ERROR('i/o error'),
  ],
  [
    'no rights',
    ['show', SMALL],
    { call: 'fs.openSync', path: 'small', does: FAILS('EACCES') },
    /permission denied\nRun as a user who can read it/,
  ],
  [
    'no descriptors',
    ['show', SMALL],
    { call: 'fs.openSync', path: 'small', does: FAILS('EMFILE') },
    /too many open files\n.*ulimit -n/,
  ],
  [
    'removed before it is indexed',
    ['show', SMALL],
    { call: 'fs.openSync', path: 'small', nth: 2, does: FAILS('ENOENT') },
    /no such file or directory\nIt was removed or replaced/,
  ],
  [
    'removed after it is indexed',
    ['files', SMALL],
    { call: 'fs.openSync', path: 'small', nth: 3, onwards: true, does: FAILS('ENOENT') },
    /no image in it\n.*: cannot be read: no such file or directory\n/,
  ],
  [
    'a folder',
    ['verify', 'layout'],
    { call: 'fs.promises.readdir', path: 'layout', ...EIO },
    /^waybill: layout: cannot be read: i\/o error\n/,
    LAYOUT,
  ],
  [
    'a folder, later',
    ['verify', 'layout'],
    { call: 'fs.promises.readdir', path: 'layout', nth: 2, onwards: true, ...EIO },
    /^waybill: layout: cannot be read: i\/o error\n/,
    LAYOUT,
  ],
];

const struck = async ([, args, fault, , circumstances]: Row) =>
  run(args, { ...circumstances, faults: fault === null ? [] : [fault] });

test('an input that cannot be read at all is an error', async () => {
  const ended = await each(ERRORS, struck);
  for (const [i, [what, , , words, circumstances]] of ERRORS.entries()) {
    const { stdout, stderr, status, struck, files } = ended[i]!;
    assert.equal([status, stdout, struck > 0], [2, '', true], `${what}: ${stderr}`);
    assert.match(stderr, words, what);
    if (circumstances?.before === undefined) assert.equal(files, [], what);
  }
});

const BLOB = 'blobs/sha256/';
const LOST = (reason: string) => new RegExp(`^error unreadable {2}.*\\n {2}cannot be read: ${reason}`, 'm');

/** The rest is reported: exit code 1. */
const FINDINGS: readonly Row[] = [
  ['a blob', ['verify', SMALL], { call: 'fs.readSync', path: 'small', nth: 8, ...EIO }, LOST('i/o error')],
  [
    'a blob’s middle, in a worker',
    ['verify', LARGE],
    { call: 'fs.readSync', path: 'large', thread: 'worker', nth: 5, ...EIO },
    LOST('i/o error'),
  ],
  [
    'a blob in a zip',
    ['verify', ZIP],
    { call: 'fs.readSync', path: 'hello', nth: 5, ...EIO },
    LOST('i/o error'),
  ],
  [
    'a file of a layout',
    ['verify', 'layout'],
    { call: 'fs.openSync', path: BLOB, nth: 2, does: FAILS('EACCES') },
    LOST('permission denied'),
    LAYOUT,
  ],
  [
    'a file that vanishes',
    ['verify', 'layout'],
    { call: 'fs.openSync', path: BLOB, nth: 2, does: FAILS('ENOENT') },
    LOST('no such file'),
    LAYOUT,
  ],
  [
    'too many files',
    ['verify', 'layout'],
    { call: 'fs.openSync', path: BLOB, nth: 4, onwards: true, does: FAILS('EMFILE') },
    LOST('too many open files'),
    LAYOUT,
  ],
  [
    'the status of a file',
    ['verify', 'layout'],
    { call: 'fs.promises.stat', path: BLOB, nth: 2, ...EIO },
    LOST('i/o error'),
    LAYOUT,
  ],
];

test('a part that cannot be read is a finding', async () => {
  const ended = await each(FINDINGS, struck);
  for (const [i, [what, , , words]] of FINDINGS.entries()) {
    const { stdout, stderr, status, struck } = ended[i]!;
    assert.equal([status, stderr, struck > 0], [1, '', true], `${what}: ${stdout}`);
    assert.match(stdout, words, what);
    // The number of bytes that could be read is not reported as a wrong size or digest.
    assert.not.match(stdout, /size-mismatch|digest-mismatch/, what);
    assert.match(stdout, /^verdict {2}intact no/m, what);
  }
});

test('unreadable entries of a folder are left out, and that is noted', async () => {
  const fault = { call: 'fs.promises.readdir', path: 'sha256', ...EIO };
  const { status, stdout } = await run(['verify', 'layout'], { ...LAYOUT, faults: [fault] });
  assert.is(status, 1);
  assert.match(stdout, /^error unreadable {2}blobs\/sha256\n {2}cannot be read: i\/o error/m);
});

// A file that becomes shorter while it is read

const cut = async (nth: number, size: number, thread?: Fault['thread']): Promise<Ended> => {
  const file = await largeArchive();
  const does: Effect = { kind: 'truncate', file, size };
  const fault = { call: 'fs.readSync', path: 'large', nth, does, ...(thread && { thread }) };
  return run(['verify', file], { faults: [fault] });
};

test('a file that is truncated while it is indexed, and while it is hashed', async () => {
  const [indexed, hashed, gone] = await Promise.all([cut(2, 30e6), cut(3, 30e6, 'worker'), cut(2, 0)]);
  assert.is(indexed.status, 1, indexed.stderr);
  assert.match(indexed.stdout, /^error /m);
  assert.is(hashed.status, 1, hashed.stderr);
  assert.match(hashed.stdout, /^verdict {2}intact no/m);
  assert.is(gone.status, 2, gone.stdout);
  assert.match(gone.stderr, /^waybill: .*large\.tar: /);
});

// Standard input

const STDIN: readonly (readonly [what: string, shell: string, words: RegExp])[] = [
  ['closed', 'exec "$@" <&-', /standard input: nothing came in/],
  ['empty', 'exec "$@" </dev/null', /standard input: nothing came in/],
  ['a directory', 'exec "$@" <.', /standard input: cannot be read: illegal operation on a directory/],
  ['only for writing', 'exec "$@" 0>file', /standard input: cannot be read: bad file descriptor/],
];

test('a closed standard input', async () => {
  const commands = [
    ['verify', '-'],
    ['extract', '-', 'out'],
    ['cat', '-', 'a'],
    ['images', '-'],
  ];
  const ended = await each(STDIN, ([, shell], i) => run(commands[i]!, { shell }));
  for (const [i, [what, , words]] of STDIN.entries()) {
    assert.equal([ended[i]!.status, ended[i]!.stdout], [2, ''], `${what}: ${ended[i]!.stderr}`);
    assert.match(ended[i]!.stderr, words, what);
  }
});

test('a pipe that stalls and then ends is reported as cut short', async () => {
  const ends = (at: number) =>
    run(['verify', '-'], {
      stdin(pipe, child) {
        pipe.write(small.subarray(0, at));
        // The answer does not depend on the data: it waits for more.
        setTimeout(() => {
          assert.is(child.exitCode, null);
          pipe.end();
        }, 300);
      },
    });
  const [content, header] = await Promise.all([ends(50_000), ends(700)]);
  assert.equal([content.status, header.status], [1, 2]);
  assert.match(content.stdout, /^error tar-truncated/m);
  assert.match(header.stderr, /^waybill: standard input: /);
});

test('a stream that is not an archive is refused at once, while the pipe is still open', async () => {
  const text = Buffer.alloc(600, 'x');
  const zip = Buffer.from('PK\x03\x04'.padEnd(600));
  const rows = [
    { args: ['verify', '-'], head: text },
    { args: ['verify', '-'], head: zip },
    { args: ['extract', '-', 'out'], head: text },
    { args: ['cat', '-', 'a'], head: text },
  ];
  // By a shell's pipe, because node does not create pipes.
  const shell = 'cat | { "$@"; echo "code $?" >&2; }';
  const watch = (output: string, child: ChildProcess) => void (/code \d/.test(output) && child.stdin!.end());
  const ended = await each(rows, ({ args, head }) =>
    run(args, { stdin: pipe => void pipe.write(head), shell, watch }),
  );
  for (const { stderr } of ended) assert.match(stderr, /^waybill: standard input: [\s\S]*code 2\n$/);
});

test('standard input that is given twice is empty the second time', async () => {
  const { status, stderr } = await run(['images', '-', '-'], { stdin: small });
  assert.is(status, 2);
  assert.match(stderr, /^waybill: standard input: nothing came in/m);
});

test('a connection that is reset', async () => {
  // A shell cannot pass on a socket, but another node can.
  const starter = `
    const { connect, createServer } = require('node:net');
    const { spawn } = require('node:child_process');
    const server = createServer(client => {
      const child = spawn(process.argv[1], process.argv.slice(2), { stdio: [client, 'inherit', 'inherit'] });
      client.destroy();
      server.close();
      child.on('exit', code => { process.exitCode = code; });
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      const peer = connect(port, '127.0.0.1', () => {
        peer.write('ustar');
        setTimeout(() => peer.resetAndDestroy(), 2500);
      });
    });`;
  const shell = `NODE_OPTIONS= exec "$0" -e "$STARTER" "$@"`.replace('"$0"', `'${process.execPath}'`);
  const { status, stderr } = await run(['verify', '-'], { shell, env: { STARTER: starter } });
  assert.is(status, 2, stderr);
  assert.match(stderr, ERROR('connection reset by peer'));
});

test('an archive that arrives byte by byte gives the same result', async () => {
  const slow = await run(['verify', '-'], {
    async stdin(pipe) {
      const head = small.subarray(0, 1500);
      for (const byte of head) await new Promise(next => pipe.write(Buffer.from([byte]), next));
      pipe.end(small.subarray(head.length));
    },
  });
  const fast = await run(['verify', '-'], { stdin: small });
  assert.equal([slow.status, slow.stdout], [0, fast.stdout]);
});

test('names of files that cannot be archives', async () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['/dev/null', /nothing came in/],
    ['loop', /too many symbolic links/],
    ['x'.repeat(300), /name too long/],
    [`${SMALL}/below`, /not a directory/],
  ];
  const before = (work: string) => symlinkSync('loop', join(work, 'loop'));
  const ended = await each(rows, ([name]) => run(['verify', name], { before }));
  for (const [i, [name, words]] of rows.entries()) {
    assert.is(ended[i]!.status, 2, name);
    assert.match(ended[i]!.stderr, words);
  }
});

test('a file name that is not UTF-8', async () => {
  const shell = `cp '${SMALL}' "$(printf 'a\\377.tar')"; exec "$@" "$(printf 'a\\377.tar')"`;
  const { status, stderr } = await run(['verify'], { shell });
  assert.is(status, 2);
  assert.match(stderr, /no such file or directory\nIf its name is not UTF-8, rename it, or pipe it/);
});

const isRoot = process.getuid?.() === 0;
/** Root can read everything, except without capabilities. */
const POWERLESS = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] as const;

testWhen(
  test,
  !isRoot || canRun(...POWERLESS, 'true'),
  'root cannot be kept from reading',
)('a file that one may not read', async () => {
  const shell = `cp '${SMALL}' image.tar; chmod 0 image.tar; exec ${isRoot ? POWERLESS.join(' ') : ''} "$@"`;
  const { status, stderr } = await run(['verify', 'image.tar'], { shell });
  assert.is(status, 2, stderr);
  assert.match(stderr, /^waybill: image\.tar: cannot be read: permission denied\n/);
});

testWhen(
  test,
  process.platform === 'linux' && (!isRoot || canRun(...POWERLESS, 'true')),
  'root cannot be kept from reading',
)('a file below a folder that one may not read is an error, also if its name is not UTF-8', async () => {
  const prepare = `mkdir d; f=$(printf 'd/bad\\377.tar'); cp '${SMALL}' "$f"; cp '${SMALL}' d/good.tar; chmod 0 "$f"`;
  const shell = `${prepare}; exec ${isRoot ? POWERLESS.join(' ') : ''} "$@"`;
  for (const cache of [[], ['--cache', 'cache']]) {
    const { status, stdout } = await run(['scan', 'd', ...cache], { shell });
    assert.is(status, 2, stdout);
    assert.match(stdout, /permission denied/);
  }
});

test.run();
