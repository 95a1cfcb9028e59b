/** A value of CBOR (RFC 8949), of the kinds that COSE uses. */
export type Cbor = null | boolean | number | string | Uint8Array | readonly Cbor[] | CborMap | Tagged;
export interface CborMap extends ReadonlyMap<number | string, Cbor> {}

export class Tagged {
  constructor(
    readonly tag: number,
    readonly value: Cbor,
  ) {}
}

/** Nesting. A COSE_Sign1 nests four deep. */
const DEPTH = 16;

/**
 * The one value that the bytes are. As go-cose, it takes no indefinite lengths, no duplicate keys, and no keys but
 * integers and text. Its depth is limited, which that of libraries is not.
 * @returns undefined for bytes that are no such value
 */
export function readCbor(bytes: Uint8Array): Cbor | undefined {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  return reader.isDone() ? value : undefined;
}

const [UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG] = [0, 1, 2, 3, 4, 5, 6] as const;
const SIMPLE_VALUES: ReadonlyMap<number, Cbor> = new Map([
  [20, false],
  [21, true],
  [22, null],
]);

/** A fault ends the reading: whatever is returned after it is not used. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #isFaulty = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether all bytes were read without a fault. */
  isDone(): boolean {
    return !this.#isFaulty && this.#at === this.#bytes.length;
  }

  value(depth: number): Cbor {
    if (depth > DEPTH) return this.#fault();
    const initial = this.#take(1)[0] ?? 0;
    const argument = this.#argument(initial & 31);
    switch (initial >> 5) {
      case UNSIGNED:
        return argument;
      case NEGATIVE:
        return -1 - argument;
      case BYTES:
        return this.#take(argument);
      case TEXT:
        return this.#text(argument);
      case ARRAY:
        return this.#items(argument, depth);
      case MAP:
        return this.#map(argument, depth);
      case TAG:
        return new Tagged(argument, this.value(depth + 1));
      default:
        return this.#simple(initial, argument);
    }
  }

  #fault(): null {
    this.#isFaulty = true;
    return null;
  }

  /** A length, number or tag. Numbers that JavaScript does not count with are in no signature. */
  #argument(info: number): number {
    if (info < 24) return info;
    if (info > 27) return this.#fault() ?? 0;
    const bytes = this.#take(2 ** (info - 24));
    if (bytes.length === 0) return 0;
    if (bytes.length < 8) return bytes.readUIntBE(0, bytes.length);
    const value = Number(bytes.readBigUInt64BE());
    return Number.isSafeInteger(value) ? value : (this.#fault() ?? 0);
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) {
      this.#fault();
      return Buffer.of();
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #text(length: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#take(length));
    } catch {
      return this.#fault() ?? '';
    }
  }

  /** Every item takes a byte, so that a length that is a lie ends with the bytes. */
  #items(length: number, depth: number): Cbor[] {
    const items: Cbor[] = [];
    for (let i = 0; i < length && !this.#isFaulty; i++) items.push(this.value(depth + 1));
    return items;
  }

  #map(length: number, depth: number): CborMap {
    const map = new Map<number | string, Cbor>();
    for (let i = 0; i < length && !this.#isFaulty; i++) {
      const key = this.value(depth + 1);
      if ((typeof key !== 'number' && typeof key !== 'string') || map.has(key)) this.#fault();
      else map.set(key, this.value(depth + 1));
    }
    return map;
  }

  /** Numbers with a fraction, which a signing time could be, are in no signature that a Notary Project client makes. */
  #simple(initial: number, argument: number): Cbor {
    const value = (initial & 31) < 24 ? SIMPLE_VALUES.get(argument) : undefined;
    return value === undefined ? this.#fault() : value;
  }
}

/** The bytes of an array of texts and byte strings: what a COSE signature is about. */
function writeCborArray(items: readonly (string | Uint8Array)[]): Buffer {
  const parts = items.flatMap(item => {
    const bytes = Buffer.from(item);
    return [head(typeof item === 'string' ? TEXT : BYTES, bytes.length), bytes];
  });
  return Buffer.concat([head(ARRAY, items.length), ...parts]);
}

/** The shortest form, which COSE requires (RFC 9052 section 9). */
function head(major: number, argument: number): Buffer {
  const type = major << 5;
  if (argument < 24) return Buffer.of(type | argument);
  if (argument < 2 ** 8) return Buffer.of(type | 24, argument);
  const bytes = Buffer.alloc(argument < 2 ** 16 ? 3 : 5);
  bytes[0] = type | (bytes.length === 3 ? 25 : 26);
  bytes.writeUIntBE(argument, 1, bytes.length - 1);
  return bytes;
}

/** A signed message of COSE with one signer (RFC 9052 section 4.2). */
export interface CoseSign1 {
  /** The encoded headers that are signed. */
  readonly protectedBytes: Uint8Array;
  readonly protectedHeaders: CborMap;
  readonly unprotectedHeaders: CborMap;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

const COSE_SIGN1_TAG = 18;

/** @returns null for bytes that are no tagged COSE_Sign1 with its payload */
export function parseCoseSign1(bytes: Uint8Array): CoseSign1 | null {
  const message = readCbor(bytes);
  if (!(message instanceof Tagged) || message.tag !== COSE_SIGN1_TAG || !Array.isArray(message.value))
    return null;
  const [protectedBytes, unprotectedHeaders, payload, signature, ...rest] = message.value as readonly Cbor[];
  if (!(protectedBytes instanceof Uint8Array) || !(unprotectedHeaders instanceof Map)) return null;
  if (!(payload instanceof Uint8Array) || !(signature instanceof Uint8Array) || rest.length > 0) return null;
  const protectedHeaders = protectedBytes.length === 0 ? new Map() : readCbor(protectedBytes);
  if (!(protectedHeaders instanceof Map)) return null;
  return { protectedBytes, protectedHeaders, unprotectedHeaders, payload, signature };
}

/** The bytes that a COSE_Sign1 is a signature of (RFC 9052 section 4.4), without external data. */
export const coseSignedBytes = ({ protectedBytes, payload }: CoseSign1): Buffer =>
  writeCborArray(['Signature1', protectedBytes, Buffer.of(), payload]);
