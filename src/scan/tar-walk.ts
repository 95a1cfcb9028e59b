import { BLOCK, hasValidChecksum, headerSize, isMetadataFlag } from '../source/tar-header.js';
import type { ContentSink, ContentTaker } from './content.js';
import { typeOf } from './entry.js';
import type { EntryTableBuilder } from './entry-builder.js';
import type { TarFacts } from './facts.js';
import { NameSet } from './name-set.js';
import { readPax } from './pax.js';
import { addExtension, type Extent, type SparseMap, SparseSink, sparseMap } from './sparse.js';
import {
  type EntryHeader,
  type EntryRecords,
  entryDetails,
  entryHeader,
  hasSparseExtension,
  isSparseExtended,
  NO_RECORDS,
} from './tar-entry.js';

/** Names of eStargz's table of contents. https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md */
const ESTARGZ_TOC = 'stargz.index.json';
/** PAX and GNU records are read up to here, as by Go; a larger one has no honest use. */
const RECORD_CAP = 1 << 20;

/**
 * Walks a layer's tar as its bytes pass, synchronously: a layer easily has 100,000 entries, and a stream per entry costs
 * seven times as much as looking at one block in every so many.
 */
export class TarWalk {
  private readonly block = new Uint8Array(BLOCK);
  private filled = 0;
  /** Bytes of content and padding to pass over before the next header. */
  private skip = 0;
  /** How many of them are padding, which a tar may lack at its end. */
  private padding = 0;
  private record: { flag: number; bytes: Uint8Array; filled: number } | null = null;
  private records: EntryRecords = NO_RECORDS;
  private pendingMetadata = false;
  /** What follows once the blocks of a sparse map, which come before the content, have passed; null where none do. */
  private sparse: { readonly header: EntryHeader; readonly map: Extent[] } | null = null;
  /** Takes the content that is passing, where somebody wants it. */
  private sink: ContentSink | null = null;
  private readonly names = new NameSet();
  private zeroBlocks = 0;
  private offset = 0;
  private entries = 0;
  private globalHeaders = 0;
  private error: string | null = null;
  private done = false;
  private estargz = false;

