import type { Compression } from '../../codec/registry.js';
import type { ByteRange } from '../../containers/source.js';
import { BLOCK_BYTES, Blocks, hold, release } from '../../containers/tar-file.js';
import { InputError } from '../../errors.js';
import type { Algorithm } from '../../spec/digest.js';
import { blobFacts } from '../blob/analyser.js';
import type { BlobFacts, BlobFailure } from '../blob/facts.js';
import { type BlobLookup, confirmed } from '../blob/known.js';
import type { Plan } from '../resources.js';
import type { WorkerSetup } from './protocol.js';
import type { FileDigest } from './range.js';
import { Ring } from './ring.js';
import { type OrderResult, Thread } from './thread.js';

export interface RangeJob {
  readonly range: ByteRange;
  readonly algorithms: readonly Algorithm[];
  /** Looks for facts about a blob like this one, when its turn comes. */
  readonly lookUp?: () => BlobLookup | null;
}

/** A stream of bytes that is one blob. */
export interface StreamJob {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly algorithms: readonly Algorithm[];
  readonly compression: Compression;
  /** The expected number of bytes. */
  readonly size: number;
  /** Called after the last chunk: the reason why they end before the end of the blob; null if they do not. */
  readonly failure: () => BlobFailure | null;
}

const THREADS = "waybill's threads";
const INSTALL_AGAIN = 'Install waybill again, or read with one thread: --jobs 1.';

/** The second half of the work on one blob, on another thread. */
interface Partner {
  readonly thread: Thread;
  readonly ring: Ring;
  readonly examined: Promise<OrderResult>;
}

/**
 * A compressed blob from a pipe gets a partner from this size on: starting a thread takes as long as hashing so many
 * bytes.
 */
const PARTNER_FROM = 8 * 1024 * 1024;

/**
 * Worker threads that analyse blobs: ranges that they read themselves, biggest first, or streams that are sent to them.
 * A blob that would keep one worker busy after all others are done is processed by two threads: the worker unpacks, its
 * partner hashes and walks.
 */
export class Pool {
  private readonly workers: Thread[] = [];
  private readonly partners: Thread[] = [];
  /** Partners that are in use. */
  private readonly engaged = new Set<Thread>();
  /** Buffers for chunks that cannot be sent without copying. */
  private readonly blocks = new Blocks();
  private resume: (() => void) | null = null;
  private nextId = 0;
  private closed = false;
  /** Set where the threads are broken themselves, so that nothing is known about the archive. */
  private broken: InputError | null = null;

  constructor(
    private readonly setup: WorkerSetup,
    private readonly plan: Plan,
    private readonly onProgress: (bytes: number) => void,
  ) {}

