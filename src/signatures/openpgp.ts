import { inflateRawSync, inflateSync } from 'node:zlib';

/** A message that GPG signed, as far as it says so itself. Nothing is verified. */
export interface OpenPgpMessage {
  /** The key ID that the signature names, in hexadecimal digits; null where it names none. */
  readonly keyId: string | null;
  /** The signed bytes; null where the message does not hold them, or they cannot be read. */
  readonly content: Uint8Array | null;
}

/** Bytes that a compressed message may unpack to. The payload of simple signing has some hundred. */
const UNPACKED = 1024 * 1024;
const PACKETS = 100;

/** Tags of packets. RFC 9580 section 5 */
const SIGNATURE = 2;
const ONE_PASS_SIGNATURE = 4;
const COMPRESSED = 8;
const LITERAL = 11;

interface Packet {
  readonly tag: number;
  readonly body: Buffer;
}

/** Reads a binary OpenPGP message. @returns null for bytes that are none */
export function parseOpenPgp(bytes: Uint8Array): OpenPgpMessage | null {
  const outer = packetsIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const [first] = outer;
  const packets = first?.tag === COMPRESSED ? packetsIn(unpacked(first.body)) : outer;
  const signatures = packets.filter(({ tag }) => tag === SIGNATURE || tag === ONE_PASS_SIGNATURE);
  if (signatures.length === 0) return null;
  const literal = packets.find(({ tag }) => tag === LITERAL);
  const keyIds = signatures.map(keyIdIn).filter(keyId => keyId !== null);
  return { keyId: keyIds[0] ?? null, content: literal === undefined ? null : literalContent(literal.body) };
}

function packetsIn(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length && packets.length < PACKETS; ) {
    const header = bytes[at]!;
    if ((header & 0x80) === 0) break;
    const isNew = (header & 0x40) !== 0;
    const tag = isNew ? header & 0x3f : (header >> 2) & 0x0f;
    const { start, parts, end } = isNew ? newLengths(bytes, at + 1) : oldLength(bytes, at + 1, header & 3);
    if (start > bytes.length || end > bytes.length) break;
    packets.push({ tag, body: parts.length === 1 ? parts[0]! : Buffer.concat(parts) });
    at = end;
  }
  return packets;
}

/** The old format of a length: one, two or four bytes, or all that follows. RFC 9580 section 4.2.2 */
function oldLength(bytes: Buffer, at: number, type: number) {
  const size = [1, 2, 4, 0][type]!;
  const start = at + size;
  const isWhole = start <= bytes.length;
  const length =
    size === 0 ? bytes.length - start : isWhole ? bytes.readUIntBE(at, size) : Number.POSITIVE_INFINITY;
  return { start, parts: [bytes.subarray(start, start + length)], end: start + length };
}

/** The new format of a length, perhaps in several parts. RFC 9580 section 4.2.1 */
function newLengths(bytes: Buffer, at: number) {
  const parts: Buffer[] = [];
  for (let here = at; ; ) {
    const first = bytes[here] ?? 0;
    const isPart = first >= 224 && first < 255;
    const size = first < 192 || isPart ? 1 : first < 224 ? 2 : 5;
    if (here + size > bytes.length) return { start: here, parts, end: Number.POSITIVE_INFINITY };
    const length = isPart
      ? 2 ** (first & 0x1f)
      : size === 1
        ? first
        : size === 2
          ? ((first - 192) << 8) + bytes[here + 1]! + 192
          : bytes.readUInt32BE(here + 1);
    const end = here + size + length;
    parts.push(bytes.subarray(here + size, end));
    if (!isPart || end > bytes.length) return { start: at, parts, end };
    here = end;
  }
}

/** The packets in a compressed one: uncompressed, ZIP or ZLIB. RFC 9580 section 9.4 */
function unpacked(body: Buffer): Buffer {
  const content = body.subarray(1);
  const options = { maxOutputLength: UNPACKED };
  try {
    if (body[0] === 0) return content;
    if (body[0] === 1) return inflateRawSync(content, options);
    if (body[0] === 2) return inflateSync(content, options);
  } catch {
    // It is damaged, or larger than a signature can be.
  }
  return Buffer.alloc(0);
}

/** The key ID in a one-pass signature, or in the subpackets of a signature. RFC 9580 sections 5.4 and 5.2.3 */
function keyIdIn({ tag, body }: Packet): string | null {
  if (tag === ONE_PASS_SIGNATURE)
    return body[0] === 3 && body.length >= 12 ? hex(body.subarray(4, 12)) : null;
  if (body[0] !== 4 || body.length < 6) return null;
  const hashed = 6 + body.readUInt16BE(4);
  const unhashed = hashed + 2 <= body.length ? hashed + 2 + body.readUInt16BE(hashed) : hashed;
  return issuerIn(body.subarray(6, hashed)) ?? issuerIn(body.subarray(hashed + 2, unhashed));
}

const ISSUER = 16;

function issuerIn(subpackets: Buffer): string | null {
  for (let at = 0; at < subpackets.length; ) {
    const length = subpackets[at]!;
    // Longer ones, whose length has more bytes, are no issuer.
    if (length >= 192 || length === 0) return null;
    if ((subpackets[at + 1]! & 0x7f) === ISSUER && length === 9)
      return hex(subpackets.subarray(at + 2, at + 10));
    at += 1 + length;
  }
  return null;
}

/** Format, name, date, and then the bytes. RFC 9580 section 5.9 */
function literalContent(body: Buffer): Buffer | null {
  const start = 2 + (body[1] ?? 0) + 4;
  return start <= body.length ? body.subarray(start) : null;
}

const hex = (bytes: Buffer) => bytes.toString('hex').toUpperCase();
