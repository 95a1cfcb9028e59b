import type { Cache, CacheSetup, CacheStatistics } from '../../cache/cache.js';
import { withFileName } from '../../containers/file-name.js';
import { isLeftOut } from '../../containers/kind.js';
import { type FilesRead, keepFilesRead } from '../../containers/text-file.js';
import { unreadable } from '../../containers/unreadable.js';
import { isStillThere } from '../../containers/work-list.js';
import { InputError, UsageError } from '../../errors.js';
import { type BytePath, shownPath } from '../../spec/byte-path.js';
import { type Examination, type Examine, loadExaminer, type RecordBody } from './examine.js';

/** An item of the work list, for the thread that reads it. */
export interface LaneTask {
  /** The path to open. */
  readonly file: BytePath;
  /** The path that messages show in its place. */
  readonly shown: string;
  /** False for a file that was found in a folder: it need not be an archive. */
  readonly named: boolean;
}

/** The result for an item. */
export type LaneAnswer = LastingAnswer & {
  /** Whether the same file gives the same result at any other time. */
  readonly isLasting: boolean;
  /** Counts of the cache on the thread, since its last answer. */
  readonly cached?: CacheStatistics | undefined;
};

/** The part of a result that a cache keeps. */
export type LastingAnswer =
  | { readonly kind: 'archive'; readonly body: string; readonly exitCode: 0 | 1 | 2 }
  /** A file of a folder that is not an archive. */
  | { readonly kind: 'other'; readonly reason: string };

/** The data with which a thread begins. */
export interface LaneSetup {
  readonly examination: Examination;
  /** The files of the command line, which the main thread has read. */
  readonly files: FilesRead;
  /** Threads that one reading may use. */
  readonly jobs: number;
  readonly memory: number | undefined;
  /** null without a cache. */
  readonly cache: CacheSetup | null;
  /** Bytes that all lanes have read: one number of 64 bits. */
  readonly progress: SharedArrayBuffer;
}

async function attached(setup: CacheSetup): Promise<Cache> {
  const { attachCache } = await import('../../cache/cache.js');
  return attachCache(setup);
}

/** One archive after another is read, in this thread. An archive that cannot be read is an answer too. */
export class Lane {
  private readonly counter: BigInt64Array;

  private constructor(
    private readonly examine: Examine,
    private readonly cache: Cache | null,
    private readonly setup: LaneSetup,
  ) {
    this.counter = new BigInt64Array(setup.progress);
  }

  /** @throws InputError or UsageError for policies, keys and locks that cannot be used */
  static async open(setup: LaneSetup): Promise<Lane> {
    keepFilesRead(setup.files);
    const cache = setup.cache === null ? null : await attached(setup.cache);
    return new Lane(await loadExaminer(setup.examination), cache, setup);
  }

  async answer(task: LaneTask): Promise<LaneAnswer> {
    const answer = await this.examined(task);
    return this.cache === null ? answer : { ...answer, cached: this.cache.take() };
  }

  private async examined({ file, shown, named }: LaneTask): Promise<LaneAnswer> {
    const { jobs, memory } = this.setup;
    const known = this.cache?.blobs;
    const onProgress = (bytes: number) => void Atomics.add(this.counter, 0, BigInt(bytes));
    const opened = shownPath(file);
    try {
      const { body, isLasting } = await withFileName(file, name =>
        this.examine(name, { jobs, memory, known, onProgress }),
      );
      return { ...archiveAnswer(body), isLasting };
    } catch (error) {
      const refused = refusal(error, opened);
      if (!named && isLeftOut(refused, file) && isStillThere(file))
        return {
          kind: 'other',
          reason: inWords(refused.what, opened, shown),
          isLasting: refused.isLasting,
        };
      return { ...failedAnswer(refused, opened, shown), isLasting: refused.isLasting };
    }
  }
}

const archiveAnswer = (body: RecordBody): LaneAnswer => ({
  kind: 'archive',
  isLasting: false,
  body: JSON.stringify(body),
  exitCode: body.exitCode,
});

/** The record of an item without a report. It need not be the same at another time: the disk or the memory may fail. */
export function failedAnswer({ what, remedy }: InputError, file = '', shown = ''): LaneAnswer {
  const error = {
    what: inWords(what, file, shown),
    remedy: remedy === null ? null : inWords(remedy, file, shown),
  };
  return archiveAnswer({ sha256: null, exitCode: 2, error });
}

/** Results of two machines agree although the archives lie below other folders there. */
const inWords = (text: string, file: string, shown: string): string =>
  file === '' ? text : text.replaceAll(file, shown);

/** One archive must not end the run, whatever it does to the program. */
function refusal(error: unknown, file: string): InputError {
  if (error instanceof InputError) return error;
  if (error instanceof UsageError) return new InputError(error.message, file);
  const unread = unreadable(error, file);
  if (unread instanceof InputError) return unread;
  const [what] = String(error instanceof Error ? error.stack : error).split('\n    at ', 3);
  return new InputError(
    `waybill has a bug: ${what}`,
    file,
    'Please report this, with the output of `waybill verify` for this file.',
    { damaged: true },
  );
}
