import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { fileSha256 } from '../containers/file-digest.js';
import { withFileName } from '../containers/file-name.js';
import { linesIn } from '../containers/results-lines.js';
import { absolutePath, itemState } from '../containers/work-list.js';
import { InputError } from '../errors.js';
import { indexOfPath, pathOfRecord } from '../fleet/list.js';
import { isWholeRecord } from '../fleet/merge-shape.js';
import type { ArchiveRecord, Item, Provenance, Shard } from '../fleet/record.js';
import {
  changedLine,
  exitCodeOf,
  lineDigest,
  parseLine,
  provenanceDifferences,
  recordsDigest,
} from '../fleet/results.js';
import type { BytePath } from '../spec/byte-path.js';
import { writing } from './system-error.js';

export interface EarlierOptions {
  /** The results file of the earlier run. */
  readonly resume: string;
  /** Use a record of a file that has the same size and sha256, whatever its modification time. */
  readonly trustDigest: boolean;
  readonly provenance: Provenance;
  /** The folder that paths are relative to. */
  readonly root: BytePath;
  /** The items of this shard, sorted by bytes. */
  readonly paths: readonly BytePath[];
  /** Prints a line for the user. */
  readonly note: (line: string) => void;
}

/** Where the records of a run are until all are there. */
export const partialOf = (file: string): string => `${file}.partial`;

/** Why a line of an earlier run is not used, in the words of a note. */
const UNUSED = {
  torn: 'the last line was not written to its end',
  damaged: 'the line is no record',
  schemaVersion: 'made by another schema version of results',
  tool: 'made by another version of waybill',
  command: 'made by another command',
  policy: 'made with another policy',
  settings: 'made with other options',
  unlisted: 'the archive is not in the list of this shard any more',
  failed: 'the archive could not be read (exit code 2)',
  other: 'the file was no archive then, which is found out again',
  timed: 'the time of the run decided on the record, and was more than a day ago',
  changed: 'the file has changed since (size, modification time or digest)',
} as const;

type Unused = keyof typeof UNUSED;

/** A record that is used, with the index of its path. */
export interface UsableLine {
  readonly index: number;
  readonly line: string;
  readonly exitCode: 0 | 1 | 2;
}

/**
 * The records of an earlier run that are used: those of its partial file, then those of its completed one. Says at its
 * end which lines are not used.
 * @throws InputError if they are of another list or shard, or the file is no results file
 */
export async function* usableLines(options: EarlierOptions): AsyncGenerator<UsableLine> {
  const { resume, paths, note } = options;
  const files = [partialOf(resume), resume].filter(file => existsSync(file));
  if (files.length === 0) return note(`${resume}: there is no earlier run to resume: beginning anew`);
  const earlier = new EarlierRun(options);
  const unused = new Map<Unused, number>();
  const kept = new Set<number>();
  const used = files.filter(file => !isAltered(file));
  for (const file of files.filter(one => !used.includes(one)))
    note(`${file}: not used: its records are not those that its last line has the digest of`);
  for (const file of used)
    for (const lines of batched(linesOf(file)))
      for (const found of await Promise.all(lines.map(line => earlier.check(file, line)))) {
        if (typeof found === 'string') unused.set(found, (unused.get(found) ?? 0) + 1);
        if (found === null || typeof found === 'string' || kept.has(found.index)) continue;
        kept.add(found.index);
        yield found;
      }
  earlier.requireCommon();
  note(`${resume}: ${kept.size} of ${paths.length} records are kept`);
  for (const [reason, count] of unused)
    note(`${resume}: ${count} ${count === 1 ? 'line is' : 'lines are'} not used: ${UNUSED[reason]}`);
}

/** Whether a completed results file has other records than those that its trailer is about. */
function isAltered(file: string): boolean {
  const digests: Buffer[] = [];
  for (const { text } of linesOf(file)) {
    const line = text === null ? 'not-json' : parseLine(text);
    // Another kind of file is refused when its lines are judged.
    if (digests.length === 0 && typeof line === 'string' && line !== 'other-schema') return false;
    if (typeof line === 'string' || line.kind !== 'end') digests.push(lineDigest(text ?? ''));
    else return digests.length !== line.count || recordsDigest(digests) !== line.records;
  }
  return false;
}

/** Judges the lines of an earlier run. */
class EarlierRun {
  private records = 0;
  private common = 0;

  constructor(private readonly options: EarlierOptions) {}

