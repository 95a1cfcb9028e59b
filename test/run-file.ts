// A process of the runner (run.ts): runs the test files that it is sent, one after another, and returns their results.
import { writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface FileResult {
  readonly file: string;
  /** Output of the file's tests. */
  readonly output: string;
  readonly passed: number;
  readonly skipped: number;
  /** Number of tests that ran: those that passed and those that failed. */
  readonly total: number;
  /** Failures other than a failed test: a hook that threw, a file without a test, an unhandled rejection. */
  readonly problems: readonly string[];
}

type SuiteRun = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>;
const uvu = globalThis as unknown as {
  UVU_DEFER: number;
  UVU_INDEX: number;
  UVU_QUEUE: [string | null, ...SuiteRun[]][];
};
uvu.UVU_DEFER = 1;
uvu.UVU_QUEUE = [];

let problems: string[] = [];
process.on('unhandledRejection', reason => problems.push(`unhandled rejection: ${String(reason)}`));
// Leaked listeners and deprecated calls fail the run; experimental functions of Node do not.
process.on('warning', ({ name, message }) => {
  if (name !== 'ExperimentalWarning') problems.push(`warning: ${name}: ${message}`);
});

// The output is sent with the result, so that it is attributed to the right file. A process that ends early prints it.
let output = '';
process.stdout.write = (text: string | Uint8Array) => {
  output += typeof text === 'string' ? text : Buffer.from(text).toString();
  return true;
};
process.on('exit', () => writeSync(2, output));

const here = fileURLToPath(new URL('.', import.meta.url));

async function runFile(file: string): Promise<FileResult> {
  uvu.UVU_INDEX = uvu.UVU_QUEUE.length;
  uvu.UVU_QUEUE.push([file]);
  await import(`file://${here}${file}`);
  const [, ...runs] = uvu.UVU_QUEUE[uvu.UVU_INDEX] as [string, ...SuiteRun[]];
  const result = { passed: 0, skipped: 0, total: 0 };
  for (const run of runs) {
    const [errors, ok, skips, all] = await run();
    result.passed += ok;
    result.skipped += skips;
    result.total += all;
    if (typeof errors === 'string') process.stdout.write(`\n${errors}\n`);
    else if (ok !== all) problems.push(`${file}: a hook threw: ${ok} of ${all} tests passed`);
  }
  if (result.total + result.skipped === 0)
    problems.push(`${file}: no test ran (is its .run() call missing?)`);
  return { file, output, ...result, problems };
}

process.on('message', async (message: { file: string } | { end: true }) => {
  if ('end' in message) return process.disconnect();
  problems = [];
  output = '';
  let result: FileResult;
  try {
    result = await runFile(message.file);
  } catch (error) {
    problems.push(`${message.file}: ${error instanceof Error ? error.stack : String(error)}`);
    result = { file: message.file, output, passed: 0, skipped: 0, total: 0, problems };
  }
  output = '';
  process.send!(result);
});
