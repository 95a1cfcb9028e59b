// Our runner over uvu. uvu's own is silently green when a file forgets `.run()`, when a hook throws, or when
// nothing ran at all; this one fails unless every collected test passed and every file ran at least one.
//
//   node dist/test/run.js [pattern]      pattern: a regular expression on the file's path
import { fileURLToPath } from 'node:url';
import { parse } from 'uvu/parse';

type SuiteRun = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>;
const shared = globalThis as unknown as {
  UVU_DEFER: number;
  UVU_INDEX: number;
  UVU_QUEUE: [string | null, ...SuiteRun[]][];
};

shared.UVU_DEFER = 1;
shared.UVU_QUEUE = [];

const here = fileURLToPath(new URL('.', import.meta.url));
const wanted = new RegExp(process.argv[2] ?? '');
const { suites } = await parse(here, '\\.test\\.js$');
const files = suites.filter(suite => wanted.test(suite.name));

const problems: string[] = [];
process.on('unhandledRejection', reason => problems.push(`unhandled rejection: ${String(reason)}`));
// Listeners that pile up, and what will go. What is new in Node is no fault of ours.
process.on('warning', ({ name, message }) => {
  if (name !== 'ExperimentalWarning') problems.push(`warning: ${name}: ${message}`);
});

let passed = 0;
let total = 0;
let skipped = 0;
for (const [index, file] of files.entries()) {
  shared.UVU_INDEX = index;
  shared.UVU_QUEUE.push([file.name]);
  await import(`file://${file.file}`);
  const [, ...runs] = shared.UVU_QUEUE[index] as [string, ...SuiteRun[]];
  process.stdout.write(`${file.name} `);
  let ran = 0;
  for (const run of runs) {
    const [errors, ok, skips, all] = await run();
    passed += ok;
    skipped += skips;
    total += all;
    ran += all + skips;
    if (typeof errors === 'string') process.stdout.write(`\n${errors}\n`);
    else if (ok !== all) problems.push(`${file.name}: a hook threw: ${ok} of ${all} tests passed`);
  }
  if (ran === 0) problems.push(`${file.name}: no test ran (is its .run() call missing?)`);
}
if (total === 0) problems.push('no test ran at all');

for (const problem of problems) console.log(`FAIL ${problem}`);
const failed = total - passed + problems.length;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed === 0 ? 0 : 1;
