import type { Cache } from '../../cache/cache.js';
import type { ArchiveIdentity } from '../../containers/archive-identity.js';
import {
  absolutePath,
  itemSizes,
  itemState,
  type WalkedAs,
  type WorkList,
} from '../../containers/work-list.js';
import { InputError, UsageError } from '../../errors.js';
import { recordedPath } from '../../fleet/list.js';
import type { Item, Provenance } from '../../fleet/record.js';
import { archiveLine, otherLine } from '../../fleet/results.js';
import type { Resources } from '../../limits.js';
import { type LanePlan, lanesWithin } from '../../scan/resources.js';
import { hasThreads } from '../../scan/threads/available.js';
import { type BytePath, shownPath } from '../../spec/byte-path.js';
import { KnownAnswers } from './known-answers.js';
import { failedAnswer, type LaneAnswer, type LaneSetup, type LaneTask } from './lane.js';
import { type LaneRunner, laneHere, ThreadLane } from './lanes.js';
import type { Prepared } from './prepare.js';

/** The record of an item, before it is in a results file. */
export interface MadeRecord {
  /** Index of the item in the paths of the run. */
  readonly index: number;
  /** Without its line break. */
  readonly line: string;
  readonly exitCode: 0 | 1 | 2;
  readonly answer: LaneAnswer;
}

/** How far a run is. Counts are of the items that this run reads. */
export interface ScanProgress {
  readonly archives: number;
  readonly ofArchives: number;
  readonly bytes: number;
  /** null until the sizes of all items are known. */
  readonly ofBytes: number | null;
  /** Records with exit code 2. */
  readonly failed: number;
}

export interface ScanOptions {
  readonly list: Pick<WorkList, 'root' | 'walked'>;
  /** The items of the run. */
  readonly paths: readonly BytePath[];
  /** The indexes of those to read. */
  readonly indexes: readonly number[];
  readonly prepared: Prepared;
  readonly provenance: Provenance;
  readonly resources: Pick<Resources, 'jobs' | 'memory'>;
  /** Seconds that one archive may take; 0 for no limit. */
  readonly archiveSeconds: number;
  /** null without one. */
  readonly cache: Cache | null;
  /** Ends the run: what was not read by then has no record. */
  readonly signal: AbortSignal;
  /** Called with each record as soon as it is made. */
  readonly onRecord: (record: MadeRecord) => Promise<void> | void;
}

/** Up to so many archives, and bytes of all together, are read without threads: starting one takes 50 ms. */
const FEW = 4;
const FEW_BYTES = 4 * 1024 * 1024;

const NO_TIMEOUT =
  '--archive-timeout: expected threads, because an archive that takes too long is ended with its thread, but none can ' +
  'be started here: leave the option out, or start Node with --allow-worker';

/** One run over the items of a work list, several at a time. */
export class ScanRun {
  private readonly lanes: LaneRunner[] = [];
  private readonly counter = new SharedArrayBuffer(8);
  private readonly queue: Iterator<number>;
  private readonly plan: LanePlan;
  private readonly records: KnownAnswers | null;
  private done = 0;
  private failed = 0;
  private totalBytes: number | null = null;
  private areSizesWanted = false;

  constructor(private readonly options: ScanOptions) {
    this.queue = options.indexes.values();
    this.plan = lanesWithin(options.resources, options.indexes.length);
    const { cache, provenance } = options;
    // The heap of a thread may lower limits.
    const settings = [
      provenance.tool,
      provenance.command,
      provenance.policy,
      provenance.settings,
      Math.min(this.plan.heapMegabytes, 512),
    ];
    this.records = cache === null ? null : new KnownAnswers(cache.records, JSON.stringify(settings));
  }

  /** @throws whatever `onRecord` throws: a full disk ends the run */
  async finish(): Promise<void> {
    const { options } = this;
    if (options.indexes.length === 0) return;
    const stop = () => void this.close();
    options.signal.addEventListener('abort', stop);
    try {
      await this.open();
      await Promise.all(this.lanes.map(lane => this.work(lane)));
    } finally {
      options.signal.removeEventListener('abort', stop);
      await this.close();
    }
  }

  progress(): ScanProgress {
    const { options, done, failed, totalBytes } = this;
    const bytes = Number(Atomics.load(new BigInt64Array(this.counter), 0));
    return { archives: done, ofArchives: options.indexes.length, bytes, ofBytes: totalBytes, failed };
  }

