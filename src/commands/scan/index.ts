import type { Cache } from '../../cache/cache.js';
import { itemSizes, readWorkList, type WorkList, type WorkListSource } from '../../containers/work-list.js';
import { InputError, UsageError } from '../../errors.js';
import { shardedList } from '../../fleet/list.js';
import type { Provenance, Shard } from '../../fleet/record.js';
import { shardChoice } from '../../fleet/shard.js';
import type { Resources } from '../../limits.js';
import type { Result } from '../../report/doc.js';
import type { ArchiveReading, ReadOptions } from '../../report/read.js';
import { count } from '../../report/words.js';
import type { BytePath } from '../../spec/byte-path.js';
import { replaceFile } from '../../write/file.js';
import { openResults, type Results } from '../../write/results-file.js';
import { prepareScan, type ScanRequest } from './prepare.js';
import { type ScanProgress, ScanRun } from './run.js';
import { type Earlier, ScanSummary, summaryDoc, summaryLine } from './summary.js';

export type { ScanProgress, ScanRequest };

/** A run over many archives, as the command line asks for it. */
export interface ScanOptions {
  /** Decides on the content of the records. */
  readonly request: ScanRequest;
  readonly source: WorkListSource;
  /** As the command line has it: `3/10`, `auto`, `auto/10`; null for the whole list. */
  readonly shard: string | null;
  /** Shards of about equal size. */
  readonly balance: boolean;
  /** The results file, `-` for standard output; null for a summary alone. */
  readonly output: string | null;
  /** The results file of an earlier run. */
  readonly resume: string | null;
  readonly trustDigest: boolean;
  readonly resources: Pick<Resources, 'jobs' | 'memory'>;
  /** Seconds that one archive may take; 0 for no limit. */
  readonly archiveSeconds: number;
  /** The cache with results of earlier runs; null without. */
  readonly cache: Cache | null;
  /** Seconds that the whole run may take; 0 for no limit. */
  readonly runSeconds: number;
}

