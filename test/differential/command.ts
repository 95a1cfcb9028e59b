// Runs the engines of this machine, or those behind WAYBILL_ENGINE_PREFIX: words that are put before every command.
import { spawn } from 'node:child_process';
import { hasCommand } from '../support/compression.js';

const PREFIX = (process.env.WAYBILL_ENGINE_PREFIX ?? '').split(' ').filter(word => word !== '');
/** Milliseconds after which an engine is regarded as hanging. */
const PATIENCE = 60_000;

export interface Ran {
  /** 0 for success; null if it was killed. */
  readonly status: number | null;
  readonly stdout: string;
  /** The end of its output on standard error. */
  readonly stderr: string;
}

export const hasEngine = (name: string): boolean => PREFIX.length > 0 || hasCommand(name);

export function runEngine(command: string, args: readonly string[]): Promise<Ran> {
  const [first, ...rest] = [...PREFIX, command, ...args] as [string, ...string[]];
  return run(first, rest);
}

export function run(command: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', status =>
      resolve({
        status,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString().trim(),
      }),
    );
  });
}
