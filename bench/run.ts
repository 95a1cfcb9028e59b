// Runs one command and measures its time, CPU time and peak memory.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

export interface Sample {
  readonly seconds: number;
  /** User and system time of the command and of its children, in seconds. */
  readonly cpu: number;
  /** Peak memory of the process and its children together, in bytes; null if there is no /proc. */
  readonly peak: number | null;
}

export class CommandFailed extends Error {}

/**
 * Milliseconds between samples of the memory: a sample takes some tenths of a millisecond, and a process's peak remains
 * readable.
 */
const LOOK_EVERY = 20;
/** bash measures its child without its own start, from the kernel's counters. */
const TIMED = `TIMEFORMAT='%3R %3U %3S'; time "$@" 2>&3`;

/** @throws CommandFailed with the end of its output, if the exit code is not 0 */
export async function run(command: readonly string[]): Promise<Sample> {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const strangers = processes();
  const child = spawn('bash', ['-c', TIMED, 'bash', ...command], {
    env: { ...env, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const peak = watch(strangers, child.pid ?? 0);
  const [times, complaint, status] = await Promise.all([
    text(child.stderr!),
    text(child.stdio[3] as NodeJS.ReadableStream),
    new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    }),
  ]);
  const bytes = peak();
  const [seconds, user, system] = times.trim().split(' ').map(Number);
  if (status !== 0 || system === undefined)
    throw new CommandFailed(`exit code ${status}: ${complaint.trim().split('\n').at(-1)?.slice(0, 200)}`);
  return { seconds: seconds!, cpu: user! + system, peak: bytes };
}

/** Samples the peaks of all processes below `parent` while they run. The sum counts shared pages twice. */
function watch(strangers: readonly number[], parent: number): () => number | null {
  const isOurs = new Map<number, boolean>(strangers.map(pid => [pid, false]));
  let peak = 0;
  const look = () => {
    let sum = 0;
    for (const pid of processes()) {
      if (!isOurs.has(pid)) {
        const above = parentOf(pid);
        isOurs.set(pid, above === parent || isOurs.get(above) === true);
      }
      if (isOurs.get(pid)) sum += peakOf(pid);
    }
    peak = Math.max(peak, sum);
  };
  const timer = setInterval(look, LOOK_EVERY);
  return () => {
    clearInterval(timer);
    return peak === 0 ? null : peak;
  };
}

function processes(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Boolean);
  } catch {
    return [];
  }
}

/** A field of a process's status; 0 if the process has ended. */
function statusField(pid: number, field: RegExp): number {
  try {
    return Number(field.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

const parentOf = (pid: number) => statusField(pid, /^PPid:\s+(\d+)/m);
const peakOf = (pid: number) => 1024 * statusField(pid, /^VmHWM:\s+(\d+)/m);
