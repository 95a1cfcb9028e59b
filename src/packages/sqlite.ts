import { RecordList, type Records } from './text-databases.js';

interface Varint {
  readonly value: number;
  /** Where it ends. */
  readonly end: number;
}

/**
 * A number of one to nine bytes, the highest bit of each but the ninth saying that more follow. Past the end of the
 * bytes zeros are read. https://www.sqlite.org/fileformat2.html#varint
 */
function readVarint(bytes: Uint8Array, at: number): Varint {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i] ?? 0;
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  return { value: value * 256 + (bytes[at + 8] ?? 0), end: at + 9 };
}

/**
 * Pages that a write-ahead log has newer than the database, up to the last commit. A log that was closed well is empty
 * or repeats what the database has. https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */
function walPages(wal: Uint8Array, pageSize: number): ReadonlyMap<number, Uint8Array> {
  const committed = new Map<number, Uint8Array>();
  if (wal.length < HEADER) return committed;
  const view = new DataView(wal.buffer, wal.byteOffset, wal.length);
  const magic = view.getUint32(0);
  if ((magic & ~1) !== WAL_MAGIC || view.getUint32(8) !== pageSize) return committed;
  const littleEndian = (magic & 1) === 0;
  let sum: Checksum = checksum(view, 0, 24, littleEndian, [0, 0]);
  if (!isSum(view, 24, sum)) return committed;
  let open: [number, Uint8Array][] = [];
  for (let at = HEADER; at + FRAME + pageSize <= wal.length; at += FRAME + pageSize) {
    const sameSalt =
      view.getUint32(at + 8) === view.getUint32(16) && view.getUint32(at + 12) === view.getUint32(20);
    sum = checksum(view, at, 8, littleEndian, sum);
    sum = checksum(view, at + FRAME, pageSize, littleEndian, sum);
    if (!sameSalt || !isSum(view, at + 16, sum)) break;
    open.push([view.getUint32(at), wal.subarray(at + FRAME, at + FRAME + pageSize)]);
    // The size of the database after a commit; zero in frames that are none.
    if (view.getUint32(at + 4) === 0) continue;
    for (const [number, page] of open) committed.set(number, page);
    open = [];
  }
  return committed;
}

const WAL_MAGIC = 0x377f0682;
const HEADER = 32;
const FRAME = 24;

type Checksum = readonly [number, number];

/** Two running sums over pairs of 32-bit words. The magic's last bit tells their byte order. Section 4.2. */
function checksum(
  view: DataView,
  at: number,
  length: number,
  littleEndian: boolean,
  [a, b]: Checksum,
): Checksum {
  let [s0, s1] = [a, b];
  for (let i = at; i < at + length; i += 8) {
    s0 = (s0 + view.getUint32(i, littleEndian) + s1) >>> 0;
    s1 = (s1 + view.getUint32(i + 4, littleEndian) + s0) >>> 0;
  }
  return [s0, s1];
}

const isSum = (view: DataView, at: number, [s0, s1]: Checksum) =>
  view.getUint32(at) === s0 && view.getUint32(at + 4) === s1;

/**
 * Reads one table of an SQLite database without SQLite: its b-tree, page by page, and of each row the last column that
 * is a blob. https://www.sqlite.org/fileformat2.html
 *
 * @param wal  the write-ahead log beside it, whose committed pages replace the file's
 */
export function sqliteBlobs(database: Uint8Array, wal: Uint8Array | null, table: string): Records {
  const list = new RecordList(database.length + (wal?.length ?? 0));
  const file = openDatabase(database, wal, list);
  if (file === null) return list.done();
  const root = rootPage(file, table);
  if (root === null) list.problem(`it has no table ${table}`);
  else for (const payload of rowsOf(file, root)) if (!addBlob(payload, list)) break;
  return list.done();
}

interface Database {
  readonly pageSize: number;
  /** Bytes of a page that are not reserved for extensions. */
  readonly usable: number;
  readonly list: RecordList;
  page(number: number): Uint8Array | null;
}

const MAGIC = 'SQLite format 3\0';
const DATABASE_HEADER = 100;
const INTERIOR = 5;
const LEAF = 13;

/** Section 1.3, "The Database Header". */
function openDatabase(bytes: Uint8Array, wal: Uint8Array | null, list: RecordList): Database | null {
  const isDatabase =
    bytes.length >= DATABASE_HEADER && Buffer.from(bytes.subarray(0, 16)).equals(Buffer.from(MAGIC));
  if (!isDatabase) return list.problem('it is no SQLite database');
  const declared = viewOf(bytes).getUint16(16);
  const pageSize = declared === 1 ? 65536 : declared;
  const usable = pageSize - bytes[20]!;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0 || usable < 480)
    return list.problem('its page size makes no sense');
  const newer = wal === null ? new Map<number, Uint8Array>() : walPages(wal, pageSize);
  const page = (number: number) => {
    const end = number * pageSize;
    return (
      newer.get(number) ?? (number < 1 || end > bytes.length ? null : bytes.subarray(end - pageSize, end))
    );
  };
  return { pageSize, usable, list, page };
}

