import { Worker } from 'node:worker_threads';
import { InputError } from '../../errors.js';
import { failedAnswer, Lane, type LaneAnswer, type LaneSetup, type LaneTask } from './lane.js';

/** The memory and time that the threads of a run may take. */
export interface LaneLimits {
  /** Maximum heap of a thread, in MiB: an archive that needs more ends its thread, not the run. */
  readonly heapMegabytes: number;
  /** Seconds that one archive may take; 0 for no limit. */
  readonly archiveSeconds: number;
}

/** Reads one item at a time. */
export interface LaneRunner {
  /** @returns null if the lane was closed meanwhile */
  answer(task: LaneTask): Promise<LaneAnswer | null>;
  close(): Promise<void>;
}

/** A lane in the main thread, for a few small archives: starting a thread takes longer than reading them. */
export async function laneHere(setup: LaneSetup): Promise<LaneRunner> {
  const lane = await Lane.open(setup);
  return { answer: task => lane.answer(task), close: async () => {} };
}

/** A lane in a thread. Where an archive ends the thread, or takes too long, the next one gets a new thread. */
export class ThreadLane implements LaneRunner {
  private worker: Worker | null = null;
  private settle: ((answer: LaneAnswer | null) => void) | null = null;

  constructor(
    private readonly setup: LaneSetup,
    private readonly limits: LaneLimits,
  ) {}

  answer(task: LaneTask): Promise<LaneAnswer | null> {
    const { archiveSeconds } = this.limits;
    return new Promise(resolve => {
      const timer = archiveSeconds === 0 ? null : setTimeout(() => this.abandon(), archiveSeconds * 1000);
      this.settle = answer => {
        if (timer !== null) clearTimeout(timer);
        this.settle = null;
        resolve(answer);
      };
      try {
        this.worker ??= this.start();
        this.worker.postMessage(task);
      } catch (error) {
        this.fail(`no thread can be started: ${(error as Error).message}`, 'Give --jobs a smaller number.');
      }
    });
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.worker = null;
    this.settle?.(null);
    await worker?.terminate();
  }

  private start(): Worker {
    const { setup, limits } = this;
    const worker = new Worker(new URL('./lane-thread.js', import.meta.url), {
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: limits.heapMegabytes },
    });
    worker.on('message', (answer: LaneAnswer) => {
      // Hazard: a thread that was abandoned may have answered meanwhile, which is no answer about the next archive.
      if (worker === this.worker) this.settle?.(answer);
    });
    worker.on('error', error => this.die(worker, error));
    worker.on('exit', () => this.die(worker, new Error('it ended')));
    return worker;
  }

  private abandon(): void {
    const { worker } = this;
    this.worker = null;
    void worker?.terminate();
    const { archiveSeconds } = this.limits;
    this.fail(
      `not read in time: --archive-timeout is ${archiveSeconds} s`,
      `Read it alone, with more time: --archive-timeout ${2 * archiveSeconds}s.`,
    );
  }

  private die(worker: Worker, error: Error & { readonly code?: string }): void {
    if (worker !== this.worker) return;
    this.worker = null;
    const { heapMegabytes } = this.limits;
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
      this.fail(
        `not read: the thread that read it ran out of memory, at ${heapMegabytes} MiB`,
        'Read it alone: `waybill verify` has the whole memory, and says which --limit saves some.',
      );
    else this.fail(`not read: the thread that read it failed: ${error.message}`, null);
  }

  private fail(what: string, remedy: string | null): void {
    this.settle?.(failedAnswer(new InputError(what, '', remedy)));
  }
}
