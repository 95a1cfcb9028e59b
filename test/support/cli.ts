// Runs the command line as a user does, as a process.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { repositoryRoot } from './corpus.js';

const bin = join(repositoryRoot, 'bin/waybill.js');

export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export async function waybill(args: readonly string[], { cwd, env }: RunOptions = {}): Promise<Run> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ran = await ended(child);
  const [unhandled] = UNHANDLED.exec(ran.stderr) ?? [];
  if (unhandled !== undefined) throw new Error(`waybill ${args.join(' ')}: ${ran.stderr}`);
  return ran;
}

/** The whole output of a process, and its exit status. */
export function ended(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Run> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', text => {
      texts[name] += text;
    });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', status => resolve({ ...texts, status }));
  });
}

/** Node's messages about unhandled errors and rejections, leaked listeners, and deprecations. */
const UNHANDLED = /^(\(node:\d+\) .*|Node\.js v\d.*)$/m;

/** Runs a function on many items, a few at a time, and returns the results in order. */
export async function each<T, R>(
  things: readonly T[],
  work: (thing: T, index: number) => Promise<R>,
  atOnce = 3,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    while (next < things.length) {
      const i = next++;
      results[i] = await work(things[i]!, i);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
