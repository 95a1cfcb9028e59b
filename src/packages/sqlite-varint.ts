export interface Varint {
  readonly value: number;
  /** Where it ends. */
  readonly end: number;
}

/**
 * A number of one to nine bytes, the highest bit of each but the ninth saying that more follow. Past the end of the bytes
 * zeros are read. https://www.sqlite.org/fileformat2.html#varint
 */
export function readVarint(bytes: Uint8Array, at: number): Varint {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i] ?? 0;
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  return { value: value * 256 + (bytes[at + 8] ?? 0), end: at + 9 };
}
