import { defaultLimits, type Limits } from '../../limits.js';
import {
  type ContentSink,
  type ContentTaker,
  type EntryHeader,
  entryDetails,
  entryHeader,
  entryTarget,
  hasSparseExtension,
  isSparseExtended,
  nameOf,
} from '../../tar/entry.js';
import {
  BLOCK,
  hasPlainNumbers,
  hasValidChecksum,
  headerSize,
  isMetadataFlag,
  isZeroBlock,
  PAX_GLOBAL_FLAG,
} from '../../tar/header.js';
import { isSizeText, LayerRecords, TarOddities } from '../../tar/layer-records.js';
import {
  addExtension,
  type Extent,
  MAP_WITHOUT_CONTENT,
  NOWHERE,
  type SparseFault,
  type SparseMap,
  SparseSink,
  sparseMap,
  sparseRecordsFault,
} from '../../tar/sparse.js';
import type { TarFacts } from '../blob/facts.js';
import { LayerNames } from '../names/layer-names.js';
import type { Seeds } from '../names/table.js';
import type { EntryTableBuilder } from './builder.js';
import { compareReadings, overlayMark, xattrFault } from './header-faults.js';
import { typeOfByte } from './table.js';
import { ESTARGZ_TOC, TarEnd } from './tar-end.js';

export type WalkLimits = Pick<Limits, 'pathBytes' | 'paxBytes' | 'layerEntries'>;

/**
 * Walks a layer's tar in chunks, synchronously: a layer easily has 100,000 entries, and a stream per entry takes seven
 * times as long as parsing the header blocks.
 */
export class TarWalk {
  private readonly block = Buffer.alloc(BLOCK);
  private filled = 0;
  /** Bytes of content and padding to skip before the next header. */
  private skip = 0;
  /** How many of these are padding, which may be absent at the end of a tar. */
  private padding = 0;
  private record: { flag: number; bytes: Uint8Array; filled: number } | null = null;
  private readonly oddities = new TarOddities();
  private readonly records = new LayerRecords(this.oddities);
  private pendingMetadata = false;
  /** The state that follows the blocks of a sparse map, which precede the content; null outside of a sparse map. */
  private sparse: {
    readonly header: EntryHeader;
    readonly map: Extent[];
    readonly taker: ContentTaker | null;
  } | null = null;
  /** Receives the content of the entry, if it was requested. */
  private sink: ContentSink | null = null;
  private readonly names: LayerNames;
  private readonly behind = new TarEnd();
  private zeroBlocks = 0;
  /** Bytes before the chunk that is being read, and up to the end of the last header. */
  private offset = 0;
  private blockEnd = 0;
  private entries = 0;
  /** Index among the entries that are kept. */
  private index = -1;
  private globalHeaders = 0;
  private error: string | null = null;
  private done = false;
  private estargz = false;
  private holes = 0;

  /**
   * @param table  receives every entry; null if entries are only counted
   * @param taker  is asked for a sink for the content of every file
   */
  constructor(
    private readonly table: EntryTableBuilder | null = null,
    private taker: ContentTaker | null = null,
    private readonly limits: WalkLimits = defaultLimits,
    seeds?: Seeds,
  ) {
    this.names = new LayerNames(limits, seeds);
  }

  write(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.done) {
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
    if (at < chunk.length && this.error === null) this.behind.write(chunk.subarray(at));
    this.offset += chunk.length;
  }

  end(): TarFacts {
    let isCut = false;
    if (!this.done && this.error === null) {
      // Engines accept an empty file as an empty layer.
      if (this.filled > 0) this.error = `it ends ${this.filled} bytes into a header of ${BLOCK}`;
      else if (this.isInsideEntry()) this.error = `it ends inside its entry ${this.entries}`;
      isCut = this.error !== null;
    }
    this.endContent(false);
    const { names, oddities, limits } = this;
    if (names.isFull) oddities.hasReached('layerEntries', limits.layerEntries, null);
    return {
      entries: this.entries,
      globalHeaders: this.globalHeaders,
      error: this.error,
      isCut,
      duplicate: names.duplicate,
      names: names.finish(),
      estargz: this.estargz || this.behind.hasToc,
      promised: this.offset + this.skip,
      holes: this.holes,
      behind: this.behind.bytes,
      ambiguities: oddities.ambiguities,
      malformed: oddities.malformed,
      reached: oddities.reached,
      table: this.table?.finish() ?? null,
    };
  }

  private isInsideEntry(): boolean {
    return this.skip > this.padding || this.record !== null || this.pendingMetadata || this.sparse !== null;
  }

  /** Each header is copied to one buffer, which is cheaper than parsing it in the chunk. */
  private fillBlock(chunk: Uint8Array, at: number): number {
    const step = Math.min(BLOCK - this.filled, chunk.length - at);
    this.block.set(chunk.subarray(at, at + step), this.filled);
    this.filled += step;
    if (this.filled === BLOCK) {
      this.filled = 0;
      this.blockEnd = this.offset + at + step;
      this.take(this.block);
    }
    return step;
  }

