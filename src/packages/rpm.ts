import { berkeleyHashValues } from './berkeley-hash.js';
import { asText, type DatabaseReading, FileList, fromBytes, type Package } from './package.js';
import { sqliteBlobs } from './sqlite.js';
import { RecordList, type Records } from './text-databases.js';

/**
 * An rpm header as databases keep it: two counts, an index of tags, and the data they point into; all big-endian.
 * https://rpm-software-management.github.io/rpm/manual/format_header.html
 */
const INTRO = 8;
const INDEX_ENTRY = 16;

/** https://rpm-software-management.github.io/rpm/manual/tags.html */
const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  license: 1014,
  arch: 1022,
  oldFileNames: 1027,
  sourceRpm: 1044,
  dirIndexes: 1116,
  baseNames: 1117,
  dirNames: 1118,
} as const;

const INT32 = 4;
const STRING = 6;
const STRING_ARRAY = 8;
const I18N_STRING = 9;

interface Slot {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

interface Header {
  readonly data: Uint8Array;
  readonly slots: ReadonlyMap<number, Slot>;
}

/** @returns null where the bytes are no header of a package */
function rpmPackage(blob: Uint8Array, list: FileList): Package | null {
  const header = readHeader(blob);
  if (header === null) return null;
  const text = (tag: number) => strings(header, tag, 1)[0] ?? null;
  const [name, version] = [text(TAG.name), text(TAG.version)];
  if (!name || !version) return null;
  const epoch = numbers(header, TAG.epoch)[0];
  const release = text(TAG.release);
  const arch = text(TAG.arch);
  const license = text(TAG.license);
  const source = text(TAG.sourceRpm)?.replace(/-[^-]*-[^-]*\.(?:no)?src\.rpm$/, '');
  const full = `${epoch === undefined ? '' : `${epoch}:`}${version}${release === null ? '' : `-${release}`}`;
  return {
    manager: 'rpm',
    name: asText(name),
    version: asText(full),
    arch: arch === null ? null : asText(arch),
    ...(license && { license: asText(license) }),
    ...(source && source !== name && { source: asText(source) }),
    files: filesOf(header, list),
  };
}

function readHeader(blob: Uint8Array): Header | null {
  if (blob.length < INTRO) return null;
  const view = viewOf(blob);
  const entries = view.getUint32(0);
  const dataStart = INTRO + entries * INDEX_ENTRY;
  if (dataStart + view.getUint32(4) > blob.length) return null;
  const slots = new Map<number, Slot>();
  for (let i = 0; i < entries; i++) {
    const at = INTRO + i * INDEX_ENTRY;
    // What was added after the package was signed comes last, and replaces what was there.
    slots.set(view.getUint32(at), {
      type: view.getUint32(at + 4),
      offset: view.getUint32(at + 8),
      count: view.getUint32(at + 12),
    });
  }
  return { data: blob.subarray(dataStart), slots };
}

function filesOf(header: Header, list: FileList): string[] {
  const { slots } = header;
  if (!slots.has(TAG.baseNames)) {
    const names = strings(header, TAG.oldFileNames);
    return names.flatMap(name => list.path('', name) ?? []);
  }
  const directories = strings(header, TAG.dirNames);
  const indexes = numbers(header, TAG.dirIndexes);
  return strings(header, TAG.baseNames).flatMap((name, i) => {
    const directory = directories[indexes[i] ?? -1];
    return directory === undefined ? [] : (list.path(directory, name) ?? []);
  });
}

/** NUL-terminated, one after the other. */
function strings({ data, slots }: Header, tag: number, most = Number.POSITIVE_INFINITY): string[] {
  const slot = slots.get(tag);
  const isText = slot?.type === STRING || slot?.type === STRING_ARRAY || slot?.type === I18N_STRING;
  if (slot === undefined || !isText) return [];
  const found: string[] = [];
  let at = slot.offset;
  for (let i = 0; i < slot.count && i < most; i++) {
    const end = data.indexOf(0, at);
    if (at >= data.length || end < 0) break;
    found.push(fromBytes(data.subarray(at, end)));
    at = end + 1;
  }
  return found;
}

function numbers({ data, slots }: Header, tag: number): number[] {
  const slot = slots.get(tag);
  if (slot?.type !== INT32) return [];
  const view = viewOf(data);
  const count = Math.min(slot.count, Math.floor((data.length - slot.offset) / 4));
  return Array.from({ length: Math.max(0, count) }, (_, i) => view.getUint32(slot.offset + 4 * i));
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/**
 * `Packages.db`, rpm's "new database" of SUSE: pages of slots, each with the place of one header; all little-endian, in
 * units of 16 bytes. rpm lib/backend/ndb/rpmpkg.c
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

/**
 * Forms of rpm's database, the newest first. One that was converted may have left an older one beside it, which rpm
 * then does not read. rpm lib/backend/dbi.c
 */
export const RPM_FORMS = ['rpmdb.sqlite', 'Packages.db', 'Packages'] as const;

type RpmForm = (typeof RPM_FORMS)[number];

/** @param wal  the write-ahead log of an `rpmdb.sqlite` */
export function rpmPackages(database: Uint8Array, form: RpmForm, wal: Uint8Array | null): DatabaseReading {
  const { values, problems } = recordsOf(database, form, wal);
  const list = new FileList();
  const packages: Package[] = [];
  const damaged = new Set<string>();
  for (const value of values) {
    const entry = rpmPackage(value, list);
    if (entry === null) damaged.add('a header is damaged');
    else packages.push(entry);
  }
  return { packages, problems: [...problems, ...damaged, ...list.problems()] };
}

function recordsOf(database: Uint8Array, form: RpmForm, wal: Uint8Array | null): Records {
  if (form === 'rpmdb.sqlite') return sqliteBlobs(database, wal, 'Packages');
  return form === 'Packages.db' ? ndbRecords(database) : berkeleyHashValues(database, isCounter);
}

/** Under key 0 is the last key that was given away, no header. rpm lib/backend/db3.c */
const isCounter = (key: Uint8Array) => key.every(byte => byte === 0);
