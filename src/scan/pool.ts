import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ByteRange } from '../source/source.js';
import type { Algorithm } from '../spec/digest.js';
import type { BlobFacts, BlobFailure } from './facts.js';
import type { FromWorker, ToWorker, WorkerSetup } from './protocol.js';

/** Bytes per parcel handed to a worker, and how many there are: what a pipe costs in memory, whatever it carries. */
const PARCEL = 512 * 1024;
const PARCELS = 32;

export interface RangeJob {
  readonly range: ByteRange;
  readonly algorithms: readonly Algorithm[];
}

/** Worker threads that analyse blobs: ranges that they read themselves, biggest first, or streams fed to them. */
export class Pool {
  private readonly workers: Member[] = [];
  /** Parcels that are not on their way: workers send them back, so that none is ever thrown away. */
  private readonly spare: ArrayBuffer[] = [];
  private parcels = 0;
  private resume: (() => void) | null = null;
  private nextId = 0;

  constructor(
    private readonly setup: WorkerSetup,
    private readonly onProgress: (bytes: number) => void,
    private readonly size = availableParallelism(),
  ) {}

  /** Analyses every job, as many at a time as there are workers, in the order given: put the biggest first. */
  async analyseAll<J extends RangeJob>(
    jobs: readonly J[],
    onFacts: (job: J, facts: BlobFacts) => void,
  ): Promise<void> {
    const next = jobs.values();
    const run = async () => {
      let worker = this.start();
      for (const job of next) {
        if (worker.dead !== null) worker = this.start();
        const { range, algorithms } = job;
        onFacts(job, await worker.ask({ kind: 'range', id: this.nextId++, range, algorithms }));
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.size, jobs.length) }, run));
  }

  /** Analyses chunks as they come, on the worker with the least to do. The next blob may start before this one is done. */
  async analyseStream(
    chunks: AsyncIterable<Uint8Array>,
    algorithms: readonly Algorithm[],
  ): Promise<{ readonly facts: Promise<BlobFacts> }> {
    const worker = this.leastBusy();
    const id = this.nextId++;
    worker.tell({ kind: 'open', id, algorithms });
    let parcel = new Uint8Array(await this.nextParcel());
    let filled = 0;
    const send = () => {
      if (worker.dead !== null) {
        // Nobody takes it any more: what is left of the blob is only read past.
        this.spare.push(parcel.buffer);
        filled = 0;
        return;
      }
      worker.owed += filled;
      worker.tell({ kind: 'chunk', id, bytes: parcel.subarray(0, filled) }, [parcel.buffer]);
      filled = 0;
    };
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) {
        if (filled === PARCEL) {
          send();
          parcel = new Uint8Array(await this.nextParcel());
        }
        const piece = chunk.subarray(at, at + PARCEL - filled);
        parcel.set(piece, filled);
        filled += piece.length;
        at += piece.length;
      }
    }
    send();
    return { facts: worker.ask({ kind: 'end', id, failure: null }) };
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map(worker => worker.stop()));
  }

  private async nextParcel(): Promise<ArrayBuffer> {
    for (;;) {
      const spare = this.spare.pop();
      if (spare !== undefined) return spare;
      if (this.parcels < PARCELS) {
        this.parcels++;
        return new ArrayBuffer(PARCEL);
      }
      await new Promise<void>(resolve => {
        this.resume = resolve;
      });
    }
  }

  private leastBusy(): Member {
    const alive = this.workers.filter(worker => worker.dead === null);
    const free = alive.find(worker => worker.owed === 0);
    if (free !== undefined) return free;
    if (alive.length < this.size) return this.start();
    return alive.reduce((a, b) => (b.owed < a.owed ? b : a));
  }

  private start(): Member {
    const member = new Member(
      this.setup,
      message => {
        if (message.kind === 'taken') this.taken(member, message.length, message.parcel);
        else this.onProgress(message.bytes);
      },
      () => this.lost(member),
    );
    this.workers.push(member);
    return member;
  }

  private taken(worker: Member, length: number, parcel: ArrayBuffer): void {
    worker.owed -= length;
    this.spare.push(parcel);
    this.onProgress(length);
    this.wake();
  }

  /** What a dead worker had is gone with it; others may be made in its place. */
  private lost(worker: Member): void {
    this.parcels -= Math.min(this.parcels, Math.ceil(worker.owed / PARCEL));
    worker.owed = 0;
    this.wake();
  }

  private wake(): void {
    const { resume } = this;
    this.resume = null;
    resume?.();
  }
}

/** One worker thread and what it still owes us. */
class Member {
  /** Bytes sent and not yet taken. */
  owed = 0;
  private readonly thread: Worker;
  private readonly waiting = new Map<number, (facts: BlobFacts) => void>();
  /** Why it can do no more work. */
  dead: string | null = null;

  constructor(
    setup: WorkerSetup,
    onMessage: (message: Exclude<FromWorker, { kind: 'facts' }>) => void,
    onDeath: () => void,
  ) {
    this.thread = new Worker(new URL('./worker.js', import.meta.url), { workerData: setup });
    this.thread.on('message', (message: FromWorker) => {
      if (message.kind !== 'facts') return onMessage(message);
      this.waiting.get(message.id)?.(message.facts);
      this.waiting.delete(message.id);
    });
    const die = (reason: string) => {
      this.dead = reason;
      for (const settle of this.waiting.values()) settle(lost(reason));
      this.waiting.clear();
      onDeath();
    };
    this.thread.on('error', error => die(error.message));
    this.thread.on('exit', () => die('the worker thread ended'));
  }

  tell(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.thread.postMessage(message, transfer);
  }

  ask(message: ToWorker): Promise<BlobFacts> {
    if (this.dead !== null) return Promise.resolve(lost(this.dead));
    return new Promise(resolve => {
      this.waiting.set(message.id, resolve);
      this.tell(message);
    });
  }

  async stop(): Promise<void> {
    await this.thread.terminate();
  }
}

/** Facts about a blob whose worker died, for want of memory for example: nothing is known, and that is said. */
function lost(reason: string): BlobFacts {
  const failure: BlobFailure = { kind: 'unreadable', reason };
  return {
    size: 0,
    digests: null,
    compression: 'none',
    unpacked: null,
    failure,
    stream: null,
    tar: null,
  };
}