  private take(block: Uint8Array): void {
    if (this.sparse === null) {
      this.header(block);
      return;
    }
    const { header, map, taker } = this.sparse;
    if (taker !== null) addExtension(map, block);
    if (isSparseExtended(block)) return;
    this.sparse = null;
    this.content(header, map, taker);
  }

  private header(block: Uint8Array): void {
    if (block[0] === 0 && isZeroBlock(block)) {
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
    if (!hasPlainNumbers(block)) this.records.checkHeader(block);
    if (isMetadataFlag(flag)) this.metadata(block, size);
    else this.entry(block, size);
  }

  private wrongWith(block: Uint8Array, size: number): string | null {
    if (this.zeroBlocks > 0) return 'a lone zero block stands between its entries';
    if (!hasValidChecksum(block)) {
      return this.entries === 0 && !this.pendingMetadata
        ? 'its first 512 bytes are no tar header'
        : `the header after its entry ${this.entries} is damaged (checksum)`;
    }
    const isEntry = !this.records.isEmpty && !isMetadataFlag(block[156]!);
    const told = isEntry ? this.records.current.pax.get('size') || null : null;
    const isSize = Number.isSafeInteger(size) && (told === null || isSizeText(told));
    return isSize ? null : `entry ${this.entries + 1} has no valid size`;
  }

  /** Skips content and its padding. */
  private pass(size: number): void {
    this.padding = -size & (BLOCK - 1);
    this.skip = size + this.padding;
  }

  private metadata(block: Uint8Array, size: number): void {
    const flag = block[156]!;
    if (flag === PAX_GLOBAL_FLAG) {
      this.globalHeaders++;
      this.names.addGlobal(nameOf(block));
    }
    this.pendingMetadata = true;
    const { paxBytes } = this.limits;
    if (size > paxBytes) {
      this.oddities.hasReached('paxBytes', paxBytes, size);
      this.pass(size);
    } else {
      this.record = { flag, bytes: new Uint8Array(size), filled: 0 };
      if (size === 0) this.endRecord();
    }
  }

  private entry(block: Uint8Array, size: number): void {
    this.entries++;
    const records = this.records.current;
    const header = entryHeader(block, records, size);
    compareReadings(this.oddities, block, header, records, size);
    this.holes += Math.max(0, header.size - header.storedSize);
    this.records.finish(header.name);
    this.pendingMetadata = false;
    const { pathBytes } = this.limits;
    const target = entryTarget(block, records);
    const length = Math.max(header.name.length, target.length);
    const isLeftOut = length > pathBytes;
    if (isLeftOut) this.oddities.hasReached('pathBytes', pathBytes, length);
    else {
      this.index++;
      this.names.add(header.name, header.flag, target);
      const xattr = records.pax.size === 0 ? null : xattrFault(records.pax, header.flag);
      if (xattr !== null) this.names.refuse(xattr[0], header.name, xattr[1]);
      const mark = overlayMark(block, records, header.flag);
      if (mark !== null) this.names.refuse(mark[0], header.name, mark[1]);
      this.estargz ||= header.name === ESTARGZ_TOC;
      if (this.table?.add(entryDetails(header, block, records)) === false) this.taker = null;
    }
    const taker = isLeftOut ? null : this.taker;
    // An old GNU sparse file is refused because of its type.
    const isWanted = taker !== null || (!isLeftOut && records.pax.size > 0 && header.flag !== GNU_SPARSE);
    const map = isWanted ? sparseMap(block, records.pax) : null;
    const fault = isWanted ? sparseRecordsFault(records.pax) : null;
    if (fault !== null) this.oddities.isMalformedSparse(fault, header.name);
    if (hasSparseExtension(block, header.flag))
      this.sparse = { header, map: typeof map === 'object' && map !== null ? map : [], taker };
    else this.content(header, map, taker);
  }

  private content(header: EntryHeader, map: SparseMap | null, taker: ContentTaker | null): void {
    this.pass(header.storedSize);
    if (typeOfByte(header.flag) !== 'file') {
      if (map === 'in-content') this.oddities.isMalformedSparse(MAP_WITHOUT_CONTENT, header.name);
      return;
    }
    const sink = taker?.begin(this.index, header, map === null ? this.blockEnd : null) ?? null;
    if (map === null) this.sink = sink;
    else {
      const { name, size, flag } = header;
      const tell = (fault: SparseFault) => {
        if (flag !== GNU_SPARSE) this.oddities.isMalformedSparse(fault, name);
      };
      this.sink = new SparseSink(sink ?? NOWHERE, map, size, tell);
    }
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
    this.records.take(flag, bytes);
    this.record = null;
    this.skip = -bytes.length & (BLOCK - 1);
    this.padding = this.skip;
  }
}

const GNU_SPARSE = 'S'.charCodeAt(0);