  /** @returns null for a line that is nothing to be used or to be missed */
  async check(
    file: string,
    { text, isTorn, isFirst, isOld }: EarlierLine,
  ): Promise<UsableLine | Unused | null> {
    const line = text === null ? 'not-json' : parseLine(text);
    const isResult = line === 'other-schema' || typeof line !== 'string';
    const isTornResult = isTorn && BEGINNING.startsWith((text ?? '').slice(0, BEGINNING.length));
    if (isFirst && !isResult && !isTornResult) throw notResults(file);
    if (isTorn) return 'torn';
    if (typeof line === 'string') return line === 'other-schema' ? 'schemaVersion' : 'damaged';
    this.requireShard(file, line.shard);
    if (line.kind === 'end') return null;
    this.records++;
    const index = indexOfPath(this.options.paths, pathOfRecord(line)!);
    if (index < 0) return 'unlisted';
    this.common++;
    const [difference] = provenanceDifferences(this.options.provenance, line);
    if (difference !== undefined && isUnused(difference.member)) return difference.member;
    if (!isWholeRecord(line)) return 'damaged';
    if (exitCodeOf(line) === 2) return 'failed';
    if (line.kind === 'other') return 'other';
    if (line.timed === true && isOld) return 'timed';
    return (await this.usable(index, line, text!)) ?? 'changed';
  }

  private async usable(index: number, record: ArchiveRecord, text: string): Promise<UsableLine | null> {
    const { root, paths, trustDigest, provenance } = this.options;
    const { size, mtime } = itemState(root, paths[index]!);
    if (size !== record.size) return null;
    const isByDigest = trustDigest && size !== null && record.sha256 !== null;
    const isSame = isByDigest
      ? record.sha256 === (await digestOf(absolutePath(root, paths[index]!)))
      : mtime !== null && mtime === record.mtime;
    // A socket, say, has a state but no content.
    if (!isSame) return null;
    const { shard } = provenance;
    const isAsIs = mtime === record.mtime && isSameShard(shard, record.shard);
    const changes: Partial<Item> & { readonly shard: Shard } = { mtime, shard };
    return { index, line: isAsIs ? text : changedLine(record, changes), exitCode: exitCodeOf(record) };
  }

  private requireShard(file: string, { number, of }: Shard): void {
    const { shard } = this.options.provenance;
    if (number === shard.number && of === shard.of) return;
    throw new InputError(
      `expected results of shard ${shard.number}/${shard.of}, found those of ${number}/${of}`,
      file,
      'Each shard has a results file of its own. Nothing was changed.',
    );
  }

  /** Records of quite other archives are not overwritten by accident. */
  requireCommon(): void {
    if (this.records === 0 || this.common > 0) return;
    throw new InputError(
      `results of another list: none of its ${this.records} archives is in the list of this shard`,
      this.options.resume,
      'Was another --root given? Paths are relative to it. Nothing was changed.',
    );
  }
}

const isUnused = (member: string): member is Unused => member in UNUSED;

const isSameShard = (a: Shard, b: Shard): boolean =>
  a.list === b.list && a.by === b.by && a.number === b.number && a.of === b.of;

/** null where it cannot be read: it is then read again, and that is reported. */
async function digestOf(file: BytePath): Promise<string | null> {
  const digits = await withFileName(file, name => fileSha256(name)).catch(() => null);
  return digits === null ? null : `sha256:${digits}`;
}

/** The first characters of a results file, of which a torn first line may have fewer. */
const BEGINNING = '{"kind":"';

/** Whether a file is empty, or begins as a results file does. */
export function beginsAsResults(file: string): boolean {
  const fd = writing(file, () => openSync(file, constants.O_RDONLY | constants.O_NONBLOCK));
  try {
    const bytes = Buffer.alloc(BEGINNING.length);
    const length = readSync(fd, bytes, 0, bytes.length, 0);
    return BEGINNING.startsWith(bytes.toString('latin1', 0, length));
  } finally {
    closeSync(fd);
  }
}

const notResults = (file: string): InputError =>
  new InputError(
    'expected a results file of waybill',
    file,
    'Nothing was changed. Name another file with --resume.',
  );

interface EarlierLine {
  /** null if it is no text, or longer than any record. */
  readonly text: string | null;
  /** The last one, without a line break. */
  readonly isTorn: boolean;
  readonly isFirst: boolean;
  /** The file was written more than a day ago. */
  readonly isOld: boolean;
}

/** An interrupted run is continued within it; exceptions expire and images grow old by days. */
const DAY_MS = 24 * 3600 * 1000;

/** The lines of a file, read synchronously. */
function* linesOf(file: string): Generator<EarlierLine> {
  const fd = writing(file, () => openSync(file, constants.O_RDONLY | constants.O_NONBLOCK));
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw notResults(file);
    const isOld = Date.now() - stats.mtimeMs > DAY_MS;
    for (const { text, number, isEnded, isTooLong, isUtf8 } of linesIn(fd)) {
      const isText = !isTooLong && (isUtf8 || !isEnded);
      yield { text: isText ? text : null, isTorn: !isEnded, isFirst: number === 1, isOld };
    }
  } finally {
    closeSync(fd);
  }
}

/** Lines whose files are looked up at a time. */
const LOOKED_UP = 64;

function* batched<T>(items: Iterable<T>): Generator<readonly T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < LOOKED_UP) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
