export const BLOCK = 512;

/** Type flags of records that describe the next entry (POSIX pax, GNU long names) instead of being one. */
export const isMetadataFlag = (flag: number) =>
  flag === PAX_FLAG || flag === PAX_GLOBAL_FLAG || flag === GNU_NAME_FLAG || flag === GNU_TARGET_FLAG;
export const [PAX_FLAG, PAX_GLOBAL_FLAG, GNU_NAME_FLAG, GNU_TARGET_FLAG] = [0x78, 0x67, 0x4c, 0x4b] as const;
/** Types 1 to 6: their header may name a size, though no content follows (POSIX ustar; Go and Python read them so). */
export const isHeaderOnly = (flag: number) => flag >= 0x31 && flag <= 0x36;

export function isZeroBlock(block: Uint8Array): boolean {
  return firstNonZero(block) < 0;
}

/** Where the first byte stands that is not zero; -1 where all are. */
export function firstNonZero(bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return i;
  return -1;
}

/**
 * The header's checksum is the sum of its bytes with the checksum field taken as spaces; old tars summed signed bytes.
 */
export function hasValidChecksum(block: Uint8Array): boolean {
  const claimed = octalField(block, CHECKSUM, CHECKSUM_END);
  if (claimed === null) return false;
  let unsigned = sumOf(block) + 8 * SPACE;
  for (let i = CHECKSUM; i < CHECKSUM_END; i++) unsigned -= block[i]!;
  return claimed === unsigned || claimed === signedSum(block);
}

const WORDS = new Uint32Array(BLOCK / 4);
const BYTES = new Uint8Array(WORDS.buffer);

/** The bytes of a block added up, four at a time: 128 times 255 still fits into half a word. */
function sumOf(block: Uint8Array): number {
  BYTES.set(block);
  let even = 0;
  let odd = 0;
  for (let i = 0; i < WORDS.length; i++) {
    const word = WORDS[i]!;
    even += word & 0x00ff00ff;
    odd += (word >>> 8) & 0x00ff00ff;
  }
  return (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
}

const [CHECKSUM, CHECKSUM_END] = [148, 156];
const SPACE = 0x20;

function signedSum(block: Uint8Array): number {
  let signed = 8 * SPACE;
  for (let i = 0; i < BLOCK; i++) {
    if (i >= CHECKSUM && i < CHECKSUM_END) continue;
    const byte = block[i]!;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return signed;
}

/** The size field. NaN when it is no number, or a negative one. */
export function headerSize(block: Uint8Array): number {
  const size = numericField(block, 124, 136);
  return size === null || size < 0 ? Number.NaN : size;
}

/**
 * A number: octal digits between spaces and NULs, or two's complement of base 256 when the top bit is set. 0 for an
 * empty field, null for one that is neither.
 */
export function numericField(block: Uint8Array, from: number, to: number): number | null {
  return (block[from]! & 0x80) !== 0 ? base256(block, from, to) : octalField(block, from, to);
}

function octalField(block: Uint8Array, from: number, to: number): number | null {
  let at = from;
  let end = to;
  while (at < end && isBlank(block[at]!)) at++;
  while (end > at && isBlank(block[end - 1]!)) end--;
  let value = 0;
  for (; at < end && block[at] !== 0; at++) {
    const digit = block[at]! - 0x30;
    if (digit < 0 || digit > 7) return null;
    value = value * 8 + digit;
  }
  return value;
}

/**
 * Whether Go's archive/tar takes a field for a number: octal digits between spaces and NULs, where what follows a NUL
 * among them counts for nothing, or base 256 that 63 bits and a sign can hold. archive/tar strconv.go (parseNumeric)
 */
export function isGoNumber(block: Uint8Array, from: number, to: number): boolean {
  const first = block[from]!;
  if ((first & 0x80) === 0) return numericField(block, from, to) !== null;
  if (to - from <= 8) return true;
  // Bytes above the lowest eight hold nothing but the sign, and so does the top bit of the eight.
  const fill = (first & 0x40) === 0 ? 0 : 0xff;
  if ((first | 0x80) !== (fill | 0x80)) return false;
  const top = to - 8;
  for (let i = from + 1; i < top; i++) if (block[i] !== fill) return false;
  return ((block[top]! ^ fill) & 0x80) === 0;
}

const isBlank = (byte: number) => byte === 0 || byte === SPACE;

function base256(block: Uint8Array, from: number, to: number): number {
  const negative = (block[from]! & 0x40) !== 0;
  let value = (block[from]! & 0x7f) - (negative ? 0x80 : 0);
  for (let i = from + 1; i < to; i++) value = value * 256 + block[i]!;
  return value;
}

/** Mode, owner, group, size and time stand one after the other; device numbers only where there is a magic. */
const [MODE, TIME_END] = [100, 148];
const [DEVICE, DEVICE_END] = [329, 345];
const FLAG = 156;
const STAR = 508;

/**
 * Whether the numbers of a header are octal digits and NULs, with a space at most where a field ends, as nearly every
 * writer has them: Go takes those, and to look closer at each of 100,000 headers takes longer than to read it.
 */
export function hasPlainNumbers(block: Uint8Array): boolean {
  if (block[FLAG] === GNU_SPARSE || block[STAR] === LETTER_T) return false;
  for (let i = MODE; i < TIME_END; i++) {
    const byte = block[i]!;
    if ((byte & 0xf8) === 0x30 || byte === 0) continue;
    if (byte !== SPACE || !isFieldEnd(i)) return false;
  }
  for (let i = DEVICE; i < DEVICE_END; i++) {
    const byte = block[i]!;
    if ((byte & 0xf8) !== 0x30 && byte !== 0) return false;
  }
  return true;
}

const isFieldEnd = (i: number) => i === 107 || i === 115 || i === 123 || i === 135 || i === 147;

const GNU_SPARSE = 'S'.charCodeAt(0);
const LETTER_T = 't'.charCodeAt(0);
