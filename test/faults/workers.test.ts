// Threads that end: their blobs are reported as unreadable, everything else is reported, and no thread waits for them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { each } from '../support/cli.js';
import { largeArchive, packedArchive } from './archives.js';
import { type Circumstances, run } from './harness.js';
import type { Effect } from './preload.js';

const LARGE = await largeArchive();
const PACKED = await packedArchive();

type Death = readonly [how: string, Effect, Circumstances?];

const DEATHS: readonly Death[] = [
  ['ends', { kind: 'exit' }],
  ['throws', { kind: 'throw' }],
  ['runs out of memory', { kind: 'exhaust' }, { node: ['--max-old-space-size=64'] }],
];

/** Before and during its work, and while it waits for the other thread of the same layer. */
const ALONE = [
  { call: 'hash.update', nth: 1 },
  { call: 'hash.update', nth: 30 },
];
const TOGETHER = [...ALONE, { call: 'Atomics.add', nth: 20 }];

const INPUTS = [
  ['a file', LARGE, ALONE],
  ['a packed file', PACKED, TOGETHER],
  ['a pipe', LARGE, ALONE],
  ['a packed pipe', PACKED, TOGETHER],
] as const;

const rows = INPUTS.flatMap(([input, archive, moments], i) =>
  moments.map((moment, j) => ({ input, archive, moment, death: DEATHS[(i + j) % DEATHS.length]! })),
);

test('a thread that ends loses its blobs, and nothing else', async () => {
  const ended = await each(rows, ({ input, archive, moment, death: [, does, circumstances] }) => {
    const faults = [{ ...moment, thread: 'worker', once: true, does } as const];
    const piped = input.endsWith('pipe');
    const shell = piped ? `exec "$@" <'${archive}'` : undefined;
    return run(['verify', piped ? '-' : archive, '--json'], { ...circumstances, faults, shell });
  });
  for (const [i, { input, moment, death }] of rows.entries()) {
    const { status, stdout, stderr, struck } = ended[i]!;
    const what = `${input}: ${death[0]} at ${moment.call} ${moment.nth}`;
    assert.equal([status, stderr, struck], [1, '', 1], what);
    const { findings, images, verdicts } = JSON.parse(stdout);
    const errors = findings.filter((finding: { severity: string }) => finding.severity === 'error');
    assert.ok(errors.length === 1 || errors.length === 2, `${what}: ${JSON.stringify(errors)}`);
    for (const { code } of errors) assert.is(code, 'unreadable', what);
    assert.equal([images.length, images[0].layers.length, verdicts.intact], [1, 2, false], what);
  }
});

test('all threads end, whichever comes first', async () => {
  const faults = [{ call: 'hash.update', thread: 'worker', does: { kind: 'exit' } }] as const;
  const commands = [
    ['verify', LARGE],
    ['files', PACKED],
    ['report', LARGE, '-o', 'out.html'],
  ];
  const ended = await each(commands, args => run(args, { faults }));
  for (const [i, args] of commands.entries()) {
    const { status, stdout, stderr, struck } = ended[i]!;
    assert.equal([status !== 0, struck > 0], [true, true], `${args[0]}: ${stdout}${stderr}`);
    assert.match(stdout + stderr, /the worker thread ended|wrote out\.html/, args[0]);
  }
});

test.run();
