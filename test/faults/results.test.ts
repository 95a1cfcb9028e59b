// Results files of many archives with a fault at each call that writes them: what was written is kept, and the same
// command line, given again, completes the file.
import { copyFileSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { each } from '../support/cli.js';
import { smallArchive } from './archives.js';
import { FAILS, run, SIGNALS } from './harness.js';
import type { Effect } from './preload.js';

const SMALL = await smallArchive();
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'].map(name => `${name}.tar`);

function before(work: string): void {
  mkdirSync(join(work, 'fleet'));
  for (const name of NAMES) {
    const file = join(work, 'fleet', name);
    copyFileSync(SMALL, file);
    utimesSync(file, 1, 1);
  }
}

/** Prints what the first attempt leaves, and the digest of the file that the second one completes. */
const SHELL = [
  '"$@"; code=$?; echo "left:" $(ls -A | grep -v fleet)',
  'WAYBILL_TEST_FAULTS="[]" "$@" 2>second; echo "second: $?"; ls -A | grep -v fleet',
  `sed -E 's/"durationMs":[0-9]+//' out.ndjson | sha256sum`,
  'exit $code',
].join('\n');

const ARGS = ['scan', 'fleet', '--resume', 'out.ndjson', '--quiet', '--jobs', '1'];
const attempt = (fault: {
  readonly call: string;
  readonly nth?: number;
  readonly path?: string;
  readonly does: Effect;
}) => run(ARGS, { before, shell: SHELL, faults: [fault] });

const { stdout: UNHARMED } = await run(ARGS, { before, shell: SHELL });

/** The digest of the completed file, and that nothing is beside it. */
const endOf = (stdout: string) => stdout.slice(stdout.indexOf('second:'));

test('without a fault the second attempt has nothing to do', () => {
  assert.match(UNHARMED, /^left: out\.ndjson\nsecond: 0\nout\.ndjson\nsecond\n[0-9a-f]{64} {2}-\n$/);
});

const PARTIAL = 'out.ndjson.partial';

/** Calls, and what an attempt leaves at which they fail. */
const ROWS: readonly (readonly [call: string, nth: number, path: string | undefined, left: string])[] = [
  ['openSync', 1, '.lock', ''],
  ['writeSync', 1, '.lock', ''],
  ['fsyncSync', 1, '.lock', ''],
  ['linkSync', 1, undefined, ''],
  ['openSync', 1, 'out.ndjson.partial', ''],
  ['fsyncSync', 1, 'partial', ''],
  ['renameSync', 1, 'partial', ''],
  ...[1, 2, 6].map(nth => ['writeSync', nth, 'ndjson.partial', PARTIAL] as const),
  ['fsyncSync', 2, 'ndjson.partial', PARTIAL],
  // After those of the lock and of the partial file.
  ['openSync', 3, '/.out.ndjson.', PARTIAL],
  ['renameSync', 2, 'out.ndjson', PARTIAL],
  ['rmSync', 1, 'out.ndjson.partial', `out.ndjson ${PARTIAL}`],
];

test('a disk that is full at any call that writes keeps the records so far, and the next attempt completes the file', async () => {
  const ended = await each(ROWS, ([call, nth, path]) =>
    attempt({ call: `fs.${call}`, nth, ...(path !== undefined && { path }), does: FAILS('ENOSPC') }),
  );
  for (const [i, [call, nth, path, left]] of ROWS.entries()) {
    const { status, stdout, stderr, struck } = ended[i]!;
    const what = `${call} ${nth} ${path}: ${stdout}${stderr}`;
    assert.equal([status, struck], [2, 1], what);
    assert.is(stdout.split('\n')[0], `left:${left && ` ${left}`}`, what);
    assert.match(stderr, /^waybill: out\.ndjson[^\n]*: cannot be written: /m, what);
    assert.is(endOf(stdout), endOf(UNHARMED), what);
  }
});

test('a flush that fails is reported with the next record', async () => {
  const { status, stdout, stderr } = await attempt({ call: 'fs.fdatasync', does: FAILS('EIO') });
  assert.is(status, 2, stderr);
  assert.match(stderr, /out\.ndjson: cannot be written: i\/o error\nThen continue with --resume out\.ndjson/);
  assert.is(endOf(stdout), endOf(UNHARMED));
});

test('a file system without hard links has a lock too', async () => {
  for (const code of ['EPERM', 'ENOTSUP']) {
    const { status, stdout, stderr, struck } = await attempt({ call: 'fs.linkSync', does: FAILS(code) });
    assert.equal([status, struck], [0, 1], stderr);
    assert.is(stdout, UNHARMED);
  }
});

test('a signal at any record leaves the records so far, and no lock', async () => {
  const rows = [1, 3, 6].flatMap(nth =>
    (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(signal => ({ nth, signal })),
  );
  const ended = await each(rows, ({ nth, signal }) =>
    attempt({ call: 'fs.writeSync', nth, path: 'ndjson.partial', does: SIGNALS(signal) }),
  );
  for (const [i, { nth, signal }] of rows.entries()) {
    const { status, stdout, stderr } = ended[i]!;
    const what = `${signal} at ${nth}: ${stdout}${stderr}`;
    assert.ok(status !== null && status > 128, what);
    assert.match(stdout, /^left: out\.ndjson(\.partial)?\n/, what);
    assert.is(endOf(stdout), endOf(UNHARMED), what);
  }
});

test.run();
