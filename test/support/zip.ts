// A minimal zip writer, after PKWARE's APPNOTE.TXT: no zip64, no data descriptors, no encryption.
import { deflateRawSync } from 'node:zlib';
import { bytesOf } from './digest.js';
import { isFile, isLink, type Member } from './members.js';

export interface ZipOptions {
  readonly deflate?: boolean;
}

interface Packed {
  readonly name: Uint8Array;
  readonly body: Uint8Array;
  readonly crc: number;
  readonly size: number;
  readonly method: number;
  readonly mode: number;
  readonly offset: number;
}

const STORED = 0;
const DEFLATED = 8;
/** 1980-01-01, the earliest date in DOS format (4.4.6). */
const DOS_DATE = 0x21;
const VERSION = 20;
const UNIX = 3;
/** General purpose bit 11: names are UTF-8 (4.4.4). */
const UTF8 = 0x800;
const REGULAR = 0o100000;
const SYMLINK = 0o120000;
const DIRECTORY = 0o040000;

export function toZip(members: readonly Member[], options: ZipOptions = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const entries: Packed[] = [];
  let offset = 0;
  const put = (bytes: Uint8Array) => {
    parts.push(bytes);
    offset += bytes.length;
  };
  for (const member of members) {
    const entry = packed(member, members, options.deflate === true, offset);
    entries.push(entry);
    put(localHeader(entry));
    put(entry.body);
  }
  const start = offset;
  for (const entry of entries) put(centralHeader(entry));
  put(endRecord(entries.length, offset - start, start));
  return new Uint8Array(Buffer.concat(parts));
}

function packed(member: Member, all: readonly Member[], deflate: boolean, offset: number): Packed {
  const content = contentOf(member, all);
  const method = deflate && content.length > 0 && isFile(member) ? DEFLATED : STORED;
  return {
    name: bytesOf(member.path),
    body: method === DEFLATED ? new Uint8Array(deflateRawSync(content, { level: 9 })) : content,
    crc: crc32(content),
    size: content.length,
    method,
    mode: modeOf(member),
    offset,
  };
}

/** A symlink's content is its target; zip has no hard links, so they become copies. */
function contentOf(member: Member, all: readonly Member[]): Uint8Array {
  if (isFile(member)) return member.bytes;
  if (!isLink(member)) return new Uint8Array();
  if (member.hard !== true) return bytesOf(member.link);
  const target = all.find(({ path }) => path === member.link);
  if (target === undefined) throw new Error(`hard link ${member.path} has no target ${member.link}`);
  return contentOf(target, all);
}

function modeOf(member: Member): number {
  if (isFile(member)) return REGULAR | (member.mode ?? 0o644);
  if (isLink(member)) return member.hard === true ? REGULAR | 0o644 : SYMLINK | 0o777;
  return DIRECTORY | (member.mode ?? 0o755);
}

/** The fields that both headers share, in the order of 4.3.7: version needed to extra field length. */
function shared(entry: Packed): Uint8Array {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(VERSION, 0);
  fields.writeUInt16LE(UTF8, 2);
  fields.writeUInt16LE(entry.method, 4);
  fields.writeUInt16LE(0, 6);
  fields.writeUInt16LE(DOS_DATE, 8);
  fields.writeUInt32LE(entry.crc, 10);
  fields.writeUInt32LE(entry.body.length, 14);
  fields.writeUInt32LE(entry.size, 18);
  fields.writeUInt16LE(entry.name.length, 22);
  fields.writeUInt16LE(0, 24);
  return fields;
}

function localHeader(entry: Packed): Uint8Array {
  return Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), shared(entry), entry.name]);
}

/** 4.3.12. */
function centralHeader(entry: Packed): Uint8Array {
  const made = Buffer.from([VERSION, UNIX]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE((entry.mode << 16) >>> 0, 6);
  rest.writeUInt32LE(entry.offset, 10);
  return Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), made, shared(entry), rest, entry.name]);
}

/** 4.3.16. */
function endRecord(count: number, size: number, start: number): Uint8Array {
  const record = Buffer.alloc(22);
  record.write('PK\x05\x06', 'latin1');
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(size, 12);
  record.writeUInt32LE(start, 16);
  return record;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** An own implementation, because zlib.crc32 requires a Node newer than 20.15. */
function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (TABLE[(value ^ byte) & 0xff] as number) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
