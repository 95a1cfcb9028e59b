import { createHash, hash } from 'node:crypto';
import { isObject } from '../spec/json.js';
import { visibleJson } from '../visible.js';
import { pathOfRecord } from './list.js';
import type { ArchiveRecord, Item, OtherRecord, Provenance, ResultLine, Shard, Trailer } from './record.js';

/** A line that says something about an item. */
export type ItemRecord = ArchiveRecord | OtherRecord;

/**
 * The line of an archive, without its line break.
 * @param body  the JSON object of everything else in `ArchiveRecord`: sha256, exitCode, error and what follows them
 */
export function archiveLine(item: Item, provenance: Provenance, durationMs: number, body: string): string {
  const head = JSON.stringify({
    kind: 'archive',
    ...item,
    ...provenance,
    durationMs: Math.round(durationMs),
  });
  return visibleJson(`${head.slice(0, -1)},${body.slice(1)}`);
}

/** The line of a file that is no archive, without its line break. */
export const otherLine = (item: Item, provenance: Provenance, reason: string): string =>
  visibleJson(JSON.stringify({ kind: 'other', ...item, ...provenance, reason }));

/** The line of a record that was read from a line, with some members changed. */
export const changedLine = (
  record: ItemRecord,
  changes: Partial<Item> & { readonly shard?: Shard },
): string => visibleJson(JSON.stringify({ ...record, ...changes }));

/** Why a line is no result line. */
export type LineFault = 'not-json' | 'not-a-result' | 'other-schema';

/**
 * Reads a line. Only what identifies a record and compares it with others is checked: images and findings are not.
 * @param line  without its line break
 */
export function parseLine(line: string): ResultLine | LineFault {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'not-json';
  }
  if (!isObject(value) || !KINDS.includes(value.kind)) return 'not-a-result';
  if (value.schemaVersion !== 1) return 'other-schema';
  const isLine = hasProvenance(value) && (value.kind === 'end' ? isTrailer(value) : isRecord(value));
  return isLine ? (value as unknown as ResultLine) : 'not-a-result';
}

type Json = Readonly<Record<string, unknown>>;

const KINDS: readonly unknown[] = ['archive', 'other', 'end'];
const COMMANDS: readonly unknown[] = ['scan', 'verify', 'check', 'sizes'];
const EXIT_CODES: readonly unknown[] = [0, 1, 2];
const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isTextOrNull = (value: unknown) => value === null || isText(value);

function hasProvenance({ tool, command, policy, settings, shard }: Json): boolean {
  if (!isText(tool) || !COMMANDS.includes(command) || !isTextOrNull(policy) || !isText(settings))
    return false;
  if (!isObject(shard) || !isCount(shard.number) || !isCount(shard.of)) return false;
  const isInside = shard.number >= 1 && shard.number <= shard.of;
  return isInside && (shard.by === 'path' || shard.by === 'size') && isText(shard.list);
}

const isTrailer = ({ count, listCount, records, exitCode }: Json) =>
  isCount(count) && isCount(listCount) && isText(records) && EXIT_CODES.includes(exitCode);

function isRecord({ kind, path, pathBytes, size, mtime, sha256, exitCode, error, reason }: Json): boolean {
  if (!isText(path) || (pathBytes !== undefined && !isText(pathBytes))) return false;
  if (pathOfRecord({ path, ...(pathBytes !== undefined && { pathBytes }) }) === null) return false;
  if ((size !== null && !isCount(size)) || !isTextOrNull(mtime)) return false;
  if (kind === 'other') return isText(reason);
  const isError = error === null || (isObject(error) && isText(error.what) && isTextOrNull(error.remedy));
  return (
    isError && isTextOrNull(sha256) && EXIT_CODES.includes(exitCode) && (error !== null) === (exitCode === 2)
  );
}

/** The exit code that a record gives its run. */
export const exitCodeOf = (record: ItemRecord): 0 | 1 | 2 =>
  record.kind === 'archive' ? record.exitCode : 0;

/** A member of the provenance in which two lines differ. */
export interface ProvenanceDifference {
  readonly member: keyof Omit<Provenance, 'shard'> | `shard.${keyof Shard}`;
  readonly expected: string | number | null;
  readonly found: string | number | null;
}

/** Everything in which the provenance of a line differs from the expected one. */
export function provenanceDifferences(expected: Provenance, found: Provenance): ProvenanceDifference[] {
  const own = (['schemaVersion', 'tool', 'command', 'policy', 'settings'] as const).map(member => ({
    member,
    expected: expected[member],
    found: found[member],
  }));
  const shards = (['number', 'of', 'by', 'list'] as const).map(member => ({
    member: `shard.${member}` as const,
    expected: expected.shard[member],
    found: found.shard[member],
  }));
  return [...own, ...shards].filter(difference => difference.expected !== difference.found);
}

const DIGEST_BYTES = 32;

/** The first member of that name is the record's own: only members without objects and the shard are before it. */
const DURATION = /"durationMs":\d+/;

/** sha256 of a line of a record, without its line break and with 0 as its `durationMs`. */
export const lineDigest = (line: string): Buffer =>
  hash('sha256', line.replace(DURATION, '"durationMs":0'), 'buffer');

/** @param lineDigests  in the order of the paths */
export function recordsDigest(lineDigests: Iterable<Uint8Array>): string {
  const sum = createHash('sha256');
  for (const digest of lineDigests) sum.update(digest);
  return `sha256:${sum.digest('hex')}`;
}

/**
 * Digests of the records of one shard, by the index of their paths in the sorted list: enough for the trailer, 33 bytes
 * for each record.
 */
export class RecordSummary {
  exitCode: 0 | 1 | 2 = 0;
  count = 0;
  private readonly digests: Buffer;
  private readonly has: Uint8Array;

  constructor(readonly length: number) {
    this.digests = Buffer.alloc(length * DIGEST_BYTES);
    this.has = new Uint8Array(length);
  }

  hasRecord(index: number): boolean {
    return this.has[index] === 1;
  }

  /** @param line  without its line break */
  add(index: number, line: string, exitCode: 0 | 1 | 2): void {
    lineDigest(line).copy(this.digests, index * DIGEST_BYTES);
    if (!this.hasRecord(index)) this.count++;
    this.has[index] = 1;
    if (exitCode > this.exitCode) this.exitCode = exitCode;
  }

  /** Whether a line is the one that was added. */
  isLine(index: number, line: string): boolean {
    return lineDigest(line).equals(this.digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES));
  }

  /** `Trailer.records`: over the records that there are. */
  recordsDigest(): string {
    const digests: Buffer[] = [];
    for (let i = 0; i < this.length; i++)
      if (this.hasRecord(i)) digests.push(this.digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES));
    return recordsDigest(digests);
  }

  /** The last line, without its line break. */
  trailerLine(provenance: Provenance, listCount: number, durationMs: number): string {
    const { count, exitCode } = this;
    const trailer: Trailer = {
      kind: 'end',
      ...provenance,
      count,
      listCount,
      records: this.recordsDigest(),
      exitCode,
      durationMs: Math.round(durationMs),
    };
    return visibleJson(JSON.stringify(trailer));
  }
}
