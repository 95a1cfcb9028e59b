// The suite itself: alternating contestants, the measurement of one, and a complete run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { alternate } from '../../bench/alternate.js';
import { isInstalled } from '../../bench/installed.js';
import { section, withSection } from '../../bench/readme.js';
import type { Report } from '../../bench/report.js';
import { CommandFailed, run } from '../../bench/run.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';

const hasBash = process.platform !== 'win32' && isInstalled('bash');
const testBash = testWhen(test, hasBash, 'no bash is installed');
const node = (script: string) => [process.execPath, '-e', script];
const MB = 1_000_000;

testBash('a command is measured with all that it starts', async () => {
  const work = 'const b = Buffer.alloc(80e6, 1); const end = Date.now() + 300; while (Date.now() < end);';
  const direct = await run(node(work));
  const below = await run(['bash', '-c', '"$@"; true', 'bash', ...node(work)]);
  for (const { seconds, cpu, peak } of [direct, below]) {
    assert.ok(seconds > 0.2 && cpu > 0, `${seconds} s, ${cpu} s of processor`);
    if (existsSync('/proc/self/status')) assert.ok(peak !== null && peak > 80 * MB, `${peak} bytes`);
  }
});

testBash('a command that fails says why', async () => {
  const error = await run(
    node('console.error("first"); console.error("no such image"); process.exit(3)'),
  ).catch(e => e);
  assert.instance(error, CommandFailed);
  assert.is(error.message, 'exit code 3: no such image');
});

testBash('what is started does not read more certificates than others', async () => {
  const before = process.env.NODE_EXTRA_CA_CERTS;
  process.env.NODE_EXTRA_CA_CERTS = '/no/such/file';
  try {
    await run(node('process.exit(process.env.NODE_EXTRA_CA_CERTS === undefined ? 0 : 1)'));
  } finally {
    if (before === undefined) delete process.env.NODE_EXTRA_CA_CERTS;
    else process.env.NODE_EXTRA_CA_CERTS = before;
  }
});

testBash('contestants alternate, and find their output empty', async () => {
  const folder = temporary('bench');
  const output = join(folder, 'output');
  const log = join(folder, 'log');
  const shell = (id: string, script: string) => ({
    id,
    command: ['bash', '-c', script, 'bash', log, output],
    needs: [],
  });
  mkdirSync(output);
  writeFileSync(join(output, 'left-over'), '');
  const results = await alternate(
    [
      shell('a', 'printf a >> "$1"; [ -z "$(ls "$2")" ] && touch "$2/file"'),
      shell('failing', 'printf f >> "$1"; echo broken >&2; exit 1'),
      shell('slow', 'printf s >> "$1"; sleep 0.6'),
    ],
    { rounds: 3, patience: 0.5, output, say: () => {} },
  );
  assert.is(readFileSync(log, 'utf8'), 'afsaa');
  assert.equal(
    results.map(({ id, samples, problem }) => [id, samples.length, problem]),
    [
      ['a', 3, null],
      ['failing', 0, 'exit code 1: broken'],
      ['slow', 1, null],
    ],
  );
});

const bench = (...args: string[]) =>
  spawnSync(process.execPath, [join(repositoryRoot, 'dist/bench/main.js'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, WAYBILL_BENCH_DIR: temporary('bench') },
  });

testBash('a run ends with tables and JSON', () => {
  const json = join(temporary('bench'), 'out.json');
  const { status, stdout, stderr } = bench(
    '--size',
    'tiny',
    '--only',
    'verify-(gzip|outer)',
    '--rounds',
    '2',
    '--json',
    json,
  );
  assert.is(status, 0, stderr);
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
  assert.equal(
    report.races.map(({ id }) => id),
    ['verify-gzip-tiny', 'verify-outer-tiny'],
  );
  assert.is(report.rounds, 2);
  for (const { id, results, images } of report.races) {
    assert.ok(images.every(({ bytes }) => bytes > 50_000));
    for (const { id: contestant, samples, problem } of results) {
      const who = `${id}/${contestant}`;
      if (problem === null) assert.is(samples.length, 2, who);
      else assert.match(problem, /^no \w+ is installed$/, who);
      assert.match(stdout, contestant, who);
    }
    assert.is(results[0]!.problem, null, 'waybill runs');
  }
  assert.match(stdout, /verify, OCI gzip, tiny \(tiny gzip 0\.1 MB\)/);
  assert.match(stderr, /making tiny as gzip\n/);
  // The README's section is made from the same numbers.
  const text = section(report);
  assert.match(text, '| waybill verify |');
  const page = readFileSync(join(repositoryRoot, 'bench/README.md'), 'utf8');
  const written = withSection(page, text);
  assert.match(written, text);
  assert.is(withSection(written, text), written);
});

testBash('what is not known is said', () => {
  for (const [args, reason] of [
    [['--only', 'nothing-like-it'], /no race is called so/],
    [['--rounds', '0'], /--rounds 0/],
    [['macro'], /"macro" is not known/],
    [['--no-such-option'], /no-such-option/],
    [['--node', '/no/such/node', '--size', 'tiny', '--only', 'outer'], /is no Node/],
  ] as const) {
    const { status, stderr } = bench(...args);
    assert.is(status, 2, args.join(' '));
    assert.match(stderr, reason);
  }
});

test.run();