/** The effects of a run outside of this program. */
export interface ScanSurroundings {
  readonly read: (file: string, options: ReadOptions) => Promise<ArchiveReading>;
  /** Prints a line on standard error. */
  readonly note: (line: string) => void;
  /** Writes to standard output. */
  readonly put: (bytes: Uint8Array) => Promise<void>;
  /** Shows how far the run is, as often as it likes. */
  readonly watch: <T>(run: Watched, work: () => Promise<T>) => Promise<T>;
  /** The variables of the process, in which engines say which shard is meant. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A run while it lasts. */
export interface Watched {
  readonly progress: () => ScanProgress;
  /** Looks up the sizes of all archives, for an estimate. */
  readonly learnSizes: () => Promise<void>;
  /** Where the records are that were made so far, and how to go on, for a run that is interrupted. */
  readonly lastWords: () => string;
}

/**
 * `waybill scan`: a record for each archive.
 * @throws InputError if the list cannot be made, the results cannot be written, or the time is over
 */
export async function scan(options: ScanOptions, surroundings: ScanSurroundings): Promise<Result> {
  const { note } = surroundings;
  const wanted = chosenShard(options, surroundings);
  const prepared = await prepareScan(options.request, surroundings.read);
  const list = await readWorkList({ ...options.source, outputs: outputsOf(options) });
  for (const line of [...prepared.notes, ...remarksOn(list)]) note(line);
  const sizes = options.balance ? await itemSizes(list) : null;
  const { shard, paths } = shardedList({ paths: list.paths, sizes }, wanted);
  const provenance: Provenance = { ...prepared.provenance, shard };
  const summary = new ScanSummary(paths);
  const results = await resultsOf(options, { provenance, list, paths }, surroundings);
  const start = performance.now();
  const abort = new AbortController();
  const run = new ScanRun({
    list,
    paths,
    indexes: [...results.missing()],
    prepared,
    provenance,
    resources: options.resources,
    archiveSeconds: options.archiveSeconds,
    cache: options.cache,
    signal: abort.signal,
    onRecord: async record => {
      summary.add(record);
      await results.add(record.index, record.line, record.exitCode);
    },
  });
  const { runSeconds } = options;
  // From the start of the process, as the watchdog counts, which ends the process later.
  const left = Math.max(0, runSeconds * 1000 - performance.now());
  const timer = runSeconds === 0 ? null : setTimeout(() => abort.abort(), left);
  try {
    const lastWords = () => interrupted(options, run.progress(), results.kept);
    await surroundings.watch(
      { progress: () => run.progress(), learnSizes: () => run.learnSizes(), lastWords },
      () => run.finish(),
    );
    const { archives, ofArchives } = run.progress();
    if (archives < ofArchives) throw timeIsOver(options, run.progress(), results.kept);
    const exitCode = await results.finish(performance.now() - start);
    return resultOf(options, summary, { exitCode, earlier: results, isWhole: shard.of === 1 });
  } catch (error) {
    results.stop();
    throw error;
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}

/** Files and folders that the run writes: below a folder that is scanned they are no items. */
const outputsOf = ({ output, resume, cache }: ScanOptions): readonly string[] =>
  [output, resume, cache?.setup.place?.dir].filter(file => file != null && file !== '-') as string[];

interface ShardedWork {
  readonly provenance: Provenance;
  readonly list: WorkList;
  readonly paths: readonly BytePath[];
}

/** @throws UsageError for a shard that is none, and where engines do not say which one is meant */
function chosenShard(
  { shard }: ScanOptions,
  { environment }: ScanSurroundings,
): Pick<Shard, 'number' | 'of'> {
  if (shard === null) return { number: 1, of: 1 };
  const choice = shardChoice(shard, environment);
  if ('error' in choice) throw new UsageError(`--shard: ${choice.error}`);
  // Bazel runs the same test once more for each shard unless this file is there.
  if (choice.statusFile !== null) replaceFile(choice.statusFile, new Uint8Array(0));
  return choice.shard;
}

async function resultsOf(
  { output, resume, trustDigest }: ScanOptions,
  { provenance, list, paths }: ShardedWork,
  { note, put }: ScanSurroundings,
): Promise<Results> {
  if (output === null) return new NoResults(paths.length);
  const listCount = list.paths.length;
  const { root } = list;
  return openResults({ output, resume, trustDigest, provenance, root, paths, listCount, put, note });
}

/** For a run whose records are only counted. */
class NoResults implements Results {
  readonly kept = 0;
  readonly keptFailing = 0;
  private exitCode: 0 | 1 | 2 = 0;

  constructor(private readonly length: number) {}

  missing(): Iterable<number> {
    return Array.from({ length: this.length }).keys();
  }

  async add(_index: number, _line: string, exitCode: 0 | 1 | 2): Promise<void> {
    if (exitCode > this.exitCode) this.exitCode = exitCode;
  }

  async finish(): Promise<0 | 1 | 2> {
    return this.exitCode;
  }

  stop(): void {}
}

function remarksOn({ duplicates, foldersAgain, resultsFiles }: WorkList): string[] {
  return [
    ...(duplicates === 0 ? [] : [`${count(duplicates, 'path')} named more than once, and read once`]),
    ...(foldersAgain === 0
      ? []
      : [`${count(foldersAgain, 'folder')} reached by links too, and searched once`]),
    ...(resultsFiles === 0 ? [] : [`${count(resultsFiles, 'results file')} left out`]),
  ];
}

function interrupted({ output }: ScanOptions, { archives, ofArchives }: ScanProgress, kept: number): string {
  const made = `${archives + kept} of ${ofArchives + kept} records were made`;
  if (output === null || output === '-') return `interrupted: ${made}`;
  return `interrupted: ${made}, and are in ${output}.partial; --resume ${output} makes the others`;
}

function timeIsOver(
  { output, runSeconds }: ScanOptions,
  { archives, ofArchives }: ScanProgress,
  kept: number,
) {
  const made = `${archives + kept} of ${ofArchives + kept} records were made`;
  return new InputError(
    `not done in time: --timeout is ${runSeconds} s, and ${made}`,
    output ?? 'scan',
    output === null || output === '-'
      ? 'Give it a longer --timeout, or several shards: --shard 1/10.'
      : `They are in ${output}.partial. Continue with --resume ${output}.`,
  );
}

interface RunEnd {
  readonly exitCode: 0 | 1 | 2;
  readonly earlier: Earlier;
  /** Not one of several shards, of which some may have no archive. */
  readonly isWhole: boolean;
}

function resultOf(
  { output }: ScanOptions,
  summary: ScanSummary,
  { exitCode, earlier, isWhole }: RunEnd,
): Result {
  const wrote = output === null || output === '-' ? '' : `wrote ${output}: `;
  // Hazard: a folder whose mount failed would pass.
  const isVoid = isWhole && summary.archives === 0 && earlier.kept === 0;
  return {
    data: null,
    doc: summaryDoc(summary, earlier),
    exitCode: isVoid ? 2 : exitCode,
    isVerdict: true,
    notes: [
      ...(output === null ? [] : [`${wrote}${summaryLine(summary, earlier)}`, ...summary.failures()]),
      ...(isVoid ? ['no file of the list is an archive: is the folder mounted, and complete?'] : []),
    ],
  };
}
