import {
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { InputError } from '../errors.js';
import type { Provenance } from '../fleet/record.js';
import { RecordSummary } from '../fleet/results.js';
import type { BytePath } from '../spec/byte-path.js';
import { beginsAsResults, partialOf, usableLines } from './earlier-results.js';
import { replaceFile, writeAt } from './file.js';
import { flush, flushLater } from './flush.js';
import { fileIdentity, type OutputPlace, outputPlace, writeWaiting } from './output-file.js';
import { RunLock } from './run-lock.js';
import { unwritable, writing } from './system-error.js';
import { abandon, finished, temporaryBeside } from './unfinished.js';

export interface ResultsOptions {
  /** The results file, `-` for standard output, or a device or pipe. */
  readonly output: string;
  /** The results file of an earlier run whose records are used; null to begin anew. */
  readonly resume: string | null;
  /** Use a record of a file that has the same size and sha256, whatever its modification time. */
  readonly trustDigest: boolean;
  readonly provenance: Provenance;
  /** The folder that paths are relative to. */
  readonly root: BytePath;
  /** The items of this shard, sorted by bytes. */
  readonly paths: readonly BytePath[];
  /** Items of the whole list. */
  readonly listCount: number;
  /** Writes to standard output. */
  readonly put: (bytes: Uint8Array) => Promise<void>;
  /** Prints a line for the user. */
  readonly note: (line: string) => void;
}

/** The records of a run, while they are made. */
export interface Results {
  /** The indexes of the paths that have no record yet, in their order. */
  missing(): Iterable<number>;
  /** Records of an earlier run that are used, and how many of these have findings that fail. */
  readonly kept: number;
  readonly keptFailing: number;
  /**
   * Adds the record of a path, which is on its way to the disk when this returns.
   * @param index  of the path in `paths`
   * @param line   without its line break
   * @throws InputError if it cannot be written, or another run has taken the file over
   */
  add(index: number, line: string, exitCode: 0 | 1 | 2): Promise<void>;
  /**
   * Completes the file: records sorted by path, then the trailer. Every path must have its record.
   * @param durationMs  of the run
   * @returns the exit code of the run
   * @throws InputError if it cannot be written
   */
  finish(durationMs: number): Promise<0 | 1 | 2>;
  /** Ends without completing it: what was written so far is kept, to be resumed. */
  stop(): void;
}

/**
 * Opens the results of a run: takes the lock, and the records of an earlier run.
 * @throws InputError if another run writes there, records of an earlier run would be lost, or the file to be resumed
 *   is of another list or shard, or no results file
 */
export async function openResults(options: ResultsOptions): Promise<Results> {
  const { output, resume, note } = options;
  const place = outputPlace(output, undefined);
  const isFile = place.kind === 'file';
  const isOther = resume !== null && !(isFile && placeOf(resume) === placeOf(output));
  // Of a run that still writes it, the rest would be missing.
  if (isOther) await RunLock.requireFree(lockOf(resume), { shown: resume, note });
  if (!isFile) {
    const results = new StreamedResults(options, place);
    await results.resume();
    return results;
  }
  const lock = await RunLock.take(lockOf(output), { shown: output, note });
  try {
    if (resume === null || isOther) {
      requireResults(output);
      requireNoPartial(output);
    }
    return await openFile(options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

const lockOf = (file: string) => `${file}.lock`;

/** Equal for two names of one place in a folder: a link to a results file has a partial file and a lock of its own. */
const placeOf = (file: string): string => `${fileIdentity(dirname(resolve(file)))}/${basename(file)}`;

/** Hazard: a shell gives `-o *.tar` the first archive as its value. */
function requireResults(output: string): void {
  if (!existsSync(output) || beginsAsResults(output)) return;
  throw new InputError(
    'expected a new name or a results file, found another file',
    output,
    'Nothing was changed. Name another file with --output.',
  );
}

function requireNoPartial(output: string): void {
  const partial = partialOf(output);
  if (!existsSync(partial)) return;
  throw new InputError(
    `an earlier run was not completed: its records are in ${partial}`,
    output,
    `Continue it with --resume ${output}, or remove ${partial} to begin anew.`,
  );
}

async function openFile(options: ResultsOptions, lock: RunLock): Promise<Results> {
  const partial = partialOf(options.output);
  // Of an earlier one nothing is lost before the records that are used are in the new one.
  const temporary = temporaryBeside(partial);
  const results = new FileResults(options, lock, temporary);
  try {
    await results.resume();
    results.flush();
    lock.requireHeld();
    writing(options.output, () => renameSync(temporary, partial));
    finished(temporary);
    return results;
  } catch (error) {
    results.close();
    abandon(temporary);
    throw error;
  }
}

/** The part that is the same for all destinations. */
abstract class GatheredResults implements Results {
  kept = 0;
  keptFailing = 0;
  protected readonly summary: RecordSummary;

  constructor(protected readonly options: ResultsOptions) {
    this.summary = new RecordSummary(options.paths.length);
  }

  *missing(): Generator<number> {
    for (let i = 0; i < this.summary.length; i++) if (!this.summary.hasRecord(i)) yield i;
  }

  /** Adds the records of the earlier run, if there is one. */
  async resume(): Promise<void> {
    const { resume } = this.options;
    if (resume === null) return;
    for await (const { index, line, exitCode } of usableLines({ ...this.options, resume })) {
      await this.add(index, line, exitCode);
      this.kept++;
      if (exitCode !== 0) this.keptFailing++;
    }
  }

  protected trailer(durationMs: number): string {
    const { count, length } = this.summary;
    if (count !== length) throw new Error(`${length - count} of ${length} paths have no record`);
    return this.summary.trailerLine(this.options.provenance, this.options.listCount, durationMs);
  }

  abstract add(index: number, line: string, exitCode: 0 | 1 | 2): Promise<void>;
  abstract finish(durationMs: number): Promise<0 | 1 | 2>;
  abstract stop(): void;
}

const STDOUT = 1;

/** Records in the order in which they are made: on standard output, in a pipe or device. */
class StreamedResults extends GatheredResults {
  /** null for standard output. */
  private readonly fd: number | null;
  /** Whether it was opened here, and is to be closed. */
  private isOwn: boolean;

  constructor(
    options: ResultsOptions,
    private readonly place: OutputPlace,
  ) {
    super(options);
    const { kind, path, shown } = place;
    this.isOwn = kind === 'special';
    if (kind === 'descriptor') this.fd = place.fd === STDOUT ? null : place.fd;
    // Once, because a reader of a pipe sees its end when it is closed.
    else this.fd = writing(shown, () => openSync(path, constants.O_WRONLY));
  }

  async add(index: number, line: string, exitCode: 0 | 1 | 2): Promise<void> {
    await this.write(line);
    this.summary.add(index, line, exitCode);
  }

  async finish(durationMs: number): Promise<0 | 1 | 2> {
    await this.write(this.trailer(durationMs));
    this.stop();
    return this.summary.exitCode;
  }

  stop(): void {
    if (this.isOwn && this.fd !== null) closeSync(this.fd);
    this.isOwn = false;
  }

  private async write(line: string): Promise<void> {
    const bytes = Buffer.from(`${line}\n`);
    const { place, fd } = this;
    if (fd === null) await this.options.put(bytes);
    else writing(place.shown, () => writeWaiting(fd, bytes));
  }
}

/** Milliseconds between two flushes to the disk. */
const FLUSH_MS = 300;

/** Bytes of the completed file that are written at a time. */
const PIECE = 1024 * 1024;

/** Records in a file beside the results file, until all are there. */
class FileResults extends GatheredResults {
  private readonly fd: number;
  /** Where the next line begins, in bytes. */
  private end = 0;
  private readonly starts: Float64Array;
  /** Bytes of the line of each path, without its line break. */
  private readonly lengths: Uint32Array;
  private flushedAt = 0;
  private isClosed = false;
  /** An error of a flush, which is reported with the next record. */
  private flushError: Error | null = null;

  constructor(
    options: ResultsOptions,
    private readonly lock: RunLock,
    file: string,
  ) {
    super(options);
    this.starts = new Float64Array(options.paths.length);
    this.lengths = new Uint32Array(options.paths.length);
    this.fd = writing(options.output, () => openSync(file, 'wx+'));
  }

  async add(index: number, line: string, exitCode: 0 | 1 | 2): Promise<void> {
    const bytes = Buffer.from(`${line}\n`);
    if (!this.lock.isHeld) this.lock.requireHeld();
    this.guarded(() => {
      if (this.flushError !== null) throw this.flushError;
      this.append(bytes);
    });
    this.starts[index] = this.end;
    this.lengths[index] = bytes.length - 1;
    this.end += bytes.length;
    this.summary.add(index, line, exitCode);
    this.flushSoon();
  }

  /** A line that does not fit on the disk leaves no part of it. */
  private append(bytes: Uint8Array): void {
    try {
      writeAt(this.fd, bytes, this.end);
    } catch (error) {
      ftruncateSync(this.fd, this.end);
      throw error;
    }
  }

  private flushSoon(): void {
    const now = performance.now();
    if (now - this.flushedAt < FLUSH_MS) return;
    this.flushedAt = now;
    flushLater(this.fd, error => {
      // After `close` the descriptor may be gone.
      if (error.code !== 'EBADF') this.flushError = error;
    });
  }

  flush(): void {
    this.guarded(() => flush(this.fd));
  }

  async finish(durationMs: number): Promise<0 | 1 | 2> {
    const { output } = this.options;
    const trailer = this.trailer(durationMs);
    this.flush();
    this.guarded(() => replaceFile(output, this.pieces(trailer), () => this.lock.requireHeld()));
    flushFolder(dirname(output));
    // Of an open file NFS keeps another name until it is closed.
    this.close();
    writing(output, () => rmSync(partialOf(output), { force: true }));
    this.lock.release();
    return this.summary.exitCode;
  }

  /** The completed file. */
  private *pieces(trailer: string): Generator<string> {
    let piece = '';
    for (let i = 0; i < this.summary.length; i++) {
      const line = this.lineAt(i);
      if (!this.summary.isLine(i, line)) throw this.changed();
      piece += `${line}\n`;
      if (piece.length < PIECE) continue;
      yield piece;
      piece = '';
    }
    yield `${piece}${trailer}\n`;
  }

  private lineAt(index: number): string {
    const buffer = Buffer.allocUnsafe(this.lengths[index]!);
    let done = 0;
    while (done < buffer.length) {
      const count = readSync(this.fd, buffer, done, buffer.length - done, this.starts[index]! + done);
      if (count === 0) throw this.changed();
      done += count;
    }
    return buffer.toString('utf8');
  }

  private changed(): InputError {
    const partial = partialOf(this.options.output);
    return new InputError('another program has changed it during the run', partial, this.remedy());
  }

  stop(): void {
    this.close();
    this.lock.release();
  }

  /** Safe to be called again. */
  close(): void {
    if (!this.isClosed) closeSync(this.fd);
    this.isClosed = true;
  }

  private remedy(): string {
    return `Then continue with --resume ${this.options.output}: the records so far are kept in ${partialOf(this.options.output)}.`;
  }

  /** Errors of writing say how to go on. */
  private guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      const refused = unwritable(error, this.options.output);
      if (!(refused instanceof InputError) || refused.cause === undefined) throw refused;
      const remedy = [refused.remedy, this.remedy()].filter(line => line !== null).join('\n');
      throw new InputError(refused.what, refused.where, remedy, { cause: refused.cause });
    }
  }
}

/** A renamed file is safe from a loss of power when its folder is flushed. Not all file systems know that. */
function flushFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r');
    try {
      flush(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // The rename was done; only its order with the removal of the partial file is not certain.
  }
}
