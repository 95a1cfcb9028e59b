// npm run fuzz [-- --seconds 60 --seed N --only NAME] [-- --only NAME --file FILE]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { hexOf } from '../support/digest.js';
import { targets } from './targets.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
    only: { type: 'string', default: '' },
    file: { type: 'string' },
    to: { type: 'string', default: 'dist/fuzz-found' },
  },
});

/** Milliseconds after which an input is regarded as hanging. */
const HANGS = 60_000;
/** Inputs are copied to shared memory, from which they can be read if the thread hangs. */
const SHARED = 1 << 21;

export interface Setup {
  readonly name: string;
  readonly seed: number;
  readonly seconds: number;
  /** The length of the current input, its number, and its bytes. */
  readonly shared: SharedArrayBuffer;
}

export type Told =
  | { readonly kind: 'failed'; readonly input: Uint8Array; readonly what: string }
  | { readonly kind: 'done'; readonly tries: number; readonly outcomes: number };

// The threads inherit it: real archives of the shared folder, if it exists.
process.env.WAYBILL_CORPUS = '1';

const chosen = targets.filter(({ name }) => new RegExp(values.only).test(name));
let failures = 0;

if (values.file !== undefined) await replay(values.file);
else await fuzz(Number(values.seed), Number(values.seconds));
process.exitCode = failures === 0 ? 0 : 1;

async function replay(path: string): Promise<void> {
  for (const target of chosen) {
    console.log(`${target.name}: ${await target.check(new Uint8Array(readFileSync(path)))}`);
  }
}

async function fuzz(seed: number, seconds: number): Promise<void> {
  console.log(`seed ${seed}, ${chosen.length} targets, ${seconds} s`);
  for (const [i, { name }] of chosen.entries()) {
    const share = Math.max(1, seconds / chosen.length);
    await watched({ name, seed: seed + i, seconds: share, shared: new SharedArrayBuffer(SHARED) });
  }
}

/** A thread for each target, so that a hanging one can be ended. */
function watched(setup: Setup): Promise<void> {
  const worker = new Worker(new URL('./fuzz-worker.js', import.meta.url), { workerData: setup });
  const [numbers, bytes] = [new Int32Array(setup.shared, 0, 2), new Uint8Array(setup.shared, 8)];
  let seen = -1;
  const guard = setInterval(() => {
    if (numbers[1] === seen) {
      found(setup, bytes.slice(0, numbers[0]), `it takes longer than ${HANGS / 1000} s`);
      void worker.terminate();
    }
    seen = numbers[1]!;
  }, HANGS);
  return new Promise(resolve => {
    worker.on('message', (told: Told) => {
      if (told.kind === 'failed') found(setup, told.input, told.what);
      else console.log(`${setup.name}: ${told.tries} tries, ${told.outcomes} outcomes`);
    });
    worker.on('error', error => found(setup, bytes.slice(0, numbers[0]), `the thread died: ${error.stack}`));
    worker.on('exit', () => {
      clearInterval(guard);
      resolve();
    });
  });
}

function found({ name, seed }: Setup, input: Uint8Array, what: string): void {
  failures++;
  mkdirSync(values.to, { recursive: true });
  const path = join(values.to, `${name}-${hexOf(input).slice(0, 12)}`);
  writeFileSync(path, input);
  const script = fileURLToPath(import.meta.url);
  console.log(`FOUND ${name} (seed ${seed}): ${what}\n  node ${script} --only '^${name}$' --file ${path}`);
}
