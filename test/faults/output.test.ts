// Output that fails: full disks, and readers that close the pipe or do not read. Outputs are complete or absent.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { each, waybill } from '../support/cli.js';
import { testWhen } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';
import { largeArchive, manyArchive, smallArchive } from './archives.js';
import { type Circumstances, canRun, FAILS, run } from './harness.js';

const SMALL = await smallArchive();
const LARGE = await largeArchive();
const MANY = await manyArchive();
const LISTS = temporary('faults');
await waybill(['manifest', 'create', 'a:1', SMALL], { env: { WAYBILL_HOME: LISTS } });

const PIPE = { stdin: readFileSync(SMALL) };
const IN_PLACE = { before: (work: string) => void mkdirSync(join(work, 'out')) };
const LISTED = { env: { WAYBILL_HOME: LISTS } };

// A full disk, at each call that writes

type Row = readonly [args: readonly string[], calls: readonly string[], Circumstances?];

const FULL: readonly Row[] = [
  [
    ['extract', SMALL, 'out'],
    ['mkdirSync', 'writeSync 1', 'writeSync 2', 'symlinkSync', 'renameSync'],
  ],
  [['extract', SMALL, 'out'], ['mkdirSync', 'writeSync 2', 'renameSync 2'], IN_PLACE],
  [
    ['extract', '-', 'out'],
    ['mkdirSync 2', 'writeSync', 'fsyncSync', 'closeSync 1 .archive', 'writeSync 3'],
    PIPE,
  ],
  [
    ['extract', SMALL, '--layers', 'out'],
    ['mkdirSync', 'writeSync 1', 'writeSync 2', 'fsyncSync 2', 'renameSync 1', 'renameSync 3'],
  ],
  [['extract', '-', '--layers', 'out'], ['writeSync', 'fsyncSync', 'rmSync 3'], PIPE],
  [['cat', '-', 'etc/motd'], ['mkdirSync', 'writeSync', 'fsyncSync'], PIPE],
  [
    ['verify', SMALL, '-o', 'out.html'],
    ['writeSync', 'fsyncSync', 'renameSync'],
  ],
  [
    ['manifest', 'create', 'b:1', SMALL],
    ['mkdirSync', 'writeSync', 'fsyncSync', 'renameSync'],
  ],
  [['manifest', 'push', 'a:1', '-o', 'out'], ['mkdirSync', 'writeSync 3', 'fsyncSync', 'renameSync'], LISTED],
  [
    ['manifest', 'push', 'a:1', '-o', 'out.tar'],
    ['ftruncateSync', 'writeSync 1', 'writeSync 10', 'fsyncSync', 'renameSync'],
    LISTED,
  ],
];

const WHERE = String.raw`(out[a-z.]*|.*\(TMPDIR\)|.*manifests.*)`;
const NO_ROOM = new RegExp(
  `^waybill: ${WHERE}: cannot be written: no space left on device\nFree some space, or write to another disk\\.\n$`,
);

test('a full disk, at any call that writes, leaves no files and is reported', async () => {
  const rows = FULL.flatMap(([args, calls, circumstances]) =>
    calls.map(call => ({ args, call, circumstances })),
  );
  const ended = await each(rows, ({ args, call, circumstances }) => {
    // Newer Node reads its own modules with the same calls.
    const [name, nth = '1', path] = call.split(' ');
    const fault = { call: `fs.${name}`, nth: Number(nth), does: FAILS('ENOSPC'), ...(path && { path }) };
    return run(args, { ...circumstances, faults: [fault] });
  });
  for (const [i, { args, call, circumstances }] of rows.entries()) {
    const { status, stdout, stderr, files, struck } = ended[i]!;
    const what = `${args.join(' ')}: ${call}: ${stderr}`;
    assert.equal([status, stdout, struck > 0], [2, '', true], what);
    assert.equal(files, circumstances === IN_PLACE ? ['out/'] : [], what);
    assert.match(stderr, NO_ROOM, what);
  }
});

testWhen(
  test,
  canRun('unshare', '-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt'),
  'nothing can be mounted here',
)('a disk that is full indeed', async () => {
  const disk = 'mkdir disk; mount -t tmpfs -o size=48k none disk';
  const left = 'code=$?; ls -A disk >&2; exit $code';
  const mounted = (line: string) => `exec unshare -rm sh -c '${disk}; ${line}; ${left}' sh "$@"`;
  const rows: readonly (readonly [args: readonly string[], line: string, Circumstances?])[] = [
    [['extract', SMALL, 'disk/out'], '"$@"'],
    [['extract', SMALL, '--layers', 'disk/out'], '"$@"'],
    [['extract', '-', 'disk/out'], '"$@"', PIPE],
    [['cat', '-', 'srv/data'], 'TMPDIR=disk "$@"', PIPE],
    [['files', MANY, '-o', 'disk/out.json'], '"$@"'],
    [['manifest', 'push', 'a:1', '-o', 'disk/out.tar'], '"$@"', LISTED],
    [['manifest', 'push', 'a:1', '-o', 'disk/out'], '"$@"', LISTED],
    [['inspect', MANY], '"$@" > disk/out; code=$?; : > disk/out; rm disk/out; (exit $code)'],
  ];
  const ended = await each(rows, ([args, line, circumstances]) =>
    run(args, { ...circumstances, shell: mounted(line) }),
  );
  for (const [i, [args]] of rows.entries()) {
    const { status, stdout, stderr } = ended[i]!;
    assert.equal([status, stdout], [2, ''], `${args.join(' ')}: ${stderr}`);
    assert.match(
      stderr,
      /^waybill: [^\n]*: cannot be written: no space left on device\nFree some space[^\n]*\n$/,
      args.join(' '),
    );
  }
});

