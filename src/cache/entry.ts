import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The format of an entry's file. All numbers are little-endian.
 *
 *     0    8  magic: `wbcache1`, where 1 is the version of this format
 *     8   32  HMAC-SHA256 over everything behind it
 *    40   32  name: the entry's key, which is also the name of its file
 *    72   64  program that wrote it, in ASCII, padded with NULs
 *   136    8  bytes of content
 *   144    …  content
 *
 * Nothing of the content is looked at before the HMAC has been compared.
 */
const MAGIC = Buffer.from('wbcache1', 'latin1');
const MAC_AT = 8;
const NAME_AT = 40;
const PROGRAM_AT = 72;
const PROGRAM_BYTES = 64;
const LENGTH_AT = 136;
export const HEADER_BYTES = 144;

/** Largest entry, in bytes: more than the facts of a layer with a million entries take. */
export const MOST_ENTRY_BYTES = 256 * 1024 * 1024;

/** Why an entry is not used. */
export type Rejection =
  /** Not a regular file, or one of a size that no entry has. */
  | 'not a file'
  | 'too large'
  /** Owned by another user. */
  | 'owner'
  | 'truncated'
  /** Another format, or another version of waybill. */
  | 'version'
  /** The entry of another key, in this place. */
  | 'foreign'
  /** The HMAC differs: changed bytes, or written with another key. */
  | 'damaged'
  /** The HMAC is right and the content is none that this version reads. */
  | 'unknown content'
  | 'unreadable';

/** The key of entries, and the program that reads and writes them. */
export interface Signer {
  /** Key of the HMAC, 32 bytes. */
  readonly key: Uint8Array;
  /** Name and version of the program, at most 64 ASCII characters. */
  readonly program: string;
}

/** @param name  the key of the entry, 32 bytes */
export function packEntry(name: Uint8Array, content: Uint8Array, signer: Signer): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + content.length);
  bytes.set(MAGIC, 0);
  bytes.set(name, NAME_AT);
  bytes.write(signer.program, PROGRAM_AT, PROGRAM_BYTES, 'latin1');
  bytes.writeBigUInt64LE(BigInt(content.length), LENGTH_AT);
  bytes.set(content, HEADER_BYTES);
  bytes.set(macOf(bytes, signer), MAC_AT);
  return bytes;
}

/**
 * The content of an entry, a part of the same memory, or the reason why it is not used.
 * @param name  the key of the entry that is asked for
 */
export function unpackEntry(bytes: Buffer, name: Uint8Array, signer: Signer): Uint8Array | Rejection {
  if (bytes.length < HEADER_BYTES) return 'truncated';
  const program = Buffer.alloc(PROGRAM_BYTES);
  program.write(signer.program, 0, PROGRAM_BYTES, 'latin1');
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length))) return 'version';
  if (!program.equals(bytes.subarray(PROGRAM_AT, PROGRAM_AT + PROGRAM_BYTES))) return 'version';
  if (bytes.readBigUInt64LE(LENGTH_AT) !== BigInt(bytes.length - HEADER_BYTES)) return 'truncated';
  if (!timingSafeEqual(bytes.subarray(NAME_AT, NAME_AT + name.length), name)) return 'foreign';
  if (!timingSafeEqual(bytes.subarray(MAC_AT, NAME_AT), macOf(bytes, signer))) return 'damaged';
  return bytes.subarray(HEADER_BYTES);
}

const macOf = (bytes: Buffer, { key }: Signer): Buffer =>
  createHmac('sha256', key).update(bytes.subarray(NAME_AT)).digest();
