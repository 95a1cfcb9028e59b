import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { CodecError, CodecNotLoaded } from '../../codec/codec.js';
import { isOver } from '../../containers/deadline.js';
import { listedDifference, packedDifference } from '../../containers/listed.js';
import { FileWindow, readSteps } from '../../containers/read.js';
import type { ByteRange } from '../../containers/source.js';
import { isSystemError, reasonOf } from '../../errors.js';
import type { Algorithm, Digests } from '../../spec/digest.js';
import { blobFacts } from '../blob/analyser.js';
import { type Analysis, type Examination, Examiner, Hasher } from '../blob/examiner.js';

import type { BlobFacts, BlobFailure } from '../blob/facts.js';
import { type UnpackedBlob, Unpacker } from '../blob/unpacker.js';

/** Bytes read between two progress reports, and between two turns of the event loop. */
const REPORT_EVERY = 8 * 1024 * 1024;

/**
 * Reads and unpacks a range for a worker, and passes the content to `target`. An unreadable file results in facts with
 * a failure. Synchronous except for loading the codec.
 */
export async function readUnpacked(
  range: ByteRange,
  analysis: Analysis,
  target: Examination,
  onProgress: (bytes: number) => void,
): Promise<UnpackedBlob> {
  return withCodec(() => {
    const steps = unpackSteps(range, new Unpacker(analysis, target), analysis);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      onProgress(step.value);
    }
  });
}

/**
 * Reads a range on the main thread, which returns to the event loop regularly.
 * @param signal  ends reading: the facts are then of no use
 */
export async function analyseRange(
  range: ByteRange,
  algorithms: readonly Algorithm[],
  analysis: Analysis,
  onProgress: (bytes: number) => void,
  signal?: AbortSignal | undefined,
): Promise<BlobFacts> {
  const examiner = new Examiner(algorithms, analysis);
  const unpacked = await withCodec(async () => {
    const steps = unpackSteps(range, new Unpacker(analysis, examiner), analysis, signal);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      onProgress(step.value);
      if (step.value >= REPORT_EVERY) await setImmediate();
    }
  });
  return blobFacts(unpacked, examiner.end());
}

/** Like `digestRange`, on the main thread, which returns to the event loop regularly. */
export async function digestRangeHere(
  range: ByteRange,
  algorithms: readonly Algorithm[],
  analysis: Analysis,
  onProgress: (bytes: number) => void,
  signal?: AbortSignal | undefined,
): Promise<Digests | null> {
  const steps = digestSteps(range, algorithms, analysis, signal);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    onProgress(step.value);
    if (step.value >= REPORT_EVERY) await setImmediate();
  }
}

/** The digests of a range's stored bytes; null where not all of them could be read, or not in time. */
export function digestRange(
  range: ByteRange,
  algorithms: readonly Algorithm[],
  analysis: Analysis,
  onProgress: (bytes: number) => void,
): Digests | null {
  const steps = digestSteps(range, algorithms, analysis);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    onProgress(step.value);
  }
}

/** Bytes that are read at a time of a range that is only hashed. */
const READ_BYTES = 256 * 1024;

/** `sha256:…`, or the reason why there is none. */
export type FileDigest = string | BlobFailure;

/** The sha256 of each range, none of which is deflated. */
export function sha256Of(ranges: readonly ByteRange[], analysis: Analysis): FileDigest[] {
  const steps = sha256Steps(ranges, analysis);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Like `sha256Of`, on the main thread, which returns to the event loop regularly.
 * @param signal  ends it: the digests are then of no use
 */
export async function sha256OfHere(
  ranges: readonly ByteRange[],
  analysis: Analysis,
  signal?: AbortSignal | undefined,
): Promise<FileDigest[]> {
  const steps = sha256Steps(ranges, analysis);
  let unreported = 0;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (signal?.aborted === true) {
      steps.return([]);
      return [];
    }
    unreported += step.value;
    if (unreported < REPORT_EVERY) continue;
    unreported = 0;
    await setImmediate();
  }
}

