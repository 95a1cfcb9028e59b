import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Compression } from '../../codec/registry.js';
import type { Limits } from '../../limits.js';
import type { Effort } from '../../secrets/secret.js';
import type { Algorithm, Digests } from '../../spec/digest.js';
import { EntryTableBuilder } from '../entries/builder.js';
import { ContentCapture } from '../entries/content.js';
import { TarWalk, type WalkLimits } from '../entries/walk-layer.js';
import type { ContentWanted } from '../entries/wanted.js';
import type { Seeds } from '../names/table.js';
import type { TarFacts } from './facts.js';
import { UnpackedTotal } from './unpacked-total.js';

/** Computes several digests of the same bytes in one pass. */
export class Hasher {
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
 * Receives the output of an unpacker: stored bytes and content, each in order. The receiver may be on another thread,
 * so calls return nothing; it reports mismatches at the end.
 */
export interface Examination {
  /**
   * Called once, before any other method.
   * @param isTar  whether to walk the content as a tar
   */
  begin(compression: Compression, isTar: boolean): void;
  /** Receives bytes as they are stored; those of an uncompressed blob are passed as content only. */
  stored(bytes: Uint8Array): void;
  content(bytes: Uint8Array): void;
  /** The CRC-32 that the content since the last check should have. */
  check(crc: number): void;
  /** Returns a buffer in which a decoder may place the next content. */
  readonly room?: () => Uint8Array;
}

/** The first check that failed. Content after it was not examined. */
interface FailedCheck {
  readonly expected: number;
  readonly actual: number;
  /** Number of checks before it, all successful. */
  readonly passed: number;
  /** Bytes of content before it. */
  readonly size: number;
}

/** The facts about a blob's stored and unpacked bytes. */
export interface Examined {
  /** null for an uncompressed blob, whose content is the stored bytes. */
  readonly stored: Digests | null;
  readonly content: Digests;
  readonly tar: TarFacts | null;
  readonly failed: FailedCheck | null;
}

/** Hashes the stored bytes, and hashes, checks and walks the content. */
export class Examiner implements Examination {
  private storedHash: Hasher | null = null;
  private readonly contentHash: Hasher;
  private walk: TarWalk | null = null;
  /** CRC-32 of the content since the last check; null if there is none to compare. */
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
    const capture =
      contents === undefined
        ? null
        : new ContentCapture(contents, limits, this.effort(), compression === 'none');
    const table = files ? new EntryTableBuilder(limits, capture) : null;
    this.walk = new TarWalk(table, files ? capture : null, limits, seeds);
  }

  private effort(): Effort | undefined {
    const { unpacked } = this.analysis;
    return unpacked === undefined ? undefined : new UnpackedTotal(unpacked);
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

/** Parameters that all blobs of a scan share. Plain data, because worker threads are started with it. */
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
      | 'secretFileBytes'
      | 'layerSecrets'
      | 'packageFileBytes'
      | 'seconds'
    >;
  /** True if the entries of layers are kept; otherwise they are only counted. */
  readonly files: boolean;
  /** The file contents to read, if entries are kept. */
  readonly contents?: ContentWanted | undefined;
  /** Seeds for the hashes of names. Default: those of this thread, which it passes to other threads. */
  readonly seeds?: Seeds | undefined;
  /** The deadline of `limits.seconds`, on the clock of `containers/deadline.ts`. */
  readonly deadline?: number | undefined;
  /**
   * A shared counter of the bytes that all threads have unpacked; see `UnpackedTotal`. Absent if they are not counted.
   */
  readonly unpacked?: SharedArrayBuffer | undefined;
}
