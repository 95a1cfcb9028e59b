import { crc32 } from 'node:zlib';
import type { Compression } from '../codec/codec.js';
import type { Algorithm, Digests } from '../spec/digest.js';
import type { Analysis } from './analysis.js';
import { EntryTableBuilder } from './entry-builder.js';
import { ContentCapture } from './entry-content.js';
import type { TarFacts } from './facts.js';
import { Hasher } from './hasher.js';
import { TarWalk } from './tar-walk.js';

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
export interface FailedCheck {
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
