import { RecordList, type Records } from './text-databases.js';

/**
 * Values of a Berkeley DB hash, as rpm kept its `Packages` until 4.16, in either byte order. Pages are read one after
 * the other, not bucket by bucket: the order of keys does not matter, and no damaged link can hide a page. Berkeley DB
 * dbinc/db_page.h; rpm lib/backend/bdb_ro.c
 *
 * @param skip  keys whose values are not wanted
 */
export function berkeleyHashValues(bytes: Uint8Array, skip: (key: Uint8Array) => boolean): Records {
  const list = new RecordList(bytes.length);
  const file = openHash(bytes, list);
  if (file === null) return list.done();
  for (let number = 1; number <= file.lastPage; number++) {
    const page = file.page(number);
    if (page === null) {
      list.problem('it is cut short');
      break;
    }
    const own = page.getUint32(8, file.little);
    const holdsPairs = page.getUint8(TYPE) === HASH || page.getUint8(TYPE) === UNSORTED_HASH;
    // A page that was never written is zeros.
    if (own !== number && own !== 0) list.problem('a page is damaged');
    else if (holdsPairs && !readPairs(file, page, skip)) break;
  }
  return list.done();
}

interface HashFile {
  readonly little: boolean;
  readonly pageSize: number;
  readonly lastPage: number;
  readonly list: RecordList;
  page(number: number): DataView | null;
}

const MAGIC = 0x00061561;
const META_PAGE = 512;
const PAGE_HEADER = 26;
const TYPE = 25;
const UNSORTED_HASH = 2;
const OVERFLOW = 7;
const HASH = 13;

/** Kinds of an item: on the page, or on overflow pages. */
const ON_PAGE = 1;
const OFF_PAGE = 3;
const OFF_PAGE_ITEM = 12;

function openHash(bytes: Uint8Array, list: RecordList): HashFile | null {
  const meta = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const little = bytes.length >= META_PAGE && meta.getUint32(12, true) === MAGIC;
  if (!little && (bytes.length < META_PAGE || meta.getUint32(12) !== MAGIC))
    return list.problem('it is no Berkeley DB hash');
  const pageSize = meta.getUint32(20, little);
  if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0)
    return list.problem('its page size makes no sense');
  const page = (number: number) => {
    const start = number * pageSize;
    const isThere = number > 0 && start + pageSize <= bytes.length;
    return isThere ? new DataView(bytes.buffer, bytes.byteOffset + start, pageSize) : null;
  };
  return { little, pageSize, lastPage: meta.getUint32(32, little), list, page };
}

/** Keys and values in turn; each item ends where the one before it begins, the first at the end of the page. */
function readPairs(file: HashFile, page: DataView, skip: (key: Uint8Array) => boolean): boolean {
  const { little, pageSize, list } = file;
  const count = Math.min(page.getUint16(20, little), Math.floor((pageSize - PAGE_HEADER) / 2));
  const startOf = (item: number) => (item < 0 ? pageSize : page.getUint16(PAGE_HEADER + 2 * item, little));
  for (let item = 0; item + 1 < count; item += 2) {
    const key = itemBytes(file, page, startOf(item), startOf(item - 1));
    if (key !== null && skip(key)) continue;
    const value = itemBytes(file, page, startOf(item + 1), startOf(item));
    if (value !== null && !list.add(value)) return false;
  }
  return true;
}

function itemBytes(file: HashFile, page: DataView, start: number, end: number): Uint8Array | null {
  const { little, pageSize, list } = file;
  if (start < PAGE_HEADER || start >= end || end > pageSize) return list.problem('a page is damaged');
  const kind = page.getUint8(start);
  if (kind === ON_PAGE) return bytesOf(page, start + 1, end);
  if (kind === OFF_PAGE && end - start === OFF_PAGE_ITEM)
    return overflowBytes(file, page.getUint32(start + 4, little), page.getUint32(start + 8, little));
  return list.problem('a page is damaged');
}

function overflowBytes(file: HashFile, first: number, length: number): Uint8Array | null {
  const { little, pageSize, list } = file;
  const pieces: Uint8Array[] = [];
  let have = 0;
  for (let number = first; have < length; ) {
    const page = file.page(number);
    if (page === null || page.getUint8(TYPE) !== OVERFLOW) return list.problem('a record is cut short');
    if (!list.enter(number)) return null;
    const size = page.getUint16(22, little);
    if (PAGE_HEADER + size > pageSize || have + size > length) return list.problem('a page is damaged');
    pieces.push(bytesOf(page, PAGE_HEADER, PAGE_HEADER + size));
    have += size;
    number = page.getUint32(16, little);
  }
  return Buffer.concat(pieces);
}

const bytesOf = (page: DataView, start: number, end: number) =>
  new Uint8Array(page.buffer, page.byteOffset + start, end - start);
