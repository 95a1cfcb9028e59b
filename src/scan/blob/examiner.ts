import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Compression } from '../../codec/registry.js';
import type { Limits } from '../../limits.js';
import type { Algorithm, Digests } from '../../spec/digest.js';
import { EntryTableBuilder } from '../entries/builder.js';
import { ContentCapture, type ContentWanted } from '../entries/content.js';
import { TarWalk, type WalkLimits } from '../entries/walk-layer.js';
import type { Seeds } from '../names/table.js';
import type { TarFacts } from './facts.js';

/** Several digests of the same bytes in one pass. */
class Hasher {
  private readonly hashes: readonly Hash[];

  constructor(algorithms: readonly Algorithm[]) {
    this.hashes = algorithms.map(algorithm => createHash(algorithm));
  }

  update(bytes: Uint8Array): void {
    for (const hash of this.hashes) hash.update(bytes);
  }

  digests(): Digests {
    const [sha256, sha512] = this.hashes.map(hash => hash.digest('hex'));
    return { sha256: `sha256:${sha256}`, sha512: sha512 === undefined ? null : `sha512:${sha512}` };
  }
}

/**
 * Takes what an unpacker has: stored bytes and content, each in its order. It may be on another thread, so it never
 * answers: what it finds wrong it tells at the end.
 */
export interface Examination {
  /** Called once, before anything else. @param isTar  whether the content is to be walked as a tar */
  begin(compression: Compression, isTar: boolean): void;
  /** Bytes as they are stored; for a plain blob they come as content only. */
  stored(bytes: Uint8Array): void;
  content(bytes: Uint8Array): void;
  /** The content since the last check should have this CRC-32. */
  check(crc: number): void;
  /** Where a decoder may put what then comes as content. */
  readonly room?: () => Uint8Array;
}

/** A check that failed. What came after it was not looked at. */
interface FailedCheck {
  readonly expected: number;
  readonly actual: number;
  /** Checks before it that did not fail. */
  readonly passed: number;
  /** Bytes of content up to it. */
  readonly size: number;
}

/** What was found out about a blob's bytes, unpacked where they were packed. */
export interface Examined {
  /** null for a plain blob, whose content is what is stored. */
  readonly stored: Digests | null;
  readonly content: Digests;
  readonly tar: TarFacts | null;
  readonly failed: FailedCheck | null;
}

/** Hashes what is stored, and hashes, checks and walks the content. */
export class Examiner implements Examination {
  private storedHash: Hasher | null = null;
  private readonly contentHash: Hasher;
  private walk: TarWalk | null = null;
  /** CRC of the content since the last check; null where there is nothing to check. */
  private crc: number | null = null;
  private size = 0;
  private passed = 0;
  private failed: FailedCheck | null = null;

  constructor(
    private readonly algorithms: readonly Algorithm[],
    private readonly analysis: Analysis,
  ) {
    this.contentHash = new Hasher(algorithms);
  }

  begin(compression: Compression, isTar: boolean): void {
    if (compression !== 'none') this.storedHash = new Hasher(this.algorithms);
    if (compression === 'gzip') this.crc = 0;
    if (!isTar) return;
    const { files, limits, contents, seeds } = this.analysis;
    const capture = contents === undefined ? null : new ContentCapture(contents, limits);
    const table = files ? new EntryTableBuilder(limits, capture) : null;
    this.walk = new TarWalk(table, files ? capture : null, limits, seeds);
  }

  stored(bytes: Uint8Array): void {
    this.storedHash!.update(bytes);
  }

  content(bytes: Uint8Array): void {
    if (this.failed !== null) return;
    this.size += bytes.length;
    if (this.crc !== null) this.crc = crc32(bytes, this.crc);
    this.contentHash.update(bytes);
    this.walk?.write(bytes);
  }

  check(expected: number): void {
    const { crc: actual, passed, size } = this;
    if (this.failed !== null || actual === null) return;
    if (actual !== expected) this.failed = { expected, actual, passed, size };
    this.passed++;
    this.crc = 0;
  }

  end(): Examined {
    const stored = this.storedHash?.digests() ?? null;
    const content = this.contentHash.digests();
    return { stored, content, tar: this.walk?.end() ?? null, failed: this.failed };
  }
}

/** What is the same for all blobs of a scan. Plain data: worker threads are started with it. */
export interface Analysis {
  readonly limits: WalkLimits &
    Pick<
      Limits,
      | 'unpackedFree'
      | 'unpackedRatio'
      | 'layerBytes'
      | 'archiveBytes'
      | 'layerEntries'
      | 'layerEntryBytes'
      | 'keptContentBytes'
      | 'seconds'
    >;
  /** Whether the entries of layers are kept, or only counted. */
  readonly files: boolean;
  /** What is wanted of the content of layers' files, where their entries are kept. */
  readonly contents?: ContentWanted | undefined;
  /** Seeds of the hashes of names. Default: those of this thread, which it passes on to other threads. */
  readonly seeds?: Seeds | undefined;
  /** When `limits.seconds` are over, on the clock of `source/deadline.ts`. */
  readonly deadline?: number | undefined;
  /** What all threads together have unpacked, in bytes; see `Unpacked`. Left out where it is not counted. */
  readonly unpacked?: SharedArrayBuffer | undefined;
}

/** Counts what all threads unpack of what the user named, and how much of that there is, in memory that they share. */
export class UnpackedTotal {
  readonly memory: SharedArrayBuffer;
  private readonly counts: BigInt64Array;

  /** @param memory  of a count that has begun */
  constructor(memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(16);
    this.counts = new BigInt64Array(this.memory);
    if (memory === undefined) this.counts[1] = UNKNOWN;
  }

  /** @returns the sum so far */
  add(bytes: number): number {
    return Number(Atomics.add(this.counts, 0, BigInt(bytes))) + bytes;
  }

  /** @param bytes  of what the user named; of a pipe those that came so far */
  hasStored(bytes: number): void {
    Atomics.store(this.counts, 1, BigInt(bytes));
  }

  /** Infinite where it is unknown. */
  get stored(): number {
    const stored = Atomics.load(this.counts, 1);
    return stored === UNKNOWN ? Number.POSITIVE_INFINITY : Number(stored);
  }
}

const UNKNOWN = -1n;
