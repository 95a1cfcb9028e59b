import { readFileSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { UsageError } from '../errors.js';
import { type Limits, lowered, type Resources } from '../limits.js';

const MiB = 1024 * 1024;

/** What the program takes before it has read anything. */
const PROGRAM_BYTES = 64 * MiB;
/** What a worker takes: a heap and code of its own, a decoder and its buffers. */
const THREAD_BYTES = 24 * MiB;
/** What may be on its way from a pipe to the workers. More lets the next layer start earlier while a big one is worked on. */
const QUEUE_BYTES = 32 * MiB;
/** Less would make reader and workers wait for each other. */
const LEAST_QUEUE_BYTES = 8 * MiB;

/** The least that a budget can be: what one thread needs to work alone. */
export const MIN_MEMORY = PROGRAM_BYTES + LEAST_QUEUE_BYTES;

/** More is of no use: buffers do not grow with the archive. */
const MOST_MEMORY = 1024 * MiB;

/** What a command may hold with all limits on what is held as they are by default. */
const HELD_BYTES = 512 * MiB;
/**
 * The limits of a command. Where there is less memory than the defaults may take, by the budget that is given or by the heap that
 * this process can have, those on what is held are as much lower, unless they are given too.
 */
export function limitsWithin({ limits = {}, memory = HELD_BYTES }: Resources): Limits {
  return lowered(limits, Math.min(memory, getHeapStatistics().heap_size_limit) / HELD_BYTES);
}

/** How a scan spends what it may take of the machine. */
export interface Plan {
  /** Worker threads for blobs; 0 where the main thread does everything. */
  readonly workers: number;
  /** Further threads, for the second half of the work on a blob that would take longer than all others. */
  readonly partners: number;
  /** Bytes on their way to workers. */
  readonly queueBytes: number;
  /** What a worker's heap may grow to, in MiB: a layer that needs more loses its worker, not the process. */
  readonly heapMegabytes: number;
}

/** @throws UsageError for a number of jobs, or a budget, that nothing can be done with */
export function planOf({ jobs, memory }: Resources): Plan {
  if (jobs !== undefined && !(Number.isSafeInteger(jobs) && jobs >= 1))
    throw new UsageError(`jobs: expected a whole number from 1, found ${jobs}`);
  if (memory !== undefined && !(Number.isSafeInteger(memory) && memory >= MIN_MEMORY))
    throw new UsageError(
      `memory: expected at least ${MIN_MEMORY} bytes (${MIN_MEMORY / MiB}M), found ${memory}`,
    );
  const budget = memory ?? Math.max(MIN_MEMORY, Math.min(MOST_MEMORY, memoryToUse() / 2));
  const left = budget - MIN_MEMORY;
  const wanted = jobs ?? coresToUse();
  // The work of one alone is done where it is read.
  const workers = wanted === 1 ? 0 : Math.min(wanted, Math.floor(left / THREAD_BYTES));
  // At least one blob is smaller than the share of one worker, and needs none.
  const partners = workers < 2 ? 0 : Math.min(workers - 1, Math.floor(left / THREAD_BYTES) - workers);
  const spare = left - (workers + partners) * THREAD_BYTES;
  return {
    workers,
    partners,
    queueBytes: Math.min(QUEUE_BYTES, LEAST_QUEUE_BYTES + spare),
    heapMegabytes: Math.floor(budget / MiB),
  };
}

/** Cores that this process may use: by its affinity, and by the quota of the container that it runs in. */
function coresToUse(): number {
  const quota = Math.min(
    ...cgroupFiles('cpu', ['cpu.max']).map(text => quotaOf(text.split(' '))),
    ...cgroupFiles('cpu', ['cpu.cfs_quota_us', 'cpu.cfs_period_us']).map(text => quotaOf(text.split('\n'))),
  );
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(quota)));
}

function quotaOf([quota, period]: readonly string[]): number {
  const cores = Number(quota) / Number(period);
  return cores > 0 ? cores : Number.POSITIVE_INFINITY;
}

/** Memory that this process may use, in bytes: of the container that it runs in, and of what the machine has left. */
function memoryToUse(): number {
  const limits = [
    ...cgroupFiles('memory', ['memory.max']),
    ...cgroupFiles('memory', ['memory.limit_in_bytes']),
  ].map(Number);
  return Math.min(freemem(), ...limits.filter(limit => limit > 0));
}

const CGROUPS = '/sys/fs/cgroup';

/**
 * What the control groups of this process say, from its own up to the root: each bounds all below it. There are none on
 * systems other than Linux. Inside a container the path is often that of the host, and only the root is there to see.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
function cgroupFiles(controller: string, names: readonly string[]): string[] {
  const found: string[] = [];
  for (const line of (textOf('/proc/self/cgroup') ?? '').split('\n')) {
    const [id, controllers, path] = line.split(':');
    if (path === undefined || (id !== '0' && !controllers!.split(',').includes(controller))) continue;
    const root = id === '0' ? CGROUPS : join(CGROUPS, controller);
    for (let folder = path; ; folder = join(folder, '..')) {
      const texts = names.map(name => textOf(join(root, folder, name))?.trim());
      if (texts.every(text => text !== undefined)) found.push(texts.join('\n'));
      if (folder === '/' || folder === '.') break;
    }
  }
  return found;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