test('files that cannot be removed are reported, and tried again at the end', async () => {
  const full = { call: 'fs.writeSync', does: FAILS('ENOSPC') };
  const [once, always] = await Promise.all(
    [false, true].map(onwards => {
      const stuck = { call: 'fs.rmSync', path: 'unfinished', onwards, does: FAILS('EIO') };
      return run(['extract', SMALL, 'out'], { faults: [full, stuck, { ...stuck, call: 'fs.lstatSync' }] });
    }),
  );
  assert.equal([once!.status, once!.files], [2, []]);
  assert.is(always!.status, 2);
  assert.match(
    always!.stderr,
    /no space left on device\n(.*\n)?waybill: .*\.unfinished: cannot be removed\n$/,
  );
});

test('after a bug no files are left, and the exit code is not that of a result', async () => {
  const crash = { call: 'fs.writeSync', does: { kind: 'crash' } } as const;
  const [crashed, stopped] = await Promise.all([
    run(['extract', '-', 'out'], { ...PIPE, faults: [crash], isBug: true }),
    run(['verify', 'layout'], {
      before: work => mkdirSync(join(work, 'layout')),
      faults: [{ call: 'fs.promises.readdir', does: { kind: 'never' } }],
      isBug: true,
    }),
  ]);
  assert.equal([crashed.status, crashed.stdout, crashed.files], [3, '', []]);
  assert.is(crashed.stderr.split('has a bug').length, 2, 'said once');
  assert.match(
    crashed.stderr,
    /^waybill [^ ]* has a bug; please report this:\nError: thrown by a test\n {4}at /,
  );
  assert.equal([stopped.status, stopped.stdout], [3, '']);
  assert.match(
    stopped.stderr,
    /has a bug; please report this:\nError: it stopped before it had come to an end/,
  );
});

// Standard output

/** Each kind of long output. */
const PRINTS: readonly (readonly string[])[] = [
  ['files', MANY],
  ['files', MANY, '--json'],
  ['sizes', MANY, '--by', 'file'],
  ['report', MANY, '--json'],
  ['inspect', MANY],
  ['config', MANY, '--raw'],
  ['diff', MANY, SMALL, '--json'],
  ['cat', LARGE, 'a'],
];

test('a reader that closes the pipe early is not an error, and does not change the exit code', async () => {
  const shell = '{ "$@"; echo "code $?" >&2; } | head -c 100';
  const ended = await each(PRINTS, args => run(args, { shell }));
  for (const [i, args] of PRINTS.entries()) {
    assert.is(ended[i]!.stdout.length, 100, args.join(' '));
    assert.is(ended[i]!.stderr, args[0] === 'diff' ? 'code 1\n' : 'code 0\n', args.join(' '));
  }
});

test('a reader that reads nothing is not an error either', async () => {
  const shell = '{ "$@"; echo "code $?" >&2; } | true';
  const faults = [{ call: 'stdout.write', onwards: true, does: { kind: 'nothing' } }] as const;
  const { stderr, struck } = await run(['cat', LARGE, 'a'], { shell, faults });
  assert.is(stderr, 'code 0\n');
  assert.ok(struck > 0 && struck < 5, `it went on and wrote ${struck} times`);
});

testWhen(
  test,
  canRun('test', '-c', '/dev/full'),
  'there is no /dev/full',
)('a full disk under standard output', async () => {
  const helps = [['--help'], ['--version'], ['manifest', 'create', '--help']];
  const rows = [...PRINTS, ['extract', SMALL, 'out'], ['manifest', 'inspect', SMALL], ...helps];
  const ended = await each(rows, args => run(args, { shell: 'exec "$@" >/dev/full' }));
  for (const [i, args] of rows.entries()) {
    const { status, stderr } = ended[i]!;
    const said = 'waybill: standard output: cannot be written: no space left on device\n';
    assert.equal([status, stderr.startsWith(said)], [2, true], `${args.join(' ')}: ${stderr}`);
    assert.is(stderr.split('no space').length, 2, 'said once');
  }
});

const DEAF: readonly string[] = [
  'exec "$@" 2>/dev/full',
  'exec "$@" 2>&-',
  // The reader has ended before anything is written.
  'exec 3>&1; { sleep 0.1; "$@" 3>&-; echo "code $?" >&3; } 2>&1 >/dev/null | true',
];

test('errors that cannot be printed still set the exit code', async () => {
  for (const shell of DEAF) {
    const [error, finding] = await Promise.all([
      run(['verify', 'nowhere'], { shell }),
      run(['manifest', 'rm', 'nothing'], { shell }),
    ]);
    if (shell.startsWith('exec "$@"')) assert.equal([error.status, finding.status], [2, 1], shell);
    else assert.equal([error.stdout, finding.stdout], ['code 2\n', 'code 1\n'], shell);
  }
});

test.run();
