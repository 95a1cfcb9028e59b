/**
 * Pages that a write-ahead log has newer than the database, up to the last commit. A log that was closed well is empty or
 * repeats what the database has. https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */
export function walPages(wal: Uint8Array, pageSize: number): ReadonlyMap<number, Uint8Array> {
  const committed = new Map<number, Uint8Array>();
  if (wal.length < HEADER) return committed;
  const view = new DataView(wal.buffer, wal.byteOffset, wal.length);
  const magic = view.getUint32(0);
  if ((magic & ~1) !== MAGIC || view.getUint32(8) !== pageSize) return committed;
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

const MAGIC = 0x377f0682;
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