  /**
   * @param table  takes every entry in full; null where they are only counted
   * @param taker  is offered the content of every file
   */
  constructor(
    private readonly table: EntryTableBuilder | null = null,
    private taker: ContentTaker | null = null,
  ) {}

  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.done; ) {
      if (this.skip > 0) {
        const step = Math.min(this.skip, chunk.length - at);
        if (this.sink !== null) this.feed(this.sink, chunk.subarray(at, at + step));
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
      else if (this.isInsideEntry()) this.error = `it ends inside its entry ${this.entries}`;
    }
    this.endContent(false);
    return {
      entries: this.entries,
      globalHeaders: this.globalHeaders,
      error: this.error,
      duplicate: this.names.duplicate,
      estargz: this.estargz,
      table: this.table?.finish() ?? null,
    };
  }

  private isInsideEntry(): boolean {
    return this.skip > this.padding || this.record !== null || this.pendingMetadata || this.sparse !== null;
  }

  private fillBlock(chunk: Uint8Array, at: number): number {
    const step = Math.min(BLOCK - this.filled, chunk.length - at);
    // The common case, a header that lies whole in the chunk, is looked at where it is.
    if (step === BLOCK) {
      this.take(chunk.subarray(at, at + BLOCK));
      return BLOCK;
    }
    this.block.set(chunk.subarray(at, at + step), this.filled);
    this.filled += step;
    if (this.filled === BLOCK) {
      this.filled = 0;
      this.take(this.block);
    }
    return step;
  }

  private take(block: Uint8Array): void {
    if (this.sparse === null) {
      this.header(block);
      return;
    }
    const { header, map } = this.sparse;
    if (this.taker !== null) addExtension(map, block);
    if (isSparseExtended(block)) return;
    this.sparse = null;
    this.content(header, map);
  }

  private header(block: Uint8Array): void {
    if (block[0] === 0 && block.every(byte => byte === 0)) {
      this.zeroBlocks++;
      this.done = this.zeroBlocks >= 2;
      return;
    }
    const size = headerSize(block);
    const wrong = this.wrongWith(block, size);
    if (wrong !== null) {
      this.error = wrong;
      this.done = true;
      return;
    }
    const flag = block[156]!;
    if (isMetadataFlag(flag)) this.metadata(flag, size);
    else this.entry(block, size);
  }

  private wrongWith(block: Uint8Array, size: number): string | null {
    if (this.zeroBlocks > 0) return 'a lone zero block stands between its entries';
    if (!hasValidChecksum(block)) {
      return this.entries === 0 && !this.pendingMetadata
        ? 'its first 512 bytes are no tar header'
        : `the header after its entry ${this.entries} is damaged (checksum)`;
    }
    return Number.isSafeInteger(size) ? null : `entry ${this.entries + 1} has no valid size`;
  }

  /** Passes over content and its padding. */
  private pass(size: number): void {
    this.padding = -size & (BLOCK - 1);
    this.skip = size + this.padding;
  }

  private metadata(flag: number, size: number): void {
    if (flag === PAX_GLOBAL) this.globalHeaders++;
    this.pendingMetadata = true;
    if (flag === PAX_GLOBAL || size > RECORD_CAP) this.pass(size);
    else {
      this.record = { flag, bytes: new Uint8Array(size), filled: 0 };
      if (size === 0) this.endRecord();
    }
  }

  private entry(block: Uint8Array, size: number): void {
    this.entries++;
    const header = entryHeader(block, this.records, size);
    if (this.table?.add(entryDetails(header, block, this.records)) === false) this.taker = null;
    const map = this.taker === null ? null : sparseMap(block, this.records.pax);
    this.pendingMetadata = false;
    this.records = NO_RECORDS;
    this.estargz ||= header.name === ESTARGZ_TOC;
    this.names.add(header.name);
    if (hasSparseExtension(block, header.flag))
      this.sparse = { header, map: typeof map === 'object' && map !== null ? map : [] };
    else this.content(header, map);
  }

  private content(header: EntryHeader, map: SparseMap | null): void {
    this.pass(header.storedSize);
    if (this.taker === null || typeOf(String.fromCharCode(header.flag)) !== 'file') return;
    const sink = this.taker.begin(this.entries - 1, header);
    this.sink = sink === null || map === null ? sink : new SparseSink(sink, map, header.size);
    if (header.storedSize === 0) this.endContent(true);
  }

  private feed(sink: ContentSink, bytes: Uint8Array): void {
    const content = this.skip - this.padding;
    if (content > 0) sink.write(bytes.subarray(0, content));
    if (content <= bytes.length) this.endContent(true);
  }

  private endContent(complete: boolean): void {
    this.sink?.end(complete);
    this.sink = null;
  }

  private fillRecord(bytes: Uint8Array): number {
    const record = this.record!;
    const step = Math.min(bytes.length, record.bytes.length - record.filled);
    record.bytes.set(bytes.subarray(0, step), record.filled);
    record.filled += step;
    if (record.filled === record.bytes.length) this.endRecord();
    return step;
  }

  private endRecord(): void {
    const { flag, bytes } = this.record!;
    if (flag === PAX) this.records = { ...this.records, pax: readPax(bytes) };
    else {
      const text = Buffer.from(bytes).toString('latin1').split('\0', 1)[0]!;
      this.records = { ...this.records, [flag === GNU_NAME ? 'longName' : 'longTarget']: text };
    }
    this.record = null;
    this.skip = -bytes.length & (BLOCK - 1);
    this.padding = this.skip;
  }
}

const [PAX, PAX_GLOBAL, GNU_NAME] = [...'xgL'].map(flag => flag.charCodeAt(0));
