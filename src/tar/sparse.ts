import { type ContentSink, isGnu } from './entry.js';
import { BLOCK, numericField } from './header.js';
import { type PaxRecords, paxInteger, paxSparse } from './pax.js';

/** Where a piece of the stored content belongs in the file. Bytes. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** The pieces that a sparse file's content consists of; `in-content` where the content itself begins with the list. */
export type SparseMap = Extent[] | 'in-content';

/** A list of pieces is read up to here, as by Go's reader a PAX header. */
const LIST_CAP = 1 << 20;

/**
 * The map of a sparse file, as far as its header has it; null where there is none. GNU tar manual, "Storing Sparse
 * Files": the old format in the header, PAX 0.0 and 0.1 in a record, 1.0 in front of the content.
 */
export function sparseMap(block: Uint8Array, pax: PaxRecords): SparseMap | null {
  if (paxSparse(pax) === null) {
    return block[156] === GNU_SPARSE && isGnu(block) ? extentsAt(block, 386, 4) : null;
  }
  if (pax.get('GNU.sparse.major') === '1') return 'in-content';
  const map = pax.get('GNU.sparse.map') ?? '';
  return map === '' ? [] : pairs(map.split(',').map(number));
}

const GNU_SPARSE = 'S'.charCodeAt(0);
/** Nothing valid where it is no number, so that the map is refused. */
const number = (text: string | undefined) => paxInteger(text) ?? -1;

/** Adds what a further block of an old GNU map has. A list without end is made one that is refused. */
export function addExtension(map: Extent[], block: Uint8Array): void {
  if (map.length < EXTENTS_CAP) map.push(...extentsAt(block, 0, 21));
  else map[0] = { offset: -1, length: -1 };
}

const EXTENTS_CAP = 100_000;

function extentsAt(block: Uint8Array, start: number, count: number): Extent[] {
  const extents: Extent[] = [];
  for (let i = 0, at = start; i < count && block[at] !== 0; i++, at += 24) {
    const offset = numericField(block, at, at + 12) ?? -1;
    extents.push({ offset, length: numericField(block, at + 12, at + 24) ?? -1 });
  }
  return extents;
}

function pairs(numbers: readonly number[]): Extent[] {
  const extents: Extent[] = [];
  for (let i = 0; i < numbers.length; i += 2)
    extents.push({ offset: numbers[i]!, length: numbers[i + 1] ?? -1 });
  return extents;
}

/**
 * Why Go's archive/tar refuses a sparse file: what is wrong, and its words where they are not those of any invalid
 * header.
 */
export interface SparseFault {
  readonly reason: string;
  readonly words?: string;
}

const CUT_MAP: SparseFault = { reason: 'the map of a sparse file does not end', words: 'unexpected EOF' };
const BAD_MAP: SparseFault = { reason: 'the map of a sparse file is not valid' };
const MISSING: SparseFault = {
  reason: 'the map of a sparse file names more than is stored',
  words: 'archive/tar: sparse file references non-existent data',
};
const EXCESS: SparseFault = {
  reason: 'the map of a sparse file names less than is stored',
  words: 'archive/tar: sparse file contains unreferenced data',
};

/** The fault in the records that hold the map of a sparse file; null where there is none. */
export function sparseRecordsFault(pax: PaxRecords): SparseFault | null {
  if (paxSparse(pax) === null || pax.get('GNU.sparse.major') === '1') return null;
  const map = pax.get('GNU.sparse.map') ?? '';
  const count = map === '' ? 0 : map.split(',').length;
  const told = paxInteger(pax.get('GNU.sparse.numblocks'));
  return told === null || count !== 2 * told ? BAD_MAP : null;
}

/** An entry without content cannot hold a map. */
export const MAP_WITHOUT_CONTENT: SparseFault = {
  reason: 'a sparse file is of a type that has no content, where its map should be',
  words: 'unexpected EOF',
};

/** Takes the pieces of a sparse file whose content is not wanted. */
export const NOWHERE: ContentSink = { write: () => {}, hole: () => {}, end: () => {} };

/** Puts the pieces of a sparse file where they belong. */
export class SparseSink implements ContentSink {
  private extents: readonly Extent[] | null;
  private list = '';
  private lines = 0;
  private next = 0;
  private taken = 0;
  private position = 0;
  private broken = false;
  private isExcess = false;

  /**
   * @param size  of the file, its holes included
   * @param tell  is told at the end what is wrong with the file
   */
  constructor(
    private readonly out: ContentSink,
    map: SparseMap,
    private readonly size: number,
    private readonly tell: (fault: SparseFault) => void = () => {},
  ) {
    this.extents = map === 'in-content' ? null : this.checked(map);
  }

  write(bytes: Uint8Array): void {
    let at = this.extents === null ? this.readList(bytes) : 0;
    while (at < bytes.length && !this.broken) {
      const extent = this.extents?.[this.next];
      if (extent === undefined) {
        this.isExcess = true;
        return;
      }
      if (extent.offset > this.position) this.gap(extent.offset);
      const step = Math.min(bytes.length - at, extent.length - this.taken);
      if (step > 0) this.out.write(bytes.subarray(at, at + step));
      this.position += step;
      this.taken += step;
      at += step;
      if (this.taken < extent.length) continue;
      this.taken = 0;
      this.next++;
    }
  }

  hole(length: number): void {
    this.out.hole(length);
  }

  end(complete: boolean): void {
    const rest = this.extents?.slice(this.next).some(({ length }) => length > 0) ?? true;
    const isWhole = complete && !this.broken && !rest;
    const fault = complete ? this.fault(rest) : null;
    if (fault !== null) this.tell(fault);
    if (isWhole && this.size > this.position) this.gap(this.size);
    this.out.end(isWhole);
  }

  private fault(rest: boolean): SparseFault | null {
    if (this.broken) return BAD_MAP;
    if (this.extents === null) return CUT_MAP;
    if (rest) return MISSING;
    return this.isExcess ? EXCESS : null;
  }

  private gap(to: number): void {
    this.out.hole(to - this.position);
    this.position = to;
  }

  private checked(extents: readonly Extent[]): readonly Extent[] {
    let end = 0;
    for (const { offset, length } of extents) {
      if (offset < end || length < 0 || offset + length > this.size) this.broken = true;
      end = offset + length;
    }
    return extents;
  }

  /** The list of PAX 1.0: how many pieces, then offset and length of each, a line a number, padded to whole blocks. */
  private readList(bytes: Uint8Array): number {
    for (let at = 0; at < bytes.length; ) {
      const step = Math.min(BLOCK - (this.list.length % BLOCK), bytes.length - at);
      const piece = Buffer.from(bytes.subarray(at, at + step)).toString('latin1');
      this.list += piece;
      this.lines += piece.split('\n').length - 1;
      at += step;
      if (this.list.length % BLOCK !== 0) continue;
      const count = number(this.list.split('\n', 1)[0]);
      if (count < 0 || this.list.length > LIST_CAP) this.broken = true;
      else if (this.lines > 2 * count) {
        this.extents = this.checked(
          pairs(
            this.list
              .split('\n')
              .slice(1, 2 * count + 1)
              .map(number),
          ),
        );
      }
      if (this.broken || this.extents !== null) return at;
    }
    return bytes.length;
  }
}
