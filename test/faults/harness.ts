// Runs the program with injected faults in its own directory, until the process and its children have ended.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import * as assert from 'uvu/assert';
import { repositoryRoot } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';
import type { Fault } from './preload.js';

const bin = join(repositoryRoot, 'bin/waybill.js');
const preload = new URL('./preload.js', import.meta.url).href;
const folder = temporary('faults');
let places = 0;

/** Milliseconds after which the process is regarded as hanging, on the slowest machine. */
const HUNG_MS = 30_000;

export interface Circumstances {
  readonly faults?: readonly Fault[] | undefined;
  /** Standard input: bytes, or a function that uses the pipe. Empty by default. */
  readonly stdin?: Uint8Array | ((pipe: Writable, child: ChildProcess) => unknown) | undefined;
  /** The shell script that runs the command line "$@"; by default it only runs it. */
  readonly shell?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Prepares the working directory. */
  readonly before?: ((place: string) => void) | undefined;
  /** Options of node itself. */
  readonly node?: readonly string[] | undefined;
  /** The fault is one of the program itself, which may report it as a bug. */
  readonly isBug?: boolean | undefined;
  /** Called with the output while it is written. */
  readonly watch?: ((output: string, child: ChildProcess) => void) | undefined;
}

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Number of times that the faults occurred. */
  readonly struck: number;
  /** Files in the working directory and below, with sizes. */
  readonly files: readonly string[];
}

/** Runs the program, and checks what must hold with any fault. */
export async function run(args: readonly string[], circumstances: Circumstances = {}): Promise<Ended> {
  const place = join(folder, String(places++));
  const [work, tmp, record] = [join(place, 'work'), join(place, 'tmp'), join(place, 'record')];
  for (const directory of [place, work, tmp]) mkdirSync(directory);
  circumstances.before?.(work);
  const { faults = [], shell, stdin, node = [], env } = circumstances;
  const command = [process.execPath, ...node, bin, ...args];
  const [name, ...rest] = shell === undefined ? command : ['sh', '-c', shell, 'sh', ...command];
  const child = spawn(name!, rest, {
    cwd: work,
    // A process group of its own, so that remaining children can be found.
    detached: true,
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NO_COLOR: undefined,
      FORCE_COLOR: undefined,
      TMPDIR: tmp,
      WAYBILL_HOME: join(place, 'home'),
      NODE_OPTIONS: `--import ${preload}`,
      WAYBILL_TEST_FAULTS: JSON.stringify(faults),
      WAYBILL_TEST_RECORD: record,
      ...env,
    },
  });
  const outcome = await watched(child, circumstances);
  const lines = existsSync(record) ? readFileSync(record, 'utf8').split('\n').filter(Boolean) : [];
  const unhandled = lines.filter(line => !line.startsWith('fault '));
  assert.equal(readdirSync(tmp), [], `temporary files of ${args.join(' ')}`);
  if (circumstances.isBug !== true) checkClean(args, outcome, unhandled);
  return { ...outcome, struck: lines.length - unhandled.length, files: list(work) };
}

type Outcome = Pick<Ended, 'stdout' | 'stderr' | 'status' | 'signal'>;

async function watched(child: ChildProcess, { stdin, watch }: Circumstances): Promise<Outcome> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.setEncoding('utf8').on('data', text => {
      texts[name] += text;
      watch?.(texts[name], child);
    });
  child.stdin?.on('error', () => {});
  if (typeof stdin === 'function') stdin(child.stdin!, child);
  else child.stdin?.end(stdin);
  let hung = false;
  const guard = setTimeout(() => {
    hung = true;
    process.kill(-child.pid!, 'SIGKILL');
  }, HUNG_MS);
  const outcome = await new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject).on('close', (status, signal) => resolve({ ...texts, status, signal }));
  });
  clearTimeout(guard);
  assert.not.ok(hung, `it hung, having said: ${texts.stderr}`);
  assert.throws(() => process.kill(-child.pid!, 0), /ESRCH/, 'it left a process behind');
  return outcome;
}

/** Asserts that no error was unhandled, and no internals of the program were shown. */
function checkClean(
  args: readonly string[],
  { stderr, stdout, status, signal }: Outcome,
  unhandled: readonly string[],
): void {
  const said = `waybill ${args.join(' ')}: ${status ?? signal}\n${stderr}`;
  assert.equal(unhandled, [], said);
  assert.not.match(stderr, /\n {4}at |has a bug|Node\.js v\d|\bE[A-Z]{3,}: /, said);
  assert.not.match(stdout, /\n {4}at [A-Za-z]/, said);
  assert.ok(signal !== null || [0, 1, 2].includes(status ?? -1) || status! > 128, said);
}

function list(place: string): string[] {
  const entries = readdirSync(place, { recursive: true, encoding: 'utf8', withFileTypes: true });
  const shown = entries.map(entry => {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const name = path.slice(place.length + 1);
    // A name that is not UTF-8 cannot be looked up.
    const size = entry.isFile() ? (statSync(path, { throwIfNoEntry: false })?.size ?? 'unknown') : null;
    return size === null ? `${name}${entry.isDirectory() ? '/' : ''}` : `${name} ${size}`;
  });
  return shown.sort();
}

export const FAILS = (code: string) => ({ kind: 'error', code }) as const;
export const SIGNALS = (signal: NodeJS.Signals) => ({ kind: 'signal', signal }) as const;

/** True if the machine and the user of the tests allow something. */
export const canRun = (command: string, ...args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;
