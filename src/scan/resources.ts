import { readFileSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { UsageError, valueText } from '../errors.js';
import { type Limits, lowered, type Resources } from '../limits.js';
import { hasThreads } from './threads/available.js';

const MiB = 1024 * 1024;

/** Memory of the program before it reads anything. */
const PROGRAM_BYTES = 64 * MiB;
/** Memory of a worker: its heap, code, decoder and buffers. */
const THREAD_BYTES = 24 * MiB;
/**
 * Bytes that may be queued between a pipe and the workers. More lets the next layer start earlier while a big one is
 * processed.
 */
const QUEUE_BYTES = 32 * MiB;
/** With a smaller queue, reader and workers would wait for each other. */
const LEAST_QUEUE_BYTES = 8 * MiB;

/** The smallest memory budget: enough for one thread that works alone. */
export const MIN_MEMORY = PROGRAM_BYTES + LEAST_QUEUE_BYTES;

/** A larger budget has no effect: buffers do not grow with the archive. */
const MOST_MEMORY = 1024 * MiB;

/** Memory that a command may hold with the default limits. */
const HELD_BYTES = 512 * MiB;
/**
 * The limits of a command. If less memory is available than the defaults may take, because of the given budget or this
 * process's maximum heap, the limits on held memory are lowered in proportion, except those that are given.
 */
export function limitsWithin({ limits = {}, memory = HELD_BYTES }: Resources): Limits {
  return lowered(limits, Math.min(memory, getHeapStatistics().heap_size_limit) / HELD_BYTES);
}

/** How a scan divides the available threads and memory. */
export interface Plan {
  /** Number of worker threads for blobs; 0 if the main thread does all the work. */
  readonly workers: number;
  /** Number of further threads for the second half of the work on a blob that would take longer than all others. */
  readonly partners: number;
  /** Bytes queued for workers. */
  readonly queueBytes: number;
  /** Maximum heap of a worker, in MiB: a layer that needs more ends its worker, not the process. */
  readonly heapMegabytes: number;
}

/** @throws UsageError for a number of jobs or a budget that is too low */
export function checkResources({ jobs, memory }: Resources): void {
  if (jobs !== undefined && !(Number.isSafeInteger(jobs) && jobs >= 1))
    throw new UsageError(`jobs: expected a whole number from 1, found ${valueText(jobs)}`);
  if (memory !== undefined && !(Number.isSafeInteger(memory) && memory >= MIN_MEMORY))
    throw new UsageError(
      `memory: expected at least ${MIN_MEMORY} bytes (${MIN_MEMORY / MiB}M), found ${valueText(memory)}`,
    );
}

/** Whether threads can be started is not asked where none is wanted: an archive may be one of ten thousand. */
const threadsFor = (jobs: number | undefined): number =>
  jobs === 1 || !hasThreads() ? 1 : (jobs ?? coresToUse());

/** @throws UsageError as `checkResources` */
export function planOf({ jobs, memory }: Resources): Plan {
  checkResources({ jobs, memory });
  const wanted = threadsFor(jobs);
  // Without workers there is nothing to divide, and the machine is not asked: an archive may be one of ten thousand.
  if (wanted === 1) return { workers: 0, partners: 0, queueBytes: LEAST_QUEUE_BYTES, heapMegabytes: 0 };
  const budget = memory ?? Math.max(MIN_MEMORY, Math.min(MOST_MEMORY, memoryToUse() / 2));
  const left = budget - MIN_MEMORY;
  // One worker would not be faster than the main thread.
  const workers = Math.min(wanted, Math.floor(left / THREAD_BYTES));
  // At least one blob is smaller than a worker's share and needs no partner.
  const partners = workers < 2 ? 0 : Math.min(workers - 1, Math.floor(left / THREAD_BYTES) - workers);
  const spare = left - (workers + partners) * THREAD_BYTES;
  return {
    workers,
    partners,
    queueBytes: Math.min(QUEUE_BYTES, LEAST_QUEUE_BYTES + spare),
    heapMegabytes: Math.floor(budget / MiB),
  };
}

/** Memory of a thread that reads whole archives: the program, its heap and the buffers of one archive. */
const LANE_BYTES = MIN_MEMORY;
/** The largest heap of such a thread by default, in MiB: with it no limit is lowered. */
const LANE_HEAP_MEGABYTES = 1024;

/** How a run over many archives divides threads and memory among those that it reads at a time. */
export interface LanePlan {
  readonly lanes: number;
  /** Threads for each. */
  readonly jobs: number;
  /** Maximum heap of each, in MiB. */
  readonly heapMegabytes: number;
}

/** @param archives  that are to be read */
export function lanesWithin({ jobs, memory }: Resources, archives: number): LanePlan {
  const wanted = threadsFor(jobs);
  const budget = memory ?? Math.min(MOST_MEMORY, memoryToUse() / 2);
  const affordable = Math.max(1, Math.floor(budget / LANE_BYTES));
  const lanes = Math.max(1, Math.min(wanted, affordable, archives));
  return {
    lanes,
    jobs: Math.max(1, Math.floor(Math.min(wanted, affordable) / lanes)),
    heapMegabytes:
      memory === undefined ? LANE_HEAP_MEGABYTES : Math.max(64, Math.floor(memory / lanes / MiB)),
  };
}

/** Number of cores that this process may use: by its affinity, and by the quota of its container. */
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

/** Memory that this process may use, in bytes: the limit of its container, and the free memory of the machine. */
function memoryToUse(): number {
  const limits = [
    ...cgroupFiles('memory', ['memory.max']),
    ...cgroupFiles('memory', ['memory.limit_in_bytes']),
  ].map(Number);
  return Math.min(freemem(), ...limits.filter(limit => limit > 0));
}

const CGROUPS = '/sys/fs/cgroup';

/**
 * The contents of the control group files of this process, from its own group up to the root: each bounds all groups
 * below it. Empty on systems other than Linux. Inside a container the path is often that of the host, and only the root
 * is visible. https://docs.kernel.org/admin-guide/cgroup-v2.html
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
