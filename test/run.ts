// Our runner over uvu. uvu's own is silently green when a file forgets `.run()`, when a hook throws, or when
// nothing ran at all; this one fails unless every collected test passed and every file ran at least one.
//
//   node dist/test/run.js [--jobs N] [pattern]      pattern: a regular expression on the file's path below test/
//
// Files run side by side in N processes, by default one for each core (at most 4). Each process runs one file after
// another (run-file.ts), and has a temporary directory of its own. A file's output is printed in one piece, with its
// time.
import { fork } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse } from 'uvu/parse';
import type { FileResult } from './run-file.js';

/** Files that take longest, by their measured time. They start first, so that none of them runs alone at the end. */
const LONGEST: readonly RegExp[] = [
  /^attacks\//,
  /^differential\//,
  /^scan\/partner/,
  /^archives\/damage/,
  /^house\/docs/,
  /^property\//,
  /^tar\//,
  /^commands\/many\./,
  /^docker\//,
  /^faults\//,
];

const { values, positionals } = parseArgs({ options: { jobs: { type: 'string' } }, allowPositionals: true });
const jobs = Number(values.jobs ?? Math.min(availableParallelism(), 4));
if (!Number.isInteger(jobs) || jobs < 1)
  throw new Error(`--jobs takes a whole number of 1 or more: ${values.jobs}`);

const here = fileURLToPath(new URL('.', import.meta.url));
const wanted = new RegExp(positionals[0] ?? '');
const { suites } = await parse(here, '\\.test\\.js$');
const rank = (name: string) => {
  const at = LONGEST.findIndex(pattern => pattern.test(name));
  return at < 0 ? LONGEST.length : at;
};
const queue = suites
  .map(({ name }) => name)
  .filter(name => wanted.test(name))
  .sort((a, b) => rank(a) - rank(b));

const NOTHING = { output: '', passed: 0, skipped: 0, total: 0 } as const;
const results: FileResult[] = [];
let processes = 0;
await Promise.all(Array.from({ length: Math.min(jobs, queue.length) }, work));
report();

/** Runs files of the queue in one process after another: a process that ends early loses only its file. */
async function work(): Promise<void> {
  while (queue.length > 0) {
    // Short and in lower case: podman refuses a run directory whose path is longer than 50 bytes, and makes names of
    // paths.
    const temporary = join(tmpdir(), `w${process.pid}-${++processes}`);
    mkdirSync(temporary);
    // As /tmp is: some tests run waybill as another user.
    chmodSync(temporary, 0o1777);
    await runProcess(temporary);
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Runs one process until the queue is empty or the process ends. */
function runProcess(temporary: string): Promise<void> {
  const child = fork(join(here, 'run-file.js'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, TMPDIR: temporary },
  });
  let file = '';
  let begun = 0;
  const done = (result: FileResult) => {
    results.push(result);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    process.stdout.write(`${file} ${result.output.trim()} ${seconds} s\n`);
    file = '';
  };
  const next = () => {
    const name = queue.shift();
    if (name === undefined) return child.send({ end: true });
    file = name;
    begun = performance.now();
    return child.send({ file: name });
  };
  child.on('message', (result: FileResult) => {
    done(result);
    next();
  });
  return new Promise(resolve => {
    child.on('close', (code, signal) => {
      if (file !== '')
        done({ ...NOTHING, file, problems: [`${file}: the process ended (${signal ?? code})`] });
      resolve();
    });
    next();
  });
}

function report(): void {
  const sum = (key: 'passed' | 'skipped' | 'total') => results.reduce((all, one) => all + one[key], 0);
  const problems = results.flatMap(result => result.problems);
  if (sum('total') === 0) problems.push('no test ran at all');
  for (const problem of problems) console.log(`FAIL ${problem}`);
  const [passed, skipped] = [sum('passed'), sum('skipped')];
  const failed = sum('total') - passed + problems.length;
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exitCode = failed === 0 ? 0 : 1;
}
