import { RecordList, type Records } from './records.js';

/**
 * `Packages.db`, rpm's "new database" of SUSE: pages of slots, each with the place of one header; all little-endian, in units
 * of 16 bytes. rpm lib/backend/ndb/rpmpkg.c
 */
export function ndbRecords(bytes: Uint8Array): Records {
  const list = new RecordList(bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isDatabase = bytes.length >= HEADER && view.getUint32(0, true) === magic('RpmP');
  if (!isDatabase || view.getUint32(4, true) !== VERSION) {
    list.problem('it is no package database of rpm (ndb)');
    return list.done();
  }
  const end = view.getUint32(12, true) * PAGE;
  if (end > bytes.length) list.problem('it is cut short');
  for (let at = HEADER; at + UNIT <= Math.min(end, bytes.length); at += UNIT) {
    const place = view.getUint32(at + 8, true);
    if (view.getUint32(at, true) !== magic('Slot')) list.problem('a slot is damaged');
    else if (place !== 0) {
      const record = recordAt(view, place * UNIT, view.getUint32(at + 4, true));
      if (record === null) list.problem('a record is damaged or cut short');
      else if (!list.add(bytes.subarray(...record))) break;
    }
  }
  return list.done();
}

const magic = (text: string) => Buffer.from(text).readUInt32LE();
const VERSION = 0;
const HEADER = 32;
const PAGE = 4096;
const UNIT = 16;

/** Magic, index, time and length before it; checksum, length and magic behind. */
const HEAD = 16;
const TAIL = 12;

function recordAt(view: DataView, at: number, index: number): [start: number, end: number] | null {
  if (at + HEAD > view.byteLength) return null;
  const length = view.getUint32(at + 12, true);
  const isHead = view.getUint32(at, true) === magic('BlbS') && view.getUint32(at + 4, true) === index;
  // The tail stands at the end of the last unit.
  const end = at + Math.ceil((HEAD + length + TAIL) / UNIT) * UNIT;
  if (!isHead || end > view.byteLength) return null;
  const isTail = view.getUint32(end - 8, true) === length && view.getUint32(end - 4, true) === magic('BlbE');
  return isTail ? [at + HEAD, at + HEAD + length] : null;
}
