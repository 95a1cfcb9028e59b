// SIGINT and other signals, in each phase of each kind of command: the process ends by the signal, and leaves a
// complete output or none.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { each, waybill } from '../support/cli.js';
import { testWhen } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';
import { gzippedArchive, largeArchive, smallArchive } from './archives.js';
import { type Circumstances, canRun, type Ended, run, SIGNALS } from './harness.js';
import type { Fault } from './preload.js';

const SMALL = await smallArchive();
const PACKED = await gzippedArchive();
const LARGE = await largeArchive();
const bytes = readFileSync(SMALL);
const LISTS = temporary('faults');
await waybill(['manifest', 'create', 'a:1', SMALL], { env: { WAYBILL_HOME: LISTS } });

type Place = Omit<Fault, 'does'>;
type Row = readonly [phase: string, args: readonly string[], place: Place, Circumstances?];

const PIPE = { stdin: bytes };
const LONG_PIPE = { stdin: readFileSync(LARGE) };
const IN_PLACE = { before: (work: string) => void mkdirSync(join(work, 'out')) };
const LISTED = { env: { WAYBILL_HOME: LISTS } };

/** Phases in which nothing has been written or drawn: there is no listener, and the process ends during the call. */
const READING: readonly Row[] = [
  ['opening', ['verify', SMALL], { call: 'fs.openSync', path: 'small' }],
  ['indexing', ['verify', SMALL], { call: 'fs.readSync', path: 'small', nth: 2 }],
  ['hashing here', ['verify', SMALL], { call: 'fs.readSync', path: 'small', nth: 5 }],
  [
    'hashing in a worker',
    ['verify', LARGE],
    { call: 'fs.readSync', path: 'large', nth: 3, thread: 'worker' },
  ],
  [
    'hashing beside workers',
    ['verify', LARGE],
    { call: 'fs.readSync', path: 'large', nth: 4, thread: 'main' },
  ],
  ['reading a packed archive', ['verify', PACKED], { call: 'fs.read', path: 'hello' }],
  ['reading a pipe', ['verify', '-'], { call: 'pipe.read' }, PIPE],
  ['in the middle of a pipe', ['verify', '-'], { call: 'pipe.read', nth: 20 }, LONG_PIPE],
  ['linking', ['show', SMALL], { call: 'JSON.parse', nth: 2 }],
  ['walking', ['files', SMALL], { call: 'fs.readSync', path: 'small', nth: 5 }],
  ['rendering', ['files', SMALL, '--json'], { call: 'stdout.write' }],
];

const WRITING: readonly Row[] = [
  ['beginning a directory', ['extract', SMALL, 'out'], { call: 'fs.mkdirSync' }],
  ['beginning in a directory', ['extract', SMALL, 'out'], { call: 'fs.mkdirSync' }, IN_PLACE],
  ['reading for a directory', ['extract', SMALL, 'out'], { call: 'fs.readSync', path: 'small', nth: 5 }],
  ['making a file', ['extract', SMALL, 'out'], { call: 'fs.openSync', path: 'unfinished' }],
  ['filling a file', ['extract', SMALL, 'out'], { call: 'fs.writeSync' }],
  ['filling a file in place', ['extract', SMALL, 'out'], { call: 'fs.writeSync' }, IN_PLACE],
  ['making links', ['extract', SMALL, 'out'], { call: 'fs.symlinkSync' }],
  ['naming a directory', ['extract', SMALL, 'out'], { call: 'fs.renameSync' }],
  ['filling a layer', ['extract', SMALL, '--layers', 'out'], { call: 'fs.writeSync', nth: 2 }],
  ['naming a layer', ['extract', SMALL, '--layers', 'out'], { call: 'fs.renameSync', nth: 2 }],
  ['spooling', ['extract', '-', 'out'], { call: 'fs.writeSync' }, PIPE],
  ['in the middle of spooling', ['extract', '-', 'out'], { call: 'pipe.read', nth: 20 }, LONG_PIPE],
  ['spooling for layers', ['extract', '-', '--layers', 'out'], { call: 'fs.writeSync' }, PIPE],
  ['spooling for one file', ['cat', '-', 'etc/motd'], { call: 'fs.writeSync' }, PIPE],
  ['printing one file', ['cat', '-', 'etc/motd'], { call: 'stdout.write' }, PIPE],
  ['writing a report', ['verify', SMALL, '-o', 'out.json'], { call: 'fs.writeSync' }],
  ['naming a report', ['verify', SMALL, '-o', 'out.json'], { call: 'fs.renameSync' }],
  ['writing the second', ['verify', SMALL, '-o', 'out.json', '-o', 'b.md'], { call: 'fs.writeSync', nth: 2 }],
  ['writing a layout', ['manifest', 'push', 'a:1', '-o', 'out'], { call: 'fs.writeSync', nth: 2 }, LISTED],
  ['writing a tar', ['manifest', 'push', 'a:1', '-o', 'out.tar'], { call: 'fs.writeSync', nth: 2 }, LISTED],
  ['on the disk', ['manifest', 'push', 'a:1', '-o', 'out.tar'], { call: 'fs.fsyncSync' }, LISTED],
  ['keeping a list', ['manifest', 'create', 'a:1', SMALL], { call: 'fs.writeSync' }],
];