  /** Analyses all jobs in the given order, as many at a time as there are workers. Put the biggest first. */
  async analyseAll<J extends RangeJob>(
    jobs: readonly J[],
    onFacts: (job: J, facts: BlobFacts) => void,
  ): Promise<void> {
    const share = jobs.reduce((sum, job) => sum + job.range.length, 0) / this.plan.workers;
    const next = jobs.values();
    const run = async () => {
      let worker = this.start(this.workers);
      for (const job of next) {
        if (this.closed) return;
        if (worker.dead !== null) worker = this.start(this.workers);
        const { range, algorithms } = job;
        const lookup = job.lookUp?.() ?? null;
        const known = await this.known(job, lookup, worker);
        if (known !== null) {
          onFacts(job, known);
          continue;
        }
        const id = this.nextId++;
        const partner = range.length > share ? this.engage(id, algorithms) : null;
        const ring = partner?.ring.memory ?? null;
        const facts = await this.joined(worker.ask({ kind: 'range', id, range, algorithms, ring }), partner);
        this.release(partner);
        lookup?.keep(facts);
        onFacts(job, facts);
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.plan.workers, jobs.length) }, run));
  }

  /** As of `sha256Of`, by all workers together. */
  async digestsOf(ranges: readonly ByteRange[]): Promise<FileDigest[]> {
    const digests = ranges.map((): FileDigest => ({ kind: 'unreadable', reason: 'its thread ended' }));
    const { workers: most } = this.plan;
    const digest = async (own: number): Promise<void> => {
      if (this.closed) return;
      const numbers = Array.from(ranges.keys()).filter(number => number % most === own);
      const worker = this.workers.filter(thread => thread.dead === null)[own] ?? this.start(this.workers);
      const order = {
        kind: 'files',
        id: this.nextId++,
        ranges: numbers.map(number => ranges[number]!),
      } as const;
      const answer = await worker.ask(order);
      for (const [i, number] of numbers.entries())
        digests[number] = 'lost' in answer ? this.lost(answer.lost).failure! : answer.files![i]!;
    };
    await Promise.all(Array.from({ length: Math.min(most, ranges.length) }, (_, own) => digest(own)));
    return digests;
  }

  /**
   * Facts that are known about a range, whose digest a worker computes; null where there are none about these bytes.
   */
  private async known(
    { range, algorithms }: RangeJob,
    lookup: BlobLookup | null,
    worker: Thread,
  ): Promise<BlobFacts | null> {
    if (lookup === null || lookup.candidate === null) return null;
    const answer = await worker.ask({ kind: 'digest', id: this.nextId++, range, algorithms });
    return confirmed(lookup, 'lost' in answer ? null : (answer.digests ?? null), this.setup);
  }

  /** Analyses a stream of chunks on the least busy worker. The next blob may start before this one is done. */
  async analyseStream({
    chunks,
    algorithms,
    compression,
    size,
    failure,
  }: StreamJob): Promise<{ readonly facts: Promise<BlobFacts> }> {
    const worker = this.leastBusy();
    const id = this.nextId++;
    const isWorthTwo = compression !== 'none' && size >= PARTNER_FROM;
    const partner = isWorthTwo ? this.engage(id, algorithms) : null;
    worker.tell({ kind: 'open', id, algorithms, compression, ring: partner?.ring.memory ?? null });
    await this.sendAll(chunks, chunk => worker.send(id, chunk));
    // The partner can be assigned to the next blob as soon as all of this one is sent. Hazard: a deadlock, if a partner
    // waited for a worker that waits for it. Both process blobs in the order of the blobs, so this cannot happen.
    this.release(partner);
    const facts = this.joined(worker.ask({ kind: 'end', id, failure: failure() }), partner);
    // Its error is thrown when its turn comes.
    facts.catch(() => {});
    return { facts };
  }

  /** Ends all threads. What they have not finished is lost, and no job is started after that. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.workers, ...this.partners].map(thread => thread.stop()));
  }

  /** Sends chunks without copying if they can be held until they are taken, and copies the others together. */
  private async sendAll(chunks: AsyncIterable<Uint8Array>, send: (chunk: Uint8Array) => void): Promise<void> {
    let block: Uint8Array | null = null;
    let filled = 0;
    const flush = () => {
      if (block !== null) send(block.subarray(0, filled));
      block = null;
      filled = 0;
    };
    try {
      for await (const chunk of chunks) {
        if (hold(chunk)) {
          flush();
          send(chunk);
          await this.room();
          continue;
        }
        for (let at = 0; at < chunk.length; ) {
          block ??= this.blocks.take();
          const piece = chunk.subarray(at, at + BLOCK_BYTES - filled);
          block.set(piece, filled);
          filled += piece.length;
          at += piece.length;
          if (filled < BLOCK_BYTES) continue;
          flush();
          await this.room();
        }
      }
      flush();
    } finally {
      if (block !== null) release(block);
    }
  }

  /** Waits while too many bytes are queued. */
  private async room(): Promise<void> {
    while (this.workers.reduce((sum, worker) => sum + worker.owed, 0) >= this.plan.queueBytes) {
      await new Promise<void>(resolve => {
        this.resume = resolve;
      });
    }
  }

  private leastBusy(): Thread {
    const alive = this.workers.filter(worker => worker.dead === null);
    const free = alive.find(worker => worker.owed === 0);
    if (free !== undefined) return free;
    if (alive.length < this.plan.workers) return this.start(this.workers);
    return alive.reduce((a, b) => (b.owed < a.owed ? b : a));
  }

  /** A partner for a blob, or null if none is free. */
  private engage(id: number, algorithms: readonly Algorithm[]): Partner | null {
    const alive = this.partners.filter(thread => thread.dead === null);
    const free = alive.find(thread => !this.engaged.has(thread));
    if (free === undefined && alive.length >= this.plan.partners) return null;
    const thread = free ?? this.start(this.partners);
    this.engaged.add(thread);
    const ring = new Ring();
    const examined = thread.ask({ kind: 'examine', id, ring: ring.memory, algorithms }).then(outcome => {
      // Wakes the writer of the ring, which must not wait for a thread that ended.
      if ('lost' in outcome) ring.break();
      return outcome;
    });
    return { thread, ring, examined };
  }

  private release(partner: Partner | null): void {
    if (partner !== null) this.engaged.delete(partner.thread);
  }

  private start(among: Thread[]): Thread {
    const thread = new Thread(this.setup, this.plan.heapMegabytes, {
      onProgress: this.onProgress,
      onRoom: () => {
        const { resume } = this;
        this.resume = null;
        resume?.();
      },
      onBroken: why => {
        this.broken ??= new InputError(`cannot be started: ${why}`, THREADS, INSTALL_AGAIN);
      },
    });
    among.push(thread);
    return thread;
  }

  private async joined(answer: Promise<OrderResult>, partner: Partner | null): Promise<BlobFacts> {
    const first = await answer;
    // Wakes the reader of the ring, which must not wait for a thread that ended.
    if ('lost' in first) partner?.ring.break();
    const second = partner === null ? first : await partner.examined;
    if ('lost' in first) return this.lost(first.lost);
    if ('lost' in second) return this.lost(second.lost);
    return blobFacts(first.unpacked!, second.examined!);
  }

  /**
   * Facts about a blob whose worker ended, for example for lack of memory: only the failure is known.
   * @throws InputError if no worker can do better
   */
  private lost(why: string): BlobFacts {
    if (this.broken !== null) throw this.broken;
    const reason = `${why}; with --jobs 1 or more --memory it may go through`;
    return {
      size: 0,
      digests: null,
      compression: 'none',
      unpacked: null,
      failure: { kind: 'unreadable', reason },
      stream: null,
      tar: null,
    };
  }
}