  /** Looks up the sizes of all items, once, for an estimate. */
  async learnSizes(): Promise<void> {
    if (this.areSizesWanted) return;
    this.areSizesWanted = true;
    this.totalBytes = await this.bytesOfAll();
  }

  private async open(): Promise<void> {
    const { prepared, resources, archiveSeconds, cache } = this.options;
    const { lanes, jobs, heapMegabytes } = this.plan;
    const setup: LaneSetup = {
      examination: prepared.examination,
      files: prepared.files,
      jobs,
      memory: resources.memory,
      cache: cache?.setup ?? null,
      progress: this.counter,
    };
    const isOne = !hasThreads();
    if (isOne && archiveSeconds > 0) throw new UsageError(NO_TIMEOUT);
    if (isOne || (archiveSeconds === 0 && (await this.areFew())))
      this.lanes.push(await laneHere({ ...setup, jobs: 1 }));
    else
      for (let i = 0; i < lanes; i++)
        this.lanes.push(new ThreadLane(setup, { heapMegabytes, archiveSeconds }));
  }

  private async areFew(): Promise<boolean> {
    return this.options.indexes.length <= FEW && (await this.bytesOfAll()) <= FEW_BYTES;
  }

  private async bytesOfAll(): Promise<number> {
    const { list, paths, indexes } = this.options;
    const sizes = await itemSizes({ root: list.root, paths: indexes.map(index => paths[index]!) });
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  private async close(): Promise<void> {
    await Promise.all(this.lanes.map(lane => lane.close()));
  }

  /** The next item is looked up while one is read. */
  private async work(lane: LaneRunner): Promise<void> {
    let next = this.nextItem();
    for (;;) {
      const item = await next;
      if (item === null || this.options.signal.aborted) return;
      next = this.nextItem();
      // Its error is thrown when its turn comes.
      next.catch(() => {});
      const start = performance.now();
      const answer = item.answer ?? (await lane.answer(item.task));
      if (answer === null) return;
      await this.record(item, answer, performance.now() - start);
    }
  }

  private async record(planned: PlannedItem, answer: LaneAnswer, durationMs: number): Promise<void> {
    const { provenance, onRecord, cache } = this.options;
    const { index, item, task, identity, answer: known } = planned;
    if (answer.cached !== undefined) cache?.add(answer.cached);
    if (identity !== null && known === null) this.records?.keep(identity, task, answer);
    const isArchive = answer.kind === 'archive';
    const line = isArchive
      ? archiveLine(item, provenance, durationMs, answer.body)
      : otherLine(item, provenance, answer.reason);
    const exitCode = isArchive ? answer.exitCode : 0;
    this.done++;
    if (exitCode === 2) this.failed++;
    await onRecord({ index, line, exitCode, answer });
  }

  private async nextItem(): Promise<PlannedItem | null> {
    const { done, value: index } = this.queue.next();
    if (done === true) return null;
    const path = this.options.paths[index]!;
    const { root, walked } = this.options.list;
    const { identity, ...state } = itemState(root, path);
    const as = walked.get(path);
    const file = absolutePath(root, path);
    const task: LaneTask = { file, shown: shownPath(path), named: as === undefined };
    const item = { ...recordedPath(path), ...state };
    const answer = state.mtime === null ? absent(as) : answerOf(as);
    const { records } = this;
    if (answer !== null || identity === null || records === null)
      return { index, item, task, identity: null, answer };
    const known = records.find(identity, task);
    if (known !== null) Atomics.add(new BigInt64Array(this.counter), 0, BigInt(state.size ?? 0));
    return { index, item, task, identity, answer: known };
  }
}

interface PlannedItem {
  readonly index: number;
  readonly item: Item;
  readonly task: LaneTask;
  /** null for what is not looked up in a cache. */
  readonly identity: ArchiveIdentity | null;
  /** Known without reading it; null otherwise. */
  readonly answer: LaneAnswer | null;
}

function answerOf(as: WalkedAs | undefined): LaneAnswer | null {
  if (as?.kind === 'other') return { kind: 'other', reason: as.reason, isLasting: false };
  return as?.kind === 'unreadable' ? failedAnswer(as.error) : null;
}

const absent = (as: WalkedAs | undefined): LaneAnswer =>
  answerOf(as) ??
  failedAnswer(
    new InputError(
      'no such file or directory',
      '',
      as === undefined
        ? 'Is it below the --root of this machine, and mounted?'
        : 'It was removed after the list was made.',
    ),
  );