const interrupted = ([, args, place, circumstances]: Row, signal: NodeJS.Signals) =>
  run(args, { ...circumstances, faults: [{ ...place, does: SIGNALS(signal) }] });

const told = (rows: readonly Row[], ended: readonly Ended[]) =>
  rows.map(
    ([phase], i) =>
      `${phase}: ${ended[i]!.signal ?? ended[i]!.status}${ended[i]!.struck > 0 ? '' : ', never came'}`,
  );

const expected = (rows: readonly Row[], signal: string) => rows.map(([phase]) => `${phase}: ${signal}`);

test('a signal during reading ends the process at once', async () => {
  for (const [signal, rows] of [
    ['SIGINT', READING],
    ['SIGTERM', READING.slice(3, 5)],
  ] as const) {
    const ended = await each(rows, row => interrupted(row, signal));
    assert.equal(told(rows, ended), expected(rows, signal));
    for (const { stdout, stderr, files } of ended) assert.equal([stdout, stderr, files], ['', '', []]);
  }
});

/** The outputs that exist after a signal: an existing one must be complete. */
async function leaves(rows: readonly Row[], signal: NodeJS.Signals): Promise<void> {
  const ended = await each(rows, row => interrupted(row, signal));
  assert.equal(told(rows, ended), expected(rows, signal));
  for (const [i, [phase, args, , circumstances]] of rows.entries()) {
    const nothing = circumstances === IN_PLACE ? ['out/'] : [];
    const all = await whole(args, circumstances);
    const some = ended[i]!.files.map(sizeless);
    const parts = all.filter(name => name.startsWith('b.md'));
    const fine = [nothing, all, all.filter(name => !parts.includes(name))].map(names => names.join());
    assert.ok(fine.includes(some.join()), `${phase}: it left ${some.join()}`);
  }
}

const known = new Map<string, readonly string[]>();

/** The files without a fault. */
async function whole(args: readonly string[], circumstances?: Circumstances): Promise<readonly string[]> {
  const key = args.join('\0');
  const files = known.get(key) ?? (await run(args, circumstances)).files.map(sizeless);
  known.set(key, files);
  return files;
}

/** A report contains the time at which it was made. */
const sizeless = (file: string) => file.replace(/^(out\.json|b\.md) \d+$/, '$1');

test('a signal during writing leaves a complete output or none', () => leaves(WRITING, 'SIGINT'));

test('the same holds for signals of a supervisor and of a closed terminal', async () => {
  const rows = WRITING.filter((_, i) => i % 4 === 0);
  await leaves(rows.slice(0, 3), 'SIGTERM');
  await leaves(rows.slice(3), 'SIGHUP');
});

test('a second signal does not interrupt the cleanup', async () => {
  const place = { call: 'fs.writeSync', nth: 1 };
  for (const again of ['fs.rmSync', 'fs.lstatSync']) {
    const does = SIGNALS('SIGINT');
    const faults = [
      { ...place, does },
      { call: again, path: 'unfinished', does },
    ];
    const { signal, files, struck } = await run(['extract', SMALL, 'out'], { faults });
    assert.equal([signal, files], ['SIGINT', []], again);
    if (again === 'fs.rmSync') assert.is(struck, 2);
  }
});

test('a signal while the output is not read', async () => {
  // More than the buffer of a pipe: after the first byte, the program waits for a reader that never reads.
  const writer = `{ sh -c 'echo $$ > pid; exec "$@"' sh "$@"; echo "code $?" >&2; }`;
  const reader =
    '{ head -c 1 > first; kill $(cat pid); while kill -0 $(cat pid) 2>&-; do sleep 0.05; done; }';
  const shell = `${writer} | ${reader}`;
  const { stderr, files } = await run(['cat', '-', 'a'], { stdin: readFileSync(LARGE), shell });
  assert.equal([/^code \d+$/m.exec(stderr)?.[0], files.includes('first 1')], ['code 143', true], stderr);
});

testWhen(
  test,
  canRun('unshare', '-rpf', 'true'),
  'no process of one’s own can be the first of a namespace',
)('the first process of a container heeds signals too', async () => {
  const shell = 'exec unshare -rpf --kill-child "$@"';
  const rows = [READING[5]!, READING[6]!, WRITING[4]!];
  const ended = await each(rows, row =>
    interrupted([row[0], row[1], row[2], { ...row[3], shell }], 'SIGINT'),
  );
  assert.equal(told(rows, ended), expected(rows, '130'));
  for (const { files } of ended) assert.equal(files, []);
});

test.run();
