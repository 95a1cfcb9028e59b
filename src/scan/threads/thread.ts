import { Worker } from 'node:worker_threads';
import { release } from '../../containers/tar-file.js';
import { SEEDS } from '../names/table.js';
import type { FromWorker, Halves, ToWorker, WorkerSetup, WorkOrder } from './protocol.js';

/** The result of an order: an answer, or the reason why there is none. */
export type OrderResult = Halves | { readonly lost: string };

export interface ThreadEvents {
  /** Called with the bytes that were read, or taken of what was sent. */
  readonly onProgress: (bytes: number) => void;
  /** Called when a chunk has been taken, or will never be. */
  readonly onRoom: () => void;
  /** Called where the module of the thread cannot be loaded: a fault of the installation, not of what is read. */
  readonly onBroken: (why: string) => void;
}

const isUnloadable = (error: Error & { readonly code?: string }): boolean =>
  error instanceof SyntaxError || error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND';

/** One worker thread and its messages. It may end at any time; every later request then fails. */
export class Thread {
  /** The reason why it ended; null while it works. */
  dead: string | null = null;
  private readonly worker: Worker | null = null;
  private readonly waiting = new Map<number, (outcome: OrderResult) => void>();
  /** Chunks that were sent and not taken, in the order of sending. */
  private readonly sent: Uint8Array[] = [];

  constructor(
    setup: WorkerSetup,
    heapMegabytes: number,
    private readonly events: ThreadEvents,
  ) {
    try {
      this.worker = new Worker(new URL('./blob-thread.js', import.meta.url), {
        // All threads use the same seeds for hashes of names.
        workerData: { ...setup, seeds: setup.seeds ?? SEEDS },
        resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
      });
    } catch (error) {
      this.dead = `no thread can be started: ${(error as Error).message}`;
      return;
    }
    this.worker.on('message', (message: FromWorker) => this.receive(message));
    this.worker.on('error', error => {
      if (isUnloadable(error)) events.onBroken(error.message);
      this.die(error.message);
    });
    this.worker.on('exit', () => this.die('the worker thread ended'));
  }

  /** Bytes that were sent and not taken. */
  get owed(): number {
    return this.sent.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Sends a chunk, which must not be changed until it is taken. */
  send(id: number, bytes: Uint8Array): void {
    if (this.dead !== null) {
      release(bytes);
      this.events.onRoom();
      return;
    }
    this.sent.push(bytes);
    this.tell({ kind: 'chunk', id, bytes });
  }

  tell(message: ToWorker): void {
    this.worker?.postMessage(message);
  }

  ask(order: WorkOrder): Promise<OrderResult> {
    if (this.dead !== null) return Promise.resolve({ lost: this.dead });
    return new Promise(resolve => {
      this.waiting.set(order.id, resolve);
      this.tell(order);
    });
  }

  async stop(): Promise<void> {
    await this.worker?.terminate();
  }

  private receive(message: FromWorker): void {
    if (message.kind === 'progress') this.events.onProgress(message.bytes);
    else if (message.kind === 'taken') {
      for (const chunk of this.sent.splice(0, message.chunks)) {
        release(chunk);
        this.events.onProgress(chunk.length);
      }
      this.events.onRoom();
    } else {
      const { kind, id, ...halves } = message;
      this.waiting.get(id)?.(halves);
      this.waiting.delete(id);
    }
  }

  /** All outstanding work of the thread is lost. */
  private die(reason: string): void {
    this.dead ??= reason;
    for (const settle of this.waiting.values()) settle({ lost: this.dead });
    this.waiting.clear();
    for (const chunk of this.sent.splice(0)) release(chunk);
    this.events.onRoom();
  }
}
