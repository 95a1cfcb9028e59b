import { posix } from 'node:path';
import { BLOCK, hasValidChecksum, headerSize, isHeaderOnly, isMetadataFlag } from '../source/tar-header.js';
import type { TarFacts } from './facts.js';

/** Names of eStargz's table of contents. https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md */
const ESTARGZ_TOC = 'stargz.index.json';
/** PAX and GNU records are read for size and name; a larger one than this has no honest use. */
const RECORD_CAP = 1 << 20;
/** Names that are remembered to find two alike, which bounds memory: an honest layer seldom has more entries. */
const NAMES_CAP = 300_000;

/**
 * Walks a layer's tar as its bytes pass, synchronously: a layer easily has 100,000 entries, and a stream per entry costs
 * seven times as much as looking at one block in every so many.
 */
export class TarWalk {
  private readonly block = new Uint8Array(BLOCK);
  private filled = 0;
  /** Bytes of content and padding to pass over before the next header. */
  private skip = 0;
  private content = 0;
  private record: { flag: number; bytes: Uint8Array; filled: number; padding: number } | null = null;
  private paxSize: number | null = null;
  private longName: string | null = null;
  private readonly names = new Set<string>();
  private duplicate: string | null = null;
  private pendingMetadata = false;
  private zeroBlocks = 0;
  private offset = 0;
  private entries = 0;
  private error: string | null = null;
  private done = false;
  private estargz = false;

  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.done; ) {
      if (this.skip > 0) {
        const step = Math.min(this.skip, chunk.length - at);
        this.skip -= step;
        at += step;
      } else if (this.record !== null) {
        at += this.fillRecord(chunk.subarray(at));
      } else {
        at += this.fillBlock(chunk, at);
      }
    }
    this.offset += chunk.length;
  }

  end(): TarFacts {
    if (!this.done && this.error === null) {
      if (this.offset === 0) this.error = 'it is empty (0 bytes)';
      else if (this.filled > 0) this.error = `it ends ${this.filled} bytes into a header of ${BLOCK}`;
      else if (this.skip > this.content || this.record !== null || this.pendingMetadata) {
        this.error = `it ends inside its entry ${this.entries}`;
      }
    }
    return {
      entries: this.entries,
      error: this.error,
      duplicate: this.duplicate,
      estargz: this.estargz,
    };
  }

  private fillBlock(chunk: Uint8Array, at: number): number {
    const step = Math.min(BLOCK - this.filled, chunk.length - at);
    // The common case, a header that lies whole in the chunk, is looked at where it is.
    if (step === BLOCK) {
      this.header(chunk.subarray(at, at + BLOCK));
      return BLOCK;
    }
    this.block.set(chunk.subarray(at, at + step), this.filled);
    this.filled += step;
    if (this.filled === BLOCK) {
      this.filled = 0;
      this.header(this.block);
    }
    return step;
  }

  private header(block: Uint8Array): void {
    if (block[0] === 0 && block.every(byte => byte === 0)) {
      this.zeroBlocks++;
      this.done = this.zeroBlocks >= 2;
      return;
    }
    const wrong = this.wrongWith(block);
    if (wrong !== null) {
      this.error = wrong;
      this.done = true;
      return;
    }
    const size = headerSize(block);
    const flag = block[156]!;
    if (isMetadataFlag(flag)) this.metadata(flag, size);
    else this.entry(block, flag, size);
  }

  private wrongWith(block: Uint8Array): string | null {
    if (this.zeroBlocks > 0) return 'a lone zero block stands between its entries';
    if (!hasValidChecksum(block)) {
      return this.entries === 0 && !this.pendingMetadata
        ? 'its first 512 bytes are no tar header'
        : `the header after its entry ${this.entries} is damaged (checksum)`;
    }
    return Number.isSafeInteger(headerSize(block)) ? null : `entry ${this.entries + 1} has no valid size`;
  }

  private metadata(flag: number, size: number): void {
    this.pendingMetadata = true;
    const padding = -size & (BLOCK - 1);
    if ((flag === PAX || flag === GNU_NAME) && size <= RECORD_CAP && size > 0) {
      this.record = { flag, bytes: new Uint8Array(size), filled: 0, padding };
    } else {
      this.content = padding;
      this.skip = size + padding;
    }
  }

  private entry(block: Uint8Array, flag: number, headerClaims: number): void {
    this.entries++;
    this.pendingMetadata = false;
    const size = isHeaderOnly(flag) ? 0 : (this.paxSize ?? headerClaims);
    const name = this.longName ?? nameOf(block);
    this.paxSize = null;
    this.longName = null;
    this.estargz ||= name === ESTARGZ_TOC;
    this.remember(name);
    this.content = -size & (BLOCK - 1);
    this.skip = size + this.content;
  }

  private remember(name: string): void {
    if (this.duplicate !== null || this.names.size >= NAMES_CAP) return;
    const clean = posix.normalize(name).replace(/(.)\/$/, '$1');
    if (this.names.has(clean)) this.duplicate = Buffer.from(clean, 'latin1').toString();
    this.names.add(clean);
  }

  private fillRecord(bytes: Uint8Array): number {
    const record = this.record!;
    const step = Math.min(bytes.length, record.bytes.length - record.filled);
    record.bytes.set(bytes.subarray(0, step), record.filled);
    record.filled += step;
    if (record.filled === record.bytes.length) {
      const text = Buffer.from(record.bytes).toString('latin1');
      if (record.flag === GNU_NAME) this.longName = untilNul(text);
      else this.readPax(text);
      this.record = null;
      this.content = record.padding;
      this.skip = record.padding;
    }
    return step;
  }

  private readPax(text: string): void {
    const value = (key: string) => new RegExp(`(?:^|\\n)\\d+ ${key}=([^\\n]*)\\n`).exec(text)?.[1];
    const size = value('size');
    if (size !== undefined && /^\d+$/.test(size)) this.paxSize = Number(size);
    this.longName = value('path') ?? this.longName;
  }
}

const PAX = 'x'.charCodeAt(0);
const GNU_NAME = 'L'.charCodeAt(0);

const untilNul = (text: string) => text.split('\0', 1)[0]!;

/** The name in the header, as bytes: ustar keeps its beginning in a prefix of its own. */
function nameOf(block: Uint8Array): string {
  const text = (from: number, to: number) =>
    untilNul(Buffer.from(block.subarray(from, to)).toString('latin1'));
  const isUstar = text(257, 262) === 'ustar' && block[262] === 0;
  const prefix = isUstar ? text(345, 500) : '';
  return prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`;
}
