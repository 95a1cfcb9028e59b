import { isUtf8 } from 'node:buffer';

/** Keeps a byte order mark, which is an error in JSON, as in Go's decoder. */
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The text of bytes as Go's decoders read it: each byte that belongs to no character becomes a U+FFFD of its own.
 * Hazard: TextDecoder makes one of the bytes of a character that is cut, so that the text is not that of an engine.
 * https://pkg.go.dev/unicode/utf8#DecodeRune
 */
export function utf8Text(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return DECODER.decode(bytes);
  const copy = Uint8Array.from(bytes);
  for (let at = 0; at < copy.length; ) {
    const length = characterLength(copy, at);
    if (length === 0) copy[at] = NO_BYTE;
    at += Math.max(1, length);
  }
  return DECODER.decode(copy);
}

/** A byte that no character has. */
const NO_BYTE = 0xff;

/** The ranges of second bytes that differ from 80 to BF, by the first byte. Unicode Standard, table 3-7 */
const SECOND: Readonly<Record<number, readonly [from: number, to: number]>> = {
  224: [0xa0, 0xbf],
  237: [0x80, 0x9f],
  240: [0x90, 0xbf],
  244: [0x80, 0x8f],
};
const CONTINUATION: readonly [from: number, to: number] = [0x80, 0xbf];

/** Length of the character that begins at an offset, in bytes; 0 if none does. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const length = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (let i = 1; i < length; i++) {
    const [from, to] = (i === 1 && SECOND[first]) || CONTINUATION;
    const byte = bytes[at + i] ?? 0;
    if (byte < from || byte > to) return 0;
  }
  return length;
}
