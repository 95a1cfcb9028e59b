import { BLOCK, hasValidChecksum, headerSize, isHeaderOnly, isMetadataFlag } from '../source/tar-header.js';
import type { TarFacts } from './facts.js';

/** Names of eStargz's table of contents. https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md */
const ESTARGZ_TOC = 'stargz.index.json';
/** PAX records are read for their size; a larger record than this has no honest use for one. */
const PAX_CAP = 1 << 20;

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
  private pax: { bytes: Uint8Array; filled: number; padding: number } | null = null;
  private paxSize: number | null = null;
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
      } else if (this.pax !== null) {
        at += this.fillPax(chunk.subarray(at));
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
      else if (this.skip > this.content || this.pax !== null || this.pendingMetadata) {
        this.error = `it ends inside its entry ${this.entries}`;
      }
    }
    return {
      entries: this.entries,
      error: this.error,
      endMarker: this.zeroBlocks >= 2,
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
    if (flag === 0x78 && size <= PAX_CAP && size > 0) {
      this.pax = { bytes: new Uint8Array(size), filled: 0, padding };
    } else {
      this.content = padding;
      this.skip = size + padding;
    }
  }

  private entry(block: Uint8Array, flag: number, headerClaims: number): void {
    this.entries++;
    this.pendingMetadata = false;
    const size = isHeaderOnly(flag) ? 0 : (this.paxSize ?? headerClaims);
    this.paxSize = null;
    this.estargz ||= startsWith(block, ESTARGZ_TOC);
    this.content = -size & (BLOCK - 1);
    this.skip = size + this.content;
  }

  private fillPax(bytes: Uint8Array): number {
    const pax = this.pax!;
    const step = Math.min(bytes.length, pax.bytes.length - pax.filled);
    pax.bytes.set(bytes.subarray(0, step), pax.filled);
    pax.filled += step;
    if (pax.filled === pax.bytes.length) {
      const size = /(?:^|\n)\d+ size=(\d+)\n/.exec(Buffer.from(pax.bytes).toString('latin1'))?.[1];
      if (size !== undefined) this.paxSize = Number(size);
      this.pax = null;
      this.content = pax.padding;
      this.skip = pax.padding;
    }
    return step;
  }
}

function startsWith(block: Uint8Array, name: string): boolean {
  for (let i = 0; i < name.length; i++) if (block[i] !== name.charCodeAt(i)) return false;
  return block[name.length] === 0;
}