/** Yields the number of bytes read since the last time. */
function* sha256Steps(
  ranges: readonly ByteRange[],
  { deadline, limits }: Analysis,
): Generator<number, FileDigest[]> {
  const files = new OneFile();
  const digests: FileDigest[] = [];
  function* digest({ file, start, length, content }: ByteRange): Generator<number, FileDigest> {
    const window = files.window(file, content);
    const hasher = new Hasher(['sha256']);
    for (let done = 0; done < length; ) {
      if (deadline !== undefined && isOver(deadline))
        return { kind: 'limit', limit: 'seconds', value: limits.seconds, unpacked: done };
      const bytes = window.read(start + done, Math.min(READ_BYTES, length - done));
      if (bytes.length === 0) return { kind: 'unreadable', reason: 'it has become shorter' };
      hasher.update(bytes);
      done += bytes.length;
      yield bytes.length;
    }
    return hasher.digests().sha256;
  }
  try {
    for (const range of ranges)
      try {
        digests.push(yield* digest(range));
      } catch (error) {
        digests.push({ kind: 'unreadable', reason: whyNot(error) });
      }
    return digests;
  } finally {
    files.close();
  }
}

/** The file that is open: most ranges lie in one, which then has one buffer for all. */
class OneFile {
  private open: { readonly file: string; readonly window: FileWindow } | null = null;

  window(file: string, content: Uint8Array | undefined): FileWindow {
    if (this.open?.file !== file) {
      this.close();
      const range = { file, start: 0, length: Number.MAX_SAFE_INTEGER, deflated: false, content };
      this.open = { file, window: new FileWindow(range) };
    }
    return this.open.window;
  }

  close(): void {
    this.open?.window.close();
    this.open = null;
  }
}

/** Yields the number of bytes read since the last time. */
function* digestSteps(
  range: ByteRange,
  algorithms: readonly Algorithm[],
  { deadline = Number.POSITIVE_INFINITY }: Analysis,
  signal?: AbortSignal | undefined,
): Generator<number, Digests | null> {
  const hasher = new Hasher(algorithms);
  let size = 0;
  let unreported = 0;
  const steps = readSteps(range, piece => {
    size += piece.length;
    hasher.update(piece);
    return !isOver(deadline) && signal?.aborted !== true;
  });
  try {
    for (let step = steps.next(); step.done !== true; step = steps.next()) {
      unreported += step.value;
      if (unreported < REPORT_EVERY) continue;
      yield unreported;
      unreported = 0;
    }
  } catch (error) {
    // What is wrong is found, and reported, when the range is analysed.
    if (!isSystemError(error)) throw error;
    return null;
  }
  yield unreported;
  return size === range.length ? hasher.digests() : null;
}

/** Retries after loading the codec. A blob's codec is known from its first bytes, before anything is done with them. */
async function withCodec<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CodecNotLoaded)) throw error;
    await error.codec.load();
    return work();
  }
}

/** Yields the number of bytes read since the last time. */
function* unpackSteps(
  range: ByteRange,
  unpacker: Unpacker,
  analysis: Analysis,
  signal?: AbortSignal | undefined,
): Generator<number, UnpackedBlob> {
  let unreported = 0;
  let failure: BlobFailure | null = null;
  const limit = inflationLimit(range, analysis);
  let [size, crc] = [0, 0];
  let trailing = 0;
  const steps = readSteps(range, piece => {
    size += piece.length;
    if (range.listed !== undefined) crc = crc32(piece, crc);
    if (size > limit) failure = bomb(analysis, size);
    return failure === null && signal?.aborted !== true && unpacker.write(piece);
  });
  try {
    for (let step = steps.next(); ; step = steps.next()) {
      trailing = step.done === true ? step.value : 0;
      if (step.done === true) break;
      unreported += step.value;
      if (unreported < REPORT_EVERY) continue;
      yield unreported;
      unreported = 0;
    }
  } catch (error) {
    failure = { kind: 'unreadable', reason: whyNot(error) };
  }
  yield unreported;
  const unpacked = unpacker.end(failure);
  if (range.listed === undefined || !unpacked.whole) return unpacked;
  const content = { size: unpacked.size, crc32: crc };
  const listed = listedDifference(range.listed, content) ?? packedDifference(range, trailing);
  return listed === null ? unpacked : { ...unpacked, listed };
}

/** Maximum inflated size of a zip's entry, by the rule for layers. */
function inflationLimit({ deflated, length }: ByteRange, { limits }: Analysis): number {
  if (!deflated) return Number.POSITIVE_INFINITY;
  return Math.max(limits.unpackedFree, limits.unpackedRatio * length);
}

const bomb = ({ limits }: Analysis, unpacked: number): BlobFailure => {
  return { kind: 'limit', limit: 'unpackedRatio', value: limits.unpackedRatio, unpacked };
};

/** A damaged zip entry and an I/O error are treated alike: the bytes before it count, the rest is unavailable. */
function whyNot(error: unknown): string {
  if (error instanceof CodecError) return `the zip entry cannot be inflated: ${error.reason}`;
  if (isSystemError(error)) return reasonOf(error);
  throw error;
}