/** Section 2.6, "Storage Of The SQL Database Schema": type, name, tbl_name, rootpage, sql. */
function rootPage(file: Database, table: string): number | null {
  for (const payload of rowsOf(file, 1)) {
    const [type, name, , root] = columnsOf(payload);
    if (textOf(type) === 'table' && textOf(name) === table)
      return root === undefined ? null : integerOf(root);
  }
  return null;
}

/** Payloads of a table's rows, in order. Section 1.6, "B-tree Pages". */
function* rowsOf(file: Database, root: number): Generator<Uint8Array> {
  const pending = [root];
  for (let number = pending.pop(); number !== undefined; number = pending.pop()) {
    if (!file.list.enter(number)) continue;
    const page = file.page(number);
    const header = number === 1 ? DATABASE_HEADER : 0;
    if (page === null) file.list.problem('it is cut short, or a page is missing');
    else if (page[header] === LEAF) yield* leafPayloads(file, page, header);
    else if (page[header] === INTERIOR) pending.push(...childrenOf(page, header).reverse());
    else file.list.problem('a page is not what it should be');
  }
}

/** Offsets of the cells, those that lie on the page. */
function cellsOf(page: Uint8Array, header: number, headerSize: number): number[] {
  const view = viewOf(page);
  const start = header + headerSize;
  const count = Math.min(view.getUint16(header + 3), Math.floor((page.length - start) / 2));
  return Array.from({ length: count }, (_, i) => view.getUint16(start + 2 * i));
}

function childrenOf(page: Uint8Array, header: number): number[] {
  const view = viewOf(page);
  const left = cellsOf(page, header, 12).filter(cell => cell + 4 <= page.length);
  return [...left.map(cell => view.getUint32(cell)), view.getUint32(header + 8)];
}

function* leafPayloads(file: Database, page: Uint8Array, header: number): Generator<Uint8Array> {
  for (const cell of cellsOf(page, header, 8)) {
    const length = readVarint(page, cell);
    const row = readVarint(page, length.end);
    const payload = payloadAt(file, page, row.end, length);
    if (payload !== null) yield payload;
  }
}

/**
 * A payload that does not fit on its page continues in a list of overflow pages. Section 1.6, "Cell Payload Overflow
 * Pages".
 */
function payloadAt(
  file: Database,
  page: Uint8Array,
  at: number,
  { value: length }: Varint,
): Uint8Array | null {
  const { usable, list } = file;
  const most = usable - 35;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const rest = least + ((length - least) % (usable - 4));
  const local = length <= most ? length : rest <= most ? rest : least;
  const pieces = [page.subarray(at, at + local)];
  const isCut = at + local + (local < length ? 4 : 0) > usable;
  if (isCut) return list.problem('a record is longer than its page');
  let have = local;
  for (let next = local < length ? viewOf(page).getUint32(at + local) : 0; have < length; ) {
    const overflow = next === 0 ? null : file.page(next);
    if (overflow === null) return list.problem('a record is cut short');
    if (!list.enter(next)) return null;
    const piece = overflow.subarray(4, Math.min(usable, 4 + length - have));
    pieces.push(piece);
    have += piece.length;
    next = viewOf(overflow).getUint32(0);
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

interface Column {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Section 2.1, "Record Format". Columns that do not lie in the record are left out. */
function columnsOf(record: Uint8Array): Column[] {
  const columns: Column[] = [];
  const header = readVarint(record, 0);
  let at = header.end;
  let start = header.value;
  while (at < header.value && at < record.length) {
    const type = readVarint(record, at);
    const end = start + columnSize(type.value);
    if (end > record.length) break;
    columns.push({ type: type.value, bytes: record.subarray(start, end) });
    at = type.end;
    start = end;
  }
  return columns;
}

const SIZES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];
const columnSize = (type: number) => SIZES[type] ?? Math.floor((type - 12) / 2);
const isBlob = ({ type }: Column) => type >= 12 && type % 2 === 0;
const isText = ({ type }: Column) => type >= 13 && type % 2 === 1;

const textOf = (column: Column | undefined) =>
  column !== undefined && isText(column) ? Buffer.from(column.bytes).toString() : null;

/** Page numbers are positive and of 32 bits. */
function integerOf({ type, bytes }: Column): number | null {
  if (type === 9) return 1;
  return type >= 1 && type <= 6 ? Number(`0x${Buffer.from(bytes).toString('hex')}`) : null;
}

function addBlob(payload: Uint8Array, list: RecordList): boolean {
  const blob = columnsOf(payload).findLast(isBlob);
  if (blob !== undefined) return list.add(blob.bytes);
  list.problem('a row is not what it should be');
  return true;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
